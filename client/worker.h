/* A worker of our own, beside the daemon's: trains one configuration and tells its lines. */
#ifndef SWEEPCTL_WORKER_H
#define SWEEPCTL_WORKER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "sweep/buf.h"
#include "sweep/record.h"

struct run_config;

struct worker {
    pid_t pid;        /* -1: none */
    bool predicts;    /* it does not train but answers */
    int out;          /* our end of the pipe that is its stdout */
    int log;          /* its stderr: a file without a name */
    struct buf bytes; /* read from out */
    size_t taken;     /* of bytes, as lines */
};

/* Starts the program with the configuration as its stdin, /dev/stdin. core_type: BLAS kernels to
 * use where the user did not choose, "" for the library's choice. 0 or ERR_IO. */
int worker_start(struct worker *w, const char *program, const struct run_config *config,
                 const char *core_type, struct errbuf *err);
/* The next line: 1; 0 at the end; or ERR_IO, ERR_LIMIT or what is wrong with the line. */
int worker_read(struct worker *w, struct record *out, struct errbuf *err);
/* All that it writes, and then its exit status, WORKER_KILLED without one; or ERR_IO. */
#define WORKER_KILLED 256
int worker_read_all(struct worker *w, struct buf *out, struct errbuf *err);
/* Says of a worker that ended without a result how it did, with its last words. Returns code. */
int worker_explain(struct worker *w, int code, struct errbuf *err);
/* Ends it if it has not ended, and waits for that. */
void worker_finish(struct worker *w);

#endif
