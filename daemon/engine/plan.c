/* Barriers of a sweep: what is tried next, and its end. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"

/* --- rows ------------------------------------------------------------------------------------ */

/* What every planned run has. */
static struct run_row *planned_row(struct engine *e, const struct sweep *s, enum run_kind kind,
                                   const char *stage, const char *reason, utc_us now)
{
    struct run_row *row = xcalloc(1, sizeof(*row));
    row->id = ++e->last_run_id;
    row->sweep_id = s->row->id;
    row->number = (int64_t)s->run_count;
    row->kind = kind;
    row->status = RUN_QUEUED;
    row->treats_pattern = PATTERN_NONE;
    row->change = NAN;
    str_copy(row->stage, sizeof(row->stage), stage);
    str_copy(row->reason, sizeof(row->reason), reason);
    row->seed = rng_run_seed(s->spec.seed, 0);
    row->epochs = s->spec.epochs;
    row->created = now;
    return row;
}

static char *search_params(const struct spec *spec, const struct settings *settings)
{
    struct buf params = {0};
    struct json_writer w;
    jw_init(&w, &params);
    spec_params_write(spec, settings, &w);
    return buf_take(&params);
}

/* By hand, of a run of another sweep. */
static void make_treatment(struct run_row *row, const struct spec_treats *t)
{
    row->kind = RUN_KIND_TREATMENT;
    row->parent_id = t->run;
    row->remedy = t->remedy;
    row->treats_pattern = t->pattern;
    row->treats_cause = t->cause;
    str_copy(row->stage, sizeof(row->stage), "treatment");
    treat_reason(t->remedy, t->run, t->pattern, t->cause, row->reason);
}

static struct run_row *search_row(struct engine *e, const struct sweep *s,
                                  const struct proposal *p, utc_us now)
{
    struct run_row *row = planned_row(e, s, RUN_KIND_SEARCH, p->stage, p->reason, now);
    row->params_json = search_params(&s->spec, &p->settings);
    row->settings = p->settings;
    settings_apply_preset(&row->settings);
    if (s->spec.treats.run)
        make_treatment(row, &s->spec.treats);
    return row;
}

/* The swept parameters, and what else the remedy changed. */
static char *treatment_params(const struct spec *spec, const struct settings *parent,
                              const struct settings *own)
{
    struct buf params = {0};
    struct json_writer w;
    jw_init(&w, &params);
    jw_begin_object(&w);
    for (size_t i = 0; i < spec->dimension_count; i++) {
        const struct dimension *d = &spec->dimensions[i];
        jw_key(&w, d->name);
        setting_to_json(d->setting, own->v[d->setting], &w);
    }
    for (int i = 0; i < SETTING_COUNT; i++) {
        enum setting_id id = (enum setting_id)i;
        if (own->v[i] == parent->v[i] || spec_dimension(spec, id) != NULL)
            continue;
        jw_key(&w, setting_label(id));
        setting_to_json(id, own->v[i], &w);
    }
    jw_end_object(&w);
    return buf_take(&params);
}

static struct run_row *treatment_row(struct engine *e, const struct sweep *s,
                                     const struct treat_proposal *p, utc_us now)
{
    const struct trial *parent = &s->trials[p->parent];
    const struct treatment *t = &p->treatment;
    struct run_row *row =
        planned_row(e, s, RUN_KIND_TREATMENT, parent->stage, p->reason, now);
    row->parent_id = s->run_ids[p->parent];
    row->remedy = p->remedy;
    row->treats_pattern = p->pattern;
    row->treats_cause = p->cause;
    row->params_json = treatment_params(&s->spec, &parent->settings, &t->settings);
    row->settings = t->settings;
    row->epochs = t->epochs;
    row->start_from = t->start_from;
    if (!layer_list_same(&t->layers, &s->spec.layers)) {
        row->layers = xmalloc(sizeof(*row->layers));
        *row->layers = t->layers;
    }
    return row;
}

/* --- the search ------------------------------------------------------------------------------ */

/* Runs that the treatments may have at most, and what the search may have while it goes on. */
static size_t treat_cap(const struct sweep *s)
{
    return (size_t)spec_treat_cap(&s->spec);
}

static void search_next(const struct sweep *s, size_t budget, struct proposals *out)
{
    if (s->treatments == 0 || s->spec.treats.run) {
        s->method->next(&s->spec, budget, s->trials, s->run_count, out);
        return;
    }
    struct trial *own = xcalloc(s->run_count, sizeof(*own));
    size_t n = 0;
    for (size_t i = 0; i < s->run_count; i++)
        if (s->trials[i].kind == RUN_KIND_SEARCH)
            own[n++] = s->trials[i];
    s->method->next(&s->spec, budget, own, n, out);
    free(own);
}

static void announce(const struct sweep *s, const char *what, size_t runs, utc_us now,
                     struct effects *fx)
{
    store_batch_add_event(&fx->batch, s->row->id, 0, "stage_planned", now, "%s: %zu runs", what,
                          runs);
    notify_stage_planned(fx, s, what, runs);
}

