#include "worker/optim/optim.h"

/* p -= lr·g */
REAL_KERNEL
static void sgd_update(const struct optim *o, const struct optim_piece *a)
{
    real *restrict p = a->p;
    const real *restrict g = a->g;
    size_t n = a->n;
    real rate = (real)o->learning_rate;
    for (size_t i = 0; i < n; i++)
        p[i] -= rate * g[i];
}

const struct optim_ops optim_sgd = {0, NULL, sgd_update};
