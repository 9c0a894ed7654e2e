#include "worker/optim/optim.h"

/* torch.optim.RMSprop: v = α·v + (1-α)·g²; p -= lr·g / (√v + ε) */
REAL_KERNEL
static void rmsprop_update(const struct optim *o, const struct optim_piece *a)
{
    real *restrict p = a->p, *restrict v = a->state[0];
    const real *restrict g = a->g;
    size_t n = a->n;
    real rate = (real)o->learning_rate, epsilon = (real)o->epsilon;
    real keep = (real)o->alpha, take = (real)(1 - o->alpha);
    for (size_t i = 0; i < n; i++) {
        v[i] = keep * v[i] + take * g[i] * g[i];
        p[i] -= rate * g[i] / (real_sqrt(v[i]) + epsilon);
    }
}

const struct optim_ops optim_rmsprop = {1, NULL, rmsprop_update};
