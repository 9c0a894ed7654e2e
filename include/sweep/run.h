/* States of sweeps and runs, and the moves between them, as tables. */
#ifndef SWEEP_RUN_H
#define SWEEP_RUN_H

#include <stdbool.h>
#include <stdint.h>

/* X(id, name, terminal) */
#define SWEEP_STATUS_MAP(X)                                                                        \
    X(QUEUED, "queued", 0)                                                                         \
    X(RUNNING, "running", 0)                                                                       \
    X(PAUSED, "paused", 0)                                                                         \
    X(HELD, "held", 0) /* waits for a person; sweeps.reason says why */                            \
    X(COMPLETED, "completed", 1)                                                                   \
    X(CANCELLED, "cancelled", 1)

enum sweep_status {
#define X(id, name, terminal) SWEEP_##id,
    SWEEP_STATUS_MAP(X)
#undef X
        SWEEP_STATUS_COUNT
};

/* X(id, name, terminal) */
#define RUN_STATUS_MAP(X)                                                                          \
    X(QUEUED, "queued", 0)                                                                         \
    X(RUNNING, "running", 0)                                                                       \
    X(PAUSED, "paused", 0)                                                                         \
    X(COMPLETED, "completed", 1)                                                                   \
    X(STOPPED, "stopped", 1) /* early, by a rule; runs.stop_reason says which */                   \
    X(FAILED, "failed", 1)                                                                         \
    X(CANCELLED, "cancelled", 1)

enum run_status {
#define X(id, name, terminal) RUN_##id,
    RUN_STATUS_MAP(X)
#undef X
        RUN_STATUS_COUNT
};

/* X(id, name) */
#define RUN_KIND_MAP(X)                                                                            \
    X(SEARCH, "search")                                                                            \
    X(REPEAT, "repeat")                                                                            \
    X(TREATMENT, "treatment")                                                                      \
    X(AUDIT, "audit")

enum run_kind {
#define X(id, name) RUN_KIND_##id,
    RUN_KIND_MAP(X)
#undef X
        RUN_KIND_COUNT
};

/* The most points of a run of any task but the trainer's, which says by its epochs how many there
 * are. The last ones are kept for its end: its best and its last point are always among them. */
#define RUN_POINTS_MAX 1000000
#define RUN_POINTS_AT_END 2

/* Who lets a paused run go on. X(id, name) */
#define RUN_PAUSER_MAP(X)                                                                          \
    X(NONE, "")                                                                                    \
    X(PERSON, "person") /* with its sweep, which is resumed */                                     \
    X(RUNG, "rung")     /* its budget is used up; who compares runs gives more, or stops it */

enum run_pauser {
#define X(id, name) RUN_PAUSER_##id,
    RUN_PAUSER_MAP(X)
#undef X
        RUN_PAUSER_COUNT
};

/* Who waits before a run that failed is tried again: what is at fault is its own, its sweep's data,
 * or where workers are started; nobody, where what was wrong is mended already. X(id) */
#define RUN_WAIT_MAP(X) X(RUN) X(SWEEP) X(LAUNCHER) X(NOBODY)

enum run_wait {
#define X(id) RUN_WAIT_##id,
    RUN_WAIT_MAP(X)
#undef X
};

/* Why a run failed, and what is done about it. X(id, name, attempts, wait, alike, meaning)
 * attempts: so many in a row without a new point fail the run; 1: the first; 0: none, for it is not
 * the run's doing: it is tried until it goes. alike: many in a row hold the sweep. */
#define RUN_ERROR_MAP(X)                                                                           \
    X(NONE, "", 1, RUN, 0, "")                                                                     \
    X(CONFIG, "config_error", 1, RUN, 1, "the worker refused the configuration")                   \
    X(DATA, "data_error", 1, RUN, 1, "the data is damaged, or changed after submit")               \
    X(CRASHED, "worker_crash", 1, RUN, 1, "the worker ended by a signal of its own making")        \
    X(EXITED, "exited", 1, RUN, 1, "the worker ended without a result")                            \
    X(KILLED, "killed", 0, RUN, 0, "SIGKILL or SIGTERM that the daemon did not send")              \
    X(OUT_OF_MEMORY, "out_of_memory", 1, RUN, 1, "over its limit, or no more was there")           \
    X(SPAWN, "spawn_error", 3, LAUNCHER, 1, "the worker could not be started")                     \
    X(DISK_FULL, "disk_full", 0, RUN, 0, "the worker could not write its results")                 \
    X(FILE_UNREADABLE, "file_unreadable", 0, RUN, 0, "run.jsonl cannot be read at the moment")     \
    X(PROTOCOL, "protocol_error", 3, NOBODY, 1, "run.jsonl does not follow the format")            \
    X(KILLED_BY_USER, "killed_by_user", 1, RUN, 0, "cancelled through sweepctl")                   \
    X(TIMEOUT, "timeout", 1, RUN, 1, "it took longer than its limit")                              \
    X(HUNG, "hung", 3, RUN, 1, "the worker made no progress for longer than its limit")            \
    X(DATA_MISSING, "data_missing", 0, SWEEP, 0, "the data cannot be read at the moment")          \
    X(NOT_A_NUMBER, "not_a_number", 1, RUN, 0, "the loss is no number; ours stops there")

/* What older daemons and workers wrote for some of them. X(name, id) */
#define RUN_ERROR_OLD_MAP(X)                                                                       \
    X("crashed", CRASHED)                                                                          \
    X("io_error", DISK_FULL)

enum run_error {
#define X(id, name, attempts, wait, alike, meaning) RUN_ERROR_##id,
    RUN_ERROR_MAP(X)
#undef X
        RUN_ERROR_COUNT
};

const char *sweep_status_name(enum sweep_status s);
bool sweep_status_terminal(enum sweep_status s);
bool sweep_status_may(enum sweep_status from, enum sweep_status to);
const char *run_status_name(enum run_status s);
bool run_status_terminal(enum run_status s);
/* False: it failed or was cancelled. What it showed before is no result: it is never the best. */
bool run_status_ranks(enum run_status s);
bool run_status_may(enum run_status from, enum run_status to);
const char *run_kind_name(enum run_kind k);
const char *run_error_name(enum run_error e);
const char *run_pauser_name(enum run_pauser p);
/* The columns of RUN_ERROR_MAP. */
int64_t run_error_attempts(enum run_error e);
enum run_wait run_error_wait(enum run_error e);
bool run_error_alike(enum run_error e);
/* The configuration's doing, not the machine's or the data's. */
bool run_error_is_own(enum run_error e);
/* From names; -1 when unknown. */
int sweep_status_find(const char *name);
int run_status_find(const char *name);
int run_kind_find(const char *name);
int run_pauser_find(const char *name);
int run_error_find(const char *name); /* older names too */

#endif
