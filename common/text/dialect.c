#include "sweep/dialect.h"

#include <string.h>

#include "sweep/csv_scan.h"
#include "sweep/nothing.h"
#include "sweep/number_form.h"
#include "sweep/require.h"

#define DIALECT_ROWS 200
#define DIALECT_BYTES ((size_t)1 << 18) /* of the rows that are looked at */
#define ROWS_ALIKE 0.9

static const char candidates[] = {',', ';', '\t', '|', DIALECT_BLANKS};

const char *dialect_delimiter_name(char delimiter)
{
    switch (delimiter) {
    case ',':
        return "commas";
    case ';':
        return "semicolons";
    case '\t':
        return "tabs";
    case '|':
        return "bars (|)";
    case DIALECT_BLANKS:
        return "runs of blanks";
    default:
        return "an unknown delimiter";
    }
}

/* --- the top of the file -------------------------------------------------------------------- */

static const char *line_end(const char *p)
{
    while (*p != '\n' && *p != '\0')
        p++;
    return *p == '\n' ? p + 1 : p;
}

static void skip_one(const struct text *t, struct dialect *d)
{
    d->first_at = (size_t)(line_end(t->data + d->first_at) - t->data);
    d->skip_lines++;
}

/* Excel's: sep=; — with or without quotes. */
static void take_sep(const struct text *t, struct dialect *d)
{
    const char *p = t->data + d->first_at;
    p += *p == '"';
    if (strncmp(p, "sep=", 4) != 0 || !p[4] || p[4] == '\n' || p[4] == '\r')
        return;
    const char *end = p + 5;
    end += *end == '"';
    end += *end == '\r';
    bool known = memchr(candidates, p[4], sizeof candidates) != NULL;
    if (!known || (*end != '\n' && *end != '\0'))
        return;
    d->delimiter = p[4];
    d->told = true;
    skip_one(t, d);
}

/* Where the last of the comment lines begins, in *last. */
static void take_comments(const struct text *t, struct dialect *d, size_t *last)
{
    const struct dialect before = *d;
    for (;;) {
        char c = t->data[d->first_at];
        bool blank = c == '\n' || (c == '\r' && t->data[d->first_at + 1] == '\n');
        if (c != '#' && c != '%' && !(blank && d->comment))
            break;
        if (!blank && d->comment && c != d->comment)
            break;
        if (!blank) {
            d->comment = c;
            *last = d->first_at;
            d->title_line = d->skip_lines + 1;
        }
        skip_one(t, d);
    }
    if (d->comment && d->first_at == t->len)
        *d = before; /* nothing is left: its rows begin so */
}

/* --- one delimiter -------------------------------------------------------------------------- */

/* What the first rows are by one delimiter. */
struct trial {
    size_t rows, columns, alike; /* columns: of most rows, `alike` of them */
    size_t before;               /* rows before the first of those */
    size_t before_at, before_line; /* where that one begins */
    bool short_title;              /* the last row before is one short, and has no number */
    bool long_title;               /* or one longer, with nothing in the last field */
    size_t title_at, title_line;
    double numbers;              /* share of fields that are numbers or nothing */
};

struct counts {
    size_t rows;
    size_t fields[DIALECT_ROWS], numbers[DIALECT_ROWS], empty[DIALECT_ROWS];
    size_t at[DIALECT_ROWS], line[DIALECT_ROWS];
    bool open[DIALECT_ROWS]; /* ends with a delimiter */
};

static size_t count_numbers(struct csv_scan *s)
{
    struct number_evidence e = {0};
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        n += text_is_nothing(s->fields[i].text, s->fields[i].len) ||
             number_note(&e, s->fields[i].text, s->fields[i].len);
    return n;
}

static size_t count_empty(const struct csv_scan *s)
{
    size_t n = 0;
    for (size_t i = 0; i < s->count; i++)
        n += s->fields[i].len == 0;
    return n;
}

/* False where the text cannot be cut up so. */
static bool count_fields(const struct text *t, const struct dialect *d, struct counts *c)
{
    struct csv_scan s;
    bool whole = true;
    c->rows = 0;
    csv_scan_init(&s, t, d);
    const char *end = t->data + d->first_at + DIALECT_BYTES; /* or beyond the text */
    while (c->rows < DIALECT_ROWS && s.place.next < end) {
        if (csv_scan_row(&s, NULL) != 0)
            whole = false;
        if (!whole || s.count == 0)
            break;
        c->fields[c->rows] = s.count;
        c->numbers[c->rows] = count_numbers(&s);
        c->empty[c->rows] = count_empty(&s);
        c->open[c->rows] = s.fields[s.count - 1].len == 0;
        c->line[c->rows] = s.line;
        c->at[c->rows] = s.start;
        c->rows++;
    }
    csv_scan_finish(&s);
    return whole;
}

static size_t most_frequent(const struct counts *c, size_t *alike)
{
    size_t best = 0;
    *alike = 0;
    for (size_t i = 0; i < c->rows; i++) {
        size_t n = 0;
        for (size_t k = i; k < c->rows; k++)
            n += c->fields[k] == c->fields[i];
        if (n > *alike) {
            *alike = n;
            best = c->fields[i];
        }
    }
    return best;
}

