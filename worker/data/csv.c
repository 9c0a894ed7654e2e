/* CSV and TSV. A file of numbers alone is read in one pass. Else one finds the types of the
 * columns, one their categories, and the last writes numbers into memory of exactly their size. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/csv_columns.h"
#include "sweep/number.h"

#define KNOWN_SHOWN 5 /* categories in a message */

/* "VALUE in column C; allowed: ALLOWED" */
static int fail_field(struct csv_scan *s, const struct table_columns *c, size_t i,
                      struct errbuf *err, const char *allowed)
{
    char column[CSV_COLUMN_SHOW_MAX], shown[TEXT_SHOW_MAX];
    size_t len;
    const char *value = csv_scan_text(s, &s->fields[i], &len);
    return text_fail(s->text, s->line, err, ERR_DATA, "%s: got %s; allowed: %s",
                     csv_column_show(column, c, i),
                     len > 0 ? text_show(shown, value, len) : "nothing", allowed);
}

/* A category or class that the training file does not have. */
static int fail_unknown(struct csv_scan *s, const struct table_columns *c, size_t i,
                        struct errbuf *err)
{
    const struct names *names = c->column[i].names;
    struct buf allowed = {0};
    char shown[TEXT_SHOW_MAX];
    buf_puts(&allowed, "what the training file has, ");
    for (uint32_t k = 0; k < names->count && k < KNOWN_SHOWN; k++) {
        const char *name = names_at(names, k);
        buf_printf(&allowed, "%s%s", k > 0 ? ", " : "", text_show(shown, name, strlen(name)));
    }
    if (names->count > KNOWN_SHOWN)
        buf_printf(&allowed, ", … (%u)", (unsigned)names->count);
    int rc = fail_field(s, c, i, err, allowed.data);
    buf_finish(&allowed);
    return rc;
}

/* Place of a field's text among the column's names, NAMES_NONE when it is not there. */
static uint32_t find_name(struct csv_scan *s, const struct table_columns *c, size_t i)
{
    size_t len;
    const char *text = csv_scan_text(s, &s->fields[i], &len);
    return names_find(c->column[i].names, text, len);
}

static int encode_target(struct csv_scan *s, const struct table_columns *c, double *out,
                         struct errbuf *err)
{
    const struct csv_field *f = &s->fields[c->target];
    if (c->column[c->target].names) {
        uint32_t class = find_name(s, c, c->target);
        if (class == NAMES_NONE)
            return fail_unknown(s, c, c->target, err);
        *out = class;
        return 0;
    }
    double value;
    if (!number_parse(f->text, f->len, &value) || !isfinite(value))
        return fail_field(s, c, c->target, err, "a finite number as target");
    *out = value;
    return 0;
}

/* One-hot; a hole is one in all of the column's features. The row holds zeros. */
static int encode_category(struct csv_scan *s, const struct table_columns *c, size_t i, float *row,
                           struct errbuf *err)
{
    const struct column *column = &c->column[i];
    if (s->fields[i].len == 0) {
        for (uint32_t k = 0; k < column->names->count; k++)
            row[column->feature + k] = NAN;
        return 0;
    }
    uint32_t category = find_name(s, c, i);
    if (category == NAMES_NONE)
        return fail_unknown(s, c, i, err);
    row[column->feature + category] = 1;
    return 0;
}

static int encode_row(struct csv_scan *s, const struct table_columns *c, float *row, double *target,
                      struct errbuf *err)
{
    for (size_t i = 0; i < c->count; i++) {
        const struct csv_field *f = &s->fields[i];
        const struct column *column = &c->column[i];
        double value = NAN;
        int rc = 0;
        if (i == c->target)
            rc = encode_target(s, c, target, err);
        else if (column->names)
            rc = encode_category(s, c, i, row, err);
        else if (f->len == 0 || number_parse(f->text, f->len, &value))
            row[column->feature] = (float)value;
        else
            rc = fail_field(s, c, i, err, "a number (a hole is empty or nan)");
        if (rc != 0)
            return rc;
    }
    return 0;
}

static void take_target_name(const struct table_columns *c, struct table *t)
{
    if (c->header)
        str_copy(t->target, sizeof t->target, c->header[c->target]);
    else
        snprintf(t->target, sizeof t->target, "column %zu", c->target + 1);
}

