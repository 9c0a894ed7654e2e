/* What a sweep should run next: its method is asked, and the planners beside it (treatments,
 * repeats) when what they wait for has come. Pure: same input, same plan. */
#ifndef SWEEPD_PLAN_H
#define SWEEPD_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "daemon/plan/contenders.h"
#include "daemon/plan/finalists.h"
#include "daemon/plan/gain.h"
#include "daemon/plan/repeat.h"
#include "daemon/plan/search/search.h"
#include "daemon/plan/treat.h"

struct plan_input {
    const struct search_method *method;
    struct study study;        /* budget is the planner's to say */
    struct treat_input treat;  /* budget likewise; trials are all runs of the sweep */
    bool treats;
    size_t treatments;         /* begun so far */
    bool repeats;              /* what is left of run_cap when every configuration was tried */
    size_t finalists;          /* begun so far: then nothing else follows */
    size_t want;               /* runs of the search at most */
};

struct plan {
    struct proposals search;
    struct treat_proposals treatments;
    struct repeats repeats;
    struct repeats contenders;
    struct repeats finalists;
};

/* At the end of a stage the sick are treated first, in rounds until none is left or their share is
 * used up; what is left over of it at the end is the search's again. Of the runs that repeat the
 * best few some come along the way (contenders.h). When every configuration was tried, they are
 * repeated. When all that has ended, the best few are, with the last of run_cap; if there is none
 * that came to its end, the search has those runs too. Never more than run_cap. */
enum answer plan_next(const struct plan_input *in, struct plan *out);
/* Of a sweep at its end: the rest of its search was not worth it. */
bool plan_ended_early(const struct plan_input *in, struct gain *out);
void plan_finish(struct plan *p);

#endif
