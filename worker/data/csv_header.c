/* Which row of a table names its columns. The rule, unless the configuration says it:
 *
 *  1. a comment line right before the first row with as many fields (or a row before it with one
 *     less, as R writes), if the first row is no header itself;
 *     (Above numbers without a unit, a number with one is no number but a name: 1x1, 5min.)
 *  2. a first row without a number, if a column that has text there has numbers below; in a file
 *     of text alone if less than half of its fields occur again below in their columns;
 *  3. a first row with numbers, if
 *      - all of them are years (1900 to 2100) and no number below them is, or
 *      - they rise by one step from column to column, by which at most a tenth of the rows below
 *        do; three or four of them, and 0, 1 or 1, 2, only where something below is written
 *        otherwise (with a point, or as text), or
 *      - the first field is empty and the others are 0, 1, 2, …, or
 *      - at least half of its fields are text, one of them above numbers.
 *
 * In a file that follows a training file, a row of the names of its columns is a header, and one
 * that reads as data of those columns is none.
 *
 * The row behind a header that has no number, where the columns below have, gives units. */
#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/nothing.h"
#include "sweep/number.h"
#include "worker/data/csv_columns.h"

#define LOOK_ROWS 200
#define LOOK_FIELDS 200000
#define OTHERWISE_ROWS 3 /* that are written otherwise, or empty, not by chance */
#define YEAR_FROM 1900
#define YEAR_TO 2100
#define EVEN_SELDOM 10 /* at most one row below in so many rises by the same step */
#define SURE_NUMBERS 5 /* that rise evenly by chance so seldom */

enum kind { NOTHING, NUMBER, TEXT };

/* A row, kept. */
struct row {
    size_t count, line;
    char **field;
    enum kind *kind;
    double *number;
    bool *unit; /* the number has one, which is neither % nor a currency */
    size_t numbers, texts;
};

/* What stands below the first row in a column. */
struct below {
    size_t numbers, texts, pointed, years, same, units;
};

static enum kind kind_of(const char *text, size_t len, double *number, bool *unit)
{
    static const struct number_form plain = {.decimal = '.'};
    struct number_evidence e = {0};
    *number = 0;
    if (text_is_nothing(text, len))
        return NOTHING;
    if (!number_note(&e, text, len))
        return TEXT;
    if (!number_read(&plain, text, len, number))
        *number = NAN;
    *unit = e.with_unit > 0 && isalpha((unsigned char)e.unit[0]);
    return NUMBER;
}

static void row_take(struct row *r, struct csv_scan *s, bool first_missing)
{
    size_t shift = first_missing;
    memset(r, 0, sizeof *r);
    r->count = s->count + shift;
    r->line = s->line;
    r->field = xcalloc(r->count, sizeof *r->field);
    r->kind = xcalloc(r->count, sizeof *r->kind);
    r->number = xcalloc(r->count, sizeof *r->number);
    r->unit = xcalloc(r->count, sizeof *r->unit);
    for (size_t i = 0; i < r->count; i++) {
        size_t len = 0;
        const char *text = i < shift ? "" : csv_scan_text(s, &s->fields[i - shift], &len);
        r->field[i] = xmalloc(len + 1);
        memcpy(r->field[i], text, len);
        r->field[i][len] = '\0';
        r->kind[i] = kind_of(r->field[i], len, &r->number[i], &r->unit[i]);
        r->numbers += r->kind[i] == NUMBER;
        r->texts += r->kind[i] == TEXT;
    }
}

static void row_finish(struct row *r)
{
    for (size_t i = 0; i < r->count; i++)
        free(r->field[i]);
    free(r->field);
    free(r->kind);
    free(r->number);
    free(r->unit);
    memset(r, 0, sizeof *r);
}

static bool is_year(double x)
{
    return x >= YEAR_FROM && x <= YEAR_TO && x == floor(x);
}

/* --- what a row of numbers says ------------------------------------------------------------- */

