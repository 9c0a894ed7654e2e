#include "worker/nn/layer.h"

#include <string.h>

#include "worker/nn/gemm.h"

static size_t dense_weight_count(const struct layer *l)
{
    return l->in * l->out;
}

static size_t dense_bias_count(const struct layer *l)
{
    return l->out;
}

/* y = x·Wᵀ + b. The bias is laid down first and the product added to it: the product has to
 * read or clear y anyway. */
static void dense_forward(const struct layer *l, size_t rows, const real *x, real *y)
{
    for (size_t r = 0; r < rows; r++)
        memcpy(y + r * l->out, l->bias, l->out * sizeof *y);
    gemm(false, true, rows, l->out, l->in, x, l->weight, 1, y);
}

/* sum[j] = Σ_r dy[r,j], rows in order. */
REAL_KERNEL
static void column_sums(size_t rows, size_t columns, const real *restrict dy, real *restrict sum)
{
    memset(sum, 0, columns * sizeof *sum);
    for (size_t r = 0; r < rows; r++) {
        for (size_t j = 0; j < columns; j++)
            sum[j] += dy[r * columns + j];
    }
}

/* dW = dyᵀ·x, db = Σ dy, dx = dy·W */
static void dense_backward(const struct layer *l, size_t rows, const real *x, const real *y,
                           const real *dy, real *dx)
{
    gemm(true, false, l->out, l->in, rows, dy, x, 0, l->weight_grad);
    column_sums(rows, l->out, dy, l->bias_grad);
    if (dx)
        gemm(false, false, rows, l->in, l->out, dy, l->weight, 0, dx);
}

const struct layer_ops layer_dense = {
    .name = "dense",
    .in_place = false,
    .weight_count = dense_weight_count,
    .bias_count = dense_bias_count,
    .forward = dense_forward,
    .backward = dense_backward,
};
