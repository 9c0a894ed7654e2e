/* A stopping rule: whether a run that has reached a rung goes on. Pure, and in logical time: run n
 * sees exactly the runs of the search numbered below n - lag, and what they came to at that rung,
 * whatever the number of workers. A rule is a row of STOP_MAP (sweep/stop.h) and the file that
 * defines stop_<name>. */
#ifndef SWEEPD_STOP_H
#define SWEEPD_STOP_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/study.h"
#include "sweep/stop.h"

#define VERDICT_REASON_MAX 160

/* Of the runs before it the last so many are looked at: so a decision costs the same, however long
 * the sweep. */
#define STOP_RUNS_SEEN 4096

/* WAIT: a run that is to be seen has not reached the rung yet. */
enum verdict { VERDICT_GO_ON, VERDICT_STOP, VERDICT_WAIT };

/* What a rule reads. */
struct rung_view {
    const struct stop_settings *settings;
    bool maximize;
    size_t number;        /* of the run */
    int64_t epoch;
    int64_t epochs;       /* its horizon */
    double value;         /* its best metric up to the rung; may be non-finite */
    size_t count;         /* of earlier runs that were there */
    const double *values; /* theirs, by number; may be non-finite */
};

/* What it says. rank: 1 is the best of the `of` values known there, its own among them, and equal
 * ones share it. cutoff: the worst value that goes on; NaN where there is none. reason: in words,
 * always, but for WAIT. */
struct rung_verdict {
    enum verdict verdict;
    double cutoff;
    size_t rank, of;
    char reason[VERDICT_REASON_MAX];
};

struct stop_rule {
    /* Rank is known already. */
    void (*decide)(const struct rung_view *v, struct rung_verdict *out);
};

/* Of trial t of the study, at its last rung. */
void stop_decide(const struct study *st, const struct trial *t, struct rung_verdict *out);

#define X(id, name, traits, doc) extern const struct stop_rule stop_##name;
STOP_MAP(X)
#undef X

#endif