/* The step by which the numbers of those columns rise; 0: they do not, evenly. */
static double even_step(const struct row *columns, const double *number)
{
    double step = 0, last = NAN;
    for (size_t i = 0; i < columns->count; i++) {
        if (columns->kind[i] != NUMBER)
            continue;
        double rise = number[i] - last;
        if (!isnan(last)) {
            if (!(rise > 0) || (step > 0 && fabs(rise - step) > 1e-6 * step))
                return 0;
            step = step > 0 ? step : rise;
        }
        last = number[i];
    }
    return step;
}

static bool same_step(double a, double b)
{
    return a > 0 && fabs(a - b) <= 1e-6 * b;
}

/* 0, 1, 2, … behind an empty field. */
static bool is_counted(const struct row *r)
{
    double next = 0;
    for (size_t i = 1; i < r->count; i++) {
        if (r->kind[i] != NUMBER || r->number[i] != next)
            return false;
        next++;
    }
    return r->count > 1 && r->field[0][0] == '\0';
}

static bool are_years(const struct row *r, const struct below *below)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->kind[i] == NUMBER && (!is_year(r->number[i]) || below[i].years > 0))
            return false;
    return r->numbers > 0;
}

/* Whether a column below one of the numbers is written otherwise. */
static bool is_otherwise(const struct row *r, const struct below *below)
{
    for (size_t i = 0; i < r->count; i++) {
        if (r->kind[i] != NUMBER || strchr(r->field[i], '.'))
            continue;
        bool pointed = below[i].numbers >= OTHERWISE_ROWS && below[i].pointed == below[i].numbers;
        if (pointed || (below[i].numbers == 0 && below[i].texts >= OTHERWISE_ROWS))
            return true;
    }
    return false;
}

static bool rises(const struct row *r, const struct below *below, size_t rows, size_t even_below)
{
    double step = even_step(r, r->number), first = NAN;
    for (size_t i = 0; i < r->count && isnan(first); i++)
        first = r->kind[i] == NUMBER ? r->number[i] : NAN;
    if (step == 0 || EVEN_SELDOM * even_below > rows)
        return false;
    if (r->numbers >= SURE_NUMBERS)
        return true;
    return (r->numbers > 2 || (step == 1 && (first == 0 || first == 1))) && is_otherwise(r, below);
}

/* --- the rule ------------------------------------------------------------------------------- */

static bool above_numbers(const struct row *r, const struct below *below)
{
    for (size_t i = 0; i < r->count; i++)
        if (r->kind[i] == TEXT && below[i].numbers > below[i].texts)
            return true;
    return false;
}

static bool occurs_below(const struct row *r, const struct below *below)
{
    size_t same = 0;
    for (size_t i = 0; i < r->count; i++)
        same += r->kind[i] == TEXT && below[i].same > 0;
    return 2 * same >= r->texts;
}

static bool all_empty(const struct row *r)
{
    size_t i = 0;
    while (i < r->count && r->field[i][0] == '\0')
        i++;
    return i == r->count;
}

/* rows: how many were looked at below; even_below: of those that rise evenly. */
static bool is_header(const struct row *r, const struct below *below, size_t rows,
                      size_t even_below)
{
    if (r->numbers == 0 && r->texts == 0)
        return all_empty(r);
    if (rows == 0)
        return r->numbers == 0;
    if (r->numbers == 0)
        return above_numbers(r, below) || !occurs_below(r, below);
    if (are_years(r, below) || is_counted(r) || rises(r, below, rows, even_below))
        return true;
    return 2 * r->texts >= r->count && above_numbers(r, below);
}

static bool has_header(const struct row *r, const struct table_columns *known)
{
    size_t same = 0;
    while (r->count == known->count && same < r->count &&
           strcmp(r->field[same], known->header[same]) == 0)
        same++;
    return same == known->count;
}

/* The training file's header, or all fields are names of its columns, none of them twice. */
static bool has_names(const struct row *r, const struct table_columns *known)
{
    struct names names = {0};
    if (has_header(r, known))
        return true;
    bool all = r->count > 0, *seen = xcalloc(known->count, sizeof *seen);
    for (size_t i = 0; i < known->count; i++)
        names_add(&names, known->header[i], strlen(known->header[i]));
    for (size_t i = 0; i < r->count && all; i++) {
        uint32_t k = names_find(&names, r->field[i], strlen(r->field[i]));
        all = k != NAMES_NONE && !seen[k];
        if (all)
            seen[k] = true;
    }
    names_finish(&names);
    free(seen);
    return all;
}

