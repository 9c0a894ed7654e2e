#include "daemon/daemon.h"

#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/engine/resources.h"
#include "daemon/launch/environment.h"
#include "daemon/launch/gate.h"
#include "daemon/launch/hook.h"
#include "daemon/launch/inhibitor.h"
#include "daemon/launch/launchers.h"
#include "daemon/launch/machine.h"
#include "daemon/launch/pool.h"
#include "daemon/launch/prepare.h"
#include "daemon/launch/rundir.h"
#include "daemon/launch/strays.h"
#include "daemon/serve/events.h"
#include "daemon/serve/notify.h"
#include "daemon/serve/request.h"
#include "daemon/serve/server.h"
#include "daemon/sweepd.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/require.h"

#define LOG_MODULE "daemon"
#define CHECK_INTERVAL_MS 5000
/* Above so much work that waits for its commit no more is read: some 50 ms of the store's, and 10
 * MiB of memory. */
#define WAITING_ROWS_HIGH 16384

/* --- the end -------------------------------------------------------------------------------- */

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

static void no_work(uv_work_t *work)
{
    /* a thread that takes it is there */
}

/* The first work begins libuv's threads: now, so that they never take those signals. */
static void begin_pool(struct sweepd *d)
{
    uv_queue_work(&d->loop, &d->first_work, no_work, NULL);
}

static void close_handles(struct sweepd *d)
{
    signals_wait(true);
    uv_close((uv_handle_t *)&d->before_poll, NULL);
    uv_close((uv_handle_t *)&d->after_poll, NULL);
    uv_close((uv_handle_t *)&d->check_timer, NULL);
    uv_close((uv_handle_t *)&d->wake_timer, NULL);
    sweepd_close_actions(d);
    uv_close((uv_handle_t *)&d->term, NULL);
    uv_close((uv_handle_t *)&d->interrupt, NULL);
    /* The end is certain now: a late signal must not turn it into a death by signal. */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
}

/* Everything that ran has ended and is written, or runs on without us: the loop runs out after
 * this. */
static void begin_close(struct sweepd *d)
{
    struct errbuf err;
    d->closing = true;
    err_set(&err, ERR_SHUTDOWN, "the daemon is ending");
    requests_fail_all(d->shared.requests, &err);
    server_close(d->server);
    notify_stop(d->notify);
    hook_destroy(d->hook);
    inhibitor_destroy(d->inhibitor);
    pool_close(d->pool);
    close_handles(d);
    store_close(d->shared.store, NULL, NULL);
}

static bool may_close(struct sweepd *d)
{
    if (!d->shared.stopping || d->closing || d->applying > 0)
        return false;
    size_t left = engine_left(d->shared.engine) + pool_cut_off(d->pool);
    return engine_running(d->shared.engine) == left && pool_active(d->pool) == left &&
           prepare_active(d->shared.prepare) == 0 && !d->shared.relabelling &&
           !d->shared.importing && !pool_busy(d->pool);
}

static void on_wake_timer(uv_timer_t *timer)
{
    struct sweepd *d = timer->data;
    d->shared.loop.dirty = true;
}

/* The engine knows no clock: it is called again when a wait is over. seen: the time that it went
 * by; what has become due since then has not been looked at. */
static void arm_wake_timer(struct sweepd *d, utc_us seen)
{
    utc_us at = engine_wake_at(d->shared.engine, seen), now = loop_now();
    if (at > seen)
        uv_timer_start(&d->wake_timer, on_wake_timer,
                       at > now ? (uint64_t)(at - now) / 1000 + 1 : 0, 0);
}

/* Once per turn of the loop: what happened in it becomes one batch. */
static void flush(struct sweepd *d)
{
    struct loop *loop = &d->shared.loop;
    if (!loop->dirty)
        return;
    loop->dirty = false;
    d->untrimmed = true;
    utc_us now = loop_now();
    engine_schedule(d->shared.engine, now, &loop->effects);
    sweepd_apply(d, &loop->effects);
    pool_look(d->pool);
    if (d->shared.stopping)
        pool_stop(d->pool);
    if (may_close(d))
        begin_close(d);
    else if (!d->closing)
        arm_wake_timer(d, now);
}

/* --- handles -------------------------------------------------------------------------------- */

static void on_before_poll(uv_prepare_t *handle)
{
    flush(handle->data);
}

