/* Following a sweep until it ends: a full screen on a terminal, one line per ended run elsewhere,
 * the notifications themselves with --json. */
#ifndef SWEEPCTL_WATCH_H
#define SWEEPCTL_WATCH_H

#include <stdint.h>

struct client;

#define WATCH_INTERRUPTED 130 /* exit status after Ctrl-C, as shells count it */

/* CLIENT_DONE if the sweep completed, CLIENT_REFUSED with the reason if it was cancelled or is
 * held, CLIENT_NO_DAEMON, or WATCH_INTERRUPTED. */
int watch_sweep(struct client *c, int64_t sweep);
/* All sweeps on a full screen, that one first, until the person leaves. */
int watch_all(struct client *c, int64_t select);

#endif
