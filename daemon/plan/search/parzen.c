#include "daemon/plan/search/parzen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"

#define NEGLIGIBLE 30 /* a kernel whose density is so many powers of e below the largest */

/* --- kernels --------------------------------------------------------------------------------- */

/* Of the normal distribution between two points, in units of its deviation. */
static double normal_between(double a, double b)
{
    return 0.5 * (erf(b * M_SQRT1_2) - erf(a * M_SQRT1_2));
}

static double uniform_log(const struct axis *x, uint32_t own)
{
    if (x->kind == AXIS_CHOICES)
        return -log(x->count);
    return log(x->edges[own + 1] - x->edges[own]);
}

static double cell_log(const struct axis *x, uint32_t own, uint32_t centre, double width)
{
    double mid = (x->edges[centre] + x->edges[centre + 1]) / 2;
    double all = normal_between(-mid / width, (1 - mid) / width);
    double in = normal_between((x->edges[own] - mid) / width, (x->edges[own + 1] - mid) / width);
    return log(fmax(in / all, 1e-300));
}

static double choice_log(const struct axis *x, uint32_t own, uint32_t centre, double spread)
{
    return log((own == centre ? 1 - spread : 0) + spread / x->count);
}

/* Rows by the configuration's own cell, so that one row serves all kernels. */
static double *table_create(const struct axis *x, double width)
{
    size_t n = x->count;
    double *t = xcalloc(n * (n + 1), sizeof(*t));
    for (uint32_t own = 0; own < n; own++) {
        for (uint32_t centre = 0; centre < n; centre++)
            t[own * (n + 1) + centre] = x->kind == AXIS_CHOICES
                                            ? choice_log(x, own, centre, width)
                                            : cell_log(x, own, centre, width);
        t[own * (n + 1) + n] = uniform_log(x, own);
    }
    return t;
}

static void scale_range(struct parzen *p, size_t dimension)
{
    double s = p->width[dimension];
    const double *centres = p->centres + dimension * p->count;
    double *scale = p->log_scale + dimension * p->count;
    for (size_t k = 0; k < p->count; k++) {
        double u = centres[k];
        p->lacking[dimension] = p->lacking[dimension] || isnan(u);
        scale[k] = isnan(u) ? 0 : -log(s * sqrt(2 * M_PI) * normal_between(-u / s, (1 - u) / s));
    }
}

static void set_table(struct parzen *p, size_t dimension)
{
    const struct axis *x = &p->axes->items[dimension];
    const double *centres = p->centres + dimension * p->count;
    uint16_t *cells = p->cells + dimension * p->count;
    p->tables[dimension] = table_create(x, p->width[dimension]);
    for (size_t k = 0; k < p->count; k++)
        cells[k] = (uint16_t)(isnan(centres[k]) ? x->count : centres[k]);
}

/* --- the mixture ----------------------------------------------------------------------------- */

static void set_weights(struct parzen *p, const double *weights)
{
    double sum = 0;
    for (size_t k = 0; k <= p->count; k++)
        sum += weights[k];
    for (size_t k = 0; k <= p->count; k++)
        p->weights[k] = weights[k] / sum;
}

void parzen_init(struct parzen *p, const struct axes *axes, const double *const *places,
                 size_t count, const double *weights, const double *width)
{
    size_t d = axes->count;
    *p = (struct parzen){.axes = axes,
                         .count = count,
                         .weights = xcalloc(count + 1, sizeof(*p->weights)),
                         .centres = xcalloc(d * count + 1, sizeof(*p->centres)),
                         .width = xcalloc(d + 1, sizeof(*p->width)),
                         .log_scale = xcalloc(d * count + 1, sizeof(*p->log_scale)),
                         .tables = xcalloc(d + 1, sizeof(*p->tables)),
                         .cells = xcalloc(d * count + 1, sizeof(*p->cells)),
                         .lacking = xcalloc(d + 1, sizeof(*p->lacking)),
                         .sums = xcalloc(count + 1, sizeof(*p->sums))};
    set_weights(p, weights);
    memcpy(p->width, width, d * sizeof(*width));
    for (size_t i = 0; i < d; i++) {
        for (size_t k = 0; k < count; k++)
            p->centres[i * count + k] = places[k][i];
        if (axes->items[i].kind == AXIS_RANGE)
            scale_range(p, i);
        else
            set_table(p, i);
    }
}

