/* A process of our own, started without a copy of this one: what fork() takes of memory that is
 * copied page by page, there and here, is most of what a short run costs. It leads a session of its
 * own, reads from /dev/null, and has signals as a program finds them. */
#ifndef DAEMON_LAUNCH_CHILD_H
#define DAEMON_LAUNCH_CHILD_H

#include <stdint.h>
#include <sys/types.h>
#include <uv.h>

struct child {
    uv_poll_t poll; /* of a pidfd; its data is the child */
    int pidfd;
    pid_t pid;
    void *arg;
    /* It has ended, and was reaped; signal 0: by itself. */
    void (*ended)(struct child *c, int64_t status, int signal);
};

struct child_program {
    char *const *words; /* the first is its path */
    char *const *environment;
    int out, err; /* its stdout and stderr */
};

/* 0, or what uv_strerror knows; then nothing is to be closed. */
int child_start(struct child *c, uv_loop_t *loop, const struct child_program *program);
/* It is not waited for any more. */
void child_close(struct child *c, uv_close_cb closed);

#endif
