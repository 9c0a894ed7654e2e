/* Functional analysis of variance (Hutter, Hoos and Leyton-Brown 2014): a random forest is fitted
 * to what the runs came to, and of each tree the share of its variance over the space that its mean
 * along one parameter has by itself. The space is measured as it is drawn from: on the logarithmic
 * scale where it has one, each listed value alike. A value that is absent is a place of its own, as
 * large as the share of runs without one; what depends on whether there is one is not counted, for
 * another parameter decides that. */
#include <math.h>
#include <stdlib.h>

#include "common/importance/forest.h"
#include "common/importance/methods.h"
#include "sweep/buf.h"

#define TREES 64
#define RUNS_MAX 5000 /* more are sampled: what is asked for is a share of variance */

/* --- the table ------------------------------------------------------------------------------- */

/* Completed runs with a metric, at most RUNS_MAX of them. */
static size_t choose(const struct importance_runs *r, uint64_t seed, uint32_t *out)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count; i++)
        if (r->runs[i].tier == IMPORTANCE_COMPLETED)
            out[n++] = (uint32_t)i;
    if (n <= RUNS_MAX)
        return n;
    struct rng rng;
    rng_init(&rng, seed, RNG_IMPORTANCE, TREES);
    rng_shuffle(&rng, out, n);
    return RUNS_MAX;
}

static bool has_order(const struct dimension *d)
{
    return d->distribution != DISTRIBUTION_CATEGORICAL && d->distribution != DISTRIBUTION_CONSTANT;
}

/* Positions from 0 to 1; absent ones below, in a part as large for its share. */
static void fill_ordered(const struct dimension *d, size_t rows, size_t absent,
                         struct forest_column *c)
{
    double below = (double)absent / (double)(rows > absent ? rows - absent : 1);
    c->ordered = true;
    c->low = -below;
    c->high = 1;
    for (size_t i = 0; i < rows; i++)
        c->values[i] = isnan(c->values[i]) ? -below : dimension_position(d, c->values[i]);
}

/* The listed values, and behind them the absent one, which weighs as its share. */
static void fill_categories(const struct dimension *d, size_t rows, size_t absent,
                            struct forest_column *c)
{
    size_t n = d->distribution == DISTRIBUTION_CATEGORICAL ? d->value_count : 1;
    double share = (double)absent / (double)rows;
    c->categories = n + 1;
    c->weights = xcalloc(n + 1, sizeof(*c->weights));
    for (size_t i = 0; i < n; i++)
        c->weights[i] = (1 - share) / (double)n;
    c->weights[n] = share;
    for (size_t i = 0; i < rows; i++) {
        double u = isnan(c->values[i]) ? 0 : dimension_position(d, c->values[i]);
        c->values[i] = isnan(c->values[i]) ? (double)n
                                           : fmin(floor(u * (double)n), (double)n - 1);
    }
}

static void table_init(struct forest_table *t, const struct importance_runs *r, uint64_t seed)
{
    uint32_t *chosen = xcalloc(r->count + 1, sizeof(*chosen));
    *t = (struct forest_table){.rows = choose(r, seed, chosen), .columns = r->space->count};
    t->column = xcalloc(t->columns, sizeof(*t->column));
    t->target = xcalloc(t->rows, sizeof(*t->target));
    for (size_t i = 0; i < t->rows; i++)
        t->target[i] = r->runs[chosen[i]].cost;
    for (size_t d = 0; d < t->columns; d++) {
        struct forest_column *c = &t->column[d];
        size_t absent = 0;
        c->values = xcalloc(t->rows, sizeof(*c->values));
        for (size_t i = 0; i < t->rows; i++) {
            c->values[i] = importance_value(r, chosen[i], d);
            absent += isnan(c->values[i]);
        }
        if (has_order(&r->space->dimensions[d]))
            fill_ordered(&r->space->dimensions[d], t->rows, absent, c);
        else
            fill_categories(&r->space->dimensions[d], t->rows, absent, c);
    }
    free(chosen);
}

static void table_finish(struct forest_table *t)
{
    for (size_t d = 0; d < t->columns; d++) {
        free(t->column[d].values);
        free(t->column[d].weights);
    }
    free(t->column);
    free(t->target);
}

/* Far off: sums of squares stay small beside the differences. */
static void centre(struct forest_table *t)
{
    double mean = 0;
    for (size_t i = 0; i < t->rows; i++)
        mean += t->target[i] / (double)t->rows;
    for (size_t i = 0; i < t->rows; i++)
        t->target[i] -= mean;
}

/* --- a tree's variance ----------------------------------------------------------------------- */

/* Share of the column that the side has. */
static double extent(const struct forest_column *c, const struct forest_side *s)
{
    double sum = 0;
    if (c->ordered)
        return (s->high - s->low) / (c->high - c->low);
    for (size_t i = 0; i < c->categories; i++)
        sum += forest_side_has(s, i) ? c->weights[i] : 0;
    return sum;
}

