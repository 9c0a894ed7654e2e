/* Cells lie row after row, only those that were set: logs are sparse in most formats. */
#include "sweep/training_log.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define TITLE_MAX 512
#define INDEX_START 64 /* a power of two */

struct cell {
    uint32_t column;
    uint32_t kind; /* enum log_cell_kind */
    union {
        double number;
        size_t text; /* offset in texts, NUL-terminated */
    };
};

struct row {
    size_t where, first; /* first: its place among the cells */
};

struct training_log {
    char **titles;
    size_t columns, columns_cap;
    size_t *set_in; /* of a column: the last row in which it was set, from 1 */
    size_t set_in_cap;
    uint32_t *index; /* open addressing: column + 1 by the hash of its title; 0: free */
    size_t index_size;
    struct row *rows;
    size_t row_count, rows_cap;
    struct cell *cells;
    size_t cell_count, cells_cap;
    struct buf texts;
    char *notes[LOG_NOTES_MAX];
    size_t note_count;
};

struct training_log *training_log_create(void)
{
    struct training_log *l = xcalloc(1, sizeof(*l));
    l->index_size = INDEX_START;
    l->index = xcalloc(l->index_size, sizeof(*l->index));
    return l;
}

void training_log_destroy(struct training_log *l)
{
    if (!l)
        return;
    for (size_t i = 0; i < l->columns; i++)
        free(l->titles[i]);
    free(l->titles);
    free(l->set_in);
    free(l->index);
    free(l->rows);
    free(l->cells);
    buf_finish(&l->texts);
    for (size_t i = 0; i < l->note_count; i++)
        free(l->notes[i]);
    free(l);
}

/* FNV-1a. */
static size_t hash(const char *title, size_t len)
{
    uint64_t h = 14695981039346656037u;
    for (size_t i = 0; i < len; i++)
        h = (h ^ (unsigned char)title[i]) * 1099511628211u;
    return (size_t)(h ^ h >> 32);
}

/* Its place in the index: the title's, or a free one. */
static size_t place(const struct training_log *l, const char *title, size_t len)
{
    size_t mask = l->index_size - 1, i = hash(title, len) & mask;
    for (; l->index[i] != 0; i = (i + 1) & mask) {
        const char *there = l->titles[l->index[i] - 1];
        if (strlen(there) == len && memcmp(there, title, len) == 0)
            break;
    }
    return i;
}

static void grow_index(struct training_log *l)
{
    l->index_size *= 2;
    l->index = xrealloc(l->index, l->index_size * sizeof(*l->index));
    memset(l->index, 0, l->index_size * sizeof(*l->index));
    for (size_t i = 0; i < l->columns; i++)
        l->index[place(l, l->titles[i], strlen(l->titles[i]))] = (uint32_t)i + 1;
}

/* What a file has for a title is shown to people: no control characters. */
static size_t clean_title(const char *title, size_t len, char out[TITLE_MAX])
{
    size_t n = 0;
    for (; n < len && n < TITLE_MAX && title[n]; n++)
        out[n] = (unsigned char)title[n] < 0x20 || title[n] == 0x7f ? ' ' : title[n];
    return n;
}

