/* torch.nn.LayerNorm (Ba, Kiros, Hinton 2016), affine: over the features of a sample, over those of
 * each step of a sequence, or over a whole image with its channels:
 *     y = h·weight + bias    h = (x - mean)/sqrt(variance + eps)
 * backward, n numbers per group, g = dy·weight:
 *     dbias = Σ dy    dweight = Σ dy·h, over the groups in order
 *     dx = (g - Σg/n - h·Σ(g·h)/n)/sqrt(variance + eps) */
#include "worker/nn/layer.h"

#include <string.h>

#include "worker/nn/sums.h"

#define EPSILON ((real)1e-5)

/* Numbers that are normalised together: those of the first tensor. */
static size_t group_size(const struct layer *l)
{
    return l->in.rank == 2 ? l->in.dim[1] : shape_count(&l->in);
}

static size_t group_count(const struct layer *l, size_t rows)
{
    return l->in.rank == 2 ? rows * l->in.dim[0] : rows;
}

/* Keeps mean and 1/sqrt(variance + eps) of each group. */
static int layer_norm_shape(struct layer *l, size_t rows, struct errbuf *err)
{
    bool steps = l->in.rank == 2;
    size_t rank = steps ? 1 : l->in.rank;
    const size_t *dim = l->in.dim + (steps ? 1 : 0);
    l->out = l->in;
    layer_add_tensor(l, "weight", TENSOR_BIAS, rank, dim)->start = 1;
    layer_add_tensor(l, "bias", TENSOR_BIAS, rank, dim);
    l->keep_count = 2 * group_count(l, rows);
    l->scratch_count = 2 * group_size(l); /* h and g of one group */
    return 0;
}

/* One group: its statistics, then y. */
REAL_KERNEL
static void normalise(size_t n, const real *restrict x, const real *restrict weight,
                      const real *restrict bias, real *restrict statistics, real *restrict y)
{
    real mean = lanes_sum(n, x) / (real)n, sum = 0, squares = 0;
    lanes_deviations(n, x, mean, &sum, &squares);
    real variance = moments((real)n, sum, squares, &mean);
    real inverse = 1 / real_sqrt(variance + EPSILON);
    for (size_t i = 0; i < n; i++)
        y[i] = (x[i] - mean) * inverse * weight[i] + bias[i];
    statistics[0] = mean;
    statistics[1] = inverse;
}

/* The way back of one group. */
struct group {
    size_t n;
    real mean, inverse;
    const real *x, *dy, *weight;
    real *h, *g; /* scratch */
};

/* h; adds to the gradients of the tensors. */
REAL_KERNEL
static void add_gradients(const struct group *k, real *restrict dweight, real *restrict dbias)
{
    const real *restrict x = k->x, *restrict dy = k->dy;
    real *restrict h = k->h;
    size_t n = k->n;
    real mean = k->mean, inverse = k->inverse;
    for (size_t i = 0; i < n; i++) {
        h[i] = (x[i] - mean) * inverse;
        dweight[i] += dy[i] * h[i];
        dbias[i] += dy[i];
    }
}

REAL_KERNEL
static void input_gradient(const struct group *k, real *restrict dx)
{
    size_t n = k->n;
    const real *restrict dy = k->dy, *restrict weight = k->weight, *restrict h = k->h;
    real *restrict g = k->g;
    real inverse = k->inverse;
    for (size_t i = 0; i < n; i++)
        g[i] = dy[i] * weight[i];
    real mean = lanes_sum(n, g) / (real)n, slope = lanes_product(n, g, h, 0) / (real)n;
    for (size_t i = 0; i < n; i++)
        dx[i] = (g[i] - mean - h[i] * slope) * inverse;
}

static void layer_norm_forward(const struct layer *l, const struct pass *p, const real *x, real *y)
{
    size_t n = group_size(l), groups = group_count(l, p->rows);
    for (size_t k = 0; k < groups; k++) {
        normalise(n, x + k * n, l->tensors[0].value, l->tensors[1].value, l->keep + 2 * k,
                  y + k * n);
    }
}

static void layer_norm_backward(const struct layer *l, const struct pass *p,
                                const struct layer_slope *s)
{
    size_t n = group_size(l), groups = group_count(l, p->rows);
    const struct tensor *weight = &l->tensors[0], *bias = &l->tensors[1];
    memset(weight->grad, 0, n * sizeof(real));
    memset(bias->grad, 0, n * sizeof(real));
    for (size_t k = 0; k < groups; k++) {
        struct group group = {.n = n,
                              .mean = l->keep[2 * k],
                              .inverse = l->keep[2 * k + 1],
                              .x = s->x + k * n,
                              .dy = s->dy + k * n,
                              .weight = weight->value,
                              .h = p->scratch,
                              .g = p->scratch + n};
        add_gradients(&group, weight->grad, bias->grad);
        if (s->dx)
            input_gradient(&group, s->dx + k * n);
    }
}

const struct layer_ops layer_layer_norm = {
    .shape = layer_norm_shape,
    .forward = layer_norm_forward,
    .backward = layer_norm_backward,
};
