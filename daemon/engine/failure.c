/* What is done when an attempt has failed: who waits, and how long, before it is tried again; when
 * a run fails for good; and when so many have failed alike that a person should look first. */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define WAIT_DOUBLINGS 6 /* the longest wait is the first, doubled so often: about a minute */
#define HOLDS_AFTER 3    /* failures in a row before others wait too */
#define LAST_WORDS_BYTES 200

/* --- waiting --------------------------------------------------------------------------------- */

static utc_us longest_wait(const struct engine *e)
{
    return e->retry_us << WAIT_DOUBLINGS;
}

/* A clock that was set back must not make a minute a year. */
static bool is_before(const struct engine *e, utc_us now, utc_us until)
{
    return until > now && until - now <= longest_wait(e);
}

static utc_us wait_after(const struct engine *e, unsigned failures, utc_us now)
{
    return now + (e->retry_us << (failures < WAIT_DOUBLINGS ? failures : WAIT_DOUBLINGS));
}

/* Does everybody wait for it? One may try when the time has come, and then it is on. */
static bool is_closed(const struct engine *e, const struct backoff *b, utc_us now)
{
    return b->failures >= HOLDS_AFTER && is_before(e, now, b->until);
}

/* While one tries, the others wait for what comes of it, but no longer than the longest wait. */
static void try_one(const struct engine *e, struct backoff *b, utc_us now)
{
    if (b->failures >= HOLDS_AFTER)
        b->until = now + longest_wait(e);
}

static void fail_once(const struct engine *e, struct backoff *b, utc_us now)
{
    if (++b->failures >= HOLDS_AFTER)
        b->until = wait_after(e, b->failures - HOLDS_AFTER, now);
}

static void reopen(struct backoff *b)
{
    b->failures = 0;
    b->until = 0;
}

bool failure_run_waits(const struct engine *e, const struct run *r, utc_us now)
{
    return is_before(e, now, r->row->retry_at);
}

bool failure_launcher_waits(const struct engine *e, size_t launcher, utc_us now)
{
    return is_closed(e, &e->launchers[launcher].wait, now);
}

/* A run of it that has come further shows that its data is there again. */
static void look_for_progress(struct sweep *s)
{
    for (size_t i = 0; i < s->live_count && s->wait.failures > 0; i++) {
        const struct run *r = s->live[i];
        if (r->row->status == RUN_RUNNING && r->furthest_point > r->point_at_start)
            reopen(&s->wait);
    }
}

size_t failure_startable(const struct engine *e, struct sweep *s, utc_us now)
{
    size_t n = s->waiting;
    if (s->wait.failures >= HOLDS_AFTER)
        look_for_progress(s);
    if (n == 0 || is_closed(e, &s->wait, now))
        return 0;
    for (size_t i = 0; i < s->live_count && is_before(e, now, s->last_until); i++)
        n -= s->live[i]->row->status == RUN_QUEUED && failure_run_waits(e, s->live[i], now);
    return n > 1 && s->wait.failures >= HOLDS_AFTER ? 1 : n;
}

static void sooner(const struct engine *e, utc_us now, utc_us until, utc_us *out)
{
    if (is_before(e, now, until) && (*out == 0 || until < *out))
        *out = until;
}

utc_us failure_wake_at(const struct engine *e, utc_us now)
{
    utc_us at = 0;
    for (size_t i = 0; i < ENGINE_LAUNCHERS_MAX; i++)
        sooner(e, now, e->launchers[i].wait.until, &at);
    for (size_t i = 0; i < e->sweep_count; i++) {
        const struct sweep *s = e->sweeps[i];
        sooner(e, now, s->wait.until, &at);
        for (size_t k = 0; k < s->live_count && is_before(e, now, s->last_until); k++)
            if (s->live[k]->row->status == RUN_QUEUED)
                sooner(e, now, s->live[k]->row->retry_at, &at);
    }
    return at;
}

/* --- an attempt ------------------------------------------------------------------------------ */

void failure_begin(struct engine *e, struct run *r, utc_us now)
{
    r->point_at_start = r->furthest_point;
    r->began = now;
    try_one(e, &r->sweep->wait, now);
    try_one(e, &e->launchers[r->launcher].wait, now);
}

void failure_spawned(struct engine *e, struct run *r, utc_us now, struct effects *fx)
{
    struct backoff *b = &e->launchers[r->launcher].wait;
    if (b->failures >= HOLDS_AFTER)
        store_batch_add_event(&fx->batch, 0, 0, "launcher_released", now,
                              "a worker was started after %u failures", b->failures);
    reopen(b);
    e->launchers[r->launcher].started++;
    r->started_before++; /* others are counted, not itself */
}

static void hold_launcher(struct engine *e, const struct run *r, const char *why, utc_us now,
                          struct effects *fx)
{
    struct launcher_slots *l = &e->launchers[r->launcher];
    l->failing_run = l->wait.failures == 0 || l->failing_run == r->row->id ? r->row->id : 0;
    fail_once(e, &l->wait, now);
    str_copy(l->why, sizeof(l->why), why);
    if (l->wait.failures == HOLDS_AFTER)
        store_batch_add_event(&fx->batch, 0, 0, "launcher_held", now,
                              "%u starts in a row failed, so one run at a time is tried: %s",
                              l->wait.failures, why);
}

