#include "worker/optim/adam.h"

/* torch.optim.Adam (Kingma & Ba 2015), step t from 1:
 * m = β1·m + (1-β1)·g; v = β2·v + (1-β2)·g²
 * p -= lr/(1-β1ᵗ) · m / (√v/√(1-β2ᵗ) + ε) */
void adam_prepare(struct optim *o)
{
    double t = (double)o->step;
    o->coef[0] = (real)(o->learning_rate / (1 - pow(o->beta1, t)));
    o->coef[1] = (real)(1 / sqrt(1 - pow(o->beta2, t)));
}

REAL_KERNEL
void adam_move(const struct optim *o, const struct optim_piece *a, real keep)
{
    real *restrict p = a->p, *restrict m = a->state[0], *restrict v = a->state[1];
    const real *restrict g = a->g;
    size_t n = a->n;
    real rate = o->coef[0], correction = o->coef[1], epsilon = (real)o->epsilon;
    real keep1 = (real)o->beta1, take1 = (real)(1 - o->beta1);
    real keep2 = (real)o->beta2, take2 = (real)(1 - o->beta2);
    for (size_t i = 0; i < n; i++) {
        m[i] = keep1 * m[i] + take1 * g[i];
        v[i] = keep2 * v[i] + take2 * g[i] * g[i];
        p[i] = keep * p[i] - rate * m[i] / (real_sqrt(v[i]) * correction + epsilon);
    }
}

static void adam_update(const struct optim *o, const struct optim_piece *a)
{
    adam_move(o, a, 1);
}

const struct optim_ops optim_adam = {2, adam_prepare, adam_update};
