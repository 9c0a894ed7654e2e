/* Optimizers: one table row each. A step is one pass over flat vectors, a piece at a time, so
 * that gradient, state and parameters are read from memory once. PyTorch's formulas. */
#ifndef WORKER_OPTIM_OPTIM_H
#define WORKER_OPTIM_OPTIM_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/setting.h"
#include "worker/nn/real.h"

#define OPTIM_STATE_MAX 2

struct optim;

struct optim_ops {
    const char *name;
    size_t state_count; /* vectors of the parameters' size, zeroed at the start */
    /* Sets coef[] for step number o->step (from 1); NULL where nothing changes with it. */
    void (*prepare)(struct optim *o);
    void (*update)(const struct optim *o, size_t n, real *p, const real *g, real *s0, real *s1);
};

struct optim {
    const struct optim_ops *ops;
    double learning_rate, momentum, beta1, beta2, alpha, rho, epsilon;
    uint64_t step;   /* steps done */
    real coef[4];    /* what prepare() made for this step */
    real *state[OPTIM_STATE_MAX];
};

extern const struct optim_ops optim_sgd, optim_momentum, optim_rmsprop, optim_adam, optim_adadelta;

/* Hyperparameters from the settings; state[0..ops->state_count) is the caller's, zeroed. */
void optim_init(struct optim *o, const struct settings *s);
/* One step over parameters[count]. Returns the squared L2 norm of the gradient. */
double optim_step(struct optim *o, size_t count, real *parameters, const real *gradients);

#endif
