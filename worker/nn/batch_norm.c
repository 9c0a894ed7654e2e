/* torch.nn.BatchNorm1d and 2d (Ioffe, Szegedy 2015), affine, with running statistics:
 *     y = (x - mean)·weight/sqrt(variance + eps) + bias
 * by feature over the batch, also over the steps of a sequence, or by channel over its images. In
 * training mean and variance are the batch's and the running ones move towards them; else they
 * are the running ones. A batch of one number per channel gives bias; having no variance, it leaves
 * the running one as it is (PyTorch refuses such a batch).
 *
 * backward, n numbers per channel, h = (x - mean)/sqrt(variance + eps):
 *     dbias = Σ dy    dweight = Σ dy·h
 *     dx = weight/sqrt(variance + eps)·(dy - dbias/n - h·dweight/n) */
#include "worker/nn/layer.h"

#include <string.h>

#include "worker/nn/sums.h"

#define EPSILON ((real)1e-5)
#define MOMENTUM ((real)0.1)

enum {
    WEIGHT,
    BIAS,
    RUNNING_MEAN,
    RUNNING_VAR,
};

/* x as [groups, channels, span]; a span belongs to one channel. */
struct batch {
    size_t groups, channels, span;
    real count; /* numbers of one channel */
};

static struct batch batch_of(const struct layer *l, size_t rows)
{
    bool images = l->in.rank == 3;
    size_t channels = l->in.dim[images ? 0 : l->in.rank - 1];
    size_t others = shape_count(&l->in) / channels;
    return (struct batch){.groups = images ? rows : rows * others,
                          .channels = channels,
                          .span = images ? others : 1,
                          .count = (real)(rows * others)};
}

/* Keeps the batch's mean and 1/sqrt(variance + eps). */
static int batch_norm_shape(struct layer *l, size_t rows, struct errbuf *err)
{
    size_t channels = batch_of(l, rows).channels;
    l->out = l->in;
    layer_add_tensor(l, "weight", TENSOR_BIAS, 1, &channels)->start = 1;
    layer_add_tensor(l, "bias", TENSOR_BIAS, 1, &channels);
    layer_add_tensor(l, "running_mean", TENSOR_BUFFER, 1, &channels);
    layer_add_tensor(l, "running_var", TENSOR_BUFFER, 1, &channels)->start = 1;
    l->keep_count = 2 * channels;
    l->scratch_count = 3 * channels; /* of the backward pass: struct slopes */
    return 0;
}

/* --- sums by channel ------------------------------------------------------------------------ */

/* sum[channel] = Σ x, groups in order */
REAL_KERNEL
static void channel_sums(const struct batch *b, const real *restrict x, real *restrict sum)
{
    memset(sum, 0, b->channels * sizeof *sum);
    for (size_t g = 0; g < b->groups; g++, x += b->channels * b->span) {
        if (b->span == 1) {
            for (size_t c = 0; c < b->channels; c++)
                sum[c] += x[c];
        } else {
            for (size_t c = 0; c < b->channels; c++)
                sum[c] += lanes_sum(b->span, x + c * b->span);
        }
    }
}

/* sum[channel] = Σ (x - mean), squares[channel] = Σ (x - mean)² */
REAL_KERNEL
static void channel_deviations(const struct batch *b, const real *restrict x,
                               const real *restrict mean, real *restrict sum,
                               real *restrict squares)
{
    memset(sum, 0, b->channels * sizeof *sum);
    memset(squares, 0, b->channels * sizeof *squares);
    for (size_t g = 0; g < b->groups; g++, x += b->channels * b->span) {
        if (b->span == 1) {
            for (size_t c = 0; c < b->channels; c++) {
                real d = x[c] - mean[c];
                sum[c] += d;
                squares[c] += d * d;
            }
        } else {
            for (size_t c = 0; c < b->channels; c++)
                lanes_deviations(b->span, x + c * b->span, mean[c], &sum[c], &squares[c]);
        }
    }
}

/* sum[channel] = Σ dy·(x - mean) */
REAL_KERNEL
static void channel_products(const struct batch *b, const real *restrict dy, const real *restrict x,
                             const real *restrict mean, real *restrict sum)
{
    size_t stride = b->channels * b->span;
    memset(sum, 0, b->channels * sizeof *sum);
    for (size_t g = 0; g < b->groups; g++, x += stride, dy += stride) {
        if (b->span == 1) {
            for (size_t c = 0; c < b->channels; c++)
                sum[c] += dy[c] * (x[c] - mean[c]);
        } else {
            for (size_t c = 0; c < b->channels; c++)
                sum[c] += lanes_product(b->span, dy + c * b->span, x + c * b->span, mean[c]);
        }
    }
}

/* --- maps ----------------------------------------------------------------------------------- */

