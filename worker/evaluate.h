/* Loss and metrics of a set of samples in evaluation mode. */
#ifndef WORKER_EVALUATE_H
#define WORKER_EVALUATE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "worker/data/samples.h"
#include "worker/data/split.h"
#include "worker/step.h"
#include "worker/watch.h"

struct evaluation {
    double loss;     /* mean over the samples, as the training loss is */
    double acc, f1;  /* classification: share of right answers; mean of the classes' F1 */
    double r2;       /* regression: 1 - squared error / variance, mean over the outputs */
    bool has_acc, has_r2;
};

/* What evaluations need beside the network; made once. */
struct evaluator {
    const struct samples *samples;
    const struct split *split;
    uint16_t *labels;  /* [rows, outputs] of the rows at hand */
    float *targets;
    size_t *counts;    /* [classes, 3]: right, wrongly said, missed */
    double *moments;   /* [outputs, 3]: mean and squared distances of targets, squared error */
    struct watch *watch; /* sees the activations of the passes; NULL: nobody looks */
};

/* rows: the most that are gathered at once, in training or evaluation. */
void evaluator_init(struct evaluator *e, const struct samples *samples, const struct split *split,
                    size_t rows);
void evaluator_finish(struct evaluator *e);
/* Fills the network's input and the targets with rows index[0..count). */
struct targets evaluator_gather(struct evaluator *e, struct net *n, const uint32_t *index,
                                size_t count);
/* count > 0. */
struct evaluation evaluate(struct evaluator *e, struct step *s, const uint32_t *index,
                           size_t count);

#endif
