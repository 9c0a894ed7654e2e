/* A sweep that names this launcher: its room in the spool, and its pilots. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/launch/site.h"
#include "daemon/launch/slurm_part.h"
#include "daemon/loop.h"
#include "sweep/log.h"

#define LOG_MODULE "slurm"

#define TURN_MS 100 /* between two looks at a room … */
#define TURN_MS_PILOT 2 /* … and so much more for each pilot in it */
#define TURN_MS_MAX 1000
#define IDLE_SECONDS 300
#define GRACE_SECONDS 60

/* --- life ------------------------------------------------------------------------------------- */

void slurm_sweep_destroy(struct slurm_sweep *w)
{
    for (struct room_command *c; (c = w->commands);) {
        w->commands = c->next;
        room_command_destroy(c);
    }
    for (size_t i = 0; i < w->on.option_count; i++)
        free(w->on.options[i]);
    free(w->on.options);
    free(w->job.pass.news);
    room_destroy(w->room);
    free(w->tasks);
    free(w->pilots);
    free(w);
}

/* --- pilots ----------------------------------------------------------------------------------- */

static bool is_later(const struct slurm_pilot *a, const struct slurm_pilot *b)
{
    return a->orders != b->orders ? a->orders > b->orders : strverscmp(a->name, b->name) > 0;
}

/* Of a job there is one pilot: a later one says that the earlier is gone. They may be seen in any
 * order. */
static void end_earlier(struct slurm_sweep *w, const char *job)
{
    struct slurm_pilot *last = NULL;
    for (size_t i = 0; i < w->pilot_count && job[0]; i++)
        if (strcmp(w->pilots[i].job, job) == 0 && (!last || is_later(&w->pilots[i], last)))
            last = &w->pilots[i];
    if (!last)
        return;
    char name[SPOOL_PILOT_MAX];
    str_copy(name, sizeof(name), last->name);
    for (size_t i = w->pilot_count; i-- > 0;)
        if (strcmp(w->pilots[i].job, job) == 0 && strcmp(w->pilots[i].name, name) != 0)
            slurm_pilot_lose(w, &w->pilots[i], "another pilot of its job has begun", false);
}

static void add_pilot(struct slurm_sweep *w, const struct room_news *n)
{
    struct slurm_pilot *p = slurm_pilot_insert(w, n->pilot);
    p->heard_ms = uv_now(w->slurm->base.site->loop->uv);
    p->known_from = w->slurm->listings;
    str_copy(p->job, sizeof(p->job), n->note.job);
    str_copy(p->host, sizeof(p->host), n->note.host);
    p->orders = n->note.orders;
    struct slurm_task *t = slurm_task_find(w, p->job);
    if (t)
        slurm_task_begins(t);
    w->false_starts = 0;
    log_info("sweep %" PRId64 ": pilot %s on %s", w->id, p->name, p->host);
    end_earlier(w, n->note.job);
    slurm_grant(w);
}

static void end_pilot(struct slurm_sweep *w, const struct room_news *n)
{
    struct slurm_pilot *p = slurm_pilot_find(w, n->pilot);
    if (!p)
        return;
    struct slurm_task *t = slurm_task_find(w, p->job);
    if (t)
        t->has_left = true;
    log_info("sweep %" PRId64 ": pilot %s has left: %s", w->id, p->name, n->text);
    slurm_pilot_forget(w, p);
}

/* --- the room --------------------------------------------------------------------------------- */

static void take_trouble(struct slurm_sweep *w, const struct room_news *n)
{
    if (n->text[0])
        log_warn("sweep %" PRId64 ": spool: %s", w->id, n->text);
    else if (w->trouble[0])
        log_info("sweep %" PRId64 ": the spool works again", w->id);
    if (w->trouble[0])
        slurm_pilots_excuse(w);
    str_copy(w->trouble, sizeof(w->trouble), n->text);
    slurm_grant(w);
}

static void take_news(struct slurm_sweep *w, const struct room_news *n)
{
    struct slurm_pilot *p = n->pilot[0] ? slurm_pilot_find(w, n->pilot) : NULL;
    switch (n->type) {
    case ROOM_IS_OPEN:
        w->is_open = true;
        break;
    case ROOM_TROUBLE:
        take_trouble(w, n);
        break;
    case ROOM_RUN_TAKEN:
        if (p)
            p->run_id = n->run_id;
        break;
    case ROOM_RUN_OVER:
        for (size_t i = 0; i < w->pilot_count; i++)
            if (w->pilots[i].run_id == n->run_id)
                w->pilots[i].run_id = 0;
        slurm_run_over(w->slurm, n);
        break;
    case ROOM_PILOT_HELLO:
        if (!p)
            add_pilot(w, n);
        break;
    case ROOM_PILOT_ALIVE:
        if (p)
            p->heard_ms = uv_now(w->slurm->base.site->loop->uv);
        break;
    case ROOM_PILOT_BYE:
        end_pilot(w, n);
        break;
    }
}

static void on_turn(struct spool_job *job)
{
    struct slurm_sweep *w = job->arg;
    w->job_is_out = false;
    w->is_removed |= job->removes;
    for (size_t i = 0; i < job->pass.count; i++)
        take_news(w, &job->pass.news[i]);
    job->pass.count = 0;
    slurm_wake(w->slurm);
}

static void open_room(struct slurm_sweep *w)
{
    const struct launch_site *site = w->slurm->base.site;
    struct room_place *place = xcalloc(1, sizeof(*place));
    *place = (struct room_place){.sweep_id = w->id,
                                 .beat_seconds = site->lease_seconds / 9,
                                 .lease_seconds = site->lease_seconds,
                                 .idle_seconds = IDLE_SECONDS,
                                 .grace_seconds = GRACE_SECONDS,
                                 .script = slurm_script(site, w->path, w->is_program)};
    str_copy(place->path, sizeof(place->path), w->path);
    str_copy(place->runs_dir, sizeof(place->runs_dir), site->runs_dir);
    str_copy(place->database, sizeof(place->database), engine_database(site->engine));
    w->room = room_create(place);
    free(place);
}

static uint64_t turn_interval_ms(const struct slurm_sweep *w)
{
    uint64_t ms = TURN_MS + TURN_MS_PILOT * w->pilot_count;
    return ms < TURN_MS_MAX ? ms : TURN_MS_MAX;
}

void slurm_sweep_turn(struct slurm_sweep *w, uint64_t now_ms)
{
    if (w->job_is_out || w->is_removed || (w->slurm->is_closing && !w->commands) ||
        (!w->commands && !w->wants_removal && now_ms < w->turn_ms + turn_interval_ms(w)))
        return;
    if (!w->room)
        open_room(w);
    w->job.room = w->room;
    w->job.removes = w->wants_removal;
    w->job.done = on_turn;
    w->job.arg = w;
    w->job.pass.commands = w->commands;
    w->commands = NULL;
    w->commands_end = &w->commands;
    w->job_is_out = true;
    w->turn_ms = now_ms;
    spool_hand_over(w->slurm->spool, &w->job);
}
