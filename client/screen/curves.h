/* Curves in cells: braille dots, two by four in a cell, or characters where there is no braille.
 * Pure. */
#ifndef SWEEPCTL_CURVES_H
#define SWEEPCTL_CURVES_H

#include <stddef.h>

#include "client/screen/grid.h"

/* One curve: y over x, x rising. A y that is no number is a gap. */
struct curve_line {
    const float *x, *y;
    size_t count, stride; /* stride: floats from a value to the next */
    enum ink ink;
    char mark;            /* of it where there is no braille, or no colour */
    bool dotted;          /* every second dot column: tells it from another without colour */
};
struct curve_area {
    size_t row, column, width, height; /* with the axis: its labels take CURVES_AXIS columns */
    double from, to;                   /* of x, from < to */
    bool marks;                        /* characters instead of braille */
};
#define CURVES_AXIS 8

/* Draws all on one scale, logarithmic where all are above 0 and they span two decades or more. */
void curves_draw(struct grid *g, const struct curve_area *p, const struct curve_line *series,
               size_t count);
/* The values as blocks in the span, thinned to it. */
void curves_sparkline(struct grid *g, struct span at, const struct curve_line *s, enum ink ink);

#endif
