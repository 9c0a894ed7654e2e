/* Data is read by a worker process, never by the daemon: `sweep-worker --prepare`, and
 * `sweep-worker --blas-check` at the start. */
#ifndef SWEEPD_PREPARE_H
#define SWEEPD_PREPARE_H

#include <stdbool.h>
#include <stddef.h>

struct errbuf;
struct launch_site;
struct prepare;
struct record_prepared;
struct spec;

struct prepare *prepare_create(const struct launch_site *site);
void prepare_destroy(struct prepare *p);

struct prepare_client {
    /* Exactly once, on the loop, never from within its own prepare_data: either prepared (borrowed)
     * or err. */
    void (*answer)(void *arg, const struct record_prepared *prepared, const struct errbuf *err);
    /* Does it wait still? Asked from time to time: a process that nobody waits for is ended. */
    bool (*wanted)(void *arg);
    void *arg;
};
/* Reads, checks and caches the spec's data. At most 4 processes at a time, the others wait; each
 * within site->prepare_limits (ERR_LIMIT).
 * What was prepared before is remembered for as long as its source files stay the same. */
void prepare_data(struct prepare *p, const struct spec *spec, const struct prepare_client *client);
/* Ends what is under way: each callback gets ERR_SHUTDOWN. */
void prepare_stop(struct prepare *p);
/* Processes and waiting jobs. */
size_t prepare_active(const struct prepare *p);

/* How workers compute and live here. */
struct worker_kind {
    char core_type[48];       /* OPENBLAS_CORETYPE for them; "": the library chooses */
    char core[48], blas[160]; /* kernels, library */
    char sandbox[400];        /* what holds of it, in words; "": the worker does not say */
};
/* Looks for BLAS kernels that compute right on this processor, once, at the start, in a loop of
 * its own: a core type that the user set, the library's own choice, then older ones. On success
 * out says what was chosen. ERR_STATE: none computes right, or that could not be found out. */
int prepare_blas(const char *worker, struct worker_kind *out, struct errbuf *err);

#endif
