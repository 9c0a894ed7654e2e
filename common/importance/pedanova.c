/* PED-ANOVA (Watanabe, Bansal and Hutter 2023): how far the density of the best tenth of the runs
 * lies from that of all of them, along each parameter by itself: the Pearson divergence of the two.
 * A parameter that is there only where its condition holds counts as far as it is there
 * (conditional PED-ANOVA, Theorem 4.2 and Algorithm 1). Densities are kernels on a grid of at most
 * 50 places, their widths by Scott's rule, and a uniform one that weighs as one run. */
#include <math.h>
#include <stdlib.h>

#include "common/importance/methods.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define TARGET 0.1  /* share of the runs that is reached for */
#define STEPS 50    /* of the grid of an ordered parameter */
#define GRID_MAX SPACE_MAX_VALUES
#define LEAST 1e-12 /* of a density */
#define SIGMA_LEAST (0.5 / 1.64) /* nine tenths of a kernel within its own place */

struct grid {
    size_t size;
    bool ordered;
    double first, last; /* positions of its ends on the dimension's scale */
};

/* --- the best tenth -------------------------------------------------------------------------- */

static int by_cost(const void *a, const void *b)
{
    const struct importance_run *x = a, *y = b;
    if (x->tier != y->tier)
        return x->tier < y->tier ? -1 : 1;
    return (x->cost > y->cost) - (x->cost < y->cost);
}

/* The last run of the best tenth; those as good as it belong to it. */
static struct importance_run cutoff_of(const struct importance_runs *r)
{
    struct importance_run *sorted = xcalloc(r->count, sizeof(*sorted)), cutoff;
    for (size_t i = 0; i < r->count; i++)
        sorted[i] = r->runs[i];
    qsort(sorted, r->count, sizeof(*sorted), by_cost);
    cutoff = sorted[(size_t)ceil(TARGET * (double)r->count) - 1];
    free(sorted);
    return cutoff;
}

/* --- the grid -------------------------------------------------------------------------------- */

static double log_spaced(const struct dimension *d, uint64_t count, double first, double last)
{
    double even = (last - first) / (double)(count - 1);
    return fabs(dimension_position(d, dimension_nth(d, 1)) - first - even) > 1e-9;
}

/* Listed values are places of their own, without order; whole numbers and multiples too, in their
 * order, where they are few; those on a log scale as many places as that has octaves. */
static struct grid grid_of(const struct dimension *d)
{
    uint64_t count = dimension_cardinality(d);
    struct grid g = {.size = STEPS, .ordered = true, .first = 0, .last = 1};
    if (d->distribution == DISTRIBUTION_CATEGORICAL || d->distribution == DISTRIBUTION_CONSTANT) {
        g.ordered = false;
        g.size = d->distribution == DISTRIBUTION_CONSTANT ? 1 : d->value_count;
        return g;
    }
    if (count == 0)
        return g;
    g.first = dimension_position(d, dimension_nth(d, 0));
    g.last = dimension_position(d, dimension_nth(d, count - 1));
    if (count > 2 && log_spaced(d, count, g.first, g.last) != 0)
        count = (uint64_t)ceil(log2((double)count)) + 1;
    g.size = count < STEPS ? (size_t)count : STEPS;
    return g;
}

static size_t place_of(const struct dimension *d, const struct grid *g, double value)
{
    double u = dimension_position(d, value), last = (double)(g->size - 1);
    if (!g->ordered)
        return (size_t)fmin(u * (double)g->size, last);
    double t = g->last > g->first ? (u - g->first) / (g->last - g->first) : 0;
    /* halfway belongs to the lower place, whatever the last bit says */
    return (size_t)fmax(0, fmin(last, ceil(t * last - 0.5 - 1e-9)));
}

/* --- densities ------------------------------------------------------------------------------- */

static double normal_cdf(double x)
{
    return 0.5 * erfc(-x * M_SQRT1_2);
}

/* Adds weight x a normal density, cut off at the ends of the grid and summed over each place. */
static void add_kernel(double weight, double mu, double sigma, size_t size, double *out)
{
    double all = normal_cdf(((double)size - 0.5 - mu) / sigma) - normal_cdf((-0.5 - mu) / sigma);
    for (size_t i = 0; i < size; i++)
        out[i] += weight / all *
                  (normal_cdf(((double)i + 0.5 - mu) / sigma) -
                   normal_cdf(((double)i - 0.5 - mu) / sigma));
}

