#include "tests/unit/launch/paper.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/launch/rundir.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/record.h"

/* --- the launcher ---------------------------------------------------------------------------- */

static struct desk *desk_of(const struct launcher *l)
{
    return l->site->arg;
}

static struct launcher *paper_create(void)
{
    return xcalloc(1, sizeof(struct launcher));
}

static void paper_close(struct launcher *l)
{
    desk_of(l)->closed++;
}

static void paper_destroy(struct launcher *l)
{
    free(l);
}

static size_t paper_capacity(const struct launcher *l)
{
    return PAPER_WORKERS;
}

static bool paper_knows(const char *handle)
{
    return strncmp(handle, "paper-", 6) == 0;
}

static struct paper_worker *paper_worker(struct launcher *l, const struct worker_place *at)
{
    struct desk *d = desk_of(l);
    assert_true(d->worker_count < PAPER_WORKERS);
    struct paper_worker *w = &d->workers[d->worker_count++];
    *w = (struct paper_worker){.base.launcher = l, .at = *at, .out = -1, .lives = true};
    return w;
}

static int paper_start(struct launcher *l, const struct worker_place *at, struct worker **out,
                       struct errbuf *err)
{
    if (desk_of(l)->refuses)
        return err_set(err, ERR_IO, "no paper");
    struct paper_worker *w = paper_worker(l, at);
    w->out = dup(at->dir->out);
    snprintf(w->base.handle, sizeof(w->base.handle), "paper-%" PRId64, at->run_id);
    *out = &w->base;
    return 0;
}

static struct worker *paper_adopt(struct launcher *l, const struct worker_place *at,
                                  const char *handle)
{
    struct desk *d = desk_of(l);
    if (!d->living || strcmp(d->living, handle) != 0)
        return NULL;
    return &paper_worker(l, at)->base;
}

static void paper_introduced(struct worker *base, const struct record_start *said)
{
    ((struct paper_worker *)base)->introduced = said->pid;
}

static bool paper_alive(struct worker *base)
{
    return ((struct paper_worker *)base)->lives;
}

static bool paper_signal(struct worker *base, int signal)
{
    struct paper_worker *w = (struct paper_worker *)base;
    size_t len = strlen(w->signals);
    if (w->deaf)
        return false;
    snprintf(w->signals + len, sizeof(w->signals) - len, "%d ", signal);
    return true;
}

static bool paper_usage(struct worker *base, struct usage *out)
{
    const struct desk *d = desk_of(base->launcher);
    *out = d->usage;
    return d->usage_known;
}

static uint64_t paper_oom_kills(struct launcher *l, bool lately)
{
    return desk_of(l)->oom_kills;
}

static void paper_release(struct worker *base)
{
    struct paper_worker *w = (struct paper_worker *)base;
    assert_false(w->released || w->lives);
    w->released = true;
    if (w->out >= 0)
        close(w->out);
}

const struct launcher_type launcher_paper = {
    .name = "paper",
    .create = paper_create,
    .close = paper_close,
    .destroy = paper_destroy,
    .capacity = paper_capacity,
    .knows = paper_knows,
    .start = paper_start,
    .adopt = paper_adopt,
    .introduced = paper_introduced,
    .alive = paper_alive,
    .signal = paper_signal,
    .usage = paper_usage,
    .oom_kills = paper_oom_kills,
    .release = paper_release,
};

void desk_end(struct paper_worker *w, int64_t status, int signal)
{
    w->lives = false;
    w->base.has_exit = true;
    w->base.exit_status = status;
    w->base.exit_signal = signal;
    w->at.ended(w->at.arg);
}

/* --- the engine ------------------------------------------------------------------------------ */

