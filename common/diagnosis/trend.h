/* How one loss behaves at its end: Theil–Sen slope and Mann–Kendall test over the tail window,
 * judged against the curve's own noise, and the rise from the minimum (docs/patterns.md). */
#ifndef COMMON_DIAGNOSIS_TREND_H
#define COMMON_DIAGNOSIS_TREND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/diagnosis/series.h"

/* What one curve shows, before any threshold. In the series' own scale. */
struct trend {
    size_t count, window; /* of s->y */
    double change;        /* Delta = Theil–Sen slope x (window-1) */
    double z;             /* Mann–Kendall */
    double sigma;         /* noise in the window */
    double range;         /* R = P95-P5 without the first 10 % */
    double level;         /* L = |median of the window| */
    double first, max;    /* first value, largest value */
    double full;          /* max-min; P98-min from 50 values on */
    double reach;         /* min(full, 10 R): all it moved, unless a first value dwarfs the rest */
    double best, end;     /* smoothed minimum m, median of the last points */
    size_t best_at;       /* a */
    double raw_best;      /* smallest single value of y */
};

/* How much a trend must show. The same curve is judged thrice: lax, default, strict. */
struct gates {
    double z;    /* |Z|, from 10 points on; × 1/1.28 below */
    double size; /* of |Delta| against 0.02 R, 0.01 L and the noise */
    double rise; /* of the rise from the minimum */
};

/* scratch: trend_scratch(count) doubles. count >= SERIES_MIN */
size_t trend_scratch(size_t count);
void trend_measure(struct trend *t, const struct series *s, double *scratch);
/* Minimum, end and range alone: all that fewer points than SERIES_MIN can give. count >= 1 */
void trend_measure_ends(struct trend *t, const struct series *s, double *scratch);
/* -1, 0, +1 */
int trend_sign(const struct trend *t, const struct gates *g, bool training);

#endif
