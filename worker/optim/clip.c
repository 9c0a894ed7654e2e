#include "worker/optim/clip.h"

/* Summed per lane and then over the lanes in order. */
REAL_KERNEL
static real lane_squares(size_t n, const real *x)
{
    real_lanes lanes = {0};
    size_t i = 0;
    for (; i + REAL_LANES <= n; i += REAL_LANES) {
        real_lanes v = *(const real_lanes *)(x + i);
        lanes += v * v;
    }
    real sum = 0;
    for (size_t j = 0; j < REAL_LANES; j++)
        sum += lanes[j];
    for (; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

/* Squares of an exploding gradient overflow a float long before the gradient does, those of a
 * vanishing one underflow: such numbers are summed again in double. */
double clip_squares(size_t n, const real *x)
{
    real fast = lane_squares(n, x);
    if (fast > (real)1e-25 && isfinite(fast))
        return (double)fast;
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

real clip_coefficient(double norm2, double limit)
{
    double coefficient = limit / (sqrt(norm2) + 1e-6);
    return (real)(coefficient > 1 ? 1 : coefficient);
}

REAL_KERNEL
void clip_scale(size_t n, real coefficient, real *g)
{
    for (size_t i = 0; i < n; i++)
        g[i] *= coefficient;
}

REAL_KERNEL
void clip_bound(size_t n, real low, real high, real *g)
{
    for (size_t i = 0; i < n; i++) {
        real x = g[i] < low ? low : g[i];
        g[i] = x > high ? high : x;
    }
}
