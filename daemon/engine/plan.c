/* What daemon/plan says comes next, as rows; and a sweep's end. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "daemon/plan/plan.h"
#include "daemon/plan/stop/by_stage.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define PLANNED_MAX 1000 /* most runs that are planned and not ended: bounds memory */

/* --- rows ------------------------------------------------------------------------------------ */

/* What every planned run has. */
static struct run_row *planned_row(struct engine *e, const struct sweep *s, enum run_kind kind,
                                   const char *stage, const char *reason, utc_us now)
{
    struct run_row *row = xcalloc(1, sizeof(*row));
    row->id = s->run_count < e->given_count ? e->given_ids[s->run_count] : ++e->last_run_id;
    row->sweep_id = s->row->id;
    row->number = (int64_t)s->run_count;
    row->kind = kind;
    row->status = RUN_QUEUED;
    row->treats_pattern = PATTERN_NONE;
    row->change = NAN;
    str_copy(row->stage, sizeof(row->stage), stage);
    run_row_set_text(&row->reason, reason);
    row->seed = rng_run_seed(sweep_spec(s)->seed, 0);
    row->epochs = sweep_spec(s)->epochs;
    row->created = now;
    return row;
}

/* The whole configuration that the values of what is swept make. */
static void set_values(const struct spec *spec, const struct assignment *at, struct run_row *row)
{
    struct buf params = {0};
    struct json_writer w;
    jw_init(&w, &params);
    space_params_write(&spec->space, at, &w);
    row->params_json = buf_take(&params);
    if (!task_of(spec)->has_settings)
        return;
    row->config = xcalloc(1, sizeof(*row->config));
    trainer_settings(spec, at, &row->config->settings);
}

/* It is one of the configuration's own values: swept, and there. */
static bool is_swept(const struct spec *spec, const struct assignment *at, enum setting_id id)
{
    int i = space_find_key(&spec->space, (int)id);
    return i >= 0 && space_has(at, (size_t)i);
}

/* The swept parameters, and what else the remedy changed. */
static char *treatment_params(const struct spec *spec, const struct settings *parent,
                              const struct settings *own)
{
    struct buf params = {0};
    struct json_writer w;
    struct assignment at;
    trainer_assignment(spec, own, &at);
    jw_init(&w, &params);
    jw_begin_object(&w);
    for (size_t i = 0; i < spec->space.count; i++) {
        const struct dimension *d = &spec->space.dimensions[i];
        if (!space_has(&at, i))
            continue;
        jw_key(&w, d->name);
        dimension_to_json(d, at.v[i], &w);
    }
    for (int i = 0; i < SETTING_COUNT; i++) {
        enum setting_id id = (enum setting_id)i;
        if (own->v[i] == parent->v[i] || is_swept(spec, &at, id))
            continue;
        jw_key(&w, setting_label(id));
        setting_to_json(id, own->v[i], &w);
    }
    jw_end_object(&w);
    return buf_take(&params);
}

/* "train.dropout 0.3, train.clip global_norm": what the run has otherwise than the spec. */
static char *carried_text(const struct spec *spec, const struct trial *t)
{
    struct settings said;
    struct buf b = {0};
    trainer_settings(spec, &t->at, &said);
    for (int i = 0; i < SETTING_COUNT; i++) {
        enum setting_id id = (enum setting_id)i;
        if (t->config->settings.v[i] == said.v[i] || is_swept(spec, &t->at, id))
            continue;
        char value[32];
        setting_format(id, t->config->settings.v[i], value);
        buf_printf(&b, "%s%s %s", b.len ? ", " : "", setting_label(id), value);
    }
    if (t->config->layers != NULL)
        buf_printf(&b, "%sits layers", b.len ? ", " : "");
    return buf_take(&b);
}

/* All that is not swept is as that run has it. */
static void carry_on(const struct sweep *s, const struct assignment *at, const struct trial *from,
                     struct run_row *row)
{
    const struct spec *spec = sweep_spec(s);
    const struct settings plain = row->config->settings;
    char *what = carried_text(spec, from);
    for (int i = 0; i < SETTING_COUNT; i++)
        if (!is_swept(spec, at, (enum setting_id)i) &&
            !is_swept(spec, &from->at, (enum setting_id)i))
            row->config->settings.v[i] = from->config->settings.v[i];
    if (from->config->layers != NULL) {
        row->config->layers = xmalloc(sizeof(*row->config->layers));
        *row->config->layers = *from->config->layers;
    }
    if (*what != '\0') {
        char *reason = xasprintf("%s; with %s", row->reason ? row->reason : "", what);
        run_row_set_text(&row->reason, reason);
        free(reason);
    }
    free(row->params_json);
    row->params_json = treatment_params(spec, &plain, &row->config->settings);
    free(what);
}

