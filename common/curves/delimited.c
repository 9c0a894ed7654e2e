/* Delimited text: CSV, TSV, ';' with decimal commas, '|' (Markdown's tables too), columns of
 * blanks. Two passes: how the numbers of each column are written, then the cells. */
#include "common/curves/delimited.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/curves/format.h"
#include "sweep/buf.h"
#include "sweep/curve_title.h"
#include "sweep/encoding.h"
#include "sweep/err.h"
#include "sweep/nothing.h"
#include "sweep/number.h"
#include "sweep/number_form.h"
#include "sweep/require.h"

#define LOOKED_AT ((size_t)1 << 16) /* bytes, to tell whether it is a table */
#define TITLES_LOOKED 64            /* cells, to tell whether they are titles again */
#define HEADERS_MAX 1000            /* lines of titles in a file */

/* How many decimals the numbers of a column have, if all have as many. */
struct decimals {
    size_t numbers, count;
    bool differ;
};

struct reader {
    const char *name;
    struct text text;
    struct table_start start;
    struct csv_scan scan;
    size_t *column;   /* of each cell of a row: the log's column; of the last header */
    char **titles;    /* of the last header */
    size_t columns, room, headers;
    struct number_evidence *seen, all; /* of each column of the log */
    struct decimals *decimals;
    struct number_form *form;
    size_t forms;
    struct training_log *log;
    struct errbuf *err;
};

static int fail_line(const struct reader *r, int code, const char *got, const char *allowed)
{
    char key[160];

    snprintf(key, sizeof(key), "%.80s: line %zu", r->name, r->scan.line);
    return err_bad(r->err, code, key, got, "%s", allowed);
}

/* --- titles --------------------------------------------------------------------------------- */

static bool is_used(const struct reader *r, const char *title)
{
    for (size_t i = 0; i < r->columns; i++)
        if (strcmp(r->titles[i], title) == 0)
            return true;
    return false;
}

/* Two columns of one title are two columns: the second is "loss (column 7)". */
static int add_title(struct reader *r, const char *text, size_t len)
{
    int shown = len < 480 ? (int)len : 480;
    char *title = xasprintf("%.*s", shown, text);

    if (is_used(r, title)) {
        free(title);
        title = xasprintf("%.*s (column %zu)", shown, text, r->columns + 1);
    }
    int at = training_log_column(r->log, title, strlen(title), r->err);
    if (at < 0) {
        free(title);
        return fail_line(r, ERR_LIMIT, NULL, "at most 4,096 columns");
    }
    if (r->columns == r->room) {
        r->room = r->room > 0 ? r->room * 2 : 16;
        r->titles = xrealloc(r->titles, r->room * sizeof(*r->titles));
        r->column = xrealloc(r->column, r->room * sizeof(*r->column));
    }
    r->titles[r->columns] = title;
    r->column[r->columns++] = (size_t)at;
    return 0;
}

static void forget_titles(struct reader *r)
{
    for (size_t i = 0; i < r->columns; i++)
        free(r->titles[i]);
    r->columns = 0;
}

static int take_titles(struct reader *r)
{
    int rc = 0;

    forget_titles(r);
    for (size_t i = 0; rc == 0 && i < r->start.unnamed; i++)
        rc = add_title(r, "", 0);
    size_t count = r->scan.count;
    if (r->start.dialect.title_long && count > 1 && r->scan.fields[count - 1].len == 0)
        count--; /* a delimiter behind the last title, and behind no row */
    for (size_t i = 0; rc == 0 && i < count; i++) {
        size_t len;
        const char *text = csv_scan_text(&r->scan, &r->scan.fields[i], &len);
        rc = add_title(r, text, len);
    }
    return rc;
}

static int take_wide_titles(struct reader *r)
{
    const char *p = r->text.data + r->start.title_at, *end = p + strcspn(p, "\r\n");
    int rc = 0;

    forget_titles(r);
    for (size_t i = 0; rc == 0 && i < r->start.unnamed; i++)
        rc = add_title(r, "", 0);
    while (rc == 0 && (p += strspn(p, " \t")) < end) {
        const char *stop = strstr(p, "  ");
        stop = stop && stop < end ? stop : end;
        rc = add_title(r, p, (size_t)(stop - p));
        p = stop;
    }
    return rc;
}

