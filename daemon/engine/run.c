/* Runs in the engine: start, the end of an attempt and of a run, pause, requeue, cancel. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define CANCELLED_TEXT "cancelled through sweepctl"

static void set_text(char **field, const char *text)
{
    char *copy = text != NULL ? xstrdup(text) : NULL;
    free(*field);
    *field = copy;
}

static void set_status(struct run *r, enum run_status to)
{
    REQUIRE(run_status_may(r->row->status, to));
    r->sweep->waiting -= r->row->status == RUN_QUEUED;
    r->sweep->waiting += to == RUN_QUEUED;
    r->row->status = to;
    r->row->paused_by = RUN_PAUSER_NONE;
}

void run_forget_attempt(struct run *r)
{
    struct run_row *row = r->row;
    kept_points_finish(&r->kept);
    objectives_forget(r);
    free(r->protocol_error);
    r->protocol_error = NULL;
    r->last_point = r->seen_point = 0;
    r->last_epoch = 0;
    r->labelled_points = 0;
    r->announced = PATTERN_NONE;
    r->yielding = r->adopted = r->claims_more = false;
    row->has_metric = row->has_val_loss = row->has_val_acc = false;
    row->metric_value = row->best_epoch = row->val_loss = row->val_acc = 0;
    row->has_test_loss = row->has_test_acc = false;
}

/* --- start ----------------------------------------------------------------------------------- */

/* A run's folder is read from its first line. What it showed up to its rung stays known meanwhile;
 * a worker that lost its checkpoint shows the same again. */
static void read_anew(struct run *r)
{
    if (r->seen_point == 0) {
        run_forget_attempt(r);
        return;
    }
    r->last_point = 0;
    r->last_epoch = 0;
    r->row->has_test_loss = r->row->has_test_acc = false; /* with the weights */
}

void run_begin(struct engine *e, struct run *r, utc_us now, struct effects *fx)
{
    struct sweep *s = r->sweep;
    struct run_row *row = r->row;
    sweep_begin(s, now);
    if (s->row->status != SWEEP_RUNNING)
        sweep_set_status(s, SWEEP_RUNNING, NULL, now, fx);
    if (row->started != 0 && !task_resumes(sweep_spec(s))) { /* perhaps to other bits */
        store_batch_clear_points(&fx->batch, row->id);
        run_forget_attempt(r);
    } else {
        read_anew(r);
    }
    set_status(r, RUN_RUNNING);
    row->attempts++;
    row->started = now;
    row->error = RUN_ERROR_NONE;
    row->signal = 0;
    set_text(&row->error_text, NULL);
    set_text(&row->stderr_tail, NULL);
    engine_take_slot(e, r);
    failure_begin(e, r, now);
    run_put(r, fx);
    store_batch_add_event(&fx->batch, s->row->id, row->id, "run_started", now, "attempt %" PRId64,
                          row->attempts);
    notify_run_started(fx, r);
}

void run_start(struct engine *e, struct run *r, utc_us now, struct effects *fx)
{
    run_begin(e, r, now, fx);
    struct action *a = effects_add(fx, ACTION_START_RUN, r->row->sweep_id, r->row->id);
    a->launcher = r->launcher;
    a->config = run_configure(e, r);
    a->owner = xmalloc(sizeof(*a->owner));
    run_owner(e, r, a->owner);
    a->limits = engine_run_limits(e, r->row->id);
    a->whole_environment = task_of(sweep_spec(r->sweep))->has_environment;
}

void engine_run_spawned(struct engine *e, int64_t run_id, const char *handle, utc_us now,
                        struct effects *fx)
{
    struct run *r = engine_running_run(e, run_id);
    if (r == NULL)
        return;
    failure_spawned(e, r, now, fx);
    run_row_set_text(&r->row->handle, handle);
    run_put(r, fx);
}

/* --- the end of an attempt ------------------------------------------------------------------- */

struct outcome {
    enum run_status status;
    struct failure failure; /* its text is also the reason of a stop */
};

static struct outcome failed(enum run_error error, const char *text)
{
    return (struct outcome){RUN_FAILED, {error, text}};
}

