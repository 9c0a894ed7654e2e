/* Mixup (Zhang et al. 2018): each sample of a batch is mixed with its counterpart from the batch's
 * other end, in shares λ and 1 − λ, and so is the loss. λ is drawn from Beta(α, α) for each step. A
 * batch is in random order, so its mirror image is as good as another order. */
#ifndef WORKER_NN_MIXUP_H
#define WORKER_NN_MIXUP_H

#include <stddef.h>
#include <stdint.h>

#include "worker/nn/loss.h"
#include "worker/nn/real.h"

struct mixup {
    double alpha;     /* 0: none */
    uint64_t seed;
    /* Room for the largest batch; the caller's. Its labels or values, and outputs. */
    uint16_t *labels;
    real *values, *gradient;
};

/* What is asked of a batch, and how it lies. */
struct mixup_batch {
    size_t rows;    /* of the input */
    size_t answers; /* rows of the loss for each of them */
    const real *z;  /* the network's outputs */
    const struct targets *targets;
    real *dz;       /* takes the gradient of the mixed loss */
};

double mixup_share(const struct mixup *m, uint64_t step);
/* Input [rows, features], in place. */
void mixup_input(double share, size_t rows, size_t features, real *input);
/* loss_compute for the batch and for its mirror image, in their shares. */
struct loss_sum mixup_loss(const struct mixup *m, const struct loss *l, double share,
                           const struct mixup_batch *b);

#endif
