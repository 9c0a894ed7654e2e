#include "daemon/plan/range_view.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/plan/stop/by_stage.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define BEST_SHARE 0.1 /* of the runs that count as the best … */
#define BEST_LEAST 3   /* … but at least so many */

static int by_metric(const void *a, const void *b, void *arg)
{
    const struct range_run *x = *(const struct range_run *const *)a;
    const struct range_run *y = *(const struct range_run *const *)b;
    const struct spec *s = arg;
    if (trial_better(x->trial, y->trial, s->maximize))
        return -1;
    if (trial_better(y->trial, x->trial, s->maximize))
        return 1;
    return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

static int by_id(const void *a, const void *b)
{
    const struct range_run *x = a, *y = b;
    return (x->run_id > y->run_id) - (x->run_id < y->run_id);
}

void range_view_init(struct range_view *view, const struct spec *s,
                     const struct trial *const *trials, const int64_t *run_ids, size_t count,
                     struct range_edits *out)
{
    *view = (struct range_view){.spec = s,
                                .out = out,
                                .runs = xcalloc(count + 1, sizeof(*view->runs)),
                                .best = xcalloc(count + 1, sizeof(*view->best))};
    for (size_t i = 0; i < count; i++)
        if (trials[i]->kind == RUN_KIND_SEARCH && trials[i]->labelled &&
            !stop_cut_short(&s->stop, trials[i]))
            view->runs[view->count++] = (struct range_run){s, trials[i], run_ids[i]};
    qsort(view->runs, view->count, sizeof(*view->runs), by_id);
    for (size_t i = 0; i < view->count; i++)
        if (trial_usable(view->runs[i].trial))
            view->best[view->best_count++] = &view->runs[i];
    qsort_r(view->best, view->best_count, sizeof(struct range_run *), by_metric,
            (void *)(uintptr_t)s);
    size_t most = (size_t)ceil(BEST_SHARE * (double)view->count);
    if (most < BEST_LEAST)
        most = BEST_LEAST;
    if (view->best_count > most)
        view->best_count = most;
}

void range_view_finish(struct range_view *view)
{
    free(view->runs);
    free(view->best);
}

double range_value(const struct range_view *view, const struct range_run *r, enum setting_id id)
{
    int i = space_find_key(&view->spec->space, (int)id);
    struct settings own;
    if (i >= 0 && !space_has(&r->trial->at, (size_t)i))
        return NAN;
    trial_settings(r->spec, r->trial, &own);
    return own.v[id];
}

const struct range_edit *range_edit_of(const struct range_view *view, enum edit_kind k,
                                       enum setting_id id)
{
    for (size_t i = 0; i < view->out->count; i++)
        if (view->out->items[i].kind == k && view->out->items[i].setting == id)
            return &view->out->items[i];
    return NULL;
}

bool range_closed(const struct range_view *view, enum setting_id id, int sign)
{
    if (sign > 0)
        return range_edit_of(view, EDIT_CUT_ABOVE, id) != NULL ||
               range_edit_of(view, EDIT_FEWER_LAYERS, id) != NULL ||
               range_edit_of(view, EDIT_EXTEND_BELOW, id) != NULL;
    return range_edit_of(view, EDIT_CUT_BELOW, id) != NULL ||
           range_edit_of(view, EDIT_LARGER_BATCHES, id) != NULL ||
           range_edit_of(view, EDIT_EXTEND_ABOVE, id) != NULL;
}

void range_edit_support(struct range_edit *e, const struct range_run *r)
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

void range_propose(struct range_view *view, struct range_edit *e)
{
    const struct setting *s = setting_get(e->setting);
    e->to = legal(s, e->to);
    e->low = legal(s, e->low);
    bool new = e->opens ? e->low < e->to : e->to != e->from;
    if (e->opens && !spec_may_sweep(view->spec, e->setting))
        return;
    if (e->run_count >= EDIT_RUNS_LEAST && new && view->out->count < EDITS_MAX)
        view->out->items[view->out->count++] = *e;
}
