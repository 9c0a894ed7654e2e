#include "daemon/plan/search/cma.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/search/eigen.h"
#include "sweep/buf.h"

#define CONDITION_MAX 1e14

/* The tutorial's constants (table 1), of n coordinates and a generation of `count`. */
struct constants {
    double mu_eff;
    double step_rate, step_damping; /* c_sigma, d_sigma */
    double path_rate, rank_one, rank_mu;
    double expected_norm;           /* of n normal deviates */
    double *weights;                /* [count] */
};

size_t cma_population(size_t n)
{
    return 4 + (size_t)floor(3 * log(n > 1 ? (double)n : 1));
}

void cma_init(struct cma *c, size_t n, const double *mean, double sigma)
{
    double *room = xcalloc(5 * n + 3 * n * n + 1, sizeof(*room));
    *c = (struct cma){.n = n, .sigma = sigma, .mean = room, .path = room + n,
                      .step_path = room + 2 * n, .scale = room + 3 * n, .lengths = room + 4 * n,
                      .covariance = room + 5 * n, .axes = room + 5 * n + n * n,
                      .scratch = room + 5 * n + 2 * n * n};
    for (size_t i = 0; i < n; i++) {
        c->mean[i] = mean[i];
        c->scale[i] = c->lengths[i] = c->covariance[i * n + i] = c->axes[i * n + i] = 1;
    }
}

void cma_finish(struct cma *c)
{
    free(c->mean); /* all of them */
    *c = (struct cma){0};
}

void cma_sample(const struct cma *c, struct rng *r, double *x)
{
    for (size_t i = 0; i < c->n; i++)
        x[i] = 0;
    for (size_t k = 0; k < c->n; k++) {
        double z = c->lengths[k] * rng_normal(r);
        for (size_t i = 0; i < c->n; i++)
            x[i] += c->axes[i * c->n + k] * z;
    }
    for (size_t i = 0; i < c->n; i++)
        x[i] = c->mean[i] + c->sigma * c->scale[i] * x[i];
}

/* --- adaptation ------------------------------------------------------------------------------ */

/* Raw weights, and the effective number of those above 0 and below. */
static void raw_weights(double *w, size_t count, double *above, double *below)
{
    double sum[2] = {0, 0}, squares[2] = {0, 0};
    for (size_t i = 0; i < count; i++) {
        w[i] = log(((double)count + 1) / 2) - log((double)i + 1);
        sum[w[i] < 0] += w[i];
        squares[w[i] < 0] += w[i] * w[i];
    }
    *above = sum[0] * sum[0] / squares[0];
    *below = squares[1] > 0 ? sum[1] * sum[1] / squares[1] : 0;
}

/* Those above 0 sum to 1, those below to what leaves the covariance positive (equations 49-53). */
static void scale_weights(struct constants *k, size_t count, double n, double below)
{
    double sum[2] = {0, 0};
    for (size_t i = 0; i < count; i++)
        sum[k->weights[i] < 0] += fabs(k->weights[i]);
    double least = fmin(1 + k->rank_one / k->rank_mu, 1 + 2 * below / (k->mu_eff + 2));
    least = fmin(least, (1 - k->rank_one - k->rank_mu) / (n * k->rank_mu));
    for (size_t i = 0; i < count; i++) {
        bool negative = k->weights[i] < 0;
        if (sum[negative] > 0)
            k->weights[i] *= (negative ? least : 1) / sum[negative];
    }
}

static void constants_init(struct constants *k, size_t dimensions, size_t count)
{
    double n = (double)dimensions, below;
    k->weights = xcalloc(count + 1, sizeof(*k->weights));
    raw_weights(k->weights, count, &k->mu_eff, &below);
    double mu = k->mu_eff;
    k->step_rate = (mu + 2) / (n + mu + 5);
    k->step_damping = 1 + 2 * fmax(0, sqrt((mu - 1) / (n + 1)) - 1) + k->step_rate;
    k->path_rate = (4 + mu / n) / (n + 4 + 2 * mu / n);
    k->rank_one = 2 / ((n + 1.3) * (n + 1.3) + mu);
    k->rank_mu = fmin(1 - k->rank_one,
                      2 * (0.25 + mu + 1 / mu - 2) / ((n + 2) * (n + 2) + mu));
    k->expected_norm = sqrt(n) * (1 - 1 / (4 * n) + 1 / (21 * n * n));
    scale_weights(k, count, n, below);
}

/* C^(-1/2) y */
static void whiten(const struct cma *c, const double *y, double *out)
{
    size_t n = c->n;
    memset(out, 0, n * sizeof(*out));
    for (size_t k = 0; k < n; k++) {
        double along = 0;
        for (size_t i = 0; i < n; i++)
            along += c->axes[i * n + k] * y[i];
        for (size_t i = 0; i < n; i++)
            out[i] += c->axes[i * n + k] * along / c->lengths[k];
    }
}

static double squared_norm(const double *x, size_t n)
{
    double sum = 0;
    for (size_t i = 0; i < n; i++)
        sum += x[i] * x[i];
    return sum;
}

/* The two paths by the mean's step; says whether the second one moves (h_sigma). */
static bool move_paths(struct cma *c, const struct constants *k, const double *step, double *white)
{
    double s = k->step_rate, p = k->path_rate, n = (double)c->n;
    whiten(c, step, white);
    for (size_t i = 0; i < c->n; i++)
        c->step_path[i] = (1 - s) * c->step_path[i] + sqrt(s * (2 - s) * k->mu_eff) * white[i];
    double norm = sqrt(squared_norm(c->step_path, c->n));
    double known = sqrt(1 - pow(1 - s, 2 * (double)(c->generations + 1)));
    bool moves = norm / known < (1.4 + 2 / (n + 1)) * k->expected_norm;
    for (size_t i = 0; i < c->n; i++)
        c->path[i] = (1 - p) * c->path[i] +
                     (moves ? sqrt(p * (2 - p) * k->mu_eff) * step[i] : 0);
    c->sigma *= exp(fmin(1, s / k->step_damping * (norm / k->expected_norm - 1)));
    return moves;
}

