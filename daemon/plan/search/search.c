#include "daemon/plan/search/search.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/plan/search/methods.h"
#include "sweep/buf.h"
#include "sweep/require.h"

void proposals_add(struct proposals *p, const struct settings *settings, const char *stage,
                   const char *reason_fmt, ...)
{
    if (p->count == p->cap) {
        p->cap = p->cap ? p->cap * 2 : 16;
        p->items = xrealloc(p->items, p->cap * sizeof(*p->items));
    }
    struct proposal *item = &p->items[p->count++];
    char reason[512];
    va_list ap;
    va_start(ap, reason_fmt);
    vsnprintf(reason, sizeof(reason), reason_fmt, ap);
    va_end(ap);
    *item = (struct proposal){.settings = *settings};
    str_copy(item->stage, sizeof(item->stage), stage);
    str_copy(item->reason, sizeof(item->reason), reason);
}

void proposals_finish(struct proposals *p)
{
    free(p->items);
    *p = (struct proposals){0};
}

bool trial_usable(const struct trial *t)
{
    return (t->status == RUN_COMPLETED || t->status == RUN_STOPPED) && t->has_metric &&
           isfinite(t->metric_value);
}

bool trial_better(const struct spec *s, const struct trial *a, const struct trial *b)
{
    if (trial_usable(a) != trial_usable(b))
        return trial_usable(a);
    return trial_usable(a) && metric_better(a->metric_value, b->metric_value, s->maximize);
}

const struct search_method *search_method(enum method m)
{
    static const struct search_method *const methods[METHOD_COUNT] = {
        [METHOD_COARSE_TO_FINE] = &search_coarse_to_fine,
        [METHOD_GRID] = &search_grid,
        [METHOD_RANDOM] = &search_random,
    };
    REQUIRE((unsigned)m < METHOD_COUNT && methods[m] != NULL);
    return methods[m];
}
