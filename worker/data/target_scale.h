/* What a regression's targets are scaled by: fitted on the training part, undone in all that a
 * person sees. */
#ifndef WORKER_DATA_TARGET_SCALE_H
#define WORKER_DATA_TARGET_SCALE_H

#include <stddef.h>
#include <stdint.h>

#include "worker/data/samples.h"

/* Sets target_shift and target_unit: mean and population standard deviation of each target over
 * these rows; a target of each step has one of each over all steps. A target that is constant
 * there keeps its unit. s->targets is not NULL. */
void target_scale_fit(struct scaling *out, const struct samples *s, const uint32_t *row,
                      size_t count);

#endif
