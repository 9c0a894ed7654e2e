#include "worker/data/csv_columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/number.h"

#define SPOILT_SHARE 10 /* text in fewer than one in so many fields is not meant */
#define SPOILT_CODES 20 /* unless the column has at most so many different whole numbers */
#define CLASS_NAME_BYTES (sizeof *((struct table *)0)->class_name)

const char *csv_column_show(char out[CSV_COLUMN_SHOW_MAX], const struct table_columns *c,
                            size_t column)
{
    char name[TEXT_SHOW_MAX];
    if (c->header)
        snprintf(out, CSV_COLUMN_SHOW_MAX, "column %zu (%s)", column + 1,
                 text_show(name, c->header[column], strlen(c->header[column])));
    else
        snprintf(out, CSV_COLUMN_SHOW_MAX, "column %zu", column + 1);
    return out;
}

/* --- header ------------------------------------------------------------------------------ */

/* Whether the row is a header. */
static bool is_header(const struct csv_scan *s, enum header told)
{
    for (size_t i = 0; told == HEADER_AUTO && i < s->count; i++) {
        if (number_is(s->fields[i].text, s->fields[i].len))
            return false;
    }
    return told != HEADER_NO;
}

static char *copy_field(struct csv_scan *s, size_t column)
{
    size_t len;
    const char *text = csv_scan_text(s, &s->fields[column], &len);
    char *copy = xmalloc(len + 1);
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

static int read_first_row(struct csv_scan *s, struct errbuf *err)
{
    int rc = csv_scan_row(s, err);
    if (rc == 0 && s->count == 0)
        rc = text_fail(s->text, 0, err, ERR_DATA, "the file is empty; allowed: rows of data");
    return rc;
}

/* A file of one column is most likely delimited by something else. */
static int fail_one_column(const struct csv_scan *s, struct errbuf *err)
{
    static const struct {
        char delimiter;
        const char *hint;
    } others[] = {{'\t', " (this line has tabs: format tsv?)"},
                  {',', " (this line has commas: format csv?)"},
                  {';', " (this line has semicolons)"}};
    const struct csv_field *f = &s->fields[0];
    const char *hint = "";
    for (size_t i = sizeof others / sizeof others[0]; i-- > 0;) {
        if (others[i].delimiter != s->delimiter && memchr(f->text, others[i].delimiter, f->len))
            hint = others[i].hint;
    }
    return text_fail(s->text, s->line, err, ERR_DATA,
                     "1 column; allowed: features and a target, with %s between them%s",
                     s->delimiter == '\t' ? "tabs" : "commas", hint);
}

/* --- target ------------------------------------------------------------------------------ */

#define TARGET_KEY "$.data.target"

/* A column's number from 1 to count; 0 when it is none. */
static size_t column_number(const char *text, size_t count)
{
    size_t number = 0;
    for (const char *p = text; *p; p++) {
        if (*p < '0' || *p > '9')
            return 0;
        number = number * 10 + (size_t)(*p - '0');
        if (number > count)
            return 0;
    }
    return number;
}

/* `"a", "b", "c", … (9)` */
static void put_names(struct buf *out, char *const *names, size_t count)
{
    char shown[TEXT_SHOW_MAX];
    size_t some = count < 5 ? count : 5;
    for (size_t i = 0; i < some; i++)
        buf_printf(out, "%s%s", i > 0 ? ", " : "", text_show(shown, names[i], strlen(names[i])));
    if (some < count)
        buf_printf(out, ", … (%zu)", count);
}

static int fail_target(const struct table_columns *c, const struct spec_data *d, struct errbuf *err)
{
    if (!c->header)
        return err_bad(err, ERR_VALUE, TARGET_KEY, d->target,
                       "the number of a column, 1..%zu (the file has no header)", c->count);
    struct buf text = {0};
    char shown[TEXT_SHOW_MAX];
    const char *near = err_nearest(d->target, (const char *const *)c->header, c->count);
    put_names(&text, c->header, c->count);
    buf_printf(&text, ", or the number of a column, 1..%zu", c->count);
    if (near)
        buf_printf(&text, "; did you mean %s?", text_show(shown, near, strlen(near)));
    int rc = err_bad(err, ERR_VALUE, TARGET_KEY, d->target, "%s", text.data);
    buf_finish(&text);
    return rc;
}

/* By name where there is a header, else by number; "" is the last. */
static int find_target(struct table_columns *c, const struct spec_data *d, struct errbuf *err)
{
    size_t found = 0, number = column_number(d->target, c->count);
    for (size_t i = 0; c->header && d->target[0] && i < c->count; i++) {
        if (strcmp(c->header[i], d->target) == 0) {
            c->target = i;
            found++;
        }
    }
    if (found > 1)
        return err_bad(err, ERR_VALUE, TARGET_KEY, d->target,
                       "a name that one column has; %zu have this one: give a number, 1..%zu",
                       found, c->count);
    if (found == 1)
        return 0;
    if (!d->target[0])
        c->target = c->count - 1;
    else if (number > 0)
        c->target = number - 1;
    else
        return fail_target(c, d, err);
    return 0;
}

/* Numeric columns have one feature, others one of each category. */
static void place_features(struct table_columns *c)
{
    c->features = 0;
    for (size_t i = 0; i < c->count; i++) {
        c->column[i].feature = c->features;
        if (i != c->target)
            c->features += c->column[i].names ? c->column[i].names->count : 1;
    }
}

/* --- the first row ----------------------------------------------------------------------- */

int csv_columns_create(struct csv_scan *s, const struct spec_data *d, struct table_columns **out,
                       struct errbuf *err)
{
    struct csv_place start = s->place;
    int rc = read_first_row(s, err);
    if (rc == 0 && s->count == 1)
        rc = fail_one_column(s, err);
    if (rc != 0)
        return rc;
    struct table_columns *c = xcalloc(1, sizeof *c);
    c->count = s->count;
    c->column = xcalloc(c->count, sizeof *c->column);
    if (is_header(s, d->header)) {
        c->header = xcalloc(c->count, sizeof *c->header);
        for (size_t i = 0; i < c->count; i++)
            c->header[i] = copy_field(s, i);
        start = s->place;
    }
    s->place = start;
    rc = find_target(c, d, err);
    place_features(c);
    if (rc == 0)
        *out = c;
    else
        table_columns_destroy(c);
    return rc;
}

static int compare_header(struct csv_scan *s, const struct table_columns *c, struct errbuf *err)
{
    char here[TEXT_SHOW_MAX], there[TEXT_SHOW_MAX];
    for (size_t i = 0; i < c->count; i++) {
        size_t len, known = strlen(c->header[i]);
        const char *name = csv_scan_text(s, &s->fields[i], &len);
        if (len != known || memcmp(name, c->header[i], len) != 0)
            return text_fail(s->text, s->line, err, ERR_DATA,
                             "column %zu is named %s; allowed: %s, as in the training file", i + 1,
                             text_show(here, name, len), text_show(there, c->header[i], known));
    }
    return 0;
}

int csv_columns_follow(struct csv_scan *s, const struct spec_data *d, const struct table_columns *c,
                       struct errbuf *err)
{
    struct csv_place start = s->place;
    int rc = read_first_row(s, err);
    if (rc != 0)
        return rc;
    if (s->count != c->count)
        return text_fail(s->text, s->line, err, ERR_DATA,
                         "%zu columns; allowed: %zu, as in the training file", s->count, c->count);
    if (!is_header(s, d->header)) {
        s->place = start;
        return 0;
    }
    return c->header ? compare_header(s, c, err) : 0;
}

/* --- all rows ---------------------------------------------------------------------------- */

int csv_columns_row(struct csv_scan *s, const struct table_columns *c, struct errbuf *err)
{
    int rc = csv_scan_row(s, err);
    if (rc == 0 && s->count != c->count && s->count > 0)
        rc = text_fail(s->text, s->line, err, ERR_DATA,
                       "%zu fields; allowed: %zu, as in the first line", s->count, c->count);
    return rc;
}

/* An empty or infinite target, or text where only a number will do. */
static int check_target(const struct csv_scan *s, const struct spec_data *d,
                        const struct table_columns *c, struct errbuf *err)
{
    const struct csv_field *f = &s->fields[c->target];
    char column[CSV_COLUMN_SHOW_MAX], value[TEXT_SHOW_MAX];
    double number = 0;
    bool is_number = number_parse(f->text, f->len, &number);
    if (f->len > 0 && isfinite(number) && (is_number || d->task != TASK_REGRESSION))
        return 0;
    return text_fail(s->text, s->line, err, ERR_DATA, "%s: the target is %s; allowed: %s",
                     csv_column_show(column, c, c->target),
                     f->len > 0 ? text_show(value, f->text, f->len) : "empty",
                     d->task == TASK_REGRESSION ? "finite numbers (task regression)"
                                                : "finite numbers, or names of classes");
}

static int fail_rows(const struct csv_scan *s, size_t rows, struct errbuf *err)
{
    if (rows == 0)
        return text_fail(s->text, 0, err, ERR_DATA,
                         "no rows of data behind the header; allowed: one or more");
    return text_fail(s->text, s->line, err, ERR_LIMIT, "more than %zu rows", SAMPLES_MAX);
}

static void note_type(const struct csv_scan *s, size_t i, struct column *column)
{
    const struct csv_field *f = &s->fields[i];
    if (f->len == 0)
        return;
    column->filled++;
    if (number_is(f->text, f->len)) {
        column->fractions |= memchr(f->text, '.', f->len) != NULL;
        return;
    }
    column->texts++;
    if (column->text_line == 0)
        column->text_line = s->line;
}

/* Which columns hold text. */
static int find_types(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                      size_t *rows, struct errbuf *err)
{
    size_t n = 0;
    for (;;) {
        int rc = csv_columns_row(s, c, err);
        if (rc != 0)
            return rc;
        if (s->count == 0)
            break;
        for (size_t i = 0; i < c->count; i++)
            note_type(s, i, &c->column[i]);
        rc = check_target(s, d, c, err);
        if (rc != 0)
            return rc;
        if (++n > SAMPLES_MAX)
            break;
    }
    *rows = n;
    return n == 0 || n > SAMPLES_MAX ? fail_rows(s, n, err) : 0;
}

static int fail_categories(const struct csv_scan *s, const struct table_columns *c, size_t i,
                           struct errbuf *err)
{
    char column[CSV_COLUMN_SHOW_MAX];
    if (i == c->target)
        return text_fail(s->text, s->line, err, ERR_DATA,
                         "%s: more than %d names of classes (line %zu has the first that is no "
                         "number); allowed: numbers, or at most %d classes",
                         csv_column_show(column, c, i), SAMPLES_CLASSES_MAX, c->column[i].text_line,
                         SAMPLES_CLASSES_MAX);
    return text_fail(s->text, s->line, err, ERR_DATA,
                     "%s: more than %d different texts (line %zu has the first that is no number); "
                     "allowed: numbers, where a hole is empty or nan, or at most %d categories: "
                     "text is no feature",
                     csv_column_show(column, c, i), CSV_CATEGORIES_MAX, c->column[i].text_line,
                     CSV_CATEGORIES_MAX);
}

/* Class names are shown to people and leave in JSON. */
static int check_class_name(const struct csv_scan *s, const struct table_columns *c,
                            const char *text, size_t len, struct errbuf *err)
{
    char column[CSV_COLUMN_SHOW_MAX], shown[TEXT_SHOW_MAX];
    bool fits = len < CLASS_NAME_BYTES;
    size_t at = 0, n = 1;
    for (; fits && n > 0 && at < len; at += n)
        n = text_utf8_length(text + at, len - at);
    if (fits && n > 0)
        return 0;
    return text_fail(
        s->text, s->line, err, ERR_DATA, "%s: class name %s; allowed: at most %zu bytes of UTF-8",
        csv_column_show(column, c, c->target), text_show(shown, text, len), CLASS_NAME_BYTES - 1);
}

/* Adds a row's text in column i; *total counts the categories of all columns. */
static int add_category(struct csv_scan *s, struct table_columns *c, size_t i, size_t *total,
                        struct errbuf *err)
{
    struct names *names = c->column[i].names;
    size_t len, max = i == c->target ? SAMPLES_CLASSES_MAX : CSV_CATEGORIES_MAX;
    uint32_t before = names->count;
    const char *text = csv_scan_text(s, &s->fields[i], &len);
    if (len == 0)
        return 0;
    names_add(names, text, len);
    *total += names->count - before;
    if (names->count == before)
        return 0;
    if (names->count > max)
        return fail_categories(s, c, i, err);
    if (*total > SAMPLES_FEATURES_MAX)
        return text_fail(s->text, s->line, err, ERR_LIMIT,
                         "more than %zu categories in all columns", SAMPLES_FEATURES_MAX);
    return i == c->target ? check_class_name(s, c, text, len, err) : 0;
}

/* Categories of the columns text[0..count). */
static int find_categories(struct csv_scan *s, struct table_columns *c, const size_t *text,
                           size_t count, struct errbuf *err)
{
    size_t total = 0;
    for (size_t k = 0; k < count; k++)
        c->column[text[k]].names = xcalloc(1, sizeof(struct names));
    for (;;) {
        int rc = csv_columns_row(s, c, err);
        if (rc != 0)
            return rc;
        if (s->count == 0)
            break;
        for (size_t k = 0; k < count; k++) {
            rc = add_category(s, c, text[k], &total, err);
            if (rc != 0)
                return rc;
        }
    }
    for (size_t k = 0; k < count; k++)
        names_sort(c->column[text[k]].names);
    return 0;
}

/* Numbers with a few texts between them ("?", "n/a", a typing error) are no categories. Codes such
 * as 1, 2, 3, 3a are few, and whole. */
static bool is_spoilt(const struct column *column)
{
    return column->texts * SPOILT_SHARE < column->filled &&
           (column->fractions || column->names->count > SPOILT_CODES);
}

/* Scans up to the first text of column i, to show it. */
static int fail_spoilt(struct csv_scan *s, const struct table_columns *c, size_t i,
                       struct errbuf *err)
{
    char column[CSV_COLUMN_SHOW_MAX], shown[TEXT_SHOW_MAX];
    const struct column *t = &c->column[i];
    size_t len;
    int rc;
    do
        rc = csv_columns_row(s, c, err);
    while (rc == 0 && s->line < t->text_line);
    if (rc != 0)
        return rc;
    const char *text = csv_scan_text(s, &s->fields[i], &len);
    return text_fail(s->text, s->line, err, ERR_DATA,
                     "%s: got %s, where %zu of %zu fields are numbers; allowed: a number (a hole "
                     "is empty or nan); a column of categories has text in a tenth of its fields "
                     "or more, or at most %d different whole numbers",
                     csv_column_show(column, c, i), text_show(shown, text, len),
                     t->filled - t->texts, t->filled, SPOILT_CODES);
}

static int check_spoilt(struct csv_scan *s, const struct table_columns *c, const size_t *text,
                        size_t count, struct csv_place start, struct errbuf *err)
{
    for (size_t k = 0; k < count; k++) {
        if (!is_spoilt(&c->column[text[k]]))
            continue;
        s->place = start;
        return fail_spoilt(s, c, text[k], err);
    }
    return 0;
}

int csv_columns_survey(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                       size_t *rows, struct errbuf *err)
{
    struct csv_place start = s->place;
    size_t *text = NULL, count = 0;
    int rc = find_types(s, d, c, rows, err);
    s->place = start;
    if (rc != 0)
        return rc;
    text = xmalloc(c->count * sizeof *text);
    for (size_t i = 0; i < c->count; i++) {
        if (c->column[i].text_line > 0)
            text[count++] = i;
    }
    if (count > 0)
        rc = find_categories(s, c, text, count, err);
    if (rc == 0)
        rc = check_spoilt(s, c, text, count, start, err);
    free(text);
    s->place = start;
    if (rc == 0)
        place_features(c);
    return rc;
}

int csv_columns_count(struct csv_scan *s, const struct table_columns *c, size_t *rows,
                      struct errbuf *err)
{
    struct csv_place start = s->place;
    size_t n = 0;
    int rc = csv_columns_row(s, c, err);
    for (; rc == 0 && s->count > 0 && n <= SAMPLES_MAX; n++)
        rc = csv_columns_row(s, c, err);
    if (rc == 0 && (n == 0 || n > SAMPLES_MAX))
        rc = fail_rows(s, n, err);
    s->place = start;
    *rows = n;
    return rc;
}