/* y[count][n]: the members' deviations */
static void move_covariance(struct cma *c, const struct constants *k, const double *y, size_t count,
                            bool moves, double *white)
{
    size_t n = c->n;
    double sum = 0, lost = moves ? 0 : k->path_rate * (2 - k->path_rate);
    for (size_t m = 0; m < count; m++)
        sum += k->weights[m];
    for (size_t i = 0; i < n * n; i++)
        c->covariance[i] = (1 + k->rank_one * lost - k->rank_one - k->rank_mu * sum) *
                               c->covariance[i] +
                           k->rank_one * c->path[i / n] * c->path[i % n];
    for (size_t m = 0; m < count; m++) {
        const double *own = y + m * n;
        double w = k->weights[m];
        whiten(c, own, white);
        if (w < 0)
            w *= (double)n / fmax(squared_norm(white, n), 1e-12);
        for (size_t i = 0; i < n * n; i++)
            c->covariance[i] += k->rank_mu * w * own[i / n] * own[i % n];
    }
}

static void decompose(struct cma *c)
{
    size_t n = c->n;
    memcpy(c->scratch, c->covariance, n * n * sizeof(*c->scratch));
    eigen_symmetric(c->scratch, n, c->axes);
    for (size_t i = 0; i < n; i++)
        c->lengths[i] = sqrt(fmax(c->scratch[i * n + i], 1e-20));
}

void cma_adapt(struct cma *c, const double *const *members, size_t count)
{
    size_t n = c->n;
    struct constants k;
    if (count < 2 || n == 0)
        return;
    double *y = xcalloc((count + 2) * n, sizeof(*y)), *step = y + count * n, *white = step + n;
    constants_init(&k, n, count);
    for (size_t m = 0; m < count; m++)
        for (size_t i = 0; i < n; i++) {
            y[m * n + i] = (members[m][i] - c->mean[i]) / (c->sigma * c->scale[i]);
            step[i] += k.weights[m] > 0 ? k.weights[m] * y[m * n + i] : 0;
        }
    for (size_t i = 0; i < n; i++)
        c->mean[i] += c->sigma * c->scale[i] * step[i];
    bool moves = move_paths(c, &k, step, white);
    move_covariance(c, &k, y, count, moves, white);
    decompose(c);
    c->generations++;
    free(k.weights);
    free(y);
}

double cma_deviation(const struct cma *c, size_t i)
{
    return c->sigma * c->scale[i] * sqrt(fmax(c->covariance[i * c->n + i], 1e-20));
}

bool cma_is_degenerate(const struct cma *c)
{
    double least = INFINITY, most = 0;
    for (size_t i = 0; i < c->n; i++) {
        least = fmin(least, c->lengths[i]);
        most = fmax(most, c->lengths[i]);
    }
    return c->n > 0 && !(most * most <= CONDITION_MAX * least * least);
}

/* --- the margin ------------------------------------------------------------------------------ */

static double normal_below(double z)
{
    return 0.5 * erfc(-z * M_SQRT1_2);
}

/* z with so much above it, 0 < p < 1: bisection, for it is rarely asked. */
static double normal_upper(double p)
{
    double lo = -9, hi = 9;
    for (int i = 0; i < 60; i++) {
        double mid = (lo + hi) / 2;
        if (normal_below(-mid) > p)
            lo = mid;
        else
            hi = mid;
    }
    return (lo + hi) / 2;
}

/* The only edge beside the mean: beyond it lies alpha at least. */
static void keep_one(struct cma *c, size_t i, double edge, double alpha)
{
    double off = (c->mean[i] - edge) / cma_deviation(c, i);
    double most = normal_upper(alpha);
    if (fabs(off) > most)
        c->mean[i] = edge + copysign(most, off) * cma_deviation(c, i);
}

/* Equations 9 to 12 of the paper: mean and deviation that give both sides their probability. */
static void keep_two(struct cma *c, size_t i, double low, double high, double alpha)
{
    double deviation = cma_deviation(c, i);
    double below = normal_below((low - c->mean[i]) / deviation);
    double above = normal_below((c->mean[i] - high) / deviation);
    double mid = 1 - below - above, half = alpha / 2;
    if (below >= half && above >= half)
        return;
    double b = fmax(below, half), a = fmax(above, half);
    double excess = (1 - b - a - mid) / (b + a + mid - 3 * half);
    b += excess * (b - half);
    a += excess * (a - half);
    double z_low = normal_upper(b), z_high = normal_upper(a);
    if (!(z_low + z_high > 1e-6))
        return;
    c->mean[i] = (low * z_high + high * z_low) / (z_low + z_high);
    c->scale[i] *= (high - low) / (z_low + z_high) / deviation;
}

void cma_keep_margin(struct cma *c, size_t i, const double *edges, size_t cells, double alpha)
{
    size_t cell = 0;
    while (cell + 1 < cells && c->mean[i] >= edges[cell + 1])
        cell++;
    if (cells < 2)
        return;
    if (cell == 0 || cell + 1 == cells)
        keep_one(c, i, edges[cell == 0 ? 1 : cell], alpha);
    else
        keep_two(c, i, edges[cell], edges[cell + 1], alpha);
}
