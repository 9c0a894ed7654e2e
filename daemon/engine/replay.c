/* The engine is run over what is stored: no clock, no slot, one run after the other. That is
 * enough, because decisions are made in logical time. What came from outside (runs that a person
 * asked for, cancelled ones) is taken as it is stored, as early as it may have come. */
#include "daemon/engine/replay.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/engine/replay_private.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define FAILED_TRIES 4 /* of an end that the engine would try again */

void replay_curve_finish(struct replay_curve *c)
{
    for (size_t i = 0; i < c->metrics_count; i++)
        free(c->metrics[i]);
    for (size_t i = 0; i < c->layers_count; i++)
        free(c->layers[i]);
    free(c->points);
    free(c->metrics);
    free(c->layers);
    *c = (struct replay_curve){0};
}

void replay_report_finish(struct replay_report *r)
{
    free(r->stored);
    free(r->again);
    *r = (struct replay_report){0};
}

enum decision_kind decision_find(const char *name)
{
    enum decision_kind k = (enum decision_kind)0;
    while (k < DECISION_KIND_COUNT && strcmp(decision_name(k), name) != 0)
        k++;
    return k;
}

/* --- the sweep ------------------------------------------------------------------------------- */

static struct sweep *sweep_of(const struct replay *p)
{
    struct sweep *s = engine_sweep(p->engine, p->sweep_id);
    return s != NULL && !sweep_status_terminal(s->row->status) ? s : NULL;
}

static const struct run_row *stored_run(const struct replay *p, size_t number)
{
    return number < p->in->rows.run_count ? &p->in->rows.runs[number] : NULL;
}

/* Its row as it was submitted, without a run. */
static int begin(struct replay *p, struct effects *fx, struct errbuf *err)
{
    struct store_restored bare = {.sweep_count = 1};
    struct sweep_row *row = sweep_row_copy(&p->in->rows.sweeps[0]);
    p->whole = row->status == SWEEP_COMPLETED;
    row->status = SWEEP_QUEUED;
    row->started = row->ended = 0;
    row->after = 0;
    row->deadline = 0; /* there is no clock */
    free(row->fits);
    row->fits = NULL;
    free(row->reason);
    row->reason = NULL;
    int rc = replay_take_back_extensions(p->in, row, err);
    if (rc != 0) {
        sweep_row_destroy(row);
        return rc;
    }
    bare.sweeps = row;
    bare.last_run_id = p->in->rows.run_count > 0 ? p->ids[p->in->rows.run_count - 1] : 0;
    engine_restore(p->engine, &bare, p->now, fx);
    sweep_row_destroy(row);
    if (sweep_of(p) == NULL)
        return err_set(err, ERR_DATA, "sweep %lld cannot be read from the database",
                       (long long)p->sweep_id);
    for (size_t i = 0; i < p->in->rows.run_count; i++)
        if ((p->in->rows.runs[i].config != NULL) !=
            task_of(sweep_spec(sweep_of(p)))->has_settings)
            return err_set(err, ERR_DATA, "the settings of run %lld cannot be read",
                           (long long)p->in->rows.runs[i].id);
    sweep_note_picked(sweep_of(p), fx);
    sweep_note_earlier(sweep_of(p), fx);
    return 0;
}

/* Runs that a person asked for, or that a treatment by hand is, come when their number has. */
static void enqueue(struct replay *p, struct effects *fx)
{
    struct sweep *s;
    while ((s = sweep_of(p)) != NULL && s->run_count < p->in->rows.run_count) {
        size_t next = p->runs[s->run_count].next;
        if (next == p->in->count || p->in->decisions[next].kind != DECISION_ENQUEUED)
            break;
        struct run_row *row = run_row_copy(stored_run(p, s->run_count));
        struct decision_row d = {
            .sweep_id = p->sweep_id, .run_id = row->id, .kind = DECISION_ENQUEUED};
        row->status = RUN_QUEUED;
        row->started = row->ended = 0;
        row->attempts = row->until_epoch = 0;
        row->paused_by = RUN_PAUSER_NONE;
        row->error = RUN_ERROR_NONE;
        row->has_metric = row->has_outcome = false;
        run_row_set_text(&row->stop_reason, "");
        store_batch_add_decision(&fx->batch, &d, "%s", p->in->decisions[next].reason);
        run_put(sweep_add_run(s, row), fx);
    }
}