static void wait_where(struct engine *e, struct run *r, const struct failure *f, utc_us now,
                       struct effects *fx)
{
    if (run_error_wait(f->error) == RUN_WAIT_LAUNCHER)
        hold_launcher(e, r, f->text ? f->text : "", now, fx);
    else if (run_error_wait(f->error) == RUN_WAIT_SWEEP)
        fail_once(e, &r->sweep->wait, now);
}

/* What lies with the launcher is the run's own fault only where others have been started since, and
 * no other has failed with it. */
static bool is_to_blame(struct engine *e, struct run *r, enum run_error error)
{
    const struct launcher_slots *l = &e->launchers[r->launcher];
    if (run_error_wait(error) != RUN_WAIT_LAUNCHER)
        return true;
    if (r->row->retry_failures == 0)
        r->started_before = l->started;
    return l->started > r->started_before && l->failing_run == r->row->id;
}

void failure_uncount(struct run *r)
{
    if (r->row->attempts > 0)
        r->row->attempts--;
}

/* Its own wait. A kill from outside after some progress says nothing about the run: it goes on at
 * once, and so does one that was killed for the first time. */
static void wait_itself(struct engine *e, struct run *r, const struct failure *f, utc_us now)
{
    if (run_error_wait(f->error) == RUN_WAIT_NOBODY)
        return;
    bool went_well = r->furthest_point > r->point_at_start || now - r->began >= longest_wait(e);
    struct run_row *row = r->row;
    unsigned before = went_well ? 0 : row->retry_failures;
    row->retry_failures = before + 1;
    row->retry_for = f->error;
    if (f->error == RUN_ERROR_KILLED && before == 0)
        return;
    row->retry_at = wait_after(e, f->error == RUN_ERROR_KILLED ? before - 1 : before, now);
    if (row->retry_at > r->sweep->last_until)
        r->sweep->last_until = row->retry_at;
}

bool failure_is_retried(struct engine *e, struct run *r, const struct failure *f, utc_us now,
                        struct effects *fx)
{
    int64_t most = run_error_attempts(f->error);
    wait_where(e, r, f, now, fx);
    bool counts = most > 0 && is_to_blame(e, r, f->error);
    if (most == 1 || (counts && r->row->attempts >= most)) {
        if (run_error_wait(f->error) == RUN_WAIT_LAUNCHER)
            reopen(&e->launchers[r->launcher].wait); /* it was not the launcher's */
        return false;
    }
    if (!counts)
        failure_uncount(r);
    wait_itself(e, r, f, now);
    return true;
}

char *failure_retry_text(const struct run *r, const struct failure *f, utc_us now)
{
    double seconds = r->row->retry_at > now ? (double)(r->row->retry_at - now) * 1e-6 : 0;
    const char *name = run_error_name(f->error), *text = f->text ? f->text : "";
    return seconds > 0 ? xasprintf("%s: %s; tried again in %.3g s", name, text, seconds)
                       : xasprintf("%s: %s; tried again at once", name, text);
}

/* When it last failed: its wait was as long as its failures say. */
static utc_us failed_at(const struct engine *e, const struct run_row *row)
{
    unsigned before = row->retry_failures - 1;
    if (row->retry_for == RUN_ERROR_KILLED && before > 0)
        before--;
    return row->retry_at - wait_after(e, before, 0);
}

/* The launcher is tried at once: a restart is often what has mended it. */
void failure_restore(const struct engine *e, struct sweep *s)
{
    utc_us last = 0;
    for (size_t i = 0; i < s->live_count; i++) {
        const struct run_row *row = s->live[i]->row;
        if (row->status != RUN_QUEUED || row->retry_failures == 0)
            continue;
        if (row->retry_at > s->last_until)
            s->last_until = row->retry_at;
        if (run_error_wait(row->retry_for) != RUN_WAIT_SWEEP)
            continue;
        s->wait.failures += row->retry_failures;
        if (failed_at(e, row) > last)
            last = failed_at(e, row);
    }
    if (s->wait.failures >= HOLDS_AFTER)
        s->wait.until = wait_after(e, s->wait.failures - HOLDS_AFTER, last);
}

/* --- failures alike -------------------------------------------------------------------------- */

static int64_t most_alike(const struct sweep *s)
{
    return sweep_spec(s)->limits.has_failures ? sweep_spec(s)->limits.failures : LIMITS_FAILURES;
}

/* The last line of what a failed run said, for a sentence. */
static void last_words(const struct run_row *row, struct buf *out)
{
    const char *text = row->error_text ? row->error_text : "";
    const char *tail = row->stderr_tail ? row->stderr_tail : "";
    size_t len = strlen(tail);
    buf_printf(out, "the last, run %" PRId64 ": %.*s", row->id, LAST_WORDS_BYTES, text);
    while (len > 0 && tail[len - 1] == '\n')
        len--;
    const char *before = len > 0 ? memrchr(tail, '\n', len) : NULL;
    const char *line = before ? before + 1 : tail;
    size_t n = len - (size_t)(line - tail);
    if (n > 0)
        buf_printf(out, ": %.*s", (int)(n < LAST_WORDS_BYTES ? n : LAST_WORDS_BYTES), line);
}

