#include "worker/nn/loss.h"

#include "sweep/require.h"

/* Index of the largest output, the first of equals; classes when one of them is NaN. */
static size_t largest(size_t classes, const real *z)
{
    size_t best = 0;
    real sum = 0;
    for (size_t j = 0; j < classes; j++) {
        sum += z[j] - z[j]; /* 0, or NaN for NaN and Inf */
        if (z[j] > z[best])
            best = j;
    }
    return isnan(sum) ? classes : best;
}

REAL_KERNEL
static void exp_map(size_t n, real *x)
{
    for (size_t i = 0; i < n; i++)
        x[i] = real_exp(x[i]);
}

/* Softmax and cross-entropy in one. With m = max z and s = Σ exp(z - m):
 * loss = log s - (z_label - m), dz = (exp(z - m)/s - [j = label]) / rows.
 * Nothing overflows, and a confident wrong answer costs its true amount. */
static struct loss_sum cross_entropy(size_t rows, size_t classes, const real *z,
                                     const uint16_t *label, real *dz)
{
    struct loss_sum sum = {0, 0};
    for (size_t r = 0; r < rows; r++) {
        const real *zr = z + r * classes;
        size_t best = largest(classes, zr);
        real top = best < classes ? zr[best] : (real)NAN;
        for (size_t j = 0; j < classes; j++)
            dz[r * classes + j] = zr[j] - top;
        sum.loss -= (double)(zr[label[r]] - top);
        sum.correct += best == label[r];
    }
    exp_map(rows * classes, dz);
    for (size_t r = 0; r < rows; r++) {
        real *p = dz + r * classes;
        real total = 0;
        for (size_t j = 0; j < classes; j++)
            total += p[j];
        sum.loss += log((double)total);
        real scale = 1 / (total * (real)rows);
        for (size_t j = 0; j < classes; j++)
            p[j] *= scale;
        p[label[r]] -= 1 / (real)rows;
    }
    return sum;
}

/* Mean over all rows × classes of (z - onehot)², as PyTorch's MSELoss. */
static struct loss_sum mean_squared(size_t rows, size_t classes, const real *z,
                                    const uint16_t *label, real *dz)
{
    struct loss_sum sum = {0, 0};
    real scale = 2 / ((real)rows * (real)classes);
    for (size_t r = 0; r < rows; r++) {
        const real *zr = z + r * classes;
        double squares = 0;
        for (size_t j = 0; j < classes; j++) {
            real off = zr[j] - (j == label[r]);
            squares += (double)off * (double)off;
            dz[r * classes + j] = scale * off;
        }
        sum.loss += squares / (double)classes;
        sum.correct += largest(classes, zr) == label[r];
    }
    return sum;
}

static loss_fn *const losses[] = {
    [LOSS_CROSS_ENTROPY] = cross_entropy,
    [LOSS_MSE] = mean_squared,
};

loss_fn *loss_function(enum loss l)
{
    REQUIRE((size_t)l < ARRAY_LEN(losses));
    return losses[l];
}
