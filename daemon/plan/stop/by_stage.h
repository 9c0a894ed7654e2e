/* Rungs of a search in stages (early_terminate.by_stage): what is only begun is tried on a short
 * budget, what goes by the best so far on a longer one, and each optimizer beside the first has its
 * own honest try. Pure. */
#ifndef SWEEPD_STOP_BY_STAGE_H
#define SWEEPD_STOP_BY_STAGE_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/study.h"
#include "sweep/stop.h"

/* Epoch of the first rung of run `number`, of that stage; 0: it goes on to its end. Without
 * by_stage as stop_next_rung says. */
int64_t stop_first_rung(const struct stop_settings *s, const char *stage, size_t number,
                        int64_t epochs);
/* Runs are compared with those of the same group alone: 0 is that of coarse and fine, and of
 * all runs without by_stage. */
size_t stop_group(const struct study *st, const struct trial *t);
/* It was stopped at a rung of such a search: what its curve shows is that of a short budget. */
bool stop_cut_short(const struct stop_settings *s, const struct trial *t);

#endif
