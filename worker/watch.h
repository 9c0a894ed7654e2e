/* What is measured of each layer at a point: norms of its gradient, its weights and its last
 * update, dead and saturated units (sweep/layer_stat.h). Only the last batch before a point is
 * watched and the evaluation behind it; every other step costs nothing. Reads, never writes: the
 * same bits with and without it. */
#ifndef WORKER_WATCH_H
#define WORKER_WATCH_H

#include "sweep/layer_stat.h"
#include "worker/nn/net.h"
#include "worker/optim/optim.h"

/* One layer with weights. */
struct watched {
    const struct layer *layer;
    const struct layer *active; /* its activation, or itself if recurrent; NULL: nothing to see */
    size_t first_span, span_count; /* of the network's; 0: frozen */
    real *alive;                /* [units] 1: was above 0 for some sample; NULL: no rectifier */
    size_t units;
    real centre, reach;         /* outputs farther than reach from centre are saturated; 0: none */
    size_t beyond, outputs;     /* counted so far */
    bool overwritten;           /* in training the outputs are another layer's in the end */
};

struct watch {
    struct optim_watch optim;
    struct watched *layers;
    real *alive;
    size_t count, unit_count;
    struct layer_stats stats;
};

void watch_init(struct watch *w, const struct net *n);
void watch_finish(struct watch *w);
/* From here on counts what is seen. Memory is taken at watch_init alone. */
void watch_begin(struct watch *w);
/* The activations of rows that the network has just passed forward. */
void watch_outputs(struct watch *w, size_t rows, bool training);
/* After a step with optim.watch = &w->optim: all of w->stats but the point. */
void watch_end(struct watch *w);

#endif