/* A spreadsheet fills the lines above its table, a heading perhaps, with delimiters: at most one
 * field of such a row says something. They are passed over where a row of titles follows, whose
 * place this is; else first. */
static size_t skip_padded(const struct counts *c, size_t first, size_t columns)
{
    size_t i = first;
    while (i < c->rows && c->fields[i] == columns && c->empty[i] + 1 >= columns &&
           c->numbers[i] == c->empty[i])
        i++;
    bool titles = i < c->rows && c->fields[i] == columns && c->empty[i] + c->numbers[i] == 0;
    return columns >= 3 && titles ? i : first;
}

static bool try_delimiter(const struct text *t, const struct dialect *d, char delimiter,
                          struct trial *out)
{
    struct dialect with = *d;
    struct counts c;
    size_t numbers = 0, before = 0;
    with.delimiter = delimiter;
    if (!count_fields(t, &with, &c) || c.rows == 0)
        return false;
    memset(out, 0, sizeof *out);
    out->rows = c.rows;
    out->columns = most_frequent(&c, &out->alike);
    while (c.fields[before] != out->columns)
        before++;
    before = skip_padded(&c, before, out->columns);
    for (size_t i = 0; i < c.rows; i++)
        numbers += c.fields[i] == out->columns ? c.numbers[i] : 0;
    out->numbers = (double)numbers / (double)(out->alike * out->columns);
    out->before = before;
    out->before_at = c.at[before];
    out->before_line = c.line[before];
    if (before > 0) {
        out->short_title = c.fields[before - 1] > 1 && c.numbers[before - 1] == 0 &&
                           c.fields[before - 1] + 1 == out->columns;
        out->long_title = out->columns > 1 && c.open[before - 1] && c.numbers[before - 1] == 1 &&
                          c.fields[before - 1] == out->columns + 1;
        out->title_at = c.at[before - 1];
        out->title_line = c.line[before - 1];
    }
    return true;
}

/* The rows agree, but for a preamble. */
static bool agrees(const struct trial *r)
{
    return r->columns > 1 && (double)r->alike >= ROWS_ALIKE * (double)(r->rows - r->before) &&
           r->before <= DIALECT_PREAMBLE_MAX && r->alike > r->before;
}

static bool is_better(const struct trial *a, const struct trial *b)
{
    bool all_a = a->alike == a->rows, all_b = b->alike == b->rows;
    if (all_a != all_b && (all_a ? a : b)->numbers > 0)
        return all_a;
    return a->numbers > b->numbers;
}

/* --- all of it ------------------------------------------------------------------------------ */

static bool choose(const struct text *t, const struct dialect_wish *w, struct dialect *d,
                   struct trial *best)
{
    char only = d->told ? d->delimiter : w->delimiter;
    bool found = false;
    for (size_t i = 0; i <= sizeof candidates; i++) {
        char c = i == 0 ? w->own : candidates[i - 1];
        struct trial r;
        if ((only != DIALECT_FIND && i > 0) || (i > 0 && c == w->own))
            continue;
        c = only != DIALECT_FIND ? only : c;
        if (!try_delimiter(t, d, c, &r) || !agrees(&r) || (found && !is_better(&r, best)))
            continue;
        *best = r;
        d->delimiter = c;
        found = true;
    }
    if (!found)
        d->delimiter = only != DIALECT_FIND ? only : w->own;
    return found;
}

static void find_title(const struct text *t, size_t last, struct dialect *d)
{
    struct csv_scan s;
    struct dialect line = *d;
    line.comment = '\0';
    line.first_at = last + strspn(t->data + last, "#% \t");
    line.skip_lines = d->title_line - 1;
    csv_scan_init(&s, t, &line);
    /* A column that is called "#". */
    if (t->data[line.first_at] == d->delimiter && d->delimiter != DIALECT_BLANKS)
        csv_scan_seek(&s, line.first_at = last, d->title_line);
    if (csv_scan_row(&s, NULL) == 0 && s.count == d->columns && s.line == d->title_line)
        d->title = true;
    d->title_at = line.first_at;
    csv_scan_finish(&s);
}

void dialect_find(const struct text *t, const struct dialect_wish *w, struct dialect *out)
{
    struct dialect d = {0};
    struct trial best;
    size_t last = 0;
    if (t->len >= 3 && memcmp(t->data, "\xEF\xBB\xBF", 3) == 0)
        d.first_at = 3;
    for (size_t i = 0; w->skip && i < w->skip_lines; i++)
        skip_one(t, &d);
    if (!w->skip) {
        take_sep(t, &d);
        take_comments(t, &d, &last);
    }
    if (choose(t, w, &d, &best)) {
        d.columns = best.columns;
        if (!w->skip && best.before > 0) {
            d.preamble = true;
            d.first_at = best.before_at;
            d.skip_lines = best.before_line - 1;
            d.title_short = best.short_title;
            d.title_long = best.long_title;
            d.title = d.title_short || d.title_long;
            d.title_at = best.title_at;
            d.title_line = best.title_line;
        }
        if (d.comment && !d.preamble)
            find_title(t, last, &d);
    }
    *out = d;
}
