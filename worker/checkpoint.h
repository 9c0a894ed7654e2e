/* The state of a training in a file, so that a run goes on to the bit where it stopped. Written
 * under another name, synced and renamed; what does not fit in every number is as good as none. */
#ifndef WORKER_CHECKPOINT_H
#define WORKER_CHECKPOINT_H

#include <stdbool.h>
#include <stdint.h>

#include "sweep/curve.h"
#include "worker/step.h"
#include "worker/tally.h"

struct errbuf;

/* Everything between two steps that is neither in the configuration nor in the data. Plain. */
struct progress {
    int64_t epoch;         /* from 1; the one that goes on */
    int64_t batch;         /* batches of it done */
    int64_t points;        /* reported */
    struct tally tally;    /* since the last point */
    bool have_best, has_patience_best;
    double best_value, best_epoch; /* of the points */
    double patience_best;  /* best metric by min_delta: patience counts from it */
    int64_t bad_epochs;    /* since then */
    double seconds;        /* trained so far */
};

/* What a checkpoint holds: of the step values, optimizer state, step count and schedule. */
struct checkpointed {
    struct step *step;
    real *best; /* values of the best point; may be NULL */
    struct progress *progress;
};

/* identity: hash of what must be equal for a checkpoint to be of this run. 0, or ERR_IO: also where
 * the disk is nearly full (its last twentieth, at most 64 MiB, is for others). */
int checkpoint_write(const char *path, const char identity[65], const struct checkpointed *c,
                     struct errbuf *err);
/* Reads it back into a freshly opened training. ERR_NOT_FOUND; ERR_DATA: torn, damaged, of
 * another run or version; then nothing was changed. */
int checkpoint_read(const char *path, const char identity[65], const struct checkpointed *c,
                    struct errbuf *err);

/* Goes on from another run's: its values, optimizer state and average, at the beginning of the
 * epoch in which it was written; steps are counted as this run's epochs have them. What it has
 * reported, its best values and its rate stay the other's affair. Errors as above; ERR_DATA too
 * where network or optimizer are others. */
int checkpoint_inherit(const char *path, const struct checkpointed *c, struct errbuf *err);

#endif
