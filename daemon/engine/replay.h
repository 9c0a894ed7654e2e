/* A stored sweep decided again: the engine is given what each run showed, as the rows have it, and
 * every decision that it comes to is held against the stored one. Pure; the rows come through a
 * source. */
#ifndef SWEEPD_REPLAY_H
#define SWEEPD_REPLAY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/restored.h"
#include "daemon/engine/rows.h"

/* What a run showed, all of it. */
struct replay_curve {
    size_t count, cap;
    struct point *points;
    size_t metrics_count, metrics_cap;
    struct point_metrics **metrics; /* by point */
    size_t layers_count, layers_cap;
    struct layer_stats **layers;    /* by point */
    int64_t parameters;             /* of its network; 0: not known */
};
void replay_curve_finish(struct replay_curve *c);

struct replay_decision {
    int64_t id, run_id;      /* run_id 0: of the sweep as a whole */
    enum decision_kind kind; /* DECISION_KIND_COUNT: an unknown one */
    char *reason, *detail;   /* detail NULL: none */
};

struct replay_source {
    struct store_restored rows; /* the sweep, and its runs by number */
    size_t count, cap;
    struct replay_decision *decisions; /* by id */
    /* Fills in out, which is empty. 0 or an error. */
    int (*read)(void *arg, int64_t run_id, struct replay_curve *out, struct errbuf *err);
    void *arg;
    bool (*stop)(void *arg); /* nobody wants to know any more; NULL: goes on */
};
/* Of a decision's name as it is stored. */
enum decision_kind decision_find(const char *name);

struct replay_report {
    int64_t runs, decisions; /* that were made again */
    bool differs;            /* then the first that does: */
    int64_t decision_id;     /* 0: it is about the row of a run, or was never made */
    int64_t run_id, number;  /* run_id 0: of the sweep as a whole */
    char what[48];           /* "decision", "params", … */
    char *stored, *again;    /* "" none */
};
void replay_report_finish(struct replay_report *r);

/* 0, or ERR_DATA: the sweep cannot be read. */
int engine_replay(const struct replay_source *in, struct replay_report *out, struct errbuf *err);

#endif
