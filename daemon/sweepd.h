/* All of the daemon, for the files at the top alone: daemon.c makes and wires the parts, apply.c
 * carries out what the engine wants. */
#ifndef SWEEPD_SWEEPD_H
#define SWEEPD_SWEEPD_H

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#include "daemon/launch/site.h"
#include "daemon/state.h"

struct applied;
struct hook;
struct inhibitor;
struct notify;
struct pool;
struct server;

/* Of this, what serves clients sees `shared` alone, and what starts workers sees `site`. */
struct sweepd {
    struct daemon shared;
    struct launch_site site;
    char **environment, **program_environment; /* of workers */
    struct pool *pool;
    struct server *server;
    struct notify *notify; /* the service manager */
    struct hook *hook;     /* NULL: nobody is told of events */
    struct inhibitor *inhibitor;
    size_t applying;     /* batches whose actions wait for their commit, or their turn */
    struct applied *due; /* those that are durable, in their order */
    uv_idle_t actor;     /* runs only while there are such */
    size_t waiting_rows; /* of theirs, with the actions */
    uv_loop_t loop;
    uv_prepare_t before_poll; /* both flush: timers run before the one, */
    uv_check_t after_poll;    /* everything else before the other */
    uv_timer_t check_timer;
    uv_timer_t wake_timer; /* when what waits after a failure is due */
    uv_signal_t term, interrupt;
    unsigned signals; /* TERM and INT so far */
    bool closing;
    bool in_trouble; /* the database cannot be written, as the hook was told */
    bool untrimmed; /* something happened since free memory was given back */
    uv_work_t first_work; /* see begin_pool */
};

/* Submits the batch and carries out the actions when it is durable. fx is empty afterwards. */
void sweepd_apply(struct sweepd *d, struct effects *fx);
void sweepd_open_actions(struct sweepd *d);
void sweepd_close_actions(struct sweepd *d); /* none is left */

#endif
