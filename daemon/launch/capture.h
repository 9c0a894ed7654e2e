/* A process of the worker program whose output is collected, within limits. */
#ifndef SWEEPD_CAPTURE_H
#define SWEEPD_CAPTURE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <uv.h>

#include "daemon/launch/watchdog.h"
#include "sweep/buf.h"

struct capture {
    uv_process_t process;
    uv_pipe_t pipes[2]; /* its stdout and stderr */
    uv_timer_t look;
    struct buf output[2];
    size_t open; /* handles not closed yet */
    bool spawned, exited, too_long, unwanted;
    int64_t status;
    int signal;
    struct watchdog watchdog;          /* limits: set before the start; zeros: none */
    bool (*wanted)(struct capture *c); /* does anybody wait for it still? NULL: yes */
    void (*done)(struct capture *c);   /* when the process and both pipes are at their end */
    void *arg;
    char chunk[16384]; /* where reads land */
};

/* Of a zeroed record. stdin_fd -1: /dev/null. After a failure too, done is called, with spawned
 * false. */
int capture_start(struct capture *c, uv_loop_t *loop, char **args, char **environment,
                  int stdin_fd);
void capture_kill(struct capture *c);
void capture_finish(struct capture *c);
/* How it ended and its last words, for a person. */
void capture_explain(const struct capture *c, char *out, size_t size);

#endif
