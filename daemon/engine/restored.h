#ifndef SWEEPD_RESTORED_H
#define SWEEPD_RESTORED_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/rows.h"

#define RESTORED_IDENTITY_MAX 40

/* What was in the database at open: every sweep that is not terminal with all its runs, and the
 * highest ids ever given (also to rows deleted since). Owned; store_restored_finish. */
struct store_restored {
    char database[RESTORED_IDENTITY_MAX]; /* what tells it from every other: a UUID */
    int64_t last_sweep_id, last_run_id;
    size_t unmarked_count, unmarked_cap;
    int64_t *unmarked; /* runs whose folders may have no identity; by id */
    size_t sweep_count, sweep_cap;
    struct sweep_row *sweeps;
    size_t run_count, run_cap;
    struct run_row *runs; /* by sweep, then number; settings as they were stored */
    struct run_settings_reader settings; /* of those, while they are read */
    size_t label_count, label_cap;
    struct stored_label { /* of an ended run of theirs */
        int64_t run_id;
        struct run_facts facts;
        enum cause_id cause; /* CAUSE_COUNT: nothing is wrong */
    } *labels;               /* by run_id */
    size_t rung_count, rung_cap;
    struct stored_rung {
        int64_t sweep_id, run_id, epoch;
        double value;        /* NaN: none */
        size_t further_count;
        double further[OBJECTIVES_MAX]; /* of the objectives behind the first */
        enum decision_kind kind; /* paused, audited; promoted and stopped only with a flush */
        int64_t flush; /* decided when nothing else was left to do, behind that many runs of the
                          search (daemon/plan/stop/ladder.h) */
    } *rungs;                /* in the order they were decided */
    size_t extension_count, extension_cap;
    struct stored_extension {
        int64_t sweep_id, from; /* the runs numbered from there on came after it */
        bool ended;             /* the sweep had */
    } *extensions;              /* in the order they were made */
    size_t point_count, point_cap;
    struct stored_point { /* of a run that a client has */
        int64_t run_id;
        struct point point;
    } *points;            /* by run_id, then point */
    size_t metric_count, metric_cap;
    struct stored_metric { /* so too, of a sweep with several objectives */
        int64_t run_id, point;
        double epoch;
        struct metric_value metric;
    } *metrics;            /* by run_id, then point */
};

/* Of count rows of `size` bytes, each beginning with the id of its run and in their order: the
 * first of that run, or of a later one. */
size_t restored_first(const void *rows, size_t count, size_t size, int64_t run_id);

#define STORED_RUNG_NO_FLUSH (-1)

/* Of a decision's row. False: it says nothing that the rows of runs do not. */
bool stored_rung_read(int64_t run_id, enum decision_kind kind, const char *detail,
                      struct stored_rung *out);
/* Of a decision's detail. False: it says none. */
bool stored_extension_read(int64_t sweep_id, const char *detail, struct stored_extension *out);

#endif