static void add_search_runs(struct engine *e, struct sweep *s, const struct proposals *p,
                            utc_us now, struct effects *fx)
{
    for (size_t i = 0; i < p->count; i++)
        run_put(sweep_add_run(s, search_row(e, s, &p->items[i], now)), fx);
    announce(s, p->items[0].stage, p->count, now, fx);
}

/* --- treatments ------------------------------------------------------------------------------ */

/* Of the runs for treatments as many may be used by now as of the search's own. */
static size_t treat_budget(const struct sweep *s)
{
    size_t all = treat_cap(s), search = (size_t)s->spec.run_cap - all;
    size_t done = s->run_count - s->treatments;
    size_t now = done < search ? (all * done + search - 1) / search : all;
    size_t left = (size_t)s->spec.run_cap - s->run_count, may = 0;
    if (now > s->treatments)
        may = now - s->treatments;
    return may < left ? may : left;
}

static bool plan_treatments(struct engine *e, struct sweep *s, utc_us now, struct effects *fx)
{
    struct treat_proposals p = {0};
    struct treat_input in = {.spec = &s->spec,
                             .trials = s->trials,
                             .count = s->run_count,
                             .data = &s->row->data,
                             .prior = &s->prior,
                             .budget = treat_budget(s)};
    if (s->best_count > 0) {
        in.donor = s->best[0].run_id;
        in.donor_number = (size_t)s->best[0].number;
    }
    treat_next(&in, &p);
    for (size_t i = 0; i < p.count; i++)
        run_put(sweep_add_run(s, treatment_row(e, s, &p.items[i], now)), fx);
    bool any = p.count > 0;
    if (any)
        announce(s, "treatments", p.count, now, fx);
    treat_proposals_finish(&p);
    return any;
}

/* Stage of the last run of the search; "": there is none. */
static const char *last_stage(const struct sweep *s)
{
    for (size_t i = s->run_count; i-- > 0;)
        if (s->trials[i].kind == RUN_KIND_SEARCH)
            return s->trials[i].stage;
    return "";
}

/* --- barriers -------------------------------------------------------------------------------- */

/* At a stage's end the sick are treated first, in rounds until none is left or the share is used
 * up; what is left over of it at the end is the search's again. */
bool sweep_plan(struct engine *e, struct sweep *s, utc_us now, struct effects *fx)
{
    struct proposals p = {0};
    size_t cap = (size_t)s->spec.run_cap;
    search_next(s, cap - treat_cap(s), &p);
    bool stage_ended = p.count == 0 || strcmp(p.items[0].stage, last_stage(s)) != 0;
    bool treated = s->spec.treat && s->run_count > 0 && stage_ended &&
                   plan_treatments(e, s, now, fx);
    if (!treated && p.count == 0 && s->treatments < treat_cap(s))
        search_next(s, cap - s->treatments, &p);
    if (!treated && p.count > 0)
        add_search_runs(e, s, &p, now, fx);
    bool any = treated || p.count > 0;
    proposals_finish(&p);
    return any;
}

/* "no run completed: 3 failed (2 crashed, 1 data_error), 1 cancelled" */
static char *none_completed(const struct sweep *s)
{
    struct buf b = {0};
    const char *comma = " ";
    buf_puts(&b, "no run completed:");
    for (int st = 0; st < RUN_STATUS_COUNT; st++) {
        if (s->ended[st] == 0)
            continue;
        buf_printf(&b, "%s%zu %s", comma, s->ended[st], run_status_name(st));
        comma = ", ";
        if (st != RUN_FAILED)
            continue;
        const char *sep = " (";
        for (int k = 0; k < RUN_ERROR_COUNT; k++) {
            if (s->errors[k] == 0 || k == RUN_ERROR_NONE || k == RUN_ERROR_KILLED_BY_USER)
                continue;
            buf_printf(&b, "%s%zu %s", sep, s->errors[k], run_error_name(k));
            sep = ", ";
        }
        buf_puts(&b, ")");
    }
    return buf_take(&b);
}

/* Rather than burning the night. */
static bool hold_for_data(struct sweep *s, utc_us now, struct effects *fx)
{
    char *reason = s->row->data_accepted ? NULL : judge_data_fault(s);
    if (reason == NULL)
        return false;
    struct record_finding f = {.kind = "data_at_fault", .count = (int64_t)s->run_count};
    str_copy(f.text, sizeof(f.text), reason);
    store_batch_add_finding(&fx->batch, s->row->id, &f);
    sweep_set_status(s, SWEEP_HELD, reason, now, fx);
    free(reason);
    return true;
}

void sweep_step(struct engine *e, struct sweep *s, utc_us now, struct effects *fx)
{
    if (s->live_count > 0 || s->row->status == SWEEP_HELD)
        return;
    judge_barrier(s, fx); /* of a cancelled sweep too: causes as its last run left them */
    if (!sweep_status_terminal(s->row->status)) {
        if (hold_for_data(s, now, fx) || sweep_plan(e, s, now, fx))
            return;
        if (s->ended[RUN_COMPLETED] > 0) {
            sweep_set_status(s, SWEEP_COMPLETED, NULL, now, fx);
        } else {
            char *reason = none_completed(s);
            sweep_set_status(s, SWEEP_HELD, reason, now, fx);
            free(reason);
            return;
        }
    }
    engine_drop_sweep(e, s);
}
