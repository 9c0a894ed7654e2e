/* From the bytes that a program writes to SWEEPD_METRICS_FD to the points of its run.
 *
 * How epochs are counted is decided by the first line that has numbers, or by the configuration's
 * curves.epoch: by a number in the lines ("epoch", else "step"), or, where the first line has
 * neither, by counting the lines.
 *   counted: each line is a point.
 *   by number: lines of one epoch are one point (of a name said twice the last value counts), and
 *   so is a line without that number: it belongs to the epoch before it. The point is written when
 *   a later epoch begins, or at the end. A first number of 0 counts as 1, and all that follow with
 *   it. A line of an epoch before the present one, or of none (not finite, below 0), is left out.
 * Lines that are too long or no JSON object are left out.
 *
 * A run has at most RUN_POINTS_MAX points. Of those that come after RUN_POINTS_MAX -
 * RUN_POINTS_AT_END the best and the last are given at the end, so that what the run came to is
 * never lost. */
#ifndef WORKER_COMMAND_INTAKE_H
#define WORKER_COMMAND_INTAKE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/run.h"
#include "worker/command/metrics_line.h"
#include "worker/command/series.h"

enum intake_manner { INTAKE_UNKNOWN, INTAKE_COUNTED, INTAKE_BY_NUMBER };

struct intake {
    const char *metric; /* that runs are ranked by; borrowed */
    bool maximize;
    int64_t points_max; /* RUN_POINTS_MAX */
    /* Gets each point with its metrics; borrowed. Not 0: the intake stops and returns it. */
    int (*give)(void *context, struct point_metrics *m);
    /* All points that were given count for nothing: others take their place. NULL: they stay. */
    int (*anew)(void *context);
    void *context;
    /* Gets each line with values, passes on what is to count (intake_values); by default all. */
    int (*heard)(void *hearer, struct intake *in, const struct metrics_line *l, double seconds);
    void *hearer;
    struct series_table series;
    /* bytes → lines */
    struct buf line;
    bool too_long; /* the present line is */
    struct metrics_line read; /* scratch */
    /* lines → points */
    enum intake_manner manner;
    char key[METRIC_NAME_MAX + 1]; /* the number that counts epochs */
    double shift;        /* 1 where epochs count from 0 */
    bool has_first;      /* an epoch was read: shift is decided */
    bool rebase;         /* the next count goes on behind the present epoch */
    double epoch;        /* of what is held; 0: not known yet */
    size_t held_count;
    struct metric_value held[METRICS_MAX];
    double seconds;      /* when the last of it came */
    int64_t points;      /* given */
    double floor;        /* up to this epoch an earlier attempt has given all */
    double given;        /* epoch of the last point given */
    int64_t known;       /* lines to come, of those that count epochs, that were given before */
    double limit;        /* no epoch beyond it is wanted */
    bool beyond;         /* one came */
    bool passed;         /* the present epoch is passed over */
    bool metric_seen;
    double best;                                 /* of the metric, of all that was reported */
    struct point_metrics *best_over, *last_over; /* of what is over; NULL: none; owned */
    /* what was left out */
    uint64_t bad_lines, late_lines, values;
    uint64_t points_over;
    uint64_t lines;       /* that have come */
    char first_bad[512];  /* the first of bad_lines, and what is wrong with it */
};

/* in: zeroed, once: most of it is room that a run may never use. */
void intake_init(struct intake *in, const struct command_config *c,
                 int (*give)(void *context, struct point_metrics *m), void *context);
void intake_finish(struct intake *in);
/* An earlier attempt has given this point, and what came before it; from_zero: its program
 * counts epochs from 0. What this attempt says again of those epochs is passed over. */
void intake_resume(struct intake *in, const struct point_metrics *m, bool from_zero);
/* What follows, until false is said, is what earlier attempts have said, from its beginning (or,
 * forgotten, from somewhere): what has become a point is passed over. */
void intake_replay(struct intake *in, bool begins, bool forgotten);
/* What it has given counts for nothing: an attempt that took back its points. */
void intake_forget(struct intake *in);
/* seconds: since the run's start. 0, or what give returned. */
int intake_bytes(struct intake *in, const char *bytes, size_t len, double seconds);
/* Values that were read elsewhere. */
int intake_values(struct intake *in, const struct metrics_line *l, double seconds);
/* What follows comes from elsewhere: it may count epochs in another way. Where its first count is
 * of an epoch that was given it tells the same again, and better: its points take the others'
 * place. */
int intake_switch(struct intake *in);
/* No more bytes: a last line without '\n' counts. */
int intake_end(struct intake *in, double seconds);
/* What was left out, in words; nothing where nothing was. */
void intake_left_out(const struct intake *in, struct buf *out);

#endif
