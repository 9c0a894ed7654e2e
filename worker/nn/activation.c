/* Activations. All but GELU work in place and take their derivative from their output alone, so
 * the input need not be kept. The comparisons are written so that NaN stays NaN: a rectifier that
 * turned it into 0 would hide a broken run (G3). */
#include "worker/nn/layer.h"

#include "sweep/require.h"

#define LEAK ((real)0.01) /* torch.nn.LeakyReLU's negative_slope */

static int same_shape(struct layer *l, size_t rows, struct errbuf *err)
{
    l->out = l->in;
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
static void leaky_relu_map(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] < 0 ? LEAK * x[i] : x[i];
}

REAL_KERNEL
static void leaky_relu_slope(size_t n, const real *y, const real *dy, real *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = y[i] <= 0 ? LEAK * dy[i] : dy[i];
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

REAL_KERNEL
static void sigmoid_map(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = 1 / (1 + real_exp(-x[i]));
}

/* σ' = σ(1 - σ) */
REAL_KERNEL
static void sigmoid_slope(size_t n, const real *y, const real *dy, real *dx)
{
    for (size_t i = 0; i < n; i++)
        dx[i] = dy[i] * y[i] * (1 - y[i]);
}

/* GELU(x) = x·Φ(x), torch.nn.GELU(approximate='none') (Hendrycks & Gimpel 2016) */
#define DENSITY ((real)0.39894228040143267794) /* 1/√(2π) */

REAL_KERNEL
static void gelu_map(size_t n, const real *x, real *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * real_normal(x[i]);
}

/* GELU' = Φ(x) + x·φ(x) */
REAL_KERNEL
static void gelu_slope(size_t n, const real *x, const real *dy, real *dx)
{
    for (size_t i = 0; i < n; i++) {
        real density = DENSITY * real_exp((real)-0.5 * x[i] * x[i]);
        dx[i] = dy[i] * (real_normal(x[i]) + x[i] * density);
    }
}

/* from: what the derivative is taken from, x or y */
#define ACTIVATION_OPS(kind, from)                                                                \
    static void kind##_forward(const struct layer *l, const struct pass *p, const real *x,        \
                               real *y)                                                           \
    {                                                                                             \
        kind##_map(p->rows * l->out_count, x, y);                                                 \
    }                                                                                             \
    static void kind##_backward(const struct layer *l, const struct pass *p,                      \
                                const struct layer_slope *s)                                      \
    {                                                                                             \
        if (s->dx)                                                                                \
            kind##_slope(p->rows * l->out_count, s->from, s->dy, s->dx);                          \
    }
ACTIVATION_OPS(relu, y)
ACTIVATION_OPS(leaky_relu, y)
ACTIVATION_OPS(elu, y)
ACTIVATION_OPS(tanh, y)
ACTIVATION_OPS(sigmoid, y)
ACTIVATION_OPS(gelu, x)

#define ROW(kind, from_y)                                                                         \
    {.in_place = from_y,                                                                          \
     .reads_y = from_y,                                                                           \
     .shape = same_shape,                                                                         \
     .forward = kind##_forward,                                                                   \
     .backward = kind##_backward}
static const struct layer_ops activations[] = {
    [ACTIVATION_RELU] = ROW(relu, true),
    [ACTIVATION_LEAKY_RELU] = ROW(leaky_relu, true),
    [ACTIVATION_ELU] = ROW(elu, true),
    [ACTIVATION_TANH] = ROW(tanh, true),
    [ACTIVATION_SIGMOID] = ROW(sigmoid, true),
    [ACTIVATION_GELU] = ROW(gelu, false),
};

const struct layer_ops *activation_ops(enum activation a)
{
    REQUIRE((size_t)a < ARRAY_LEN(activations));
    return &activations[a];
}

static const struct layer_ops *by_function(const struct plan_layer *p)
{
    return activation_ops((enum activation)p->value[LAYER_OPTION_FUNCTION]);
}

const struct layer_ops layer_activation = {.variant = by_function};
