/* Runs that are offered to pilots, as the pool's workers. */
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/launch/rundir.h"
#include "daemon/launch/site.h"
#include "daemon/launch/slurm_part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/paths.h"
#include "sweep/task.h"

#define CONFIG_MAX (16 << 20)
#define UNHEARD_MS 50000 /* told to end so long ago, below systemd's minute: it is left alone */

static struct slurm_worker *find_worker(const struct slurm *s, int64_t run_id)
{
    struct slurm_worker *w = s->workers;
    while (w && (w->at.run_id != run_id || w->is_over))
        w = w->next;
    return w;
}

static struct slurm_worker *worker_create(struct slurm *s, const struct worker_place *at,
                                          int64_t sweep_id)
{
    struct slurm_worker *w = xcalloc(1, sizeof(*w));
    w->base.launcher = &s->base;
    w->at = *at;
    w->sweep_id = sweep_id;
    snprintf(w->base.handle, sizeof(w->base.handle), "slurm:%" PRId64, sweep_id);
    w->next = s->workers;
    s->workers = w;
    return w;
}

static char *path_of(const struct slurm *s, int64_t run_id, enum run_file f)
{
    char path[PATHS_MAX + 64];
    (void)paths_run_file(path, sizeof(path), s->base.site->runs_dir, run_id, f);
    return xstrdup(path);
}

static char *folder_of(const struct slurm *s, int64_t run_id)
{
    char path[PATHS_MAX + 64];
    (void)paths_run(path, sizeof(path), s->base.site->runs_dir, run_id);
    return xstrdup(path);
}

static int open_mine(const struct slurm *s, int64_t run_id, enum run_file f)
{
    char *path = path_of(s, run_id, f);
    int fd = spool_open_plain(path, O_WRONLY | O_APPEND | O_CREAT);
    free(path);
    return fd;
}

/* The files stay open here, and locked, until all is in them. */
int slurm_worker_start(struct launcher *l, const struct worker_place *at, struct worker **out,
                       struct errbuf *err)
{
    struct slurm *s = slurm_of(l);
    struct buf config = {0};
    int64_t sweep_id = engine_run_sweep(l->site->engine, at->run_id);
    char *path = path_of(s, at->run_id, RUN_FILE_CONFIG);
    int rc = buf_read_file(&config, path, CONFIG_MAX, err);
    free(path);
    if (rc == 0 && sweep_id == 0)
        rc = err_set(err, ERR_INTERNAL, "run %" PRId64 " is of no sweep", at->run_id);
    if (rc != 0) {
        buf_finish(&config);
        return rc;
    }
    struct room_command *c = room_command_create(ROOM_OFFER, at->run_id);
    c->config = buf_take(&config);
    c->folder = folder_of(s, at->run_id);
    c->lines = fcntl(at->dir->out, F_DUPFD_CLOEXEC, 3);
    c->words = fcntl(at->dir->err, F_DUPFD_CLOEXEC, 3);
    if (c->lines < 0 || c->words < 0) {
        room_command_destroy(c);
        return err_set(err, ERR_IO, "run %" PRId64 ": no descriptor is left", at->run_id);
    }
    *out = &worker_create(s, at, sweep_id)->base;
    slurm_give(slurm_sweep_get(s, sweep_id), c);
    return 0;
}

static int64_t sweep_of_handle(const char *handle)
{
    return strncmp(handle, "slurm:", 6) == 0 ? strtoll(handle + 6, NULL, 10) : 0;
}

/* Whether it lives the room will say. */
struct worker *slurm_worker_adopt(struct launcher *l, const struct worker_place *at,
                                  const char *handle)
{
    struct slurm *s = slurm_of(l);
    int64_t sweep_id = engine_run_sweep(l->site->engine, at->run_id);
    if (sweep_id == 0)
        sweep_id = sweep_of_handle(handle);
    if (sweep_id <= 0)
        return NULL;
    struct room_command *c = room_command_create(ROOM_ADOPT, at->run_id);
    c->folder = folder_of(s, at->run_id);
    c->lines = open_mine(s, at->run_id, RUN_FILE_LINES);
    c->words = open_mine(s, at->run_id, RUN_FILE_STDERR);
    if (c->lines < 0 || c->words < 0) {
        room_command_destroy(c);
        return NULL;
    }
    struct slurm_worker *w = worker_create(s, at, sweep_id);
    slurm_give(slurm_sweep_get(s, sweep_id), c);
    return &w->base;
}