int training_log_column(struct training_log *l, const char *text, size_t text_len,
                        struct errbuf *err)
{
    char title[TITLE_MAX];
    size_t len = clean_title(text, text_len, title);
    size_t i = place(l, title, len);
    if (l->index[i] != 0)
        return (int)l->index[i] - 1;
    if (l->columns == LOG_COLUMNS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d columns", LOG_COLUMNS_MAX);
    l->titles = array_room(l->titles, &l->columns_cap, l->columns, sizeof(*l->titles));
    l->set_in = array_room(l->set_in, &l->set_in_cap, l->columns, sizeof(*l->set_in));
    l->set_in[l->columns] = 0;
    l->titles[l->columns] = xcalloc(len + 1, 1);
    memcpy(l->titles[l->columns], title, len);
    l->index[i] = (uint32_t)++l->columns;
    if (l->columns * 2 > l->index_size)
        grow_index(l);
    return (int)l->columns - 1;
}

int training_log_row(struct training_log *l, size_t where, struct errbuf *err)
{
    if (l->row_count == LOG_ROWS_MAX)
        return err_set(err, ERR_LIMIT, "more than %d rows", LOG_ROWS_MAX);
    l->rows = array_room(l->rows, &l->rows_cap, l->row_count, sizeof(*l->rows));
    l->rows[l->row_count++] = (struct row){where, l->cell_count};
    return 0;
}

static size_t row_end(const struct training_log *l, size_t row)
{
    return row + 1 < l->row_count ? l->rows[row + 1].first : l->cell_count;
}

/* NULL where that cell was not set. Most rows have all columns in order. */
static struct cell *find(const struct training_log *l, size_t row, size_t column)
{
    size_t first = l->rows[row].first, end = row_end(l, row);
    if (column < end - first && l->cells[first + column].column == column)
        return &l->cells[first + column];
    for (size_t i = first; i < end; i++)
        if (l->cells[i].column == column)
            return &l->cells[i];
    return NULL;
}

static int set(struct training_log *l, size_t column, const struct cell *c, struct errbuf *err)
{
    REQUIRE(l->row_count > 0 && column < l->columns);
    if (l->set_in[column] == l->row_count) {
        *find(l, l->row_count - 1, column) = *c;
        return 0;
    }
    if (l->cell_count == LOG_CELLS_MAX)
        return err_set(err, ERR_LIMIT, "more than %zu cells", LOG_CELLS_MAX);
    l->cells = array_room(l->cells, &l->cells_cap, l->cell_count, sizeof(*l->cells));
    l->cells[l->cell_count++] = *c;
    l->set_in[column] = l->row_count;
    return 0;
}

int training_log_number(struct training_log *l, size_t column, double value, struct errbuf *err)
{
    struct cell c = {.column = (uint32_t)column, .kind = LOG_NUMBER, .number = value};
    return set(l, column, &c, err);
}

int training_log_text(struct training_log *l, size_t column, const char *text, size_t len,
                      struct errbuf *err)
{
    struct cell c = {.column = (uint32_t)column, .kind = LOG_TEXT, .text = l->texts.len};
    buf_append(&l->texts, text, len);
    buf_putc(&l->texts, '\0');
    return set(l, column, &c, err);
}

void training_log_note(struct training_log *l, const char *fmt, ...)
{
    struct buf text = {0};
    va_list ap;

    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    bool known = l->note_count == LOG_NOTES_MAX;
    for (size_t i = 0; i < l->note_count; i++)
        known |= strcmp(l->notes[i], text.data) == 0;
    if (known)
        buf_finish(&text);
    else
        l->notes[l->note_count++] = buf_take(&text);
}

const char *training_log_noted(const struct training_log *l, size_t i)
{
    return i < l->note_count ? l->notes[i] : NULL;
}

size_t training_log_columns(const struct training_log *l)
{
    return l->columns;
}

size_t training_log_rows(const struct training_log *l)
{
    return l->row_count;
}

const char *training_log_title(const struct training_log *l, size_t column)
{
    return l->titles[column];
}

size_t training_log_where(const struct training_log *l, size_t row)
{
    return l->rows[row].where;
}

enum log_cell_kind training_log_cell(const struct training_log *l, size_t row, size_t column,
                                     double *value, const char **text)
{
    const struct cell *c = find(l, row, column);
    if (!c)
        return LOG_NOTHING;
    if (c->kind == LOG_NUMBER && value)
        *value = c->number;
    if (c->kind == LOG_TEXT && text)
        *text = l->texts.data + c->text;
    return (enum log_cell_kind)c->kind;
}

bool training_log_next(const struct training_log *l, size_t row, size_t *at, struct log_cell *out)
{
    size_t i = l->rows[row].first + *at;
    if (i >= row_end(l, row))
        return false;
    const struct cell *c = &l->cells[i];
    *out = (struct log_cell){.column = c->column, .kind = (enum log_cell_kind)c->kind};
    if (c->kind == LOG_NUMBER)
        out->value = c->number;
    else
        out->text = l->texts.data + c->text;
    ++*at;
    return true;
}
