#include "daemon/daemon.h"

#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/serve/dispatch.h"
#include "daemon/environment.h"
#include "daemon/serve/events.h"
#include "daemon/launch/pool.h"
#include "daemon/launch/prepare.h"
#include "daemon/serve/request.h"
#include "daemon/launch/rundir.h"
#include "daemon/serve/server.h"
#include "daemon/serve/cmd/wait.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/require.h"

#define LOG_MODULE "daemon"
#define CHECK_INTERVAL_MS 10000

struct daemon_handles {
    uv_loop_t loop;
    uv_prepare_t before_poll; /* both flush: timers run before the one, */
    uv_check_t after_poll;    /* everything else before the other */
    uv_timer_t check_timer;
    uv_signal_t term, interrupt;
    unsigned signals;         /* TERM and INT so far */
    bool closing;
};

utc_us daemon_now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_REALTIME, &t);
    return (utc_us)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static uint64_t monotonic_ms(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000 + (uint64_t)t.tv_nsec / 1000000;
}

int64_t daemon_uptime_seconds(const struct daemon *d)
{
    return (int64_t)((monotonic_ms() - d->started_ms) / 1000);
}

/* --- actions -------------------------------------------------------------------------------- */

static void act_start(struct daemon *d, struct action *a)
{
    pool_start(d->pool, a->run_id, a->config);
}

static void act_term(struct daemon *d, struct action *a)
{
    pool_term(d->pool, a->run_id);
}

static void act_drop_checkpoint(struct daemon *d, struct action *a)
{
    rundir_drop_checkpoint(d->runs_dir, a->run_id);
}

static void act_drop_weights(struct daemon *d, struct action *a)
{
    rundir_drop_weights(d->runs_dir, a->run_id);
}

static void act_delete_runs(struct daemon *d, struct action *a)
{
    rundir_remove(d->loop, d->runs_dir, a->run_ids, a->run_id_count);
}

static void act_notify(struct daemon *d, struct action *a)
{
    events_notify(d->events, a->sweep_id, a->method, a->json);
}

static void act_reply(struct daemon *d, struct action *a)
{
    struct request *r = request_of_token(d->requests, a->token);
    if (!r)
        return; /* the client is gone */
    if (a->error)
        request_error(r, a->error);
    else
        request_result(r, a->json);
}

static void act_wake_waiters(struct daemon *d, struct action *a)
{
    wait_wake(d, a->sweep_id);
}

static void (*const act[])(struct daemon *d, struct action *a) = {
    [ACTION_START_RUN] = act_start,
    [ACTION_TERM_RUN] = act_term,
    [ACTION_DROP_CHECKPOINT] = act_drop_checkpoint,
    [ACTION_DROP_WEIGHTS] = act_drop_weights,
    [ACTION_DELETE_RUNS] = act_delete_runs,
    [ACTION_NOTIFY] = act_notify,
    [ACTION_REPLY] = act_reply,
    [ACTION_WAKE_WAITERS] = act_wake_waiters,
};

struct applied {
    struct daemon *daemon;
    size_t count;
    struct action *actions;
};

static void on_durable(void *arg)
{
    struct applied *a = arg;
    a->daemon->applying--;
    a->daemon->dirty |= a->daemon->stopping; /* it may have been the last */
    for (size_t i = 0; i < a->count; i++) {
        act[a->actions[i].type](a->daemon, &a->actions[i]);
        action_finish(&a->actions[i]);
    }
    free(a->actions);
    free(a);
}

void daemon_apply(struct daemon *d, struct effects *fx)
{
    if (fx->batch.count == 0 && fx->action_count == 0)
        return;
    struct applied *a = xmalloc(sizeof(*a));
    a->daemon = d;
    a->count = fx->action_count;
    a->actions = fx->actions;
    fx->actions = NULL;
    fx->action_count = fx->action_cap = 0;
    d->applying++;
    /* Also without rows: it keeps its place behind the batches before it. */
    store_submit(d->store, &fx->batch, on_durable, a);
}

struct effects *daemon_effects(struct daemon *d)
{
    d->dirty = true;
    return &d->effects;
}

/* --- the end -------------------------------------------------------------------------------- */

