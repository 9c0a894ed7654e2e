#include "daemon/launch/pool.h"

#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sysexits.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/daemon.h"
#include "daemon/launch/rundir.h"
#include "sweep/buf.h"
#include "sweep/log.h"
#include "sweep/record.h"
#include "sweep/require.h"

#define LOG_MODULE "pool"
#define TAIL_INTERVAL_MS 100
#define KILL_AFTER_MS 5000
#define PID_WRITTEN_AFTER_MS 20

struct slot {
    uv_process_t process;   /* of our child; unused when adopted */
    struct pool *pool;
    struct slot *next;
    int64_t run_id;
    struct rundir dir;
    int64_t pid;            /* our child's, or from the start line; 0: not known yet */
    bool adopted;           /* not our child: the lock tells when it ends */
    bool gone;              /* the worker has ended; what it left is still to be read */
    bool handle_closed;     /* process needs no uv_close any more */
    bool term_wanted, term_sent;
    bool kill_wanted, kill_sent;
    uint64_t kill_at_ms;    /* loop time; 0: no deadline */
    int64_t exit_status;    /* of our child */
    int exit_signal;
    bool has_result;
    struct record_result result;
    char *broken;           /* what is wrong with run.jsonl; NULL: nothing */
};

struct pool {
    struct daemon *daemon;
    struct slot *slots;
    size_t active;          /* slots in the list */
    uv_timer_t tail_timer;  /* runs only while there are slots */
    uv_timer_t pid_timer;   /* once, after a start */
    struct point *points;   /* scratch of one read */
    size_t point_count, point_cap;
    struct layer_stats **layers; /* and what the layers showed at them; owned */
    size_t layers_count, layers_cap;
};

static void on_tail_timer(uv_timer_t *timer);

struct pool *pool_create(struct daemon *d)
{
    struct pool *p = xcalloc(1, sizeof(*p));
    p->daemon = d;
    int rc = uv_timer_init(d->loop, &p->tail_timer) | uv_timer_init(d->loop, &p->pid_timer);
    REQUIRE(rc == 0);
    p->tail_timer.data = p->pid_timer.data = p;
    return p;
}

void pool_close(struct pool *p)
{
    REQUIRE(p->active == 0);
    uv_close((uv_handle_t *)&p->tail_timer, NULL);
    uv_close((uv_handle_t *)&p->pid_timer, NULL);
}

void pool_destroy(struct pool *p)
{
    if (!p)
        return;
    free(p->points);
    free(p->layers);
    free(p);
}

size_t pool_active(const struct pool *p)
{
    return p->active;
}

static struct slot *slot_create(struct pool *p, int64_t run_id, bool adopted)
{
    struct slot *s = xcalloc(1, sizeof(*s));
    s->pool = p;
    s->run_id = run_id;
    s->adopted = adopted;
    s->handle_closed = adopted;
    s->dir.fd = -1;
    s->next = p->slots;
    p->slots = s;
    if (p->active++ == 0)
        uv_timer_start(&p->tail_timer, on_tail_timer, TAIL_INTERVAL_MS, TAIL_INTERVAL_MS);
    return s;
}

static void slot_free(struct slot *s)
{
    rundir_close(&s->dir);
    free(s->broken);
    free(s);
}

static void on_process_closed(uv_handle_t *handle)
{
    slot_free(handle->data);
}

/* Takes the slot out of the list. A child's handle is closed only after its exit callback. */
static void slot_retire(struct slot *s)
{
    struct pool *p = s->pool;
    struct slot **at = &p->slots;
    while (*at != s)
        at = &(*at)->next;
    *at = s->next;
    if (--p->active == 0)
        uv_timer_stop(&p->tail_timer);
    if (s->handle_closed)
        slot_free(s);
    else
        uv_close((uv_handle_t *)&s->process, on_process_closed);
}

static struct slot *slot_find(struct pool *p, int64_t run_id)
{
    struct slot *s = p->slots;
    while (s && s->run_id != run_id)
        s = s->next;
    return s;
}

/* --- signals ------------------------------------------------------------------------------- */

/* An adopted worker is not our child, so its pid may be another process's by now, and until a
 * resumed worker has said its own the file tells an earlier one's. The pidfd is taken first and
 * tested after: what writes to the file then is this very process. */
