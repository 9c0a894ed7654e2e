/* What the tests of the search and the engine share. */
#ifndef TESTS_ENGINE_SUPPORT_H
#define TESTS_ENGINE_SUPPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/search/search.h"
#include "sweep/err.h"
#include "sweep/spec.h"

/* The guide's example: four parameters, five optimizers. */
#define PARAMETERS_FULL                                                                           \
    "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":\"log_uniform_values\"},"      \
    "\"batch_size\":{\"values\":[32,128,512]},"                                                   \
    "\"optimizer\":{\"values\":[\"adam\",\"rmsprop\",\"momentum\",\"adadelta\",\"sgd\"]},"        \
    "\"depth\":{\"min\":1,\"max\":4}"

/* Fails the test when the text is not a spec. parameters: members of "parameters". */
void spec_make(struct spec *out, const char *method, const char *parameters, int64_t run_cap,
               uint64_t seed);
/* The same with further top-level members (", \"priority\": 3"). */
void spec_make_with(struct spec *out, const char *method, const char *parameters, int64_t run_cap,
                    uint64_t seed, const char *more);

/* A smooth landscape with one best place; NaN far too large a rate. */
double landscape(const struct settings *s);

#define HISTORY_WANT 1000 /* proposals of one ask at most */
struct history {
    size_t count, cap;
    struct trial **trials; /* owned, with their configurations */
    char (*reasons)[160];
    size_t barrier_count;
    size_t barriers[4096]; /* index of each batch's first run */
};
typedef void trial_fn(struct trial *t, size_t number, void *arg);
/* The whole search, each run answered by fn. */
void history_run(struct history *h, const struct spec *s, trial_fn *fn, void *arg);
/* The run of a proposal, not answered yet. */
struct trial *history_add(struct history *h, const struct spec *s, const struct proposal *p);
void history_finish(struct history *h);
void answer_landscape(struct trial *t, size_t number, void *arg);
size_t history_count(const struct history *h, const char *stage);
/* Their first `count` runs are the same, bit by bit. */
bool history_same(const struct history *a, const struct history *b, size_t count);
/* Number of runs whose configuration came earlier. */
size_t history_duplicates(const struct history *h, const struct spec *s);
/* Every swept value is one its dimension can have. */
bool history_in_range(const struct history *h, const struct spec *s);

/* What the spec's method says of it before the first run. */
int method_check(const struct spec *s, struct errbuf *err);
void method_outline(const struct spec *s, struct search_outline *out);

#endif
