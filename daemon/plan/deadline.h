/* What of a sweep still fits before its deadline, by what its runs have taken so far. Both
 * judgements go by a few numbers that are stored with what they led to, so that a replay, which has
 * no clock, makes them again. Pure. */
#ifndef SWEEPD_DEADLINE_H
#define SWEEPD_DEADLINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/study.h"

struct json;
struct json_writer;

/* Seconds per epoch of that configuration: as its own runs took, else as those near it in the
 * space did. NAN: nothing was measured yet. */
double deadline_pace(const struct study *st, const struct assignment *at);
/* Seconds of a run, as those that have ended took, or those that run will; NAN: nothing was
 * measured. */
double deadline_run_seconds(const struct study *st);

/* How many runs the whole sweep may have. */
struct deadline_plan {
    double left;     /* seconds to the deadline */
    double window;   /* seconds from the first start to it */
    double seconds;  /* of a run */
    double busy;     /* seconds that the running ones will take, together */
    int64_t workers;
    int64_t planned; /* rows of runs so far: a replay comes to the same there */
    int64_t begun;   /* of run_cap, that were started */
    int64_t run_cap; /* without the last ones, and what was skipped */
    int64_t skipped; /* of run_cap, so far */
    int64_t last;    /* that repeat the best few … */
    int64_t along;   /* … of which so many were begun before the end */
    /* what follows */
    int64_t runs;      /* instead of run_cap */
    int64_t last_runs; /* instead of last */
    double reserve;    /* seconds that those take */
};
void deadline_plan_judge(struct deadline_plan *p);
void deadline_plan_write(const struct deadline_plan *p, struct json_writer *w);
/* Judges too. False: the text is no such plan. */
bool deadline_plan_read(const char *text, struct deadline_plan *out);
#define DEADLINE_REASON_MAX 256
void deadline_plan_reason(const struct deadline_plan *p, char out[DEADLINE_REASON_MAX]);
/* The study with no more than that; `had` runs of run_cap are planned and not skipped. */
void deadline_shrink(struct study *st, const struct deadline_plan *p, size_t had);

/* Whether a run is begun, or goes on. */
struct deadline_run {
    double left;     /* seconds to the deadline; 0: it has passed */
    double reserve;  /* of them kept for the last runs */
    double pace;     /* seconds per epoch; NAN: not known */
    int64_t epochs;  /* that it has to train */
    int64_t place, places; /* it is the so many-th of its stage, which may have so many; places 0:
                              as many as it likes */
};
/* True: it is skipped, and why. */
bool deadline_skips(const struct deadline_run *r, char reason[DEADLINE_REASON_MAX]);
void deadline_run_write(const struct deadline_run *r, struct json_writer *w);
bool deadline_run_read(const char *text, struct deadline_run *out);

#endif