static double *volumes(const struct forest_table *t, const struct forest_tree *tree)
{
    double *v = xcalloc(tree->count, sizeof(*v));
    for (size_t l = 0; l < tree->count; l++) {
        v[l] = 1;
        for (size_t c = 0; c < t->columns; c++)
            v[l] *= extent(&t->column[c], &tree->sides[l * t->columns + c]);
    }
    return v;
}

static double variance(const double *values, const double *weights, size_t count)
{
    double sum = 0, mean = 0, square = 0;
    for (size_t i = 0; i < count; i++) {
        sum += weights[i];
        mean += weights[i] * values[i];
    }
    if (sum <= 0)
        return 0;
    mean /= sum;
    for (size_t i = 0; i < count; i++)
        square += weights[i] * (values[i] - mean) * (values[i] - mean);
    return square; /* of a part of the space: in proportion to it */
}

static int by_value(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* First of the cuts that is not below x. */
static size_t find(const double *cuts, size_t count, double x)
{
    size_t from = 0;
    while (count > 0) {
        size_t half = count / 2;
        if (cuts[from + half] < x) {
            from += half + 1;
            count -= half + 1;
        } else {
            count = half;
        }
    }
    return from;
}

/* The mean along an ordered column, from cut to cut: each leaf is added where it begins and taken
 * off where it ends. */
static double along_ordered(const struct forest_table *t, const struct forest_tree *tree,
                            const double *volume, size_t c)
{
    const struct forest_column *col = &t->column[c];
    size_t n = 0, unique = 0;
    double *cuts = xcalloc(2 * tree->count + 1, sizeof(*cuts));
    cuts[n++] = 0; /* what is absent ends there */
    for (size_t l = 0; l < tree->count; l++) {
        cuts[n++] = tree->sides[l * t->columns + c].low;
        cuts[n++] = tree->sides[l * t->columns + c].high;
    }
    qsort(cuts, n, sizeof(*cuts), by_value);
    for (size_t i = 0; i < n; i++)
        if (unique == 0 || cuts[i] != cuts[unique - 1])
            cuts[unique++] = cuts[i];
    double *mean = xcalloc(unique + 1, sizeof(*mean));
    double *size = xcalloc(unique + 1, sizeof(*size));
    for (size_t l = 0; l < tree->count; l++) {
        const struct forest_side *s = &tree->sides[l * t->columns + c];
        double whole = extent(col, s), share = whole > 0 ? tree->values[l] * volume[l] / whole : 0;
        mean[find(cuts, unique, s->low)] += share;
        mean[find(cuts, unique, s->high)] -= share;
    }
    for (size_t i = 0; i + 1 < unique; i++) {
        mean[i + 1] += mean[i];
        size[i] = cuts[i] < 0 ? 0 : (cuts[i + 1] - cuts[i]) / (col->high - col->low);
    }
    double own = unique > 1 ? variance(mean, size, unique - 1) : 0;
    free(cuts);
    free(mean);
    free(size);
    return own;
}

static double along_categories(const struct forest_table *t, const struct forest_tree *tree,
                               const double *volume, size_t c)
{
    const struct forest_column *col = &t->column[c];
    double mean[FOREST_CATEGORIES] = {0};
    for (size_t l = 0; l < tree->count; l++) {
        const struct forest_side *s = &tree->sides[l * t->columns + c];
        double whole = extent(col, s);
        for (size_t i = 0; i < col->categories && whole > 0; i++)
            if (forest_side_has(s, i))
                mean[i] += tree->values[l] * volume[l] / whole;
    }
    return variance(mean, col->weights, col->categories - 1); /* the last one: absent */
}

static void add_tree(const struct forest_table *t, const struct forest_tree *tree, size_t *trees,
                     double *out)
{
    double *volume = volumes(t, tree), all = variance(tree->values, volume, tree->count);
    if (all > 0) {
        ++*trees;
        for (size_t c = 0; c < t->columns; c++)
            out[c] += (t->column[c].ordered ? along_ordered(t, tree, volume, c)
                                            : along_categories(t, tree, volume, c)) / all;
    }
    free(volume);
}

void fanova(const struct importance_runs *r, uint64_t seed, double *out)
{
    struct forest_table table;
    size_t trees = 0;
    table_init(&table, r, seed);
    centre(&table);
    for (uint64_t i = 0; i < TREES; i++) {
        struct forest_tree tree;
        struct rng rng;
        rng_init(&rng, seed, RNG_IMPORTANCE, i);
        forest_grow(&table, &rng, &tree);
        add_tree(&table, &tree, &trees, out);
        forest_tree_finish(&tree);
    }
    for (size_t c = 0; c < table.columns && trees > 0; c++)
        out[c] /= (double)trees;
    table_finish(&table);
}
