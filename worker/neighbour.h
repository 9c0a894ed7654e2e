/* A good neighbour: a daemon's workers take what nobody else wants of the processor and the disk,
 * and are the first to go when memory runs out. */
#ifndef WORKER_NEIGHBOUR_H
#define WORKER_NEIGHBOUR_H

/* Environment: nice value of a daemon's worker (0 … 19). By hand there is none, and all stays as
 * it is. */
#define NEIGHBOUR_NICE_VARIABLE "SWEEPD_WORKER_NICE"

/* Once, at the start. */
void neighbour_yield(void);
/* Only the last: somebody waits for what it does. */
void neighbour_yield_memory(void);

#endif
