#include "worker/nn/init.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "worker/nn/layer.h"
#include "worker/nn/real.h"

enum init init_resolve(enum init chosen, enum activation activation)
{
    if (chosen != INIT_AUTO)
        return chosen;
    bool saturates = activation == ACTIVATION_TANH || activation == ACTIVATION_SIGMOID;
    return saturates ? INIT_XAVIER : INIT_HE;
}

static double variance_he(double in, double out, bool output_layer)
{
    return (output_layer ? 1 : 2) / in;
}

static double variance_xavier(double in, double out, bool output_layer)
{
    return 2 / (in + out);
}

static double variance_lecun(double in, double out, bool output_layer)
{
    return 1 / in;
}

typedef double variance_fn(double in, double out, bool output_layer);

static variance_fn *const variances[] = {
    [INIT_HE] = variance_he,
    [INIT_XAVIER] = variance_xavier,
    [INIT_LECUN] = variance_lecun,
};

/* U(-bound, bound). Two numbers of 32 bits from each draw: a wide first layer has a hundred
 * thousand of them, and short runs are mostly start-up. */
static void draw_uniform(struct rng *r, size_t count, double bound, real *weight)
{
    real scale = (real)(bound * 0x1p-31);
    for (size_t i = 0; i < count; i += 2) {
        uint64_t bits = rng_next(r);
        weight[i] = (real)(int32_t)(uint32_t)(bits >> 32) * scale;
        if (i + 1 < count)
            weight[i + 1] = (real)(int32_t)(uint32_t)bits * scale;
    }
}

#define LANES 8
typedef double lanes __attribute__((vector_size(64), aligned(sizeof(double)), may_alias));

/* Σ a·b, summed per lane and then over the lanes in order. */
REAL_KERNEL
static double dot(size_t n, const double *a, const double *b)
{
    lanes sums = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES)
        sums += *(const lanes *)(a + i) * *(const lanes *)(b + i);
    double sum = 0;
    for (size_t j = 0; j < LANES; j++)
        sum += sums[j];
    for (; i < n; i++)
        sum += a[i] * b[i];
    return sum;
}

/* y -= a·x */
REAL_KERNEL
static void subtract(size_t n, double a, const double *restrict x, double *restrict y)
{
    for (size_t i = 0; i < n; i++)
        y[i] -= a * x[i];
}

/* Makes the rows of q[count, n], count <= n, orthonormal: modified Gram-Schmidt, row by row, so
 * that the row worked on stays in cache. The diagonal of R is positive, and so the Q of a normal
 * matrix is distributed evenly (Mezzadri 2007). A square normal matrix of n rows has a condition
 * of about n, which leaves some 12 digits of orthogonality. */
static void orthonormalize(size_t count, size_t n, double *q)
{
    for (size_t i = 0; i < count; i++) {
        double *row = q + i * n;
        for (size_t j = 0; j < i; j++)
            subtract(n, dot(n, q + j * n, row), q + j * n, row);
        double length = sqrt(dot(n, row, row));
        for (size_t k = 0; k < n; k++)
            row[k] /= length;
    }
}

/* The matrix in double is freed before gradients and optimizer state are first touched: it does
 * not raise the peak of the memory. */
static void draw_orthogonal(struct rng *r, size_t rows, size_t columns, real *weight)
{
    bool tall = rows > columns;
    size_t count = tall ? columns : rows, n = tall ? rows : columns;
    double *q = xcalloc(count * n, sizeof *q);
    for (size_t i = 0; i < count * n; i++)
        q[i] = rng_normal(r);
    orthonormalize(count, n, q);
    for (size_t i = 0; i < rows; i++) {
        for (size_t j = 0; j < columns; j++)
            weight[i * columns + j] = (real)(tall ? q[j * n + i] : q[i * n + j]);
    }
    free(q);
}

void init_tensor(const struct tensor *t, enum init init, bool output_layer, uint64_t seed,
                 uint64_t number)
{
    REQUIRE(t->role == TENSOR_WEIGHT && t->rank >= 1 && init != INIT_AUTO);
    size_t count = tensor_count(t);
    struct rng r;
    rng_init(&r, seed, RNG_INIT, number);
    if (init == INIT_ZEROS) {
        memset(t->value, 0, count * sizeof *t->value);
    } else if (init == INIT_ORTHOGONAL) {
        draw_orthogonal(&r, t->dim[0], count / t->dim[0], t->value);
    } else {
        REQUIRE((size_t)init < ARRAY_LEN(variances));
        double variance = variances[init]((double)t->fan_in, (double)t->fan_out, output_layer);
        draw_uniform(&r, count, sqrt(3 * variance), t->value); /* U(-b, b) has variance b²/3 */
    }
}
