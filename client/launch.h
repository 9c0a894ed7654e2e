/* Starting the daemon so that it outlives the terminal. */
#ifndef SWEEPCTL_LAUNCH_H
#define SWEEPCTL_LAUNCH_H

#include <stddef.h>

#include "sweep/paths.h"
#include "sweep/rpc.h"

#define LAUNCH_ARGS_MAX 24
#define LAUNCH_SAY_MS 10000    /* a start that takes longer is said */
#define LAUNCH_PATIENCE_MS 60000 /* for a daemon that is there */
#define LAUNCH_POLL_MS 20

struct errbuf;

struct launch {
    const char *argv[LAUNCH_ARGS_MAX]; /* argv[0] is set by launch_prepare; NULL behind the last */
    size_t argc;
    char program[PATHS_MAX];
    char log[PATHS_MAX];
};

/* Asks the daemon at that socket for its `status`. 0 and the reply (rpc_reply_finish), or why
 * there is no answer within timeout_ms: ERR_TIMEOUT where somebody listens and says nothing. */
int launch_ask(const char *socket, int timeout_ms, struct rpc_reply *reply, struct errbuf *err);
/* The same with all the time that a daemon on a loaded machine may take; who is not there, or
 * ends, is known at once. */
int launch_ask_patiently(const char *socket, struct rpc_reply *reply, struct errbuf *err);
/* sweepd: beside this program, in the build tree, in PATH. 0 or ERR_NOT_FOUND. */
int launch_find(char out[PATHS_MAX], struct errbuf *err);
/* Finds sweepd (beside this program, in the build tree, in PATH) and the log's place. */
int launch_prepare(struct launch *l, struct errbuf *err);
/* Two starts at a time: the second waits here until the first one's daemon answers. A lock of the
 * log file by a descriptor that no child keeps; -1 (then unlocked) where it cannot be opened. */
int launch_lock(const struct launch *l);
void launch_unlock(int lock);
/* Runs it in a session of its own, stdin closed, output appended to the log, and waits until it
 * answers or ends; where that takes long, says so on stderr. 0 and its status; or why not, with the
 * last lines of the log. */
int launch_start(struct launch *l, const char *socket, struct rpc_reply *status,
                 struct errbuf *err);

#endif
