/* What a run of an earlier sweep is in the space of one that is submitted. Pure. */
#ifndef SWEEPD_WARM_VALUES_H
#define SWEEPD_WARM_VALUES_H

#include "daemon/engine/rows.h"
#include "sweep/spec.h"

#define WARM_WHY_MAX 256

enum warm_fit {
    WARM_FITS,
    WARM_FITS_OTHERWISE, /* its values do; what is not searched here it has otherwise */
    WARM_OUTSIDE,        /* they do not, and why */
};
/* theirs: the task of its sweep. Of another kind than ours its values are found by what they mean:
 * `lr` of a program is `learning_rate` of the trainer. */
enum warm_fit warm_values(const struct spec *ours, enum task_id theirs, const struct run_row *row,
                          struct assignment *at, char why[WARM_WHY_MAX]);

#endif
