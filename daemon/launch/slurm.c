#include "daemon/launch/slurm.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon/launch/rundir.h"
#include "daemon/launch/site.h"
#include "daemon/launch/slurm_part.h"
#include "daemon/loop.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/paths.h"

#define LOG_MODULE "slurm"

#define TICK_MS 50
#define STOP_MS 3000     /* a stop waits so long for the spool and for Slurm */
#define HUNG_MS 15000    /* a spool that does not answer for so long is in trouble */
#define SIGNAL_DELAY_MS 10000 /* until a signal reaches a worker */
#define CONFIG_MAX (16 << 20)

static uint64_t now_of(const struct slurm *s)
{
    return uv_now(s->base.site->loop->uv);
}

/* --- workers --------------------------------------------------------------------------------- */

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
static int slurm_start(struct launcher *l, const struct worker_place *at, struct worker **out,
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
static struct worker *slurm_adopt(struct launcher *l, const struct worker_place *at,
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

static bool slurm_alive(struct worker *base)
{
    return !((struct slurm_worker *)base)->is_over;
}

static bool slurm_signal(struct worker *base, int signal)
{
    struct slurm_worker *w = (struct slurm_worker *)base;
    struct slurm *s = slurm_of(base->launcher);
    if (w->is_over || (signal != SIGTERM && signal != SIGKILL))
        return false;
    slurm_give(slurm_sweep_get(s, w->sweep_id),
               room_command_create(signal == SIGTERM ? ROOM_TERM : ROOM_KILL, w->at.run_id));
    return true;
}

static void slurm_release(struct worker *base)
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

static bool has_workers(const struct slurm *s, int64_t sweep_id)
{
    for (const struct slurm_worker *w = s->workers; w; w = w->next)
        if (w->sweep_id == sweep_id)
            return true;
    return false;
}

/* --- ticks ------------------------------------------------------------------------------------ */

static void take_place(struct slurm_sweep *w, const struct placed_sweep *p)
{
    bool first = !w->is_named;
    if (w->status == SWEEP_HELD && p->status != SWEEP_HELD)
        w->failures = w->false_starts = 0, w->submit_ms = 0; /* a person wants it tried again */
    w->is_named = true;
    w->status = p->status;
    w->running = p->running;
    w->waiting = p->waiting;
    w->is_program = p->is_program;
    if (!first)
        return;
    w->on = *p->on;
    w->on.options = xcalloc(p->on->option_count + 1, sizeof(char *));
    for (size_t i = 0; i < p->on->option_count; i++)
        w->on.options[i] = xstrdup(p->on->options[i]);
}

/* Which sweeps there are for us. */
static void look_at_engine(struct slurm *s)
{
    const struct launch_site *site = s->base.site;
    size_t count = engine_placed(site->engine, s->base.index, loop_now(), NULL, 0);
    struct placed_sweep *placed = xcalloc(count + 1, sizeof(*placed));
    count = engine_placed(site->engine, s->base.index, loop_now(), placed, count);
    for (struct slurm_sweep *w = s->sweeps; w; w = w->next) {
        bool found = false;
        for (size_t i = 0; i < count; i++)
            found |= placed[i].id == w->id;
        if (w->is_named && !found)
            w->is_named = false, w->running = w->waiting = 0;
    }
    for (size_t i = 0; i < count; i++)
        take_place(slurm_sweep_get(s, placed[i].id), &placed[i]);
    free(placed);
}

/* A mount that is gone answers to nothing: no runs are given to it. */
static void look_at_spool(struct slurm *s)
{
    bool hangs = spool_busy_ms(s->spool) > HUNG_MS;
    if (hangs == s->spool_hangs)
        return;
    s->spool_hangs = hangs;
    if (hangs)
        log_warn("the spool %s does not answer", s->base.site->spool);
    else
        log_info("the spool answers again");
    for (struct slurm_sweep *w = s->sweeps; w; w = w->next)
        slurm_grant(w);
}

/* Its runs have all ended, or the daemon ends: pilots go. */
static void say_end(struct slurm_sweep *w, uint64_t now_ms)
{
    bool leaves = !w->is_named || w->slurm->is_stopping;
    if (!leaves || w->end_is_said || has_workers(w->slurm, w->id))
        return;
    w->end_is_said = true;
    w->end_ms = now_ms;
    w->cancel_ms = 0;
    slurm_grant(w);
    slurm_give(w, room_command_create(ROOM_END, 0));
}

static bool is_deserted(const struct slurm_sweep *w)
{
    return !w->is_named && w->end_is_said && !w->commands && !w->job_is_out && !w->submits &&
           !w->cancels && w->pilot_count == 0 && w->listed > 0 && slurm_tasks_live(w) == 0 &&
           !has_workers(w->slurm, w->id);
}

static void drop_removed(struct slurm *s)
{
    struct slurm_sweep **at = &s->sweeps;
    while (*at) {
        struct slurm_sweep *w = *at;
        if (w->is_removed && !w->job_is_out && !w->submits && !w->cancels) {
            *at = w->next;
            slurm_sweep_destroy(w);
        } else {
            at = &w->next;
        }
    }
}

static void mind_sweep(struct slurm_sweep *w, uint64_t now_ms)
{
    say_end(w, now_ms);
    slurm_mind_pilots(w, now_ms);
    slurm_mind_jobs(w, now_ms);
    if (!w->slurm->is_stopping && !w->wants_removal && is_deserted(w))
        w->wants_removal = true;
    slurm_sweep_turn(w, now_ms);
}

static void on_tick(uv_timer_t *timer)
{
    struct slurm *s = timer->data;
    uint64_t now = now_of(s);
    look_at_engine(s);
    look_at_spool(s);
    slurm_list(s, now);
    for (struct slurm_sweep *w = s->sweeps; w; w = w->next)
        mind_sweep(w, now);
    drop_removed(s);
    if (!s->sweeps && !s->is_stopping)
        uv_timer_stop(&s->timer);
    if (s->is_stopping)
        s->base.site->loop->dirty = true; /* perhaps that was all */
}

void slurm_wake(struct slurm *s)
{
    if (s->has_timer && !uv_is_closing((uv_handle_t *)&s->timer))
        uv_timer_start(&s->timer, on_tick, 0, TICK_MS);
}

/* --- the launcher ----------------------------------------------------------------------------- */

static struct launcher *slurm_create(void)
{
    struct slurm *s = xcalloc(1, sizeof(*s));
    return &s->base;
}

static void slurm_open(struct launcher *l)
{
    struct slurm *s = slurm_of(l);
    if (uv_timer_init(l->site->loop->uv, &s->timer) == 0)
        s->has_timer = true;
    s->timer.data = s;
    s->spool = spool_create(l->site->loop->uv);
}

static void slurm_look(struct launcher *l)
{
    struct slurm *s = slurm_of(l);
    if (!s->sweeps && engine_placed(l->site->engine, l->index, loop_now(), NULL, 0) > 0)
        slurm_wake(s);
}

static void slurm_stop(struct launcher *l)
{
    struct slurm *s = slurm_of(l);
    if (s->is_stopping)
        return;
    s->is_stopping = true;
    if (s->sweeps)
        slurm_wake(s);
}

/* Pilots are to hear that they shall go; but a spool that does not answer holds up no end. */
static bool slurm_is_busy(struct launcher *l)
{
    struct slurm *s = slurm_of(l);
    bool busy = s->commands > 0;
    uint64_t now = now_of(s);
    for (const struct slurm_sweep *w = s->sweeps; w; w = w->next)
        busy |= w->commands || w->job_is_out || !w->end_is_said;
    if (busy && s->stop_ms == 0)
        s->stop_ms = now;
    return busy && (now < s->stop_ms + STOP_MS || s->commands > 0);
}

static void slurm_close(struct launcher *l)
{
    struct slurm *s = slurm_of(l);
    if (s->has_timer)
        uv_close((uv_handle_t *)&s->timer, NULL);
    spool_close(s->spool);
}

/* A room that the spool's thread still has is left to it. */
static void slurm_destroy(struct launcher *l)
{
    struct slurm *s = slurm_of(l);
    for (struct slurm_sweep *w; (w = s->sweeps);) {
        s->sweeps = w->next;
        if (!w->job_is_out)
            slurm_sweep_destroy(w);
    }
    free(s);
}

/* Slots are the sweeps' own. */
static size_t slurm_capacity(const struct launcher *l)
{
    (void)l;
    return 0;
}

static bool slurm_knows(const char *handle)
{
    return strncmp(handle, "slurm:", 6) == 0;
}

const struct launcher_type launcher_slurm = {
    .name = "slurm",
    .signal_delay_ms = SIGNAL_DELAY_MS,
    .create = slurm_create,
    .open = slurm_open,
    .look = slurm_look,
    .stop = slurm_stop,
    .is_busy = slurm_is_busy,
    .close = slurm_close,
    .destroy = slurm_destroy,
    .capacity = slurm_capacity,
    .knows = slurm_knows,
    .start = slurm_start,
    .adopt = slurm_adopt,
    .alive = slurm_alive,
    .signal = slurm_signal,
    .release = slurm_release,
    .write_status = slurm_write_status,
};
