#include "daemon/engine/engine.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

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

/* --- restore --------------------------------------------------------------------------------- */

/* A sweep as it lies in the database: its row, and its runs by number. */
struct stored_sweep {
    const struct sweep_row *row;
    struct run_row *runs;
    size_t run_count;
};

/* A run of the trainer has settings, another task's has none. */
static int check_settings(const struct stored_sweep *in, const struct spec *spec,
                          struct errbuf *err)
{
    bool wanted = task_of(spec)->has_settings;
    for (size_t i = 0; i < in->run_count; i++)
        if ((in->runs[i].config != NULL) != wanted)
            return err_set(err, ERR_DATA, "run %" PRId64 " %s, and its task is %s", in->runs[i].id,
                           wanted ? "has no settings" : "has settings", task_of(spec)->name);
    return 0;
}

/* Bytes from the database are not trusted: 0 and the spec, or what is wrong with them. */
static int restore_check(const struct engine *e, const struct stored_sweep *in, struct spec *spec,
                         struct errbuf *err)
{
    if (engine_sweep(e, in->row->id) != NULL || in->row->spec_json == NULL)
        return err_set(err, ERR_DATA, "its row is damaged");
    for (size_t i = 0; i < in->run_count; i++) {
        const struct run_row *r = &in->runs[i];
        if (r->number != (int64_t)i || (unsigned)r->status >= RUN_STATUS_COUNT ||
            (unsigned)r->error >= RUN_ERROR_COUNT || r->until_epoch < 0 ||
            r->until_epoch > r->epochs)
            return err_set(err, ERR_DATA, "run %" PRId64 " (#%" PRId64 ") does not fit",
                           r->id, r->number);
    }
    int rc = spec_parse_text(in->row->spec_json, strlen(in->row->spec_json), spec, err);
    if (rc != 0)
        return rc;
    rc = check_settings(in, spec, err);
    if (rc != 0)
        spec_finish(spec);
    return rc;
}

/* What is known of an ended run beside its row. */
static void restore_label(struct sweep *s, size_t number, const struct store_restored *r)
{
    int64_t run_id = s->run_ids[number];
    size_t i = restored_first(r->labels, r->label_count, sizeof(*r->labels), run_id);
    if (i == r->label_count || r->labels[i].run_id != run_id)
        return;
    s->trials[number]->labelled = true;
    *trial_facts(s->trials[number]) = r->labels[i].facts;
    s->trials[number]->cause = r->labels[i].cause;
}

static void restore_rungs(const struct engine *e, const struct store_restored *r)
{
    for (size_t i = 0; i < r->rung_count; i++) {
        const struct stored_rung *rung = &r->rungs[i];
        struct sweep *s = engine_sweep(e, rung->sweep_id);
        size_t number = s != NULL ? sweep_run_number(s, rung->run_id) : TRIAL_NONE;
        if (number != TRIAL_NONE)
            rungs_restore(s, number, rung);
    }
}

static void restore_prior(struct sweep *s)
{
    struct errbuf why;
    const char *text = s->row->remedy_prior;
    if (text != NULL) /* one that cannot be read taught nothing */
        (void)remedy_prior_parse(text, &s->prior, &why);
}

static bool is_unmarked(const struct store_restored *r, int64_t run_id)
{
    size_t i = restored_first(r->unmarked, r->unmarked_count, sizeof(*r->unmarked), run_id);
    return i < r->unmarked_count && r->unmarked[i] == run_id;
}

static void restore_run(struct engine *e, struct sweep *s, struct run_row *stored,
                        const struct store_restored *restored, utc_us now)
{
    struct run_row *row = run_row_take(stored);
    if (row->status == RUN_PAUSED && row->paused_by == RUN_PAUSER_RUNG) {
        if (!s->leased)
            row->status = RUN_RUNNING; /* until its folder is read: its points must be known */
    } else if (row->status == RUN_PAUSED && s->row->status != SWEEP_PAUSED) {
        row->status = RUN_QUEUED; /* it waits for nothing but a slot */
        row->paused_by = RUN_PAUSER_NONE;
    }
    struct run *r = sweep_add_run(s, row);
    if (r != NULL)
        r->unmarked = is_unmarked(restored, stored->id);
    if (r != NULL && s->leased) {
        lease_restore(e, r, restored, now);
    } else if (r != NULL && r->row->status == RUN_RUNNING) {
        run_forget_attempt(r); /* its points come again, or it is lost */
        engine_take_slot(e, r);
    }
}

