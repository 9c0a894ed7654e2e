#include "daemon/engine/engine.h"

#include <stdlib.h>

#include "daemon/engine/private.h"
#include "daemon/engine/queue.h"
#include "sweep/buf.h"
#include "sweep/require.h"
#include "sweep/run_config.h"

struct engine *engine_create(const char *runs_dir)
{
    struct engine *e = xcalloc(1, sizeof(*e));
    e->runs_dir = xstrdup(runs_dir);
    e->checkpoint_seconds = RUN_CHECKPOINT_SECONDS;
    engine_set_retry_seconds(e, 1);
    return e;
}

void engine_set_capacity(struct engine *e, size_t launcher, size_t slots)
{
    REQUIRE(launcher < ENGINE_LAUNCHERS_MAX);
    e->launchers[launcher].slots = slots;
}

void engine_set_sweep_slots(struct engine *e, int64_t sweep_id, size_t slots)
{
    struct sweep *s = engine_sweep(e, sweep_id);
    if (s != NULL)
        s->own_slots = slots;
}

void engine_set_checkpoint_seconds(struct engine *e, double seconds)
{
    e->checkpoint_seconds = seconds;
}

void engine_set_retry_seconds(struct engine *e, double seconds)
{
    e->retry_us = (utc_us)(seconds * 1e6);
}

void engine_set_limits(struct engine *e, const struct run_limits *limits)
{
    e->limits = *limits;
}

void engine_destroy(struct engine *e)
{
    if (e == NULL)
        return;
    for (size_t i = 0; i < e->sweep_count; i++)
        sweep_destroy(e->sweeps[i]);
    imports_forget(e);
    free(e->sweeps);
    free(e->running);
    for (size_t i = 0; i < ENGINE_LAUNCHERS_MAX; i++)
        free(e->launchers[i].resources);
    free(e->runs_dir);
    free(e);
}

/* --- schedule -------------------------------------------------------------------------------- */

/* By number: runs that were begun, and paused or lost, come before those that were not. */
static struct run *first_waiting(const struct engine *e, const struct sweep *s, utc_us now)
{
    for (size_t i = 0; i < s->live_count; i++)
        if (s->live[i]->row->status == RUN_QUEUED && !failure_run_waits(e, s->live[i], now))
            return s->live[i];
    return NULL;
}

/* The first launcher with a free slot; ENGINE_LAUNCHERS_MAX: there is none. */
static size_t free_launcher(const struct engine *e, utc_us now)
{
    size_t i = 0;
    while (i < ENGINE_LAUNCHERS_MAX &&
           (e->launchers[i].taken >= e->launchers[i].slots || failure_launcher_waits(e, i, now)))
        i++;
    return i;
}

/* Runs that workers of ours may begin. */
static size_t startable(const struct engine *e, struct sweep *s, utc_us now)
{
    if (s->leased || !sweep_may_start(e, s))
        return 0;
    return failure_startable(e, s, now);
}

/* A slot of its own, where its specification names a launcher. */
static bool has_own_slot(const struct engine *e, const struct sweep *s, utc_us now)
{
    return s->launcher != 0 && s->running < s->own_slots &&
           !failure_launcher_waits(e, s->launcher, now);
}

static bool any_own_slot(const struct engine *e, utc_us now)
{
    for (size_t i = 0; i < e->sweep_count; i++)
        if (has_own_slot(e, e->sweeps[i], now))
            return true;
    return false;
}

/* Sweeps for whose runs there is no slot at the moment wait no longer. */
static void leave_out_full(const struct engine *e, struct queue_entry *entries, utc_us now)
{
    bool full = e->shut || free_launcher(e, now) == ENGINE_LAUNCHERS_MAX;
    for (size_t i = 0; i < e->sweep_count; i++) {
        const struct sweep *s = e->sweeps[i];
        if (s->launcher != 0 ? !has_own_slot(e, s, now) : full)
            entries[i].waiting = 0;
    }
}

static void fill_slots(struct engine *e, utc_us now, struct effects *fx)
{
    struct queue_entry *entries = xcalloc(e->sweep_count, sizeof(*entries));
    struct resource_claims claims = {{0}};
    for (size_t i = 0; i < e->sweep_count; i++) {
        struct sweep *s = e->sweeps[i];
        entries[i] =
            (struct queue_entry){.sweep_id = s->row->id,
                                 .priority = s->row->priority,
                                 .running = s->running,
                                 .served = s->served,
                                 .waiting = startable(e, s, now)};
    }
    for (;;) {
        leave_out_full(e, entries, now);
        size_t i = queue_pick(entries, e->sweep_count);
        if (i == QUEUE_NONE)
            break;
        struct sweep *s = e->sweeps[i];
        size_t launcher = s->launcher != 0 ? s->launcher : free_launcher(e, now);
        if (!needs_met(e, launcher, s, &claims, now, fx)) {
            entries[i].waiting = 0;
            continue;
        }
        struct run *r = first_waiting(e, s, now);
        REQUIRE(r != NULL);
        entries[i].served = s->served = ++e->starts;
        entries[i].running++;
        entries[i].waiting--;
        r->launcher = launcher;
        run_start(e, r, now, fx);
    }
    free(entries);
}

