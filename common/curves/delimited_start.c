#include "common/curves/delimited.h"

#include <string.h>
#include <strings.h>

#include "sweep/curve_title.h"
#include "sweep/nothing.h"
#include "sweep/number.h"
#include "sweep/number_form.h"

#define BEFORE_MAX 64    /* lines that are looked at for titles */
#define GIVE_UP 256      /* lines without a row of the table */
#define TITLES_LOOKED 64 /* of a line, to tell whether they are titles */

bool delimited_is_number(const char *text, size_t len)
{
    struct number_evidence e = {0};
    double v;

    return number_parse(text, len, &v) ||
           (!text_is_nothing(text, len) && number_note(&e, text, len));
}

bool delimited_is_rule(const struct csv_scan *s)
{
    bool any = false;

    for (size_t i = 0; i < s->count; i++) {
        const struct csv_field *f = &s->fields[i];
        for (size_t k = 0; k < f->len; k++)
            if (!memchr("-+=|: ", f->text[k], 6))
                return false;
        any |= f->len > 2;
    }
    return any;
}

/* --- one row -------------------------------------------------------------------------------- */

static bool has_number(const struct csv_scan *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (delimited_is_number(s->fields[i].text, s->fields[i].len))
            return true;
    return false;
}

static bool all_numbers(const struct csv_scan *s)
{
    for (size_t i = 0; i < s->count; i++)
        if (!delimited_is_number(s->fields[i].text, s->fields[i].len))
            return false;
    return true;
}

static bool is_known(const char *text, size_t len)
{
    static const char *const OTHERS[] = {"value", "key", "metric", "tag", "variable"};

    for (size_t i = 0; i < sizeof(OTHERS) / sizeof(OTHERS[0]); i++)
        if (len == strlen(OTHERS[i]) && strncasecmp(text, OTHERS[i], len) == 0)
            return true;
    return curve_title_read(text, len).role != CURVE_ROLE_OTHER;
}

static size_t count_known(struct csv_scan *s)
{
    size_t known = 0, len;

    for (size_t i = 0; i < s->count && i < TITLES_LOOKED; i++) {
        const char *text = csv_scan_text(s, &s->fields[i], &len);
        known += is_known(text, len);
    }
    return known;
}

/* --- the line of titles ---------------------------------------------------------------------- */

struct line {
    size_t at, line, count, known;
    bool text; /* no cell of it is a number */
};

struct lines {
    struct line list[BEFORE_MAX];
    size_t count;
};

/* Past a row that cannot be cut up: a line of prose with quotes in it. */
static void skip_line(struct csv_scan *s)
{
    size_t left = (size_t)(s->text->data + s->text->len - s->place.next);
    const char *end = memchr(s->place.next, '\n', left);

    if (end)
        csv_scan_seek(s, (size_t)(end + 1 - s->text->data), s->place.line + 1);
    else
        csv_scan_seek(s, s->text->len, s->place.line);
}

/* What pandas calls a column without a title when it writes it again. */
static bool is_unnamed(const char *text, size_t len)
{
    return len > 9 && memcmp(text, "Unnamed: ", 9) == 0;
}

/* "Avg IOU: 0.3": no title, but what a program says of one. */
static bool has_pair(const struct csv_scan *s)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct csv_field *f = &s->fields[i];
        const char *colon = memrchr(f->text, ':', f->len);
        size_t at = colon ? (size_t)(colon + 1 - f->text) : f->len;
        while (at < f->len && f->text[at] == ' ')
            at++;
        if (is_unnamed(f->text, f->len))
            continue;
        if (at > 1 && at < f->len && f->text[at - 1] == ' ' &&
            delimited_is_number(f->text + at, f->len - at))
            return true;
    }
    return false;
}

static void remember(struct lines *l, struct csv_scan *s)
{
    if (l->count == BEFORE_MAX) {
        memmove(l->list, l->list + 1, (BEFORE_MAX - 1) * sizeof(l->list[0]));
        l->count--;
    }
    bool text = !has_number(s) && !has_pair(s);
    l->list[l->count++] =
        (struct line){s->start, s->line, s->count, text ? count_known(s) : 0, text};
}

/* Right below titles that we know, one a cell: a row, if most have other cells or not. */
static bool below_titles(const struct lines *before, const struct csv_scan *s)
{
    const struct line *l = before->count > 0 ? &before->list[before->count - 1] : NULL;
    return l && l->text && l->known > 1 && l->count == s->count;
}

/* Lines down to the first that has as many cells as most rows, or as the titles above it, and a
 * number among them. */
static bool find_data(struct csv_scan *s, struct lines *before, struct table_start *out)
{
    size_t columns = out->dialect.columns;

    for (size_t i = 0; *s->place.next != '\0' && i < GIVE_UP; i++) {
        if (csv_scan_row(s, NULL) != 0) {
            skip_line(s);
            continue;
        }
        if (s->count == 0)
            return false;
        if (delimited_is_rule(s))
            continue;
        if ((columns == 0 || s->count == columns || below_titles(before, s)) && has_number(s)) {
            out->columns = s->count;
            out->data_at = s->start;
            out->data_line = s->line;
            return true;
        }
        remember(before, s);
    }
    return false;
}

