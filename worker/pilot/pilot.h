/* A pilot: a slot of a cluster that takes runs out of a sweep's spool (sweep/spool.h), one at a
 * time, until there are no more or it has to go. It knows nothing of the cluster but who it is
 * there, and nothing of runs but how to start a worker for one. */
#ifndef WORKER_PILOT_H
#define WORKER_PILOT_H

/* The exit status. */
int pilot_run(const char *room);

#endif