static struct run_row *search_row(struct engine *e, const struct sweep *s, const struct proposal *p,
                                  utc_us now)
{
    struct run_row *row = planned_row(e, s, RUN_KIND_SEARCH, p->stage, p->reason, now);
    set_values(sweep_spec(s), &p->at, row);
    if (p->ground != TRIAL_NONE)
        carry_on(s, &p->at, s->trials[p->ground], row);
    row->until_epoch =
        stop_first_rung(&sweep_spec(s)->stop, p->stage, s->run_count, row->epochs);
    if (p->parent != TRIAL_NONE)
        row->parent_id = s->run_ids[p->parent];
    if (p->until > 0)
        row->until_epoch = p->until;
    return row;
}

/* What a treatment changed of its parent's configuration. */
static void set_treatment(const struct spec *spec, const struct settings *parent,
                          const struct treatment *t, struct run_row *row)
{
    row->params_json = treatment_params(spec, parent, &t->settings);
    row->epochs = t->epochs;
    row->config = xcalloc(1, sizeof(*row->config));
    row->config->settings = t->settings;
    row->config->start_from = t->start_from;
    if (!layer_list_same(&t->layers, &spec->trainer.layers)) {
        row->config->layers = xmalloc(sizeof(*row->config->layers));
        *row->config->layers = t->layers;
    }
}

static struct run_row *treatment_row(struct engine *e, const struct sweep *s,
                                     const struct treat_proposal *p, utc_us now)
{
    const struct trial *parent = s->trials[p->parent];
    struct run_row *row = planned_row(e, s, RUN_KIND_TREATMENT, parent->stage, p->reason, now);
    row->parent_id = s->run_ids[p->parent];
    row->remedy = p->remedy;
    row->treats_pattern = p->pattern;
    row->treats_cause = p->cause;
    struct settings before;
    trial_settings(sweep_spec(s), parent, &before);
    set_treatment(sweep_spec(s), &before, &p->treatment, row);
    return row;
}

static void repeat_reason(const struct repeat *p, size_t configurations, char out[160])
{
    int n = snprintf(out, 160, "repeat %" PRIu64 " of #%zu, with a seed of its own: ",
                     p->repetition, p->of);
    if (p->place == 0)
        snprintf(out + n, 160 - (size_t)n, "all %zu configurations were tried", configurations);
    else
        snprintf(out + n, 160 - (size_t)n, "place %zu of %zu by the mean, %.6g over %zu seed%s",
                 p->place, configurations, p->mean, p->seeds, p->seeds == 1 ? "" : "s");
}

/* The same configuration, from another seed. It goes to its end: what is known of a part says
 * little of the spread. */
static struct run_row *repeat_row(struct engine *e, const struct sweep *s, const struct repeat *p,
                                  const char *stage, size_t configurations, utc_us now)
{
    const struct trial *root = s->trials[p->of];
    char reason[160];
    repeat_reason(p, configurations, reason);
    struct run_row *row = planned_row(e, s, RUN_KIND_REPEAT, stage, reason, now);
    row->parent_id = s->run_ids[p->of];
    row->seed = rng_run_seed(sweep_spec(s)->seed, p->repetition);
    row->epochs = root->epochs;
    set_values(sweep_spec(s), &root->at, row);
    if (root->ground != 0)
        carry_on(s, &root->at, root, row);
    return row;
}

/* --- what comes next ------------------------------------------------------------------------- */

static void announce(const struct sweep *s, const char *what, size_t runs, utc_us now,
                     struct effects *fx)
{
    store_batch_add_event(&fx->batch, s->row->id, 0, "stage_planned", now, "%s: %zu runs", what,
                          runs);
    notify_stage_planned(fx, s, what, runs);
}

static void add_run(struct sweep *s, struct run_row *row, enum decision_kind kind,
                    struct effects *fx)
{
    struct decision_row d = {.sweep_id = s->row->id, .run_id = row->id, .kind = kind};
    run_put(sweep_add_run(s, row), fx);
    store_batch_add_decision(&fx->batch, &d, "%s", row->reason ? row->reason : "");
}

