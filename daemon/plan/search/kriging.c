#include "daemon/plan/search/kriging.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/require.h"

#define LANES FACTOR_LANES
#define SQRT5 2.23606797749978969641

/* --- points ---------------------------------------------------------------------------------- */

void points_init(struct points *p, const struct axes *axes, size_t cap)
{
    *p = (struct points){.axes = axes, .cap = factor_stride(cap)};
    p->x = xcalloc(p->cap * axes->count + 1, sizeof(*p->x));
}

void points_finish(struct points *p)
{
    free(p->x);
    *p = (struct points){0};
}

static double *lane_of(const struct points *p, size_t point)
{
    return p->x + point / LANES * LANES * p->axes->count + point % LANES;
}

void points_add(struct points *p, const double *places)
{
    REQUIRE(p->count < p->cap);
    double *lane = lane_of(p, p->count++);
    for (size_t i = 0; i < p->axes->count; i++) {
        const struct axis *a = &p->axes->items[i];
        bool cell = a->kind == AXIS_CELLS && !isnan(places[i]);
        size_t c = cell ? (size_t)places[i] : 0;
        p->absent[i] = p->absent[i] || isnan(places[i]);
        lane[i * LANES] = cell ? (a->edges[c] + a->edges[c + 1]) / 2 : places[i];
    }
}

/* Squared distances of the points of a block from one of that coordinate along dimension i. */
static void gaps(const struct points *p, size_t block, size_t i, double from, double out[LANES])
{
    const double *to = p->x + (block * p->axes->count + i) * LANES;
    if (p->axes->items[i].kind != AXIS_CHOICES && !p->absent[i] && !isnan(from))
        for (size_t u = 0; u < LANES; u++)
            out[u] = (to[u] - from) * (to[u] - from);
    else if (p->axes->items[i].kind == AXIS_CHOICES)
        for (size_t u = 0; u < LANES; u++)
            out[u] = to[u] == from || (isnan(to[u]) && isnan(from)) ? 0 : 1;
    else
        for (size_t u = 0; u < LANES; u++)
            out[u] = isnan(to[u]) && isnan(from)   ? 0
                     : isnan(to[u]) || isnan(from) ? 1
                                                   : (to[u] - from) * (to[u] - from);
}

/* --- the kernel ------------------------------------------------------------------------------ */

/* Its logarithms as numbers. */
struct scales {
    size_t dimensions;
    double inverse[SPACE_MAX_DIMENSIONS]; /* of squared lengths */
    double signal, noise;
};

static struct scales scales_of(const struct kernel *k)
{
    struct scales s = {.dimensions = k->dimensions,
                       .signal = exp(k->log[k->dimensions]),
                       .noise = exp(k->log[k->dimensions + 1])};
    for (size_t i = 0; i < k->dimensions; i++)
        s.inverse[i] = exp(-2 * k->log[i]);
    return s;
}

/* Of a point (its first coordinate, the others LANES apart) with the points of a block: their
 * covariances in out; where `slopes` is given, the derivatives by the squared distances, too. */
static void covariances(const struct scales *s, const double *from, const struct points *p,
                        size_t block, double out[LANES], double *slopes)
{
    double r2[LANES] = {0}, gap[LANES];
    for (size_t i = 0; i < s->dimensions; i++) {
        gaps(p, block, i, from[i * LANES], gap);
        for (size_t u = 0; u < LANES; u++)
            r2[u] += gap[u] * s->inverse[i];
    }
    for (size_t u = 0; u < LANES; u++) {
        double r = SQRT5 * sqrt(r2[u]), e = s->signal * exp(-r);
        out[u] = (1 + r + r * r / 3) * e;
        if (slopes != NULL)
            slopes[u] = -5.0 / 6 * (1 + r) * e;
    }
}

/* Their matrix [count][stride], the lower half, with the noise of those that were seen. */
static void covariance_matrix(const struct kernel *k, const struct points *p, const struct seen *s,
                              double *out, double *slopes)
{
    const struct scales scales = scales_of(k);
    size_t stride = factor_stride(p->count);
    for (size_t i = 0; i < p->count; i++) {
        for (size_t b = 0; b * LANES <= i; b++)
            covariances(&scales, lane_of(p, i), p, b, out + i * stride + b * LANES,
                        slopes != NULL ? slopes + i * stride + b * LANES : NULL);
        out[i * stride + i] += scales.noise / (i < s->count ? s->runs[i] : 1);
    }
}

/* --- its fit --------------------------------------------------------------------------------- */