/* Plans that there was no time for more, as early as they may have come; the first decision of the
 * sweep's own behind them. */
static size_t take_plans(struct replay *p, struct sweep *s, struct effects *fx)
{
    size_t own = p->next_own;
    struct deadline_plan plan;
    while (own < p->in->count && p->in->decisions[own].kind == DECISION_SKIPPED &&
           deadline_plan_read(p->in->decisions[own].detail, &plan) &&
           plan.planned == (int64_t)s->run_count) {
        deadline_take_plan(s, &plan, p->now, fx);
        own = replay_next(p, own + 1, 0);
    }
    return own;
}

/* The clock is not there: what it was decided by is taken as it is stored, and judged again. */
static bool skip_run(struct replay *p, struct run *r, struct effects *fx)
{
    size_t next = p->runs[r->index].next;
    struct deadline_run at;
    return next < p->in->count && p->in->decisions[next].kind == DECISION_SKIPPED &&
           deadline_run_read(p->in->decisions[next].detail, &at) &&
           deadline_skip_run(p->engine, r, &at, p->now, fx);
}

/* A run that was never begun, or that was ended at its rung. */
static bool is_skipped_here(const struct replay *p, const struct run *r)
{
    const struct run_row *stored = stored_run(p, r->index);
    return stored != NULL && ((stored->status == RUN_CANCELLED && r->row->status == RUN_QUEUED) ||
                              (stored->status == RUN_STOPPED && run_at_rung(r)));
}

static void take_skips(struct replay *p, struct effects *fx)
{
    struct sweep *s = sweep_of(p);
    if (s == NULL)
        return;
    size_t own = take_plans(p, s, fx);
    for (size_t i = s->live_count; i-- > 0;)
        if (is_skipped_here(p, s->live[i]) && p->runs[s->live[i]->index].next < own)
            (void)skip_run(p, s->live[i], fx);
}

/* What follows from what has happened, until nothing does; and what it is held against. */
static void settle(struct replay *p, struct effects *fx)
{
    struct sweep *s;
    do {
        replay_take_extension(p, fx);
        enqueue(p, fx);
        take_skips(p, fx);
        if ((s = sweep_of(p)) != NULL)
            sweep_step(p->engine, s, ++p->now, fx);
        s = sweep_of(p);
        if (s != NULL && s->row->status == SWEEP_HELD) /* as a person did then, if it went on */
            engine_command(p->engine, COMMAND_RESUME, p->sweep_id, NULL, p->now, fx);
        replay_compare(p, &fx->batch);
        effects_finish(fx);
        *fx = (struct effects){0};
        s = sweep_of(p);
    } while (!p->out->differs &&
             (replay_extension_is_next(p) ||
              (s != NULL && s->due && s->row->status != SWEEP_HELD)));
}

/* --- runs ------------------------------------------------------------------------------------ */

static struct run *first_queued(const struct replay *p)
{
    const struct sweep *s = sweep_of(p);
    for (size_t i = 0; s != NULL && i < s->live_count; i++)
        if (s->live[i]->row->status == RUN_QUEUED &&
            s->live[i]->index < p->in->rows.run_count && !p->runs[s->live[i]->index].blocked)
            return s->live[i];
    return NULL;
}

static void start(struct replay *p, struct run *r, const struct run_row *stored,
                  const struct replay_curve *c, struct effects *fx)
{
    struct record_start line = {.parameters = c->parameters,
                                .flop = stored->flop,
                                .resumed_point = p->runs[r->index].fed};
    str_copy(line.core, sizeof(line.core), stored->core != NULL ? stored->core : "");
    str_copy(line.blas, sizeof(line.blas), stored->blas != NULL ? stored->blas : "");
    if (r->row->started != 0 && run_is_leased(r)) {
        run_take_up(p->engine, r, fx);
        return;
    }
    r->launcher = run_is_leased(r) ? LAUNCHER_OF_LEASES : 0;
    run_begin(p->engine, r, p->now, fx);
    engine_run_start_line(p->engine, r->row->id, &line);
}

