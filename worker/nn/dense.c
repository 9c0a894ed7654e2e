#include "worker/nn/layer.h"

#include <string.h>

#include "worker/nn/gemm.h"

/* torch.nn.Linear: weight [out,in], bias [out], applied to the last dimension, so to each step of
 * a sequence. */
static int dense_shape(struct layer *l, size_t rows, struct errbuf *err)
{
    if (l->in.rank > 2)
        return layer_refuse(l, "[features] or [steps, features] (put a flatten layer before it)",
                            err);
    l->out = l->in;
    size_t *last = &l->out.dim[l->out.rank - 1];
    size_t in = *last;
    size_t out = l->plan->is_output ? l->outputs : layer_option(l, LAYER_OPTION_UNITS);
    *last = out;
    struct tensor *weight =
        layer_add_tensor(l, "weight", TENSOR_WEIGHT, 2, (const size_t[]){out, in});
    weight->fan_in = in;
    weight->fan_out = out;
    layer_add_tensor(l, "bias", TENSOR_BIAS, 1, &out);
    return 0;
}

/* Vectors in the batch: samples, or samples times steps. */
static size_t vectors(const struct layer *l, size_t rows)
{
    return rows * (l->in_count / l->tensors[0].dim[1]);
}

/* y = x·Wᵀ + b. The bias is laid down first and the product added to it: the product has to
 * read or clear y anyway. */
static void dense_forward(const struct layer *l, const struct pass *p, const real *x, real *y)
{
    const struct tensor *weight = &l->tensors[0], *bias = &l->tensors[1];
    size_t out = weight->dim[0], in = weight->dim[1], n = vectors(l, p->rows);
    for (size_t r = 0; r < n; r++)
        memcpy(y + r * out, bias->value, out * sizeof *y);
    gemm(false, true, n, out, in, x, weight->value, 1, y);
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
static void dense_backward(const struct layer *l, const struct pass *p, const real *x,
                           const real *y, const real *dy, real *dx)
{
    const struct tensor *weight = &l->tensors[0], *bias = &l->tensors[1];
    size_t out = weight->dim[0], in = weight->dim[1], n = vectors(l, p->rows);
    gemm(true, false, out, in, n, dy, x, 0, weight->grad);
    column_sums(n, out, dy, bias->grad);
    if (dx)
        gemm(false, false, n, in, out, dy, weight->value, 0, dx);
}

const struct layer_ops layer_dense = {
    .shape = dense_shape,
    .forward = dense_forward,
    .backward = dense_backward,
};
