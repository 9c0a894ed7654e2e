/* A sweep as a page shows it, asked of the daemon. */
#ifndef SWEEPCTL_PAGE_GATHER_H
#define SWEEPCTL_PAGE_GATHER_H

#include "client/page/page.h"
#include "client/plot/gather.h"

/* sweep 0: the newest. What it holds borrows from the reply to `show`, which is the caller's
 * (rpc_reply_finish), as the sweep is (page_sweep_finish). Else the failure has been reported, and
 * there is nothing to release. */
int page_sweep_gather(struct client *c, int64_t sweep, const struct gather_wish *wish,
                      struct rpc_reply *show, struct page_sweep *out);
void page_sweep_finish(struct page_sweep *s);

#endif
