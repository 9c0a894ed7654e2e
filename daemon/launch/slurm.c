#include "daemon/launch/slurm.h"

#include <stdlib.h>
#include <string.h>

#include "daemon/launch/site.h"
#include "daemon/launch/slurm_part.h"
#include "daemon/loop.h"
#include "sweep/buf.h"
#include "sweep/log.h"
#include "sweep/spec.h"
#include "sweep/task.h"

#define LOG_MODULE "slurm"

#define STOP_MS 3000     /* a stop waits so long for the spool and for Slurm */
#define HUNG_PART 6 /* of a lease: a spool that does not answer for so long is in trouble */
#define HUNG_MS_LEAST 1000
#define LOOKS_BETWEEN 5
#define SIGNAL_DELAY_MS 10000 /* until a signal reaches a worker */

static uint64_t now_of(const struct slurm *s)
{
    return uv_now(s->base.site->loop->uv);
}

/* --- ticks ------------------------------------------------------------------------------------ */

static void take_spec(struct slurm_sweep *w, const struct spec *spec)
{
    if (!spec || w->on.slots > 0)
        return;
    w->is_program = task_of(spec)->has_environment;
    w->on = spec->on;
    w->on.options = xcalloc(spec->on.option_count + 1, sizeof(char *));
    for (size_t i = 0; i < spec->on.option_count; i++)
        w->on.options[i] = xstrdup(spec->on.options[i]);
}

static void take_place(struct slurm_sweep *w, const struct placed_sweep *p)
{
    bool first = !w->is_named;
    if (w->status == SWEEP_HELD && p->status != SWEEP_HELD)
        w->failures = w->false_starts = 0, w->submit_ms = 0; /* a person wants it tried again */
    w->is_named = true;
    w->status = p->status;
    w->running = p->running;
    w->waiting = p->waiting;
    if (first)
        take_spec(w, engine_sweep_spec(w->slurm->base.site->engine, w->id));
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

/* A mount that is gone answers to nothing: no runs are given to it; its silence is no pilot's. */
static void look_at_spool(struct slurm *s)
{
    uint64_t patience = (uint64_t)(s->base.site->lease_seconds * 1000) / HUNG_PART;
    patience = patience > HUNG_MS_LEAST ? patience : HUNG_MS_LEAST;
    bool hangs = s->spool && spool_busy_ms(s->spool) > patience;
    if (hangs == s->spool_hangs)
        return;
    s->spool_hangs = hangs;
    if (hangs)
        log_warn("the spool %s does not answer", s->base.site->spool);
    else
        log_info("the spool answers again");
    for (struct slurm_sweep *w = s->sweeps; w; w = w->next) {
        slurm_pilots_excuse(w);
        slurm_grant(w);
    }
}

/* Rooms of sweeps that have ended, whose daemon had no time to clear them. */
static void on_scanned(struct spool_job *job)
{
    struct slurm *s = job->arg;
    s->is_scanning = false;
    for (size_t i = 0; i < job->found_count; i++)
        (void)slurm_sweep_get(s, job->found[i]);
    free(job->found);
    job->found = NULL;
    slurm_wake(s);
}

/* Once, when there is a sweep for us at all. */
static void scan(struct slurm *s)
{
    if (s->has_scanned || !s->spool || s->is_stopping)
        return;
    s->has_scanned = s->is_scanning = true;
    s->database = xstrdup(engine_database(s->base.site->engine));
    s->scan = (struct spool_job){.scans = s->base.site->spool,
                                 .database = s->database,
                                 .done = on_scanned,
                                 .arg = s};
    spool_hand_over(s->spool, &s->scan);
}

/* Its runs have all ended, or the daemon ends: pilots go. */
static void say_end(struct slurm_sweep *w, uint64_t now_ms)
{
    bool leaves = !w->is_named || w->slurm->is_stopping;
    if (!leaves || w->end_is_said || slurm_has_workers(w->slurm, w->id))
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
           !slurm_has_workers(w->slurm, w->id);
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
    scan(s);
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
    s->tick = on_tick;
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
    s->stopping_ms = now_of(s);
    if (s->sweeps)
        slurm_wake(s);
}

/* Pilots are to hear that they shall go; but neither a spool nor a controller that does not answer
 * holds up the end. */
static bool slurm_is_busy(struct launcher *l)
{
    struct slurm *s = slurm_of(l);
    bool busy = s->commands > 0 || s->is_scanning;
    uint64_t now = now_of(s);
    s->is_closing = true;
    for (const struct slurm_sweep *w = s->sweeps; w; w = w->next) {
        bool is_left = slurm_has_workers(s, w->id); /* to the next daemon */
        busy |= w->commands || w->job_is_out || (!w->end_is_said && !is_left);
    }
    if (busy && s->stop_ms == 0)
        s->stop_ms = now;
    s->gives_up = busy && now >= s->stop_ms + STOP_MS;
    return s->gives_up ? s->commands > 0 : busy;
}

static void slurm_close(struct launcher *l)
{
    struct slurm *s = slurm_of(l);
    if (s->has_timer)
        uv_close((uv_handle_t *)&s->timer, NULL);
    if (s->spool)
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
    if (s->is_scanning)
        return;
    free(s->database);
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
    .looks_between = LOOKS_BETWEEN,
    .create = slurm_create,
    .open = slurm_open,
    .look = slurm_look,
    .stop = slurm_stop,
    .is_busy = slurm_is_busy,
    .cut_off = slurm_cut_off,
    .close = slurm_close,
    .destroy = slurm_destroy,
    .capacity = slurm_capacity,
    .knows = slurm_knows,
    .start = slurm_worker_start,
    .adopt = slurm_worker_adopt,
    .alive = slurm_worker_alive,
    .signal = slurm_worker_signal,
    .release = slurm_worker_release,
    .write_status = slurm_write_status,
};
