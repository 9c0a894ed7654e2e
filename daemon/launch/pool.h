/* Worker slots: exec, tail, signal, reap, and adoption of workers that outlived a daemon. Tells
 * the engine what happens; decides nothing. */
#ifndef SWEEPD_POOL_H
#define SWEEPD_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct daemon;
struct pool;

struct pool *pool_create(struct daemon *d);
/* Closes its handles; the memory goes with the loop's end, by pool_destroy. */
void pool_close(struct pool *p);
void pool_destroy(struct pool *p);

/* At the start, for each run that was `running`: goes on with a living worker, takes the result
 * that lies there, or reports the run lost. */
void pool_adopt(struct pool *p, int64_t run_id);
/* Makes the folder and starts a worker in it; adopts the one that still lives there, if any. */
void pool_start(struct pool *p, int64_t run_id, const char *config);
/* SIGTERM, and SIGKILL after 5 s. */
void pool_term(struct pool *p, int64_t run_id);
void pool_kill_all(struct pool *p);
size_t pool_active(const struct pool *p);

#endif
