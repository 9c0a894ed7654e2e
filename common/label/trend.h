/* How one loss behaves at its end: Theil–Sen slope and Mann–Kendall test over the tail window,
 * tested against the curve's own noise, and the rise from the minimum (docs/patterns.md). */
#ifndef COMMON_DIAGNOSIS_TREND_H
#define COMMON_DIAGNOSIS_TREND_H

#include <stdbool.h>
#include <stddef.h>

#include "common/label/rules.h"
#include "common/label/series.h"

/* What one curve shows, before any threshold. In the series' own scale. */
struct trend {
    size_t count, window; /* of s->y */
    double change;        /* Delta = Theil–Sen slope x (window-1) */
    double margin;        /* 95 % interval of Delta: Delta ± margin, were the noise white */
    double z;             /* Mann–Kendall */
    double pace;          /* slope of the window's last half over that of the window */
    double unit;          /* smallest step in the window: the last digit of rounded losses */
    double sigma;         /* noise in the window */
    double wander;        /* noise of the whole curve around the best fall-then-rise */
    double late_wander;   /* the same of the last 60 % alone: small once a run has recovered */
    double range;         /* R = P95-P5 without the first 10 % */
    double level;         /* L = |median of the window| */
    double first, last;   /* first and last value */
    double max;           /* largest value */
    double max_before;    /* largest value before the last */
    double end_low;       /* smallest of the last points */
    double full;          /* max-min; P98-min from 50 values on */
    double reach;         /* min(full, 10 R): all it moved, unless a first value dwarfs the rest */
    double best, end;     /* smoothed minimum m, median of the last points */
    size_t best_at;       /* a */
    double since_best_z;  /* Mann–Kendall of the values after it */
    double raw_best;      /* smallest single value of y */
};

/* Factors of one ensemble member on the thresholds of the rules. */
struct gates {
    double size;  /* of everything that is measured in losses */
    double z;     /* of the Mann–Kendall tests */
    double noise; /* of the noise that a slope must exceed */
};

/* scratch: trend_scratch(count) doubles. count >= SERIES_MIN */
size_t trend_scratch(size_t count);
void trend_measure(struct trend *t, const struct series *s, double *scratch);
/* Minimum, end and range alone: all that fewer points than SERIES_MIN can give. count >= 1 */
void trend_measure_ends(struct trend *t, const struct series *s, double *scratch);
/* How much a change matters where the loss stands at level. */
double trend_size(const struct trend *t, double change, double level);
/* The slope of the window alone: -1, 0, +1 */
int trend_slope_sign(const struct trend *t, const struct rules *r, const struct gates *g);
/* The same, or +1 where it rose from its minimum. */
int trend_sign(const struct trend *t, const struct rules *r, const struct gates *g, bool training);

#endif