/* What stays from now on is said once: with the first runs that have it. */
static void note_carried(struct sweep *s, const struct proposals *p, utc_us now, struct effects *fx)
{
    size_t from = p->count > 0 ? p->items[0].ground : TRIAL_NONE;
    if (from == TRIAL_NONE)
        return;
    const struct trial *t = s->trials[from];
    for (size_t i = 0; i < s->searched_count; i++)
        if (s->searched[i]->ground == t->ground)
            return;
    struct decision_row d = {.sweep_id = s->row->id, .run_id = s->run_ids[from],
                             .kind = DECISION_CARRIED};
    const struct trial *parent = s->trials[t->parent];
    char *what = carried_text(sweep_spec(s), t);
    char *text = xasprintf("%s stays for the following runs: run %" PRId64 " came to %s %.6g with "
                           "it, run %" PRId64 " to %.6g without", what, s->run_ids[from],
                           spec_metric_name(sweep_spec(s)), t->metric_value, s->run_ids[t->parent],
                           parent->metric_value);
    store_batch_add_decision(&fx->batch, &d, "%s", text);
    store_batch_add_event(&fx->batch, s->row->id, s->run_ids[from], "carried_on", now, "%s", text);
    free(text);
    free(what);
}

static void take_repeats(struct engine *e, struct sweep *s, const struct repeats *r,
                         const char *stage, const char *what, utc_us now, struct effects *fx)
{
    for (size_t i = 0; i < r->count; i++)
        add_run(s, repeat_row(e, s, &r->items[i], stage, r->configurations, now),
                DECISION_REPEATED, fx);
    if (r->count > 0)
        announce(s, what, r->count, now, fx);
}

static void take_plan(struct engine *e, struct sweep *s, const struct plan *p, utc_us now,
                      struct effects *fx)
{
    note_carried(s, &p->search, now, fx);
    population_drop_before(s, &p->search, fx);
    for (size_t i = 0; i < p->search.count; i++)
        add_run(s, search_row(e, s, &p->search.items[i], now), DECISION_PROPOSED, fx);
    if (p->search.count > 0)
        announce(s, p->search.items[0].stage, p->search.count, now, fx);
    for (size_t i = 0; i < p->treatments.count; i++)
        add_run(s, treatment_row(e, s, &p->treatments.items[i], now), DECISION_TREATED, fx);
    if (p->treatments.count > 0)
        announce(s, "treatments", p->treatments.count, now, fx);
    take_repeats(e, s, &p->repeats, STAGE_REPEAT, "repeats", now, fx);
    take_repeats(e, s, &p->contenders, STAGE_CONTENDERS, STAGE_CONTENDERS, now, fx);
    take_repeats(e, s, &p->finalists, STAGE_FINALISTS, STAGE_FINALISTS, now, fx);
}

static struct plan_input plan_input_of(const struct sweep *s)
{
    struct plan_input in = {.method = s->method,
                            .treats = sweep_spec(s)->treat,
                            .repeats = sweep_spec(s)->repeat,
                            .study = sweep_study(s),
                            .treatments = s->treatments,
                            .finalists = s->finalists,
                            .want = PLANNED_MAX - s->live_count,
                            .treat = {.spec = sweep_spec(s),
                                      .trials = sweep_trials(s),
                                      .count = s->run_count,
                                      .data = &s->row->data,
                                      .prior = &s->prior}};
    if (s->best_count > 0) {
        in.treat.donor = s->best[0].run_id;
        in.treat.donor_number = (size_t)s->best[0].number;
    }
    return in;
}

enum answer sweep_plan(struct engine *e, struct sweep *s, utc_us now, struct effects *fx)
{
    struct plan p = {0};
    if (s->live_count > PLANNED_MAX / 2) /* in portions, not run by run */
        return ANSWER_WAIT;
    struct plan_input in = plan_input_of(s);
    enum answer answer = plan_next(&in, &p);
    take_plan(e, s, &p, now, fx);
    plan_finish(&p);
    return answer;
}

/* --- enqueued -------------------------------------------------------------------------------- */

void sweep_enqueue(struct engine *e, struct sweep *s, const struct enqueued *q, utc_us now,
                   struct effects *fx)
{
    struct run_row *row = planned_row(e, s, q->kind, STAGE_ENQUEUED, "enqueued", now);
    char parent[32], reason[TREAT_REASON_MAX];
    if (q->kind == RUN_KIND_TREATMENT) {
        str_copy(row->stage, sizeof(row->stage), "treatment");
        snprintf(parent, sizeof(parent), "run %" PRId64, q->parent_id);
        treat_reason(q->remedy, parent, q->pattern, q->cause, reason);
        run_row_set_text(&row->reason, reason);
        row->parent_id = q->parent_id;
        row->has_parent_metric = q->has_parent_metric;
        row->parent_metric = q->parent_metric;
        row->remedy = q->remedy;
        row->treats_pattern = q->pattern;
        row->treats_cause = q->cause;
        set_treatment(sweep_spec(s), &q->parent_settings, q->treatment, row);
    } else {
        if (q->stage != NULL)
            str_copy(row->stage, sizeof(row->stage), q->stage);
        if (q->reason != NULL)
            run_row_set_text(&row->reason, q->reason);
        set_values(sweep_spec(s), &q->at, row);
    }
    announce(s, row->stage, 1, now, fx);
    add_run(s, row, DECISION_ENQUEUED, fx);
}