void parzen_finish(struct parzen *p)
{
    for (size_t i = 0; p->tables != NULL && i < p->axes->count; i++)
        free(p->tables[i]);
    free(p->weights);
    free(p->centres);
    free(p->width);
    free(p->log_scale);
    free(p->tables);
    free(p->cells);
    free(p->lacking);
    free(p->sums);
    *p = (struct parzen){0};
}

/* --- sampling -------------------------------------------------------------------------------- */

static double sample_near(const struct axis *x, double centre, double width, struct rng *r)
{
    double mid = x->kind == AXIS_RANGE
                     ? centre
                     : (x->edges[(size_t)centre] + x->edges[(size_t)centre + 1]) / 2;
    double u = -1;
    for (int i = 0; i < 100 && !(u >= 0 && u <= 1); i++)
        u = mid + width * rng_normal(r);
    u = fmin(fmax(u, 0), 1);
    return x->kind == AXIS_RANGE ? u : axis_cell(x, u);
}

static double sample_anywhere(const struct axis *x, struct rng *r)
{
    if (x->kind == AXIS_CHOICES)
        return (double)rng_below(r, x->count);
    double u = rng_uniform(r);
    return x->kind == AXIS_RANGE ? u : axis_cell(x, u);
}

void parzen_sample(const struct parzen *p, struct rng *r, double *places)
{
    double left = rng_uniform(r);
    size_t k = 0;
    while (k < p->count && left >= p->weights[k])
        left -= p->weights[k++];
    for (size_t i = 0; i < p->axes->count; i++) {
        const struct axis *x = &p->axes->items[i];
        double centre = k < p->count ? p->centres[i * p->count + k] : NAN;
        if (x->kind == AXIS_CHOICES && rng_uniform(r) < p->width[i])
            centre = NAN;
        if (isnan(centre))
            places[i] = sample_anywhere(x, r);
        else
            places[i] = x->kind == AXIS_CHOICES ? centre : sample_near(x, centre, p->width[i], r);
    }
}

/* --- density --------------------------------------------------------------------------------- */

static void add_range(struct parzen *p, size_t dimension, double place)
{
    const double *centres = p->centres + dimension * p->count;
    const double *scale = p->log_scale + dimension * p->count;
    double factor = 0.5 / (p->width[dimension] * p->width[dimension]);
    double *sums = p->sums;
    for (size_t k = 0; k < p->count && !p->lacking[dimension]; k++)
        sums[k] += scale[k] - factor * (place - centres[k]) * (place - centres[k]);
    for (size_t k = 0; k < p->count && p->lacking[dimension]; k++) {
        double off = place - centres[k];
        sums[k] += isnan(off) ? 0 : scale[k] - factor * off * off;
    }
}

static void add_table(struct parzen *p, size_t dimension, double place)
{
    size_t n = p->axes->items[dimension].count;
    const double *row = p->tables[dimension] + (size_t)place * (n + 1);
    const uint16_t *cells = p->cells + dimension * p->count;
    double *sums = p->sums;
    for (size_t k = 0; k < p->count; k++)
        sums[k] += row[cells[k]];
    p->sums[p->count] += row[n];
}

double parzen_log_density(struct parzen *p, const double *places)
{
    memset(p->sums, 0, (p->count + 1) * sizeof(*p->sums));
    for (size_t i = 0; i < p->axes->count; i++) {
        if (isnan(places[i]))
            continue;
        if (p->axes->items[i].kind == AXIS_RANGE)
            add_range(p, i, places[i]);
        else
            add_table(p, i, places[i]);
    }
    double most = p->sums[p->count], sum = 0;
    for (size_t k = 0; k < p->count; k++)
        most = p->sums[k] > most ? p->sums[k] : most;
    for (size_t k = 0; k <= p->count; k++)
        if (p->sums[k] > most - NEGLIGIBLE)
            sum += p->weights[k] * exp(p->sums[k] - most);
    return most + log(sum);
}