static void on_after_poll(uv_check_t *handle)
{
    flush(handle->data);
}

/* What a sweep took is given back to the system once nothing runs. */
static void trim_memory(struct sweepd *d)
{
    if (!d->untrimmed || engine_running(d->shared.engine) > 0 || d->applying > 0)
        return;
    d->untrimmed = false;
#ifdef __GLIBC__
    malloc_trim(0);
#endif
}

/* When the gate opens or closes, that is an event. */
static void note_gate(struct sweepd *d, const struct gate_judgement *now)
{
    const struct gate_judgement *before = &d->shared.gate;
    struct store_batch *batch = &loop_effects(&d->shared.loop)->batch;
    if (now->verdict == GATE_OPEN)
        store_batch_add_event(batch, 0, 0, "starts_again", loop_now(), "not any more: %s",
                              before->why);
    else if (before->verdict == GATE_OPEN)
        store_batch_add_event(batch, 0, 0, "starts_wait", loop_now(), "%s", now->why);
}

/* What others who use this machine may want of us. */
static void mind_neighbours(struct sweepd *d)
{
    const struct config *c = d->shared.config;
    const struct gate gate = {c->max_load, c->active_from, c->active_until, c->pause_on_battery};
    bool runs = engine_running(d->shared.engine) > 0;
    struct gate_facts facts;
    gate_look(&facts);
    struct gate_judgement j = gate_judge(&gate, &facts);
    bool pause = j.verdict == GATE_PAUSE;
    if (j.verdict != d->shared.gate.verdict)
        note_gate(d, &j);
    if (j.verdict != d->shared.gate.verdict || (pause && runs))
        engine_set_gate(d->shared.engine, j.verdict == GATE_OPEN, pause,
                        loop_effects(&d->shared.loop));
    d->shared.gate = j;
    inhibitor_want(d->inhibitor, runs && !d->shared.stopping);
}

/* No row can say so: only the program is told. */
static void tell_trouble(struct sweepd *d, const char *trouble)
{
    bool in_trouble = *trouble != '\0';
    if (in_trouble != d->in_trouble && d->hook != NULL)
        hook_tell(d->hook, &(struct hook_event){
                               .kind = in_trouble ? "database_unwritable" : "database_writable",
                               .detail = trouble,
                               .time_us = loop_now()});
    d->in_trouble = in_trouble;
}

static void on_check_timer(uv_timer_t *timer)
{
    struct sweepd *d = timer->data;
    const char *trouble = store_trouble(d->shared.store);
    mind_neighbours(d);
    tell_trouble(d, trouble);
    requests_expire(d->shared.requests, trouble);
    trim_memory(d);
    /* An orderly end needs commits. Where there are none to be had, this is a crash as good as any:
     * a restart continues from what is durable and adopts the workers. */
    if (d->shared.stopping && *trouble) {
        log_error("ending although the database cannot be written: %s", trouble);
        _exit(1);
    }
}

/* The first ends in order, the second kills what still runs, the third gives up waiting for a
 * database that cannot be written: a restart continues from what is durable. */
static void on_signal(uv_signal_t *handle, int signal)
{
    struct sweepd *d = handle->data;
    unsigned n = ++d->signals;
    log_info("signal %d (%s)", signal, strsignal(signal));
    if (n > 2)
        _exit(1);
    if (!d->shared.stopping || n == 2)
        daemon_stop(&d->shared, false);
    if (n == 2)
        pool_kill_all(d->pool);
}

static void open_handles(struct sweepd *d)
{
    int rc = uv_prepare_init(&d->loop, &d->before_poll) | uv_check_init(&d->loop, &d->after_poll) |
             uv_timer_init(&d->loop, &d->check_timer) | uv_timer_init(&d->loop, &d->wake_timer) |
             uv_signal_init(&d->loop, &d->term) | uv_signal_init(&d->loop, &d->interrupt);
    REQUIRE(rc == 0);
    d->before_poll.data = d->after_poll.data = d->check_timer.data = d;
    d->wake_timer.data = d;
    d->term.data = d->interrupt.data = d;
    sweepd_open_actions(d);
    uv_prepare_start(&d->before_poll, on_before_poll);
    uv_check_start(&d->after_poll, on_after_poll);
    uv_timer_start(&d->check_timer, on_check_timer, CHECK_INTERVAL_MS, CHECK_INTERVAL_MS);
    uv_signal_start(&d->term, on_signal, SIGTERM);
    uv_signal_start(&d->interrupt, on_signal, SIGINT);
}

