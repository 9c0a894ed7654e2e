/* Trains one network and reports its points. */
#ifndef WORKER_TRAIN_H
#define WORKER_TRAIN_H

#include <stdbool.h>

#include "sweep/run_config.h"
#include "worker/data/samples.h"
#include "worker/data/split.h"
#include "worker/nn/net.h"

struct errbuf;
struct point;

/* Called with every point; anything but 0 ends the training with that code. */
typedef int train_report_fn(void *context, const struct point *p);

struct train {
    const struct run_config *config;
    const struct samples *samples;
    const struct split *split;
    train_report_fn *report;
    void *context;
    double start_seconds;        /* monotonic clock at the run's start */

    /* results */
    struct net net;
    const real *best;            /* parameters of the best point; NULL: not wanted */
    bool stopped;                /* the loss is no longer a number; reason says so */
    char reason[160];
};

/* The caller fills the first part, calls train_open (the network is built: its size is known),
 * train_run, and train_close whether or not train_run succeeded. */
int train_open(struct train *t, struct errbuf *err);
int train_run(struct train *t, struct errbuf *err);
void train_close(struct train *t);

double train_clock_seconds(void);

#endif
