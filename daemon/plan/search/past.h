/* What a method that learns may see, in logical time: its run number n sees exactly the runs
 * numbered below n - lag, all of which have ended, and of those from there to n - 1 the
 * configurations alone. So what it proposes depends neither on the number of workers nor on how
 * fast each run is, nor on how many are asked for at once. */
#ifndef SWEEPD_SEARCH_PAST_H
#define SWEEPD_SEARCH_PAST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/search/axis.h"
#include "daemon/plan/search/search.h"
#include "daemon/plan/search/space.h"

/* How far a configuration came. Those further up are better, whatever their costs. */
enum outcome {
    OUTCOME_COMPLETED, /* by cost */
    OUTCOME_STOPPED,   /* early: by how far it came, then by cost */
    OUTCOME_FAILED,    /* diverged, crashed, out of memory, not a number: worst, and all alike */
};

/* A configuration, with all the runs of it that are seen. */
struct past_item {
    enum outcome outcome;
    double cost;     /* mean over its seeds, small is good; of FAILED: NAN */
    int64_t reach;   /* of a stopped run: its last rung, and its cost there */
    double stopped_cost;
    uint32_t completed, failed; /* runs */
    double sum;      /* of the costs of completed ones */
};

struct past {
    const struct space *space;
    bool maximize;
    const struct earlier *earlier; /* it begins with these */
    int64_t epoch;             /* runs as they stood there; 0: as they ended */
    struct axes axes;
    size_t seen;               /* the runs numbered below it */
    struct tried configurations; /* in the order of first runs; their numbers are those of items */
    size_t cap;
    struct past_item *items;
    double *places;            /* [items][dimensions] (axis.h) */
    uint32_t *by_cost;         /* items from best to worst by the metric; equal ones by number */
    const uint32_t *ranking;   /* the same, or as past_rank last made it */
    struct past_objectives *many; /* NULL: the metric alone */
};

void past_init(struct past *p, const struct space *space, bool maximize);
/* Of the runs that came to that epoch, by what they had come to there; and of those that failed,
 * whenever they did. */
void past_init_at(struct past *p, const struct space *space, bool maximize, int64_t epoch);
void past_finish(struct past *p);

/* Behind "runs below #12", what else it sees. */
static inline const char *past_words(const struct past *p)
{
    return p->earlier != NULL ? ", earlier sweeps" : "";
}

static inline size_t past_count(const struct past *p)
{
    return p->configurations.count;
}

static inline const double *past_places(const struct past *p, size_t item)
{
    return p->places + item * p->space->count;
}

/* Does the run say anything of its configuration? */
bool past_speaks(const struct space *s, const struct trial *t);
/* What the run had come to at that epoch, small is good; INFINITY: it failed. False: it came to its
 * end before, or trained on without a stop there. */
bool past_cost_at(const struct trial *t, int64_t epoch, bool maximize, double *cost);
/* Of two that have ended: below 0 when a is better; 0 when neither is. */
int past_compare(const struct trial *a, const struct trial *b, bool maximize);

/* As run `number` of the sweep may see it. False: one of the runs it sees has not ended. Left out
 * is what says nothing of the configuration: runs that a person cancelled, those that failed for
 * another reason than their own, and treatments that changed what is not swept. */
bool past_see(struct past *p, const struct study *st, size_t number);

/* With several objectives, until the next past_see: ranks what is seen by fronts (pareto_init), or
 * by those weights of them (pareto_scalarise) where they are not NULL. */
void past_rank(struct past *p, const double *weights);

/* Of a study, with nothing seen but earlier sweeps; past_finish. */
void past_begin(struct past *p, const struct study *st);

/* The past of a study: what it keeps, or `own`, which past_close finishes. */
struct past *past_open(const struct study *st, struct past *own);
void past_close(struct past *p, struct past *own);

/* The configurations between those it sees and its own: runs of the sweep, then what was proposed
 * before it in the same ask. Places in out [lag][dimensions]; returns the number. */
size_t past_pending(const struct past *p, const struct study *st, const struct proposals *asked,
                    double *out);

#endif
