#include "worker/data/csv_columns.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/nothing.h"
#include "sweep/number.h"

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

bool csv_is_missing(const struct spec_data *d, const char *text, size_t len)
{
    const char *end = text + len;
    size_t n;
    while ((n = number_blank(text, end)) > 0)
        text += n;
    len = (size_t)(end - text);
    if (len == 0)
        return true;
    if ((!d->missing_told || d->missing_usual) && text_is_nothing(text, len))
        return true;
    for (const char *word = NULL; d->missing_told && data_words_next(&d->missing, &word);)
        if (strlen(word) == len && memcmp(word, text, len) == 0)
            return true;
    return false;
}

bool csv_lacks_target(const struct spec_data *d, const struct csv_field *f)
{
    static const char *const names[] = {"none", "nil", "-",      "--",     ".",     "_",
                                        "..",   "...", "\u2013", "\u2014", "\u2026"};
    double number;
    if (!csv_is_missing(d, f->text, f->len))
        return number_parse(f->text, f->len, &number) && isnan(number);
    for (size_t i = 0; !d->missing_told && i < sizeof names / sizeof names[0]; i++)
        if (f->len == strlen(names[i]) && strncasecmp(f->text, names[i], f->len) == 0)
            return false;
    return true;
}

char csv_decimal(const struct spec_data *d)
{
    if (d->decimal)
        return d->decimal;
    return d->thousands == '.' ? ',' : d->thousands == ',' ? '.' : '\0';
}

