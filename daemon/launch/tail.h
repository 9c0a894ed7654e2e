/* run.jsonl to the engine: what a worker has appended becomes events, in its order. A read takes a
 * bounded amount, so that no file, however long, holds up the loop or another run. */
#ifndef SWEEPD_TAIL_H
#define SWEEPD_TAIL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/launch/rundir.h"
#include "sweep/record.h"

struct launch_site;
struct layer_stats;

/* The most points of a run that are taken a second (half a processor's work for the daemon), and
 * those that may come at once. What is over waits in the file; nothing of it is lost. */
#define TAIL_POINTS_PER_SECOND 5000
#define TAIL_POINTS_AT_ONCE 50000

/* What one read has found; kept from read to read for its memory alone. A zeroed one is valid. */
struct tail_scratch {
    struct point *points;
    size_t point_count, point_cap;
    int64_t *ends; /* of each point: where its lines end in the file */
    size_t end_cap;
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
    char *broken;           /* what is wrong with the file; NULL: nothing */
    bool refused;           /* the engine took no more of its points */
    int64_t whole_bytes;    /* of the lines that nothing is wrong with */
    double share;           /* points that may be taken now */
    uint64_t share_ms;      /* when that was reckoned; 0: not yet */
    bool held_back;         /* it had no share left, and that was said */
    char *unreadable;       /* why the last read failed; NULL: it did not */
    uint64_t unreadable_ms; /* since when */
};

enum tail_end {
    TAIL_WHOLE, /* all that is there has been read, or it is broken */
    TAIL_MORE,  /* there is more to read */
    TAIL_LATER, /* perhaps, but not now: the store cannot keep up, the run has had its share of
                 * this second, or the file cannot be read at the moment */
};

/* dir.fd -1: nothing is open yet. */
void tail_init(struct tail *t, const struct launch_site *site, struct tail_scratch *scratch,
               int64_t run_id);
void tail_finish(struct tail *t);
/* Reads on, at most RUNDIR_READ_BYTES. now_ms: loop time. */
enum tail_end tail_read(struct tail *t, uint64_t now_ms);
/* What is wrong lies in what was there before this worker: no fault of its own. */
bool tail_inherited_damage(const struct tail *t);

#endif
