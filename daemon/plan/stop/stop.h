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

/* WAIT: a run that is to be seen has not reached the rung yet. */
enum verdict { VERDICT_GO_ON, VERDICT_STOP, VERDICT_WAIT };

/* What a rule reads. */
struct rung_view {
    const struct stop_settings *settings;
    bool maximize;
    int64_t epoch;
    double value;         /* the run's best metric up to there; may be non-finite */
    size_t count;         /* of earlier runs that were there */
    const double *values; /* theirs, by number; may be non-finite */
};

struct stop_rule {
    /* reason: in words, always. */
    enum verdict (*decide)(const struct rung_view *v, char reason[VERDICT_REASON_MAX]);
};

/* Of trial t of the study, at its last rung. */
enum verdict stop_decide(const struct study *st, const struct trial *t,
                         char reason[VERDICT_REASON_MAX]);

#define X(id, name, doc) extern const struct stop_rule stop_##name;
STOP_MAP(X)
#undef X

#endif
