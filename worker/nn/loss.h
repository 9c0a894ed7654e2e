/* Losses over a batch of class labels. */
#ifndef WORKER_NN_LOSS_H
#define WORKER_NN_LOSS_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/setting.h"
#include "worker/nn/real.h"

struct loss_sum {
    double loss;    /* sum of the samples' losses; the batch's loss is this / rows */
    size_t correct; /* samples whose largest output is the label's; the first of equals counts */
};

/* z[rows,classes]: outputs of the last layer; label < classes. Writes the gradient of the
 * batch's mean loss into dz[rows,classes] and returns the sums. */
typedef struct loss_sum loss_fn(size_t rows, size_t classes, const real *z, const uint16_t *label,
                                real *dz);

loss_fn *loss_function(enum loss l);

#endif