/* A field reads as what the training file has in that column. */
static bool fits_column(const struct row *r, size_t i, const struct column *column)
{
    const char *text = r->field[i];
    double value;
    if (r->kind[i] == NOTHING || column->ignored)
        return true;
    if (column->names)
        return names_find_class(column->names, text, strlen(text)) != NAMES_NONE;
    return column->plain ? number_parse(text, strlen(text), &value)
                         : number_read(&column->form, text, strlen(text), &value);
}

/* A row with text that reads as data of the training file, with its target or without, names
 * nothing: rows to come may be few, and say little of their first. */
static bool is_known_data(const struct row *r, const struct table_columns *known)
{
    bool whole = r->count == known->count;
    if (r->texts == 0 || (!whole && r->count != known->count - 1))
        return false;
    for (size_t i = 0, k = 0; i < known->count; i++) {
        bool there = whole || i != known->target;
        if (there && !fits_column(r, k, &known->column[i]))
            return false;
        k += there;
    }
    return true;
}

/* --- the first rows ------------------------------------------------------------------------- */

struct look {
    struct row first, second, title; /* title: the comment above; count 0: none */
    struct below *below;             /* [first.count] behind the second row, and in it */
    size_t rows, even_below;
    struct csv_place data[3];        /* before the first, second and third row */
};

static void add_below(struct look *l, const struct row *r)
{
    for (size_t i = 0; i < l->first.count && i < r->count; i++) {
        struct below *b = &l->below[i];
        b->numbers += r->kind[i] == NUMBER;
        b->units += r->unit[i];
        b->texts += r->kind[i] == TEXT;
        b->pointed += r->kind[i] == NUMBER && strpbrk(r->field[i], ".,") != NULL;
        b->years += r->kind[i] == NUMBER && is_year(r->number[i]);
        b->same += r->kind[i] == TEXT && strcmp(r->field[i], l->first.field[i]) == 0;
    }
    l->rows++;
    if (r->count == l->first.count)
        l->even_below += same_step(even_step(&l->first, r->number),
                                   even_step(&l->first, l->first.number));
}

static int read_first(struct csv_scan *s, struct look *l, struct errbuf *err)
{
    l->data[0] = s->place;
    int rc = csv_scan_row(s, err);
    if (rc == 0 && s->count == 0)
        rc = text_fail(s->text, 0, err, ERR_DATA, "the file is empty; allowed: rows of data");
    if (rc != 0)
        return rc;
    row_take(&l->first, s, false);
    l->below = xcalloc(l->first.count, sizeof *l->below);
    l->data[1] = l->data[2] = s->place;
    return 0;
}

/* Errors further below are found by those who read on. */
static void read_below(struct csv_scan *s, struct look *l)
{
    size_t most = LOOK_FIELDS / l->first.count;
    most = most < LOOK_ROWS ? most + 2 : LOOK_ROWS;
    for (size_t n = 0; n < most && csv_scan_row(s, NULL) == 0 && s->count > 0; n++) {
        struct row r;
        row_take(&r, s, false);
        if (n == 0) {
            l->second = r;
            l->data[2] = s->place;
            continue;
        }
        add_below(l, &r);
        row_finish(&r);
    }
}

static void read_title(struct csv_scan *s, const struct dialect *dialect, struct look *l)
{
    if (!dialect->title)
        return;
    char comment = s->comment;
    s->comment = '\0';
    csv_scan_seek(s, dialect->title_at, dialect->title_line);
    int rc = csv_scan_row(s, NULL);
    if (rc == 0 && dialect->title_long && s->count > 0)
        s->count--; /* a delimiter behind the last title alone */
    if (rc == 0 && s->count + dialect->title_short == l->first.count)
        row_take(&l->title, s, dialect->title_short);
    s->comment = comment;
}

