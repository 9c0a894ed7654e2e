/* Learning rates from large to small (G2.1), and each optimizer's own window (G2.2). */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/search/coarse_to_fine.h"
#include "sweep/require.h"

static int descending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x < y) - (x > y);
}

/* all[0..n) → at most wanted of them, evenly spread; the first stays, from two on the last too. */
static size_t spread(const double *all, size_t n, size_t wanted, double *out)
{
    if (wanted > RATES_MAX)
        wanted = RATES_MAX;
    size_t count = n < wanted ? n : wanted;
    for (size_t i = 0; i < count; i++)
        out[i] = all[count == 1 ? 0 : (i * (n - 1) + (count - 1) / 2) / (count - 1)];
    return count;
}

/* Listed values within [lo, hi], large to small; all of them when none lies there. */
static size_t listed(const struct dimension *d, double lo, double hi, double *out)
{
    size_t n = 0;
    for (size_t i = 0; i < d->value_count && i < SPACE_MAX_VALUES; i++)
        if (d->values[i] >= lo && d->values[i] <= hi)
            out[n++] = d->values[i];
    if (n == 0)
        return listed(d, -INFINITY, INFINITY, out);
    qsort(out, n, sizeof(*out), descending);
    return n;
}

/* Onto a value that the dimension has. */
static double snap(const struct dimension *d, double v)
{
    if (dimension_cardinality(d) == 0)
        return space_tidy(d, v);
    return dimension_value(d, dimension_position(d, fmin(fmax(v, d->min), d->max)));
}

static size_t drop_repeats(double *v, size_t n)
{
    size_t kept = 0;
    for (size_t i = 0; i < n; i++)
        if (kept == 0 || v[i] != v[kept - 1])
            v[kept++] = v[i];
    return kept;
}

size_t rates_decades(const struct dimension *d, size_t wanted, double out[RATES_MAX])
{
    double all[SPACE_MAX_VALUES];
    size_t n = 0;
    if (d->distribution == DISTRIBUTION_CATEGORICAL)
        return spread(all, listed(d, -INFINITY, INFINITY, all), wanted, out);
    /* max / 10^i rounded to three digits, so that 0.1/10 is the decimal 0.01 */
    for (double v = d->max; n < RATES_MAX - 1 && v > d->min * (1 + 1e-9); n++) {
        all[n] = n == 0 ? d->max : snap(d, v);
        v = d->max / pow(10, (double)n + 1);
    }
    all[n++] = d->min;
    return spread(all, drop_repeats(all, n), wanted, out);
}

/* Where an optimizer usually works, around PyTorch's defaults and the guide's 0.001 … 0.1. Nothing
 * is known of the others: an empty window, for which the whole range is taken. */
static void window_of(const char *optimizer, double *lo, double *hi)
{
    static const struct {
        const char *name;
        double lo, hi;
    } windows[] = {
        {"sgd", 1e-2, 1},     {"momentum", 1e-3, 1e-1}, {"rmsprop", 1e-4, 1e-2},
        {"adam", 1e-4, 1e-2}, {"adadelta", 1e-2, 1},
    };
    *lo = 1;
    *hi = 0;
    for (size_t i = 0; i < ARRAY_LEN(windows); i++)
        if (strcmp(windows[i].name, optimizer) == 0)
            *lo = windows[i].lo, *hi = windows[i].hi;
}

size_t rates_of_optimizer(const struct dimension *d, const char *optimizer, size_t wanted,
                          double out[RATES_MAX])
{
    double lo, hi, all[SPACE_MAX_VALUES];
    window_of(optimizer, &lo, &hi);
    if (d->distribution == DISTRIBUTION_CATEGORICAL)
        return spread(all, listed(d, lo, hi, all), wanted, out);
    lo = fmax(lo, d->min);
    hi = fmin(hi, d->max);
    if (lo > hi) {
        lo = fmax(d->min, d->max * 1e-6);
        hi = d->max;
    }
    if (wanted > RATES_MAX)
        wanted = RATES_MAX;
    /* one: the middle; two: the upper end and the middle; more: evenly from end to end */
    for (size_t i = 0; i < wanted; i++) {
        double u = wanted == 1 ? 0.5 : (double)i / (double)(wanted == 2 ? 2 : wanted - 1);
        all[i] = snap(d, hi * pow(lo / hi, u));
    }
    size_t n = drop_repeats(all, wanted);
    memcpy(out, all, n * sizeof(*out));
    return n;
}
