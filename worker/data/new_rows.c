#include "worker/data/new_rows.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "worker/data/csv_columns.h"
#include "worker/data/idx.h"
#include "worker/data/schema.h"
#include "worker/data/text.h"

#define NO_FIELD SIZE_MAX

/* --- a table, its columns put in the training file's order ------------------------------------ */

/* What is written is a CSV file with the training file's columns, each row in its own line, so that
 * the reader of training files reads it and names the right places. */
struct rearranging {
    struct csv_scan scan;
    const struct table_columns *c;
    size_t *field; /* [c->count] place in the new file's rows of each column, or NO_FIELD */
    size_t fields; /* of a row */
    struct buf out;
    size_t line;   /* of out */
};

static bool is_needed(const struct table_columns *c, size_t i)
{
    return i != c->target && !c->column[i].ignored;
}

/* A column in the order of names. */
struct named {
    const char *name;
    size_t place;
};

static int by_name(const void *a, const void *b)
{
    const struct named *x = a, *y = b;
    int order = strcmp(x->name, y->name);
    return order != 0 ? order : (x->place > y->place) - (x->place < y->place);
}

static struct named *sort_names(char *const *names, size_t count)
{
    struct named *sorted = xcalloc(count + 1, sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = (struct named){names[i], i};
    qsort(sorted, count, sizeof(*sorted), by_name);
    return sorted;
}

static int fail_column(struct rearranging *r, const struct csv_header *h, const char *name,
                       struct errbuf *err)
{
    char shown[TEXT_SHOW_MAX];
    struct buf names = {0};
    for (size_t i = 0; i < r->c->count && names.len < 200; i++) {
        char column[TEXT_SHOW_MAX];
        const char *text = r->c->header[i];
        if (is_needed(r->c, i))
            buf_printf(&names, "%s%s", names.len > 0 ? ", " : "",
                       text_show(column, text, strlen(text)));
    }
    text_fail(r->scan.text, h->line, err, ERR_DATA,
              "no column %s; allowed: the columns that the network was trained on, %s%s",
              text_show(shown, name, strlen(name)), names.data ? names.data : "",
              names.len >= 200 ? ", …" : "");
    buf_finish(&names);
    return ERR_DATA;
}

/* Names need not differ: of those that have one name the first belongs to the first, and so on.
 * Returns the first column that is needed and not there, or NO_FIELD. */
static size_t match_sorted(struct rearranging *r, const struct named *ours,
                           const struct named *theirs, size_t their_count)
{
    size_t missing = NO_FIELD;
    for (size_t i = 0, k = 0; i < r->c->count; i++) {
        size_t place = ours[i].place;
        while (k < their_count && strcmp(theirs[k].name, ours[i].name) < 0)
            k++;
        bool there = k < their_count && strcmp(theirs[k].name, ours[i].name) == 0;
        bool needed = is_needed(r->c, place);
        r->field[place] = there && needed ? theirs[k].place : NO_FIELD;
        if (needed && !there && place < missing)
            missing = place;
        k += there;
    }
    return missing;
}

static int match_names(struct rearranging *r, const struct csv_header *h, struct errbuf *err)
{
    struct named *ours = sort_names(r->c->header, r->c->count);
    struct named *theirs = sort_names(h->name, h->count);
    size_t missing = match_sorted(r, ours, theirs, h->count);
    free(ours);
    free(theirs);
    return missing == NO_FIELD ? 0 : fail_column(r, h, r->c->header[missing], err);
}

/* Without names the columns are those of the training file, or all but the target. */
static int match_places(struct rearranging *r, const struct csv_header *h, struct errbuf *err)
{
    const struct table_columns *c = r->c;
    size_t count = h->count, next = 0;
    if (count != c->count && count != c->count - 1)
        return text_fail(r->scan.text, h->line, err, ERR_DATA,
                         "%zu columns; allowed: %zu, or %zu without the target", count, c->count,
                         c->count - 1);
    for (size_t i = 0; i < c->count; i++) {
        bool there = i != c->target || count == c->count;
        r->field[i] = is_needed(c, i) ? next : NO_FIELD;
        next += there;
    }
    return 0;
}

static void put_field(struct buf *out, const char *text, size_t len)
{
    bool quote = len > 0 && (text[0] == '#' || text[0] == '%');
    for (size_t i = 0; i < len && !quote; i++)
        quote = text[i] == ',' || text[i] == '"' || text[i] == '\n' || text[i] == '\r' ||
                text[i] == '\t' || text[i] == ';' || text[i] == '|';
    if (!quote) {
        if (len > 0)
            buf_append(out, text, len);
        return;
    }
    buf_putc(out, '"');
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '"')
            buf_putc(out, '"');
        buf_putc(out, text[i]);
    }
    buf_putc(out, '"');
}

/* Anything that the target could be. */
static void put_target(struct rearranging *r)
{
    const struct names *names = r->c->column[r->c->target].names;
    if (names && names->count > 0)
        put_field(&r->out, names_at(names, 0), strlen(names_at(names, 0)));
    else
        buf_putc(&r->out, '0');
}

static void end_row(struct rearranging *r, size_t from)
{
    buf_putc(&r->out, '\n');
    for (size_t i = from; i < r->out.len; i++)
        r->line += r->out.data[i] == '\n';
}

/* Empty lines are no rows. */
static void go_to_line(struct rearranging *r, size_t line)
{
    for (; r->line < line; r->line++)
        buf_putc(&r->out, '\n');
}