static struct outcome decide(const struct run *r, const struct run_exit *x)
{
    const struct record_result *res = x->result;
    if (r->protocol_error != NULL)
        return failed(RUN_ERROR_PROTOCOL, r->protocol_error);
    if (res == NULL)
        return failed(x->error == RUN_ERROR_NONE ? RUN_ERROR_EXITED : x->error, x->text);
    if (res->status == RUN_FAILED) {
        /* killed_by_user comes from sweepctl alone */
        bool ours = res->error == RUN_ERROR_NONE || res->error == RUN_ERROR_KILLED_BY_USER ||
                    (unsigned)res->error >= RUN_ERROR_COUNT;
        return failed(ours ? RUN_ERROR_EXITED : res->error, res->text);
    }
    if (res->status != RUN_COMPLETED && res->status != RUN_STOPPED && res->status != RUN_PAUSED)
        return failed(RUN_ERROR_PROTOCOL, "the result is completed, stopped, failed or paused");
    if (r->seen_point == 0)
        return failed(RUN_ERROR_PROTOCOL, "a result without a single point");
    if (res->status == RUN_PAUSED && population_ends_at(r, res->epoch))
        return (struct outcome){RUN_COMPLETED, {RUN_ERROR_NONE, res->text}};
    return (struct outcome){res->status, {RUN_ERROR_NONE, res->text}};
}

/* Back to the queue, or paused with its sweep. Its folder keeps what it can go on from. */
static void requeue(struct engine *e, struct run *r, const char *kind, const char *why, utc_us now,
                    struct effects *fx)
{
    bool paused = r->sweep->row->status == SWEEP_PAUSED;
    engine_free_slot(e, r);
    set_status(r, paused ? RUN_PAUSED : RUN_QUEUED);
    if (paused)
        r->row->paused_by = RUN_PAUSER_PERSON;
    run_forget_attempt(r);
    run_row_set_text(&r->row->handle, "");
    run_put(r, fx);
    store_batch_add_event(&fx->batch, r->row->sweep_id, r->row->id, kind, now, "%s", why);
    if (paused)
        notify_run_paused(fx, r);
}

static void retry(struct engine *e, struct run *r, const struct failure *f, utc_us now,
                  struct effects *fx)
{
    char *why = failure_retry_text(r, f, now);
    requeue(e, r, "run_retried", why, now, fx);
    free(why);
}

/* It ended because it was asked to. */
static void yielded(struct engine *e, struct run *r, utc_us now, struct effects *fx)
{
    bool paused = r->sweep->row->status == SWEEP_PAUSED;
    failure_uncount(r);
    requeue(e, r, paused ? "run_paused" : "run_requeued",
            e->stopping ? "the daemon is shutting down"
            : paused    ? "its sweep was paused"
                        : "nothing may run now",
            now, fx);
}

/* The row is terminal and final: booked, labelled, announced; the run is gone afterwards. */
static void settle(struct engine *e, struct run *r, bool had_worker, utc_us now, struct effects *fx)
{
    struct sweep *s = r->sweep;
    if (had_worker)
        label_ended(r, now, fx);
    run_row_set_text(&r->row->handle, "");
    objectives_ended(r, now, fx);
    run_put(r, fx);
    store_batch_add_event(&fx->batch, s->row->id, r->row->id, "run_ended", now, "%s%s%s",
                          run_status_name(r->row->status), r->row->error_text ? ": " : "",
                          r->row->error_text ? r->row->error_text : "");
    notify_run_ended(fx, r);
    if (r->row->started != 0 && !population_keeps(r))
        effects_add(fx, ACTION_DROP_CHECKPOINT, s->row->id, r->row->id);
    run_book_ended(r, now, fx);
    failure_ended(r, now, fx);
    sweep_remove_live(s, r);
}

static void take_test(struct run_row *row, const struct record_result *res)
{
    if (!res->has_test)
        return;
    row->has_test_loss = true;
    row->test_loss = res->test_loss;
    row->has_test_acc = res->has_test_acc;
    row->test_acc = res->test_acc;
}

static void apply_outcome(struct run *r, const struct outcome *o, const struct run_exit *x)
{
    struct run_row *row = r->row;
    set_status(r, o->status);
    row->error = o->failure.error;
    row->signal = o->status == RUN_FAILED ? x->signal : 0;
    if (o->status != RUN_FAILED)
        take_test(row, x->result);
    run_row_set_text(&row->stop_reason, o->status == RUN_STOPPED ? o->failure.text : "");
    if (o->status == RUN_FAILED) {
        set_text(&row->error_text, o->failure.text != NULL ? o->failure.text : "");
        set_text(&row->stderr_tail, x->stderr_tail);
    }
}

/* The worker of a run that is terminal is gone: slot, last row, barrier. */
static void finish_worker(struct engine *e, struct run *r, double seconds, utc_us now,
                          struct effects *fx)
{
    r->row->ended = now;
    r->row->seconds = seconds;
    engine_free_slot(e, r);
    settle(e, r, true, now, fx);
}

/* --- rungs ----------------------------------------------------------------------------------- */

