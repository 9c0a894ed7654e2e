/* What the search methods share about a search space: the set of tried configurations, steps
 * along one dimension, and the nearest configuration that was not tried yet. Pure. */
#ifndef SWEEPD_SEARCH_SPACE_H
#define SWEEPD_SEARCH_SPACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/study.h"
#include "sweep/rng.h"
#include "sweep/space.h"

/* --- tried configurations: a hash set over the swept parameters ---------------------------- */
struct tried {
    const struct space *space; /* borrowed */
    size_t count, cap;       /* keys */
    double *keys;            /* count × dimensions */
    size_t slot_count;       /* power of two */
    uint32_t *slots;         /* index of the key + 1; 0: free */
};
void tried_init(struct tried *t, const struct space *s);
void tried_finish(struct tried *t);
bool tried_has(const struct tried *t, const struct assignment *c);
/* false when it was there already */
bool tried_add(struct tried *t, const struct assignment *c);
/* It was added as the so-manieth, from 0; TRIED_NONE: never. */
#define TRIED_NONE SIZE_MAX
size_t tried_place(const struct tried *t, const struct assignment *c);
/* As it was when it held so many. */
void tried_truncate(struct tried *t, size_t count);

/* --- the space ------------------------------------------------------------------------------ */

/* Three significant digits, within the range of a continuous dimension. */
double space_tidy(const struct dimension *d, double value);
/* Numbers above 0 alone: it can be searched as a learning rate, by factors. */
bool space_is_rate(const struct dimension *d);
/* From a value `steps` steps along the dimension. A learning rate moves by `spacing` decades a
 * step, another continuous one by spacing/2 of its range, one of countable values from value to
 * value (to further ones where there are many). False beyond the end. */
bool space_move(const struct dimension *d, double from, int steps, double spacing, double *out);
/* The nearest configuration to base not tried yet, moving only unfrozen dimensions: neighbours
 * first, then seeded moves that get wider, then whatever is left. False when none is left. */
bool space_near(const struct space *s, const struct assignment *base, uint64_t frozen,
                const struct tried *t, struct rng *r, struct assignment *out);

/* --- what was not tried yet ----------------------------------------------------------------- */

/* Adds the configurations of all runs of the sweep, from that one on, that are as its specification
 * says, whoever asked for them. */
void tried_add_all(struct tried *t, const struct study *st, size_t from);

/* No configuration comes twice: with the same seed it would be the same run. */
struct untried {
    bool finite;
    struct tried *tried; /* what the study keeps of it, with what is taken until finish; or own */
    size_t known;        /* before anything was taken */
    struct tried own;
};
void untried_init(struct untried *u, const struct study *st);
void untried_finish(struct untried *u);
/* What was drawn, or the nearest to it that was not tried. False: all were. */
bool untried_take(struct untried *u, struct rng *rng, struct assignment *a);

#endif
