/* Trains one network and reports its points. */
#ifndef WORKER_TRAIN_H
#define WORKER_TRAIN_H

#include <stdbool.h>

#include "sweep/run_config.h"
#include "worker/checkpoint.h"
#include "worker/data/samples.h"
#include "worker/data/split.h"
#include "worker/evaluate.h"
#include "worker/setup.h"
#include "worker/watch.h"

struct errbuf;
struct layer_stats;
struct point;

/* Called with every point; anything but 0 ends the training with that code. */
typedef int train_report_fn(void *context, const struct point *p);
/* Called after each point with what its layers showed. */
typedef int train_layers_fn(void *context, const struct layer_stats *s);
/* Makes the reported points durable, before a checkpoint builds on them. 0 or a code. */
typedef int train_sync_fn(void *context);

struct train {
    const struct run_config *config;
    const struct samples *samples;
    const struct split *split;
    train_report_fn *report;
    train_layers_fn *layers;     /* NULL: nobody asks, and nothing is measured */
    train_sync_fn *sync;         /* NULL: nothing to be done */
    void *context;
    double start_seconds;        /* monotonic clock at the run's start */

    struct setup setup;
    struct evaluator evaluator;
    struct watch watch;
    struct progress progress;
    char identity[65];           /* of its checkpoints */
    double checkpoint_at;        /* clock of the last one, or of the start */

    /* results */
    int64_t resumed_point;       /* the checkpoint's last point; 0: from the beginning */
    bool interrupted;            /* SIGTERM: what there is to go on with is in the checkpoint */
    bool paused;                 /* its budget is used up: the same; progress.epoch is next */
    bool stopped;                /* early, by a rule; reason says which */
    char reason[160];
};

/* The caller fills the first part, calls train_open (the network is built, or taken from a
 * checkpoint), train_run, and train_close whether or not train_run succeeded. */
int train_open(struct train *t, struct errbuf *err);
int train_run(struct train *t, struct errbuf *err);
/* The values of the best point, NULL when they are not wanted (config.weights, weights_floor). */
const real *train_best(const struct train *t);
/* The test set with those values, which become the network's; false when there is none. */
bool train_test(struct train *t, struct evaluation *out);
void train_close(struct train *t);

double train_clock_seconds(void);

#endif
