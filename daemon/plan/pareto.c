#include "daemon/plan/pareto.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/rng.h"

#define AUGMENTED 0.05 /* of the sum of all, beside the worst: nothing is got for nothing */

static double cost_of(const struct objectives *o, size_t i, double value)
{
    if (!isfinite(value))
        return INFINITY;
    return o->items[i].maximize ? -value : value;
}

/* first: of the metric; further: of the others, NULL: none is known. */
static void costs_of(const struct objectives *o, double first, const double *further, double *out)
{
    out[0] = cost_of(o, 0, first);
    for (size_t i = 1; i < o->count; i++)
        out[i] = isinf(out[0]) ? INFINITY : cost_of(o, i, further != NULL ? further[i - 1] : NAN);
}

void pareto_costs(const struct objectives *o, const struct trial *t, double *out)
{
    costs_of(o, t->has_metric ? t->metric_value : NAN, t->further, out);
}

void pareto_costs_at(const struct objectives *o, const struct rung *r, double *out)
{
    costs_of(o, r->value, r->further, out);
}

bool pareto_dominates(const double *a, const double *b, size_t width)
{
    bool better = false;
    for (size_t i = 0; i < width; i++) {
        if (a[i] > b[i])
            return false;
        better |= a[i] < b[i];
    }
    return better;
}

/* --- sorting --------------------------------------------------------------------------------- */

struct sorting {
    const double *costs;
    size_t width, column;
};

static const double *row(const struct sorting *s, uint32_t i)
{
    return s->costs + (size_t)i * s->width;
}

/* All columns, the first one first: who comes later does not dominate who came before. */
static int compare_rows(const void *a, const void *b, void *arg)
{
    const struct sorting *s = arg;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    for (size_t i = 0; i < s->width; i++)
        if (row(s, x)[i] != row(s, y)[i])
            return row(s, x)[i] < row(s, y)[i] ? -1 : 1;
    return (x > y) - (x < y);
}

static int compare_column(const void *a, const void *b, void *arg)
{
    const struct sorting *s = arg;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    double u = row(s, x)[s->column], v = row(s, y)[s->column];
    return u != v ? (u > v) - (u < v) : (x > y) - (x < y);
}

/* The rows of each front as a chain, the last one that came first: it is the likeliest to
 * dominate the next. */
struct fronts {
    size_t count;
    uint32_t *last;   /* [count] */
    uint32_t *before; /* [rows]; UINT32_MAX: none */
};

static bool is_dominated(const struct sorting *s, const struct fronts *f, size_t front,
                         uint32_t own)
{
    for (uint32_t i = f->last[front]; i != UINT32_MAX; i = f->before[i])
        if (pareto_dominates(row(s, i), row(s, own), s->width))
            return true;
    return false;
}

/* The first front none of which dominates it: where one does, all before it have one that does. */
static void put(const struct sorting *s, struct fronts *f, uint32_t own, uint32_t *front)
{
    size_t lo = 0, hi = f->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (is_dominated(s, f, mid, own))
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo == f->count)
        f->last[f->count++] = UINT32_MAX;
    f->before[own] = f->last[lo];
    f->last[lo] = own;
    *front = (uint32_t)lo;
}

static void sort_fronts(struct pareto *p, struct sorting *s)
{
    struct fronts f = {.last = xcalloc(p->count + 1, sizeof(*f.last)),
                       .before = xcalloc(p->count + 1, sizeof(*f.before))};
    for (size_t i = 0; i < p->count; i++)
        p->order[i] = (uint32_t)i;
    qsort_r(p->order, p->count, sizeof(*p->order), compare_rows, s);
    for (size_t i = 0; i < p->count; i++)
        put(s, &f, p->order[i], &p->front[p->order[i]]);
    free(f.last);
    free(f.before);
}

void pareto_first(const double *costs, size_t count, size_t width, bool *first)
{
    struct sorting s = {.costs = costs, .width = width};
    uint32_t last = UINT32_MAX, *order = xcalloc(count + 1, sizeof(*order));
    struct fronts f = {.count = 1, .last = &last,
                       .before = xcalloc(count + 1, sizeof(*f.before))};
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    qsort_r(order, count, sizeof(*order), compare_rows, &s);
    for (size_t i = 0; i < count; i++) {
        first[order[i]] = !is_dominated(&s, &f, 0, order[i]);
        if (!first[order[i]])
            continue;
        f.before[order[i]] = last;
        last = order[i];
    }
    free(f.before);
    free(order);
}

