#include "worker/optim/adam.h"

/* torch.optim.AdamW (Loshchilov & Hutter 2019): p = (1 - lr·decay)·p, then as Adam. */
static void adamw_update(const struct optim *o, size_t n, real decay, real *p, const real *g,
                         real *m, real *v)
{
    adam_move(o, n, (real)(1 - o->learning_rate * (double)decay), p, g, m, v);
}

const struct optim_ops optim_adamw = {2, adam_prepare, adamw_update};
