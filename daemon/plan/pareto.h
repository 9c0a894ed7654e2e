/* Runs by several objectives: who betters whom in all of them, and in which order that puts them.
 * Costs are rows of `width` numbers, small is good; INFINITY where nothing is known. Pure. */
#ifndef SWEEPD_PARETO_H
#define SWEEPD_PARETO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/study.h"
#include "sweep/objective.h"

struct rng;

/* What a run came to at its end, or by a rung; all INFINITY where the first one is no number. */
void pareto_costs(const struct objectives *o, const struct trial *t, double *out);
void pareto_costs_at(const struct objectives *o, const struct rung *r, double *out);

/* a is no worse in any of them, and better in one. */
bool pareto_dominates(const double *a, const double *b, size_t width);

struct pareto {
    size_t count, width;
    uint32_t *front; /* of each row: 0, nobody dominates it; 1, but for those nobody does; … */
    uint32_t *order; /* rows: by front, then those with most room around them; ties by row */
};
/* Non-dominated sorting (Zhang et al. 2015, ENS), then by crowding distance (Deb et al. 2002). */
void pareto_init(struct pareto *p, const double *costs, size_t count, size_t width);
void pareto_finish(struct pareto *p);
/* Which rows nobody dominates: the first front alone, which is sooner found. */
void pareto_first(const double *costs, size_t count, size_t width, bool *first);

/* Weights that sum to 1, evenly over all that do. */
void pareto_weights(struct rng *r, size_t width, double *out);
/* One cost of many, for every row: the augmented Tchebycheff function of ParEGO (Knowles 2006)
 * over each objective's ranks among the rows, so that no scale has to be known. */
void pareto_scalarise(const double *costs, size_t count, size_t width, const double *weights,
                      double *out);

#endif
