/* How much each parameter of a search decided what its runs came to. Pure: same runs and seed, same
 * numbers. */
#ifndef SWEEP_IMPORTANCE_H
#define SWEEP_IMPORTANCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/run.h"
#include "sweep/space.h"

struct errbuf;
struct json_writer;

/* X(id, name, what it says) */
#define IMPORTANCE_MAP(X)                                                                       \
    X(PEDANOVA, "pedanova", "for being among the best tenth (Watanabe et al. 2023)")            \
    X(FANOVA, "fanova", "share of the metric's variance (Hutter et al. 2014)")

enum importance_method {
#define X(id, name, says) IMPORTANCE_##id,
    IMPORTANCE_MAP(X)
#undef X
    IMPORTANCE_COUNT
};
const char *importance_name(enum importance_method m);
const char *importance_says(enum importance_method m);
int importance_find(const char *name); /* -1: none */

/* How far a run came: those further up are better, whatever they came to. */
enum importance_tier { IMPORTANCE_COMPLETED, IMPORTANCE_STOPPED, IMPORTANCE_FAILED };

struct importance_runs {
    const struct space *space; /* borrowed */
    bool maximize;
    size_t count, cap, values_cap;
    struct importance_run {
        enum importance_tier tier;
        double cost; /* small is good; of FAILED: 0 */
    } *runs;
    double *values; /* [count][dimensions]; NAN: absent */
};
void importance_init(struct importance_runs *r, const struct space *space, bool maximize);
void importance_finish(struct importance_runs *r);

/* A run of the sweep, as its row says it. */
struct importance_given {
    enum run_kind kind;
    enum run_status status;
    enum run_error error; /* of failed */
    bool has_metric;
    double metric;
    const struct assignment *at;
};
/* Takes it where it says something of its configuration: a run of the search that completed, was
 * stopped early, or failed by its own doing. */
void importance_take(struct importance_runs *r, const struct importance_given *run);

/* out[i]: of the space's dimension i, 0 or more: the more, the more important; of `fanova` at most
 * 1. 0 everywhere where nothing can be told. ERR_STATE: too few runs. */
int importance_compute(const struct importance_runs *r, enum importance_method m, uint64_t seed,
                       double out[SPACE_MAX_DIMENSIONS], struct errbuf *err);
/* Runs that the method looks at. */
size_t importance_used(const struct importance_runs *r, enum importance_method m);
/* [{"parameter": "depth", "importance": its share of the sum, "raw": the number}, …], the most
 * important first. */
void importance_write(const struct space *space, const double *importance, struct json_writer *w);
/* As shares of their sum; 0 where that is 0. */
void importance_shares(const double *importance, size_t count, double *out);
/* The dimensions, the most important first; equal ones in their order. */
void importance_order(const double *importance, size_t count, size_t *out);

#endif