/* --- the beginning -------------------------------------------------------------------------- */

/* Cancelled runs whose workers a killed daemon had no time to end. The engine knows them no more
 * (they are terminal), so their lines are read to no effect. */
static void end_cancelled(void *arg, const struct table *t, const struct errbuf *err)
{
    struct sweepd *d = arg;
    for (size_t i = 0; t && i < t->rows; i++) {
        int64_t run_id = table_cell(t, i, "run_id")->integer;
        const char *handle = table_cell(t, i, "handle")->text;
        rundir_drop_checkpoint(d->shared.runs_dir, run_id);
        pool_adopt(d->pool, &(struct pool_run){run_id, NULL, NULL, 0}, handle ? handle : "");
        pool_term(d->pool, run_id);
    }
}

static void adopt_runs(struct sweepd *d)
{
    struct engine *engine = d->shared.engine;
    size_t count = engine_running(engine);
    int64_t *ids = xcalloc(count + 1, sizeof(*ids));
    count = engine_running_ids(engine, ids, count);
    strays_end(&d->site);
    for (size_t i = 0; i < count; i++) {
        char handle[RUN_HANDLE_MAX]; /* a copy: the row changes when the run is lost */
        struct run_owner owner;
        str_copy(handle, sizeof(handle), engine_run_handle(engine, ids[i]));
        struct run_limits limits = engine_run_limits(engine, ids[i]);
        (void)engine_run_owner(engine, ids[i], &owner); /* it is live */
        const struct pool_run run = {ids[i], &owner, &limits, engine_run_launcher(engine, ids[i])};
        pool_adopt(d->pool, &run, handle);
    }
    free(ids);
    store_query(d->shared.store, &(struct store_named_query){.id = STORE_QUERY_UNENDED},
                end_cancelled, d);
    d->shared.loop.dirty = true;
}

static bool store_is_behind(void *arg)
{
    const struct sweepd *d = arg;
    return store_queue_length(d->shared.store) > STORE_QUEUE_HIGH ||
           d->waiting_rows > WAITING_ROWS_HIGH;
}

/* What the store has noticed by itself is a row of events. */
static void on_store_notice(void *arg, const char *kind, const char *text)
{
    struct sweepd *d = arg;
    store_batch_add_event(&loop_effects(&d->shared.loop)->batch, 0, 0, kind, loop_now(), "%s",
                          text);
}

static void count_resources(struct sweepd *d)
{
    const struct config *c = d->shared.config;
    struct resource_pool *p = xcalloc(1, sizeof(*p));
    machine_resources(&(struct machine_wish){.workers = c->workers,
                                             .gpus = c->gpus,
                                             .finds_gpus = c->finds_gpus,
                                             .said = &c->resources},
                      p);
    engine_set_resources(d->shared.engine, 0, p); /* the slots of this machine */
    free(p);
}

static void create_parts(struct sweepd *d)
{
    size_t count;
    const struct launcher_type *const *launchers = launcher_types(&count);
    d->site = (struct launch_site){
        .loop = &d->shared.loop,
        .engine = d->shared.engine,
        .runs_dir = d->shared.runs_dir,
        .worker = d->shared.config->worker,
        .forks_workers = !d->shared.config->worker_is_named,
        .environment = d->environment,
        .program_environment = d->program_environment,
        .workers = d->shared.config->workers,
        .spool = d->shared.config->spool,
        .slurm_seconds = d->shared.config->slurm_seconds,
        .lease_seconds = d->shared.config->lease_seconds,
        .prepare_limits = d->shared.config->prepare_limits,
        .congested = store_is_behind,
        .arg = d,
    };
    d->shared.events = events_create();
    d->shared.requests = requests_create();
    d->shared.prepare = prepare_create(&d->site);
    d->shared.pool = d->pool = pool_create(&d->site, launchers, count);
    for (size_t i = 0; i < pool_launchers(d->pool); i++)
        engine_set_capacity(d->shared.engine, i, pool_capacity(d->pool, i));
    count_resources(d);
    d->server = server_create(&d->shared);
    d->notify = notify_create(&d->loop);
    d->hook =
        d->shared.config->on_event[0] ? hook_create(&d->loop, d->shared.config->on_event) : NULL;
    d->inhibitor = inhibitor_create(&d->loop);
    open_handles(d);
    mind_neighbours(d);
}

