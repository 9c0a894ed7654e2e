/* Sweeps in the engine: submit, enqueue, and the commands on them. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/data_read.h"
#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define STATUS_BIT(id) (1u << SWEEP_##id)

/* --- submit ---------------------------------------------------------------------------------- */

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
                              .metric = xstrdup(spec_metric_name(spec)),
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
    if (p->target[0])
        row->data_target = xstrdup(p->target);
    row->data_notes = data_read_notes(p);
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
    struct study st;
    study_init(&st, spec);
    return search_method(spec->method)->check(&st, err);
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

static char *submit_reply(const struct sweep *s, const struct record_prepared *p,
                          const char *held, const struct enqueued *first)
{
    struct buf json = {0};
    struct json_writer w;
    jw_init(&w, &json);
    jw_begin_object(&w);
    jw_kv_int(&w, "sweep", s->row->id);
    if (first != NULL)
        enqueued_write(first, s->run_ids[s->run_count - 1], &w);
    if (p != NULL)
        data_read_write(p, held, &w);
    jw_end_object(&w);
    return buf_take(&json);
}

static const struct sweep *find_submitted(const struct engine *e, const char *id)
{
    for (size_t i = 0; i < e->sweep_count; i++) {
        const char *own = e->sweeps[i]->row->submit_id;
        if (own != NULL && strcmp(own, id) == 0)
            return e->sweeps[i];
    }
    return NULL;
}

int64_t engine_submitted(const struct engine *e, const char *id)
{
    const struct sweep *s = find_submitted(e, id);

    return s != NULL ? s->row->id : 0;
}

bool engine_submit_again(struct engine *e, const char *id, const struct spec *spec, void *token,
                         struct effects *fx)
{
    const struct sweep *s = find_submitted(e, id);
    struct errbuf err = {0};
    if (engine_importing(e, id) != 0) {
        err_set(&err, ERR_BUSY, "the id %s is that of an import under way: ask again", id);
        effects_refuse(fx, token, &err);
        return true;
    }
    if (s == NULL)
        return false;
    if (spec_compare(sweep_spec(s), spec, &err) != 0)
        effects_refuse(fx, token, &err);
    else
        effects_reply(fx, token,
                      xasprintf("{\"sweep\":%" PRId64 ",\"existing\":true}", s->row->id));
    return true;
}

/* The method was picked with the specification: it is in it, and the reason too. */
void sweep_note_picked(const struct sweep *s, struct effects *fx)
{
    struct decision_row d = {.sweep_id = s->row->id, .kind = DECISION_PICKED};
    const struct spec *spec = sweep_spec(s);
    if (spec->picked[0])
        store_batch_add_decision(&fx->batch, &d, "method %s: %s", method_name(spec->method),
                                 spec->picked);
}

/* One that cannot be read knows nothing. */
void sweep_read_earlier(struct sweep *s)
{
    if (s->row->warm != NULL)
        s->earlier = earlier_read(s->row->warm, &sweep_spec(s)->space, sweep_spec(s)->epochs,
                                  sweep_spec(s)->objectives.count);
}

void sweep_note_earlier(const struct sweep *s, struct effects *fx)
{
    for (size_t i = 0; s->earlier != NULL && i < s->earlier->said_count; i++)
        store_batch_add_decision(
            &fx->batch, &(struct decision_row){.sweep_id = s->row->id, .kind = DECISION_WARMED},
            "%s", s->earlier->said[i]);
}

static void open_sweep(struct engine *e, struct sweep *s, const struct submission *in, utc_us now,
                       struct effects *fx)
{
    const struct record_prepared *p = in->prepared;
    store_batch_put_sweep(&fx->batch, sweep_row_copy(s->row));
    store_batch_add_event(&fx->batch, s->row->id, 0, "submitted", now, "%s", s->row->name);
    for (size_t i = 0; i < p->finding_count && i < RECORD_FINDINGS_MAX; i++)
        store_batch_add_finding(&fx->batch, s->row->id, &p->findings[i]);
    sweep_note_picked(s, fx);
    sweep_note_earlier(s, fx);
    notify_sweep(fx, s);
    if (in->first != NULL)
        sweep_enqueue(e, s, in->first, now, fx);
    (void)sweep_plan(e, s, now, fx);
}

