/* Columns that a network learns from and should not: numbers of rows, identifiers, dates. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sweep/buf.h"
#include "sweep/require.h"
#include "worker/data/dates.h"
#include "worker/data/feature_names.h"
#include "worker/data/scan.h"

#define ROWS_MIN 32      /* fewer are different, or in order, by chance */
#define ROWS_SURE 500    /* so many different numbers are no measure, whatever the column's name */
#define EXACT 16777216.0f /* beyond it floats skip whole numbers */
#define ALMOST 0.95      /* of the rows have a number of their own, where floats skip some */

struct column_values {
    const float *first;
    size_t step, count;
};

static float value_at(const struct column_values *v, size_t row)
{
    return v->first[row * v->step];
}

static bool are_whole(const struct column_values *v)
{
    for (size_t i = 0; i < v->count; i++) {
        float x = value_at(v, i);
        if (!(fabsf(x) <= FLT_MAX) || x != floorf(x))
            return false;
    }
    return true;
}

static bool are_dates(const struct column_values *v)
{
    for (size_t i = 0; i < v->count; i++) {
        /* Floats keep yyyymmdd to the next 2. */
        double x = (double)value_at(v, i);
        if (!date_is_number(x) && !date_is_number(x + 1) && !date_is_number(x - 1))
            return false;
    }
    return true;
}

static bool counts_rows(const struct column_values *v)
{
    for (size_t i = 1; i < v->count; i++)
        if (value_at(v, i) != value_at(v, i - 1) + 1)
            return false;
    return true;
}

static bool rises(const struct column_values *v)
{
    for (size_t i = 1; i < v->count; i++)
        if (!(value_at(v, i) > value_at(v, i - 1)))
            return false;
    return true;
}

static int compare(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return (x > y) - (x < y);
}

/* Early out: most columns have two equal numbers among their first. */
static bool all_differ(const struct column_values *v)
{
    size_t some = v->count < 256 ? v->count : 256, same = 0;
    bool large = false;
    float *x = xmalloc(v->count * sizeof *x);
    for (size_t n = some;; n = v->count) {
        same = 0;
        for (size_t i = 0; i < n; i++) {
            x[i] = value_at(v, i);
            large = large || fabsf(x[i]) > EXACT;
        }
        qsort(x, n, sizeof *x, compare);
        for (size_t i = 1; i < n; i++)
            same += x[i] == x[i - 1];
        if (n == v->count || (same > 0 && !large))
            break;
    }
    free(x);
    return large ? (double)same <= (1 - ALMOST) * (double)v->count : same == 0;
}

/* The rows lie class by class. */
static bool classes_in_order(const struct samples *s)
{
    size_t changes = 0, n = s->parts[PART_TRAIN];
    for (size_t i = 1; s->labels && s->outputs == 1 && i < n; i++)
        changes += s->labels[i] != s->labels[i - 1];
    return s->labels && s->outputs == 1 && s->classes > 1 && changes + 1 == s->classes;
}

static bool is_called(const char *name)
{
    static const char *const names[] = {"id",  "index", "idx", "row",  "rowid", "row_id", "no",
                                        "nr",  "no.",   "#",   "uuid", "key",   "number", "code",
                                        "unnamed: 0",   ""};
    size_t len = strlen(name);
    for (size_t i = 0; i < ARRAY_LEN(names); i++)
        if (strcasecmp(name, names[i]) == 0)
            return true;
    if (len <= 2)
        return false;
    const char *two = name + len - 2, *three = two - 1;
    return strcasecmp(three, "_id") == 0 || strcasecmp(three, " id") == 0 ||
           strcmp(two, "Id") == 0 || strcmp(two, "ID") == 0;
}

static void add(struct record_prepared *out, const char *kind, int64_t column, const char *place,
                const char *what)
{
    if (out->finding_count == RECORD_FINDINGS_MAX)
        return;
    struct record_finding *f = &out->findings[out->finding_count++];
    memset(f, 0, sizeof *f);
    str_copy(f->kind, sizeof f->kind, kind);
    f->column = column;
    f->count = 1;
    snprintf(f->text, sizeof f->text, "%s %s; to leave it out: data.ignore: [%lld]", place, what,
             (long long)column);
}

static bool scan_column(const struct samples *s, const struct feature_names *n, size_t feature,
                        bool in_order, struct record_prepared *out)
{
    const struct column_values v = {(const float *)s->values + feature, s->features,
                                    s->parts[PART_TRAIN]};
    size_t i = n->column[feature];
    const char *name = n->columns->header ? n->columns->header[i] : NULL;
    char place[FEATURE_PLACE_MAX];
    feature_place(n, feature, place);
    int64_t column = feature_column(n, feature);
    if (in_order && rises(&v))
        add(out, "index_column", column, place,
            "is in the order of the rows, and so are the classes: a network learns them from it");
    else if (!are_whole(&v))
        return false;
    else if (counts_rows(&v))
        add(out, "index_column", column, place, "counts the rows: it is an index, no feature");
    else if (are_dates(&v))
        add(out, "date_column", column, place, "holds dates as numbers (20210131)");
    else if ((i == 0 || v.count >= ROWS_SURE || (name && is_called(name))) && all_differ(&v))
        add(out, "identifier_column", column, place,
            "has a whole number of its own in each row: likely an identifier");
    else
        return false;
    return true;
}

/* Texts that differ in every row, as far as so many categories are allowed. */
static bool scan_text(const struct samples *s, const struct feature_names *n, size_t feature,
                      struct record_prepared *out)
{
    const struct names *names = n->columns->column[n->column[feature]].names;
    char place[FEATURE_PLACE_MAX];
    bool dates = true;
    feature_place(n, feature, place);
    for (uint32_t k = 0; dates && k < names->count; k++)
        dates = date_is(names_at(names, k), strlen(names_at(names, k)));
    if (dates)
        add(out, "date_column", feature_column(n, feature), place,
            "holds dates, each of which became a category");
    else if (names->count >= ROWS_MIN && names->count == s->parts[PART_TRAIN])
        add(out, "identifier_column", feature_column(n, feature), place,
            "has a text of its own in each row, each of which became a category");
    return dates || names->count == s->parts[PART_TRAIN];
}

void scan_columns(const struct samples *s, struct record_prepared *out)
{
    struct feature_names n;
    size_t found = 0;
    if (s->type != SAMPLES_F32 || s->parts[PART_TRAIN] < ROWS_MIN)
        return;
    feature_names_init(&n, s);
    bool in_order = n.columns && classes_in_order(s);
    for (size_t j = 0; n.columns && j < s->features && found < SCAN_KINDS_MAX; j++) {
        if (feature_goes_on(&n, j))
            continue;
        found += n.columns->column[n.column[j]].names ? scan_text(s, &n, j, out)
                                                      : scan_column(s, &n, j, in_order, out);
    }
    feature_names_finish(&n);
}