static bool signal_adopted(struct slot *s, int signal)
{
    if (s->pid <= 0)
        return false;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)s->pid, 0);
    if (fd < 0)
        return false;
    bool sent = rundir_locked(&s->dir) && rundir_written_by(&s->dir, s->pid) &&
                syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
    close(fd);
    return sent;
}

static bool slot_signal(struct slot *s, int signal)
{
    if (s->gone)
        return false;
    /* Our child leads a group of its own: a wrapper's children must hear it too. */
    return s->adopted ? signal_adopted(s, signal) : kill(-s->process.pid, signal) == 0;
}

/* Sends what is due; called again by the timer, for an adopted worker's pid is known only once
 * its start line is read. */
static void slot_signals(struct slot *s)
{
    uint64_t now = uv_now(s->pool->daemon->loop);
    if (s->kill_at_ms && now >= s->kill_at_ms)
        s->kill_wanted = true;
    if (s->kill_wanted && !s->kill_sent) {
        s->kill_sent = slot_signal(s, SIGKILL);
        return;
    }
    if (s->term_wanted && !s->term_sent && !s->kill_wanted && slot_signal(s, SIGTERM)) {
        s->term_sent = true;
        s->kill_at_ms = now + KILL_AFTER_MS;
    }
}

void pool_term(struct pool *p, int64_t run_id)
{
    struct slot *s = slot_find(p, run_id);
    if (!s)
        return; /* it ended meanwhile */
    s->term_wanted = true;
    slot_signals(s);
}

void pool_kill_all(struct pool *p)
{
    for (struct slot *s = p->slots; s; s = s->next) {
        s->kill_wanted = true;
        slot_signals(s);
    }
}

/* --- run.jsonl ----------------------------------------------------------------------------- */

static void slot_break(struct slot *s, const char *why)
{
    if (s->broken)
        return;
    s->broken = xstrdup(why);
    log_warn("run %" PRId64 ": run.jsonl: %s", s->run_id, why);
    s->kill_wanted = true;
    slot_signals(s);
}

static void keep_point(struct pool *p, const struct point *point)
{
    if (p->point_count == p->point_cap) {
        p->point_cap = p->point_cap ? 2 * p->point_cap : 64;
        p->points = xrealloc(p->points, p->point_cap * sizeof(*p->points));
    }
    p->points[p->point_count++] = *point;
}

static void keep_layers(struct pool *p, struct record *r)
{
    if (p->layers_count == p->layers_cap) {
        p->layers_cap = p->layers_cap ? 2 * p->layers_cap : 64;
        p->layers = xrealloc(p->layers, p->layers_cap * sizeof(struct layer_stats *));
    }
    p->layers[p->layers_count++] = r->u.layers;
    r->u.layers = NULL;
}

static void give_points(struct slot *s)
{
    struct pool *p = s->pool;
    if (p->point_count > 0)
        engine_run_points(p->daemon->engine, s->run_id, p->points, p->point_count, daemon_now(),
                          daemon_effects(p->daemon));
    p->point_count = 0;
    for (size_t i = 0; i < p->layers_count; i++) {
        engine_run_layers(p->daemon->engine, s->run_id, p->layers[i], daemon_effects(p->daemon));
        free(p->layers[i]);
    }
    p->layers_count = 0;
}

static void take_start(struct slot *s, const struct record *r)
{
    give_points(s); /* those before it */
    if (s->adopted)
        s->pid = r->u.start.pid;
    s->has_result = false; /* it goes on behind a rung */
    engine_run_start_line(s->pool->daemon->engine, s->run_id, &r->u.start);
}

/* A result is the last line, but for the start of the worker that goes on behind a rung. */
static bool may_follow(const struct slot *s, const struct record *r)
{
    return !s->has_result || (s->result.status == RUN_PAUSED && r->type == RECORD_START);
}

static void take_line(struct slot *s, const char *line, size_t len)
{
    struct record r;
    struct errbuf err;
    if (len > RECORD_LINE_MAX) {
        slot_break(s, "a line is longer than allowed");
        return;
    }
    if (record_parse(line, len, &r, &err) < 0) {
        slot_break(s, err.message);
        return;
    }
    if (!may_follow(s, &r))
        slot_break(s, "a line follows the result");
    else if (r.type == RECORD_START)
        take_start(s, &r);
    else if (r.type == RECORD_POINT)
        keep_point(s->pool, &r.u.point);
    else if (r.type == RECORD_LAYERS)
        keep_layers(s->pool, &r);
    else if (r.type == RECORD_RESULT)
        s->result = r.u.result, s->has_result = true;
    else
        slot_break(s, "a line that only --prepare prints");
    record_finish(&r);
}

