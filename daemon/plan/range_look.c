#include "daemon/plan/range_look.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/require.h"

#define BEST_SHARE 0.1 /* of the runs that count as the best … */
#define BEST_LEAST 3   /* … but at least so many */

static int by_metric(const void *a, const void *b, void *arg)
{
    const struct judged *x = *(const struct judged *const *)a;
    const struct judged *y = *(const struct judged *const *)b;
    const struct spec *s = arg;
    if (trial_better(x->trial, y->trial, s->maximize))
        return -1;
    if (trial_better(y->trial, x->trial, s->maximize))
        return 1;
    return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static int by_id(const void *a, const void *b)
{
    const struct judged *x = a, *y = b;
    return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

void range_look_init(struct looking *l, const struct spec *s, const struct trial *const *trials,
                     const int64_t *run_ids, size_t count, struct range_edits *out)
{
    *l = (struct looking){.spec = s,
                          .out = out,
                          .runs = xcalloc(count + 1, sizeof(*l->runs)),
                          .best = xcalloc(count + 1, sizeof(*l->best))};
    for (size_t i = 0; i < count; i++)
        if (trials[i]->kind == RUN_KIND_SEARCH && trials[i]->judged)
            l->runs[l->count++] = (struct judged){trials[i], run_ids[i]};
    qsort(l->runs, l->count, sizeof(*l->runs), by_id);
    for (size_t i = 0; i < l->count; i++)
        if (trial_usable(l->runs[i].trial))
            l->best[l->best_count++] = &l->runs[i];
    qsort_r(l->best, l->best_count, sizeof(struct judged *), by_metric, (void *)(uintptr_t)s);
    size_t most = (size_t)ceil(BEST_SHARE * (double)l->count);
    if (most < BEST_LEAST)
        most = BEST_LEAST;
    if (l->best_count > most)
        l->best_count = most;
}

void range_look_finish(struct looking *l)
{
    free(l->runs);
    free(l->best);
}

const struct range_edit *range_edit_of(const struct looking *l, enum edit_kind k,
                                       enum setting_id id)
{
    for (size_t i = 0; i < l->out->count; i++)
        if (l->out->items[i].kind == k && l->out->items[i].setting == id)
            return &l->out->items[i];
    return NULL;
}

bool range_closed(const struct looking *l, enum setting_id id, int sign)
{
    if (sign > 0)
        return range_edit_of(l, EDIT_CUT_ABOVE, id) != NULL ||
               range_edit_of(l, EDIT_FEWER_LAYERS, id) != NULL ||
               range_edit_of(l, EDIT_EXTEND_BELOW, id) != NULL;
    return range_edit_of(l, EDIT_CUT_BELOW, id) != NULL ||
           range_edit_of(l, EDIT_LARGER_BATCHES, id) != NULL ||
           range_edit_of(l, EDIT_EXTEND_ABOVE, id) != NULL;
}

void range_witness(struct range_edit *e, const struct judged *r)
{
    if (e->run_count < EDIT_RUNS_MAX)
        e->runs[e->run_count] = r->run_id;
    e->run_count++;
}

void range_say(struct range_edit *e, const char *format, ...)
{
    char text[512];
    va_list ap;
    va_start(ap, format);
    vsnprintf(text, sizeof(text), format, ap);
    va_end(ap);
    str_copy(e->sentence, sizeof(e->sentence), text);
}

static double legal(const struct setting *s, double value)
{
    value = fmin(fmax(value, s->min), s->max);
    return s->type == SETTING_INTEGER ? round(value) : value;
}

void range_propose(struct looking *l, struct range_edit *e)
{
    const struct setting *s = setting_get(e->setting);
    e->to = legal(s, e->to);
    e->low = legal(s, e->low);
    bool new = e->opens ? e->low < e->to : e->to != e->from;
    if (e->opens && !spec_may_sweep(l->spec, e->setting))
        return;
    if (e->run_count >= EDIT_RUNS_LEAST && new && l->out->count < EDITS_MAX)
        l->out->items[l->out->count++] = *e;
}
