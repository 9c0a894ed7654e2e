/* run.jsonl to the engine: what a worker has appended becomes events, in its order. */
#ifndef SWEEPD_TAIL_H
#define SWEEPD_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/launch/rundir.h"
#include "sweep/record.h"

struct launch_site;
struct layer_stats;

/* What one read has found; kept from read to read for its memory alone. A zeroed one is valid. */
struct tail_scratch {
    struct point *points;
    size_t point_count, point_cap;
    struct layer_stats **layers; /* what they showed at them; owned */
    size_t layers_count, layers_cap;
    struct point_metrics **metrics; /* and values by names of the program's own; owned */
    size_t metrics_count, metrics_cap;
};
void tail_scratch_finish(struct tail_scratch *s);

struct tail {
    const struct launch_site *site;
    struct tail_scratch *scratch; /* shared by the tails of a pool */
    int64_t run_id;
    struct rundir dir;
    bool introduced;              /* a start line came since the reader has last cleared this */
    struct record_start start;    /* that line */
    bool has_result;
    struct record_result result;
    char *broken;                 /* what is wrong with the file; NULL: nothing */
};

/* dir.fd -1: nothing is open yet. */
void tail_init(struct tail *t, const struct launch_site *site, struct tail_scratch *scratch,
               int64_t run_id);
void tail_finish(struct tail *t);
/* Reads on. True when all that is there has been read, or it is broken; false when the store
 * cannot keep up: the file keeps the rest for later, nothing piles up in memory. */
bool tail_read(struct tail *t);

#endif
