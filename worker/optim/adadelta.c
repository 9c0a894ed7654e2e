#include "worker/optim/optim.h"

/* torch.optim.Adadelta (Zeiler 2012): v = ρ·v + (1-ρ)·g²; d = √(u+ε)/√(v+ε)·g;
 * u = ρ·u + (1-ρ)·d²; p -= lr·d */
REAL_KERNEL
static void adadelta_update(const struct optim *o, const struct optim_piece *a)
{
    real *restrict p = a->p, *restrict v = a->state[0], *restrict u = a->state[1];
    const real *restrict g = a->g;
    size_t n = a->n;
    real rate = (real)o->learning_rate, epsilon = (real)o->epsilon;
    real keep = (real)o->rho, take = (real)(1 - o->rho);
    for (size_t i = 0; i < n; i++) {
        v[i] = keep * v[i] + take * g[i] * g[i];
        real d = real_sqrt(u[i] + epsilon) / real_sqrt(v[i] + epsilon) * g[i];
        u[i] = keep * u[i] + take * d * d;
        p[i] -= rate * d;
    }
}

const struct optim_ops optim_adadelta = {2, NULL, adadelta_update};
