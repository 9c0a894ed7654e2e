#include "daemon/plan/stop/by_stage.h"

#include <string.h>

static bool is_stage(const char *stage, const char *name)
{
    return strcmp(stage, name) == 0;
}

int64_t stop_first_rung(const struct stop_settings *s, const char *stage, size_t number,
                        int64_t epochs)
{
    int64_t first = stop_next_rung(s, number, 0, epochs);
    if (!s->by_stage || !is_stage(stage, "fine") || first == 0)
        return first;
    return stop_next_rung(s, number, first, epochs);
}

size_t stop_group(const struct study *st, const struct trial *t)
{
    if (!st->stop->by_stage || !(is_stage(t->stage, "optimizers") || is_stage(t->stage, "sgd")))
        return 0;
    int i = space_find_role(st->space, ROLE_OPTIMIZER);
    return i < 0 ? 0 : 1 + (size_t)t->at.v[i];
}

bool stop_cut_short(const struct stop_settings *s, const struct trial *t)
{
    return s->by_stage && t->status == RUN_STOPPED && t->rung_count > 0;
}