static int read_titles(struct reader *r)
{
    if (r->start.wide_blanks)
        return take_wide_titles(r);
    char comment = r->scan.comment;
    r->scan.comment = '\0';
    csv_scan_seek(&r->scan, r->start.title_at, r->start.title_line);
    int rc = csv_scan_row(&r->scan, NULL);
    r->scan.comment = comment;
    return rc == 0 ? take_titles(r) : fail_line(r, ERR_PARSE, NULL, "a line of titles");
}

/* The first column has no title: it counts the rows, titles that came again among them. */
static bool is_index(const struct reader *r)
{
    const char *first = r->columns > 0 ? r->titles[0] : "";
    return first[0] == '\0' || strncmp(first, "Unnamed: ", 9) == 0;
}

/* Titles once more: a log that was appended to, perhaps with other columns. */
static bool is_header(struct reader *r)
{
    size_t same = 0, len, looked = r->scan.count;

    looked = looked < r->columns ? looked : r->columns;
    looked = looked < TITLES_LOOKED ? looked : TITLES_LOOKED;
    for (size_t i = 0; i < r->scan.count; i++) {
        const char *text = csv_scan_text(&r->scan, &r->scan.fields[i], &len);
        if (delimited_is_number(text, len)) {
            if (i > 0 || !is_index(r))
                return false;
            continue;
        }
        for (size_t k = 0; i < looked && len > 0 && k < r->columns; k++)
            if (strlen(r->titles[k]) == len && memcmp(r->titles[k], text, len) == 0) {
                same++;
                break;
            }
    }
    return same > 0 && same * 2 >= looked;
}

/* --- rows ----------------------------------------------------------------------------------- */

enum line_kind { LINE_END, LINE_ROW, LINE_PASSED };

static bool any_number(const struct csv_scan *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (delimited_is_number(s->fields[i].text, s->fields[i].len))
            return true;
    return false;
}

static bool all_empty(const struct csv_scan *s, size_t from)
{
    for (size_t i = from; i < s->count; i++)
        if (s->fields[i].len > 0)
            return false;
    return true;
}

/* The file's last line, without an end: a program that was stopped while it wrote. */
static bool is_open_line(const struct reader *r)
{
    return !memchr(r->text.data + r->scan.start, '\n', r->text.len - r->scan.start);
}

static size_t count_decimals(const char *text, size_t len)
{
    const char *point = memchr(text, '.', len);
    return point ? (size_t)(text + len - point - 1) : 0;
}

/* Does that line's last number stop in the middle: no number, or less decimals than all others? */
static bool is_cut(const struct reader *r)
{
    if (!is_open_line(r) || r->scan.count != r->columns || r->forms == 0)
        return false;
    const struct csv_field *f = &r->scan.fields[r->scan.count - 1];
    size_t column = r->column[r->columns - 1];
    if (f->len == 0 || column >= r->forms)
        return false;
    const struct decimals *d = &r->decimals[column];
    if (!delimited_is_number(f->text, f->len) || memchr("eE+-", f->text[f->len - 1], 4))
        return memchr("+-.0123456789", f->text[0], 13) && d->numbers > 0 &&
               !text_is_nothing(f->text, f->len);
    return d->numbers > 1 && !d->differ && d->count > 1 &&
           count_decimals(f->text, f->len) < d->count;
}

static int fail_count(const struct reader *r)
{
    char got[32], allowed[160];

    snprintf(got, sizeof(got), "%zu", r->scan.count);
    snprintf(allowed, sizeof(allowed), "%zu cells, as in the header%s", r->columns,
             r->start.dialect.delimiter == ','
                 ? "; numbers with decimal commas need quotes, or ';' between the cells" : "");
    return fail_line(r, ERR_PARSE, got, allowed);
}

static int scan_line(struct reader *r)
{
    struct errbuf err;
    int rc = csv_scan_row(&r->scan, &err);

    if (rc == 0)
        return r->scan.count > 0 ? LINE_ROW : LINE_END;
    if (is_open_line(r)) {
        training_log_note(r->log, "line %zu, the last, is cut off: left out", r->scan.line);
        return LINE_END;
    }
    return err_set(r->err, rc == ERR_LIMIT ? rc : ERR_PARSE, "%s", err.message);
}