bool slurm_worker_alive(struct worker *base)
{
    return !((struct slurm_worker *)base)->is_over;
}

bool slurm_worker_signal(struct worker *base, int signal)
{
    struct slurm_worker *w = (struct slurm_worker *)base;
    struct slurm *s = slurm_of(base->launcher);
    if (w->is_over || (signal != SIGTERM && signal != SIGKILL))
        return false;
    slurm_give(slurm_sweep_get(s, w->sweep_id),
               room_command_create(signal == SIGTERM ? ROOM_TERM : ROOM_KILL, w->at.run_id));
    return true;
}

void slurm_worker_release(struct worker *base)
{
    struct slurm *s = slurm_of(base->launcher);
    struct slurm_worker **at = &s->workers;
    while (*at != (struct slurm_worker *)base)
        at = &(*at)->next;
    *at = (*at)->next;
    free(base);
}

static void set_end(struct worker *w, enum run_error error, const char *prefix, const char *text)
{
    w->has_exit = true;
    w->exit_error = error;
    char *whole = xasprintf("%s%s", prefix, text);
    str_copy(w->exit_text, sizeof(w->exit_text), whole);
    free(whole);
}

static void take_end(struct worker *w, const struct room_news *n)
{
    w->has_exit = n->end == ROOM_END_SAID;
    w->exit_status = n->note.status;
    w->exit_signal = (int)n->note.signal;
    if (n->end == ROOM_END_REFUSED)
        set_end(w, RUN_ERROR_DISK_FULL, "the spool did not take it: ", n->text);
    else if (n->end != ROOM_END_WITHDRAWN && n->note.out_of_memory)
        set_end(w, RUN_ERROR_OUT_OF_MEMORY, "killed by the kernel, which had no more memory", "");
    else if (n->end == ROOM_END_GONE)
        set_end(w, RUN_ERROR_KILLED, "its pilot is gone: ", n->text);
    else if (n->end == ROOM_END_SAID && n->note.leaving)
        set_end(w, RUN_ERROR_KILLED, "its pilot had to go: ", n->text);
    else if (n->end == ROOM_END_SAID && n->text[0])
        set_end(w, RUN_ERROR_DISK_FULL, "", n->text);
}

void slurm_run_over(struct slurm *s, const struct room_news *n)
{
    struct slurm_worker *w = find_worker(s, n->run_id);
    if (!w)
        return;
    take_end(&w->base, n);
    w->is_over = true;
    w->at.ended(w->at.arg);
}

static bool is_reached(const struct slurm *s, const struct slurm_sweep *w)
{
    bool in_time = !s->is_stopping || uv_now(s->timer.loop) < s->stopping_ms + UNHEARD_MS;
    return !s->spool_hangs && w && w->trouble[0] == '\0' && in_time;
}

size_t slurm_cut_off(const struct launcher *l)
{
    const struct slurm *s = slurm_of(l);
    size_t n = 0;
    for (const struct slurm_worker *w = s->workers; w; w = w->next) {
        const struct spec *spec = engine_sweep_spec(l->site->engine, w->sweep_id);
        n += !w->is_over && spec && task_resumes(spec) &&
             !is_reached(s, slurm_sweep_find(s, w->sweep_id));
    }
    return n;
}

bool slurm_has_workers(const struct slurm *s, int64_t sweep_id)
{
    for (const struct slurm_worker *w = s->workers; w; w = w->next)
        if (w->sweep_id == sweep_id)
            return true;
    return false;
}
