/* Whose turn it is for a free worker. Pure. */
#ifndef SWEEPD_QUEUE_H
#define SWEEPD_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A sweep that has a run to start. */
struct queue_entry {
    int64_t sweep_id; /* age: ids rise */
    int64_t priority; /* higher first */
    size_t running;   /* runs with a slot */
    uint64_t served;  /* when it last got a worker, counted in starts; 0: never */
    size_t waiting;   /* runs to start; 0: no turn */
};

#define QUEUE_NONE SIZE_MAX

/* Priority, then fewest running runs, then longest without a start (without it one worker would
 * serve the oldest sweep until its end), then age. */
bool queue_before(const struct queue_entry *a, const struct queue_entry *b);
/* Index of the entry whose turn it is, QUEUE_NONE when none waits. */
size_t queue_pick(const struct queue_entry *entries, size_t count);

#endif
