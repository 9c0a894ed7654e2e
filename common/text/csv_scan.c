#include "sweep/csv_scan.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"

#define FIELDS_START 64

void csv_scan_init(struct csv_scan *s, const struct text *t, const struct dialect *d)
{
    memset(s, 0, sizeof *s);
    s->text = t;
    s->delimiter = d->delimiter;
    s->comment = d->comment;
    s->stop[(unsigned char)d->delimiter] = true;
    s->stop['\t'] = d->delimiter == DIALECT_BLANKS || d->delimiter == '\t';
    s->stop['\n'] = s->stop['\r'] = s->stop['"'] = s->stop['\0'] = true;
    csv_scan_seek(s, d->first_at, d->skip_lines + 1);
    s->cap = FIELDS_START;
    s->fields = xmalloc(s->cap * sizeof *s->fields);
}

void csv_scan_seek(struct csv_scan *s, size_t at, size_t line)
{
    s->place = (struct csv_place){s->text->data + at, line};
    if (at == 0 && s->text->len >= 3 && memcmp(s->text->data, "\xEF\xBB\xBF", 3) == 0)
        s->place.next += 3;
}

void csv_scan_finish(struct csv_scan *s)
{
    free(s->fields);
    free(s->unquoted);
    s->fields = NULL;
    s->unquoted = NULL;
}

static bool is_blank(const struct csv_scan *s, char c)
{
    return c == ' ' || (c == '\t' && s->delimiter != '\t');
}

static const char *skip_blanks(const struct csv_scan *s, const char *p)
{
    while (is_blank(s, *p))
        p++;
    return p;
}

static int fail_at(const struct csv_scan *s, size_t line, struct errbuf *err, const char *what)
{
    return text_fail(s->text, line, err, ERR_DATA, "field %zu: %s", s->count + 1, what);
}

/* Where p[0] ends a field: the delimiter, the end of the line or of the text. */
static bool ends_field(const struct csv_scan *s, const char *p)
{
    bool tab = *p == '\t' && s->delimiter == DIALECT_BLANKS;
    return *p == s->delimiter || tab || *p == '\n' || *p == '\0' || (*p == '\r' && p[1] == '\n');
}

static int scan_plain(struct csv_scan *s, const char **at, struct csv_field *f, struct errbuf *err)
{
    const char *p = *at;
    while (!s->stop[(unsigned char)*p])
        p++;
    if (*p == '"')
        return fail_at(s, s->place.line, err,
                       "a quote within a field without quotes; allowed: quotes around the whole "
                       "field, and \"\" for each one in it");
    if (*p == '\r' && p[1] != '\n')
        return fail_at(s, s->place.line, err,
                       "a carriage return without a newline; allowed: lines that end with LF or "
                       "CRLF");
    f->text = *at;
    f->len = (size_t)(p - *at);
    f->doubled = false;
    while (f->len > 0 && is_blank(s, f->text[f->len - 1]))
        f->len--;
    *at = p;
    return 0;
}

/* *at is the opening quote. */
static int scan_quoted(struct csv_scan *s, const char **at, struct csv_field *f, struct errbuf *err)
{
    const char *p = *at + 1;
    size_t line = s->place.line;
    f->text = p;
    f->doubled = false;
    for (;; p++) {
        if (*p == '"' && p[1] != '"')
            break;
        if (*p == '\0')
            return fail_at(s, line, err, "the quote that opens it is never closed");
        s->place.line += *p == '\n';
        if (*p == '"') {
            f->doubled = true;
            p++;
        }
    }
    f->len = (size_t)(p - f->text);
    p++;
    if (s->delimiter != DIALECT_BLANKS)
        p = skip_blanks(s, p);
    if (!ends_field(s, p))
        return fail_at(s, s->place.line, err,
                       "text behind the closing quote; allowed: a quote within quotes is written "
                       "\"\"");
    *at = p;
    return 0;
}

static int scan_field(struct csv_scan *s, const char **at, struct errbuf *err)
{
    if (s->count == s->cap) {
        if (s->cap == CSV_FIELDS_MAX)
            return text_fail(s->text, s->line, err, ERR_DATA, "more than %zu fields",
                             CSV_FIELDS_MAX);
        s->cap *= 2;
        s->fields = xrealloc(s->fields, s->cap * sizeof *s->fields);
    }
    struct csv_field *f = &s->fields[s->count];
    *at = skip_blanks(s, *at);
    int rc = **at == '"' ? scan_quoted(s, at, f, err) : scan_plain(s, at, f, err);
    if (rc == 0)
        s->count++;
    return rc;
}

/* Whether another field follows at *at, which goes to where it begins. */
static bool next_field(const struct csv_scan *s, const char **at)
{
    bool is = **at == s->delimiter;
    if (s->delimiter != DIALECT_BLANKS) {
        *at += is;
        return is;
    }
    *at = skip_blanks(s, *at);
    return !ends_field(s, *at);
}

/* Fields up to the end of the line; leaves s->place behind it. */
static int scan_fields(struct csv_scan *s, struct errbuf *err)
{
    const char *p = s->place.next;
    s->line = s->place.line;
    s->start = (size_t)(p - s->text->data);
    s->count = 0;
    for (;;) {
        int rc = scan_field(s, &p, err);
        if (rc != 0)
            return rc;
        if (!next_field(s, &p))
            break;
    }
    if ((size_t)(p - s->place.next) > TEXT_LINE_MAX)
        return text_fail(s->text, s->line, err, ERR_DATA, "longer than %zu MiB",
                         TEXT_LINE_MAX >> 20);
    if (*p == '\r')
        p++;
    if (*p == '\n') {
        p++;
        s->place.line++;
    }
    s->place.next = p;
    return 0;
}

static bool is_blank_line(const struct csv_scan *s, const char *start)
{
    return s->count == 1 && s->fields[0].len == 0 && *skip_blanks(s, start) != '"';
}

static void skip_line(struct csv_scan *s)
{
    const char *last = s->text->data + s->text->len;
    const char *end = memchr(s->place.next, '\n', (size_t)(last - s->place.next));
    s->place.next = end ? end + 1 : last;
    s->place.line += end != NULL;
}

int csv_scan_row(struct csv_scan *s, struct errbuf *err)
{
    const char *start;
    do {
        while (s->comment && *s->place.next == s->comment)
            skip_line(s);
        start = s->place.next;
        if (*start == '\0') {
            s->count = 0;
            return 0;
        }
        int rc = scan_fields(s, err);
        if (rc != 0)
            return rc;
    } while (is_blank_line(s, start));
    return 0;
}

const char *csv_scan_text(struct csv_scan *s, const struct csv_field *f, size_t *len)
{
    size_t n = 0;
    *len = f->len;
    if (!f->doubled)
        return f->text;
    if (f->len > s->unquoted_cap) {
        s->unquoted_cap = f->len;
        s->unquoted = xrealloc(s->unquoted, s->unquoted_cap);
    }
    for (size_t i = 0; i < f->len; i++) {
        s->unquoted[n++] = f->text[i];
        i += f->text[i] == '"';
    }
    *len = n;
    return s->unquoted;
}