/* Reads on. True when all that is there has been read; false when the store cannot keep up: the
 * file keeps the rest for later, nothing piles up in memory. */
static bool slot_read(struct slot *s)
{
    struct errbuf err;
    int n = 1;
    while (n > 0 && !s->broken) {
        if (store_queue_length(s->pool->daemon->store) > STORE_QUEUE_HIGH)
            return false;
        const char *line;
        size_t len;
        n = rundir_read(&s->dir, &err);
        if (n < 0)
            slot_break(s, err.message);
        while (!s->broken && rundir_line(&s->dir, &line, &len))
            take_line(s, line, len);
        if (!s->broken && rundir_rest(&s->dir) > RECORD_LINE_MAX)
            slot_break(s, "a line is longer than allowed");
        give_points(s);
    }
    return true;
}

/* --- the end of a worker ------------------------------------------------------------------- */

/* What the exit status says when the worker itself said nothing. */
static void explain_exit(const struct slot *s, struct run_exit *x, char *text, size_t size)
{
    x->signal = s->exit_signal;
    if (s->broken) {
        x->error = RUN_ERROR_PROTOCOL;
        str_copy(text, size, s->broken);
    } else if ((s->exit_signal == SIGKILL && !s->kill_sent) ||
               (s->exit_signal == SIGTERM && !s->term_sent)) {
        x->error = RUN_ERROR_KILLED;
        snprintf(text, size, "killed by %s that the daemon did not send",
                 s->exit_signal == SIGKILL ? "SIGKILL" : "SIGTERM");
    } else if (s->exit_signal == 0 && s->exit_status == EX_TEMPFAIL) {
        x->error = RUN_ERROR_KILLED;
        snprintf(text, size, "stopped with a checkpoint by a SIGTERM that the daemon did not send");
    } else if (s->exit_signal != 0) {
        x->error = s->term_wanted ? RUN_ERROR_KILLED_BY_USER : RUN_ERROR_CRASHED;
        snprintf(text, size, "ended by signal %d (%s)", s->exit_signal, strsignal(s->exit_signal));
    } else {
        x->error = s->exit_status == EX_IOERR   ? RUN_ERROR_IO
                   : s->exit_status == EX_OSERR ? RUN_ERROR_OUT_OF_MEMORY
                                                : RUN_ERROR_EXITED;
        snprintf(text, size, "exit status %" PRId64 " without a result", s->exit_status);
    }
    x->text = text;
}

static void report_end(struct slot *s)
{
    struct daemon *d = s->pool->daemon;
    struct run_exit x = {0};
    char text[512];
    struct buf tail = {0};
    if (s->has_result && !s->broken)
        x.result = &s->result;
    else
        explain_exit(s, &x, text, sizeof(text));
    if (!x.result || x.result->status == RUN_FAILED)
        rundir_stderr_tail(d->runs_dir, s->run_id, RUNDIR_STDERR_TAIL_BYTES, &tail, NULL);
    x.stderr_tail = tail.len ? tail.data : NULL;
    engine_run_ended(d->engine, s->run_id, &x, daemon_now(), daemon_effects(d));
    buf_finish(&tail);
}

/* The worker is gone: read the rest, tell the engine, let go of the slot. An adopted worker's
 * exit status is unknown: without a result its run is lost, that is, queued again. */
static void slot_end(struct slot *s)
{
    if (!slot_read(s))
        return; /* the timer comes back */
    if (s->adopted && !s->has_result && !s->broken)
        engine_run_lost(s->pool->daemon->engine, s->run_id, daemon_now(),
                        daemon_effects(s->pool->daemon));
    else
        report_end(s);
    slot_retire(s);
}

static void on_worker_exit(uv_process_t *process, int64_t status, int signal)
{
    struct slot *s = process->data;
    s->gone = true;
    s->exit_status = status;
    s->exit_signal = signal;
    slot_end(s);
}

static void slot_tick(struct slot *s)
{
    if (s->adopted && !s->gone)
        s->gone = !rundir_locked(&s->dir);
    if (s->gone) {
        slot_end(s);
        return;
    }
    slot_read(s);
    slot_signals(s);
}