/* The points behind those it was given, as far as its rung. True: it has come there. */
static bool feed(struct replay *p, struct run *r, const struct replay_curve *c, struct effects *fx)
{
    struct replayed_run *own = &p->runs[r->index];
    size_t from = (size_t)own->fed, to = from;
    int64_t id = r->row->id, until = r->row->until_epoch;
    while (to < c->count &&
           (until == 0 || to == 0 || c->points[to - 1].epoch < (double)until))
        to++;
    if (to > from)
        engine_run_points(p->engine, id, c->points + from, to - from, p->now, fx);
    size_t first = 0, behind = 0;
    while (first < c->metrics_count && c->metrics[first]->at.point <= (int64_t)from)
        first++;
    while (first + behind < c->metrics_count &&
           c->metrics[first + behind]->at.point <= (int64_t)to)
        behind++;
    engine_run_metrics(p->engine, id, c->metrics + first, behind, fx);
    for (size_t i = 0; i < c->layers_count; i++)
        if (c->layers[i]->point > (int64_t)from && c->layers[i]->point <= (int64_t)to)
            engine_run_layers(p->engine, id, c->layers[i], fx);
    own->fed = (int64_t)to;
    return until > 0 && to > 0 && c->points[to - 1].epoch >= (double)until;
}

/* A failure that is the launcher's is the run's only when others were started since. */
static void fail(struct replay *p, const struct run_row *stored, struct effects *fx)
{
    const struct run_exit x = {
        .error = stored->error, .signal = stored->signal, .text = stored->error_text};
    for (int i = 0; i < FAILED_TRIES; i++) {
        struct sweep *s = sweep_of(p);
        struct run *r = s != NULL ? sweep_live_run(s, stored->id) : NULL;
        if (r == NULL)
            return;
        if (r->row->status == RUN_QUEUED)
            run_begin(p->engine, r, p->now, fx);
        struct launcher_slots *l = &p->engine->launchers[r->launcher];
        r->row->attempts = INT32_MAX;
        l->failing_run = stored->id;
        engine_run_ended(p->engine, stored->id, &x, p->now, fx);
        l->started++;
    }
}

static void end(struct replay *p, struct run *r, const struct run_row *stored, struct effects *fx)
{
    struct record_result result = {.status = stored->status, .seconds = stored->seconds};
    const struct run_exit gone = {.error = RUN_ERROR_KILLED_BY_USER};
    bool leased = run_is_leased(r);
    str_copy(result.text, sizeof(result.text), stored->stop_reason ? stored->stop_reason : "");
    if (stored->status == RUN_CANCELLED) {
        run_cancel(p->engine, r, p->now, fx);
        if (!leased)
            engine_run_ended(p->engine, stored->id, &gone, p->now, fx);
    } else if (stored->status == RUN_FAILED) {
        fail(p, stored, fx);
    } else {
        engine_run_ended(p->engine, stored->id,
                         &(struct run_exit){.result = &result, .joules = stored->joules}, p->now,
                         fx);
    }
}

/* It was asked to end by the deadline, if that is stored, and then ended as it is stored. */
static void end_in_time(struct replay *p, struct run *r, const struct run_row *stored,
                        struct effects *fx)
{
    (void)skip_run(p, r, fx);
    end(p, r, stored, fx);
}

/* Is its coming to that rung stored? */
static bool paused_there(const struct replay *p, size_t number)
{
    size_t next = p->runs[number].next;
    return next < p->in->count && p->in->decisions[next].kind == DECISION_PAUSED;
}

/* One that a person cancelled there was decided about no more. */
static void pause_at_rung(struct replay *p, struct run *r, const struct run_row *stored,
                          struct effects *fx)
{
    size_t next = replay_next(p, p->runs[r->index].next + 1, stored->id);
    run_pause_at_rung(p->engine, r,
                      &(struct record_result){.status = RUN_PAUSED,
                                              .epoch = r->row->until_epoch,
                                              .seconds = stored->seconds},
                      p->now, fx);
    if (stored->status == RUN_CANCELLED && next == p->in->count)
        run_cancel(p->engine, r, p->now, fx);
}

