/* The bell and the beta, cut to a range. */
#include "common/space/distribution.h"

#include <math.h>

#include "sweep/require.h"
#include "sweep/space.h"

static const struct {
    enum distribution_shape shape;
    bool log, quantized;
} kinds[DISTRIBUTION_COUNT] = {
    [DISTRIBUTION_CONSTANT] = {SHAPE_EVEN, false, false},
    [DISTRIBUTION_CATEGORICAL] = {SHAPE_EVEN, false, false},
    [DISTRIBUTION_INT_UNIFORM] = {SHAPE_EVEN, false, false},
    [DISTRIBUTION_UNIFORM] = {SHAPE_EVEN, false, false},
    [DISTRIBUTION_LOG_UNIFORM_VALUES] = {SHAPE_EVEN, true, false},
    [DISTRIBUTION_Q_UNIFORM] = {SHAPE_EVEN, false, true},
    [DISTRIBUTION_Q_LOG_UNIFORM_VALUES] = {SHAPE_EVEN, true, true},
    [DISTRIBUTION_NORMAL] = {SHAPE_NORMAL, false, false},
    [DISTRIBUTION_Q_NORMAL] = {SHAPE_NORMAL, false, true},
    [DISTRIBUTION_LOG_NORMAL] = {SHAPE_NORMAL, true, false},
    [DISTRIBUTION_Q_LOG_NORMAL] = {SHAPE_NORMAL, true, true},
    [DISTRIBUTION_BETA] = {SHAPE_BETA, false, false},
    [DISTRIBUTION_Q_BETA] = {SHAPE_BETA, false, true},
};

bool distribution_is_log(enum distribution d)
{
    REQUIRE((unsigned)d < DISTRIBUTION_COUNT);
    return kinds[d].log;
}

bool distribution_is_quantized(enum distribution d)
{
    REQUIRE((unsigned)d < DISTRIBUTION_COUNT);
    return kinds[d].quantized;
}

enum distribution_shape distribution_shape(enum distribution d)
{
    REQUIRE((unsigned)d < DISTRIBUTION_COUNT);
    return kinds[d].shape;
}

/* --- the bell -------------------------------------------------------------------------------- */

/* The share of a standard bell above z. */
static double tail(double z)
{
    return 0.5 * erfc(z / M_SQRT2);
}

/* The z above which the share p lies, 0 < p <= 0.5: a first guess by Abramowitz and Stegun 26.2.23,
 * to all digits by Halley's method. */
static double tail_inverse(double p)
{
    double t = sqrt(-2 * log(p));
    double z = t - (2.515517 + t * (0.802853 + t * 0.010328)) /
                       (1 + t * (1.432788 + t * (0.189269 + t * 0.001308)));
    for (int i = 0; i < 3; i++) {
        double density = exp(-0.5 * z * z) / sqrt(2 * M_PI);
        double step = density > 0 ? (tail(z) - p) / density : 0;
        z += step / (1 - 0.5 * z * step);
    }
    return z;
}

/* A range of z as tails of the side on which most of it lies: no digits are lost far out. */
struct bell {
    double sign;      /* 1: tails above; -1: below, of -z */
    double from, to;  /* the tails at its ends, from >= to */
};

static double z_of(const struct dimension *d, double value)
{
    return ((distribution_is_log(d->distribution) ? log(value) : value) - d->mu) / d->sigma;
}

static struct bell bell_of(const struct dimension *d)
{
    double low = z_of(d, d->min), high = z_of(d, d->max);
    if (low + high > 0)
        return (struct bell){1, tail(low), tail(high)};
    return (struct bell){-1, tail(-high), tail(-low)};
}

static double bell_value(const struct dimension *d, double u)
{
    struct bell b = bell_of(d);
    double p = b.from - (b.sign > 0 ? u : 1 - u) * (b.from - b.to);
    double z = p <= 0.5 ? tail_inverse(fmax(p, 1e-300)) : -tail_inverse(1 - p);
    double x = d->mu + d->sigma * b.sign * z;
    return distribution_is_log(d->distribution) ? exp(x) : x;
}

static double bell_share(const struct dimension *d, double value)
{
    struct bell b = bell_of(d);
    double share = (b.from - tail(b.sign * z_of(d, value))) / (b.from - b.to);
    return b.sign > 0 ? share : 1 - share;
}

/* --- the beta -------------------------------------------------------------------------------- */

/* The continued fraction of the incomplete beta function (NIST DLMF 8.17.22), by Lentz's method. */
static double beta_fraction(double x, double a, double b)
{
    const double tiny = 1e-300;
    double c = 1, d = 1 - (a + b) * x / (a + 1), f;
    d = 1 / (fabs(d) < tiny ? tiny : d);
    f = d;
    for (int m = 1; m < 1000; m++) {
        double even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m));
        double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1));
        double before = f;
        for (int k = 0; k < 2; k++) {
            double term = k == 0 ? even : odd;
            d = 1 + term * d;
            c = 1 + term / c;
            d = 1 / (fabs(d) < tiny ? tiny : d);
            c = fabs(c) < tiny ? tiny : c;
            f *= c * d;
        }
        if (fabs(f - before) <= 1e-16 * fabs(f))
            break;
    }
    return f;
}

/* lgamma of a positive number without its global sign. */
static double log_gamma(double x)
{
    int sign;
    return lgamma_r(x, &sign);
}

/* The share of a beta below x. */
static double beta_below(double x, double a, double b)
{
    if (x <= 0 || x >= 1)
        return x <= 0 ? 0 : 1;
    double front = exp(log_gamma(a + b) - log_gamma(a) - log_gamma(b) + a * log(x) +
                       b * log1p(-x));
    if (x < (a + 1) / (a + b + 2))
        return front * beta_fraction(x, a, b) / a;
    return 1 - front * beta_fraction(1 - x, b, a) / b;
}

/* By halves: the same bits everywhere, whatever the shape. */
static double beta_value(const struct dimension *d, double u)
{
    double below = beta_below(d->min, d->a, d->b), low = d->min, high = d->max;
    double wanted = below + u * (beta_below(d->max, d->a, d->b) - below);
    for (int i = 0; i < 60; i++) {
        double middle = low + (high - low) / 2;
        if (beta_below(middle, d->a, d->b) < wanted)
            low = middle;
        else
            high = middle;
    }
    return low + (high - low) / 2;
}

static double beta_share(const struct dimension *d, double value)
{
    double below = beta_below(d->min, d->a, d->b);
    return (beta_below(value, d->a, d->b) - below) / (beta_below(d->max, d->a, d->b) - below);
}

/* --- both ------------------------------------------------------------------------------------ */

double shape_value(const struct dimension *d, double u)
{
    return distribution_shape(d->distribution) == SHAPE_BETA ? beta_value(d, u) : bell_value(d, u);
}

double shape_share(const struct dimension *d, double value)
{
    return distribution_shape(d->distribution) == SHAPE_BETA ? beta_share(d, value)
                                                             : bell_share(d, value);
}

double dimension_mass(const struct dimension *d)
{
    if (distribution_shape(d->distribution) == SHAPE_BETA)
        return beta_below(d->max, d->a, d->b) - beta_below(d->min, d->a, d->b);
    struct bell b = bell_of(d);
    return b.from - b.to;
}
