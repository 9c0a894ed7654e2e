#ifndef SWEEPCTL_REPLAY_SWEEP_H
#define SWEEPCTL_REPLAY_SWEEP_H

#include <stdint.h>

#include "client/client.h"

/* Has the daemon decide that sweep again. CLIENT_DONE: all is the same; CLIENT_REFUSED: not. */
int replay_sweep(struct client *c, int64_t sweep);

#endif