/* Beforehand, logarithms are normal: lengths grow with the root of the number of dimensions
 * (Hvarfner et al. 2024), noise is a fiftieth of the signal, give or take. */
#define LENGTH_MEAN (M_SQRT2 + 0.5 * log((double)k->dimensions))
#define LENGTH_DEVIATION 1.7320508
#define SIGNAL_DEVIATION 0.7
#define NOISE_MEAN -4.0
#define NOISE_DEVIATION 1.5
#define STEPS 40 /* of resilient propagation (Riedmiller and Braun 1993) */
#define STEP 0.3
#define STEP_MAX 1.0
#define STEP_MIN 1e-3

struct fit {
    const struct points *points;
    const struct seen *seen;
    size_t stride;
    double *matrix, *slopes, *inverse, *weights;
};

static double prior_mean(const struct kernel *k, size_t i)
{
    return i < k->dimensions ? LENGTH_MEAN : i == k->dimensions ? 0 : NOISE_MEAN;
}

static double prior_deviation(const struct kernel *k, size_t i)
{
    return i < k->dimensions    ? LENGTH_DEVIATION
           : i == k->dimensions ? SIGNAL_DEVIATION
                                : NOISE_DEVIATION;
}

/* Of row i of the matrix, columns 0 … i: what the likelihood grows by with each length. */
static void add_row(const struct fit *f, const struct scales *s, size_t i, double *gradient)
{
    const struct points *p = f->points;
    const double *slopes = f->slopes + i * f->stride, *inverse = f->inverse + i * f->stride;
    for (size_t b = 0; b * LANES <= i; b++) {
        double pull[LANES], gap[LANES];
        for (size_t u = 0; u < LANES; u++) {
            size_t j = b * LANES + u;
            pull[u] = j < i ? (f->weights[i] * f->weights[j] - inverse[j]) * slopes[j] : 0;
        }
        for (size_t c = 0; c < s->dimensions; c++) {
            double sum = 0;
            gaps(p, b, c, lane_of(p, i)[c * LANES], gap);
            for (size_t u = 0; u < LANES && b * LANES + u < i; u++)
                sum += pull[u] * gap[u];
            gradient[c] -= 2 * sum * s->inverse[c];
        }
    }
}

/* The log posterior up to a constant, and its gradient; -INFINITY: no factor. */
static double posterior(struct fit *f, const struct kernel *k, double *gradient)
{
    size_t n = f->seen->count, d = k->dimensions;
    double value = 0, traced = 0;
    const struct scales scales = scales_of(k);
    covariance_matrix(k, f->points, f->seen, f->matrix, f->slopes);
    if (!factor_cholesky(f->matrix, n, f->stride))
        return -INFINITY;
    memcpy(f->weights, f->seen->y, n * sizeof(*f->weights));
    factor_forward(f->matrix, n, f->stride, f->weights);
    factor_backward(f->matrix, n, f->stride, f->weights);
    factor_inverse(f->matrix, n, f->stride, f->inverse);
    memset(gradient, 0, (d + 2) * sizeof(*gradient));
    for (size_t i = 0; i < n; i++) {
        double w = f->weights[i] * f->weights[i] - f->inverse[i * f->stride + i];
        value -= 0.5 * f->seen->y[i] * f->weights[i] + log(f->matrix[i * f->stride + i]);
        gradient[d + 1] += 0.5 * w * scales.noise / f->seen->runs[i];
        traced += f->weights[i] * f->seen->y[i] - 1;
        add_row(f, &scales, i, gradient);
    }
    gradient[d] = 0.5 * traced - gradient[d + 1]; /* signal and noise together scale the matrix */
    for (size_t i = 0; i < d + 2; i++) {
        double z = (k->log[i] - prior_mean(k, i)) / prior_deviation(k, i);
        value -= 0.5 * z * z;
        gradient[i] -= z / prior_deviation(k, i);
    }
    return value;
}

/* Up, by the signs of the gradient alone: the best on the way. */
static void climb(struct fit *f, struct kernel *k)
{
    double step[SPACE_MAX_DIMENSIONS + 2], before[SPACE_MAX_DIMENSIONS + 2] = {0},
        gradient[SPACE_MAX_DIMENSIONS + 2], best = -INFINITY;
    struct kernel at = *k;
    for (size_t i = 0; i < k->dimensions + 2; i++)
        step[i] = STEP;
    for (int n = 0; n < STEPS; n++) {
        double value = posterior(f, &at, gradient);
        if (!isfinite(value))
            break;
        if (value > best)
            *k = at;
        best = fmax(best, value);
        for (size_t i = 0; i < k->dimensions + 2; i++) {
            double same = gradient[i] * before[i];
            step[i] = fmin(fmax(step[i] * (same > 0 ? 1.2 : same < 0 ? 0.5 : 1), STEP_MIN),
                           STEP_MAX);
            before[i] = same < 0 ? 0 : gradient[i];
            at.log[i] += before[i] > 0 ? step[i] : before[i] < 0 ? -step[i] : 0;
        }
    }
}

