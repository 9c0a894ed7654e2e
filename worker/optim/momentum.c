#include "worker/optim/optim.h"

/* torch.optim.SGD(momentum), no dampening, no Nesterov (G2.2): v = μ·v + g; p -= lr·v */
REAL_KERNEL
static void momentum_update(const struct optim *o, const struct optim_piece *a)
{
    real *restrict p = a->p, *restrict v = a->state[0];
    const real *restrict g = a->g;
    size_t n = a->n;
    real rate = (real)o->learning_rate, mu = (real)o->momentum;
    for (size_t i = 0; i < n; i++) {
        v[i] = mu * v[i] + g[i];
        p[i] -= rate * v[i];
    }
}

const struct optim_ops optim_momentum = {1, NULL, momentum_update};
