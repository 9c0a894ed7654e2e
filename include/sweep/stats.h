/* Order statistics without allocation. All arrays hold finite numbers, n >= 1; a[] is reordered
 * where it is not const. */
#ifndef SWEEP_STATS_H
#define SWEEP_STATS_H

#include <stddef.h>

/* Puts the k-th smallest (from 0) at a[k], no larger ones before, no smaller behind. O(n). */
double stats_select(double *a, size_t n, size_t k);
/* The mean of the two middle values where n is even. */
double stats_median(double *a, size_t n);
/* Linear interpolation between order statistics, q in [0,1]. */
double stats_quantile(double *a, size_t n, double q);
/* 1.4826 x median |a - median a|: sigma, were the values normal. Overwrites a. */
double stats_mad_sigma(double *a, size_t n);
/* Running median of width 2*half+1, cut off at both ends. scratch: 2*half+2 values. */
void stats_running_median(const double *a, size_t n, size_t half, double *out, double *scratch);

#endif