static int fail_one_column(const struct csv_scan *s, struct errbuf *err)
{
    return text_fail(s->text, s->line, err, ERR_DATA,
                     "1 column; allowed: features and a target, with %s between them "
                     "(data.delimiter says what else is)", dialect_delimiter_name(s->delimiter));
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

static int fail_column(const struct table_columns *c, const char *key, const char *word,
                       struct errbuf *err)
{
    if (!c->header)
        return err_bad(err, ERR_VALUE, key, word,
                       "the number of a column, 1..%zu (the file has no header; data.header: true "
                       "makes its first line one)", c->count);
    struct buf text = {0};
    char shown[TEXT_SHOW_MAX];
    const char *near = err_nearest(word, (const char *const *)c->header, c->count);
    put_names(&text, c->header, c->count);
    buf_printf(&text, ", or the number of a column, 1..%zu", c->count);
    if (near)
        buf_printf(&text, "; did you mean %s?", text_show(shown, near, strlen(near)));
    int rc = err_bad(err, ERR_VALUE, key, word, "%s", text.data);
    buf_finish(&text);
    return rc;
}

/* The last column that is not left out. */
static size_t last_column(const struct table_columns *c)
{
    size_t i = c->count - 1;
    while (i > 0 && c->column[i].ignored)
        i--;
    return i;
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
        c->target = last_column(c);
    else if (number > 0)
        c->target = number - 1;
    else
        return fail_column(c, TARGET_KEY, d->target, err);
    return 0;
}

/* --- columns that are left out ----------------------------------------------------------- */

#define IGNORE_KEY "$.data.ignore"

static int ignore_one(struct table_columns *c, const char *word, struct errbuf *err)
{
    size_t found = 0, number = column_number(word, c->count);
    for (size_t i = 0; c->header && i < c->count; i++) {
        if (strcmp(c->header[i], word) == 0) {
            c->column[i].ignored = true;
            found++;
        }
    }
    if (found == 0 && number > 0)
        c->column[number - 1].ignored = true;
    return found > 0 || number > 0 ? 0 : fail_column(c, IGNORE_KEY, word, err);
}

static int ignore_columns(struct table_columns *c, const struct spec_data *d, struct errbuf *err)
{
    int rc = 0;
    for (const char *word = NULL; rc == 0 && data_words_next(&d->ignore, &word);)
        rc = ignore_one(c, word, err);
    return rc;
}

/* Something must be left to learn from. */
static int check_rest(const struct csv_scan *s, const struct table_columns *c,
                      const struct spec_data *d, struct errbuf *err)
{
    size_t left = 0;
    if (c->column[c->target].ignored)
        return err_bad(err, ERR_VALUE, IGNORE_KEY, d->target[0] ? d->target : "the last column",
                       "columns beside the target");
    for (size_t i = 0; i < c->count; i++)
        left += i != c->target && !c->column[i].ignored;
    if (left > 0)
        return 0;
    return text_fail(s->text, s->line, err, ERR_DATA,
                     "no column is left beside the target; allowed: one feature or more");
}

void csv_columns_place(struct table_columns *c)
{
    c->features = 0;
    for (size_t i = 0; i < c->count; i++) {
        struct column *column = &c->column[i];
        column->feature = c->features;
        if (i != c->target && !column->ignored)
            c->features += column->names ? column->names->count : 1;
    }
}

/* --- the first rows ---------------------------------------------------------------------- */

static void note_header(const struct csv_header *h, struct notes *notes)
{
    if (!h->name)
        notes_add(notes, "data.header", "no header: line %zu is data", h->line);
    else if (h->units)
        notes_add(notes, "data.header",
                  "line %zu names the columns, and a line of units is left out", h->line);
    else
        notes_add(notes, "data.header", "line %zu names the columns", h->line);
}

static void note_dialect(const struct dialect *dialect, const struct spec_data *d,
                         struct notes *notes)
{
    char own = d->format == FORMAT_TSV ? '\t' : ',';
    if (dialect->delimiter != own && !d->delimiter)
        notes_add(notes, "data.delimiter", "fields are separated by %s",
                  dialect_delimiter_name(dialect->delimiter));
    if (dialect->told)
        notes_add(notes, "data.skip_rows", "line 1 names the delimiter and is left out");
    if (dialect->comment)
        notes_add(notes, "data.skip_rows", "lines that begin with %c are comments",
                  dialect->comment);
    if (dialect->preamble && !dialect->title)
        notes_add(notes, "data.skip_rows",
                  "the first %zu lines are left out: they are no rows of the table",
                  dialect->skip_lines);
}

static void note_empty(const struct table_columns *c, const struct csv_header *h,
                       struct notes *notes)
{
    for (size_t i = 0; i < c->count; i++)
        if (h->empty[i])
            notes_add(notes, "data.ignore", "column %zu is left out: it is empty and has no name",
                      i + 1);
}

int csv_columns_create(struct csv_scan *s, const struct dialect *dialect, const struct spec_data *d,
                       struct table_columns **out, struct notes *notes, struct errbuf *err)
{
    struct csv_header h;
    int rc = csv_header_find(s, dialect, d, NULL, &h, err);
    if (rc != 0)
        return rc;
    struct table_columns *c = xcalloc(1, sizeof *c);
    c->count = h.count;
    c->header = h.name;
    c->hollow = h.hollow;
    c->column = xcalloc(c->count, sizeof *c->column);
    for (size_t i = 0; i < c->count; i++)
        c->column[i] = (struct column){.plain = true, .ignored = h.empty[i]};
    s->line = h.line;
    rc = c->count == 1 ? fail_one_column(s, err) : 0;
    if (rc == 0)
        rc = ignore_columns(c, d, err);
    if (rc == 0)
        rc = find_target(c, d, err);
    if (rc == 0)
        rc = check_rest(s, c, d, err);
    csv_columns_place(c);
    if (rc == 0)
        rc = csv_footer_told(s, d, c, err);
    if (rc == 0) {
        note_header(&h, notes);
        note_dialect(dialect, d, notes);
        note_empty(c, &h, notes);
        *out = c;
    } else {
        table_columns_destroy(c);
    }
    h.name = NULL;
    csv_header_finish(&h);
    return rc;
}

static int compare_header(const struct csv_scan *s, const struct table_columns *c,
                          const struct csv_header *h, struct errbuf *err)
{
    char here[TEXT_SHOW_MAX], there[TEXT_SHOW_MAX];
    for (size_t i = 0; i < c->count; i++) {
        const char *name = h->name[i], *known = c->header[i];
        if (strcmp(name, known) != 0)
            return text_fail(s->text, h->line, err, ERR_DATA,
                             "column %zu is named %s; allowed: %s, as in the training file", i + 1,
                             text_show(here, name, strlen(name)),
                             text_show(there, known, strlen(known)));
    }
    return 0;
}

int csv_columns_follow(struct csv_scan *s, const struct dialect *dialect, const struct spec_data *d,
                       struct table_columns *c, struct errbuf *err)
{
    struct csv_header h;
    int rc = csv_header_find(s, dialect, d, c, &h, err);
    if (rc != 0)
        return rc;
    if (h.count != c->count)
        rc = text_fail(s->text, h.line, err, ERR_DATA,
                       "%zu columns; allowed: %zu, as in the training file", h.count, c->count);
    else if (h.name && c->header)
        rc = compare_header(s, c, &h, err);
    if (rc == 0)
        rc = csv_footer_told(s, d, c, err);
    csv_header_finish(&h);
    return rc;
}

/* --- all rows ---------------------------------------------------------------------------- */

static bool is_empty(const struct csv_scan *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->fields[i].len > 0)
            return false;
    return true;
}

