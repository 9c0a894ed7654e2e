/* Activations work in place and take their derivative from their output alone, so the input
 * need not be kept. The comparisons are written so that NaN stays NaN: a rectifier that turned
 * it into 0 would hide a broken run (G3). */
#include "worker/nn/layer.h"

#include "sweep/require.h"

static size_t no_parameters(const struct layer *l)
{
    return 0;
}

REAL_KERNEL
static void relu_map(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? 0 : x[i];
}

/* dx = dy where y > 0 */
REAL_KERNEL
static void relu_slope(size_t n, const real *y, const real *dy, real *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = y[i] <= 0 ? 0 : dy[i];
}

REAL_KERNEL
static void tanh_map(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = real_tanh(x[i]);
}

/* tanh' = 1 - tanh² */
REAL_KERNEL
static void tanh_slope(size_t n, const real *y, const real *dy, real *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * (1 - y[i] * y[i]);
}

/* ELU with alpha 1: x, or exp(x) - 1 below 0 (Clevert et al. 2015) */
REAL_KERNEL
static void elu_map(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++) {
        real below = real_expm1(x[i]);
        y[i] = x[i] < 0 ? below : x[i];
    }
}

/* ELU' = 1, or exp(x) = y + 1 below 0 */
REAL_KERNEL
static void elu_slope(size_t n, const real *y, const real *dy, real *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = y[i] < 0 ? dy[i] * (y[i] + 1) : dy[i];
}

#define ACTIVATION_OPS(kind)                                                                      \
    static void kind##_forward(const struct layer *l, size_t rows, const real *x, real *y)        \
    {                                                                                             \
        kind##_map(rows *l->out, x, y);                                                           \
    }                                                                                             \
    static void kind##_backward(const struct layer *l, size_t rows, const real *x, const real *y, \
                                const real *dy, real *dx)                                         \
    {                                                                                             \
        kind##_slope(rows *l->out, y, dy, dx);                                                    \
    }
ACTIVATION_OPS(relu)
ACTIVATION_OPS(tanh)
ACTIVATION_OPS(elu)

#define ROW(kind) {#kind, true, no_parameters, no_parameters, kind##_forward, kind##_backward}
static const struct layer_ops activations[] = {
    [ACTIVATION_RELU] = ROW(relu),
    [ACTIVATION_TANH] = ROW(tanh),
    [ACTIVATION_ELU] = ROW(elu),
};

const struct layer_ops *layer_activation(enum activation a)
{
    REQUIRE((size_t)a < ARRAY_LEN(activations));
    return &activations[a];
}