static bool paused_early(const struct run *r, const struct record_result *res)
{
    return res != NULL && res->status == RUN_PAUSED &&
           (r->row->until_epoch == 0 || res->epoch < r->row->until_epoch);
}

/* Slot and worker are gone, the points stay known. After a restart the folder says so once more:
 * that is no news. */
void run_pause_at_rung(struct engine *e, struct run *r, const struct record_result *res, utc_us now,
                       struct effects *fx)
{
    struct run_row *row = r->row;
    bool known = row->paused_by == RUN_PAUSER_RUNG;
    engine_free_slot(e, r);
    set_status(r, RUN_PAUSED);
    row->paused_by = RUN_PAUSER_RUNG;
    r->yielding = r->adopted = false;
    take_test(row, res);
    rung_reached(r, res->epoch, fx);
    if (known)
        return;
    failure_uncount(r);
    if (!run_is_leased(r)) /* its client may go on */
        run_row_set_text(&row->handle, "");
    row->seconds = res->seconds;
    run_put(r, fx);
    store_batch_add_event(&fx->batch, row->sweep_id, row->id, "run_paused", now,
                          "rung at epoch %" PRId64, res->epoch);
    notify_run_paused(fx, r);
}

void run_set_budget(struct run *r, int64_t until_epoch)
{
    REQUIRE(r->row->status == RUN_QUEUED && r->row->started == 0);
    REQUIRE(until_epoch >= 0 && until_epoch <= r->row->epochs);
    r->row->until_epoch = until_epoch;
}

bool run_at_rung(const struct run *r)
{
    return r->row->status == RUN_PAUSED && r->row->paused_by == RUN_PAUSER_RUNG;
}

void run_continue(struct run *r, int64_t until_epoch, utc_us now, struct effects *fx)
{
    struct run_row *row = r->row;
    REQUIRE(run_at_rung(r) && until_epoch <= row->epochs);
    REQUIRE(until_epoch == 0 || until_epoch > row->until_epoch);
    row->until_epoch = until_epoch;
    set_status(r, RUN_QUEUED);
    run_put(r, fx);
    store_batch_add_event(&fx->batch, row->sweep_id, row->id, "run_continued", now,
                          "to epoch %" PRId64, until_epoch > 0 ? until_epoch : row->epochs);
}

void run_take_up(struct engine *e, struct run *r, struct effects *fx)
{
    REQUIRE(run_is_leased(r));
    set_status(r, RUN_RUNNING);
    engine_take_slot(e, r);
    run_put(r, fx);
}

void run_stop(struct engine *e, struct run *r, const char *reason, utc_us now, struct effects *fx)
{
    REQUIRE(run_at_rung(r) && reason[0] != '\0');
    set_status(r, RUN_STOPPED);
    run_row_set_text(&r->row->stop_reason, reason);
    r->row->ended = now;
    settle(e, r, true, now, fx);
}

/* --- the deadline ---------------------------------------------------------------------------- */

/* What it showed so far counts; one that showed nothing is as if it had not begun. */
static void set_overdue(struct run *r, const char *reason, utc_us now)
{
    bool shown = r->seen_point > 0;
    set_status(r, shown ? RUN_STOPPED : RUN_CANCELLED);
    run_row_set_text(&r->row->stop_reason, reason);
    r->row->ended = now;
    if (shown)
        return;
    r->sweep->trials[r->index]->skipped = true;
    sweep_note_skipped(r->sweep, r->index);
}

static bool said_its_end(const struct run_exit *x)
{
    return x->result != NULL &&
           (x->result->status == RUN_COMPLETED || x->result->status == RUN_STOPPED);
}

static void stop_overdue(struct engine *e, struct run *r, utc_us now, struct effects *fx)
{
    char *reason = xstrdup(r->row->stop_reason);
    set_overdue(r, reason, now);
    free(reason);
    finish_worker(e, r, r->began > 0 ? (double)(now - r->began) * 1e-6 : 0, now, fx);
}

void run_skip(struct engine *e, struct run *r, const char *reason, utc_us now, struct effects *fx)
{
    set_overdue(r, reason, now);
    settle(e, r, false, now, fx);
}

bool run_is_overdue(const struct run *r)
{
    return r->row->status == RUN_RUNNING && r->row->stop_reason != NULL;
}

void run_end_overdue(struct run *r, const char *reason, struct effects *fx)
{
    run_row_set_text(&r->row->stop_reason, reason);
    run_put(r, fx);
    effects_add(fx, ACTION_TERM_RUN, r->row->sweep_id, r->row->id);
}

