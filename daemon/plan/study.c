#include "daemon/plan/study.h"

#include <math.h>

#include "sweep/spec.h"

bool trial_usable(const struct trial *t)
{
    return (t->status == RUN_COMPLETED || t->status == RUN_STOPPED) && t->has_metric &&
           isfinite(t->metric_value);
}

bool trial_better(const struct trial *a, const struct trial *b, bool maximize)
{
    if (trial_usable(a) != trial_usable(b))
        return trial_usable(a);
    return trial_usable(a) && metric_better(a->metric_value, b->metric_value, maximize);
}

void study_init(struct study *st, const struct spec *s)
{
    size_t kept = (size_t)spec_treat_cap(s), cap = (size_t)s->run_cap;
    *st = (struct study){.space = &s->space,
                         .seed = s->seed,
                         .maximize = s->maximize,
                         .run_cap = cap,
                         .kept = kept,
                         .budget = cap - kept,
                         .stop = &s->stop};
}