/* enum line_kind, or an error. */
static int next_line(struct reader *r)
{
    int kind = scan_line(r);

    if (kind != LINE_ROW)
        return kind;
    if (all_empty(&r->scan, 0) || delimited_is_rule(&r->scan))
        return LINE_PASSED;
    if (is_header(r)) {
        size_t before = r->columns;
        if (++r->headers > HEADERS_MAX)
            return fail_line(r, ERR_LIMIT, NULL, "at most 1,000 lines of titles");
        bool counted = r->scan.fields[0].len > 0 && is_index(r); /* as they were */
        int rc = counted ? 0 : take_titles(r);
        training_log_note(r->log, r->columns == before
                                      ? "line %zu has the titles again"
                                      : "line %zu has titles again, of other columns",
                          r->scan.line);
        return rc == 0 ? LINE_PASSED : rc;
    }
    if (r->scan.count > r->columns && !all_empty(&r->scan, r->columns))
        return fail_count(r);
    if (r->scan.count >= r->columns && !is_cut(r))
        return LINE_ROW;
    if (is_open_line(r) || !any_number(&r->scan)) {
        training_log_note(r->log, is_open_line(r) ? "line %zu, the last, is cut off: left out"
                                                  : "line %zu is no row: left out",
                          r->scan.line);
        return LINE_PASSED;
    }
    training_log_note(r->log, "line %zu has %zu cells of %zu: the others are empty", r->scan.line,
                      r->scan.count, r->columns);
    return LINE_ROW;
}

/* --- numbers -------------------------------------------------------------------------------- */

static void note_decimals(struct decimals *d, size_t count)
{
    d->differ |= d->numbers > 0 && count != d->count;
    d->count = count;
    d->numbers++;
}

static void note_cells(struct reader *r)
{
    while (r->forms < training_log_columns(r->log)) {
        size_t count = training_log_columns(r->log);
        r->seen = xrealloc(r->seen, count * sizeof(*r->seen));
        memset(r->seen + r->forms, 0, (count - r->forms) * sizeof(*r->seen));
        r->decimals = xrealloc(r->decimals, count * sizeof(*r->decimals));
        memset(r->decimals + r->forms, 0, (count - r->forms) * sizeof(*r->decimals));
        r->forms = count;
    }
    for (size_t i = 0; i < r->scan.count && i < r->columns; i++) {
        const struct csv_field *f = &r->scan.fields[i];
        if (f->len == 0 || text_is_nothing(f->text, f->len))
            continue;
        if (number_note(&r->seen[r->column[i]], f->text, f->len))
            note_decimals(&r->decimals[r->column[i]], count_decimals(f->text, f->len));
    }
}

static void settle(struct reader *r)
{
    bool semicolons = r->start.dialect.delimiter == ';';

    for (size_t i = 0; i < r->forms; i++)
        number_evidence_add(&r->all, &r->seen[i]);
    r->form = xcalloc(r->forms + 1, sizeof(*r->form));
    for (size_t i = 0; i < r->forms; i++) {
        r->form[i] = number_form_settle(&r->seen[i], &r->all, semicolons);
        const struct number_evidence *e = &r->seen[i];
        const char *title = training_log_title(r->log, i);
        if (e->comma + e->either_comma > 0 && r->form[i].decimal == ',' &&
            curve_title_read(title, strlen(title)).role != CURVE_ROLE_OTHER)
            training_log_note(r->log, "a comma is the decimal mark");
        if (e->either_comma > 0 && r->form[i].decimal == '.' &&
            curve_title_read(title, strlen(title)).role != CURVE_ROLE_OTHER)
            training_log_note(r->log, "a comma groups thousands in '%.80s'", title);
    }
}

static int put_cell(struct reader *r, size_t column, const char *text, size_t len)
{
    const struct number_form *form = &r->form[column];
    char percent[48];
    double v;

    if (len == 3 && strncasecmp(text, "nan", 3) == 0)
        return training_log_number(r->log, column, NAN, r->err);
    if (text_is_nothing(text, len))
        return 0;
    bool word = memchr("iI", text[memchr("+-", text[0], 2) && len > 1], 2) != NULL;
    if (!number_read(form, text, len, &v) || (isinf(v) && !word))
        return training_log_text(r->log, column, text, len, r->err);
    if (strcmp(form->unit, "%") != 0)
        return training_log_number(r->log, column, v, r->err);
    snprintf(percent, sizeof(percent), "%.17g%%", v);
    return training_log_text(r->log, column, percent, strlen(percent), r->err);
}

static int put_row(struct reader *r)
{
    int rc = training_log_row(r->log, r->scan.line, r->err);

    for (size_t i = 0; rc == 0 && i < r->scan.count && i < r->columns; i++) {
        size_t len;
        const char *text = csv_scan_text(&r->scan, &r->scan.fields[i], &len);
        rc = put_cell(r, r->column[i], text, len);
    }
    return rc != 0 ? fail_line(r, rc, NULL, "at most 1,000,000 rows and 33 million cells") : 0;
}

