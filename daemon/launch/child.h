/* A process of our own, started without a copy of this one: what fork() takes of memory that is
 * copied page by page, there and here, is most of what a short run costs. It leads a session of its
 * own and has signals as a program finds them. */
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
    int in;       /* its stdin; -1: /dev/null */
    int out, err; /* its stdout and stderr */
};

/* The process, which is not watched; or what uv_strerror knows. */
pid_t child_spawn(const struct child_program *program);
/* One that runs, however it became our child. 0, or what uv_strerror knows; then it is ended and
 * nothing is to be closed. */
int child_watch(struct child *c, uv_loop_t *loop, pid_t pid);
/* Both. */
int child_start(struct child *c, uv_loop_t *loop, const struct child_program *program);
/* Its end is waited for, here. Its status, as waitpid(2) has it. */
int child_reap(pid_t pid);
/* It is not waited for any more. */
void child_close(struct child *c, uv_close_cb closed);

#endif
