#include "worker/optim/optim.h"

/* p -= lr·g */
REAL_KERNEL
static void sgd_update(const struct optim *o, size_t n, real decay, real *restrict p,
                       const real *restrict g, real *s0, real *s1)
{
    real rate = (real)o->learning_rate;
    for (size_t i = 0; i < n; i++)
        p[i] -= rate * g[i];
}

const struct optim_ops optim_sgd = {0, NULL, sgd_update};
