/* The daemon's side of include/sweep/fork_server.h: a process of the worker program that starts
 * workers, there while some are wanted. It is asked and answers within the call, for it does
 * nothing else; one that does not answer is done away with, and workers are started by exec. */
#ifndef DAEMON_LAUNCH_FORK_SERVER_H
#define DAEMON_LAUNCH_FORK_SERVER_H

#include <sys/types.h>
#include <uv.h>

struct fork_server {
    const char *program;      /* NULL: it is not asked any more */
    char *const *environment; /* of it, and so of its workers */
    uv_timer_t idle;
    pid_t pid; /* 0: there is none at the moment */
    int socket;
    unsigned failures; /* one after the other */
};

struct fork_request {
    const char *config;
    int out, err;
};

/* program NULL: each is refused. Both are borrowed. */
void fork_server_init(struct fork_server *f, uv_loop_t *loop, const char *program,
                      char *const *environment);
/* 0 and a child of ours, which is to be waited for. ERR_IO: none was started. ERR_BUSY: nobody
 * knows; the lock of its lines says whether one lives, as after a restart, once they are closed. */
int fork_server_start(struct fork_server *f, const struct fork_request *r, pid_t *out);
/* Its workers live on. The memory may be given back when the loop has run out. */
void fork_server_close(struct fork_server *f);

#endif
