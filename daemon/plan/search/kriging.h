/* A Gaussian process over a search space (Rasmussen and Williams 2006): Matérn 5/2 with a length of
 * its own for every dimension. Ranges and cells are coordinates in [0, 1]; of choices, and of what
 * is absent in one of two configurations, the distance is 1 where they differ. */
#ifndef SWEEPD_SEARCH_KRIGING_H
#define SWEEPD_SEARCH_KRIGING_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/plan/search/axis.h"
#include "daemon/plan/search/factor.h"
#include "sweep/space.h"

/* Logarithms: of the lengths, then of the variances of signal and of noise. */
struct kernel {
    size_t dimensions;
    double log[SPACE_MAX_DIMENSIONS + 2];
};

/* Points, by blocks of FACTOR_LANES: [block][dimension][lane]. */
struct points {
    const struct axes *axes;
    size_t count, cap;
    bool absent[SPACE_MAX_DIMENSIONS]; /* of one of them at least */
    double *x;
};
void points_init(struct points *p, const struct axes *axes, size_t cap);
void points_finish(struct points *p);
/* A configuration's places (axis.h). */
void points_add(struct points *p, const double *places);

/* What was seen at the first of the points: values with mean about 0 and deviation 1, and how many
 * runs each is the mean of. */
struct seen {
    size_t count;
    const double *y, *runs;
};

/* The kernel that explains what was seen best, in proportion to how plausible it is beforehand. */
void kernel_fit(struct kernel *k, const struct points *p, const struct seen *s);

struct kriging {
    struct kernel kernel;
    const struct points *points; /* behind those that were seen: pending ones, which take from the
                                    variance and change no mean (Desautels et al. 2014) */
    size_t seen, stride;
    double *factor, *weights, *means; /* weights, means: of those that were seen */
};
void kriging_init(struct kriging *g, const struct kernel *k, const struct points *p,
                  const struct seen *s);
void kriging_finish(struct kriging *g);
/* Of the points of a block (lanes beyond its count are void). */
void kriging_predict(const struct kriging *g, const struct points *at, size_t block,
                     double mean[FACTOR_LANES], double variance[FACTOR_LANES]);

/* The logarithm of the expected improvement below `least`; stable however unlikely it is (Ament et
 * al. 2023). */
double log_expected_improvement(double mean, double deviation, double least);

#endif
