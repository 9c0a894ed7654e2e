/* The clients that wait for a sweep's end. */
#ifndef SWEEPD_CMD_WAIT_H
#define SWEEPD_CMD_WAIT_H

#include <stdint.h>

struct daemon;

/* The sweep may have ended or is held: looks again on behalf of everyone who waits for it. */
void wait_wake(struct daemon *d, int64_t sweep_id);

#endif
