/* Where a curve that falls by and by will be: power and exponential families, averaged by how well
 * each fits. Pure; ours, after Domhan et al. 2015 and Swersky et al. 2014, without sampling: the
 * families are linear but for one number, which is taken from a grid. */
#ifndef SWEEPD_EXTRAPOLATE_H
#define SWEEPD_EXTRAPOLATE_H

#include <stdbool.h>
#include <stddef.h>

#define EXTRAPOLATE_LEAST 5 /* points, all finite */

/* Of the same value later: its mean, its middle nine tenths, and the chance that it is below. */
struct extrapolation {
    double mean, low, high;
    double below;
};

/* costs[i] at epochs[i] > 0, ascending; less is better. False: too few of them. Cost grows with
 * count alone. */
bool extrapolate(const double *epochs, const double *costs, size_t count, double horizon,
                 double level, struct extrapolation *out);

#endif
