/* What is left of an ended run for finding its causes and those of its siblings: plain numbers,
 * stored with its label as JSON, so that nothing has to be read again. */
#ifndef SWEEP_RUN_FACTS_H
#define SWEEP_RUN_FACTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/curve.h"
#include "sweep/diagnosis.h"
#include "sweep/layer_stat.h"

struct errbuf;
struct json;
struct json_writer;

/* X(member, what it is). NaN where it was not measured. */
#define RUN_FACT_MAP(X)                                                                           \
    X(points, "curve points")                                                                     \
    X(epochs, "epoch of the last point")                                                          \
    X(first_train, "training loss at the first point")                                            \
    X(best_train, "lowest training loss")                                                         \
    X(end_train, "training loss at the end, median of the last points")                           \
    X(first_val, "validation loss at the first point")                                            \
    X(best_val, "lowest validation loss")                                                         \
    X(end_val, "validation loss at the end, median of the last points")                           \
    X(best_train_acc, "highest training accuracy")                                                \
    X(best_val_acc, "highest validation accuracy")                                                \
    X(spread, "train_loss_sd / training loss, median of the last points (G1)")                    \
    X(val_noise, "noise of the validation loss between points")                                   \
    X(first_grad_norm, "gradient norm at the first point")                                        \
    X(max_grad_norm, "largest gradient norm")                                                     \
    X(end_grad_norm, "gradient norm at the end")                                                  \
    X(grad_ratio, "gradient norm of the first layer / of the last, median over the points")       \
    X(update_ratio, "median over layers and points of update / weight norm")                      \
    X(dead, "largest share of dead units of a layer, at the last point")                          \
    X(saturated, "largest share of saturated outputs of a layer, at the last point")              \
    X(mid_train, "training loss half-way")                                                        \
    X(max_val, "highest validation loss")                                                         \
    X(best_val_epoch, "epoch of the lowest validation loss")                                      \
    X(best_val_train_acc, "training accuracy there")                                              \
    X(end_train_acc, "training accuracy at the end, median of the last points")                   \
    X(end_val_acc, "validation accuracy at the end, median of the last points")                   \
    X(best_r2, "highest validation R2 (regression)")                                              \
    X(batch_min, "train_loss_min / training loss, median of the last points")                     \
    X(batch_max, "train_loss_max / training loss, median of the last points")                     \
    X(first_dead, "as dead, at the first point")                                                  \
    X(first_update_ratio, "median over layers of update / weight norm, at the first point")       \
    X(parameters, "trainable numbers of the network")

struct run_facts {
    /* the label; not in the JSON, which has what was measured */
    enum pattern pattern;
    double confidence;
    uint32_t tags;
#define X(member, doc) double member;
    RUN_FACT_MAP(X)
#undef X
};

/* Gathered as the points come. Bounded: medians over points come from a fixed reservoir of
 * evenly thinned values. */
#define RUN_FACTS_KEPT 64
struct run_facts_gather {
    struct run_facts facts;   /* what needs no median */
    int64_t last_point;       /* a resumed worker says its last ones again */
    size_t seen, stride, kept;
    double grad_ratio[RUN_FACTS_KEPT], update_ratio[RUN_FACTS_KEPT];
};

void run_facts_begin(struct run_facts_gather *g);
void run_facts_layers(struct run_facts_gather *g, const struct layer_stats *s);
/* points: of the whole run (thinned ones will do), d: their diagnosis. */
void run_facts_end(const struct run_facts_gather *g, const struct point *points, size_t count,
                   const struct diagnosis *d, struct run_facts *out);
void run_facts_write(const struct run_facts *f, struct json_writer *w); /* one object */
int run_facts_parse(const struct json *v, struct run_facts *out, struct errbuf *err);
/* Every number is the same, or in both not measured; the label is not compared. */
bool run_facts_same(const struct run_facts *a, const struct run_facts *b);

#endif
