#include "daemon/plan/search/axis.h"

#include <math.h>
#include <stdlib.h>

#include "sweep/buf.h"

static int by_value(const void *a, const void *b, void *arg)
{
    const struct dimension *d = arg;
    double x = d->values[*(const uint16_t *)a], y = d->values[*(const uint16_t *)b];
    return (x > y) - (x < y);
}

/* Where the cell of the i-th value ends: half way to the next, on the dimension's own scale. */
static double edge_behind(const struct dimension *d, uint64_t i)
{
    double low = dimension_position(d, dimension_nth(d, i));
    return (low + dimension_position(d, dimension_nth(d, i + 1))) / 2;
}

static void axis_init(struct axis *x, const struct dimension *d)
{
    uint64_t n = dimension_cardinality(d);
    bool listed = d->distribution == DISTRIBUTION_CATEGORICAL;
    *x = (struct axis){.dimension = d};
    if (listed && !dimension_ordered(d)) {
        x->kind = AXIS_CHOICES;
        x->count = (uint32_t)n;
        return;
    }
    for (uint16_t i = 0; listed && i < n; i++)
        x->order[i] = i;
    if (listed)
        qsort_r(x->order, n, sizeof(*x->order), by_value, (void *)(uintptr_t)d);
    if (n == 0 || n > AXIS_CELLS_MAX)
        return;
    x->kind = AXIS_CELLS;
    x->count = (uint32_t)n;
    for (uint32_t i = 0; i <= n; i++)
        x->edges[i] = (double)i / (double)n;
    for (uint32_t i = 0; !listed && i + 1 < n; i++)
        x->edges[i + 1] = edge_behind(d, i);
}

void axes_init(struct axes *a, const struct space *space)
{
    a->count = space->count;
    a->items = xcalloc(space->count + 1, sizeof(*a->items));
    for (size_t i = 0; i < space->count; i++)
        axis_init(&a->items[i], &space->dimensions[i]);
}

void axes_finish(struct axes *a)
{
    free(a->items);
    *a = (struct axes){0};
}

/* Of a listed number: its place among them by size. */
static uint32_t listed_rank(const struct axis *x, double value)
{
    const struct dimension *d = x->dimension;
    uint32_t rank = 0;
    for (size_t i = 0; i < d->value_count; i++)
        rank += d->values[i] < value;
    return rank < d->value_count ? rank : (uint32_t)d->value_count - 1;
}

uint32_t axis_cell(const struct axis *x, double u)
{
    uint32_t c = 0;
    while (c + 1 < x->count && u >= x->edges[c + 1])
        c++;
    return c;
}

static double choice_of(const struct dimension *d, double value)
{
    for (size_t i = 0; i < d->value_count; i++)
        if (d->values[i] == value)
            return (double)i;
    return 0;
}

double axis_place(const struct axis *x, double value)
{
    const struct dimension *d = x->dimension;
    if (isnan(value))
        return NAN;
    if (x->kind == AXIS_CHOICES)
        return choice_of(d, value);
    bool listed = d->distribution == DISTRIBUTION_CATEGORICAL;
    if (listed && x->kind == AXIS_CELLS)
        return listed_rank(x, value);
    if (listed)
        return (listed_rank(x, value) + 0.5) / (double)d->value_count;
    double u = dimension_position(d, value);
    return x->kind == AXIS_CELLS ? axis_cell(x, u) : u;
}

double axis_value(const struct axis *x, double place)
{
    const struct dimension *d = x->dimension;
    if (x->kind == AXIS_CHOICES)
        return d->values[(size_t)place];
    if (d->distribution != DISTRIBUTION_CATEGORICAL)
        return x->kind == AXIS_CELLS ? dimension_nth(d, (uint64_t)place)
                                     : dimension_value(d, place);
    double n = (double)d->value_count;
    size_t rank = (size_t)(x->kind == AXIS_CELLS ? place : fmin(place * n, n - 1));
    return d->values[x->order[rank]];
}

void axes_places(const struct axes *a, const struct assignment *at, double *places)
{
    for (size_t i = 0; i < a->count; i++)
        places[i] = axis_place(&a->items[i], at->v[i]);
}
