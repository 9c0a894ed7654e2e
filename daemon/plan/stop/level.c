#include "daemon/plan/stop/level.h"

#include <stdlib.h>
#include <string.h>

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

void level_add(struct level *l, double cost, size_t index)
{
    if (l->costs == NULL)
        l->costs = xcalloc(STOP_RUNS_SEEN, sizeof(*l->costs));
    if (l->arrived >= STOP_RUNS_SEEN)
        forget(l, l->arrived - STOP_RUNS_SEEN);
    l->entries = array_room(l->entries, &l->cap, l->count, sizeof(*l->entries));
    size_t i = position(l, cost, l->arrived);
    memmove(&l->entries[i + 1], &l->entries[i], (l->count++ - i) * sizeof(*l->entries));
    l->costs[l->arrived % STOP_RUNS_SEEN] = cost;
    l->entries[i] = (struct level_entry){cost, l->arrived++, index};
}

size_t level_better(const struct level *l, double cost)
{
    return position(l, cost, 0);
}

void level_finish(struct level *l)
{
    free(l->entries);
    free(l->costs);
}
