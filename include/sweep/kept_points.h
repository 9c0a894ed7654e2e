/* The points of a run that its label is made of: all of them, and of a long run every second,
 * fourth, … so that memory is bounded. Zero-initialised is empty. Pure. */
#ifndef SWEEPD_KEPT_POINTS_H
#define SWEEPD_KEPT_POINTS_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/curve.h"

#define POINTS_KEPT_MAX 65536

struct kept_points {
    struct point *points;
    size_t count, cap;
    int64_t skip; /* between two that are kept: numbers 1, 2 + skip, 3 + 2 skip, … */
};

void kept_points_add(struct kept_points *k, const struct point *p);
/* Keeps the memory. */
void kept_points_clear(struct kept_points *k);
void kept_points_finish(struct kept_points *k);

#endif
