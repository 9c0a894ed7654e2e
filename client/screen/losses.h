/* A run's two losses in a place of the grid, on one scale. Pure. */
#ifndef SWEEPCTL_LOSSES_H
#define SWEEPCTL_LOSSES_H

#include "client/screen/grid.h"
#include "client/screen/model.h"

struct area {
    size_t row, column, width, height;
};
/* marks: letters instead of braille. */
void losses_draw(struct grid *g, const struct model_run *r, const struct area *a, bool marks);

#endif
