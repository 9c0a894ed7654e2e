/* Sums over contiguous numbers: lane by lane, then over the lanes in order, then what is left.
 * The order depends on n alone. Inlined into the kernels that use them. */
#ifndef WORKER_NN_SUMS_H
#define WORKER_NN_SUMS_H

#include "worker/nn/real.h"

static inline real lanes_total(const real_lanes *lanes)
{
    real sum = 0;
    for (size_t j = 0; j < REAL_LANES; j++)
        sum += (*lanes)[j];
    return sum;
}

/* Σ x */
static inline real lanes_sum(size_t n, const real *x)
{
    real_lanes lanes = {0};
    size_t i = 0;
    for (; i + REAL_LANES <= n; i += REAL_LANES)
        lanes += *(const real_lanes *)(x + i);
    real sum = lanes_total(&lanes);
    for (; i < n; i++)
        sum += x[i];
    return sum;
}

/* Σ y·(x - shift) */
static inline real lanes_product(size_t n, const real *y, const real *x, real shift)
{
    real_lanes lanes = {0};
    size_t i = 0;
    for (; i + REAL_LANES <= n; i += REAL_LANES)
        lanes += *(const real_lanes *)(y + i) * (*(const real_lanes *)(x + i) - shift);
    real sum = lanes_total(&lanes);
    for (; i < n; i++)
        sum += y[i] * (x[i] - shift);
    return sum;
}

/* Adds Σ d to *sum and Σ d² to *squares, d = x - shift. */
static inline void lanes_deviations(size_t n, const real *x, real shift, real *sum, real *squares)
{
    real_lanes lanes = {0}, lanes2 = {0};
    size_t i = 0;
    for (; i + REAL_LANES <= n; i += REAL_LANES) {
        real_lanes d = *(const real_lanes *)(x + i) - shift;
        lanes += d;
        lanes2 += d * d;
    }
    real rest = 0, rest2 = 0;
    for (; i < n; i++) {
        rest += x[i] - shift;
        rest2 += (x[i] - shift) * (x[i] - shift);
    }
    *sum += lanes_total(&lanes) + rest;
    *squares += lanes_total(&lanes2) + rest2;
}

/* Mean and biased variance of n numbers from a first guess of the mean and the sums of
 * lanes_deviations about it. The second pass takes the rounding of the first out again (Chan,
 * Golub, LeVeque 1983), so long columns of floats lose nothing. NaN stays NaN. */
static inline real moments(real n, real sum, real squares, real *mean)
{
    real variance = (squares - sum * sum / n) / n;
    *mean += sum / n;
    return variance < 0 ? 0 : variance;
}

#endif
