/* A labelled curve in a few lines: its losses as blocks, and under them which stretch looks like
 * what. Pure. */
#ifndef SWEEPCTL_LABEL_PLOT_H
#define SWEEPCTL_LABEL_PLOT_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/curve_file.h"
#include "sweep/diagnosis.h"

struct buf;

/* Appends it for the first count points; width: columns of the terminal, 0: not one. Nothing where
 * there are fewer than two points. */
void label_plot(const struct diagnosis *d, const struct curve *c, size_t count, size_t width,
                bool colour, struct buf *out);

#endif