static void note(struct engine *e, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void note(struct engine *e, const char *fmt, ...)
{
    struct desk *d = (struct desk *)e;
    size_t len = strlen(d->told);
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(d->told + len, sizeof(d->told) - len, fmt, ap);
    va_end(ap);
    str_copy(d->told + strlen(d->told), sizeof(d->told) - strlen(d->told), " | ");
}

void engine_run_spawned(struct engine *e, int64_t run_id, const char *handle, utc_us now,
                        struct effects *fx)
{
    note(e, "spawned %" PRId64 " %s", run_id, handle);
}

void engine_run_devices(struct engine *e, int64_t run_id, char *const *names, size_t count)
{
    (void)e;
    (void)run_id;
    (void)names;
    (void)count;
}

void engine_run_adopted(struct engine *e, int64_t run_id, size_t launcher, utc_us now,
                        struct effects *fx)
{
    note(e, "adopted %" PRId64 " by %zu", run_id, launcher);
}

void engine_run_lost(struct engine *e, int64_t run_id, utc_us now, struct effects *fx)
{
    note(e, "lost %" PRId64, run_id);
}

void engine_run_start_line(struct engine *e, int64_t run_id, const struct record_start *s)
{
    note(e, "start %" PRId64 " from %" PRId64, run_id, s->resumed_point);
}

void engine_run_anew(struct engine *e, int64_t run_id, struct effects *fx)
{
    note(e, "anew %" PRId64, run_id);
}

size_t engine_run_points(struct engine *e, int64_t run_id, const struct point *p, size_t count,
                         utc_us now, struct effects *fx)
{
    struct desk *d = (struct desk *)e;
    size_t taken = 0;
    while (taken < count && (d->refuses_point == 0 || p[taken].point != d->refuses_point))
        taken++;
    if (d->last_point[run_id % DESK_RUNS] < p[0].point)
        d->last_point[run_id % DESK_RUNS] = p[count - 1].point;
    if (!d->is_quiet)
        note(e, "points %" PRId64 " %" PRId64 "-%" PRId64, run_id, p[0].point, p[count - 1].point);
    return taken;
}

void engine_run_note(struct engine *e, int64_t run_id, const char *kind, const char *text,
                     utc_us now, struct effects *fx)
{
    note(e, "%s %" PRId64 " %s", kind, run_id, text);
}

enum run_known engine_run_owner(const struct engine *e, int64_t run_id, struct run_owner *out)
{
    const struct desk *d = (const struct desk *)e;
    *out = d->owner;
    return d->known;
}

void engine_run_layers(struct engine *e, int64_t run_id, const struct layer_stats *s,
                       struct effects *fx)
{
    note(e, "layers %" PRId64 " %" PRId64, run_id, s->point);
}

void engine_run_metrics(struct engine *e, int64_t run_id, struct point_metrics *const *m, size_t n,
                        struct effects *fx)
{
    note(e, "metrics %" PRId64 " %zu", run_id, n);
}

void engine_run_ended(struct engine *e, int64_t run_id, const struct run_exit *x, utc_us now,
                      struct effects *fx)
{
    ((struct desk *)e)->inherited = x->inherited;
    if (x->result)
        note(e, "result %" PRId64 " %s%s%s", run_id, run_status_name(x->result->status),
             x->result->error ? " " : "", run_error_name(x->result->error));
    else
        note(e, "ended %" PRId64 " %s signal %d: %s", run_id, run_error_name(x->error), x->signal,
             x->text);
}

/* --- the desk -------------------------------------------------------------------------------- */

static bool is_congested(void *arg)
{
    return ((struct desk *)arg)->congested;
}

int desk_setup(void **state)
{
    struct desk *d = xcalloc(1, sizeof(*d));
    d->uv = xcalloc(1, sizeof(*d->uv));
    d->loop.uv = d->uv;
    snprintf(d->runs, sizeof(d->runs), "/tmp/test-slot-XXXXXX");
    d->site = (struct launch_site){.loop = &d->loop,
                                   .engine = (struct engine *)d,
                                   .runs_dir = d->runs,
                                   .worker = "/bin/false",
                                   .workers = 2,
                                   .congested = is_congested,
                                   .arg = d};
    *state = d;
    return uv_loop_init(d->uv) != 0 || mkdtemp(d->runs) == NULL;
}

int desk_teardown(void **state)
{
    struct desk *d = *state;
    char command[96];
    uv_run(d->uv, UV_RUN_DEFAULT);
    int rc = uv_loop_close(d->uv);
    snprintf(command, sizeof(command), "rm -rf '%s'", d->runs);
    rc |= system(command);
    free(d->uv);
    free(d);
    return rc;
}

void desk_write(struct paper_worker *w, const char *text)
{
    assert_int_equal(write(w->out, text, strlen(text)), strlen(text));
}

void desk_leave(struct desk *d, int64_t run_id, const char *text)
{
    struct rundir dir;
    struct errbuf err;
    const struct rundir_place at = {d->runs, run_id, NULL};
    assert_int_equal(rundir_create(&dir, &at, PAPER_CONFIG, &err), 0);
    assert_int_equal(write(dir.out, text, strlen(text)), strlen(text));
    rundir_close(&dir);
}