/* Both passes go over the same lines. */
static int pass(struct reader *r, bool second)
{
    int rc = read_titles(r);

    r->headers = 0;
    csv_scan_seek(&r->scan, r->start.data_at, r->start.data_line);
    while (rc == 0) {
        int kind = next_line(r);
        if (kind <= LINE_END)
            return kind;
        if (kind == LINE_ROW && second)
            rc = put_row(r);
        else if (kind == LINE_ROW)
            note_cells(r);
    }
    return rc;
}

/* --- the format ----------------------------------------------------------------------------- */

/* Frames of lines ("│ 3 │ 0.41 │", "┏━━┳"): '|' and '-' in place of them. The new length. */
static size_t plain_frames(char *bytes, size_t len)
{
    size_t used = 0;

    if (!memmem(bytes, len, "\xe2\x94\x82", 3) && !memmem(bytes, len, "\xe2\x94\x83", 3) &&
        !memmem(bytes, len, "\xe2\x95\x91", 3))
        return len;
    for (size_t i = 0; i < len; i++) {
        unsigned char a = (unsigned char)bytes[i];
        unsigned char b = i + 2 < len ? (unsigned char)bytes[i + 1] : 0;
        unsigned char c = i + 2 < len ? (unsigned char)bytes[i + 2] : 0;
        bool frame = a == 0xe2 && (b == 0x94 || b == 0x95);
        bool upright = (b == 0x94 && (c == 0x82 || c == 0x83)) || (b == 0x95 && c == 0x91);
        bytes[used++] = !frame ? bytes[i] : upright ? '|' : '-';
        i += frame ? 2 : 0;
    }
    return used;
}

static void load(const struct curve_bytes *in, size_t len, struct text *out)
{
    char *bytes = xmalloc(len + 1);

    memcpy(bytes, in->bytes, len);
    text_to_utf8(&bytes, &len);
    len = plain_frames(bytes, len);
    bytes[len] = '\0';
    *out = (struct text){.data = bytes, .len = len, .path = in->name};
}

static int fail_start(const struct reader *r)
{
    const char *why = r->text.data[strspn(r->text.data, " \t\r\n")] == '\0' ? "empty; " :
                      r->start.all_numbers ? "no titles: the first line is numbers already; " : "";
    return err_set(r->err, ERR_MISSING,
                   "%.80s: %sthe first line must name the columns (epoch,train_loss,val_loss)",
                   r->name, why);
}

static int read_table(struct reader *r)
{
    if (memchr(r->text.data, '\0', r->text.len))
        return err_set(r->err, ERR_PARSE, "%.80s: a NUL byte: it is no text", r->name);
    if (!table_start_find(&r->text, &r->start))
        return fail_start(r);
    csv_scan_init(&r->scan, &r->text, &r->start.dialect);
    int rc = pass(r, false);
    if (rc == 0) {
        settle(r);
        rc = pass(r, true);
    }
    csv_scan_finish(&r->scan);
    return rc;
}

static int read_delimited(const struct curve_bytes *in, struct training_log *out,
                          struct errbuf *err)
{
    struct reader r = {.name = in->name, .log = out, .err = err};

    load(in, in->len, &r.text);
    int rc = read_table(&r);
    forget_titles(&r);
    free(r.titles);
    free(r.column);
    free(r.seen);
    free(r.decimals);
    free(r.form);
    free(r.text.data);
    return rc;
}

/* A table: titles above numbers. By blanks alone some of them must be known, for any prose has
 * blanks. Numbers without titles are one too, to be refused as such. */
static bool is_delimited(const struct curve_bytes *in)
{
    size_t len = in->len < LOOKED_AT ? in->len : LOOKED_AT;
    struct table_start start;
    struct text t;

    while (len < in->len && len > LOOKED_AT / 2 && in->bytes[len - 1] != '\n')
        len--;
    if (len == 0)
        return true;
    load(in, len, &t);
    bool is = memchr(t.data, '\0', t.len) == NULL;
    if (is && table_start_find(&t, &start))
        is = start.known > 0 || start.dialect.delimiter != DIALECT_BLANKS;
    else
        is = is && (start.all_numbers || t.data[strspn(t.data, " \t\r\n")] == '\0');
    free(t.data);
    return is;
}

const struct curve_format curve_format_delimited = {is_delimited, read_delimited};
