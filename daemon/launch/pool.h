/* The slots in use, by launcher: starts, adoption, signals, and the timer that looks after them.
 * They take turns, each a bounded piece of its file: one that writes without end holds up neither
 * the others nor the loop. Tells the engine what happens; decides nothing. */
#ifndef SWEEPD_POOL_H
#define SWEEPD_POOL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct json_writer;
struct launch_site;
struct launcher_type;
struct pool;
struct run_owner;
struct run_limits;

/* With the launchers of that table. */
struct pool *pool_create(const struct launch_site *site, const struct launcher_type *const *types,
                         size_t count);
/* Closes its handles; workers that still live are left to the next daemon. The memory goes with the
 * loop's end, by pool_destroy. */
void pool_close(struct pool *p);
void pool_destroy(struct pool *p);

size_t pool_launchers(const struct pool *p);
/* Workers that the launcher can have at a time. */
size_t pool_capacity(const struct pool *p, size_t launcher);

/* A run, whose its folder must be (NULL: whoever's it is) and what it may take (NULL: anything). */
struct pool_run {
    int64_t id;
    const struct run_owner *owner;
    const struct run_limits *limits;
    size_t launcher; /* to adopt it, where its handle says nobody's */
    bool whole_environment; /* to start it: it gets all of the daemon's */
};

/* At the start, for each run that was `running`: goes on with a living worker, takes the result
 * that lies there, or reports the run lost. What its file holds is read in the turns of the loop
 * that follow. handle: what the database has, "": none. */
void pool_adopt(struct pool *p, const struct pool_run *run, const char *handle);
/* Makes the folder and starts a worker in it; adopts the one that still lives there, if any. */
void pool_start(struct pool *p, size_t launcher, const struct pool_run *run, const char *config);
/* SIGTERM, and SIGKILL after 5 s. */
void pool_term(struct pool *p, int64_t run_id);
void pool_kill_all(struct pool *p);
size_t pool_active(const struct pool *p);

/* After events, for launchers with sweeps of their own; and once the daemon is ending. */
void pool_look(struct pool *p);
void pool_stop(struct pool *p);
/* A launcher is to be waited for. */
bool pool_busy(struct pool *p);
/* Workers that cannot be told to end, of runs that can go on. */
size_t pool_cut_off(const struct pool *p);
/* Elements of an array: an object for each sweep that names a launcher. */
void pool_write_status(const struct pool *p, struct json_writer *w);

#endif
