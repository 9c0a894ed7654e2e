/* sweep-worker --check: what is wrong with this machine for workers, and how to mend it. */
#ifndef WORKER_CHECK_H
#define WORKER_CHECK_H

/* One JSON line on stdout for each: {"check":…,"ok":…,"says":…,"mend":…}, mend null where all is
 * well. The exit status: 0, or 1 where something is not. */
int check_run(void);

struct buf;
/* What of the sandbox holds here, in words. */
void check_sandbox_words(struct buf *says);

#endif
