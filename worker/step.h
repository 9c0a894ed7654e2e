/* One optimizer step on the batch that lies in the network's input: the inner loop of every
 * training, and of the comparison with PyTorch, which runs it in double. */
#ifndef WORKER_STEP_H
#define WORKER_STEP_H

#include "worker/nn/loss.h"
#include "worker/nn/mixup.h"
#include "worker/nn/net.h"
#include "worker/optim/average.h"
#include "worker/optim/optim.h"
#include "worker/optim/schedule.h"

struct step {
    struct net net;
    struct loss loss;
    struct optim optim;
    struct schedule schedule;
    struct mixup mixup;
    struct average average;
};

struct step_result {
    struct loss_sum sum;
    double norm2;   /* squared L2 norm of the data term's gradient */
};

/* net.input[rows] is filled. Mixing, forward, loss, backward, clipping, noise,
 * penalty, update, averaging. */
struct step_result step_run(struct step *s, size_t rows, const struct targets *t);

#endif
