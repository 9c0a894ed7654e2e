/* Sweeps in the engine: submit, barriers, the end, and the commands on them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine_private.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"

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
    free(s->trials);
    free(s->run_ids);
    spec_finish(&s->spec);
    sweep_row_destroy(s->row);
    free(s);
}

/* --- runs of a sweep ------------------------------------------------------------------------- */

static void trial_update(struct trial *t, const struct run_row *row)
{
    t->status = row->status;
    t->has_metric = row->has_metric;
    t->metric_value = row->metric_value;
}

static struct run *live_add(struct sweep *s, struct run_row *row, size_t index)
{
    struct run *r = xcalloc(1, sizeof(*r));
    r->sweep = s;
    r->row = row;
    r->index = index;
    r->stride = 1;
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
    }
    size_t index = s->run_count++;
    struct trial *t = &s->trials[index];
    *t = (struct trial){.settings = row->settings};
    str_copy(t->stage, sizeof(t->stage), row->stage);
    trial_update(t, row);
    s->run_ids[index] = row->id;
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

static void drop_weights(const struct sweep *s, const struct kept *k, struct effects *fx)
{
    if (fx == NULL)
        return;
    if (k->has_test)
        store_batch_clear_test(&fx->batch, k->run_id);
    effects_add(fx, ACTION_DROP_WEIGHTS, s->row->id, k->run_id);
}

void sweep_book_ended(struct sweep *s, const struct run_row *row, struct effects *fx)
{
    s->ended[row->status]++;
    s->errors[row->error]++;
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

/* --- barriers -------------------------------------------------------------------------------- */

static struct run_row *planned_row(struct engine *e, const struct sweep *s,
                                   const struct proposal *p, utc_us now)
{
    struct buf params = {0};
    struct json_writer w;
    jw_init(&w, &params);
    spec_params_write(&s->spec, &p->settings, &w);

    struct run_row *row = xcalloc(1, sizeof(*row));
    row->id = ++e->last_run_id;
    row->sweep_id = s->row->id;
    row->number = (int64_t)s->run_count;
    row->kind = RUN_KIND_SEARCH;
    row->status = RUN_QUEUED;
    str_copy(row->stage, sizeof(row->stage), p->stage);
    str_copy(row->reason, sizeof(row->reason), p->reason);
    row->params_json = buf_take(&params);
    row->settings = p->settings;
    settings_apply_preset(&row->settings);
    row->seed = rng_run_seed(s->spec.seed, 0);
    row->epochs = s->spec.epochs;
    row->created = now;
    return row;
}

/* The next batch of runs as rows; false when the search is over. */
static bool plan(struct engine *e, struct sweep *s, utc_us now, struct effects *fx)
{
    struct proposals p = {0};
    s->method->next(&s->spec, s->trials, s->run_count, &p);
    for (size_t i = 0; i < p.count; i++)
        run_put(sweep_add_run(s, planned_row(e, s, &p.items[i], now)), fx);
    bool any = p.count > 0;
    if (any) {
        store_batch_add_event(&fx->batch, s->row->id, 0, "stage_planned", now, "%s: %zu runs",
                              p.items[0].stage, p.count);
        notify_stage_planned(fx, s, p.items[0].stage, p.count);
    }
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

void sweep_step(struct engine *e, struct sweep *s, utc_us now, struct effects *fx)
{
    if (s->live_count > 0 || s->row->status == SWEEP_HELD)
        return;
    if (!sweep_status_terminal(s->row->status)) {
        if (plan(e, s, now, fx))
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

void engine_submit(struct engine *e, struct spec *spec, const struct record_prepared *prepared,
                   void *token, utc_us now, struct effects *fx)
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
    engine_add_sweep(e, s);
    bool may_hold = spec_may_be(&s->spec, SETTING_ON_NAN, ON_NAN_HOLD);
    char *held = may_hold ? nan_reason(prepared) : NULL;

    effects_reply(fx, token, xasprintf("{\"sweep\":%" PRId64 "}", s->row->id));
    store_batch_put_sweep(&fx->batch, sweep_row_copy(s->row));
    store_batch_add_event(&fx->batch, s->row->id, 0, "submitted", now, "%s", s->row->name);
    for (size_t i = 0; i < prepared->finding_count && i < RECORD_FINDINGS_MAX; i++)
        store_batch_add_finding(&fx->batch, s->row->id, &prepared->findings[i]);
    notify_sweep(fx, s);
    (void)plan(e, s, now, fx);
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

static int command_resume(struct engine *e, struct sweep *s, utc_us now, struct effects *fx,
                          struct errbuf *err)
{
    if (s->row->status == SWEEP_HELD && s->live_count == 0)
        return err_set(err, ERR_STATE,
                       "sweep %" PRId64 " cannot be resumed: %s, and there is nothing left to run; "
                       "cancel or delete it and submit it anew",
                       s->row->id, s->row->reason ? s->row->reason : "no run completed");
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
