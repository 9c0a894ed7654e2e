#include "common/diagnosis/trend.h"

#include <math.h>
#include <string.h>

#include "common/diagnosis/stats.h"

#define REACH_RANGES 10 /* beyond that, the range outside P5..P95 is a spike, not a descent */

static size_t max_size(size_t a, size_t b)
{
    return a > b ? a : b;
}

static size_t min_size(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* W = min(n, max(6, round(0.4 n))) */
static size_t window_of(size_t n)
{
    return min_size(n, max_size(6, (4 * n + 5) / 10));
}

size_t trend_scratch(size_t count)
{
    size_t n = min_size(count, SERIES_MAX), w = window_of(n);
    return max_size(2 * n + 2, w * (w - (w > 0)) / 2 + 1);
}

/* Sum over groups of equal values of c(c-1)(2c+5), from a sorted copy. */
static double tie_sum(const double *z, size_t w, double *scratch)
{
    double sum = 0;

    memcpy(scratch, z, w * sizeof(*z));
    for (size_t gap = w / 2; gap > 0; gap /= 2) { /* Shell's sort: qsort may allocate */
        for (size_t i = gap; i < w; i++) {
            double v = scratch[i];
            size_t j = i;
            for (; j >= gap && scratch[j - gap] > v; j -= gap)
                scratch[j] = scratch[j - gap];
            scratch[j] = v;
        }
    }
    for (size_t i = 0, c; i < w; i += c) {
        for (c = 1; i + c < w && scratch[i + c] == scratch[i];)
            c++;
        sum += (double)c * (double)(c - 1) * (double)(2 * c + 5);
    }
    return sum;
}

/* Theil–Sen slope b (Sen 1968) and Mann–Kendall Z (Kendall 1975, ties corrected):
 * Z = (S - sign S)/sqrt(VarS), VarS = [W(W-1)(2W+5) - sum c(c-1)(2c+5)]/18 */
static double slope_and_z(const double *z, size_t w, double *scratch, double *z_out)
{
    size_t pairs = 0;
    int64_t s = 0;
    double ties = tie_sum(z, w, scratch);
    double var = ((double)w * (double)(w - 1) * (double)(2 * w + 5) - ties) / 18.0;

    for (size_t d = 1; d < w; d++) { /* all pairs d apart: one reciprocal, and it vectorises */
        double per = 1.0 / (double)d;
        for (size_t i = 0; i + d < w; i++) {
            double diff = z[i + d] - z[i];
            s += (diff > 0) - (diff < 0);
            scratch[pairs++] = diff * per;
        }
    }
    *z_out = var > 0 ? ((double)s - (double)((s > 0) - (s < 0))) / sqrt(var) : 0.0;
    return stats_median(scratch, pairs);
}

/* sigma = max(1.4826 MAD(diff z)/sqrt 2, 1.4826 MAD(z - b i)): the differences see fast noise,
 * the residuals slow noise. */
static double noise_of(const double *z, size_t w, double slope, double *scratch)
{
    for (size_t i = 0; i + 1 < w; i++)
        scratch[i] = z[i + 1] - z[i];
    double fast = stats_mad_sigma(scratch, w - 1) / sqrt(2.0);
    for (size_t i = 0; i < w; i++)
        scratch[i] = z[i] - slope * (double)i;
    return fmax(fast, stats_mad_sigma(scratch, w));
}

/* Without its first epochs, so that a huge first value does not make everything else flat. */
static double range_of(const double *y, size_t n, double *scratch)
{
    size_t skip = max_size(1, n / 10);
    if (n - skip < 4)
        skip = 0;
    size_t m = n - skip;
    memcpy(scratch, y + skip, m * sizeof(*y));
    double high = stats_quantile(scratch, m, 0.95);
    return high - stats_quantile(scratch, m, 0.05);
}

static void smoothed_minimum(struct trend *t, const double *y, size_t n, double *scratch)
{
    size_t half = n < SERIES_MIN ? 0 : n < 15 ? 1 : n < 60 ? 2 : n / 40;
    stats_running_median(y, n, half, scratch, scratch + n);
    t->best_at = 0;
    for (size_t i = 1; i < n; i++)
        if (scratch[i] < scratch[t->best_at])
            t->best_at = i;
    t->best = scratch[t->best_at];
}

void trend_measure_ends(struct trend *t, const struct series *s, double *scratch)
{
    const double *y = s->y;
    size_t n = s->count, last = n < 6 ? 1 : n < 8 ? 2 : max_size(3, n / 10);

    *t = (struct trend){.count = n, .window = n, .first = y[0], .max = y[0], .raw_best = y[0]};
    for (size_t i = 1; i < n; i++) {
        t->max = y[i] > t->max ? y[i] : t->max;
        t->raw_best = y[i] < t->raw_best ? y[i] : t->raw_best;
    }
    t->full = t->max - t->raw_best;
    smoothed_minimum(t, y, n, scratch);
    memcpy(scratch, y + n - last, last * sizeof(*y));
    t->end = stats_median(scratch, last);
}

void trend_measure(struct trend *t, const struct series *s, double *scratch)
{
    trend_measure_ends(t, s, scratch);
    size_t n = t->count, w = window_of(n);
    const double *z = s->y + n - w;

    t->window = w;
    double slope = slope_and_z(z, w, scratch, &t->z);
    t->change = slope * (double)(w - 1);
    t->sigma = noise_of(z, w, slope, scratch);
    t->range = range_of(s->y, n, scratch);
    memcpy(scratch, z, w * sizeof(*z));
    t->level = fabs(stats_median(scratch, w));
    if (n >= 50) { /* a single first value says little about what a long run moved */
        memcpy(scratch, s->y, n * sizeof(*z));
        t->full = stats_quantile(scratch, n, 0.98) - t->raw_best;
    }
    t->reach = fmin(t->full, REACH_RANGES * t->range);
}

/* Three separate meanings of flat: statistically undecided, small against the noise, and too
 * small to matter (2 % of the range, 1 % of the level). The last is waived for a clean rise that
 * is a quarter of all the run moved (G4.8, "extremely slowly"). */
static int slope_sign(const struct trend *t, const struct gates *g)
{
    bool few = t->count < 10;
    double size = fabs(t->change), sigmas = few ? 1.0 : 2.0;
    bool creeping = t->change >= g->size * 5 * t->sigma && t->change >= g->size * 0.25 * t->reach;

    if (size == 0 || fabs(t->z) < (few ? g->z / 1.28 : g->z))
        return 0;
    if (size < g->size * 0.02 * t->range || size < g->size * sigmas * t->sigma)
        return 0;
    if (size < g->size * 0.01 * t->level && !creeping)
        return 0;
    return t->change > 0 ? 1 : -1;
}

/* Catches a curve that turned up before the window began, or late inside it. */
static bool rose_from_minimum(const struct trend *t, const struct gates *g, bool training)
{
    double rise = t->end - t->best, n = (double)t->count;
    double least = fmax((training ? 0.10 : 0.06) * fabs(t->best), 3 * t->sigma);

    if (training)
        least = fmax(least, 0.03 * t->full);
    return rise > g->rise * least && (double)t->best_at < n - fmax(3, 0.15 * n);
}

int trend_sign(const struct trend *t, const struct gates *g, bool training)
{
    int slope = slope_sign(t, g);
    bool recovering = slope < 0 && fabs(t->change) >= (t->end - t->best) / 2;

    return rose_from_minimum(t, g, training) && !recovering ? 1 : slope;
}
