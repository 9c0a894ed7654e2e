/* Checkpoints that runs of a population (method pbt) go on from. A run of the search has a parent
 * then: nothing else makes one. */
#include <string.h>

#include "daemon/engine/private.h"

bool population_is(const struct sweep *s)
{
    return method_traits(sweep_spec(s)->method) & METHOD_INHERITS;
}

int64_t population_parent(const struct run *r)
{
    bool member = r->row->kind == RUN_KIND_SEARCH && population_is(r->sweep);
    return member ? r->row->parent_id : 0;
}

/* To an exchange, or to the last epoch where there is none. */
static int64_t last_epoch(const struct run_row *row)
{
    return row->until_epoch > 0 ? row->until_epoch : row->epochs;
}

int64_t population_from_epoch(const struct sweep *s, const struct run_row *row)
{
    if (row->kind != RUN_KIND_SEARCH || row->parent_id == 0 || !population_is(s))
        return 0;
    int64_t perturb = sweep_spec(s)->perturb;
    return (last_epoch(row) - 1) / perturb * perturb;
}

int64_t population_epochs(const struct sweep *s, const struct run_row *row)
{
    bool member = row->kind == RUN_KIND_SEARCH && population_is(s);
    return member ? last_epoch(row) - population_from_epoch(s, row) : row->epochs;
}

bool population_ends_at(const struct run *r, int64_t epoch)
{
    return population_is(r->sweep) && r->row->kind == RUN_KIND_SEARCH && epoch > 0 &&
           epoch == r->row->until_epoch;
}

bool population_keeps(const struct run *r)
{
    return r->row->status == RUN_COMPLETED && population_ends_at(r, r->row->until_epoch);
}

static void drop(const struct sweep *s, const struct trial *t, struct effects *fx)
{
    if (t->status == RUN_COMPLETED)
        effects_add(fx, ACTION_DROP_CHECKPOINT, s->row->id, s->run_ids[t->number]);
}

void population_drop_before(const struct sweep *s, const struct proposals *next, struct effects *fx)
{
    size_t i = s->searched_count;
    if (!population_is(s) || next->count == 0 || i == 0)
        return;
    const char *last = s->searched[i - 1]->stage;
    if (strcmp(last, next->items[0].stage) == 0) /* more of the same */
        return;
    while (i > 0 && strcmp(s->searched[i - 1]->stage, last) == 0)
        i--;
    const char *before = i > 0 ? s->searched[i - 1]->stage : "";
    while (i > 0 && strcmp(s->searched[i - 1]->stage, before) == 0)
        drop(s, s->searched[--i], fx);
}

/* Of the last two stages: those before are gone. */
void population_drop_all(const struct sweep *s, struct effects *fx)
{
    for (size_t i = s->searched_count; population_is(s) && i-- > 0;)
        drop(s, s->searched[i], fx);
}
