/* A sweep as charts need it, asked of the daemon. */
#ifndef SWEEPCTL_GATHER_H
#define SWEEPCTL_GATHER_H

#include "client/client.h"
#include "client/plot/study.h"

struct gather_wish {
    size_t curves_max; /* of so many runs; 0: of none */
    int64_t run;       /* its curve alone; 0: of those that tell most */
};

/* sweep 0: the newest. The reply to `show` stays with the caller (rpc_reply_finish), the study too
 * (study_finish). Else the failure has been reported, and there is nothing to release. */
int study_gather(struct client *c, int64_t sweep, const struct gather_wish *wish,
                 struct rpc_reply *show, struct study *out);
/* Runs alone, with their curves, in that order; the parameters are those of the first one's sweep.
 * CLIENT_DONE and a study (study_finish), else the failure has been reported. */
struct gather_runs {
    const int64_t *ids;
    size_t count; /* from 1 */
};
int study_gather_runs(struct client *c, const struct gather_runs *runs, struct study *out);

#endif
