/* Between a daemon and the process of the worker program that starts workers by fork(): what exec,
 * the loader and the libraries' own start cost is paid once, not by each run
 * (docs/decisions/0021-fork-server.md).
 *
 *     sweep-worker --fork-server ROOM
 *
 * Its stdin is a socket of type SOCK_SEQPACKET, a message each: from it first a fork_reply with
 * FORK_SERVER_VERSION in place of a number; then to it the path of a config.json with two
 * descriptors, the run's stdout and stderr, and from it a fork_reply. It ends with the socket.
 * ROOM is FORK_SERVER_ROOM bytes of nothing: in the child the path stands there, so that a worker's
 * command line names its run however it was started. */
#ifndef SWEEP_FORK_SERVER_H
#define SWEEP_FORK_SERVER_H

#include <stdint.h>

#include "sweep/paths.h"

#define FORK_SERVER_FLAG "--fork-server"
#define FORK_SERVER_VERSION 1
#define FORK_SERVER_ROOM (PATHS_MAX + 48)
#define FORK_SERVER_DESCRIPTORS 2

/* The child is the daemon's own, not the server's: it is waited for and signalled as any. */
struct fork_reply {
    int32_t pid; /* below 0: there is none, -errno */
};

#endif
