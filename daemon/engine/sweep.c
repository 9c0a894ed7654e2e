/* Sweeps in the engine: submit, barriers, the end, and the commands on them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define STATUS_BIT(id) (1u << SWEEP_##id)

struct sweep *sweep_create(struct sweep_row *row)
{
    struct sweep *s = xcalloc(1, sizeof(*s));
    s->row = row;
    return s;
}

void sweep_destroy(struct sweep *s)
{
    if (s == NULL)
        return;
    for (size_t i = 0; i < s->live_count; i++)
        run_destroy(s->live[i]);
    free(s->live);
    for (size_t i = 0; i < s->run_count; i++)
        free(s->trials[i].layers);
    free(s->trials);
    free(s->run_ids);
    free(s->told_causes);
    remedy_prior_finish(&s->prior);
    spec_finish(&s->spec);
    sweep_row_destroy(s->row);
    free(s);
}

/* --- runs of a sweep ------------------------------------------------------------------------- */

void trial_update(struct trial *t, const struct run_row *row)
{
    t->status = row->status;
    t->has_metric = row->has_metric;
    t->metric_value = row->metric_value;
    t->has_outcome = row->has_outcome;
    t->cured = row->cured;
}

size_t sweep_run_number(const struct sweep *s, int64_t run_id)
{
    size_t lo = 0, hi = s->run_count; /* ids grow with the numbers */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (s->run_ids[mid] < run_id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->run_count && s->run_ids[lo] == run_id ? lo : TRIAL_NONE;
}

static void trial_init(struct trial *t, const struct sweep *s, const struct run_row *row)
{
    *t = (struct trial){
        .settings = row->settings,
        .kind = row->kind,
        .cause = CAUSE_COUNT,
        .parent = row->parent_id ? sweep_run_number(s, row->parent_id) : TRIAL_NONE,
        .remedy = row->remedy,
        .treats_pattern = row->treats_pattern,
        .treats_cause = row->treats_cause,
        .epochs = row->epochs,
        .start_from = row->start_from,
    };
    if (row->layers != NULL) {
        t->layers = xmalloc(sizeof(*t->layers));
        *t->layers = *row->layers;
    }
    str_copy(t->stage, sizeof(t->stage), row->stage);
    trial_update(t, row);
}

static struct run *live_add(struct sweep *s, struct run_row *row, size_t index)
{
    struct run *r = xcalloc(1, sizeof(*r));
    r->sweep = s;
    r->row = row;
    r->index = index;
    r->told = PATTERN_NONE;
    if (s->live_count == s->live_cap) {
        s->live_cap = s->live_cap ? s->live_cap * 2 : 16;
        s->live = xrealloc(s->live, s->live_cap * sizeof(struct run *));
    }
    s->live[s->live_count++] = r;
    s->waiting += row->status == RUN_QUEUED;
    return r;
}

struct run *sweep_add_run(struct sweep *s, struct run_row *row)
{
    if (s->run_count == s->run_cap) {
        s->run_cap = s->run_cap ? s->run_cap * 2 : 16;
        s->trials = xrealloc(s->trials, s->run_cap * sizeof(*s->trials));
        s->run_ids = xrealloc(s->run_ids, s->run_cap * sizeof(*s->run_ids));
        s->told_causes = xrealloc(s->told_causes, s->run_cap * sizeof(*s->told_causes));
    }
    size_t index = s->run_count;
    trial_init(&s->trials[index], s, row);
    s->run_ids[index] = row->id;
    s->told_causes[index] = 0;
    s->treatments += row->kind == RUN_KIND_TREATMENT;
    s->run_count++;
    if (!run_status_terminal(row->status))
        return live_add(s, row, index);
    sweep_book_ended(s, row, NULL);
    run_row_destroy(row);
    return NULL;
}

void sweep_remove_live(struct sweep *s, struct run *r)
{
    size_t i = 0;
    while (i < s->live_count && s->live[i] != r)
        i++;
    REQUIRE(i < s->live_count);
    s->live_count--;
    memmove(&s->live[i], &s->live[i + 1], (s->live_count - i) * sizeof(struct run *));
    trial_update(&s->trials[r->index], r->row);
    run_destroy(r);
}

/* Ranked among the best by metric, then number, so that the order of ending does not matter. */
static bool ranks_before(const struct sweep *s, const struct kept *a, const struct kept *b)
{
    if (metric_better(a->metric, b->metric, s->row->maximize))
        return true;
    return !metric_better(b->metric, a->metric, s->row->maximize) && a->number < b->number;
}

bool sweep_needs_weights(const struct sweep *s, int64_t run_id)
{
    for (size_t i = 0; i < s->live_count; i++)
        if (s->live[i]->row->start_from == run_id &&
            !run_status_terminal(s->live[i]->row->status))
            return true;
    return false;
}

/* Unless a run that is still to begin starts with them: its end drops them then. */
static void drop_weights(const struct sweep *s, const struct kept *k, struct effects *fx)
{
    if (fx == NULL || sweep_needs_weights(s, k->run_id))
        return;
    if (k->has_test)
        store_batch_clear_test(&fx->batch, k->run_id);
    effects_add(fx, ACTION_DROP_WEIGHTS, s->row->id, k->run_id);
}

static bool is_kept(const struct sweep *s, int64_t run_id)
{
    for (size_t i = 0; i < s->best_count; i++)
        if (s->best[i].run_id == run_id)
            return true;
    return false;
}

/* The weights it started with, if they were kept for it alone. */
static void drop_start_weights(const struct sweep *s, const struct run_row *row,
                               struct effects *fx)
{
    struct kept k = {.run_id = row->start_from, .has_test = true};
    if (row->start_from != 0 && !is_kept(s, row->start_from))
        drop_weights(s, &k, fx);
}

static void rank_ended(struct sweep *s, const struct run_row *row, struct effects *fx)
{
    struct kept k = {.run_id = row->id,
                     .number = row->number,
                     .metric = row->metric_value,
                     .has_test = row->has_test_loss};
    bool ranked = (row->status == RUN_COMPLETED || row->status == RUN_STOPPED) &&
                  row->has_metric && isfinite(row->metric_value);
    size_t place = s->best_count;
    while (ranked && place > 0 && ranks_before(s, &k, &s->best[place - 1]))
        place--;
    if (!ranked || place == BEST_RUNS_KEPT) {
        if (row->started != 0)
            drop_weights(s, &k, fx);
        return;
    }
    if (s->best_count == BEST_RUNS_KEPT)
        drop_weights(s, &s->best[--s->best_count], fx);
    memmove(&s->best[place + 1], &s->best[place], (s->best_count - place) * sizeof(k));
    s->best[place] = k;
    s->best_count++;
}

void sweep_book_ended(struct sweep *s, const struct run_row *row, struct effects *fx)
{
    s->ended[row->status]++;
    s->errors[row->error]++;
    rank_ended(s, row, fx);
    drop_start_weights(s, row, fx);
}

/* --- status ---------------------------------------------------------------------------------- */

void sweep_set_status(struct sweep *s, enum sweep_status to, const char *reason, utc_us now,
                      struct effects *fx)
{
    REQUIRE(sweep_status_may(s->row->status, to));
    s->row->status = to;
    free(s->row->reason);
    s->row->reason = reason != NULL ? xstrdup(reason) : NULL;
    if (sweep_status_terminal(to))
        s->row->ended = now;
    store_batch_put_sweep(&fx->batch, sweep_row_copy(s->row));
    char kind[32];
    snprintf(kind, sizeof(kind), "sweep_%s", sweep_status_name(to));
    store_batch_add_event(&fx->batch, s->row->id, 0, kind, now, "%s", reason ? reason : "");
    notify_sweep(fx, s);
}

/* --- submit ---------------------------------------------------------------------------------- */

/* Why the data needs a person's look first (G3.1); NULL when it does not. */
static char *nan_reason(const struct record_prepared *p)
{
    const struct record_finding *first = NULL;
    const char *kind = "";
    int64_t count = 0;
    for (size_t i = 0; i < p->finding_count && i < RECORD_FINDINGS_MAX; i++) {
        const struct record_finding *f = &p->findings[i];
        if (strncmp(f->kind, "nan", 3) != 0 && strncmp(f->kind, "inf", 3) != 0)
            continue;
        first = first ? first : f;
        if (strcmp(f->kind, kind) != 0) /* each carries the count of all of its kind */
            count += f->count > 0 ? f->count : 1;
        kind = f->kind;
    }
    if (first == NULL)
        return NULL;
    return xasprintf("%" PRId64 " values of the data are not numbers, the first (%s) at row "
                     "%" PRId64 ", column %" PRId64 "; see table findings (G3.1)",
                     count, first->kind, first->row, first->column);
}

static struct sweep_row *submitted_row(int64_t id, const struct spec *spec,
                                       const struct record_prepared *p, utc_us now)
{
    struct buf json = {0};
    struct json_writer w;
    jw_init(&w, &json);
    spec_write(spec, &w);
    struct sweep_row *row = xcalloc(1, sizeof(*row));
    *row = (struct sweep_row){.id = id,
                              .name = xstrdup(spec->name),
                              .status = SWEEP_QUEUED,
                              .method = spec->method,
                              .metric = spec->metric,
                              .maximize = spec->maximize,
                              .spec_json = buf_take(&json),
                              .seed = spec->seed,
                              .run_cap = spec->run_cap,
                              .epochs = spec->epochs,
                              .priority = spec->priority,
                              .after = spec->after,
                              .data_hash = xstrdup(p->hash),
                              .data_samples = p->samples,
                              .data_features = p->features,
                              .data_classes = p->classes,
                              .created = now};
    data_facts_init(&row->data, p);
    return row;
}

static int submit_check(const struct engine *e, const struct spec *spec, struct errbuf *err)
{
    if (e->stopping)
        return err_set(err, ERR_SHUTDOWN, "the daemon is shutting down");
    if (spec->after > e->last_sweep_id) {
        char value[32];
        snprintf(value, sizeof(value), "%" PRId64, spec->after);
        return err_bad(err, ERR_VALUE, "$.after", value,
                       "the id of an earlier sweep, at most %" PRId64, e->last_sweep_id);
    }
    return search_method(spec->method)->check(spec, err);
}

/* What earlier sweeps taught of remedies, as it is now. */
static void freeze_prior(struct sweep *s, const struct remedy_prior *known)
{
    struct buf json = {0};
    struct json_writer w;
    if (known->count == 0)
        return;
    for (size_t i = 0; i < known->count; i++)
        remedy_prior_add(&s->prior, &known->items[i]);
    jw_init(&w, &json);
    remedy_prior_write(&s->prior, &w);
    s->row->remedy_prior = buf_take(&json);
}

static char *submit_reply(const struct sweep *s)
{
    const struct spec_treats *t = &s->spec.treats;
    struct buf json = {0};
    struct json_writer w;
    jw_init(&w, &json);
    jw_begin_object(&w);
    jw_kv_int(&w, "sweep", s->row->id);
    if (t->run) {
        jw_kv_int(&w, "run", s->run_ids[0]);
        jw_kv_int(&w, "parent", t->run);
        jw_kv_string(&w, "remedy", remedy_name(t->remedy));
        jw_kv_string(&w, "guide_ref", remedy_guide_ref(t->remedy));
        jw_kv_string(&w, "does", remedy_does(t->remedy));
    }
    jw_end_object(&w);
    return buf_take(&json);
}

void engine_submit(struct engine *e, struct spec *spec, const struct record_prepared *prepared,
                   const struct remedy_prior *known, void *token, utc_us now, struct effects *fx)
{
    struct errbuf err = {0};
    if (submit_check(e, spec, &err) != 0) {
        effects_refuse(fx, token, &err);
        spec_finish(spec);
        memset(spec, 0, sizeof(*spec));
        return;
    }
    struct sweep *s = sweep_create(submitted_row(++e->last_sweep_id, spec, prepared, now));
    s->spec = *spec;
    memset(spec, 0, sizeof(*spec));
    s->method = search_method(s->spec.method);
    if (s->spec.treat)
        freeze_prior(s, known);
    engine_add_sweep(e, s);
    bool may_hold = spec_may_be(&s->spec, SETTING_ON_NAN, ON_NAN_HOLD);
    char *held = may_hold ? nan_reason(prepared) : NULL;

    store_batch_put_sweep(&fx->batch, sweep_row_copy(s->row));
    store_batch_add_event(&fx->batch, s->row->id, 0, "submitted", now, "%s", s->row->name);
    for (size_t i = 0; i < prepared->finding_count && i < RECORD_FINDINGS_MAX; i++)
        store_batch_add_finding(&fx->batch, s->row->id, &prepared->findings[i]);
    notify_sweep(fx, s);
    (void)sweep_plan(e, s, now, fx);
    effects_reply(fx, token, submit_reply(s));
    if (held != NULL)
        sweep_set_status(s, SWEEP_HELD, held, now, fx);
    free(held);
}

/* --- commands -------------------------------------------------------------------------------- */

static int command_pause(struct engine *e, struct sweep *s, utc_us now, struct effects *fx,
                         struct errbuf *err)
{
    sweep_set_status(s, SWEEP_PAUSED, NULL, now, fx);
    for (size_t i = 0; i < s->live_count; i++)
        run_yield(s->live[i], fx);
    return 0;
}

/* A hold at a barrier has nothing live: it goes on with the next batch, if there is one. */
static int resume_barrier(struct engine *e, struct sweep *s, utc_us now, struct effects *fx,
                          struct errbuf *err)
{
    if (sweep_plan(e, s, now, fx))
        return 0;
    return err_set(err, ERR_STATE,
                   "sweep %" PRId64 " cannot be resumed: %s, and there is nothing left to run; "
                   "cancel or delete it and submit it anew",
                   s->row->id, s->row->reason ? s->row->reason : "no run completed");
}

static int command_resume(struct engine *e, struct sweep *s, utc_us now, struct effects *fx,
                          struct errbuf *err)
{
    bool held = s->row->status == SWEEP_HELD;
    if (held && s->live_count == 0 && resume_barrier(e, s, now, fx, err) != 0)
        return err->code;
    s->row->data_accepted |= held; /* a person has looked, and is not asked again */
    sweep_set_status(s, s->row->started != 0 ? SWEEP_RUNNING : SWEEP_QUEUED, NULL, now, fx);
    for (size_t i = 0; i < s->live_count; i++)
        run_resume(s->live[i], fx);
    return 0;
}

static int command_cancel(struct engine *e, struct sweep *s, utc_us now, struct effects *fx,
                          struct errbuf *err)
{
    for (size_t i = 0; i < s->live_count;) { /* those without a worker leave the list */
        size_t before = s->live_count;
        if (s->live[i]->row->status != RUN_CANCELLED)
            run_cancel(e, s->live[i], now, fx);
        i += s->live_count == before;
    }
    sweep_set_status(s, SWEEP_CANCELLED, "cancelled through sweepctl", now, fx);
    sweep_step(e, s, now, fx); /* gone, unless workers are still ending */
    return 0;
}

/* All that hangs on the sweep goes; run_ids are those known here (none of an ended sweep). */
static void delete_rows(int64_t sweep_id, const int64_t *run_ids, size_t count, struct effects *fx)
{
    store_batch_delete_sweep(&fx->batch, sweep_id);
    struct action *a = effects_add(fx, ACTION_DELETE_RUNS, sweep_id, 0);
    if (count > 0) {
        a->run_ids = xmalloc(count * sizeof(*a->run_ids));
        memcpy(a->run_ids, run_ids, count * sizeof(*a->run_ids));
        a->run_id_count = count;
    }
}

static int command_delete(struct engine *e, struct sweep *s, utc_us now, struct effects *fx,
                          struct errbuf *err)
{
    if (s->running > 0)
        return err_set(err, ERR_STATE,
                       "sweep %" PRId64 " is %s and %zu of its runs still have a worker; delete "
                       "it when they have ended",
                       s->row->id, sweep_status_name(s->row->status), s->running);
    delete_rows(s->row->id, s->run_ids, s->run_count, fx);
    effects_add(fx, ACTION_WAKE_WAITERS, s->row->id, 0);
    engine_drop_sweep(e, s);
    return 0;
}

static const struct {
    const char *name;
    const char *done; /* status in the reply */
    unsigned allowed; /* states of the sweep */
    const char *allowed_names;
    int (*run)(struct engine *e, struct sweep *s, utc_us now, struct effects *fx,
               struct errbuf *err);
} commands[] = {
    [COMMAND_PAUSE] = {"pause", "paused", STATUS_BIT(QUEUED) | STATUS_BIT(RUNNING),
                       "queued, running", command_pause},
    [COMMAND_RESUME] = {"resume", "resumed", STATUS_BIT(PAUSED) | STATUS_BIT(HELD), "paused, held",
                        command_resume},
    [COMMAND_CANCEL] = {"cancel", "cancelled",
                        STATUS_BIT(QUEUED) | STATUS_BIT(RUNNING) | STATUS_BIT(PAUSED) |
                            STATUS_BIT(HELD),
                        "queued, running, paused, held", command_cancel},
    [COMMAND_DELETE] = {"delete", "deleted",
                        STATUS_BIT(PAUSED) | STATUS_BIT(HELD) | STATUS_BIT(COMPLETED) |
                            STATUS_BIT(CANCELLED),
                        "paused, held, completed, cancelled", command_delete},
};

void engine_command(struct engine *e, enum sweep_command c, int64_t sweep_id, void *token,
                    utc_us now, struct effects *fx)
{
    REQUIRE((size_t)c < ARRAY_LEN(commands));
    struct sweep *s = engine_sweep(e, sweep_id);
    struct errbuf err = {0};
    if (s == NULL && c == COMMAND_DELETE) { /* ended: the caller has asked the store */
        delete_rows(sweep_id, NULL, 0, fx);
    } else if (s == NULL) {
        err_set(&err, ERR_NOT_FOUND, "sweep %" PRId64 " is not open; %s needs one that is %s",
                sweep_id, commands[c].name, commands[c].allowed_names);
    } else if (!(commands[c].allowed >> s->row->status & 1u)) {
        err_bad(&err, ERR_STATE, "sweep", sweep_status_name(s->row->status), "%s, for %s",
                commands[c].allowed_names, commands[c].name);
    } else {
        (void)commands[c].run(e, s, now, fx, &err);
    }
    if (err.code != 0)
        effects_refuse(fx, token, &err);
    else
        effects_reply(fx, token, xasprintf("{\"sweep\":%" PRId64 ",\"status\":\"%s\"}", sweep_id,
                                           commands[c].done));
}