static bool failed_so(const struct sweep *s, size_t number, enum run_error error)
{
    const struct trial *t = s->trials[number];
    return t->status == RUN_FAILED && t->error == error;
}

/* Runs around that one that have failed alike, without a gap between their numbers: so it does not
 * depend on who ended first. */
static size_t count_alike(const struct sweep *s, size_t number, enum run_error error)
{
    size_t from = number, to = number + 1;
    while (from > s->alike_from && failed_so(s, from - 1, error))
        from--;
    while (to < s->run_count && failed_so(s, to, error))
        to++;
    return to - from;
}

static void hold_alike(struct sweep *s, const struct run_row *row, size_t count, utc_us now,
                       struct effects *fx)
{
    struct buf reason = {0};
    buf_printf(&reason, "%zu runs in a row failed alike (%s); ", count, run_error_name(row->error));
    last_words(row, &reason);
    s->alike_from = (size_t)row->number + 1;
    sweep_set_status(s, SWEEP_HELD, reason.data, now, fx);
    buf_finish(&reason);
}

void failure_ended(const struct run *r, utc_us now, struct effects *fx)
{
    struct sweep *s = r->sweep;
    const struct run_row *row = r->row;
    bool open = s->row->status == SWEEP_RUNNING || s->row->status == SWEEP_QUEUED;
    if (row->status != RUN_CANCELLED) /* so its data was there */
        reopen(&s->wait);
    if (row->status != RUN_FAILED || !run_error_alike(row->error) || !open || s->imported ||
        r->index < s->alike_from)
        return;
    trial_update(s->trials[r->index], row);
    size_t count = most_alike(s) > 0 ? count_alike(s, r->index, row->error) : 0;
    if (count > 0 && (int64_t)count >= most_alike(s))
        hold_alike(s, row, count, now, fx);
}

/* The class of which more than half of all runs have failed; RUN_ERROR_NONE: there is none. */
static enum run_error class_of_most(const struct sweep *s)
{
    for (int k = 0; k < RUN_ERROR_COUNT; k++)
        if (run_error_alike((enum run_error)k) && 2 * s->errors[k] > s->run_count)
            return (enum run_error)k;
    return RUN_ERROR_NONE;
}

char *failure_of_most(const struct sweep *s)
{
    enum run_error k = class_of_most(s);
    if (k == RUN_ERROR_NONE || s->failures_seen)
        return NULL;
    return xasprintf(
        "%zu of %zu runs failed alike (%s), %zu completed; resume takes it as completed",
        s->errors[k], s->run_count, run_error_name(k), s->ended[RUN_COMPLETED]);
}

/* --- what waits, for people ------------------------------------------------------------------ */

static double seconds_until(const struct engine *e, utc_us now, utc_us until)
{
    return is_before(e, now, until) ? (double)(until - now) * 1e-6 : 0;
}

bool engine_launch_trouble(const struct engine *e, utc_us now, struct launch_trouble *out)
{
    for (size_t i = 0; i < ENGINE_LAUNCHERS_MAX; i++) {
        const struct launcher_slots *l = &e->launchers[i];
        if (l->wait.failures < HOLDS_AFTER)
            continue;
        *out = (struct launch_trouble){.failures = l->wait.failures,
                                       .seconds = seconds_until(e, now, l->wait.until),
                                       .why = l->why};
        return true;
    }
    return false;
}

size_t engine_delayed(const struct engine *e, utc_us now)
{
    size_t n = 0;
    for (size_t i = 0; i < e->sweep_count; i++) {
        const struct sweep *s = e->sweeps[i];
        for (size_t k = 0; k < s->live_count && is_before(e, now, s->last_until); k++)
            n += s->live[k]->row->status == RUN_QUEUED && failure_run_waits(e, s->live[k], now);
    }
    return n;
}

void engine_write_delayed(const struct engine *e, int64_t sweep_id, utc_us now,
                          struct json_writer *w)
{
    const struct sweep *s = engine_sweep(e, sweep_id);
    jw_begin_array(w);
    for (size_t i = 0; s != NULL && i < s->live_count; i++) {
        const struct run *r = s->live[i];
        if (r->row->status != RUN_QUEUED || !failure_run_waits(e, r, now))
            continue;
        jw_begin_object(w);
        jw_kv_int(w, "run", r->row->id);
        jw_kv_int(w, "number", r->row->number);
        jw_kv_string(w, "error", run_error_name(r->row->retry_for));
        jw_kv_int(w, "failures", (int64_t)r->row->retry_failures);
        jw_kv_real(w, "seconds", seconds_until(e, now, r->row->retry_at));
        jw_end_object(w);
    }
    jw_end_array(w);
}
