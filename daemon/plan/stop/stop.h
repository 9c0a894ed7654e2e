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

/* A run's own metric at its points up to a rung. */
struct rung_curve {
    size_t count;
    const double *epochs, *values; /* ascending; may be non-finite */
};

/* What a rule reads. */
struct rung_view {
    const struct stop_settings *settings;
    bool maximize;
    size_t number;        /* of the run */
    int64_t epoch;
    int64_t epochs;       /* its horizon */
    double value;         /* its best metric up to the rung; may be non-finite */
    const char *by;       /* with several objectives value and values are not the metric's, but
                             what these words say, and small is good; NULL: the metric's */
    size_t count;         /* of earlier runs that were there */
    double *values;       /* theirs, by number; may be non-finite */
    /* STOP_EXTRAPOLATES: */
    bool has_best;
    double best; /* what the best of the earlier runs that have ended came to */
    struct rung_curve curve;
    /* STOP_DIAGNOSES: as its points up to the rung show it */
    enum pattern label;
    double confidence;
};

/* What it says. rank: 1 is the best of the `of` values known there, its own among them, and equal
 * ones share it. cutoff: the worst value that goes on; NaN where there is none. reason: in words,
 * always, but for WAIT. */
struct rung_verdict {
    enum verdict verdict;
    double cutoff;
    double probability; /* of beating the best; NaN: the rule knows none */
    size_t rank, of;
    int64_t flush; /* of a ladder: the time of the flush it was decided in; -1: in none */
    char reason[VERDICT_REASON_MAX];
};

struct stop_rule {
    /* Rank is known already. */
    void (*decide)(const struct rung_view *v, struct rung_verdict *out);
};

/* What is known at the last rung of trial t but for its own curve and label, which the caller puts
 * in where the rule has them. False: a run that is to be seen may still get there. In any case
 * stop_view_finish. */
bool stop_view(const struct study *st, const struct trial *t, struct rung_view *out);
void stop_view_finish(struct rung_view *v);
void stop_judge(const struct rung_view *v, struct rung_verdict *out);

/* The trial's value at that rung; NULL: it was not there. */
const struct rung *stop_rung_at(const struct trial *t, int64_t epoch);
/* Ended, or to be judged as if it had: it comes to no further rung. */
bool stop_has_left(const struct trial *t);
/* How many trials of the study are numbered below that. */
size_t stop_trials_before(const struct study *st, int64_t number);

/* The three in one, for rules that need no more. */
void stop_decide(const struct study *st, const struct trial *t, struct rung_verdict *out);

/* Would that run go on all the same, so that it is known what stopping costs? By seed and number
 * alone. */
bool stop_is_audited(const struct study *st, const struct trial *t);

#define X(id, name, traits, doc) extern const struct stop_rule stop_##name;
STOP_MAP(X)
#undef X

#endif
