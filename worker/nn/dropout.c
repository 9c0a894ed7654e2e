/* Dropout (Srivastava et al. 2014), inverted as torch.nn.Dropout: what stays is divided by
 * 1 - rate. The mask depends on seed, step and place in the network alone. */
#include "worker/nn/layer.h"

#include <string.h>

#include "sweep/rng.h"

/* Layers of a network are fewer than this (MODEL_PLAN_MAX, and an end for each residual). */
#define NUMBER_BITS 13
_Static_assert(2 * MODEL_PLAN_MAX <= 1 << NUMBER_BITS, "a stream for each layer and step");

static int dropout_shape(struct layer *l, size_t rows, struct errbuf *err)
{
    l->out = l->in;
    l->keep_count = rows * l->in_count;
    return 0;
}

/* Two numbers of 32 bits from each draw. */
static void draw_mask(const struct layer *l, const struct pass *p, size_t n, real *mask)
{
    double rate = l->plan->value[LAYER_OPTION_RATE];
    uint32_t threshold = (uint32_t)(rate * 0x1p32);
    real stays = (real)(1 / (1 - rate));
    struct rng r;
    rng_init(&r, p->seed, RNG_DROPOUT, p->step << NUMBER_BITS | l->number);
    for (size_t i = 0; i < n; i += 2) {
        uint64_t bits = rng_next(&r);
        mask[i] = (uint32_t)(bits >> 32) < threshold ? 0 : stays;
        if (i + 1 < n)
            mask[i + 1] = (uint32_t)bits < threshold ? 0 : stays;
    }
}

REAL_KERNEL
static void multiply(size_t n, const real *mask, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * mask[i];
}

static void dropout_forward(const struct layer *l, const struct pass *p, const real *x, real *y)
{
    size_t n = p->rows * l->in_count;
    if (p->training) {
        draw_mask(l, p, n, l->keep);
        multiply(n, l->keep, x, y);
    } else if (y != x) {
        memcpy(y, x, n * sizeof *y);
    }
}

static void dropout_backward(const struct layer *l, const struct pass *p,
                             const struct layer_slope *s)
{
    if (s->dx)
        multiply(p->rows * l->in_count, l->keep, s->dy, s->dx);
}

const struct layer_ops layer_dropout = {
    .in_place = true,
    .shape = dropout_shape,
    .forward = dropout_forward,
    .backward = dropout_backward,
};
