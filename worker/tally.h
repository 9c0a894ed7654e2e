/* What a curve point says about the batches since the last one. */
#ifndef WORKER_TALLY_H
#define WORKER_TALLY_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/curve.h"
#include "worker/nn/loss.h"

struct tally {
    size_t samples, correct, batches; /* samples: answers, one a step for sequences of labels */
    double loss, weight;          /* summed over the samples */
    double min, max, mean, m2;    /* of the batches' mean losses; m2: squared distances from mean */
    double norm;                  /* summed over the batches */
};

void tally_clear(struct tally *t);
/* rows: answers in the batch; norm2: squared L2 norm of its gradient. */
void tally_add(struct tally *t, size_t rows, struct loss_sum sum, double norm2);
/* Sets the training columns of p; the accuracy when classifying. */
void tally_report(const struct tally *t, bool classifies, struct point *p);

#endif
