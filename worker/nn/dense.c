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
    l->products = (double)l->in_count * (double)out;
    return 0;
}

/* Vectors in the batch: samples, or samples times steps. */
static size_t vectors(const struct layer *l, size_t rows)
{
    return rows * (l->in_count / l->tensors[0].dim[1]);
}

/* A sequence has many vectors, often of few numbers: they are taken in pieces that lie in the
 * first cache and, where it has them, go through the library's kernels for small products (64 × 3
 * weights and 9,000 vectors: a quarter of the time). */
#define PIECE_NUMBERS 32768
#define PIECE_VECTORS_MIN 128

static size_t piece_of(const struct layer *l, size_t n)
{
    size_t out = l->tensors[0].dim[0], in = l->tensors[0].dim[1];
    size_t direct = GEMM_DIRECT_MAX / (in * out), cached = PIECE_NUMBERS / (in + out);
    size_t piece = direct < cached ? direct : cached;
    return piece < PIECE_VECTORS_MIN || piece > n ? n : piece;
}

/* y = x·Wᵀ + b. The bias is laid down first and the product added to it: the product has to
 * read or clear y anyway. */
static void dense_forward(const struct layer *l, const struct pass *p, const real *x, real *y)
{
    const struct tensor *weight = &l->tensors[0], *bias = &l->tensors[1];
    size_t out = weight->dim[0], in = weight->dim[1], n = vectors(l, p->rows);
    size_t piece = piece_of(l, n);
    for (size_t first = 0, count; first < n; first += count, x += count * in, y += count * out) {
        count = n - first < piece ? n - first : piece;
        for (size_t r = 0; r < count; r++)
            memcpy(y + r * out, bias->value, out * sizeof *y);
        gemm(false, true, count, out, in, x, weight->value, 1, y);
    }
}

/* sum[j] += Σ_r dy[r,j], rows in order. */
REAL_KERNEL
static void add_column_sums(size_t rows, size_t columns, const real *restrict dy,
                            real *restrict sum)
{
    for (size_t r = 0; r < rows; r++) {
        for (size_t j = 0; j < columns; j++)
            sum[j] += dy[r * columns + j];
    }
}

/* dW = dyᵀ·x, db = Σ dy, dx = dy·W */
static void dense_backward(const struct layer *l, const struct pass *p, const struct layer_slope *s)
{
    const real *x = s->x, *dy = s->dy;
    const struct tensor *weight = &l->tensors[0], *bias = &l->tensors[1];
    size_t out = weight->dim[0], in = weight->dim[1], n = vectors(l, p->rows);
    size_t piece = piece_of(l, n);
    memset(bias->grad, 0, out * sizeof *bias->grad);
    for (size_t first = 0, count; first < n; first += count, x += count * in, dy += count * out) {
        count = n - first < piece ? n - first : piece;
        gemm(true, false, out, in, count, dy, x, first > 0, weight->grad);
        add_column_sums(count, out, dy, bias->grad);
        if (s->dx)
            gemm(false, false, count, in, out, dy, weight->value, 0, s->dx + first * in);
    }
}

const struct layer_ops layer_dense = {
    .shape = dense_shape,
    .forward = dense_forward,
    .backward = dense_backward,
};