/* Titles are no numbers, one a column; or one less, where the rows begin with an index. */
static bool is_title(const struct line *l, size_t columns)
{
    return l->text && (l->count == columns || (l->count + 1 == columns && columns > 1));
}

/* Of the lines above, the one with the most titles that we know; of those the last. */
static bool find_title(const struct lines *before, struct csv_scan *s, struct table_start *out)
{
    const struct line *best = NULL;
    size_t columns = out->columns;

    for (size_t i = 0; i < before->count; i++) {
        const struct line *l = &before->list[i];
        if (is_title(l, columns) && (!best || l->known >= best->known))
            best = l;
    }
    if (!best)
        return false;
    out->title_at = best->at;
    out->title_line = best->line;
    out->known = best->known;
    /* A cell more may be a separator at the end, too. */
    bool ends_empty = s->fields[columns - 1].len == 0 && out->dialect.delimiter != DIALECT_BLANKS;
    out->unnamed = best->count < columns && !ends_empty;
    return true;
}

/* Titles that we know, over rows of other cells: to be told so. */
static bool find_loose_title(const struct lines *before, struct table_start *out)
{
    for (size_t i = before->count; i > 0; i--) {
        const struct line *l = &before->list[i - 1];
        if (l->text && l->known > 1) {
            out->title_at = l->at;
            out->title_line = l->line;
            out->known = l->known;
            return true;
        }
    }
    return false;
}

/* "# epoch loss", as NumPy writes it: the dialect found it among the comments. */
static void take_comment_title(const struct text *t, struct table_start *out)
{
    struct csv_scan s;
    struct dialect d = out->dialect;

    d.comment = '\0';
    csv_scan_init(&s, t, &d);
    csv_scan_seek(&s, d.title_at, d.title_line);
    out->title_at = d.title_at;
    out->title_line = d.title_line;
    if (csv_scan_row(&s, NULL) == 0)
        out->known = count_known(&s);
    csv_scan_finish(&s);
}

/* pandas' to_string: titles with blanks in them stand two blanks apart, at least. */
static bool find_wide_title(const struct text *t, const struct lines *before,
                            struct table_start *out)
{
    if (out->dialect.delimiter != DIALECT_BLANKS || before->count == 0)
        return false;
    const struct line *l = &before->list[before->count - 1];
    const char *p = t->data + l->at, *end = p + strcspn(p, "\r\n");
    size_t count = 0, known = 0;
    while (p < end) {
        p += strspn(p, " \t");
        const char *stop = strstr(p, "  ");
        stop = stop && stop < end ? stop : end;
        if (p >= end)
            break;
        known += is_known(p, (size_t)(stop - p));
        count++;
        p = stop;
    }
    if (!l->text || known == 0 || (count != out->columns && count + 1 != out->columns))
        return false;
    out->title_at = l->at;
    out->title_line = l->line;
    out->known = known;
    out->unnamed = out->columns - count;
    out->wide_blanks = true;
    return true;
}

/* By out->dialect. */
static bool find_start(const struct text *t, struct table_start *out)
{
    struct lines before = {0};
    struct csv_scan s;
    bool found = false;

    csv_scan_init(&s, t, &out->dialect);
    csv_scan_seek(&s, 0, 1);
    if (out->dialect.told)
        skip_line(&s);
    if (find_data(&s, &before, out)) {
        out->all_numbers = before.count == 0 && all_numbers(&s);
        if (find_title(&before, &s, out)) {
            found = true;
        } else if (out->dialect.title) {
            take_comment_title(t, out);
            found = true;
        } else {
            found = find_wide_title(t, &before, out) || find_loose_title(&before, out);
        }
    }
    csv_scan_finish(&s);
    return found;
}

/* Rows of different lengths, as after titles of more columns: the first by which there are titles
 * that we know, several of them. */
static bool try_all(const struct text *t, struct table_start *out)
{
    static const char DELIMITERS[] = {',', ';', '\t', '|', DIALECT_BLANKS};

    for (size_t i = 0; i < sizeof(DELIMITERS); i++) {
        struct table_start at = {.dialect = out->dialect};
        at.dialect.delimiter = DELIMITERS[i];
        if (find_start(t, &at) && at.columns > 1 && at.known > 1) {
            *out = at;
            return true;
        }
    }
    return false;
}

bool table_start_find(const struct text *t, struct table_start *out)
{
    struct dialect_wish wish = {.delimiter = DIALECT_FIND, .own = ','};

    *out = (struct table_start){0};
    dialect_find(t, &wish, &out->dialect);
    if (out->dialect.columns == 0 && !out->dialect.told && try_all(t, out))
        return true;
    return find_start(t, out);
}