static void put_row(struct rearranging *r)
{
    struct csv_scan *s = &r->scan;
    go_to_line(r, s->line);
    size_t from = r->out.len;
    for (size_t i = 0; i < r->c->count; i++) {
        size_t len = 0;
        if (i > 0)
            buf_putc(&r->out, ',');
        if (i == r->c->target) {
            put_target(r);
        } else if (r->field[i] != NO_FIELD) {
            const char *text = csv_scan_text(s, &s->fields[r->field[i]], &len);
            put_field(&r->out, text, len);
        }
    }
    end_row(r, from);
}

static void put_header(struct rearranging *r, const struct csv_header *h)
{
    if (!r->c->header)
        return;
    go_to_line(r, h->line);
    size_t from = r->out.len;
    for (size_t i = 0; i < r->c->count; i++) {
        if (i > 0)
            buf_putc(&r->out, ',');
        put_field(&r->out, r->c->header[i], strlen(r->c->header[i]));
    }
    end_row(r, from);
}

/* A header where there is none to match is let be. */
static int match_columns(struct rearranging *r, const struct csv_header *h, struct errbuf *err)
{
    r->fields = h->count;
    if (!r->c->header)
        return match_places(r, h, err);
    if (h->name)
        return match_names(r, h, err);
    return text_fail(r->scan.text, h->line, err, ERR_DATA,
                     "no header; allowed: one with the names of the columns, as the training file "
                     "has");
}

static int put_rows(struct rearranging *r, struct errbuf *err)
{
    struct csv_scan *s = &r->scan;
    int rc = csv_scan_row(s, err);
    for (; rc == 0 && s->count > 0; rc = csv_scan_row(s, err)) {
        if (s->count != r->fields)
            return text_fail(s->text, s->line, err, ERR_DATA,
                             "%zu fields; allowed: %zu, as in the first line", s->count,
                             r->fields);
        put_row(r);
    }
    return rc;
}

/* Where a new file's rows begin it says itself: that need not be where the training file's did. */
static struct spec_data new_file(const struct spec_data *d)
{
    struct spec_data own = *d;
    own.header = HEADER_AUTO;
    own.header_line = 0;
    own.skip_told = false;
    own.footer_told = true; /* each row gets its answer */
    own.skip_footer = 0;
    own.drop_without_target = false;
    return own;
}

static int rearrange(const struct text *t, const struct spec_data *d, const struct table_columns *c,
                     struct buf *out, struct errbuf *err)
{
    struct dialect dialect;
    const struct spec_data own = new_file(d);
    const struct dialect_wish wish = {.delimiter = d->delimiter,
                                      .own = d->format == FORMAT_TSV ? '\t' : ','};
    struct rearranging r = {.c = c, .line = 1};
    struct csv_header h;
    dialect_find(t, &wish, &dialect);
    csv_scan_init(&r.scan, t, &dialect);
    r.field = xcalloc(c->count + 1, sizeof *r.field);
    int rc = csv_header_find(&r.scan, &dialect, &own, c, &h, err);
    if (rc == 0) {
        rc = match_columns(&r, &h, err);
        if (rc == 0) {
            put_header(&r, &h);
            rc = put_rows(&r, err);
        }
        csv_header_finish(&h);
    }
    csv_scan_finish(&r.scan);
    free(r.field);
    if (rc == 0)
        *out = r.out;
    else
        buf_finish(&r.out);
    return rc;
}

/* What was written is read as it stands. */
static struct spec_data rearranged(const struct spec_data *d, const struct table_columns *c)
{
    struct spec_data own = new_file(d);
    own.format = FORMAT_CSV;
    own.header = c->header ? HEADER_YES : HEADER_NO;
    own.delimiter = ',';
    own.skip_told = true;
    own.skip_rows = 0;
    return own;
}

static int read_table(const char *path, const struct spec_data *d, struct table_columns *c,
                      struct table *out, struct errbuf *err)
{
    struct text t, arranged;
    struct buf csv = {0};
    const struct spec_data own = rearranged(d, c);
    int rc = text_read(path, d->encoding, &t, err);
    if (rc != 0)
        return rc;
    rc = rearrange(&t, d, c, &csv, err);
    text_finish(&t);
    if (rc != 0)
        return rc;
    rc = text_decode(path, csv.data ? csv.data : "", csv.len, &arranged, err);
    buf_finish(&csv);
    if (rc != 0)
        return rc;
    rc = csv_decode(&arranged, &own, &c, out, err);
    text_finish(&arranged);
    return rc;
}

/* --- every format ----------------------------------------------------------------------------- */

static int no_columns(const char *path, struct errbuf *err)
{
    return err_set(err, ERR_DATA, "%s: the weights do not tell the columns they were trained on: "
                   "an earlier version wrote them, or there were too many", path);
}

int new_rows_read(const char *path, const struct spec_data *d, const struct json *schema,
                  struct table *out, struct errbuf *err)
{
    struct table_columns *c = NULL;
    int rc = schema_columns(schema, &c, err);
    if (rc != 0)
        return rc;
    switch (d->format) {
    case FORMAT_CSV:
    case FORMAT_TSV:
        if (c && c->count > 0)
            c->column[c->target].plain = true; /* put_target's */
        rc = c && c->count > 0 ? read_table(path, d, c, out, err) : no_columns(path, err);
        break;
    case FORMAT_LIBSVM:
        rc = c ? libsvm_read(path, d, &c, out, err) : no_columns(path, err);
        break;
    case FORMAT_NPY:
        rc = npy_read(path, NULL, out, err);
        break;
    case FORMAT_NPZ:
        rc = npz_read_features(path, d, out, err);
        break;
    case FORMAT_IDX:
    case FORMAT_COUNT:
        rc = idx_images(path, out, err);
        break;
    }
    table_columns_destroy(c);
    return rc;
}
