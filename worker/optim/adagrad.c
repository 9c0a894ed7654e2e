#include "worker/optim/optim.h"

/* torch.optim.Adagrad (Duchi et al. 2011), lr_decay 0: v = v + g²; p -= lr·g / (√v + ε) */
REAL_KERNEL
static void adagrad_update(const struct optim *o, const struct optim_piece *a)
{
    real *restrict p = a->p, *restrict v = a->state[0];
    const real *restrict g = a->g;
    size_t n = a->n;
    real rate = (real)o->learning_rate, epsilon = (real)o->epsilon;
    for (size_t i = 0; i < n; i++) {
        v[i] += g[i] * g[i];
        p[i] -= rate * g[i] / (real_sqrt(v[i]) + epsilon);
    }
}

const struct optim_ops optim_adagrad = {1, NULL, adagrad_update};