/* Scott's rule for runs at places, with the spread of their middle half where that is smaller. */
static double width_of(const double *counts, size_t size, double sum)
{
    double mean = 0, square = 0, below = 0, q1 = NAN, q3 = NAN, last = 0;
    double quarter = floor(sum / 4), three = floor(sum * 3 / 4);
    for (size_t i = 0; i < size; i++)
        mean += counts[i] * (double)i / sum;
    for (size_t i = 0; i < size; i++) {
        if (counts[i] == 0)
            continue;
        square += counts[i] * ((double)i - mean) * ((double)i - mean);
        below += counts[i];
        if (isnan(q1) && below >= quarter)
            q1 = (double)i;
        if (isnan(q3) && below > three)
            q3 = (double)i;
        last = (double)i;
    }
    double spread = (isnan(q3) ? last : q3) - q1;
    double sigma = fmin(spread / 1.34, sqrt(square / fmax(1, sum - 1)));
    return fmax(1.059 * sigma * pow(sum, -0.2), SIGMA_LEAST);
}

static void density_of_numbers(const double *counts, size_t size, double sum, double *out)
{
    double width = width_of(counts, size, sum);
    for (size_t i = 0; i < size; i++)
        if (counts[i] > 0)
            add_kernel(counts[i] / (sum + 1), (double)i, width, size, out);
    add_kernel(1 / (sum + 1), (double)(size - 1) / 2, (double)size, size, out);
}

/* A run at a choice says a little of the others too: the less, the more choices were seen. */
static void density_of_choices(const double *counts, size_t size, double sum, double *out)
{
    double kernels = 1, n = (double)size;
    for (size_t i = 0; i < size; i++)
        kernels += counts[i] > 0;
    double other = 1 / kernels, row = 1 + n * other;
    for (size_t i = 0; i < size; i++)
        out[i] = (sum * other + counts[i]) / (row * (sum + 1)) + 1 / (n * (sum + 1));
}

static void density(const struct grid *g, const double *counts, double *out)
{
    double sum = 0;
    for (size_t i = 0; i < g->size; i++) {
        sum += counts[i];
        out[i] = 0;
    }
    if (g->ordered)
        density_of_numbers(counts, g->size, sum, out);
    else
        density_of_choices(counts, g->size, sum, out);
    for (size_t i = 0; i < g->size; i++)
        out[i] += LEAST;
}

/* --- a parameter ----------------------------------------------------------------------------- */

static double divergence(const struct grid *g, const double *top, const double *all)
{
    double near[GRID_MAX], far[GRID_MAX], sum = 0;
    density(g, top, near);
    density(g, all, far);
    for (size_t i = 0; i < g->size; i++)
        sum += far[i] * (near[i] / far[i] - 1) * (near[i] / far[i] - 1);
    return sum;
}

/* Of the runs that have the parameter: so many there, and so many of them among the best. */
static double of_dimension(const struct importance_runs *r, size_t d, const bool *best)
{
    const struct dimension *dim = &r->space->dimensions[d];
    const struct grid g = grid_of(dim);
    double top[GRID_MAX] = {0}, all[GRID_MAX] = {0}, have = 0, best_have = 0, bests = 0;
    REQUIRE(g.size <= GRID_MAX);
    for (size_t i = 0; i < r->count; i++) {
        double v = importance_value(r, i, d);
        bests += best[i];
        if (isnan(v))
            continue;
        size_t place = place_of(dim, &g, v);
        all[place]++;
        top[place] += best[i];
        have++;
        best_have += best[i];
    }
    if (g.size < 2 || have < 2 || best_have == 0)
        return 0;
    double n = (double)r->count, alpha = best_have / bests, beta = have / n, gamma = bests / n;
    return gamma * gamma * alpha * alpha / beta * divergence(&g, top, all);
}

void pedanova(const struct importance_runs *r, double *out)
{
    const struct importance_run cutoff = cutoff_of(r);
    bool *best = xcalloc(r->count, sizeof(*best));
    for (size_t i = 0; i < r->count; i++)
        best[i] = by_cost(&r->runs[i], &cutoff) <= 0;
    for (size_t d = 0; d < r->space->count; d++)
        out[d] = of_dimension(r, d, best);
    free(best);
}
