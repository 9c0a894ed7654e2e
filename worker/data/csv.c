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

#define KNOWN_SHOWN 5  /* categories in a message */
#define LIBSVM_LINES 5 /* that are looked at */

struct reading_csv {
    const struct spec_data *d;
    struct table_columns *c;
};

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

static bool read_number(const struct csv_scan *s, const struct column *column,
                        const struct csv_field *f, double *out)
{
    const char *limit = s->text->data + s->text->len;
    return column->plain ? number_parse_in(f->text, f->len, limit, out)
                         : number_read(&column->form, f->text, f->len, out);
}

static int encode_target(struct csv_scan *s, const struct table_columns *c, double *out,
                         struct errbuf *err)
{
    const struct csv_field *f = &s->fields[c->target];
    if (c->column[c->target].names) {
        size_t len;
        const char *text = csv_scan_text(s, f, &len);
        uint32_t class = names_find_class(c->column[c->target].names, text, len);
        if (class == NAMES_NONE)
            return fail_unknown(s, c, c->target, err);
        *out = class;
        return 0;
    }
    double value;
    if (!read_number(s, &c->column[c->target], f, &value) || !isfinite(value))
        return fail_field(s, c, c->target, err, "a finite number as target");
    *out = value;
    return 0;
}

/* One-hot; a hole is one in all of the column's features. The row holds zeros. */
static int encode_category(struct csv_scan *s, const struct reading_csv *r, size_t i, float *row,
                           struct errbuf *err)
{
    const struct column *column = &r->c->column[i];
    const struct csv_field *f = &s->fields[i];
    if (csv_is_missing(r->d, f->text, f->len)) {
        for (uint32_t k = 0; k < column->names->count; k++)
            row[column->feature + k] = NAN;
        return 0;
    }
    uint32_t category = find_name(s, r->c, i);
    if (category == NAMES_NONE)
        return fail_unknown(s, r->c, i, err);
    row[column->feature + category] = 1;
    return 0;
}

static int encode_number(struct csv_scan *s, const struct reading_csv *r, size_t i, float *row,
                         struct errbuf *err)
{
    const struct column *column = &r->c->column[i];
    const struct csv_field *f = &s->fields[i];
    double value = NAN;
    if (f->len == 0 || (r->d->missing_told && csv_is_missing(r->d, f->text, f->len)))
        value = NAN;
    else if (!read_number(s, column, f, &value) && !csv_is_missing(r->d, f->text, f->len))
        return fail_field(s, r->c, i, err, "a number (a hole is empty or a word of data.missing)");
    row[column->feature] = (float)value;
    return 0;
}

