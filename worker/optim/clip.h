/* Clipping of gradients, and the norm it goes by. NaN stays NaN in all of it. */
#ifndef WORKER_OPTIM_CLIP_H
#define WORKER_OPTIM_CLIP_H

#include <stddef.h>

#include "worker/nn/real.h"

/* Σ x²: of x[n] in pieces that lie in cache. Does not overflow where the numbers themselves do not;
 * numbers below 1e-33 may count as 0. */
double clip_squares(size_t n, const real *x);
/* What torch.nn.utils.clip_grad_norm_ multiplies a gradient of squared norm norm2 by:
 * min(1, limit/(norm + 1e-6)). */
real clip_coefficient(double norm2, double limit);
/* g *= coefficient */
void clip_scale(size_t n, real coefficient, real *g);
/* g clipped to [low, high]: each number for itself (G3.2, G3.3) */
void clip_bound(size_t n, real low, real high, real *g);

#endif
