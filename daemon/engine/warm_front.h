/* Earlier sweeps for one that has several objectives: what their runs came to in each. Pure. */
#ifndef SWEEPD_WARM_FRONT_H
#define SWEEPD_WARM_FRONT_H

#include "daemon/engine/rows.h"
#include "daemon/plan/earlier.h"
#include "sweep/spec.h"

/* An objective of ours of which runs of theirs say nothing; NULL: they may say all. */
const char *warm_lacks(const struct spec *ours, const struct spec *theirs);
/* What the run came to in the objectives behind the metric. False: that is not known of all. */
bool warm_further(const struct spec *ours, const struct spec *theirs, const struct run_row *row,
                  struct earlier_run *out);
/* Runs of which all that is known, by fronts, to the order in which pareto_init has them. */
void warm_by_front(const struct spec *ours, const struct earlier_run *runs, size_t *order,
                   size_t count);

#endif
