/* What stands behind the rows of a table: a total, a source, a date. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sweep/buf.h"
#include "sweep/number.h"
#include "worker/data/csv_columns.h"

#define FOOTER_ROWS 5
#define MORE_FOLLOWS 2 /* of the first so many labels: "Total 2020" */

/* With what the label of a row begins that sums up those above it, or says where they come from. */
static const char *const labels[] = {
    "total",   "totals",       "grand total", "subtotal",   "sub-total",    "sum",
    "average", "mean",         "source",      "note",       "notes",        "gesamt",
    "summe",   "gesamtsumme",  "mittelwert",  "quelle",     "durchschnitt", "somme",
    "moyenne", "suma",         "totale",      "total g\xC3\xA9n\xC3\xA9ral",
    "\xE5\x90\x88\xE8\xAE\xA1", "\xE6\x80\xBB\xE8\xAE\xA1", "\xE5\xB0\x8F\xE8\xAE\xA1",
    "\xE6\x80\xBB\xE5\x92\x8C", "\xE5\xB9\xB3\xE5\x9D\x87", "\xE5\x90\x88\xE8\xA8\x88"};

static bool is_label(const struct csv_field *f)
{
    for (size_t i = 0; i < sizeof labels / sizeof labels[0]; i++) {
        size_t len = strlen(labels[i]);
        if (f->len < len || strncasecmp(f->text, labels[i], len) != 0)
            continue;
        if (f->len == len || f->text[len] == ':' || (i < MORE_FOLLOWS && f->text[len] == ' '))
            return true;
    }
    return false;
}

/* Another row begins with the same word: it is a value like any other. */
static bool is_a_value(const struct csv_scan *s, const struct csv_field *f)
{
    const char *from = s->text->data, *to = s->text->data + s->start;
    for (const char *p = memchr(from, '\n', (size_t)(to - from)); p && p + 1 < to;
         p = memchr(p, '\n', (size_t)(to - p))) {
        p++;
        const char *word = p + (*p == '"');
        if ((size_t)(to - word) > f->len && memcmp(word, f->text, f->len) == 0 &&
            (word[f->len] == s->delimiter || word[f->len] == '"'))
            return true;
    }
    return false;
}

/* Where the row has fewer fields, it is enough that one alone has something in it, or that the
 * first is text. */
static bool is_no_data(const struct csv_scan *s, const struct table_columns *c)
{
    size_t filled = 0, first = s->count;
    for (size_t i = 0; i < s->count && filled < 2; i++) {
        first = s->fields[i].len > 0 && filled == 0 ? i : first;
        filled += s->fields[i].len > 0;
    }
    if (filled == 0)
        return true;
    const struct csv_field *f = &s->fields[first];
    if (s->count < c->count)
        return filled == 1 || (first == 0 && !number_is(f->text, f->len));
    if (filled == 1)
        return first != c->target;
    return is_label(f) && (first > 0 || !is_a_value(s, f));
}

bool csv_is_footer(struct csv_scan *s, const struct table_columns *c)
{
    for (size_t rows = 0; rows < FOOTER_ROWS && s->count <= c->count && is_no_data(s, c); rows++) {
        if (csv_scan_row(s, NULL) != 0)
            return false;
        if (s->count == 0)
            return true;
    }
    return false;
}

int csv_footer_told(struct csv_scan *s, const struct spec_data *d, struct table_columns *c,
                    struct errbuf *err)
{
    const struct csv_place start = s->place;
    size_t most = (size_t)d->skip_footer, rows = 0;
    c->footer_told = d->footer_told;
    c->end = NULL;
    if (most == 0)
        return 0;
    const char **begins = xcalloc(most, sizeof *begins); /* of the last rows, in turn */
    int rc = csv_scan_row(s, err);
    for (; rc == 0 && s->count > 0; rc = csv_scan_row(s, err))
        begins[rows++ % most] = s->text->data + s->start;
    if (rc == 0)
        c->end = rows > most ? begins[rows % most] : start.next;
    free(begins);
    s->place = start;
    return rc;
}
