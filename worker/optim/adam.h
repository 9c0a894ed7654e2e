/* What adam and adamw have in common. */
#ifndef WORKER_OPTIM_ADAM_H
#define WORKER_OPTIM_ADAM_H

#include "worker/optim/optim.h"

void adam_prepare(struct optim *o);
/* p = keep·p, then Adam's step; keep 1 changes no bit. */
void adam_move(const struct optim *o, const struct optim_piece *a, real keep);

#endif
