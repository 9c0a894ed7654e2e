#include "daemon/plan/configurations.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/pareto.h"
#include "sweep/buf.h"

#define ROUNDED 1e-11 /* of a mean: what differs by more is not the same when rounded */

/* Means that differ by how their sum was rounded are the same. */
static double rounded(double mean)
{
    char text[40];
    snprintf(text, sizeof(text), "%.12e", mean);
    return strtod(text, NULL);
}

static int compare_rounded(double x, double y)
{
    if (!(fabs(x - y) > ROUNDED * fmax(fabs(x), fabs(y)))) {
        x = rounded(x);
        y = rounded(y);
    }
    return (x > y) - (x < y);
}

static int rank_class(const struct configuration *c)
{
    return c->failed > 0 ? 2 : c->seeds < 2;
}

int configuration_compare_means(const struct configuration *a, const struct configuration *b,
                                bool maximize)
{
    int order = compare_rounded(a->mean, b->mean);
    if (order != 0)
        return maximize ? -order : order;
    return (a->root > b->root) - (a->root < b->root);
}

int configuration_compare(const struct configuration *a, const struct configuration *b,
                          bool maximize)
{
    if (rank_class(a) != rank_class(b))
        return rank_class(a) - rank_class(b);
    return configuration_compare_means(a, b, maximize);
}

static int compare_items(const void *a, const void *b, void *arg)
{
    const struct study *st = arg;
    return configuration_compare(a, b, st->maximize);
}

static bool is_seed(const struct trial *t)
{
    return t->status == RUN_COMPLETED && t->has_metric && isfinite(t->metric_value);
}

/* Mean and sum of squared deviations grow run by run (Welford 1962): sd holds that sum. */
static void add_run(struct configuration *c, const struct study *st, size_t number)
{
    const struct trial *t = st->all[number];
    c->repeats += t->kind == RUN_KIND_REPEAT;
    if (t->status == RUN_CANCELLED || t->status == RUN_STOPPED || !run_status_terminal(t->status))
        return;
    if (!is_seed(t)) {
        c->failed++;
        return;
    }
    double delta = t->metric_value - c->mean;
    c->seeds++;
    c->mean += delta / (double)c->seeds;
    c->sd += delta * (t->metric_value - c->mean);
    if (c->seeds == 1 || trial_better(t, st->all[c->best], st->maximize))
        c->best = number;
}

/* By number of the run that had each first; of another run there is none. */
static struct configuration *by_root(const struct study *st)
{
    struct configuration *items = xcalloc(st->all_count + 1, sizeof(*items));
    for (size_t i = 0; i < st->all_count; i++) {
        const struct trial *t = st->all[i];
        bool repeats = t->kind == RUN_KIND_REPEAT;
        if (repeats && t->parent >= i) /* its root is of no sweep that is known */
            continue;
        add_run(&items[repeats ? t->parent : i], st, i);
    }
    return items;
}

void configurations_gather(struct configurations *c, const struct study *st)
{
    struct configuration *items = by_root(st);
    size_t n = 0;
    for (size_t i = 0; i < st->all_count; i++) {
        if (items[i].seeds == 0)
            continue;
        items[n] = items[i];
        items[n].root = i;
        items[n].sd = items[n].seeds > 1 ? sqrt(items[n].sd / (double)(items[n].seeds - 1)) : NAN;
        n++;
    }
    *c = (struct configurations){.count = n, .items = items};
}

void configurations_init(struct configurations *c, const struct study *st)
{
    configurations_gather(c, st);
    qsort_r(c->items, c->count, sizeof(*c->items), compare_items, (void *)(uintptr_t)st);
}

void configurations_finish(struct configurations *c)
{
    free(c->items);
    *c = (struct configurations){0};
}

/* --- several objectives ---------------------------------------------------------------------- */

/* Means over their seeds: [items][objectives]. */
static double *mean_costs(const struct configurations *c, const struct study *st)
{
    size_t width = st->objectives->count;
    size_t *place = xcalloc(st->all_count + 1, sizeof(*place)); /* of a root's item, from 1 */
    double *sums = xcalloc(c->count * width + 1, sizeof(*sums)), own[OBJECTIVES_MAX];
    for (size_t i = 0; i < c->count; i++)
        place[c->items[i].root] = i + 1;
    for (size_t i = 0; i < st->all_count; i++) {
        const struct trial *t = st->all[i];
        size_t root = t->kind == RUN_KIND_REPEAT ? t->parent : i;
        if (root > i || place[root] == 0 || !is_seed(t))
            continue;
        pareto_costs(st->objectives, t, own);
        for (size_t k = 0; k < width; k++)
            sums[(place[root] - 1) * width + k] +=
                own[k] / (double)c->items[place[root] - 1].seeds;
    }
    free(place);
    return sums;
}

/* Those of class `k`, held against all that are of no worse one. */
static void mark_class(const struct configurations *c, const double *costs, size_t width, int k,
                       bool *marked)
{
    double *rows = xcalloc(c->count * width + 1, sizeof(*rows));
    bool *first = xcalloc(c->count + 1, sizeof(*first));
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        if (rank_class(&c->items[i]) <= k)
            memcpy(rows + n++ * width, costs + i * width, width * sizeof(*rows));
    pareto_first(rows, n, width, first);
    n = 0;
    for (size_t i = 0; i < c->count; i++) {
        if (rank_class(&c->items[i]) > k)
            continue;
        marked[i] = rank_class(&c->items[i]) == k ? first[n] : marked[i];
        n++;
    }
    free(rows);
    free(first);
}

/* Of those that are marked the `most` stay that have most room around them. */
static void thin(const struct configurations *c, const double *costs, size_t width, size_t most,
                 bool *marked)
{
    double *rows = xcalloc(c->count * width + 1, sizeof(*rows));
    size_t *of = xcalloc(c->count + 1, sizeof(*of)), n = 0;
    struct pareto p;
    for (size_t i = 0; i < c->count; i++) {
        if (!marked[i])
            continue;
        memcpy(rows + n * width, costs + i * width, width * sizeof(*rows));
        of[n++] = i;
    }
    pareto_init(&p, rows, n, width);
    for (size_t i = most; i < n; i++)
        marked[of[p.order[i]]] = false;
    pareto_finish(&p);
    free(rows);
    free(of);
}

bool *configurations_front(const struct configurations *c, const struct study *st, size_t most)
{
    size_t width = st->objectives->count;
    bool *marked = xcalloc(c->count + 1, sizeof(*marked));
    double *costs = mean_costs(c, st);
    for (int k = 0; k < 3; k++)
        mark_class(c, costs, width, k, marked);
    thin(c, costs, width, most, marked);
    free(costs);
    return marked;
}

void configurations_by_front(struct configurations *c, const struct study *st)
{
    struct configuration *sorted = xcalloc(c->count + 1, sizeof(*sorted));
    struct pareto p;
    double *costs = mean_costs(c, st);
    pareto_init(&p, costs, c->count, st->objectives->count);
    for (size_t i = 0; i < c->count; i++)
        sorted[i] = c->items[p.order[i]];
    free(c->items);
    c->items = sorted;
    pareto_finish(&p);
    free(costs);
}