/* --- crowding -------------------------------------------------------------------------------- */

struct ordering {
    const uint32_t *front;
    const double *room;
};

static int compare_places(const void *a, const void *b, void *arg)
{
    const struct ordering *o = arg;
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    if (o->front[x] != o->front[y])
        return o->front[x] < o->front[y] ? -1 : 1;
    if (o->room[x] != o->room[y])
        return o->room[x] > o->room[y] ? -1 : 1;
    return (x > y) - (x < y);
}

/* A part of an infinite gap is none. */
static double share_of(double gap, double range)
{
    return isfinite(gap) && range > 0 && isfinite(range) ? gap / range : 0;
}

/* Of one front, along one objective: its ends have all the room there is. */
static void add_room(const struct sorting *s, uint32_t *rows, size_t count, double *room)
{
    qsort_r(rows, count, sizeof(*rows), compare_column, (void *)(uintptr_t)s);
    double least = row(s, rows[0])[s->column], most = row(s, rows[count - 1])[s->column];
    if (least == most)
        return;
    room[rows[0]] = INFINITY;
    room[rows[count - 1]] = INFINITY;
    for (size_t i = 1; i + 1 < count; i++)
        room[rows[i]] += share_of(row(s, rows[i + 1])[s->column] - row(s, rows[i - 1])[s->column],
                                  most - least);
}

static void sort_within(struct pareto *p, struct sorting *s)
{
    double *room = xcalloc(p->count + 1, sizeof(*room));
    struct ordering o = {p->front, room};
    qsort_r(p->order, p->count, sizeof(*p->order), compare_places, &o);
    for (size_t from = 0, to; from < p->count; from = to) {
        to = from + 1;
        while (to < p->count && p->front[p->order[to]] == p->front[p->order[from]])
            to++;
        for (s->column = 0; s->column < s->width; s->column++)
            add_room(s, p->order + from, to - from, room);
    }
    qsort_r(p->order, p->count, sizeof(*p->order), compare_places, &o);
    free(room);
}

void pareto_init(struct pareto *p, const double *costs, size_t count, size_t width)
{
    struct sorting s = {.costs = costs, .width = width};
    *p = (struct pareto){.count = count, .width = width};
    p->front = xcalloc(count + 1, sizeof(*p->front));
    p->order = xcalloc(count + 1, sizeof(*p->order));
    sort_fronts(p, &s);
    sort_within(p, &s);
}

void pareto_finish(struct pareto *p)
{
    free(p->front);
    free(p->order);
    *p = (struct pareto){0};
}

/* --- one cost of many ------------------------------------------------------------------------ */

void pareto_weights(struct rng *r, size_t width, double *out)
{
    double sum = 0;
    for (size_t i = 0; i < width; i++)
        sum += out[i] = -log(1 - rng_uniform(r));
    for (size_t i = 0; i < width; i++)
        out[i] = sum > 0 ? out[i] / sum : 1 / (double)width;
}

/* Ranks from 0 to 1; equal ones share theirs. */
static void ranks_of(struct sorting *s, uint32_t *rows, size_t count, double *out)
{
    for (size_t i = 0; i < count; i++)
        rows[i] = (uint32_t)i;
    qsort_r(rows, count, sizeof(*rows), compare_column, s);
    for (size_t from = 0, to; from < count; from = to) {
        to = from + 1;
        while (to < count && row(s, rows[to])[s->column] == row(s, rows[from])[s->column])
            to++;
        for (size_t i = from; i < to; i++)
            out[rows[i]] = (double)(from + to) / (2 * (double)count);
    }
}

void pareto_scalarise(const double *costs, size_t count, size_t width, const double *weights,
                      double *out)
{
    struct sorting s = {.costs = costs, .width = width};
    uint32_t *rows = xcalloc(count + 1, sizeof(*rows));
    double *rank = xcalloc(count + 1, sizeof(*rank)), *sum = xcalloc(count + 1, sizeof(*sum));
    memset(out, 0, count * sizeof(*out));
    for (s.column = 0; s.column < width; s.column++) {
        ranks_of(&s, rows, count, rank);
        for (size_t i = 0; i < count; i++) {
            double own = weights[s.column] * rank[i];
            out[i] = fmax(out[i], own);
            sum[i] += own;
        }
    }
    for (size_t i = 0; i < count; i++)
        out[i] += AUGMENTED * sum[i];
    free(rows);
    free(rank);
    free(sum);
}