static int encode_row(struct csv_scan *s, const struct reading_csv *r, float *row, double *target,
                      struct errbuf *err)
{
    const struct table_columns *c = r->c;
    for (size_t i = 0; i < c->count; i++) {
        int rc = 0;
        if (i == c->target)
            rc = encode_target(s, c, target, err);
        else if (c->column[i].names)
            rc = encode_category(s, r, i, row, err);
        else if (!c->column[i].ignored)
            rc = encode_number(s, r, i, row, err);
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
static void note_target(const struct spec_data *d, const struct table_columns *c,
                        struct notes *notes)
{
    char column[CSV_COLUMN_SHOW_MAX];
    if (!d->target[0])
        notes_add(notes, "data.target", "the target is the last column, %s",
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
static int encode(struct csv_scan *s, const struct reading_csv *r, size_t rows_max,
                  struct table *out, struct errbuf *err)
{
    struct table t = {0};
    size_t rows = 0, features = r->c->features;
    r->c->dropped = 0;
    int rc = table_init(&t, s->text, rows_max, features, err);
    while (rc == 0) {
        rc = csv_columns_row(s, r->d, r->c, err);
        if (rc != 0 || s->count == 0)
            break;
        REQUIRE(rows < rows_max);
        rc = encode_row(s, r, (float *)t.values + rows * features, &t.targets[rows], err);
        rows++;
    }
    if (rc != 0) {
        table_finish(&t);
        return rc;
    }
    table_cut(&t, rows);
    take_target_name(r->c, &t);
    take_class_names(r->c, &t);
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

/* One pass is enough when the types are known, and for plain numbers alone. Whatever is in the way
 * (text in a training file, an error) is found again by the passes that look closer. */
static bool encode_at_once(struct csv_scan *s, const struct reading_csv *r, struct table *out)
{
    struct csv_place start = s->place;
    struct table t;
    if (encode(s, r, lines_left(s), &t, NULL) == 0) {
        if (t.count > 0) {
            *out = t;
            return true;
        }
        table_finish(&t);
    }
    s->place = start;
    return false;
}

static void note_footer(const struct table_columns *c, struct notes *notes)
{
    if (c->ends_at > 0)
        notes_add(notes, "data.skip_footer", "what stands from line %zu on is left out: a footer",
                  c->ends_at);
}

static void note_titles(const struct table_columns *c, struct notes *notes)
{
    if (c->titles_at > 0)
        notes_add(notes, "data.header", "the titles stand again in line %zu, which is left out",
                  c->titles_at);
}

static void note_dropped(const struct table_columns *c, struct notes *notes)
{
    if (c->dropped > 0)
        notes_add(notes, "data.without_target", "%zu row%s without a target %s left out, the "
                  "first in line %zu", c->dropped, c->dropped == 1 ? "" : "s",
                  c->dropped == 1 ? "is" : "are", c->dropped_at);
}

static void note_origin(const struct text *t, struct notes *notes)
{
    if (strcmp(t->origin.encoding, "UTF-8") != 0)
        notes_add(notes, "data.encoding", "the file is read as %s", t->origin.encoding);
}

static int decode_training(struct csv_scan *s, const struct dialect *dialect, struct reading_csv *r,
                           struct table *out, struct errbuf *err)
{
    struct notes notes = {0};
    size_t rows;
    note_origin(s->text, &notes);
    int rc = csv_columns_create(s, dialect, r->d, &r->c, &notes, err);
    if (rc != 0)
        return rc;
    note_target(r->d, r->c, &notes);
    if (csv_decimal(r->d) == ',' || r->c->hollow || !encode_at_once(s, r, out)) {
        rc = csv_columns_survey(s, r->d, r->c, &rows, &notes, err);
        if (rc == 0)
            rc = encode(s, r, rows, out, err);
    }
    if (rc != 0) {
        table_columns_destroy(r->c);
        return rc;
    }
    note_footer(r->c, &notes);
    note_titles(r->c, &notes);
    note_dropped(r->c, &notes);
    out->notes = notes;
    return 0;
}

static int decode_following(struct csv_scan *s, const struct dialect *dialect,
                            struct reading_csv *r, struct table *out, struct errbuf *err)
{
    size_t rows;
    r->c->ends_at = 0;
    int rc = csv_columns_follow(s, dialect, r->d, r->c, err);
    if (rc != 0 || encode_at_once(s, r, out))
        return rc;
    rc = csv_columns_count(s, r->d, r->c, &rows, err);
    if (rc == 0)
        rc = encode(s, r, rows, out, err);
    return rc;
}

/* What is told of the dialect. A header's line is where the rows begin. */
struct dialect_wish csv_wish(const struct spec_data *d)
{
    struct dialect_wish w = {.delimiter = d->delimiter};
    w.own = d->format == FORMAT_TSV ? '\t' : ',';
    w.skip = d->skip_told || d->header_line > 0;
    w.skip_lines = d->header_line > 0 ? (size_t)d->header_line - 1 : (size_t)d->skip_rows;
    return w;
}

/* Past the number at p; NULL: there is none. */
static const char *skip_number(const char *p)
{
    size_t len = strcspn(p, " \t\r\n");
    double value;
    return len > 0 && number_parse(p, len, &value) ? p + len : NULL;
}

/* "label index:value index:value", the indices rising. */
static bool is_libsvm_line(const char *p, const char *end)
{
    long last = -1;
    size_t pairs = 0;
    if ((p = skip_number(p)) == NULL)
        return false;
    while ((p += strspn(p, " \t\r")) < end) {
        char *behind;
        long index = strtol(p, &behind, 10);
        if (behind == p || *behind != ':' || index <= last)
            return false;
        if ((p = skip_number(behind + 1)) == NULL)
            return false;
        last = index;
        pairs++;
    }
    return pairs > 0;
}

/* LIBSVM's lines could pass for text by columns of blanks. */
static int check_libsvm(const struct text *t, const struct spec_data *d, struct errbuf *err)
{
    const char *p = t->data;
    for (int lines = 0; lines < LIBSVM_LINES && *p; lines++) {
        const char *end = p + strcspn(p, "\n");
        if (d->delimiter || !is_libsvm_line(p, end))
            return 0;
        p = end + (*end == '\n');
    }
    if (t->len == 0)
        return 0;
    return text_fail(t, 1, err, ERR_DATA, "label index:value …, which is LIBSVM; allowed: a table. "
                     "data.format: \"libsvm\" reads it");
}

int csv_decode(const struct text *t, const struct spec_data *d, struct table_columns **columns,
               struct table *out, struct errbuf *err)
{
    struct csv_scan s;
    struct dialect dialect;
    struct reading_csv r = {.d = d, .c = *columns};
    const struct dialect_wish wish = csv_wish(d);
    int rc = check_libsvm(t, d, err);
    if (rc != 0)
        return rc;
    dialect_find(t, &wish, &dialect);
    csv_scan_init(&s, t, &dialect);
    rc = *columns ? decode_following(&s, &dialect, &r, out, err)
                      : decode_training(&s, &dialect, &r, out, err);
    if (rc == 0)
        *columns = r.c;
    csv_scan_finish(&s);
    return rc;
}

int csv_read(const char *path, const struct spec_data *d, struct table_columns **columns,
             struct table *out, struct errbuf *err)
{
    struct text t;
    int rc = text_read(path, d->encoding, &t, err);
    if (rc != 0)
        return rc;
    rc = csv_decode(&t, d, columns, out, err);
    text_finish(&t);
    return rc;
}
