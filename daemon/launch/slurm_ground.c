/* What the files slurm*.c stand on: who is known, and how the others are told. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/launch/site.h"
#include "daemon/launch/slurm_part.h"
#include "daemon/loop.h"
#include "sweep/log.h"
#include "sweep/sha256.h"

#define LOG_MODULE "slurm"

void slurm_wake(struct slurm *s)
{
    if (s->has_timer && !uv_is_closing((uv_handle_t *)&s->timer))
        uv_timer_start(&s->timer, s->tick, 0, SLURM_TICK_MS);
}

/* --- sweeps ----------------------------------------------------------------------------------- */

struct slurm_sweep *slurm_sweep_find(const struct slurm *s, int64_t sweep_id)
{
    struct slurm_sweep *w = s->sweeps;
    while (w && w->id != sweep_id)
        w = w->next;
    return w;
}

/* Of a database's sweep, always the same. */
static void set_uuid(struct slurm_sweep *w, const char *database)
{
    char text[128], hex[65];
    struct sha256 sha;
    int len = snprintf(text, sizeof(text), "%s/%" PRId64, database, w->id);
    sha256_init(&sha);
    sha256_add(&sha, text, (size_t)len);
    sha256_hex(&sha, hex);
    snprintf(w->uuid, sizeof(w->uuid), "%.8s-%.4s-8%.3s-8%.3s-%.12s", hex, hex + 8, hex + 13,
             hex + 17, hex + 20);
}

struct slurm_sweep *slurm_sweep_get(struct slurm *s, int64_t sweep_id)
{
    struct slurm_sweep *w = slurm_sweep_find(s, sweep_id);
    if (w)
        return w;
    if (!s->spool)
        s->spool = spool_create(s->base.site->loop->uv);
    w = xcalloc(1, sizeof(*w));
    *w = (struct slurm_sweep){.slurm = s, .id = sweep_id};
    w->commands_end = &w->commands;
    set_uuid(w, engine_database(s->base.site->engine));
    char *path = xasprintf("%s/%s", s->base.site->spool, w->uuid);
    str_copy(w->path, sizeof(w->path), path);
    free(path);
    struct slurm_sweep **end = &s->sweeps;
    while (*end)
        end = &(*end)->next;
    *end = w;
    return w;
}

void slurm_give(struct slurm_sweep *w, struct room_command *c)
{
    c->next = NULL;
    *w->commands_end = c;
    w->commands_end = &c->next;
    slurm_wake(w->slurm);
}

/* --- jobs ------------------------------------------------------------------------------------- */

static int compare_task(const void *id, const void *task)
{
    return strverscmp(id, ((const struct slurm_task *)task)->job.id);
}

struct slurm_task *slurm_task_find(const struct slurm_sweep *w, const char *id)
{
    return w->task_count == 0
               ? NULL
               : bsearch(id, w->tasks, w->task_count, sizeof(*w->tasks), compare_task);
}

struct slurm_task *slurm_task_insert(struct slurm_sweep *w, const char *id)
{
    size_t i = w->task_count;
    w->tasks = array_room(w->tasks, &w->task_cap, w->task_count, sizeof(*w->tasks));
    while (i > 0 && compare_task(id, &w->tasks[i - 1]) < 0)
        i--;
    memmove(&w->tasks[i + 1], &w->tasks[i], (w->task_count++ - i) * sizeof(*w->tasks));
    w->tasks[i] = (struct slurm_task){.kind = SLURM_WAITS};
    str_copy(w->tasks[i].job.id, sizeof(w->tasks[i].job.id), id);
    return &w->tasks[i];
}

bool slurm_task_has_ended(const struct slurm_task *t)
{
    return t->kind == SLURM_ENDED || t->kind == SLURM_NO_MEMORY;
}

size_t slurm_tasks_live(const struct slurm_sweep *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->task_count; i++)
        n += !slurm_task_has_ended(&w->tasks[i]) && !w->tasks[i].has_left;
    return n;
}

size_t slurm_tasks_waiting(const struct slurm_sweep *w)
{
    size_t n = 0;
    for (size_t i = 0; i < w->task_count; i++)
        n += w->tasks[i].kind == SLURM_WAITS;
    return n;
}

void slurm_task_begins(struct slurm_task *t)
{
    t->had_pilot = true;
    if (t->kind != SLURM_WAITS)
        return;
    t->kind = SLURM_RUNS;
    str_copy(t->job.state, sizeof(t->job.state), "RUNNING");
}

/* --- pilots ----------------------------------------------------------------------------------- */

static int compare_pilot(const void *name, const void *pilot)
{
    return strverscmp(name, ((const struct slurm_pilot *)pilot)->name);
}

struct slurm_pilot *slurm_pilot_find(const struct slurm_sweep *w, const char *name)
{
    return w->pilot_count == 0
               ? NULL
               : bsearch(name, w->pilots, w->pilot_count, sizeof(*w->pilots), compare_pilot);
}

struct slurm_pilot *slurm_pilot_insert(struct slurm_sweep *w, const char *name)
{
    size_t i = w->pilot_count;
    w->pilots = array_room(w->pilots, &w->pilot_cap, w->pilot_count, sizeof(*w->pilots));
    while (i > 0 && compare_pilot(name, &w->pilots[i - 1]) < 0)
        i--;
    memmove(&w->pilots[i + 1], &w->pilots[i], (w->pilot_count++ - i) * sizeof(*w->pilots));
    w->pilots[i] = (struct slurm_pilot){0};
    str_copy(w->pilots[i].name, sizeof(w->pilots[i].name), name);
    return &w->pilots[i];
}

/* None of them could be heard: their silence begins now. */
void slurm_pilots_excuse(struct slurm_sweep *w)
{
    for (size_t i = 0; i < w->pilot_count; i++)
        w->pilots[i].heard_ms = uv_now(w->slurm->base.site->loop->uv);
}

void slurm_grant(struct slurm_sweep *w)
{
    bool works = w->is_open && !w->slurm->spool_hangs && w->trouble[0] == '\0' && !w->end_is_said;
    engine_set_sweep_slots(w->slurm->base.site->engine, w->id, works ? w->pilot_count : 0);
    w->slurm->base.site->loop->dirty = true;
}

void slurm_pilot_forget(struct slurm_sweep *w, struct slurm_pilot *p)
{
    size_t i = (size_t)(p - w->pilots);
    memmove(p, p + 1, (--w->pilot_count - i) * sizeof(*p));
    slurm_grant(w);
}

void slurm_pilot_lose(struct slurm_sweep *w, struct slurm_pilot *p, const char *why,
                      bool out_of_memory)
{
    struct room_command *c = room_command_create(ROOM_PILOT_GONE, 0);
    log_warn("sweep %" PRId64 ": pilot %s is gone: %s", w->id, p->name, why);
    str_copy(c->pilot, sizeof(c->pilot), p->name);
    str_copy(c->text, sizeof(c->text), why);
    c->out_of_memory = out_of_memory;
    slurm_give(w, c);
    slurm_pilot_forget(w, p);
}
