/* The ground of the I/O side: the event loop, the clock, and what this turn of the loop has given
 * so far. Everything here belongs to the loop's thread.
 *
 * The order that nothing breaks: events are handed to the engine and add to `effects`; once per
 * turn the daemon lets the engine fill the free slots and gives rows and actions to the store; the
 * actions (start a worker, answer, notify) happen when the rows are durable. */
#ifndef SWEEPD_LOOP_H
#define SWEEPD_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/engine/engine.h"

struct uv_loop_s;

struct loop {
    struct uv_loop_s *uv;
    struct effects effects; /* of this turn, not yet submitted */
    bool dirty;             /* something happened since the last flush */
};

/* Where the engine's effects of this turn go. Marks that there is something to flush. */
struct effects *loop_effects(struct loop *l);
utc_us loop_now(void);
uint64_t loop_monotonic_ms(void);

#endif
