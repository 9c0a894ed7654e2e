/* The parts of space_settle and space_next. Private to common/space/. */
#ifndef SWEEP_COMMON_SPACE_SETTLE_H
#define SWEEP_COMMON_SPACE_SETTLE_H

#include "sweep/space.h"

struct errbuf;

/* --- conditions.c ---------------------------------------------------------------------------- */

/* order, conditional and each rests_on; ERR_VALUE and the dimension at fault. */
int conditions_settle(struct space *s, size_t *at, struct errbuf *err);
/* Of the values at a place: NAN for those that are absent. Where an unfrozen one of them is not at
 * its first value the place is none of its own: the dimensions by which that is so, else 0. */
uint64_t space_complete_places(const struct space *s, uint64_t frozen, struct assignment *a);

/* --- walk.c ---------------------------------------------------------------------------------- */

/* What was counted. */
struct space_walk {
    uint64_t size;       /* as space_size has it; 0: nothing is allowed */
    bool has_witness;
    struct assignment witness; /* one that is allowed */
    size_t mark_count;
    uint64_t *marks;     /* the places of configurations 0, 1 × WALK_STRIDE, 2 × … */
};
#define WALK_STRIDE 1024
void walk_destroy(struct space_walk *w);

#endif
