/* Launchers: the ways a run's worker comes to run, hears a signal and is seen to end. One file a
 * launcher, and one row of the table in launchers.c; nothing above knows which it is.
 *
 * A worker is named by its handle, a text that the launcher alone can read. Above it is for people
 * and for the database, where it outlives the daemon. */
#ifndef SWEEPD_LAUNCHER_H
#define SWEEPD_LAUNCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/engine.h"

struct energy_reading;
struct errbuf;
struct json_writer;
struct launch_site;
struct record_start;
struct rundir;
struct worker;

/* One launcher at work; its own record begins with this. */
struct launcher {
    const struct launcher_type *type;
    const struct launch_site *site;
    size_t index; /* of its row: what the engine knows it by */
};

/* What a worker is started in. The folder is made, locked, and holds config.json. */
struct worker_place {
    int64_t run_id;
    const struct rundir *dir; /* lives as long as the worker's record */
    bool whole_environment;   /* it gets all of the daemon's */
    void (*ended)(void *arg); /* at once when its end is heard of; may never be called */
    void *arg;
};

/* One worker, as its launcher keeps it; the launcher's own record begins with this. */
struct worker {
    struct launcher *launcher;
    char handle[RUN_HANDLE_MAX]; /* "": not known yet */
    bool has_exit;               /* how it ended is known */
    int64_t exit_status;
    int exit_signal; /* 0: none */
    enum run_error exit_error; /* what its launcher knows better than these two; NONE: nothing */
    char exit_text[256];
};

/* What a worker and all that it has started use at this moment. */
struct usage {
    int64_t memory_bytes; /* private: files that they share are not in it */
    double cpu_seconds;   /* processor time so far */
    bool stopped;         /* by a signal (SIGSTOP), one of them at least */
    bool busy;            /* one of them at least runs, or waits for a processor or the disk */
};

struct launcher_type {
    const char *name;
    /* From a signal until its worker has it, at most: so much longer is its grace. */
    uint64_t signal_delay_ms;
    /* Its workers' lines come from afar: of so many looks at them one is enough. 0: each counts. */
    uint64_t looks_between;
    struct launcher *(*create)(void);
    /* It has its site. NULL: nothing is to be done. */
    void (*open)(struct launcher *l);
    /* After events: sweeps may have come that name it. NULL: it has no sweeps of its own. */
    void (*look)(struct launcher *l);
    /* The daemon is ending: it asks for nothing new. NULL: as it does anyhow. */
    void (*stop)(struct launcher *l);
    /* After that: it is to be waited for. NULL: never. */
    bool (*is_busy)(struct launcher *l);
    /* Workers that cannot be told to end, of runs that can go on: they are left to the next daemon.
     * NULL: there are none ever. */
    size_t (*cut_off)(const struct launcher *l);
    /* Closes what the loop knows of it; there are no workers any more. NULL: it has nothing. */
    void (*close)(struct launcher *l);
    /* After the turn of the loop in which it was closed. */
    void (*destroy)(struct launcher *l);
    /* Workers at a time. */
    size_t (*capacity)(const struct launcher *l);
    /* Is that a handle of this launcher's? "" is nobody's. */
    bool (*knows)(const char *handle);
    /* 0 and the worker, with its handle; or a code of err.h, and nothing runs; ERR_BUSY: unless
     * the lock of its lines says so, once they are closed here. */
    int (*start)(struct launcher *l, const struct worker_place *at, struct worker **out,
                 struct errbuf *err);
    /* The worker that an earlier daemon has started there; NULL: none lives any more. handle: what
     * the database has, "" where it came to no handle. */
    struct worker *(*adopt)(struct launcher *l, const struct worker_place *at, const char *handle);
    /* What it said of itself. NULL: of no use here. */
    void (*introduced)(struct worker *w, const struct record_start *said);
    bool (*alive)(struct worker *w);
    /* To the worker and what it has started. False: not now, try again. */
    bool (*signal)(struct worker *w, int signal);
    /* False: not known at the moment. NULL: never known. */
    bool (*usage)(struct worker *w, struct usage *out);
    /* What the machine of its workers has used so far, for their shares of it. False: not known.
     * NULL: never known. */
    bool (*energy)(struct launcher *l, struct energy_reading *out);
    /* Processes that were killed so far where its workers run, because there was no more memory: it
     * only grows. lately: as it was a moment ago will do. NULL: not known. */
    uint64_t (*oom_kills)(struct launcher *l, bool lately);
    /* The record is not used any more; the worker has ended. */
    void (*release)(struct worker *w);
    /* Elements of an array: an object for each of its sweeps. NULL: it has none. */
    void (*write_status)(const struct launcher *l, struct json_writer *w);
};

#endif
