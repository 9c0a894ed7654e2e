/* Numbers that were written where there was nothing: -999, 9999, 1e30. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "worker/data/csv_columns.h"
#include "worker/data/feature_names.h"
#include "worker/data/scan.h"

#define OTHERS_MIN 8 /* values beside the sentinel: fewer have no range to be far from */
#define TWICE 2      /* a sentinel stands in so many rows */
#define FILL 1e20f   /* measurements are smaller; what fills grids is not (9.97e36, -1e30) */

/* The smallest and the largest value, how often each stands there, and those next to them. */
struct ends {
    float low, second_low, second_high, high;
    size_t lows, highs, finite;
};

static void take(struct ends *e, float x)
{
    if (x > e->second_low && x < e->second_high) {
        e->finite++;
        return;
    }
    if (!(fabsf(x) <= FLT_MAX))
        return;
    e->finite++;
    if (x < e->low) {
        e->second_low = e->low;
        e->low = x;
        e->lows = 0;
    } else if (x > e->low && x < e->second_low) {
        e->second_low = x;
    }
    if (x > e->high) {
        e->second_high = e->high;
        e->high = x;
        e->highs = 0;
    } else if (x < e->high && x > e->second_high) {
        e->second_high = x;
    }
    e->lows += x == e->low;
    e->highs += x == e->high;
}

/* Of each column of values[count, columns], row by row, as they lie. Owned by the caller. */
static struct ends *ends_of(const float *values, size_t count, size_t columns)
{
    struct ends *e = xmalloc(columns * sizeof *e);
    for (size_t j = 0; j < columns; j++)
        e[j] = (struct ends){.low = INFINITY, .second_low = INFINITY, .second_high = -INFINITY,
                             .high = -INFINITY};
    for (size_t i = 0; i < count; i++)
        for (size_t j = 0; j < columns; j++)
            take(&e[j], values[i * columns + j]);
    return e;
}

/* Nines alone, two or more, or what no measurement comes to. */
static bool is_a_sign(float value)
{
    double x = fabs((double)value);
    for (double nines = 99; nines < 1e7; nines = nines * 10 + 9)
        if (x == nines)
            return true;
    return x >= (double)FILL;
}

/* Farther from the others than they are from each other. */
static bool find_sentinel(const struct ends *e, float *value, size_t *rows, float range[2])
{
    if (is_a_sign(e->low) && e->lows >= TWICE && e->finite - e->lows >= OTHERS_MIN &&
        e->second_low - e->low > e->high - e->second_low) {
        *value = e->low, *rows = e->lows;
        range[0] = e->second_low, range[1] = e->high;
        return true;
    }
    if (is_a_sign(e->high) && e->highs >= TWICE && e->finite - e->highs >= OTHERS_MIN &&
        e->high - e->second_high > e->second_high - e->low) {
        *value = e->high, *rows = e->highs;
        range[0] = e->low, range[1] = e->second_high;
        return true;
    }
    return false;
}

static bool say(const struct ends *e, const struct table_columns *c, size_t column,
                struct record_prepared *out)
{
    char place[CSV_COLUMN_SHOW_MAX];
    float value, range[2];
    size_t rows;
    if (!find_sentinel(e, &value, &rows, range) || out->finding_count == RECORD_FINDINGS_MAX)
        return false;
    struct record_finding *f = &out->findings[out->finding_count++];
    *f = (struct record_finding){.column = (int64_t)column + 1, .count = (int64_t)rows};
    str_copy(f->kind, sizeof f->kind, "sentinel_value");
    snprintf(f->text, sizeof f->text,
             "%s is %.7g in %zu rows and %.7g to %.7g in the others: if it stands for nothing, "
             "data.missing: [\"%.7g\"], as the file has it",
             csv_column_show(place, c, column), (double)value, rows, (double)range[0],
             (double)range[1], (double)value);
    return true;
}

void scan_sentinels(const struct samples *s, struct record_prepared *out)
{
    struct feature_names n;
    size_t found = 0, count = s->parts[PART_TRAIN];
    feature_names_init(&n, s);
    const struct table_columns *c = s->type == SAMPLES_F32 ? n.columns : NULL;
    struct ends *e = c ? ends_of(s->values, count, s->features) : NULL;
    for (size_t j = 0; c && j < s->features && found < SCAN_KINDS_MAX; j++)
        if (c->column[n.column[j]].names == NULL)
            found += say(&e[j], c, n.column[j], out);
    free(e);
    if (c && s->targets && s->outputs == 1) {
        e = ends_of(s->targets, count, 1);
        say(e, c, c->target, out);
        free(e);
    }
    feature_names_finish(&n);
}