/* The row is no data, nor what follows; else the scan is left at it. */
static bool ends_here(struct csv_scan *s, struct table_columns *c)
{
    struct csv_place place = s->place;
    size_t line = s->line, start = s->start;
    if (c->footer_told || s->count > c->count)
        return false;
    if (csv_is_footer(s, c)) {
        c->ends_at = line;
        s->count = 0;
        return true;
    }
    if (s->start != start) { /* looking ahead has overwritten its fields */
        csv_scan_seek(s, start, line);
        csv_scan_row(s, NULL);
    }
    s->place = place;
    return false;
}

static int other_row(struct csv_scan *s, struct table_columns *c, struct errbuf *err)
{
    if (s->count == c->count + 1 && s->fields[c->count].len == 0) {
        s->count--; /* a delimiter behind the last field */
        return 0;
    }
    if (ends_here(s, c))
        return 0;
    return text_fail(s->text, s->line, err, ERR_DATA, "%zu fields; allowed: %zu, as in the first "
                     "line", s->count, c->count);
}

/* What may be the label of a total begins with a letter, and so does no number. */
static bool may_be_footer(const struct csv_scan *s)
{
    unsigned char first = s->fields[0].len > 0 ? (unsigned char)s->fields[0].text[0] : ' ';
    return first == ' ' || first > '9';
}

/* The titles once more: files that were put one behind the other. */
static bool are_titles(struct csv_scan *s, struct table_columns *c)
{
    for (size_t i = 0; i < c->count; i++) {
        size_t len;
        const char *text = csv_scan_text(s, &s->fields[i], &len);
        if (strlen(c->header[i]) != len || memcmp(text, c->header[i], len) != 0)
            return false;
    }
    c->titles_at = c->titles_at == 0 ? s->line : c->titles_at;
    return true;
}

static int next_row(struct csv_scan *s, const struct table_columns *c, struct errbuf *err)
{
    int rc;
    do {
        if (c->end && s->place.next >= c->end) {
            s->count = 0;
            return 0;
        }
        rc = csv_scan_row(s, err);
    } while (rc == 0 && s->count > 0 && s->fields[0].len == 0 && is_empty(s));
    return rc;
}

static bool drops(const struct csv_scan *s, const struct spec_data *d, struct table_columns *c)
{
    if (!d->drop_without_target || !csv_lacks_target(d, &s->fields[c->target]))
        return false;
    c->dropped_at = c->dropped++ == 0 ? s->line : c->dropped_at;
    return true;
}

int csv_columns_row(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                    struct errbuf *err)
{
    int rc;
    while ((rc = next_row(s, c, err)) == 0 && s->count > 0) {
        if (s->count != c->count)
            return other_row(s, c, err);
        if (may_be_footer(s)) {
            if (c->header && are_titles(s, c))
                continue;
            if (ends_here(s, c))
                return 0;
        }
        if (!drops(s, d, c))
            return 0;
    }
    return rc;
}

int csv_columns_count(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                      size_t *rows, struct errbuf *err)
{
    struct csv_place start = s->place;
    size_t n = 0;
    int rc = csv_columns_row(s, d, c, err);
    for (; rc == 0 && s->count > 0 && n <= SAMPLES_MAX; n++)
        rc = csv_columns_row(s, d, c, err);
    if (rc == 0 && (n == 0 || n > SAMPLES_MAX))
        rc = csv_fail_rows(s, c, n, err);
    s->place = start;
    *rows = n;
    return rc;
}

int csv_fail_rows(const struct csv_scan *s, const struct table_columns *c, size_t rows,
                  struct errbuf *err)
{
    char column[CSV_COLUMN_SHOW_MAX];
    if (rows == 0 && c->dropped > 0)
        return text_fail(s->text, c->dropped_at, err, ERR_DATA,
                         "%s: no row has a target, so data.without_target: \"drop\" leaves all of "
                         "them out; allowed: one row or more that has one. Is it another column "
                         "(data.target)?", csv_column_show(column, c, c->target));
    if (rows == 0)
        return text_fail(s->text, 0, err, ERR_DATA,
                         "no rows of data behind the header; allowed: one or more");
    return text_fail(s->text, s->line, err, ERR_LIMIT, "more than %zu rows", SAMPLES_MAX);
}
