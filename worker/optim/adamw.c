#include "worker/optim/adam.h"

/* torch.optim.AdamW (Loshchilov & Hutter 2019): p = (1 - lr·decay)·p, then as Adam. */
static void adamw_update(const struct optim *o, const struct optim_piece *a)
{
    adam_move(o, a, (real)(1 - o->learning_rate * (double)a->decay));
}

const struct optim_ops optim_adamw = {2, adam_prepare, adamw_update};