/* From short lengths and little noise: where the posterior has a second summit, at which all is
 * noise, this one finds better configurations (docs/decisions/0015 has the figures). */
void kernel_fit(struct kernel *k, const struct points *p, const struct seen *s)
{
    struct fit f = {.points = p, .seen = s, .stride = factor_stride(p->count)};
    size_t cells = p->count * f.stride;
    REQUIRE(p->count == s->count);
    f.matrix = xcalloc(cells, sizeof(double));
    f.slopes = xcalloc(cells, sizeof(double));
    f.inverse = xcalloc(cells, sizeof(double));
    f.weights = xcalloc(f.stride, sizeof(double));
    *k = (struct kernel){.dimensions = p->axes->count};
    for (size_t i = 0; i < k->dimensions + 2; i++)
        k->log[i] = prior_mean(k, i) - (i < k->dimensions ? 1 : 0);
    climb(&f, k);
    free(f.matrix);
    free(f.slopes);
    free(f.inverse);
    free(f.weights);
}

/* --- the process ----------------------------------------------------------------------------- */

void kriging_init(struct kriging *g, const struct kernel *k, const struct points *p,
                  const struct seen *s)
{
    *g = (struct kriging){
        .kernel = *k, .points = p, .seen = s->count, .stride = factor_stride(p->count)};
    double *noise = &g->kernel.log[k->dimensions + 1];
    g->factor = xcalloc(p->count * g->stride, sizeof(double));
    g->weights = xcalloc(s->count + 1, sizeof(double));
    g->means = xcalloc(s->count + 1, sizeof(double));
    covariance_matrix(&g->kernel, p, s, g->factor, NULL);
    while (!factor_cholesky(g->factor, p->count, g->stride)) { /* equal points, without noise */
        *noise += 2;
        covariance_matrix(&g->kernel, p, s, g->factor, NULL);
    }
    memcpy(g->weights, s->y, s->count * sizeof(double));
    factor_forward(g->factor, s->count, g->stride, g->weights);
    factor_backward(g->factor, s->count, g->stride, g->weights);
    for (size_t i = 0; i < s->count; i++)
        g->means[i] = s->y[i] - g->weights[i] * exp(*noise) / s->runs[i];
}

void kriging_finish(struct kriging *g)
{
    free(g->factor);
    free(g->weights);
    free(g->means);
    *g = (struct kriging){0};
}

void kriging_predict(const struct kriging *g, const struct points *at, size_t block,
                     double mean[LANES], double variance[LANES])
{
    size_t n = g->points->count;
    const struct scales scales = scales_of(&g->kernel);
    double *rows = xcalloc(n * LANES + 1, sizeof(*rows));
    memset(mean, 0, LANES * sizeof(*mean));
    for (size_t i = 0; i < n; i++) {
        double *row = rows + i * LANES, w = i < g->seen ? g->weights[i] : 0;
        covariances(&scales, lane_of(g->points, i), at, block, row, NULL);
        for (size_t u = 0; u < LANES; u++)
            mean[u] += w * row[u];
    }
    factor_forward_lanes(g->factor, n, g->stride, rows);
    for (size_t u = 0; u < LANES; u++)
        variance[u] = scales.signal;
    for (size_t i = 0; i < n * LANES; i++)
        variance[i % LANES] -= rows[i] * rows[i];
    for (size_t u = 0; u < LANES; u++)
        variance[u] = fmax(variance[u], 1e-12 * scales.signal);
    free(rows);
}

/* h(z) = φ(z) + z Φ(z) is tiny for z below 0, and its two terms cancel: far below by its series. */
double log_expected_improvement(double mean, double deviation, double least)
{
    double z = (least - mean) / deviation, log_density = -0.5 * (z * z + log(2 * M_PI));
    double density = exp(log_density), below = 0.5 * erfc(-z * M_SQRT1_2), q = 1 / (z * z);
    if (z > -1)
        return log(deviation) + log(density + z * below);
    if (z > -20)
        return log(deviation) + log_density + log1p(z * below / density);
    return log(deviation) + log_density + log(q) + log1p(-q * (3 - q * (15 - 105 * q)));
}
