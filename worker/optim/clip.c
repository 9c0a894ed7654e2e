#include "worker/optim/clip.h"

/* Squares of an exploding gradient overflow a float long before the gradient does, those of a
 * vanishing one underflow, so they are summed in double: in lanes, and then over the lanes. */
#define LANES 8
#define SUMS 4 /* at a time: additions wait for each other */
typedef real reals __attribute__((vector_size(LANES * sizeof(real)), aligned(sizeof(real)),
                                  may_alias));
typedef double doubles __attribute__((vector_size(LANES * sizeof(double))));

#define SQUARE(sum, at)                                                                           \
    do {                                                                                          \
        doubles v = __builtin_convertvector(*(const reals *)(at), doubles);                       \
        (sum) += v * v;                                                                           \
    } while (0)

REAL_KERNEL
double clip_squares(size_t n, const real *x)
{
    doubles a = {0}, b = {0}, c = {0}, d = {0};
    size_t i = 0;
    for (; i + SUMS * LANES <= n; i += SUMS * LANES) {
        SQUARE(a, x + i);
        SQUARE(b, x + i + LANES);
        SQUARE(c, x + i + 2 * LANES);
        SQUARE(d, x + i + 3 * LANES);
    }
    doubles lanes = (a + b) + (c + d);
    double sum = 0;
    for (size_t j = 0; j < LANES; j++)
        sum += lanes[j];
    for (; i < n; i++)
        sum += (double)x[i] * (double)x[i];
    return sum;
}
#undef SQUARE

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