/* y = (x - mean)·scale + bias */
REAL_KERNEL
static void normalise(const struct batch *b, const real *restrict x, const real *restrict mean,
                      const real *restrict scale, const real *restrict bias, real *restrict y)
{
    for (size_t g = 0; g < b->groups; g++) {
        if (b->span == 1) {
            for (size_t c = 0; c < b->channels; c++)
                y[c] = (x[c] - mean[c]) * scale[c] + bias[c];
            x += b->channels;
            y += b->channels;
            continue;
        }
        for (size_t c = 0; c < b->channels; c++, x += b->span, y += b->span) {
            for (size_t i = 0; i < b->span; i++)
                y[i] = (x[i] - mean[c]) * scale[c] + bias[c];
        }
    }
}

/* dx = dy·a - (x - mean)·b - c, by channel */
struct slopes {
    const real *mean;
    real *a, *b, *c;
};

REAL_KERNEL
static void normalise_slope(const struct batch *b, const struct slopes *s, const real *restrict dy,
                            const real *restrict x, real *restrict dx)
{
    const real *restrict mean = s->mean, *restrict sa = s->a, *restrict sb = s->b,
                         *restrict sc = s->c;
    for (size_t g = 0; g < b->groups; g++) {
        if (b->span == 1) {
            for (size_t c = 0; c < b->channels; c++)
                dx[c] = dy[c] * sa[c] - (x[c] - mean[c]) * sb[c] - sc[c];
            dx += b->channels;
            dy += b->channels;
            x += b->channels;
            continue;
        }
        for (size_t c = 0; c < b->channels; c++, dx += b->span, dy += b->span, x += b->span) {
            for (size_t i = 0; i < b->span; i++)
                dx[i] = dy[i] * sa[c] - (x[i] - mean[c]) * sb[c] - sc[c];
        }
    }
}

/* --- passes --------------------------------------------------------------------------------- */

/* The batch's mean and 1/sqrt(variance + eps) into keep; moves the running ones, the variance
 * unbiased as PyTorch has it. */
static void batch_statistics(const struct layer *l, const struct batch *b, const real *x,
                             real *scratch)
{
    size_t channels = b->channels;
    real *mean = l->keep, *inverse = mean + channels;
    real *sum = scratch, *squares = scratch + channels;
    real *running_mean = l->tensors[RUNNING_MEAN].value;
    real *running_var = l->tensors[RUNNING_VAR].value;
    bool varies = b->count > 1;
    real unbiased = varies ? b->count / (b->count - 1) : 1;
    channel_sums(b, x, mean);
    for (size_t c = 0; c < channels; c++)
        mean[c] /= b->count;
    channel_deviations(b, x, mean, sum, squares);
    for (size_t c = 0; c < channels; c++) {
        real variance = moments(b->count, sum[c], squares[c], &mean[c]);
        inverse[c] = 1 / real_sqrt(variance + EPSILON);
        running_mean[c] = (1 - MOMENTUM) * running_mean[c] + MOMENTUM * mean[c];
        if (varies)
            running_var[c] = (1 - MOMENTUM) * running_var[c] + MOMENTUM * variance * unbiased;
    }
}

static void batch_norm_forward(const struct layer *l, const struct pass *p, const real *x, real *y)
{
    struct batch b = batch_of(l, p->rows);
    const real *weight = l->tensors[WEIGHT].value, *bias = l->tensors[BIAS].value;
    const real *mean = l->tensors[RUNNING_MEAN].value;
    const real *variance = l->tensors[RUNNING_VAR].value;
    real *scale = p->scratch;
    if (p->training) {
        batch_statistics(l, &b, x, p->scratch);
        mean = l->keep;
        for (size_t c = 0; c < b.channels; c++)
            scale[c] = weight[c] * l->keep[b.channels + c];
    } else {
        for (size_t c = 0; c < b.channels; c++)
            scale[c] = weight[c] / real_sqrt(variance[c] + EPSILON);
    }
    normalise(&b, x, mean, scale, bias, y);
}

static void batch_norm_backward(const struct layer *l, const struct pass *p,
                                const struct layer_slope *s)
{
    struct batch b = batch_of(l, p->rows);
    const real *weight = l->tensors[WEIGHT].value;
    const real *mean = l->keep, *inverse = l->keep + b.channels;
    real *dweight = l->tensors[WEIGHT].grad, *dbias = l->tensors[BIAS].grad;
    channel_sums(&b, s->dy, dbias);
    channel_products(&b, s->dy, s->x, mean, dweight);
    for (size_t c = 0; c < b.channels; c++)
        dweight[c] *= inverse[c];
    if (!s->dx)
        return;
    struct slopes by = {.mean = mean,
                        .a = p->scratch,
                        .b = p->scratch + b.channels,
                        .c = p->scratch + 2 * b.channels};
    for (size_t c = 0; c < b.channels; c++) {
        by.a[c] = weight[c] * inverse[c];
        by.b[c] = by.a[c] * inverse[c] * dweight[c] / b.count;
        by.c[c] = by.a[c] * dbias[c] / b.count;
    }
    normalise_slope(&b, &by, s->dy, s->x, s->dx);
}

const struct layer_ops layer_batch_norm = {
    .shape = batch_norm_shape,
    .forward = batch_norm_forward,
    .backward = batch_norm_backward,
};
