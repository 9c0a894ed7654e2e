/* The noise that no falling-then-rising curve explains.
 *
 * A loss curve of a run that learns, converges, overfits or diverges falls, then rises (either
 * part may be empty); its noise is what is left over the best such fit. Wandering (correlated
 * noise, which a window mistakes for a trend) does not fit that shape and counts as noise. */
#ifndef COMMON_DIAGNOSIS_UNIMODAL_H
#define COMMON_DIAGNOSIS_UNIMODAL_H

#include <stddef.h>

/* Doubles of scratch for n values. */
size_t unimodal_scratch(size_t n);
/* 1.4826 x median |y - fit|, fit the least-squares fall-then-rise. n >= 1, O(n). */
double unimodal_sigma(const double *y, size_t n, double *scratch);

#endif