/* A step may call for the next one: all that it planned may have been skipped. 0: none does. */
static utc_us step_at(const struct engine *e, utc_us now)
{
    for (size_t i = 0; i < e->sweep_count; i++)
        if (e->sweeps[i]->due && e->sweeps[i]->row->status != SWEEP_HELD)
            return now + 1;
    return 0;
}

utc_us engine_wake_at(const struct engine *e, utc_us now)
{
    const utc_us each[] = {failure_wake_at(e, now), leases_end_at(e), deadlines_next(e, now),
                           step_at(e, now)};
    utc_us first = 0;
    for (size_t i = 0; i < ARRAY_LEN(each); i++)
        if (each[i] != 0 && (first == 0 || each[i] < first))
            first = each[i];
    return first;
}

void engine_schedule(struct engine *e, utc_us now, struct effects *fx)
{
    /* A barrier can lie before a restart: then nobody ends, and this is the place to go on. */
    leases_end(e, now, fx);
    deadlines_due(e, now);
    for (size_t i = e->sweep_count; i-- > 0;) {
        size_t open = e->sweep_count;
        struct sweep *s = e->sweeps[i];
        sweep_step(e, s, now, fx);
        if (e->sweep_count == open) /* it is still there */
            sweep_put_to_sleep(e, s);
    }
    if (!e->stopping && e->sweep_count > 0 &&
        ((!e->shut && free_launcher(e, now) < ENGINE_LAUNCHERS_MAX) || any_own_slot(e, now)))
        fill_slots(e, now, fx);
    engine_put_to_sleep(e);
}

void engine_shutdown(struct engine *e, bool drain, utc_us now, struct effects *fx)
{
    (void)now;
    e->stopping = true;
    e->leaves = !drain;
    for (size_t i = 0; i < e->running_count && !drain; i++)
        if (task_resumes(sweep_spec(e->running[i]->sweep)))
            run_yield(e->running[i], fx);
}

size_t engine_left(const struct engine *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->running_count && e->leaves; i++) {
        const struct run *r = e->running[i];
        n += r->row->status == RUN_RUNNING && !r->yielding && !run_is_leased(r) &&
             !task_resumes(sweep_spec(r->sweep));
    }
    return n;
}

void engine_hold_sweep(struct engine *e, int64_t sweep_id, const char *why, utc_us now,
                       struct effects *fx)
{
    struct sweep *s = engine_sweep(e, sweep_id);
    if (s != NULL && sweep_status_may(s->row->status, SWEEP_HELD))
        sweep_set_status(s, SWEEP_HELD, why, now, fx);
}

void engine_set_gate(struct engine *e, bool open, bool pause, struct effects *fx)
{
    e->shut = !open;
    for (size_t i = 0; i < e->running_count && pause; i++)
        if (e->running[i]->sweep->launcher == 0 && task_resumes(sweep_spec(e->running[i]->sweep)))
            run_yield(e->running[i], fx);
}

/* --- queries --------------------------------------------------------------------------------- */

size_t engine_leased(const struct engine *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->running_count; i++)
        n += run_is_leased(e->running[i]);
    return n;
}

size_t engine_running(const struct engine *e)
{
    return e->running_count - engine_leased(e);
}

size_t engine_queued(const struct engine *e)
{
    size_t n = 0;
    for (size_t i = 0; i < e->sweep_count; i++)
        n += e->sweeps[i]->waiting;
    return n;
}

size_t engine_placed(const struct engine *e, size_t launcher, utc_us now, struct placed_sweep *out,
                     size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < e->sweep_count; i++) {
        struct sweep *s = e->sweeps[i];
        if (s->launcher != launcher)
            continue;
        if (n++ >= max)
            continue;
        out[n - 1] = (struct placed_sweep){.id = s->row->id,
                                           .status = s->row->status,
                                           .running = s->running,
                                           .waiting = startable(e, s, now)};
    }
    return n;
}

size_t engine_run_launcher(const struct engine *e, int64_t run_id)
{
    const struct run *r = engine_running_run(e, run_id);
    return r == NULL ? 0 : r->sweep->launcher;
}

int64_t engine_run_sweep(const struct engine *e, int64_t run_id)
{
    const struct run *r = engine_running_run(e, run_id);
    return r == NULL ? 0 : r->row->sweep_id;
}

bool engine_sweep_open(const struct engine *e, int64_t sweep_id, enum sweep_status *status,
                       const char **reason)
{
    const struct sweep *s = engine_sweep(e, sweep_id);
    if (s == NULL)
        return false;
    if (status != NULL)
        *status = s->row->status;
    if (reason != NULL)
        *reason = s->row->reason;
    return true;
}

size_t engine_running_ids(const struct engine *e, int64_t *out, size_t max)
{
    size_t n = 0;
    for (size_t i = 0; i < e->running_count && n < max; i++)
        if (!run_is_leased(e->running[i]))
            out[n++] = e->running[i]->row->id;
    return n;
}

const char *engine_run_handle(const struct engine *e, int64_t run_id)
{
    const struct run *r = engine_running_run(e, run_id);
    return r != NULL && r->row->handle != NULL ? r->row->handle : "";
}
