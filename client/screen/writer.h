/* What a terminal must be told to show one grid where it shows another. Pure. */
#ifndef SWEEPCTL_WRITER_H
#define SWEEPCTL_WRITER_H

#include <stdbool.h>

#include "client/screen/grid.h"

/* Appends the bytes and makes *shown a copy of next. A grid of another size than shown is written
 * whole. colour: inks are escape sequences; else they are left out. */
void writer_diff(struct grid *shown, const struct grid *next, bool colour, struct buf *out);

#endif
