/* The last runs of a sweep: other seeds of its best configurations, in rounds of successive halving
 * (Jamieson and Talwalkar 2016, over seeds instead of epochs). What a search without them calls
 * best is mostly the luckiest seed. Pure. */
#ifndef SWEEPD_FINALISTS_H
#define SWEEPD_FINALISTS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/plan/repeat.h"
#include "daemon/plan/study.h"

#define STAGE_FINALISTS "finalists"
#define FINALISTS_MAX 12 /* configurations of the first round */

/* So many runs the round has in which the run number `begun` of `runs` begins, and how many of them
 * came before it. */
size_t finalists_round(size_t runs, size_t begun, size_t *of_round);

/* Appends the next round, at most `want` runs: `begun` are begun already. RUNS; WAIT while anything
 * is live; DONE when none is left, or no configuration has come to its end. */
enum answer finalists_next(const struct study *st, size_t begun, size_t want, struct repeats *out);

#endif