void daemon_stop(struct daemon *d, bool drain)
{
    d->stopping = true;
    prepare_stop(d->prepare);
    log_info("ending: %zu runs are running%s", engine_running(d->engine),
             drain ? ", which may finish" : "");
    engine_shutdown(d->engine, drain, daemon_now(), daemon_effects(d));
}

/* SIGTERM and SIGINT are for the loop's thread. They wait until its handlers are there (threads
 * begun before that never take them), and again while the handlers go, when libuv sets the
 * default action for a moment. */
static void signals_wait(bool wait)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    pthread_sigmask(wait ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

static void close_handles(struct daemon *d)
{
    struct daemon_handles *h = d->handles;
    signals_wait(true);
    uv_close((uv_handle_t *)&h->before_poll, NULL);
    uv_close((uv_handle_t *)&h->after_poll, NULL);
    uv_close((uv_handle_t *)&h->check_timer, NULL);
    uv_close((uv_handle_t *)&h->term, NULL);
    uv_close((uv_handle_t *)&h->interrupt, NULL);
    /* The end is certain now: a late signal must not turn it into a death by signal. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
}

/* Everything that ran has ended and is written: the loop runs out after this. */
static void begin_close(struct daemon *d)
{
    struct errbuf err;
    d->handles->closing = true;
    err_set(&err, ERR_SHUTDOWN, "the daemon is ending");
    requests_fail_all(d->requests, &err);
    server_close(d->server);
    pool_close(d->pool);
    close_handles(d);
    store_close(d->store, NULL, NULL);
}

static bool may_close(const struct daemon *d)
{
    return d->stopping && !d->handles->closing && d->applying == 0 &&
           engine_running(d->engine) == 0 && pool_active(d->pool) == 0 &&
           prepare_active(d->prepare) == 0;
}

/* Once per turn of the loop: what happened in it becomes one batch. */
static void daemon_flush(struct daemon *d)
{
    if (!d->dirty)
        return;
    d->dirty = false;
    engine_schedule(d->engine, daemon_now(), &d->effects);
    daemon_apply(d, &d->effects);
    if (may_close(d))
        begin_close(d);
}

/* --- handles -------------------------------------------------------------------------------- */

static void on_before_poll(uv_prepare_t *handle)
{
    daemon_flush(handle->data);
}

static void on_after_poll(uv_check_t *handle)
{
    daemon_flush(handle->data);
}

static void on_check_timer(uv_timer_t *timer)
{
    struct daemon *d = timer->data;
    server_check(d->server);
    /* An orderly end needs commits. Where there are none to be had, this is a crash as good as any:
     * a restart continues from what is durable and adopts the workers. */
    if (d->stopping && *store_trouble(d->store)) {
        log_error("ending although the database cannot be written: %s", store_trouble(d->store));
        _exit(1);
    }
}

/* The first ends in order, the second kills what still runs, the third gives up waiting for a
 * database that cannot be written: a restart continues from what is durable. */
static void on_signal(uv_signal_t *handle, int signal)
{
    struct daemon *d = handle->data;
    unsigned n = ++d->handles->signals;
    log_info("signal %d (%s)", signal, strsignal(signal));
    if (n > 2)
        _exit(1);
    if (!d->stopping || n == 2)
        daemon_stop(d, false);
    if (n == 2)
        pool_kill_all(d->pool);
}

static void open_handles(struct daemon *d)
{
    struct daemon_handles *h = d->handles;
    int rc = uv_prepare_init(d->loop, &h->before_poll) | uv_check_init(d->loop, &h->after_poll) |
             uv_timer_init(d->loop, &h->check_timer) | uv_signal_init(d->loop, &h->term) |
             uv_signal_init(d->loop, &h->interrupt);
    REQUIRE(rc == 0);
    h->before_poll.data = h->after_poll.data = h->check_timer.data = d;
    h->term.data = h->interrupt.data = d;
    uv_prepare_start(&h->before_poll, on_before_poll);
    uv_check_start(&h->after_poll, on_after_poll);
    uv_timer_start(&h->check_timer, on_check_timer, CHECK_INTERVAL_MS, CHECK_INTERVAL_MS);
    uv_signal_start(&h->term, on_signal, SIGTERM);
    uv_signal_start(&h->interrupt, on_signal, SIGINT);
}

/* --- the beginning -------------------------------------------------------------------------- */

/* Cancelled runs whose workers a killed daemon had no time to end. The engine knows them no more
 * (they are terminal), so their lines are read to no effect. */
static void end_cancelled(void *arg, const struct table *t, const struct errbuf *err)
{
    struct daemon *d = arg;
    for (size_t i = 0; t && i < t->rows; i++) {
        int64_t run_id = table_cell(t, i, "run_id")->integer;
        rundir_drop_checkpoint(d->runs_dir, run_id);
        pool_adopt(d->pool, run_id);
        pool_term(d->pool, run_id);
    }
}

static void adopt_runs(struct daemon *d)
{
    size_t count = engine_running(d->engine);
    int64_t *ids = xcalloc(count + 1, sizeof(*ids));
    count = engine_running_ids(d->engine, ids, count);
    for (size_t i = 0; i < count; i++)
        pool_adopt(d->pool, ids[i]);
    free(ids);
    store_query(d->store, STORE_QUERY_UNENDED, NULL, 0, end_cancelled, d);
    d->dirty = true;
}

static void create_parts(struct daemon *d)
{
    d->events = events_create();
    d->requests = requests_create();
    d->pool = pool_create(d);
    d->prepare = prepare_create(d);
    d->server = server_create(d);
    open_handles(d);
}

static void destroy_parts(struct daemon *d)
{
    int rc = uv_loop_close(d->loop);
    REQUIRE(rc == 0); /* no handle was left open */
    effects_finish(&d->effects);
    requests_destroy(d->requests);
    events_destroy(d->events);
    prepare_destroy(d->prepare);
    pool_destroy(d->pool);
    server_destroy(d->server);
    engine_destroy(d->engine);
    environment_destroy(d->environment);
}

/* What can be refused, before anything is begun. On success the store is open. */
static int open_state(struct daemon *d, struct errbuf *err)
{
    struct store_restored restored = {0};
    int rc;
    if ((rc = paths_runs(d->runs_dir, d->config->db, err)) < 0 ||
        (rc = paths_make_parent(d->config->db, 0700, err)) < 0 ||
        (rc = store_open(d->loop, d->config->db, &d->store, &restored, err)) < 0)
        return rc;
    if ((rc = paths_make_dirs(d->runs_dir, 0700, err)) == 0 &&
        (rc = prepare_blas(d->config->worker, &d->environment, d->core, d->blas, err)) == 0) {
        d->engine = engine_create(d->config->workers, d->runs_dir);
        engine_set_checkpoint_seconds(d->engine, (double)d->config->checkpoint_seconds);
        engine_restore(d->engine, &restored, daemon_now(), &d->effects);
    }
    store_restored_finish(&restored);
    return rc;
}

static void run_loop(struct daemon *d)
{
    log_info("ready: socket %s, database %s, workers %zu, BLAS %s (%s)", d->config->socket,
             d->config->db, d->config->workers, d->core[0] ? d->core : "unknown core",
             d->blas[0] ? d->blas : "unknown library");
    uv_run(d->loop, UV_RUN_DEFAULT);
    log_info("ended");
}

int daemon_run(const struct config *config, struct errbuf *err)
{
    struct daemon_handles handles = {0};
    struct daemon d = {.config = config, .loop = &handles.loop, .handles = &handles};
    umask(077);
    signal(SIGPIPE, SIG_IGN); /* a client that went away is an error code */
    signal(SIGHUP, SIG_IGN);  /* the terminal's end is not ours */
    d.started_ms = monotonic_ms();
    signals_wait(true);
    int rc = uv_loop_init(d.loop);
    REQUIRE(rc == 0);
    rc = open_state(&d, err);
    if (rc < 0) {
        if (d.store)
            store_close(d.store, NULL, NULL);
        uv_run(d.loop, UV_RUN_DEFAULT);
        destroy_parts(&d);
        return rc;
    }
    create_parts(&d);
    signals_wait(false);
    /* Before anything is begun or adopted, so that a refusal leaves living workers alone. */
    rc = server_listen(d.server, err);
    if (rc == 0) {
        adopt_runs(&d);
        run_loop(&d);
    } else {
        begin_close(&d);
        uv_run(d.loop, UV_RUN_DEFAULT);
    }
    destroy_parts(&d);
    return rc;
}
