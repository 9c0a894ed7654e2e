/* A seeded balanced design: levels equally often, pairs spread. */
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/search/coarse_to_fine.h"
#include "sweep/buf.h"

#define DESIGN_SHUFFLES 64    /* orders that are compared … */
#define DESIGN_COMPARED 128   /* … for at most so many runs; beyond, chance spreads well enough */

struct column {
    const struct dimension *d;
    size_t index;
    size_t levels;
    double *values;  /* of each level */
    uint32_t *level; /* of each run */
};

/* A short list of values: all of them. Many or uncountable values: one out of each of `count`
 * equal cells, at a random place within it. */
static void column_levels(struct column *c, size_t count, struct rng *r)
{
    uint64_t n = dimension_cardinality(c->d);
    bool all = n > 0 && (n <= count || c->d->distribution == DISTRIBUTION_CATEGORICAL || n <= 8);
    c->levels = all ? (size_t)n : count;
    c->values = xmalloc(c->levels * sizeof(*c->values));
    for (size_t i = 0; i < c->levels; i++) {
        if (all) {
            c->values[i] = dimension_nth(c->d, i);
            continue;
        }
        double v = dimension_value(c->d, ((double)i + rng_uniform(r)) / (double)count);
        c->values[i] = n > 0 ? v : space_tidy(c->d, v);
    }
}

/* Each level count/levels times; which of them once more is by chance. */
static void column_fill(struct column *c, size_t count, struct rng *r)
{
    uint32_t *order = xmalloc(c->levels * sizeof(*order));
    for (size_t i = 0; i < c->levels; i++)
        order[i] = (uint32_t)i;
    rng_shuffle(r, order, c->levels);
    c->level = xmalloc(count * sizeof(*c->level));
    for (size_t i = 0; i < count; i++)
        c->level[i] = order[i % c->levels];
    free(order);
}

/* Sum over pairs of runs of (number of equal levels)²: small when pairs of levels are spread. */
static uint64_t overlap(const struct column *columns, size_t n, size_t count)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < i; j++) {
            uint64_t equal = 0;
            for (size_t k = 0; k < n; k++)
                equal += columns[k].level[i] == columns[k].level[j];
            sum += equal * equal;
        }
    }
    return sum;
}

static void shuffle_columns(struct column *columns, size_t n, size_t count, struct rng *r)
{
    uint32_t *best[SPACE_MAX_DIMENSIONS];
    uint64_t best_overlap = UINT64_MAX;
    for (size_t k = 0; k < n; k++)
        best[k] = xmalloc(count * sizeof(*best[k]));
    int shuffles = count <= DESIGN_COMPARED ? DESIGN_SHUFFLES : 1;
    for (int round = 0; round < shuffles; round++) {
        for (size_t k = 0; k < n; k++)
            rng_shuffle(r, columns[k].level, count);
        uint64_t o = shuffles == 1 ? 0 : overlap(columns, n, count);
        if (o >= best_overlap)
            continue;
        best_overlap = o;
        for (size_t k = 0; k < n; k++)
            memcpy(best[k], columns[k].level, count * sizeof(*best[k]));
    }
    for (size_t k = 0; k < n; k++) {
        free(columns[k].level);
        columns[k].level = best[k];
    }
}

void design_balanced(const struct space *s, const struct assignment *base, uint64_t frozen,
                     size_t count, struct rng *r, struct assignment *out)
{
    struct column columns[SPACE_MAX_DIMENSIONS];
    size_t n = 0;
    if (count == 0)
        return;
    for (size_t i = 0; i < s->count; i++) {
        if (frozen >> i & 1)
            continue;
        columns[n] = (struct column){.d = &s->dimensions[i], .index = i};
        column_levels(&columns[n], count, r);
        column_fill(&columns[n++], count, r);
    }
    shuffle_columns(columns, n, count, r);
    for (size_t i = 0; i < count; i++) {
        out[i] = *base;
        for (size_t k = 0; k < n; k++)
            out[i].v[columns[k].index] = columns[k].values[columns[k].level[i]];
    }
    for (size_t k = 0; k < n; k++) {
        free(columns[k].values);
        free(columns[k].level);
    }
}
