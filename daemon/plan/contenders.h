/* Other seeds of the best few while a search goes on: instalments out of the last runs, so that
 * the best mean of two seeds or more is known long before the end. Pure. */
#ifndef SWEEPD_CONTENDERS_H
#define SWEEPD_CONTENDERS_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/plan/repeat.h"
#include "daemon/plan/study.h"

#define STAGE_CONTENDERS "contenders"
#define CONTENDERS_LEAST 6    /* runs of an instalment: of fewer a lucky seed would still win */
#define CONTENDERS_BEHIND 30  /* of the last runs: so many stay for the end (finalists.h) */

/* Of a run that repeats one of the best few: a finalist, or a contender along the way. */
bool stage_is_of_best(const char *stage);

/* Of so many last runs those that may be begun before the end: what is beyond 30, at most two
 * thirds. */
size_t contenders_share(size_t last);

/* So many runs the search may begin before it waits for an instalment; SIZE_MAX: there is none any
 * more, or its method waits by itself. Counted from study.count, whose budget is all of the
 * search's. */
size_t contenders_until(const struct study *st);

/* The instalments come when an eighth, a quarter, a half and three quarters of the search have been
 * begun: each brings those that are due to so much of their share, in rounds of successive halving
 * as the finalists'. Appends the next round, at most `want` runs. RUNS; WAIT while anything is
 * live; DONE when none is due. */
enum answer contenders_next(const struct study *st, size_t want, struct repeats *out);

#endif