void engine_submit(struct engine *e, struct submission *in, void *token, utc_us now,
                   struct effects *fx)
{
    struct errbuf err = {0};
    bool refused = submit_check(e, in->spec, &err) != 0;
    if (refused)
        effects_refuse(fx, token, &err);
    if (refused || (in->id != NULL && engine_submit_again(e, in->id, in->spec, token, fx))) {
        spec_finish(in->spec);
        memset(in->spec, 0, sizeof(*in->spec));
        return;
    }
    struct sweep *s =
        sweep_create(submitted_row(++e->last_sweep_id, in->spec, in->prepared, now), in->spec);
    s->row->deadline = in->deadline;
    s->row->warm = in->warm != NULL ? xstrdup(in->warm) : NULL;
    sweep_read_earlier(s);
    s->row->submit_id = in->id != NULL ? xstrdup(in->id) : NULL;
    memset(in->spec, 0, sizeof(*in->spec));
    if (sweep_spec(s)->treat)
        freeze_prior(s, in->known);
    engine_add_sweep(e, s);
    char *held = data_read_hold(sweep_spec(s), in->prepared);
    open_sweep(e, s, in, now, fx);
    effects_reply(fx, token, submit_reply(s, in->prepared, held, in->first));
    if (held != NULL)
        sweep_set_status(s, SWEEP_HELD, held, now, fx);
    free(held);
}

/* --- enqueue --------------------------------------------------------------------------------- */

static int enqueue_check(const struct engine *e, const struct sweep *s, int64_t sweep_id,
                         struct errbuf *err)
{
    if (e->stopping)
        return err_set(err, ERR_SHUTDOWN, "the daemon is shutting down");
    if (s == NULL)
        return err_set(err, ERR_NOT_FOUND,
                       "sweep %" PRId64 " is not open; enqueue needs one that is queued, running, "
                       "paused or held",
                       sweep_id);
    if (sweep_status_terminal(s->row->status))
        return err_bad(err, ERR_STATE, "sweep", sweep_status_name(s->row->status),
                       "queued, running, paused, held, for enqueue");
    if (s->run_count < (size_t)sweep_spec(s)->run_cap)
        return 0;
    return err_set(err, ERR_STATE, "sweep %" PRId64 " has had all %" PRId64 " runs of its run_cap",
                   sweep_id, sweep_spec(s)->run_cap);
}

void engine_enqueue(struct engine *e, int64_t sweep_id, const struct json *params, void *token,
                    utc_us now, struct effects *fx)
{
    struct errbuf err = {0};
    struct sweep *s = engine_sweep(e, sweep_id);
    struct enqueued q = {.kind = RUN_KIND_SEARCH};
    if (enqueue_check(e, s, sweep_id, &err) != 0 ||
        space_check(&sweep_spec(s)->space, params, &q.at, &err) != 0) {
        effects_refuse(fx, token, &err);
        return;
    }
    sweep_enqueue(e, s, &q, now, fx);
    effects_reply(fx, token, submit_reply(s, NULL, NULL, &q));
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
    char *failures = s->ended[RUN_COMPLETED] > 0 ? failure_of_most(s) : NULL;
    s->failures_seen = failures != NULL;
    free(failures);
    if (sweep_plan(e, s, now, fx) == ANSWER_RUNS || s->failures_seen)
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
    s->row->data_accepted |= held; /* a person has seen it, and is not asked again */
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
    s->due = true; /* it goes, when no worker is left */
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
        e->closed++;
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
        effects_reply(
            fx, token,
            xasprintf("{\"sweep\":%" PRId64 ",\"status\":\"%s\"}", sweep_id, commands[c].done));
}

/* --- one run -------------------------------------------------------------------------------- */

struct run *engine_live_run(const struct engine *e, int64_t run_id, const char *verb,
                            struct errbuf *err)
{
    for (size_t i = 0; i < e->sweep_count; i++) {
        const struct sweep *s = e->sweeps[i];
        struct run *r = sweep_live_run(s, run_id);
        if (r != NULL && r->row->status != RUN_CANCELLED)
            return r;
        size_t number = sweep_run_number(s, run_id);
        if (number == TRIAL_NONE)
            continue;
        enum run_status status = s->trials[number]->status;
        err_bad(err, ERR_STATE, "run",
                run_status_name(run_status_terminal(status) ? status : RUN_CANCELLED),
                "queued, running, paused, for %s", verb);
        return NULL;
    }
    err_set(err, ERR_NOT_FOUND, "run %" PRId64 " is not in an open sweep", run_id);
    return NULL;
}

void engine_cancel_run(struct engine *e, int64_t run_id, void *token, utc_us now,
                       struct effects *fx)
{
    struct errbuf err = {0};
    struct run *r = engine_live_run(e, run_id, "cancel", &err);
    if (r == NULL) {
        effects_refuse(fx, token, &err);
        return;
    }
    run_cancel(e, r, now, fx);
    effects_reply(fx, token, xasprintf("{\"run\":%" PRId64 ",\"status\":\"cancelled\"}", run_id));
}