/* The others go on; this one waits for a person. Its runs are left as they are. */
static void hold_unreadable(const struct sweep_row *row, const struct errbuf *why, utc_us now,
                            struct effects *fx)
{
    struct sweep_row *held = sweep_row_copy(row);
    held->status = SWEEP_HELD;
    free(held->reason);
    held->reason = xasprintf("cannot be read from the database: %s", why->message);
    store_batch_add_event(&fx->batch, row->id, 0, "sweep_held", now, "%s", held->reason);
    store_batch_put_sweep(&fx->batch, held);
}

/* It was made when so many runs were there as now. */
static void restore_extension(struct sweep *s, const struct stored_extension *x)
{
    sweep_note_extended(s, (size_t)x->from);
    if (x->ended) { /* only the weights of its winners were left */
        struct study st = sweep_study(s);
        sweep_keep_winners(s, &st, NULL);
    }
    sweep_keep_fewer(s, NULL);
}

static void restore_extensions(struct sweep *s, const struct store_restored *r, size_t *next)
{
    for (; *next < r->extension_count; ++*next) {
        const struct stored_extension *x = &r->extensions[*next];
        if (x->sweep_id == s->row->id && x->from > (int64_t)s->run_count)
            return;
        if (x->sweep_id == s->row->id)
            restore_extension(s, x);
    }
}

/* Its specification is taken over. */
static struct sweep *restore_sweep(struct engine *e, const struct stored_sweep *in,
                                   const struct spec *spec, const struct store_restored *restored,
                                   utc_us now)
{
    struct sweep *s = sweep_create(sweep_row_copy(in->row), spec);
    size_t extension = 0;
    engine_add_sweep(e, s);
    restore_prior(s);
    deadline_restore(s);
    sweep_read_earlier(s);
    for (size_t i = 0; i < in->run_count; i++) {
        restore_extensions(s, restored, &extension);
        restore_run(e, s, &in->runs[i], restored, now);
        if (run_status_terminal(s->trials[i]->status))
            restore_label(s, i, restored);
    }
    restore_extensions(s, restored, &extension);
    failure_restore(e, s);
    return s;
}

static void restore_open(struct engine *e, const struct stored_sweep *in,
                         const struct store_restored *restored, utc_us now, struct effects *fx)
{
    struct spec spec;
    struct errbuf why = {0};
    if (restore_check(e, in, &spec, &why) != 0)
        hold_unreadable(in->row, &why, now, fx);
    else
        sweep_put_to_sleep(e, restore_sweep(e, in, &spec, restored, now));
}

int engine_reopen(struct engine *e, struct store_restored *ended, int64_t sweep_id, utc_us now,
                  struct errbuf *err)
{
    struct stored_sweep in = {.row = ended->sweeps, .runs = ended->runs,
                              .run_count = ended->run_count};
    struct spec spec;
    if (ended->sweep_count != 1 || in.row->id != sweep_id)
        return err_set(err, ERR_NOT_FOUND, "sweep %" PRId64 " was deleted", sweep_id);
    if (!sweep_status_terminal(in.row->status))
        return err_set(err, ERR_BUSY, "sweep %" PRId64 " is just ending: ask again", sweep_id);
    int rc = restore_check(e, &in, &spec, err);
    if (rc != 0)
        return rc;
    struct sweep *s = restore_sweep(e, &in, &spec, ended, now);
    struct study st = sweep_study(s);
    sweep_keep_winners(s, &st, NULL);
    restore_rungs(e, ended);
    return 0;
}

void engine_restore(struct engine *e, struct store_restored *restored, utc_us now,
                    struct effects *fx)
{
    REQUIRE(e->sweep_count == 0);
    str_copy(e->database, sizeof(e->database), restored->database);
    e->last_sweep_id = restored->last_sweep_id;
    e->last_run_id = restored->last_run_id;
    for (size_t i = 0; i < restored->run_count; i++)
        if (restored->runs[i].id > e->last_run_id)
            e->last_run_id = restored->runs[i].id;
    for (size_t i = 0, run = 0; i < restored->sweep_count; i++) {
        struct stored_sweep in = {.row = &restored->sweeps[i]};
        while (run < restored->run_count && restored->runs[run].sweep_id < in.row->id)
            run++;
        in.runs = restored->runs + run;
        while (run + in.run_count < restored->run_count &&
               in.runs[in.run_count].sweep_id == in.row->id)
            in.run_count++;
        if (in.row->id > e->last_sweep_id)
            e->last_sweep_id = in.row->id;
        restore_open(e, &in, restored, now, fx);
    }
    restore_rungs(e, restored);
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

utc_us engine_wake_at(const struct engine *e, utc_us now)
{
    const utc_us each[] = {failure_wake_at(e, now), leases_end_at(e), deadlines_next(e, now)};
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
