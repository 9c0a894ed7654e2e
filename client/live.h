/* What a watcher knows of a sweep, and how it is shown in lines, where there is no full screen.
 * Pure: notifications and replies in, lines out; no I/O and no clock, so that it is tested without
 * a daemon.
 *
 * A run is held only until its line has been written, so a sweep of a million runs takes no more
 * memory than its running ones. */
#ifndef SWEEPCTL_LIVE_H
#define SWEEPCTL_LIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "client/render.h"
#include "sweep/buf.h"

struct json;

/* X(id, title, key, other key, format, width, right, drop: the highest goes first when the
 * terminal is narrow, 0 never) */
#define LIVE_COLUMN_MAP(X)                                                  \
    X(RUN, "run", "run", "run_id", NUMBER, 5, true, 0)                      \
    X(NUMBER, "#", "number", NULL, PLACE, 5, true, 9)                       \
    X(STAGE, "stage", "stage", NULL, TEXT, 16, false, 5)                    \
    X(LEARNING_RATE, "lr", "learning_rate", NULL, NUMBER, 8, true, 0)       \
    X(BATCH_SIZE, "batch", "batch_size", NULL, NUMBER, 5, true, 4)          \
    X(OPTIMIZER, "optimizer", "optimizer", NULL, TEXT, 9, false, 1)         \
    X(DEPTH, "depth", "depth", NULL, NUMBER, 5, true, 6)                    \
    X(EPOCH, "epoch", "epoch", "epochs_done", NUMBER, 7, true, 0)                    \
    X(TRAIN_LOSS, "train loss", "train_loss", NULL, LOSS, 10, true, 7)      \
    X(VAL_LOSS, "val loss", "val_loss", NULL, LOSS, 9, true, 0)             \
    X(VAL_ACC, "val acc", "val_acc", NULL, PERCENT, 8, true, 3)             \
    X(BEST, "best", "metric_value", NULL, LOSS, 9, true, 8)                 \
    X(LABEL, "label", "pattern", "label", TEXT, 18, false, 2)               \
    X(STATUS, "status", "status", NULL, TEXT, 9, false, 0)

enum live_column {
#define X(id, title, key, other, format, width, right, drop) LIVE_##id,
    LIVE_COLUMN_MAP(X)
#undef X
    LIVE_COLUMN_COUNT
};

#define LIVE_CELL_MAX 40

struct live_run {
    int64_t id;
    bool ended;
    char cell[LIVE_COLUMN_COUNT][LIVE_CELL_MAX];
    char error[160]; /* of a failed run */
};

struct live {
    int64_t sweep, run_cap, epochs, done;
    bool ended;       /* or held: nothing more will come by itself */
    bool maximize, has_best;
    bool again; /* the runs are looked at once more */
    double best;
    int64_t started_us; /* UTC; of the submit while it is queued; 0: not known */
    int64_t ended_us;   /* UTC; 0: it goes on, or ended just now */
    char name[64], status[24], stage[40], reason[240];
    struct live_run fixed; /* what the spec does not sweep */
    struct live_run *runs; /* running, and ended ones not yet written */
    size_t count, cap;
};

void live_init(struct live *l, int64_t sweep);
void live_finish(struct live *l);
/* The object "sweep" of a `show` reply. */
void live_apply_sweep(struct live *l, const struct json *sweep);
/* One row of `runs`: how it stands when the watching begins. arg: the live. */
void live_apply_run(void *arg, const struct json *row);
/* Notifications were left out: `show` and `runs` are to be applied once more. Runs at hand that
 * have ended meanwhile get their lines. */
void live_look_again(struct live *l);
/* A notification. False for one that says nothing about this sweep. */
bool live_apply(struct live *l, const char *method, const struct json *params);

/* Appends a line for every run that has ended, and forgets it. */
void live_take_ended(struct live *l, size_t width, bool colour, struct buf *out);
/* The titles of those lines. */
void live_titles(size_t width, bool colour, struct buf *out);
/* "sweep 3 fashion  running  stage fine  17/40 runs  1 min 12 s  best 0.3120" */
void live_header(const struct live *l, int64_t now_us, size_t width, bool colour,
                 struct buf *out);

#endif
