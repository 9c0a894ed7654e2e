/* What a search knows of earlier sweeps when it begins: runs that count as its own, since they were
 * trained alike, and configurations to try first of those that were not. It is text in the sweep's
 * row, fixed at submit: what becomes of the other sweeps later changes nothing. Pure. */
#ifndef SWEEPD_EARLIER_H
#define SWEEPD_EARLIER_H

#include <stddef.h>
#include <stdint.h>

#include "daemon/plan/study.h"

struct json_writer;

#define EARLIER_RUNS_MAX 300  /* that are known: no model goes by more (gp.c) */
#define EARLIER_STARTS_MAX 10 /* of all sweeps; of each: */
#define EARLIER_STARTS_EACH 5

/* A configuration to try first. */
struct earlier_start {
    int64_t sweep_id, run_id;
    int64_t place; /* that it had there, from 1 */
    struct assignment at;
};

struct earlier {
    size_t objectives; /* of the sweep; 0: its metric alone */
    size_t count;
    struct trial **trials; /* they have no number, and the stage of what a person asked for */
    int64_t *run_ids;      /* of the same */
    size_t start_count;
    struct earlier_start *starts;
    size_t said_count;
    char **said; /* what was taken of each sweep, and what could not be, in words */
};

/* NULL where the text is no such thing. epochs: of a whole run, as the known ones are; objectives:
 * of the sweep, 0: its metric alone. */
struct earlier *earlier_read(const char *text, const struct space *space, int64_t epochs,
                             size_t objectives);
void earlier_destroy(struct earlier *e);

/* A run as it is written; the caller has the array open. rung: of a stopped one. */
struct earlier_run {
    int64_t run_id;
    enum run_status status;
    enum run_error error;
    bool has_metric;
    double metric_value;
    size_t further_count; /* of the objectives behind the metric; 0: none is known */
    double further[OBJECTIVES_MAX];
    int64_t rung;
    struct assignment at;
};
void earlier_run_write(const struct space *s, const struct earlier_run *r, struct json_writer *w);
void earlier_start_write(const struct space *s, const struct earlier_start *st,
                         struct json_writer *w);

/* NULL-tolerant: how many runs are known. */
static inline size_t earlier_count(const struct earlier *e)
{
    return e != NULL ? e->count : 0;
}
/* Configuration i of those to try first; NULL: there are no more. */
const struct earlier_start *earlier_start(const struct earlier *e, uint64_t i);
/* "place 2 of sweep 4 (run 40), which were trained otherwise" */
void earlier_start_reason(const struct earlier_start *st, char *out, size_t size);
/* The best completed ones, a tenth of them, at least three where there are; or those to try first.
 * Borrowed; at most EARLIER_RUNS_MAX. */
size_t earlier_elite(const struct earlier *e, bool maximize, const struct assignment **out);

#endif
