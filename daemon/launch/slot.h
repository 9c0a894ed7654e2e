/* A slot: one run's worker from its start, or adoption, to the last line it has left. A table of
 * states and of the moves between them; time comes in from outside (loop time, ms), so that it
 * can be tested without a clock. */
#ifndef SWEEPD_SLOT_H
#define SWEEPD_SLOT_H

#include <stdbool.h>
#include <stdint.h>

#include "daemon/launch/energy.h"
#include "daemon/launch/grace.h"
#include "daemon/launch/launcher.h"
#include "daemon/launch/tail.h"
#include "daemon/launch/watchdog.h"

#define SLOT_READ_WITHIN_MS 60000 /* a file that an ended worker left, and that cannot be read */

/* X(id, name, has a worker) */
#define SLOT_STATE_MAP(X)                                                                          \
    X(STARTING, "starting", 0) /* nothing runs yet */                                              \
    X(RUNNING, "running", 1)                                                                       \
    X(TERM_DUE, "term due", 1)       /* SIGTERM is to be sent, but could not be yet */             \
    X(TERMINATING, "terminating", 1) /* it was sent */                                             \
    X(KILL_DUE, "kill due", 1)       /* the same of SIGKILL */                                     \
    X(KILLING, "killing", 1)                                                                       \
    X(DRAINING, "draining", 0) /* the worker is gone; its file is read to the end */               \
    X(DONE, "done", 0)         /* the engine knows how it ended */

enum slot_state {
#define X(id, name, has_worker) SLOT_##id,
    SLOT_STATE_MAP(X)
#undef X
        SLOT_STATE_COUNT
};

struct slot {
    enum slot_state state;
    unsigned been;         /* states it has been in, as bits 1 << state */
    struct grace grace;    /* from SIGTERM to SIGKILL */
    uint64_t grace_ms;     /* longer than it is for all: its start line asks for it */
    struct worker *worker; /* NULL: none yet, or an earlier daemon's that is gone */
    struct launcher *launcher;
    struct tail tail;
    struct watchdog watchdog;
    struct energy_share energy;
    uint64_t oom_kills; /* at the last look */
    int64_t run_id;
    bool whole_environment; /* its worker gets all of the daemon's */
    bool has_owner;
    struct run_owner owner; /* whose its folder must be */
};

bool slot_may(enum slot_state from, enum slot_state to);
const char *slot_state_name(enum slot_state s);

/* scratch is shared by slots; it lives longer than they. owner: whose the run's folder must be;
 * NULL: whoever's it is. No limits; the caller may set s->watchdog.limits and whole_environment. */
void slot_init(struct slot *s, struct launcher *l, struct tail_scratch *scratch, int64_t run_id,
               const struct run_owner *owner);
/* It must be done. */
void slot_finish(struct slot *s);
/* In any state, at the daemon's end: its worker, if it lives, lives on. */
void slot_leave(struct slot *s);

/* Whom to tell when the launcher hears of the worker's end. */
struct slot_listener {
    void (*ended)(void *arg);
    void *arg;
};

/* Makes the folder and starts a worker in it; adopts the one that still lives there, if any. Done
 * at once, and reported, where nothing can be started. */
void slot_start(struct slot *s, const char *config, const struct slot_listener *listener);
/* Goes on with the worker of an earlier daemon, takes the result that lies there, or reports the
 * run lost. */
void slot_adopt(struct slot *s, const char *handle, const struct slot_listener *listener);
/* SIGTERM, and SIGKILL where its grace is over (daemon/launch/grace.h); what the worker's start
 * line asks for comes on top of that. */
void slot_term(struct slot *s, uint64_t now_ms);
void slot_kill(struct slot *s, uint64_t now_ms);
/* From time to time, and at once when the worker has ended: reads on, sends what is due. True:
 * there is more to read, and nothing to wait for. */
bool slot_tick(struct slot *s, uint64_t now_ms);

#endif
