/* Averages of the weights, which validation, test and export see in their place. Running means of
 * batch normalisation are averaged with them. The formulas of torch.optim.swa_utils, with
 * use_buffers.
 *   ema: the first step's weights, then a ← a + (1 − decay)·(w − a) after each step.
 *   swa (Izmailov et al. 2018): the mean of the weights at the ends of the last epochs. */
#ifndef WORKER_OPTIM_AVERAGE_H
#define WORKER_OPTIM_AVERAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/setting.h"
#include "worker/nn/real.h"

struct average {
    enum average_kind kind;
    double decay;        /* ema */
    int64_t first_epoch; /* swa: the first whose end is taken, from 1 */
    real *values;        /* [value_count]; NULL: none */
    uint64_t count;      /* weights in it; 0: there is no average yet */
};

/* values is the caller's, and not there where the settings ask for none. */
void average_init(struct average *a, const struct settings *s, int64_t epochs, real *values);
/* After a step, and at the end of an epoch (from 1). */
void average_step(struct average *a, size_t n, const real *weights);
void average_end_epoch(struct average *a, int64_t epoch, size_t n, const real *weights);
/* The average takes the weights' place; called again they are as they were. Nothing while there is
 * none. */
void average_exchange(struct average *a, size_t n, real *weights);
/* What stands for the weights: the average, or weights itself. */
const real *average_of(const struct average *a, const real *weights);

#endif
