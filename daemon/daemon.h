/* The daemon: what the parts of the I/O side share. Everything here belongs to the loop's thread.
 *
 * The order that nothing breaks: events are handed to the engine and add to `effects`; once per
 * turn of the loop daemon_flush lets the engine fill the free slots and gives rows and actions to
 * the store; the actions (start a worker, answer, notify) happen when the rows are durable. */
#ifndef SWEEPD_DAEMON_H
#define SWEEPD_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/engine/engine.h"
#include "daemon/store/store.h"

struct errbuf;
struct events;
struct pool;
struct prepare;
struct requests;
struct server;
struct uv_loop_s;

struct daemon {
    const struct config *config;
    struct uv_loop_s *loop;
    char runs_dir[PATHS_MAX];
    char **environment;       /* of workers */
    char core[48], blas[160]; /* BLAS kernel in use, library: from the check at the start */
    struct store *store;
    struct engine *engine;
    struct pool *pool;
    struct prepare *prepare;
    struct server *server;
    struct events *events;
    struct requests *requests;
    struct effects effects;   /* of this turn of the loop, not yet submitted */
    bool dirty;               /* something happened since the last flush */
    size_t applying;          /* batches whose actions wait for their commit */
    bool stopping;            /* no new sweeps, no new runs */
    uint64_t started_ms;      /* monotonic */
    struct daemon_handles *handles;
};

/* Runs until it is told to end. 0, or why it could not start. */
int daemon_run(const struct config *config, struct errbuf *err);

/* Where the engine's effects of this turn go. Marks that there is something to flush. */
struct effects *daemon_effects(struct daemon *d);
/* Submits the batch and carries out the actions when it is durable. fx is empty afterwards. */
void daemon_apply(struct daemon *d, struct effects *fx);
/* Begins to end: no new starts; running runs get TERM, or with drain finish first. */
void daemon_stop(struct daemon *d, bool drain);

utc_us daemon_now(void);
int64_t daemon_uptime_seconds(const struct daemon *d);

#endif
