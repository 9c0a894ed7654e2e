/* How methods that learn see a dimension: as a range [0, 1], as an ordered row of cells in it, or
 * as choices without an order. */
#ifndef SWEEPD_SEARCH_AXIS_H
#define SWEEPD_SEARCH_AXIS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/space.h"

/* More ordered values than these are as good as a range. */
#define AXIS_CELLS_MAX 24

enum axis_kind { AXIS_RANGE, AXIS_CELLS, AXIS_CHOICES };

struct axis {
    const struct dimension *dimension;
    enum axis_kind kind;
    uint32_t count; /* cells or choices; 0: a range */
    double edges[AXIS_CELLS_MAX + 1]; /* cell c lies from edge c to edge c + 1 */
    uint16_t order[SPACE_MAX_VALUES]; /* listed numbers: cell → place in the list */
};

struct axes {
    size_t count;
    struct axis *items;
};

void axes_init(struct axes *a, const struct space *space);
void axes_finish(struct axes *a);

/* Where a value lies: in [0, 1] of a range, else the number of its cell or choice. NAN: absent. */
double axis_place(const struct axis *x, double value);
double axis_value(const struct axis *x, double place);
/* The cell in which a position in [0, 1] lies. */
uint32_t axis_cell(const struct axis *x, double u);
/* places[dimensions] */
void axes_places(const struct axes *a, const struct assignment *at, double *places);

#endif
