#include "daemon/plan/stop/extrapolate.h"

#include <math.h>

#define SHAPES 64 /* of each family: the grid of its exponent */
#define MODELS (2 * SHAPES + 1)
#define POINTS_MAX 128 /* of a longer curve, evenly */
#define NOISE_LEAST 1e-6 /* of the largest cost: nothing is known better than that */

/* a + b f(epoch), b >= 0: f falls from 1 towards 0. */
enum family { FAMILY_FLAT, FAMILY_POWER, FAMILY_EXPONENTIAL };

struct model {
    enum family family;
    double shape;
};

/* What one model says of the horizon, and how well it fits. */
struct prediction {
    double mean, sd, bic;
};

struct curve {
    size_t count;
    double x[POINTS_MAX], y[POINTS_MAX];
    double horizon;
    double scale; /* y is in units of the largest, so that squares of it stay finite */
};

/* Power: epoch^-0.05 to epoch^-3. Exponential: e-folding times of a 30th to 3 horizons. */
static struct model model_at(size_t i, double horizon)
{
    double u = (double)(i % SHAPES) / (SHAPES - 1);
    if (i == 2 * SHAPES)
        return (struct model){FAMILY_FLAT, 0};
    if (i < SHAPES)
        return (struct model){FAMILY_POWER, 0.05 * pow(60, u)};
    return (struct model){FAMILY_EXPONENTIAL, 30 / horizon * pow(1.0 / 90, u)};
}

static double basis(const struct model *m, double x)
{
    switch (m->family) {
    case FAMILY_POWER:
        return pow(x, -m->shape);
    case FAMILY_EXPONENTIAL:
        return exp(-m->shape * x);
    default:
        return 0;
    }
}

/* Least squares of a and b; where b < 0, of a alone: it does not rise by itself. */
static struct prediction predict(const struct curve *c, const struct model *m)
{
    double n = (double)c->count, f = 0, ff = 0, y = 0, fy = 0, rss = 0, v[POINTS_MAX];
    for (size_t i = 0; i < c->count; i++) {
        v[i] = basis(m, c->x[i]);
        f += v[i] / n;
        y += c->y[i] / n;
    }
    for (size_t i = 0; i < c->count; i++) {
        ff += (v[i] - f) * (v[i] - f);
        fy += (v[i] - f) * (c->y[i] - y);
    }
    double b = ff > 0 ? fmax(fy / ff, 0) : 0;
    for (size_t i = 0; i < c->count; i++) {
        double e = c->y[i] - y - b * (v[i] - f);
        rss += e * e;
    }
    double at = basis(m, c->horizon) - f, parameters = m->family == FAMILY_FLAT ? 2 : 4;
    double spread = 1 + 1 / n + (b > 0 ? at * at / ff : 0); /* of one more observation */
    rss = fmax(rss, n * NOISE_LEAST * NOISE_LEAST);
    double df = fmax(n - 2, 1), heavy = df > 2 ? df / (df - 2) : 3; /* Student's t as a normal */
    return (struct prediction){.mean = y + b * at,
                               .sd = sqrt(rss / df * spread * heavy),
                               .bic = n * log(rss / n) + parameters * log(n)};
}

static double normal_below(double x)
{
    return 0.5 * erfc(-x / sqrt(2));
}

static double mixture_below(const struct prediction *p, const double *weights, double level)
{
    double sum = 0;
    for (size_t i = 0; i < MODELS; i++)
        sum += weights[i] * normal_below((level - p[i].mean) / p[i].sd);
    return sum;
}

/* Where the mixture has that share below, by bisection. */
static double mixture_quantile(const struct prediction *p, const double *weights, double q)
{
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < MODELS; i++) {
        low = fmin(low, p[i].mean - 8 * p[i].sd);
        high = fmax(high, p[i].mean + 8 * p[i].sd);
    }
    for (int i = 0; i < 60; i++) {
        double mid = low + (high - low) / 2;
        *(mixture_below(p, weights, mid) < q ? &low : &high) = mid;
    }
    return low + (high - low) / 2;
}

/* exp(-BIC / 2); beforehand the flat curve and either family are as likely, and the shapes of a
 * family. */
static void weigh(const struct prediction *p, double *weights)
{
    double best = INFINITY, sum = 0;
    for (size_t i = 0; i < MODELS; i++)
        best = fmin(best, p[i].bic);
    for (size_t i = 0; i < MODELS; i++) {
        weights[i] = exp((best - p[i].bic) / 2) / (i == 2 * SHAPES ? 1 : SHAPES);
        sum += weights[i];
    }
    for (size_t i = 0; i < MODELS; i++)
        weights[i] /= sum;
}

static void take_points(const double *epochs, const double *costs, size_t count, struct curve *c)
{
    size_t step = count / POINTS_MAX + 1;
    for (size_t i = (count - 1) % step; i < count; i += step) { /* the last is among them */
        c->x[c->count] = epochs[i];
        c->y[c->count++] = costs[i];
        c->scale = fmax(c->scale, fabs(costs[i]));
    }
    c->scale = c->scale > 0 ? c->scale : 1;
    for (size_t i = 0; i < c->count; i++)
        c->y[i] /= c->scale;
}

bool extrapolate(const double *epochs, const double *costs, size_t count, double horizon,
                 double level, struct extrapolation *out)
{
    struct curve c = {.horizon = horizon};
    struct prediction p[MODELS];
    double weights[MODELS];
    if (count < EXTRAPOLATE_LEAST)
        return false;
    take_points(epochs, costs, count, &c);
    for (size_t i = 0; i < MODELS; i++) {
        struct model m = model_at(i, horizon);
        p[i] = predict(&c, &m);
    }
    weigh(p, weights);
    out->mean = 0;
    for (size_t i = 0; i < MODELS; i++)
        out->mean += weights[i] * p[i].mean * c.scale;
    out->below = mixture_below(p, weights, level / c.scale);
    out->low = mixture_quantile(p, weights, 0.05) * c.scale;
    out->high = mixture_quantile(p, weights, 0.95) * c.scale;
    return true;
}