/* The second row is one of units where it has no number and they do. */
static bool is_units(const struct look *l)
{
    const struct row *r = &l->second;
    return r->count == l->first.count && r->numbers == 0 && l->rows > 0 &&
           above_numbers(r, l->below) && l->first.numbers == 0;
}

static void look_finish(struct look *l)
{
    row_finish(&l->first);
    row_finish(&l->second);
    row_finish(&l->title);
    free(l->below);
}

/* --- all of it ------------------------------------------------------------------------------ */

/* "1x1", "5min", "2nd" above numbers that have no unit are names. */
static void name_units(struct look *l)
{
    struct row *r = &l->first;
    for (size_t i = 0; i < r->count; i++) {
        if (!r->unit[i] || l->below[i].numbers == 0 || l->below[i].units > 0)
            continue;
        r->kind[i] = TEXT;
        r->numbers--;
        r->texts++;
    }
}

static bool decide(const struct look *l, const struct spec_data *d,
                   const struct table_columns *known)
{
    if (d->header != HEADER_AUTO)
        return d->header == HEADER_YES;
    bool alone = is_header(&l->first, l->below, l->rows, l->even_below);
    if (known && known->header && has_names(&l->first, known)) /* unless the title is the header */
        return alone || l->title.count == 0 || !has_names(&l->title, known);
    return known && is_known_data(&l->first, known) ? false : alone;
}

/* A header that is one short is of rows that end with a delimiter, where their last fields are
 * empty. */
static void shift_title(struct row *title, const struct below *last)
{
    if (last->numbers + last->texts > 0)
        return;
    char *empty = title->field[0];
    memmove(title->field, title->field + 1, (title->count - 1) * sizeof *title->field);
    title->field[title->count - 1] = empty;
}

static void take_names(struct row *r, struct csv_header *out)
{
    out->name = r->field;
    out->line = r->line;
    r->field = NULL;
    r->count = 0;
}

static void find_empty(const struct look *l, struct csv_header *out)
{
    out->empty = xcalloc(out->count, sizeof *out->empty);
    for (size_t i = 0; i < out->count && l->rows >= OTHERWISE_ROWS; i++) {
        bool unnamed = !out->name || out->name[i][0] == '\0';
        bool second = i < l->second.count && l->second.kind[i] != NOTHING;
        bool first = !out->name && l->first.kind[i] != NOTHING;
        bool empty = !first && !second && l->below[i].numbers == 0 && l->below[i].texts == 0;
        out->empty[i] = unnamed && empty;
        out->hollow |= !unnamed && empty;
    }
}

int csv_header_find(struct csv_scan *s, const struct dialect *dialect, const struct spec_data *d,
                    const struct table_columns *known, struct csv_header *out, struct errbuf *err)
{
    struct look l = {0};
    struct csv_header h = {0};
    int rc = read_first(s, &l, err);
    if (rc != 0)
        return rc;
    read_below(s, &l);
    bool units = is_units(&l);
    if (l.second.count > 0 && !units)
        add_below(&l, &l.second);
    name_units(&l);
    read_title(s, dialect, &l);
    h.count = l.first.count;
    h.line = l.first.line;
    bool told = d->header == HEADER_YES && dialect->preamble && l.title.count > 0;
    bool first = !told && decide(&l, d, known);
    if (!first && d->header != HEADER_NO && l.title.count > 0 && l.title.texts > 0) {
        if (dialect->title_short)
            shift_title(&l.title, &l.below[l.title.count - 1]);
        take_names(&l.title, &h);
        s->place = l.data[0];
    } else if (first) {
        h.units = units && l.data[2].next != l.data[1].next;
        take_names(&l.first, &h);
        s->place = h.units ? l.data[2] : l.data[1];
    } else {
        s->place = l.data[0];
    }
    find_empty(&l, &h);
    look_finish(&l);
    *out = h;
    return 0;
}

void csv_header_finish(struct csv_header *h)
{
    for (size_t i = 0; h->name && i < h->count; i++)
        free(h->name[i]);
    free(h->name);
    free(h->empty);
    memset(h, 0, sizeof *h);
}