static void on_tail_timer(uv_timer_t *timer)
{
    struct pool *p = timer->data;
    for (struct slot *s = p->slots, *next; s; s = next) {
        next = s->next;
        slot_tick(s);
    }
}

static void on_pid_timer(uv_timer_t *timer)
{
    struct pool *p = timer->data;
    if (p->daemon->effects.batch.count > 0)
        p->daemon->dirty = true;
}

/* --- the start of a worker ----------------------------------------------------------------- */

static void report_no_start(struct pool *p, int64_t run_id, const char *why)
{
    struct run_exit x = {.error = RUN_ERROR_SPAWN, .text = why};
    log_warn("run %" PRId64 ": worker not started: %s", run_id, why);
    engine_run_ended(p->daemon->engine, run_id, &x, daemon_now(), daemon_effects(p->daemon));
}

/* The worker gets a session of its own: neither a terminal's signals nor the daemon's end reach
 * it. libuv resets its signal dispositions and mask. */
static int spawn(struct slot *s, const struct rundir_ends *ends)
{
    struct daemon *d = s->pool->daemon;
    char config[PATHS_MAX + 48];
    snprintf(config, sizeof(config), "%s/%" PRId64 "/config.json", d->runs_dir, s->run_id);
    char *args[] = {(char *)d->config->worker, config, NULL};
    uv_stdio_container_t stdio[3] = {
        {.flags = UV_IGNORE},
        {.flags = UV_INHERIT_FD, .data.fd = ends->out},
        {.flags = UV_INHERIT_FD, .data.fd = ends->err},
    };
    uv_process_options_t options = {
        .file = args[0],
        .args = args,
        .env = d->environment,
        .flags = UV_PROCESS_DETACHED,
        .stdio = stdio,
        .stdio_count = 3,
        .exit_cb = on_worker_exit,
    };
    s->process.data = s;
    return uv_spawn(d->loop, &s->process, &options);
}

static void adopt_living(struct pool *p, struct slot *s)
{
    log_info("run %" PRId64 ": adopted, its worker lives", s->run_id);
    engine_run_adopted(p->daemon->engine, s->run_id, daemon_now(), daemon_effects(p->daemon));
    slot_read(s);
}

void pool_adopt(struct pool *p, int64_t run_id)
{
    struct errbuf err;
    struct daemon *d = p->daemon;
    struct slot *s = slot_create(p, run_id, true);
    if (rundir_open(&s->dir, d->runs_dir, run_id, &err) < 0) {
        log_info("run %" PRId64 ": queued again: %s", run_id, err.message);
        engine_run_lost(d->engine, run_id, daemon_now(), daemon_effects(d));
        slot_retire(s);
    } else if (rundir_locked(&s->dir)) {
        adopt_living(p, s);
    } else {
        /* It ended while no daemon was there: slot_end finds its result, or reports it lost. */
        engine_run_adopted(d->engine, run_id, daemon_now(), daemon_effects(d));
        s->gone = true;
        slot_end(s);
    }
}

void pool_start(struct pool *p, int64_t run_id, const char *config)
{
    struct errbuf err;
    struct rundir_ends ends;
    struct rundir dir;
    int rc = rundir_create(&dir, p->daemon->runs_dir, run_id, config, &ends, &err);
    if (rc == ERR_BUSY) {
        pool_adopt(p, run_id);
        return;
    }
    if (rc < 0) {
        report_no_start(p, run_id, err.message);
        return;
    }
    struct slot *s = slot_create(p, run_id, false);
    s->dir = dir;
    rc = spawn(s, &ends);
    /* From here on the child alone holds the lock. */
    close(ends.out);
    close(ends.err);
    if (rc < 0) {
        s->gone = true;
        report_no_start(p, run_id, uv_strerror(rc));
        slot_retire(s);
        return;
    }
    s->pid = s->process.pid;
    /* Not marked dirty: the pid is for people. It is written with whatever comes next, at the
     * latest when the timer says so; a run of a few milliseconds costs no commit for it. */
    engine_run_spawned(p->daemon->engine, run_id, s->pid, daemon_now(), &p->daemon->effects);
    if (!uv_is_active((uv_handle_t *)&p->pid_timer))
        uv_timer_start(&p->pid_timer, on_pid_timer, PID_WRITTEN_AFTER_MS, 0);
}