static void destroy_parts(struct sweepd *d)
{
    int rc = uv_loop_close(&d->loop);
    REQUIRE(rc == 0); /* no handle was left open */
    effects_finish(&d->shared.loop.effects);
    requests_destroy(d->shared.requests);
    events_destroy(d->shared.events);
    prepare_destroy(d->shared.prepare);
    pool_destroy(d->pool);
    server_destroy(d->server);
    engine_destroy(d->shared.engine);
    environment_destroy(d->environment);
    environment_destroy(d->program_environment);
}

/* The cores, shared by as many programs as may run at once. */
static unsigned threads_of_program(size_t workers)
{
    long cores = sysconf(_SC_NPROCESSORS_ONLN);
    size_t share = cores > 0 && workers > 0 ? (size_t)cores / workers : 1;
    return share > 1 ? (unsigned)share : 1;
}

static void create_environments(struct sweepd *d)
{
    struct environment_choice c = {.core_type = d->shared.worker.core_type,
                                   .nice = (int)d->shared.config->worker_nice};
    d->environment = environment_create(&c);
    c.whole = true;
    c.threads = threads_of_program(d->shared.config->workers);
    d->program_environment = environment_create(&c);
}

/* What can be refused, before anything is begun. On success the store is open. */
static int open_state(struct sweepd *sweepd, struct errbuf *err)
{
    struct daemon *d = &sweepd->shared;
    const struct config *config = d->config;
    struct store_restored restored = {0};
    const struct store_place place = {config->db, config->force_network};
    int rc;
    if ((rc = paths_runs(d->runs_dir, config->db, err)) < 0 ||
        (rc = paths_make_parent(config->db, 0700, err)) < 0 ||
        (rc = store_open(d->loop.uv, &place, &d->store, &restored, err)) < 0)
        return rc;
    if ((rc = paths_make_dirs(d->runs_dir, 0700, err)) == 0 &&
        (rc = prepare_blas(config->worker, &d->worker, err)) == 0) {
        create_environments(sweepd);
        d->engine = engine_create(d->runs_dir);
        engine_set_checkpoint_seconds(d->engine, (double)config->checkpoint_seconds);
        engine_set_retry_seconds(d->engine, config->retry_seconds);
        engine_set_limits(d->engine, &config->run_limits);
        engine_restore(d->engine, &restored, loop_now(), &d->loop.effects);
    }
    store_restored_finish(&restored);
    return rc;
}

static void run_loop(struct sweepd *d)
{
    const struct daemon *s = &d->shared;
    const struct worker_kind *worker = &s->worker;
    log_info("ready: socket %s, database %s, workers %zu, BLAS %s (%s)", s->config->socket,
             s->config->db, engine_workers(s->engine),
             worker->core[0] ? worker->core : "unknown core",
             worker->blas[0] ? worker->blas : "unknown library");
    uv_run(&d->loop, UV_RUN_DEFAULT);
    log_info("ended");
}

int daemon_run(const struct config *config, struct errbuf *err)
{
    struct sweepd d = {.shared.config = config};
    d.shared.loop.uv = &d.loop;
    umask(077);
    signal(SIGPIPE, SIG_IGN); /* a client that went away is an error code */
    signal(SIGHUP, SIG_IGN);  /* the terminal's end is not ours */
    d.shared.started_ms = loop_monotonic_ms();
    signals_wait(true);
    int rc = uv_loop_init(&d.loop);
    REQUIRE(rc == 0);
    rc = open_state(&d, err);
    if (rc < 0) {
        if (d.shared.store)
            store_close(d.shared.store, NULL, NULL);
        uv_run(&d.loop, UV_RUN_DEFAULT);
        destroy_parts(&d);
        return rc;
    }
    create_parts(&d);
    begin_pool(&d);
    signals_wait(false);
    /* Before anything is begun or adopted, so that a refusal leaves living workers alone. */
    rc = server_listen(d.server, err);
    if (rc == 0) {
        store_on_notice(d.shared.store, on_store_notice, &d);
        adopt_runs(&d);
        notify_ready(d.notify);
        run_loop(&d);
    } else {
        begin_close(&d);
        uv_run(&d.loop, UV_RUN_DEFAULT);
    }
    destroy_parts(&d);
    return rc;
}
