#include "worker/optim/optim.h"

/* torch.optim.SGD(momentum, nesterov=True): v = μ·v + g; p -= lr·(g + μ·v) */
REAL_KERNEL
static void nesterov_update(const struct optim *o, const struct optim_piece *a)
{
    real *restrict p = a->p, *restrict v = a->state[0];
    const real *restrict g = a->g;
    size_t n = a->n;
    real rate = (real)o->learning_rate, mu = (real)o->momentum;
    for (size_t i = 0; i < n; i++) {
        v[i] = mu * v[i] + g[i];
        p[i] -= rate * (g[i] + mu * v[i]);
    }
}

const struct optim_ops optim_nesterov = {1, NULL, nesterov_update};
