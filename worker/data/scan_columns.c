/* Columns that a network learns from and should not: numbers of rows, identifiers, dates; and names
 * that were meant to be one. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "sweep/buf.h"
#include "sweep/require.h"
#include "worker/data/csv_columns.h"
#include "worker/data/dates.h"
#include "worker/data/feature_names.h"
#include "worker/data/scan.h"

#define ROWS_MIN 32      /* fewer are different, or in order, by chance */
#define ROWS_SURE 500    /* so many different numbers are no measure, whatever the column's name */
#define EXACT 16777216.0f /* beyond it floats skip whole numbers */
#define TOLD_CLASSES 4096 /* of more no column is held against the target */
#define ALMOST 0.95      /* of the rows have a number of their own, where floats skip some */

struct column_values {
    const float *first;
    size_t step, count;
    size_t categories; /* 0: numbers */
};

/* The number, or which category it is; v->categories: none of them. */
static float value_at(const struct column_values *v, size_t row)
{
    const float *x = v->first + row * v->step;
    size_t k = 0;
    if (v->categories == 0)
        return *x;
    while (k < v->categories && x[k] == 0)
        k++;
    return (float)k;
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

/* Each class has a value of its own in every row. Early out: most columns differ within one. */
static bool tells_classes(const struct samples *s, const struct column_values *v)
{
    float *of = xmalloc(s->classes * sizeof *of);
    bool *seen = xcalloc(s->classes, sizeof *seen), tells = true;
    for (size_t i = 0; tells && i < v->count; i++) {
        size_t k = s->labels[i];
        float x = value_at(v, i);
        tells = !seen[k] ? fabsf(x) <= FLT_MAX : of[k] == x;
        of[k] = x;
        seen[k] = true;
    }
    for (size_t k = 0; tells && k < s->classes; k++)
        for (size_t j = 0; tells && seen[k] && j < k; j++)
            tells = !seen[j] || of[j] != of[k];
    free(of);
    free(seen);
    return tells;
}

static bool tells_target(const struct samples *s, const struct column_values *v)
{
    size_t i = 0;
    if (s->outputs != 1)
        return false;
    if (s->labels)
        return s->classes > 1 && s->classes <= TOLD_CLASSES && tells_classes(s, v);
    while (i < v->count && value_at(v, i) == s->targets[i])
        i++;
    return i == v->count;
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

static void add_target(const struct samples *s, const struct feature_names *n, size_t feature,
                       struct record_prepared *out)
{
    char place[FEATURE_PLACE_MAX];
    add(out, "target_column", feature_column(n, feature), feature_place(n, feature, place),
        s->labels ? "has one value for each class in all rows: the target under another name"
                  : "is the same as the target in all rows");
}

static bool scan_column(const struct samples *s, const struct feature_names *n, size_t feature,
                        bool in_order, struct record_prepared *out)
{
    const struct column_values v = {.first = (const float *)s->values + feature,
                                    .step = s->features,
                                    .count = s->parts[PART_TRAIN]};
    size_t i = n->column[feature];
    const char *name = n->columns->header ? n->columns->header[i] : NULL;
    char place[FEATURE_PLACE_MAX];
    feature_place(n, feature, place);
    int64_t column = feature_column(n, feature);
    if (in_order && rises(&v))
        add(out, "index_column", column, place,
            "is in the order of the rows, and so are the classes: a network learns them from it");
    else if (tells_target(s, &v))
        add_target(s, n, feature, out);
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
    const struct column_values v = {.first = (const float *)s->values + feature,
                                    .step = s->features,
                                    .count = s->parts[PART_TRAIN],
                                    .categories = names->count};
    bool dates = true;
    feature_place(n, feature, place);
    if (tells_target(s, &v)) {
        add_target(s, n, feature, out);
        return true;
    }
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

/* --- names ------------------------------------------------------------------------------------ */

#define FOLDED_MAX 128

/* A name as it was meant, perhaps: without case, blanks and joints. */
struct folded {
    char text[FOLDED_MAX];
    const char *name;
};

static void fold(const char *name, struct folded *out)
{
    size_t n = 0;
    for (const char *p = name; *p && n < FOLDED_MAX - 1; p++)
        if (strchr(" \t_-.", *p) == NULL)
            out->text[n++] = (char)(*p >= 'A' && *p <= 'Z' ? *p + 'a' - 'A' : *p);
    out->text[n] = '\0';
    out->name = name;
}

static int by_text(const void *a, const void *b)
{
    const struct folded *x = a, *y = b;
    int order = strcmp(x->text, y->text);
    return order != 0 ? order : strcmp(x->name, y->name);
}

/* Two of a column's names that differ in nothing else. */
static void scan_names(const struct table_columns *c, size_t i, struct record_prepared *out)
{
    const struct names *names = c->column[i].names;
    struct folded *f = xcalloc(names->count + 1, sizeof *f);
    size_t alike = 0, first = 0;
    for (uint32_t k = 0; k < names->count; k++)
        fold(names_at(names, k), &f[k]);
    qsort(f, names->count, sizeof *f, by_text);
    for (size_t k = 1; k < names->count; k++) {
        bool same = f[k].text[0] != '\0' && strcmp(f[k].text, f[k - 1].text) == 0;
        first = same && alike == 0 ? k : first;
        alike += same;
    }
    if (alike > 0 && out->finding_count < RECORD_FINDINGS_MAX) {
        struct record_finding *to = &out->findings[out->finding_count++];
        char a[TEXT_SHOW_MAX], b[TEXT_SHOW_MAX], column[CSV_COLUMN_SHOW_MAX];
        *to = (struct record_finding){.column = (int64_t)i + 1, .count = (int64_t)alike};
        str_copy(to->kind, sizeof to->kind, "similar_names");
        snprintf(to->text, sizeof to->text, "%s: %s and %s differ only in case, blanks or joints, "
                 "and are two %s: write them alike in the file if they are one",
                 csv_column_show(column, c, i),
                 text_show(a, f[first - 1].name, strlen(f[first - 1].name)),
                 text_show(b, f[first].name, strlen(f[first].name)),
                 i == c->target ? "classes" : "categories");
    }
    free(f);
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
    for (size_t i = 0; n.columns && i < n.columns->count; i++)
        if (n.columns->column[i].names != NULL && !n.columns->column[i].ignored)
            scan_names(n.columns, i, out);
    feature_names_finish(&n);
}
