#ifndef SWEEPCTL_EXPLAIN_SWEEP_H
#define SWEEPCTL_EXPLAIN_SWEEP_H

#include <stdint.h>

#include "client/client.h"

/* What the search of that sweep did, and why. Returns the exit status. */
int explain_sweep(struct client *c, int64_t sweep);

#endif
