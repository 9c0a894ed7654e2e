/* The asking that methods share which propose each run by a model of the past, one at a time. */
#ifndef SWEEPD_SEARCH_MODEL_SEARCH_H
#define SWEEPD_SEARCH_MODEL_SEARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/search/past.h"
#include "sweep/rng.h"

struct call {
    const struct study *study;
    struct past *past;
    struct untried untried;
    double *pending; /* places of what is pending */
    struct proposals *out;
};

struct model_search {
    const char *name; /* of the stage */
    uint64_t stream;  /* of the draws; the search's own run i has stream + i */
    /* The search's own run i and its reason: from the past that is seen. */
    void (*propose)(struct call *c, uint64_t i, struct rng *r, struct proposal *p);
    bool weighs; /* of several objectives each run has weights of its own, drawn evenly; else the
                    past is ranked by fronts */
};

enum answer model_search_ask(const struct model_search *m, const struct study *st, size_t want,
                             struct proposals *out);

#endif
