/* What runs of earlier sweeps came to in several objectives: those that their own sweep had, by
 * name, its metric, and what is known of every run. */
#include "daemon/engine/warm_front.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/pareto.h"
#include "sweep/buf.h"

/* Where their sweep has an objective of that name; -1: it has none. */
static int place_there(const struct spec *theirs, const char *name)
{
    for (size_t i = 0; i < theirs->objectives.count; i++)
        if (strcmp(theirs->objectives.items[i].name, name) == 0)
            return (int)i;
    return -1;
}

static bool is_column(const char *name)
{
    return strcmp(name, metric_name(METRIC_VAL_LOSS)) == 0 ||
           strcmp(name, metric_name(METRIC_VAL_ACC)) == 0;
}

/* Of the run's own row. */
static double own_value(const struct objective *o, const struct run_row *row)
{
    switch (o->source) {
    case OBJECTIVE_SECONDS:
        return row->seconds > 0 ? row->seconds : NAN;
    case OBJECTIVE_JOULES:
        return row->joules > 0 ? row->joules : NAN;
    case OBJECTIVE_EPOCHS:
        return row->status == RUN_COMPLETED ? (double)row->epochs : NAN;
    case OBJECTIVE_FLOP:
        return row->flop > 0 ? (double)row->flop : NAN;
    default:
        break;
    }
    if (strcmp(o->name, metric_name(METRIC_VAL_LOSS)) == 0 && row->has_val_loss)
        return row->val_loss;
    if (strcmp(o->name, metric_name(METRIC_VAL_ACC)) == 0 && row->has_val_acc)
        return row->val_acc;
    return NAN;
}

const char *warm_lacks(const struct spec *ours, const struct spec *theirs)
{
    for (size_t i = 1; i < ours->objectives.count; i++) {
        const struct objective *o = &ours->objectives.items[i];
        bool own = o->source != OBJECTIVE_REPORTED && o->source != OBJECTIVE_PARAMETERS;
        if (!own && !is_column(o->name) && place_there(theirs, o->name) < 0)
            return o->name;
    }
    return NULL;
}

bool warm_further(const struct spec *ours, const struct spec *theirs, const struct run_row *row,
                  struct earlier_run *out)
{
    const struct objectives *all = &ours->objectives;
    double there[OBJECTIVES_MAX];
    objectives_read(&theirs->objectives, row->objectives, there);
    out->further_count = all->count > 0 ? all->count - 1 : 0;
    for (size_t i = 1; i < all->count; i++) {
        int place = place_there(theirs, all->items[i].name);
        out->further[i - 1] = place >= 0 ? there[place] : own_value(&all->items[i], row);
        if (isnan(out->further[i - 1]))
            return false;
    }
    return true;
}

void warm_by_front(const struct spec *ours, const struct earlier_run *runs, size_t *order,
                   size_t count)
{
    size_t width = ours->objectives.count;
    double *costs = xcalloc(count * width + 1, sizeof(*costs));
    size_t *sorted = xcalloc(count + 1, sizeof(*sorted));
    struct pareto p;
    for (size_t i = 0; i < count; i++) {
        const struct earlier_run *r = &runs[order[i]];
        const struct trial t = {.has_metric = r->has_metric,
                                .metric_value = r->metric_value,
                                .further = r->further_count > 0 ? (double *)(uintptr_t)r->further
                                                                : NULL};
        pareto_costs(&ours->objectives, &t, costs + i * width);
    }
    pareto_init(&p, costs, count, width);
    for (size_t i = 0; i < count; i++)
        sorted[i] = order[p.order[i]];
    memcpy(order, sorted, count * sizeof(*order));
    pareto_finish(&p);
    free(costs);
    free(sorted);
}
