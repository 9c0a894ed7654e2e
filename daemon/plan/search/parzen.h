/* A Parzen estimator over a search space: a mixture of a uniform density and of one product kernel
 * around each of some configurations. A dimension's kernel is a normal density cut off at the ends
 * of a range (on an ordered row of cells: its integral over each), or a peak over choices. Where a
 * configuration has a dimension and the kernel's centre has not (it depends on another's value),
 * the kernel is uniform there; a dimension that a configuration has not does not count. */
#ifndef SWEEPD_SEARCH_PARZEN_H
#define SWEEPD_SEARCH_PARZEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/search/axis.h"
#include "sweep/rng.h"

struct parzen {
    const struct axes *axes;
    size_t count;      /* kernels; the uniform density comes on top */
    double *weights;   /* [count + 1] sum to 1; the last is the uniform one's */
    double *centres;   /* [dimensions][count], as places (axis.h); NAN: absent */
    double *width;     /* [dimensions]: standard deviation in [0, 1]; of choices: the share of a
                        * kernel that is spread over all of them */
    double *log_scale; /* [dimensions][count] of ranges: log of the cut-off density's factor */
    double **tables;   /* [dimensions] of cells and choices: [own][centre, or count: none], logs */
    uint16_t *cells;   /* [dimensions][count]: their columns */
    bool *lacking;     /* [dimensions]: a range that some centre has not */
    double *sums;      /* [count + 1] scratch */
};

/* places[i]: the i-th centre; weights[count + 1] of any sum. The pointers are read here only. */
void parzen_init(struct parzen *p, const struct axes *axes, const double *const *places,
                 size_t count, const double *weights, const double *width);
void parzen_finish(struct parzen *p);

/* A configuration's places, with a value in every dimension. */
void parzen_sample(const struct parzen *p, struct rng *r, double *places);
/* NAN in places: absent. */
double parzen_log_density(struct parzen *p, const double *places);

#endif
