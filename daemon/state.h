/* What serves clients stands on: the parts of the daemon that requests need. daemon.c makes them
 * and wires them; nothing below it knows more of it than this. */
#ifndef SWEEPD_STATE_H
#define SWEEPD_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/config.h"
#include "daemon/engine/engine.h"
#include "daemon/launch/prepare.h"
#include "daemon/launch/gate.h"
#include "daemon/loop.h"
#include "daemon/store/store.h"

struct events;
struct import_task;
struct pool;
struct relabel_task;
struct requests;

struct daemon {
    const struct config *config;
    struct loop loop;
    char runs_dir[PATHS_MAX];
    struct worker_kind worker; /* from the check at the start */
    struct store *store;
    struct engine *engine;
    struct prepare *prepare;
    const struct pool *pool; /* to tell of */
    struct events *events;
    struct requests *requests;
    struct staged_import *imports;    /* whose last part has not come: serve/staged_import.c */
    struct import_task *importing;    /* whose last part has: serve/cmd/import.c */
    struct relabel_task *relabelling; /* those under way: serve/cmd/relabel.c */
    bool stopping;            /* no new sweeps, no new runs */
    struct gate_judgement gate; /* may runs start, and why not */
    uint64_t started_ms;      /* monotonic */
};

/* Begins to end: no new starts; running runs that can resume get TERM and the others are left to
 * the next daemon, or with drain all finish first. */
void daemon_stop(struct daemon *d, bool drain);
int64_t daemon_uptime_seconds(const struct daemon *d);

#endif
