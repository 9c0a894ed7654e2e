#include "daemon/plan/stop/level.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/pareto.h"
#include "daemon/plan/stop/stop.h"
#include "sweep/buf.h"
#include "sweep/require.h"

/* The first entry that does not come before one with that cost and order. */
static size_t position(const struct level *l, double cost, uint64_t order)
{
    size_t lo = 0, hi = l->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct level_entry *e = &l->entries[mid];
        if (e->cost < cost || (e->cost == cost && e->order < order))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void forget(struct level *l, uint64_t order)
{
    size_t i = position(l, l->costs[order % STOP_RUNS_SEEN], order);
    REQUIRE(i < l->count && l->entries[i].order == order);
    memmove(&l->entries[i], &l->entries[i + 1], (--l->count - i) * sizeof(*l->entries));
}

static double *row_of(const struct level *l, uint64_t order)
{
    return l->costs + order % STOP_RUNS_SEEN * l->width;
}

/* --- several objectives ---------------------------------------------------------------------- */

static size_t find(const struct level *l, size_t index)
{
    size_t i = 0;
    while (i < l->count && l->entries[i].index != index)
        i++;
    return i;
}

static void rank_all(struct level *l)
{
    double *rows = xcalloc(l->count * l->width + 1, sizeof(*rows));
    struct level_entry *sorted = xcalloc(l->count + 1, sizeof(*sorted));
    struct pareto p;
    for (size_t i = 0; i < l->count; i++)
        memcpy(rows + i * l->width, row_of(l, l->entries[i].order), l->width * sizeof(*rows));
    pareto_init(&p, rows, l->count, l->width);
    for (size_t i = 0; i < l->count; i++) {
        sorted[i] = l->entries[p.order[i]];
        sorted[i].cost = isinf(rows[p.order[i] * l->width]) ? INFINITY : (double)i + 1;
    }
    memcpy(l->entries, sorted, l->count * sizeof(*sorted));
    pareto_finish(&p);
    free(sorted);
    free(rows);
}

/* By arrival, so that what is ranked alike stays in that order, however it was ranked before. */
static int by_order(const void *a, const void *b)
{
    const struct level_entry *x = a, *y = b;
    return (x->order > y->order) - (x->order < y->order);
}

static void add_jointly(struct level *l, const double *costs, size_t index)
{
    if (l->count > 0)
        qsort(l->entries, l->count, sizeof(*l->entries), by_order);
    if (l->arrived >= STOP_RUNS_SEEN)
        memmove(l->entries, l->entries + 1, --l->count * sizeof(*l->entries));
    l->entries = array_room(l->entries, &l->cap, l->count, sizeof(*l->entries));
    memcpy(row_of(l, l->arrived), costs, l->width * sizeof(*costs));
    l->entries[l->count++] = (struct level_entry){0, l->arrived++, index};
    rank_all(l);
}

/* --- all ------------------------------------------------------------------------------------- */

static void add_alone(struct level *l, double cost, size_t index)
{
    if (l->arrived >= STOP_RUNS_SEEN)
        forget(l, l->arrived - STOP_RUNS_SEEN);
    l->entries = array_room(l->entries, &l->cap, l->count, sizeof(*l->entries));
    size_t i = position(l, cost, l->arrived);
    memmove(&l->entries[i + 1], &l->entries[i], (l->count++ - i) * sizeof(*l->entries));
    l->costs[l->arrived % STOP_RUNS_SEEN] = cost;
    l->entries[i] = (struct level_entry){cost, l->arrived++, index};
}

void level_add(struct level *l, const double *costs, size_t index)
{
    if (l->costs == NULL)
        l->costs = xcalloc(STOP_RUNS_SEEN * l->width, sizeof(*l->costs));
    if (l->width > 1)
        add_jointly(l, costs, index);
    else
        add_alone(l, costs[0], index);
}

size_t level_rank(const struct level *l, double cost, size_t index)
{
    size_t better = l->width > 1 ? find(l, index) : position(l, cost, 0);
    return better + 1;
}

void level_finish(struct level *l)
{
    free(l->entries);
    free(l->costs);
}
