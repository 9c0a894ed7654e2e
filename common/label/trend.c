#include "common/label/trend.h"

#include <math.h>
#include <string.h>

#include "sweep/stats.h"
#include "common/label/unimodal.h"

#define LATE_MIN 30     /* fewer values: the last 60 % fit noise as well as anything */
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
    return max_size(unimodal_scratch(n) + 2, w * (w - (w > 0)) / 2 + 1);
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

/* VarS = [W(W-1)(2W+5) - sum c(c-1)(2c+5)]/18, Kendall's S under the hypothesis of no trend. */
static double kendall_variance(double w, double ties)
{
    return (w * (w - 1) * (2 * w + 5) - ties) / 18.0;
}

/* Z = (S - sign S)/sqrt(VarS), Mann–Kendall (Kendall 1975) */
static double kendall_z(int64_t s, double variance)
{
    return variance > 0 ? ((double)s - (double)((s > 0) - (s < 0))) / sqrt(variance) : 0.0;
}

/* Theil–Sen change over the window (Sen 1968), and Mann–Kendall Z with ties corrected. */
static void slope_measure(struct trend *t, const double *z, size_t w, double *scratch)
{
    size_t pairs = 0;
    int64_t s = 0, ties = 0;

    for (size_t d = 1; d < w; d++) { /* all pairs d apart: one reciprocal, and it vectorises */
        double per = 1.0 / (double)d;
        for (size_t i = 0; i + d < w; i++) {
            double diff = z[i + d] - z[i];
            s += (diff > 0) - (diff < 0);
            ties += diff == 0;
            scratch[pairs++] = diff * per;
        }
    }
    t->change = stats_median(scratch, pairs) * (double)(w - 1);
    t->z = kendall_z(s, kendall_variance((double)w, ties > 0 ? tie_sum(z, w, scratch) : 0));
}

/* Theil–Sen slope over the last half of the window, as a share of that over all of it: an
 * exponential that nears its floor fades. */
static double pace_of(const double *z, size_t w, double slope, double *scratch)
{
    size_t half = w / 2, pairs = 0;

    for (size_t d = 1; d < half; d++) {
        double per = 1.0 / (double)d;
        for (size_t i = w - half; i + d < w; i++)
            scratch[pairs++] = (z[i + d] - z[i]) * per;
    }
    return slope != 0 && pairs > 0 ? stats_median(scratch, pairs) / slope : 1;
}

/* Smallest step between two values: the last digit, where losses were rounded. */
static double unit_of(const double *z, size_t w)
{
    double least = INFINITY;
    for (size_t i = 0; i + 1 < w; i++)
        if (z[i + 1] != z[i])
            least = fmin(least, fabs(z[i + 1] - z[i]));
    return isfinite(least) ? least : 0;
}

/* Has it been rising since its minimum? Ties are not worth the sorting here. */
static double z_since(const double *y, size_t n)
{
    int64_t s = 0;

    if (n < 4)
        return 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = i + 1; j < n; j++)
            s += (y[j] > y[i]) - (y[j] < y[i]);
    return kendall_z(s, kendall_variance((double)n, 0));
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
    t->last = y[n - 1];
    t->max_before = y[0];
    for (size_t i = 1; i + 1 < n; i++)
        t->max_before = fmax(t->max_before, y[i]);
    t->full = t->max - t->raw_best;
    smoothed_minimum(t, y, n, scratch);
    memcpy(scratch, y + n - last, last * sizeof(*y));
    t->end_low = scratch[0];
    for (size_t i = 1; i < last; i++)
        t->end_low = fmin(t->end_low, scratch[i]);
    t->end = stats_median(scratch, last);
}

void trend_measure(struct trend *t, const struct series *s, double *scratch)
{
    trend_measure_ends(t, s, scratch);
    size_t n = t->count, w = window_of(n);
    const double *z = s->y + n - w;

    t->window = w;
    t->unit = unit_of(z, w);
    slope_measure(t, z, w, scratch);
    t->pace = pace_of(z, w, t->change / (double)(w - 1), scratch);
    t->sigma = noise_of(z, w, t->change / (double)(w - 1), scratch);
    t->margin = 1.96 * t->sigma * sqrt(12 * (double)(w - 1) / ((double)w * (double)(w + 1)));
    t->wander = unimodal_sigma(s->y, n, scratch);
    t->late_wander = t->wander; /* looked for only where the whole curve's noise may hide a trend */
    if (n >= LATE_MIN && (fabs(t->change) < 20 * t->wander || t->end - t->best < 20 * t->wander))
        t->late_wander = unimodal_sigma(s->y + 2 * n / 5, n - 2 * n / 5, scratch);
    t->since_best_z = z_since(s->y + t->best_at, n - t->best_at);
    t->range = range_of(s->y, n, scratch);
    memcpy(scratch, z, w * sizeof(*z));
    t->level = fabs(stats_median(scratch, w));
    if (n >= 50) { /* a single first value says little about what a long run moved */
        memcpy(scratch, s->y, n * sizeof(*z));
        t->full = stats_quantile(scratch, n, 0.98) - t->raw_best;
    }
    t->reach = fmin(t->full, REACH_RANGES * t->range);
}

/* Geometric mean of a change over the level and over all that the run moved: a drift of 2 % counts
 * where it is most of what happened, and not on a plot that spans two decades. */
double trend_size(const struct trend *t, double change, double level)
{
    double natural = t->raw_best < 0 ? fmax(level, t->full) : level; /* below 0: no natural zero */
    return change == 0 ? 0 : fabs(change) * sqrt(1 / natural) * sqrt(1 / t->full);
}

/* A run that has recovered from an upset has little noise at its end, whatever came before. */
static double noise_around(const struct trend *t, const struct rules *r)
{
    return fmin(t->wander, r->late * t->late_wander);
}

int trend_slope_sign(const struct trend *t, const struct rules *r, const struct gates *g)
{
    double least_z = g->z * r->z * (t->count < 10 ? 0.8 : 1.0);

    if (t->change == 0 || fabs(t->z) < least_z)
        return 0; /* undecided */
    if (fabs(t->change) < g->noise * r->wander * noise_around(t, r))
        return 0;
    if (trend_size(t, t->change, t->level) < g->size * r->size)
        return 0; /* too small to matter */
    if (fabs(t->change) < g->noise * r->units * t->unit)
        return 0; /* rounding */
    return t->change > 0 ? 1 : -1;
}

/* Catches a curve that turned up before the window began, or late inside it. */
static bool rose_from_minimum(const struct trend *t, const struct rules *r, const struct gates *g,
                              bool training)
{
    double rise = t->end - t->best, n = (double)t->count;
    double level = (training ? r->rise_train : r->rise_level) * fabs(t->best);
    double noise = fmax(r->rise_sigma * fmin(t->sigma, r->rise_clear * t->wander),
                        r->rise_wander * noise_around(t, r));

    return rise > g->size * fmax(level, noise) && t->since_best_z >= g->z * r->z &&
           trend_size(t, rise, fabs(t->best)) >= g->size * r->size &&
           (double)t->best_at < n - fmax(3, r->rise_past * n);
}

int trend_sign(const struct trend *t, const struct rules *r, const struct gates *g, bool training)
{
    int slope = trend_slope_sign(t, r, g);
    bool recovering = slope < 0 && fabs(t->change) >= r->recovering * (t->end - t->best);

    return rose_from_minimum(t, r, g, training) && !recovering ? 1 : slope;
}
