#include "worker/optim/clip.h"

#include "worker/nn/sums.h"

/* Lane by lane in double, for numbers whose squares a float cannot hold: those of an exploding
 * gradient overflow long before the gradient does, those of a vanishing one underflow. */
#define LANES 8
typedef real reals __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real)),
                                  may_alias));
typedef double doubles __attribute__((vector_size(LANES * sizeof(double))));

REAL_KERNEL
static double wide_squares(size_t n, const real *x)
{
    doubles lanes = {0};
    size_t i = 0;
    for (; i + LANES <= n; i += LANES) {
        doubles v = __builtin_convertvector(*(const reals *)(x + i), doubles);
        lanes += v * v;
    }
    double sum = 0;
    for (size_t j = 0; j < LANES; j++)
        sum += lanes[j];
    for (; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}

/* In the numbers' own type, which takes half the time of double, times RAISE²: gradients are small
 * rather than large. Four sums at a time, because additions wait for each other. n up to SHORT:
 * a lane adds a few dozen squares. */
#define SHORT 1024
#define RAISE ((real)0x1p48)
REAL_KERNEL
static real raised_squares(size_t n, const real *x)
{
    real_lanes a = {0}, b = {0}, c = {0}, d = {0}, v;
    size_t i = 0;
    for (; i + 4 * REAL_LANES <= n; i += 4 * REAL_LANES) {
        const real_lanes *at = (const real_lanes *)(x + i);
        v = at[0] * RAISE;
        a += v * v;
        v = at[1] * RAISE;
        b += v * v;
        v = at[2] * RAISE;
        c += v * v;
        v = at[3] * RAISE;
        d += v * v;
    }
    real_lanes lanes = (a + b) + (c + d);
    real sum = lanes_total(&lanes);
    for (; i < n; i++)
        sum += (x[i] * RAISE) * (x[i] * RAISE);
    return sum;
}

/* Between these no square overflowed, and those that underflowed, each below 1e-37, are nothing
 * beside the sum. */
#define RAISED_MIN ((real)1e-24)
#define RAISED_MAX ((real)1e37)

/* A sum of 0 is that of the weights of a unit that no sample of the batch woke; they are many. */
static double short_squares(size_t n, const real *x)
{
    real raised = raised_squares(n, x);
    if (raised == 0 || (raised > RAISED_MIN && raised < RAISED_MAX))
        return (double)raised / ((double)RAISE * (double)RAISE);
    return wide_squares(n, x);
}

double clip_squares(size_t n, const real *x)
{
    double sum = 0;
    for (size_t i = 0; i < n; i += SHORT)
        sum += short_squares(n - i < SHORT ? n - i : SHORT, x + i);
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
