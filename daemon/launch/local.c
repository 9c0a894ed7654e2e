#include "daemon/launch/local.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <uv.h>

#include "daemon/launch/child.h"
#include "daemon/launch/fork_server.h"
#include "daemon/launch/rundir.h"
#include "daemon/launch/site.h"
#include "daemon/launch/usage.h"
#include "daemon/launch/energy.h"
#include "daemon/loop.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/paths.h"
#include "sweep/record.h"

/* An earlier daemon's worker is not our child: its lock says whether it lives, and its exit status
 * stays unknown. */
struct local_worker {
    struct worker base;
    struct worker_place at;
    bool adopted;
    struct child child; /* unused when adopted */
    bool exited;          /* and reaped */
    int64_t pid;          /* of an adopted one: its handle, then its start line's; 0: not known */
};

#define OOM_LATELY_MS 100

/* Whose environment a worker gets. */
enum whose { OF_TRAINERS, OF_PROGRAMS, WHOSE_COUNT };

struct local_launcher {
    struct launcher base;
    struct energy_meter meter;
    struct fork_server servers[WHOSE_COUNT];
    uint64_t oom_kills, oom_looked; /* so many, then (milliseconds) */
};

static struct local_worker *worker_create(struct launcher *l, const struct worker_place *at,
                                          bool adopted)
{
    struct local_worker *w = xcalloc(1, sizeof(*w));
    w->base.launcher = l;
    w->at = *at;
    w->adopted = adopted;
    return w;
}

static void on_child_closed(uv_handle_t *handle)
{
    struct child *c = handle->data;
    free(c->arg);
}

/* --- start ---------------------------------------------------------------------------------- */

static void on_child_ended(struct child *child, int64_t status, int signal)
{
    struct local_worker *w = child->arg;
    w->exited = true;
    w->base.has_exit = true;
    w->base.exit_status = status;
    w->base.exit_signal = signal;
    w->at.ended(w->at.arg);
}

static char **environment_for(const struct launch_site *site, enum whose whose)
{
    return whose == OF_PROGRAMS ? site->program_environment : site->environment;
}

static pid_t start_by_exec(const struct local_worker *w, char *config, enum whose whose)
{
    const struct launch_site *site = w->base.launcher->site;
    char *args[] = {(char *)site->worker, config, NULL};
    const struct child_program program = {.words = args,
                                          .environment = environment_for(site, whose),
                                          .in = -1,
                                          .out = w->at.dir->out,
                                          .err = w->at.dir->err};
    return child_spawn(&program);
}

/* The worker gets a session of its own: neither a terminal's signals nor the daemon's end reach
 * it. */
static int start_process(struct local_worker *w, struct errbuf *err)
{
    struct local_launcher *l = (struct local_launcher *)w->base.launcher;
    char config[PATHS_MAX + 48];
    pid_t pid;
    (void)paths_run_file(config, sizeof(config), l->base.site->runs_dir, w->at.run_id,
                         RUN_FILE_CONFIG);
    enum whose whose = w->at.whole_environment ? OF_PROGRAMS : OF_TRAINERS;
    const struct fork_request request = {config, w->at.dir->out, w->at.dir->err};
    int rc = fork_server_start(&l->servers[whose], &request, &pid);
    if (rc == ERR_BUSY)
        return err_set(err, rc, "nobody knows whether its worker was started");
    if (rc != 0)
        pid = start_by_exec(w, config, whose);
    w->child.arg = w;
    w->child.ended = on_child_ended;
    rc = pid < 0 ? pid : child_watch(&w->child, l->base.site->loop->uv, pid);
    return rc == 0 ? 0 : err_set(err, ERR_IO, "%s", uv_strerror(rc));
}

static int local_start(struct launcher *l, const struct worker_place *at, struct worker **out,
                       struct errbuf *err)
{
    struct local_worker *w = worker_create(l, at, false);
    int rc = start_process(w, err);
    if (rc != 0) {
        free(w);
        return rc;
    }
    snprintf(w->base.handle, sizeof(w->base.handle), "%d", w->child.pid);
    *out = &w->base;
    return 0;
}

/* --- adoption ------------------------------------------------------------------------------- */

/* The number may be another process's by now, or an earlier attempt's where the daemon died before
 * it had stored this one's; the worker itself says it in its start line. */
static struct worker *local_adopt(struct launcher *l, const struct worker_place *at,
                                  const char *handle)
{
    if (!rundir_locked(at->dir))
        return NULL;
    struct local_worker *w = worker_create(l, at, true);
    str_copy(w->base.handle, sizeof(w->base.handle), handle);
    w->pid = strtoll(handle, NULL, 10);
    return &w->base;
}