void enqueued_write(const struct enqueued *q, int64_t run_id, struct json_writer *w)
{
    jw_kv_int(w, "run", run_id);
    if (q->kind != RUN_KIND_TREATMENT)
        return;
    jw_kv_int(w, "parent", q->parent_id);
    jw_kv_string(w, "remedy", remedy_name(q->remedy));
    jw_kv_string(w, "guide_ref", remedy_guide_ref(q->remedy));
    jw_kv_string(w, "does", remedy_does(q->remedy));
}

/* --- the end --------------------------------------------------------------------------------- */

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
    char *reason = s->row->data_accepted ? NULL : label_data_fault(s);
    if (reason == NULL)
        return false;
    struct record_finding f = {.kind = "data_at_fault", .count = (int64_t)s->run_count};
    str_copy(f.text, sizeof(f.text), reason);
    store_batch_add_finding(&fx->batch, s->row->id, &f);
    sweep_set_status(s, SWEEP_HELD, reason, now, fx);
    free(reason);
    return true;
}

/* The rest of its search was not worth it. False: it was, or there was none. */
static bool ended_early(const struct sweep *s, char **reason, char **detail)
{
    struct plan_input in = plan_input_of(s);
    struct gain g;
    char text[GAIN_REASON_MAX];
    struct buf numbers = {0};
    struct json_writer w;
    if (!plan_ended_early(&in, &g))
        return false;
    gain_reason(&g, text);
    *reason = xstrdup(text);
    jw_init(&w, &numbers);
    gain_write(&g, &w);
    *detail = buf_take(&numbers);
    return true;
}

/* Why it has fewer runs than run_cap allows; NULL: it has not. */
static char *why_so_few(const struct sweep *s, char **detail)
{
    char *reason;
    if (ended_early(s, &reason, detail))
        return reason;
    reason = deadline_left_out(s);
    if (reason != NULL)
        return reason;
    if (s->run_count >= (size_t)sweep_spec(s)->run_cap)
        return NULL;
    if (population_is(s))
        return xasprintf("%zu of %" PRId64 " runs: all members of the population are trained",
                         s->run_count, sweep_spec(s)->run_cap);
    return xasprintf("every configuration was tried, after %zu of %" PRId64 " runs%s", s->run_count,
                     sweep_spec(s)->run_cap,
                     sweep_spec(s)->repeat ? "" : " (\"repeat\": true repeats them)");
}

/* All runs are terminal and nothing is left to try. */
static void complete(struct sweep *s, utc_us now, struct effects *fx)
{
    char *held = s->imported                   ? NULL
                 : s->ended[RUN_COMPLETED] > 0 ? failure_of_most(s)
                                               : none_completed(s);
    char *detail = NULL, *few = held == NULL ? why_so_few(s, &detail) : NULL;
    if (few != NULL) {
        struct decision_row d = {
            .sweep_id = s->row->id, .kind = DECISION_ENDED, .detail_json = detail};
        store_batch_add_decision(&fx->batch, &d, "%s", few);
    }
    if (held == NULL)
        sweep_weigh_parameters(s);
    sweep_set_status(s, held ? SWEEP_HELD : SWEEP_COMPLETED, held ? held : few, now, fx);
    free(held);
    free(few);
}

void sweep_step(struct engine *e, struct sweep *s, utc_us now, struct effects *fx)
{
    bool open = !sweep_status_terminal(s->row->status);
    if (!s->due || s->row->status == SWEEP_HELD)
        return;
    s->due = false;
    rungs_decide(e, s, now, fx);
    if (s->live_count == 0)
        label_barrier(s, fx); /* of a cancelled sweep too: causes as its last run left them */
    if (open && s->live_count == 0 && hold_for_data(s, now, fx))
        return;
    if (open)
        deadline_review(e, s, now, fx);
    enum answer answer = open ? sweep_plan(e, s, now, fx) : ANSWER_DONE;
    if (open && answer == ANSWER_RUNS) /* what is new may begin at once */
        deadline_review(e, s, now, fx);
    if (open && answer != ANSWER_RUNS && rungs_flush(s)) {
        s->due = true; /* it may be the last of them, or make room for others */
        sweep_step(e, s, now, fx);
        return;
    }
    if (open && (answer != ANSWER_DONE || s->live_count > 0))
        return;
    struct study st = sweep_study(s);
    if (s->live_count == 0) {
        sweep_keep_winners(s, &st, fx);
        population_drop_all(s, fx);
    }
    if (open)
        complete(s, now, fx);
    if (s->live_count == 0 && sweep_status_terminal(s->row->status) && !e->keeps_ended)
        engine_drop_sweep(e, s);
}