/* What is predicted, when nobody said so. */
static void note_target(const struct spec_data *d, const struct table_columns *c, struct table *t)
{
    char column[CSV_COLUMN_SHOW_MAX];
    if (!d->target[0])
        notes_add(&t->notes, "data.target", "the target is the last column, %s",
                  csv_column_show(column, c, c->target));
}

static void take_class_names(const struct table_columns *c, struct table *t)
{
    const struct names *names = c->column[c->target].names;
    if (!names)
        return;
    t->class_names = names->count;
    t->class_name = xcalloc(names->count, sizeof *t->class_name);
    for (uint32_t k = 0; k < names->count; k++)
        str_copy(t->class_name[k], sizeof t->class_name[k], names_at(names, k));
}

/* All rows; there are at most rows_max. */
static int encode(struct csv_scan *s, const struct table_columns *c, size_t rows_max,
                  struct table *out, struct errbuf *err)
{
    struct table t = {0};
    size_t rows = 0;
    int rc = table_init(&t, s->text, rows_max, c->features, err);
    while (rc == 0) {
        rc = csv_columns_row(s, c, err);
        if (rc != 0 || s->count == 0)
            break;
        REQUIRE(rows < rows_max);
        rc = encode_row(s, c, (float *)t.values + rows * c->features, &t.targets[rows], err);
        rows++;
    }
    if (rc != 0) {
        table_finish(&t);
        return rc;
    }
    table_cut(&t, rows);
    take_target_name(c, &t);
    take_class_names(c, &t);
    *out = t;
    return 0;
}

/* No more rows than lines can follow. */
static size_t lines_left(const struct csv_scan *s)
{
    const char *end = s->text->data + s->text->len;
    size_t lines = 1;
    for (const char *p = s->place.next; p < end; p++)
        lines += *p == '\n';
    return lines;
}

/* One pass is enough when the types are known, and for numbers alone. Whatever is in the way (text
 * in a training file, an error) is found again by the passes that look closer. */
static bool encode_at_once(struct csv_scan *s, const struct table_columns *c, struct table *out)
{
    struct csv_place start = s->place;
    struct table t;
    if (encode(s, c, lines_left(s), &t, NULL) == 0) {
        if (t.count > 0) {
            *out = t;
            return true;
        }
        table_finish(&t);
    }
    s->place = start;
    return false;
}

static int decode_training(struct csv_scan *s, const struct spec_data *d,
                           struct table_columns **columns, struct table *out, struct errbuf *err)
{
    struct table_columns *c;
    size_t rows;
    int rc = csv_columns_create(s, d, &c, err);
    if (rc != 0)
        return rc;
    if (!encode_at_once(s, c, out)) {
        rc = csv_columns_survey(s, d, c, &rows, err);
        if (rc == 0)
            rc = encode(s, c, rows, out, err);
    }
    if (rc == 0) {
        *columns = c;
        note_target(d, c, out);
    } else {
        table_columns_destroy(c);
    }
    return rc;
}

static int decode_following(struct csv_scan *s, const struct spec_data *d,
                            const struct table_columns *c, struct table *out, struct errbuf *err)
{
    size_t rows;
    int rc = csv_columns_follow(s, d, c, err);
    if (rc != 0 || encode_at_once(s, c, out))
        return rc;
    rc = csv_columns_count(s, c, &rows, err);
    if (rc == 0)
        rc = encode(s, c, rows, out, err);
    return rc;
}

int csv_decode(const struct text *t, const struct spec_data *d, struct table_columns **columns,
               struct table *out, struct errbuf *err)
{
    struct csv_scan s;
    struct dialect dialect;
    const struct dialect_wish wish = {.own = d->format == FORMAT_TSV ? '\t' : ','};
    dialect_find(t, &wish, &dialect);
    csv_scan_init(&s, t, &dialect);
    int rc = *columns ? decode_following(&s, d, *columns, out, err)
                      : decode_training(&s, d, columns, out, err);
    csv_scan_finish(&s);
    return rc;
}

int csv_read(const char *path, const struct spec_data *d, struct table_columns **columns,
             struct table *out, struct errbuf *err)
{
    struct text t;
    int rc = text_read(path, &t, err);
    if (rc != 0)
        return rc;
    rc = csv_decode(&t, d, columns, out, err);
    text_finish(&t);
    return rc;
}