static void local_introduced(struct worker *base, const struct record_start *said)
{
    struct local_worker *w = (struct local_worker *)base;
    if (w->adopted)
        w->pid = said->pid;
}

static bool local_alive(struct worker *base)
{
    const struct local_worker *w = (const struct local_worker *)base;
    return w->adopted ? rundir_locked(w->at.dir) : !w->exited;
}

/* 0: not known, or gone. Of an adopted one by its file: the number may be another's by now. */
static pid_t worker_pid(const struct local_worker *w)
{
    if (!w->adopted)
        return w->exited ? 0 : w->child.pid;
    return w->pid > 0 && rundir_written_by(w->at.dir, w->pid) ? (pid_t)w->pid : 0;
}

/* --- signals -------------------------------------------------------------------------------- */

/* An adopted worker is not our child, so its pid may be another process's by now, or an earlier
 * attempt's. The pidfd is taken first and
 * tested after: what writes to the file then is this very process. */
static bool signal_adopted(const struct local_worker *w, int signal)
{
    if (w->pid <= 0)
        return false;
    int fd = (int)syscall(SYS_pidfd_open, (pid_t)w->pid, 0);
    if (fd < 0)
        return false;
    bool sent = rundir_locked(w->at.dir) && rundir_written_by(w->at.dir, w->pid) &&
                syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
    close(fd);
    return sent;
}

/* SIGTERM is the worker's to pass on. What cannot be caught, or ends a stop, goes to all that it
 * has started, for it may have groups of its own. */
static bool local_signal(struct worker *base, int signal)
{
    const struct local_worker *w = (const struct local_worker *)base;
    if (w->exited)
        return false;
    if (signal != SIGTERM && worker_pid(w) > 0)
        usage_signal_tree(worker_pid(w), signal);
    /* Our child leads a group of its own: a wrapper's children must hear it too. */
    return w->adopted ? signal_adopted(w, signal) : kill(-w->child.pid, signal) == 0;
}

static bool local_usage(struct worker *base, struct usage *out)
{
    pid_t pid = worker_pid((const struct local_worker *)base);
    return pid > 0 && usage_of_tree(pid, out);
}

/* The kernel sums up all it counts for that: not for each of many starts. */
static uint64_t local_oom_kills(struct launcher *base, bool lately)
{
    struct local_launcher *l = (struct local_launcher *)base;
    uint64_t now = loop_monotonic_ms();
    if (lately && now - l->oom_looked < OOM_LATELY_MS)
        return l->oom_kills;
    l->oom_looked = now;
    l->oom_kills = usage_oom_kills();
    return l->oom_kills;
}

/* A child's record is given back only after its exit callback. */
static void local_release(struct worker *base)
{
    struct local_worker *w = (struct local_worker *)base;
    if (w->adopted)
        free(w);
    else
        child_close(&w->child, on_child_closed);
}

/* --- the launcher ---------------------------------------------------------------------------- */

static struct launcher *local_create(void)
{
    struct local_launcher *l = xcalloc(1, sizeof(*l));
    (void)energy_open(&l->meter, ENERGY_ROOT);
    return &l->base;
}

static void local_open(struct launcher *base)
{
    struct local_launcher *l = (struct local_launcher *)base;
    const struct launch_site *site = base->site;
    for (enum whose i = 0; i < WHOSE_COUNT; i++)
        fork_server_init(&l->servers[i], site->loop->uv, site->forks_workers ? site->worker : NULL,
                         environment_for(site, i));
}

static void local_close(struct launcher *base)
{
    struct local_launcher *l = (struct local_launcher *)base;
    for (enum whose i = 0; i < WHOSE_COUNT; i++)
        fork_server_close(&l->servers[i]);
}

static bool local_energy(struct launcher *l, struct energy_reading *out)
{
    return energy_read(&((struct local_launcher *)l)->meter, out);
}

static void local_destroy(struct launcher *l)
{
    free(l);
}

static size_t local_capacity(const struct launcher *l)
{
    return l->site->workers;
}

static bool local_knows(const char *handle)
{
    return strspn(handle, "0123456789") == strlen(handle);
}

const struct launcher_type launcher_local = {
    .name = "local",
    .create = local_create,
    .open = local_open,
    .close = local_close,
    .destroy = local_destroy,
    .capacity = local_capacity,
    .knows = local_knows,
    .start = local_start,
    .adopt = local_adopt,
    .introduced = local_introduced,
    .alive = local_alive,
    .signal = local_signal,
    .usage = local_usage,
    .energy = local_energy,
    .oom_kills = local_oom_kills,
    .release = local_release,
};
