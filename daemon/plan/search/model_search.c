#include "daemon/plan/search/model_search.h"

#include <stdio.h>
#include <stdlib.h>

#include "daemon/plan/earlier.h"
#include "daemon/plan/pareto.h"
#include "sweep/buf.h"
#include "sweep/objective.h"

/* Beyond those that the methods draw from. */
#define WEIGHTS_STREAM UINT64_C(0x400000000)

/* Configurations of earlier sweeps are tried first. */
static bool take_start(const struct study *st, uint64_t i, struct proposal *p)
{
    const struct earlier_start *start = earlier_start(st->earlier, i);
    if (start == NULL)
        return false;
    p->at = start->at;
    earlier_start_reason(start, p->reason, sizeof(p->reason));
    return true;
}

/* "weighing 0.71 0.29: " in front of a reason. */
static void say_weights(const double *weights, size_t count, char *out, size_t size)
{
    int n = 0;
    for (size_t i = 0; i < count; i++)
        n += snprintf(out + n, size - (size_t)n, "%s%.2f", i == 0 ? "weighing " : " ", weights[i]);
    snprintf(out + n, size - (size_t)n, ": ");
}

/* Several objectives, for the search's own run i. */
static void rank_jointly(const struct model_search *m, struct call *c, uint64_t i, char *said,
                         size_t size)
{
    size_t count = c->study->objectives->count;
    double weights[OBJECTIVES_MAX];
    struct rng r;
    if (!m->weighs) {
        past_rank(c->past, NULL);
        return;
    }
    rng_init(&r, c->study->seed, RNG_SEARCH, WEIGHTS_STREAM + i);
    pareto_weights(&r, count, weights);
    past_rank(c->past, weights);
    say_weights(weights, count, said, size);
}

/* False: every configuration was tried. */
static bool propose(const struct model_search *m, struct call *c, uint64_t i)
{
    char weighed[64] = "";
    struct proposal p = {.at = {{0}}}; /* beyond its dimensions too */
    struct rng r;
    rng_init(&r, c->study->seed, RNG_SEARCH, m->stream + i);
    if (c->study->objectives != NULL)
        rank_jointly(m, c, i, weighed, sizeof(weighed));
    if (!take_start(c->study, i, &p))
        m->propose(c, i, &r, &p);
    if (!untried_take(&c->untried, &r, &p.at))
        return false;
    proposals_add(c->out, &p.at, m->name, "%s%s", weighed, p.reason);
    return true;
}

enum answer model_search_ask(const struct model_search *m, const struct study *st, size_t want,
                             struct proposals *out)
{
    struct past own;
    struct call c = {.study = st, .out = out};
    if (st->count >= st->budget)
        return st->live > 0 ? ANSWER_WAIT : ANSWER_DONE;
    c.past = past_open(st, &own);
    c.pending = xcalloc(st->lag * st->space->count + 1, sizeof(*c.pending));
    untried_init(&c.untried, st);
    for (uint64_t i = st->count; i < st->budget && out->count < want; i++) {
        if (!past_see(c.past, st, st->all_count + out->count))
            break;
        out->exhausted = !propose(m, &c, i);
        if (out->exhausted)
            break;
    }
    untried_finish(&c.untried);
    free(c.pending);
    past_close(c.past, &own);
    return proposals_answer(out, st);
}