void run_end_here(struct engine *e, struct run *r, const char *reason, utc_us now,
                  struct effects *fx)
{
    bool has_slot = r->row->status == RUN_RUNNING;
    set_overdue(r, reason, now);
    if (has_slot)
        engine_free_slot(e, r);
    settle(e, r, true, now, fx);
}

/* --- the end of a worker --------------------------------------------------------------------- */

static void check_pause(struct run *r, const struct record_result *res)
{
    int64_t until = r->row->until_epoch;
    if (r->protocol_error == NULL && paused_early(r, res))
        r->protocol_error = xasprintf("it paused at epoch %" PRId64 ", but was to go on to epoch "
                                      "%" PRId64,
                                      res->epoch, until ? until : r->row->epochs);
}

void engine_run_ended(struct engine *e, int64_t run_id, const struct run_exit *x, utc_us now,
                      struct effects *fx)
{
    struct run *r = engine_running_run(e, run_id);
    if (r == NULL)
        return;
    r->row->joules += x->joules;
    if (r->adopted && paused_early(r, x->result)) { /* the daemon died before it began to go on */
        engine_run_lost(e, run_id, now, fx);
        return;
    }
    if (run_is_overdue(r) && !said_its_end(x)) {
        stop_overdue(e, r, now, fx);
        return;
    }
    if (r->row->status == RUN_RUNNING) {
        check_pause(r, x->result);
        struct outcome o = decide(r, x);
        if (o.status == RUN_PAUSED) {
            run_pause_at_rung(e, r, x->result, now, fx);
            return;
        }
        if (r->yielding && x->result == NULL) {
            yielded(e, r, now, fx);
            return;
        }
        if (o.status == RUN_FAILED &&
            (x->inherited || failure_is_retried(e, r, &o.failure, now, fx))) {
            if (o.failure.error == RUN_ERROR_PROTOCOL)
                run_repair(r, o.failure.text, now, fx);
            if (x->inherited) /* damage that is no fault of this worker */
                failure_uncount(r);
            retry(e, r, &o.failure, now, fx);
            return;
        }
        apply_outcome(r, &o, x);
    }
    finish_worker(e, r, x->result != NULL ? x->result->seconds : 0, now, fx);
}

/* --- points that are taken back --------------------------------------------------------------- */

void engine_run_anew(struct engine *e, int64_t run_id, struct effects *fx)
{
    struct run *r = engine_running_run(e, run_id);
    if (r == NULL || r->protocol_error != NULL)
        return;
    bool yielding = r->yielding, adopted = r->adopted;
    store_batch_clear_points(&fx->batch, r->row->id);
    run_forget_attempt(r);
    r->yielding = yielding;
    r->adopted = adopted;
    run_put(r, fx);
}

/* --- a daemon's start and end ---------------------------------------------------------------- */

void engine_run_lost(struct engine *e, int64_t run_id, utc_us now, struct effects *fx)
{
    struct run *r = engine_running_run(e, run_id);
    if (r == NULL)
        return;
    if (r->row->status == RUN_CANCELLED) { /* adopted, then cancelled: that was its end */
        finish_worker(e, r, 0, now, fx);
        return;
    }
    if (run_is_overdue(r)) {
        stop_overdue(e, r, now, fx);
        return;
    }
    if (r->yielding) {
        yielded(e, r, now, fx);
        return;
    }
    failure_uncount(r);
    requeue(e, r, "run_lost", "no worker and no result after a restart", now, fx);
}

void run_yield(struct run *r, struct effects *fx)
{
    if (r->row->status != RUN_RUNNING || r->yielding || run_is_leased(r))
        return;
    r->yielding = true;
    effects_add(fx, ACTION_TERM_RUN, r->row->sweep_id, r->row->id);
}

void run_resume(struct run *r, struct effects *fx)
{
    if (r->row->status != RUN_PAUSED || run_at_rung(r))
        return;
    set_status(r, RUN_QUEUED);
    run_put(r, fx);
}

/* --- cancel ---------------------------------------------------------------------------------- */

void run_cancel(struct engine *e, struct run *r, utc_us now, struct effects *fx)
{
    bool has_worker = r->row->status == RUN_RUNNING;
    set_status(r, RUN_CANCELLED);
    r->row->error = RUN_ERROR_KILLED_BY_USER;
    r->row->ended = now;
    set_text(&r->row->error_text, CANCELLED_TEXT);
    if (has_worker && run_is_leased(r)) { /* its client hears of it when it reports */
        finish_worker(e, r, 0, now, fx);
        return;
    }
    if (!has_worker) {
        settle(e, r, false, now, fx);
        return;
    }
    run_put(r, fx);
    effects_add(fx, ACTION_TERM_RUN, r->row->sweep_id, r->row->id);
}
