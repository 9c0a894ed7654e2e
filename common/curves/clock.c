/* A log whose newest row stands first, told by the column of its times. */
#include <ctype.h>
#include <string.h>

#include "common/curves/reading.h"

#define EPOCH_TIME 1e8 /* seconds or milliseconds since 1970; less is a duration */
#define STAMP_MAX 40

/* A row's time: a number, or text in an order that is that of its letters. */
struct stamp {
    bool known;
    double number;       /* 0: text */
    char text[STAMP_MAX];
};

/* "2024-01-01 10:00:00": the year first. */
static bool is_iso(const char *text)
{
    for (int i = 0; i < 4; i++)
        if (!isdigit((unsigned char)text[i]))
            return false;
    return (text[4] == '-' || text[4] == '/') && isdigit((unsigned char)text[5]);
}

static struct stamp read_stamp(const struct training_log *l, size_t row, size_t column)
{
    struct stamp s = {0};
    const char *text = NULL;
    double value = 0;
    enum log_cell_kind kind = training_log_cell(l, row, column, &value, &text);

    s.known = (kind == LOG_NUMBER && value > EPOCH_TIME) ||
              (kind == LOG_TEXT && strlen(text) < STAMP_MAX && is_iso(text));
    s.number = kind == LOG_NUMBER ? value : 0;
    if (s.known && kind == LOG_TEXT)
        memcpy(s.text, text, strlen(text) + 1);
    return s;
}

/* < 0: a is earlier; 0 also where they cannot be compared. */
static int compare(const struct stamp *a, const struct stamp *b)
{
    if (strlen(a->text) != strlen(b->text))
        return 0;
    return a->number != b->number ? (a->number < b->number ? -1 : 1) : strcmp(a->text, b->text);
}

static bool goes_back(const struct training_log *l, size_t column, const struct log_row *rows,
                      size_t count)
{
    struct stamp before = read_stamp(l, rows[0].row, column);
    size_t falls = 0;

    for (size_t i = 1; i < count && before.known; i++) {
        struct stamp s = read_stamp(l, rows[i].row, column);
        int order = compare(&s, &before);
        if (!s.known || order > 0)
            return false;
        falls += order < 0;
        before = s;
    }
    return before.known && count > 2 && falls * 2 > count;
}

size_t clock_goes_back(const struct training_log *l, const struct log_row *rows, size_t count)
{
    for (size_t i = 0; count > 2 && i < training_log_columns(l); i++)
        if (goes_back(l, i, rows, count))
            return i;
    return SIZE_MAX;
}
