/* What the worker measures of each layer with weights at a point: the second thing, beside the
 * curves, that tells why a run is sick (G3). A line "layers" of run.jsonl, rows of table
 * layer_stats. */
#ifndef SWEEP_LAYER_STAT_H
#define SWEEP_LAYER_STAT_H

#include <stddef.h>
#include <stdint.h>

#define LAYER_STATS_MAX 320
#define LAYER_STAT_NAME_MAX 24

/* X(member, what it is). NaN: not measured, or not defined for this layer. */
#define LAYER_STAT_MAP(X)                                                                         \
    X(grad_norm, "L2 norm of its gradient, last batch before the point")                          \
    X(weight_norm, "L2 norm of its weights")                                                      \
    X(update_ratio, "norm of its last update / norm of its weights")                              \
    X(dead, "share of its units whose rectifier is 0 for every validation sample")                \
    X(saturated, "share of its outputs at the flat ends of tanh or sigmoid, in validation")

enum layer_stat_member {
#define X(member, doc) LAYER_STAT_##member,
    LAYER_STAT_MAP(X)
#undef X
    LAYER_STAT_COUNT
};

struct layer_stat {
    char name[LAYER_STAT_NAME_MAX]; /* "3", "4.body.0", as in the weights file */
#define X(member, doc) double member;
    LAYER_STAT_MAP(X)
#undef X
    unsigned not_a_number; /* bit i: member i was measured, and is NaN */
};

struct layer_stats {
    int64_t point;
    size_t count; /* layers in order, from the input; of more those in the middle are left out */
    struct layer_stat layers[LAYER_STATS_MAX];
};

#endif
