/* Tables with a column called a loss whose rows are no points of one training: other settings in
 * each row, a search of the learning rate, a curve's statistics. */
#include <math.h>
#include <stdint.h>
#include <string.h>

#include "common/curves/reading.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define LEAP 2.9        /* times: no schedule changes the rate by so much at every other point */
#define RANGE 1000      /* times, and never down: a search of the rate */
#define RANGE_ROWS 10
#define STATISTICS_MIN 4

/* How a rate goes from row to row. */
struct steps {
    size_t rows, leaps, falls;
    double first, last;
};

static struct steps follow(const struct training_log *l, size_t column)
{
    struct steps s = {0};
    double v;

    for (size_t row = 0; row < training_log_rows(l); row++) {
        if (training_log_cell(l, row, column, &v, NULL) != LOG_NUMBER || !(v > 0) || isinf(v))
            continue;
        if (s.rows++ == 0)
            s.first = s.last = v;
        s.leaps += v > s.last * LEAP || v < s.last / LEAP;
        s.falls += v <= s.last;
        s.last = v;
    }
    return s;
}

/* Nothing counts, and the rate is another in each row. */
static int check_rates(const struct training_log *l, const struct reading *r)
{
    for (size_t i = 0; i < training_log_columns(l); i++) {
        const char *title = training_log_title(l, i);
        if (curve_title_read(title, strlen(title)).kind != CURVE_LEARNING_RATE)
            continue;
        struct steps s = follow(l, i);
        bool runs = s.leaps >= 3 && s.leaps * 2 >= s.rows;
        bool range = s.rows >= RANGE_ROWS && s.falls <= 1 && s.last >= s.first * RANGE;
        if (runs || range)
            return err_set(r->err, ERR_VALUE,
                           "%.80s: no column counts epochs or steps, and '%.80s' is another in "
                           "each row: %s, no curve of one training", r->name, title,
                           range ? "a search of the rate" : "a table of runs");
    }
    return 0;
}

static bool is_statistic(const char *text)
{
    static const char *const WORDS[] = {"count", "mean", "std", "min", "max", "median", "25%",
                                        "50%", "75%", "variance", "sum"};

    for (size_t i = 0; i < ARRAY_LEN(WORDS); i++)
        if (strcmp(WORDS[i], text) == 0)
            return true;
    return false;
}

/* pandas' describe() */
static int check_statistics(const struct training_log *l, const struct reading *r)
{
    size_t rows = training_log_rows(l);

    for (size_t i = 0; i < training_log_columns(l) && rows <= 16; i++) {
        size_t found = 0;
        for (size_t row = 0; row < rows; row++) {
            const char *text = NULL;
            found += training_log_cell(l, row, i, NULL, &text) == LOG_TEXT && is_statistic(text);
        }
        if (found >= STATISTICS_MIN && found * 2 > rows)
            return err_set(r->err, ERR_VALUE, "%.80s: the rows are statistics of a curve (count, "
                           "mean, std, …), not its points", r->name);
    }
    return 0;
}

int no_curve_check(const struct training_log *l, const struct reading *r)
{
    int rc = check_statistics(l, r);

    if (rc == 0 && log_axis(l) == SIZE_MAX)
        rc = check_rates(l, r);
    return rc;
}
