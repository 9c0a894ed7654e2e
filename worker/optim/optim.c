#include "worker/optim/optim.h"

#include "sweep/require.h"

/* Numbers per piece: gradient, parameters and two states of a piece stay in the first-level
 * cache between the norm and the update. A multiple of REAL_LANES. */
#define PIECE 1024

static const struct optim_ops *const optimizers[] = {
    [OPTIMIZER_SGD] = &optim_sgd,           [OPTIMIZER_MOMENTUM] = &optim_momentum,
    [OPTIMIZER_RMSPROP] = &optim_rmsprop,   [OPTIMIZER_ADAM] = &optim_adam,
    [OPTIMIZER_ADADELTA] = &optim_adadelta,
};

void optim_init(struct optim *o, const struct settings *s)
{
    size_t kind = (size_t)s->v[SETTING_OPTIMIZER];
    REQUIRE(kind < ARRAY_LEN(optimizers));
    *o = (struct optim){
        .ops = optimizers[kind],
        .learning_rate = s->v[SETTING_LEARNING_RATE],
        .momentum = s->v[SETTING_MOMENTUM],
        .beta1 = s->v[SETTING_BETA1],
        .beta2 = s->v[SETTING_BETA2],
        .alpha = s->v[SETTING_ALPHA],
        .rho = s->v[SETTING_RHO],
        .epsilon = s->v[SETTING_EPSILON],
    };
}

/* Σ g², summed per lane and then over the lanes in order. */
REAL_KERNEL
static real piece_squares(size_t n, const real *g)
{
    real_lanes lanes = {0};
    size_t i = 0;
    for (; i + REAL_LANES <= n; i += REAL_LANES) {
        real_lanes x = *(const real_lanes *)(g + i);
        lanes += x * x;
    }
    real sum = 0;
    for (size_t j = 0; j < REAL_LANES; j++)
        sum += lanes[j];
    for (; i < n; i++)
        sum += g[i] * g[i];
    return sum;
}

/* Squares of an exploding gradient overflow a float long before the gradient does, those of a
 * vanishing one underflow: such a piece is summed again in double. */
static double squares(size_t n, const real *g)
{
    real fast = piece_squares(n, g);
    if (fast > (real)1e-25 && isfinite(fast))
        return (double)fast;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)g[i] * (double)g[i];
    return sum;
}

double optim_step(struct optim *o, size_t count, real *parameters, const real *gradients)
{
    double norm2 = 0;
    o->step++;
    if (o->ops->prepare)
        o->ops->prepare(o);
    for (size_t i = 0; i < count; i += PIECE) {
        size_t n = count - i < PIECE ? count - i : PIECE;
        norm2 += squares(n, gradients + i);
        o->ops->update(o, n, parameters + i, gradients + i, o->state[0] ? o->state[0] + i : NULL,
                       o->state[1] ? o->state[1] + i : NULL);
    }
    return norm2;
}
