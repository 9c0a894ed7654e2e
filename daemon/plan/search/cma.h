/* The normal distribution of CMA-ES and its adaptation (Hansen 2016, "The CMA evolution strategy: a
 * tutorial"), with a margin for coordinates that are cut into cells (Hamano et al. 2022, "CMA-ES
 * with margin"): no cell beside the mean's becomes so unlikely that it is never drawn again. */
#ifndef SWEEPD_SEARCH_CMA_H
#define SWEEPD_SEARCH_CMA_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/rng.h"

struct cma {
    size_t n;           /* coordinates; may be 0 */
    double sigma;       /* step size */
    size_t generations; /* that it was adapted to */
    double *mean, *path, *step_path, *scale; /* [n]; scale: the margin's, of the deviations */
    double *covariance, *axes;               /* [n][n]; axes: its eigenvectors, by columns */
    double *lengths;                         /* [n]: roots of its eigenvalues */
    double *scratch;                         /* [n][n] */
};

/* So many members as a generation of n coordinates has by default. */
size_t cma_population(size_t n);
/* mean[n] */
void cma_init(struct cma *c, size_t n, const double *mean, double sigma);
void cma_finish(struct cma *c);

/* x[n] */
void cma_sample(const struct cma *c, struct rng *r, double *x);
/* To a generation of `count` members, the best first; below 2 it stays as it is. */
void cma_adapt(struct cma *c, const double *const *members, size_t count);
/* Coordinate i is cut at edges[1 … cells - 1]: each of the cells beside the mean's keeps a
 * probability of at least alpha (half of it where there are two). */
void cma_keep_margin(struct cma *c, size_t i, const double *edges, size_t cells, double alpha);
/* Deviation of what it draws along a coordinate. */
double cma_deviation(const struct cma *c, size_t i);
/* Nothing more comes of it: its axes are too unequal for doubles. */
bool cma_is_degenerate(const struct cma *c);

#endif