/* One run, from where it is to its next rung or its end. */
static void carry_out(struct replay *p, struct run *r, const struct replay_curve *c,
                      struct effects *fx)
{
    const struct run_row *stored = stored_run(p, r->index);
    bool ended = run_status_terminal(stored->status), rung = paused_there(p, r->index);
    if (!ended && !rung) {
        p->runs[r->index].blocked = true;
        return;
    }
    if (stored->status == RUN_CANCELLED && stored->started == 0) {
        run_cancel(p->engine, r, p->now, fx);
        return;
    }
    start(p, r, stored, c, fx);
    if (feed(p, r, c, fx) && rung)
        pause_at_rung(p, r, stored, fx);
    else if (ended)
        end_in_time(p, r, stored, fx);
    else
        p->runs[r->index].blocked = true;
}

/* --- all of it ------------------------------------------------------------------------------- */

/* Points that are no good do not make it begin again for ever. */
static void give_up_queued(struct replay *p, int64_t run_id)
{
    const struct sweep *s = sweep_of(p);
    const struct run *r = s != NULL ? sweep_live_run(s, run_id) : NULL;
    if (r != NULL && r->row->status == RUN_QUEUED)
        p->runs[r->index].blocked = true;
}

/* Bytes from the database are not trusted. */
static int check_rows(const struct replay_source *in, struct errbuf *err)
{
    for (size_t i = 0; i < in->rows.run_count; i++) {
        const struct run_row *r = &in->rows.runs[i];
        if (r->number != (int64_t)i || r->epochs < 1 || (i > 0 && r->id <= r[-1].id))
            return err_set(err, ERR_DATA, "run %lld (#%lld) does not fit", (long long)r->id,
                           (long long)r->number);
    }
    return 0;
}

static int check_imported(const struct replay_source *in, struct errbuf *err)
{
    if (in->rows.run_count > 0 && strcmp(in->rows.runs[0].stage, STAGE_IMPORTED) == 0)
        return err_set(err, ERR_STATE, "sweep %lld was imported: nothing of it was decided here",
                       (long long)in->rows.sweeps[0].id);
    return 0;
}

static int carry_on(struct replay *p, struct effects *fx, struct errbuf *err)
{
    struct run *r;
    int rc = 0;
    settle(p, fx);
    while (rc == 0 && !p->out->differs && (r = first_queued(p)) != NULL) {
        struct replay_curve c = {0};
        int64_t id = r->row->id;
        if (p->in->stop != NULL && p->in->stop(p->in->arg))
            return err_set(err, ERR_SHUTDOWN, "the daemon is shutting down");
        rc = p->in->read(p->in->arg, r->row->id, &c, err);
        if (rc == 0)
            carry_out(p, r, &c, fx);
        replay_curve_finish(&c);
        give_up_queued(p, id);
        settle(p, fx);
    }
    return rc;
}

int engine_replay(const struct replay_source *in, struct replay_report *out, struct errbuf *err)
{
    struct replay p = {.in = in, .out = out, .now = 1};
    struct effects fx = {0};
    *out = (struct replay_report){0};
    REQUIRE(in->rows.sweep_count == 1);
    size_t count = in->rows.run_count;
    if (check_rows(in, err) != 0 || check_imported(in, err) != 0)
        return err->code;
    p.sweep_id = in->rows.sweeps[0].id;
    p.engine = engine_create("/");
    p.ids = xcalloc(count + 1, sizeof(*p.ids));
    p.runs = xcalloc(count + 1, sizeof(*p.runs));
    for (size_t i = 0; i < count; i++)
        p.ids[i] = in->rows.runs[i].id;
    for (size_t i = 0; i < count; i++)
        p.runs[i].next = in->count;
    for (size_t i = in->count; i-- > 0;) {
        size_t run = replay_run(&p, in->decisions[i].run_id);
        if (run != SIZE_MAX)
            p.runs[run].next = i;
    }
    p.next_own = replay_next(&p, 0, 0);
    p.engine->given_ids = p.ids;
    p.engine->given_count = count;
    p.engine->keeps_ended = true;
    int rc = begin(&p, &fx, err);
    if (rc == 0)
        rc = carry_on(&p, &fx, err);
    if (rc == 0)
        replay_compare_rest(&p);
    effects_finish(&fx);
    engine_destroy(p.engine);
    free(p.ids);
    free(p.runs);
    return rc;
}
