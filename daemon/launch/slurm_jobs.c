/* Jobs: asked for, listed, given up, and what follows for pilots. All that is said here of a job
 * is what Slurm says of one of that name; a run's end is never concluded from it alone. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/launch/site.h"
#include "daemon/launch/slurm_part.h"
#include "daemon/loop.h"
#include "sweep/log.h"

#define LOG_MODULE "slurm"

#define GIVE_UP_FAILURES 3     /* refusals of sbatch in a row */
#define GIVE_UP_FALSE_STARTS 3 /* jobs in a row that ended before a pilot was there */
#define LIST_MS_MAX 60000
#define SUBMIT_MS_MAX 60000
#define CANCEL_MS 60000 /* between two calls of scancel for the same */
#define LEAVE_MS 30000  /* pilots that were told to go have so long */
#define SILENT_LEASES 4 /* a pilot whose job runs, and that says nothing, has so long */
#define TASKS_MAX 100000
#define ARRAY_MAX 1000 /* tasks of one job: Slurm's MaxArraySize is 1001 where nobody sets it */

static uint64_t list_interval_ms(const struct slurm *s)
{
    uint64_t ms = (uint64_t)(s->base.site->slurm_seconds * 1000);
    for (unsigned i = 0; i < s->list_failures && ms < LIST_MS_MAX; i++)
        ms *= 2;
    return ms < LIST_MS_MAX ? ms : LIST_MS_MAX;
}

/* A pilot may be there before sbatch has answered. */
static struct slurm_task *add_task(struct slurm_sweep *w, const char *id)
{
    if (w->task_count == TASKS_MAX)
        return NULL;
    struct slurm_task *t = slurm_task_insert(w, id);
    t->known_from = w->slurm->listings;
    str_copy(t->job.state, sizeof(t->job.state), "PENDING");
    for (size_t i = 0; i < w->pilot_count; i++)
        if (strcmp(w->pilots[i].job, id) == 0)
            slurm_task_begins(t);
    return t;
}

/* --- sbatch ----------------------------------------------------------------------------------- */

static void give_up(struct slurm_sweep *w, const char *fmt, ...)
    __attribute__((format(printf, 2, 3)));

static void give_up(struct slurm_sweep *w, const char *fmt, ...)
{
    const struct launch_site *site = w->slurm->base.site;
    struct buf why = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&why, fmt, ap);
    va_end(ap);
    log_warn("sweep %" PRId64 ": %s", w->id, why.data);
    w->failures = w->false_starts = 0;
    engine_hold_sweep(site->engine, w->id, why.data, loop_now(), loop_effects(site->loop));
    buf_finish(&why);
}

static void delay_submit(struct slurm_sweep *w, uint64_t now_ms)
{
    uint64_t ms = 1000;
    for (unsigned i = 1; i < w->failures + w->false_starts && ms < SUBMIT_MS_MAX; i++)
        ms *= 2;
    w->submit_ms = now_ms + ms;
}

struct submission_of {
    struct slurm *slurm;
    int64_t sweep_id;
    size_t count;
};

static void take_jobs(struct slurm_sweep *w, const char *id, size_t count)
{
    char task[SLURM_JOB_MAX + 24];
    for (size_t i = 0; i < count; i++) {
        snprintf(task, sizeof(task), "%s_%zu", id, i);
        if (!slurm_task_find(w, task))
            add_task(w, task);
    }
    w->asked += count;
    w->failures = 0;
    w->refusal[0] = '\0';
    log_info("sweep %" PRId64 ": %zu pilots asked for, job %s", w->id, count, id);
}

static void on_submitted(void *arg, const struct slurm_answer *a)
{
    struct submission_of *of = arg;
    struct slurm *s = of->slurm;
    struct slurm_sweep *w = slurm_sweep_find(s, of->sweep_id);
    char id[SLURM_JOB_MAX];
    s->commands--;
    if (w) {
        w->submits = false;
        if (a->ok && slurm_id_read(a->output, id)) {
            take_jobs(w, id, of->count);
        } else {
            str_copy(w->refusal, sizeof(w->refusal),
                     a->ok ? "sbatch: it printed no id of a job" : a->why);
            log_warn("sweep %" PRId64 ": %s", w->id, w->refusal);
            w->failures += !a->is_unreachable;
            if (w->failures >= GIVE_UP_FAILURES || a->is_missing)
                give_up(w, "Slurm takes no jobs of it: %s", w->refusal);
            delay_submit(w, uv_now(s->base.site->loop->uv));
        }
    }
    free(of);
    slurm_wake(s);
}

static void submit(struct slurm_sweep *w, size_t count)
{
    struct submission_of *of = xcalloc(1, sizeof(*of));
    char **words = slurm_sbatch_words(w, count);
    *of = (struct submission_of){w->slurm, w->id, count};
    w->submits = true;
    w->slurm->commands++;
    slurm_command(w->slurm->base.site, words, &w->slurm->gives_up, on_submitted, of);
    slurm_words_free(words);
}

/* --- scancel ---------------------------------------------------------------------------------- */

static void on_cancelled(void *arg, const struct slurm_answer *a)
{
    struct submission_of *of = arg;
    struct slurm_sweep *w = slurm_sweep_find(of->slurm, of->sweep_id);
    of->slurm->commands--;
    if (w)
        w->cancels = false;
    if (!a->ok)
        log_warn("sweep %" PRId64 ": %s", of->sweep_id, a->why);
    slurm_wake(of->slurm);
    free(of);
}

static void cancel(struct slurm_sweep *w, bool waiting_only, uint64_t now_ms)
{
    if (w->cancels || (w->cancel_ms && now_ms < w->cancel_ms))
        return;
    struct submission_of *of = xcalloc(1, sizeof(*of));
    char *name = xasprintf("--name=%s", w->uuid);
    char *words[] = {"scancel", name, waiting_only ? "--state=PENDING" : NULL, NULL};
    *of = (struct submission_of){w->slurm, w->id, 0};
    w->cancels = true;
    w->cancel_ms = now_ms + CANCEL_MS;
    w->slurm->commands++;
    slurm_command(w->slurm->base.site, words, &w->slurm->gives_up, on_cancelled, of);
    free(name);
}

/* --- squeue ----------------------------------------------------------------------------------- */

/* It ended and no pilot of it was ever seen: so may the next. */
static void note_false_start(struct slurm_sweep *w, const struct slurm_task *t)
{
    if (strncmp(t->job.state, "CANCELLED", 9) == 0 || strncmp(t->job.state, "PREEMPTED", 9) == 0)
        return;
    w->false_starts++;
    log_warn("sweep %" PRId64 ": job %s ended (%s) before a pilot was there; %s/" SPOOL_JOBS
             "/%s.log may say why",
             w->id, t->job.id, t->job.state, w->path, t->job.id);
    if (w->false_starts >= GIVE_UP_FALSE_STARTS)
        give_up(w,
                "%d jobs in a row ended before a pilot was there, the last is %s (%s): "
                "%s/" SPOOL_JOBS "/%s.log may say why",
                GIVE_UP_FALSE_STARTS, t->job.id, t->job.state, w->path, t->job.id);
    delay_submit(w, uv_now(w->slurm->base.site->loop->uv));
}

/* is_new: of an earlier daemon, or of an answer that is not there yet. How it began is not known
 * then. */
static void set_job(struct slurm_sweep *w, struct slurm_task *t, const struct slurm_job *job,
                    bool is_new)
{
    bool ended_before = is_new || slurm_task_has_ended(t);
    t->job = *job;
    t->kind = slurm_kind_of(job->state);
    t->listed = true;
    if (t->kind == SLURM_WAITS)
        t->has_left = t->had_pilot = false; /* it begins again */
    if (slurm_task_has_ended(t) && !ended_before && !t->had_pilot && !w->end_is_said)
        note_false_start(w, t);
}

static void take_line(struct slurm *s, const char *line, size_t len)
{
    struct slurm_job job;
    if (!slurm_job_read(line, len, &job))
        return;
    for (struct slurm_sweep *w = s->sweeps; w; w = w->next) {
        if (strcmp(w->uuid, job.name) != 0)
            continue;
        struct slurm_task *t = slurm_task_find(w, job.id);
        bool is_new = t == NULL;
        if (is_new)
            t = add_task(w, job.id);
        if (t)
            set_job(w, t, &job, is_new);
    }
}

/* What a listing that was begun after it was known does not have any more is gone. */
static void end_unlisted(struct slurm_sweep *w, uint64_t listing)
{
    size_t kept = 0;
    for (size_t i = 0; i < w->task_count; i++) {
        struct slurm_task *t = &w->tasks[i];
        if (!t->listed && t->known_from < listing && !slurm_task_has_ended(t)) {
            t->kind = SLURM_ENDED;
            str_copy(t->job.state, sizeof(t->job.state), "gone");
            if (!t->had_pilot && !w->end_is_said)
                note_false_start(w, t);
        }
        bool forget = !t->listed && slurm_task_has_ended(t) && t->known_from < listing;
        t->listed = false;
        if (!forget)
            w->tasks[kept++] = *t;
    }
    w->task_count = kept;
}

/* Of a pilot whose job the listing shows, or does not show any more. */
static void judge_by_listing(struct slurm_sweep *w, struct slurm_pilot *p, uint64_t listing)
{
    char why[96];
    if (p->known_from >= listing || p->job[0] == '\0')
        return;
    const struct slurm_task *t = slurm_task_find(w, p->job);
    enum slurm_kind kind = t ? t->kind : SLURM_ENDED;
    str_copy(p->state, sizeof(p->state), t ? t->job.state : "gone");
    if (kind == SLURM_ENDED && strcmp(p->state, "COMPLETED") == 0 && !p->has_completed) {
        p->has_completed = true; /* the next listing judges it */
        return;
    }
    if (kind == SLURM_WAITS)
        slurm_pilot_lose(w, p, "its job was put back into Slurm's queue", false);
    else if (kind == SLURM_ENDED || kind == SLURM_NO_MEMORY) {
        snprintf(why, sizeof(why), "its job is gone: %s",
                 t ? t->job.state : "Slurm knows it no more");
        slurm_pilot_lose(w, p, why, kind == SLURM_NO_MEMORY);
    }
}

static void take_listing(struct slurm *s, const char *text)
{
    uint64_t listing = s->listings;
    for (const char *at = text, *end; (end = strchr(at, '\n')); at = end + 1)
        take_line(s, at, (size_t)(end - at));
    for (struct slurm_sweep *w = s->sweeps; w; w = w->next) {
        for (size_t i = w->pilot_count; i-- > 0;)
            judge_by_listing(w, &w->pilots[i], listing);
        end_unlisted(w, listing);
        w->listed = listing;
    }
}

static void on_listed(void *arg, const struct slurm_answer *a)
{
    struct slurm *s = arg;
    s->lists = false;
    s->commands--;
    s->list_failures = a->ok ? 0 : s->list_failures + 1;
    str_copy(s->list_trouble, sizeof(s->list_trouble), a->ok ? "" : a->why);
    for (struct slurm_sweep *w = a->is_missing ? s->sweeps : NULL; w; w = w->next)
        if (w->is_named)
            give_up(w, "there is no Slurm in the daemon's PATH: %s", a->why);
    if (a->ok)
        take_listing(s, a->output);
    else if (s->list_failures == 1)
        log_warn("%s", a->why);
    s->list_ms = uv_now(s->base.site->loop->uv) + list_interval_ms(s);
    slurm_wake(s);
}

void slurm_list(struct slurm *s, uint64_t now_ms)
{
    struct buf names = {0};
    if (s->lists || !s->sweeps || now_ms < s->list_ms)
        return;
    buf_puts(&names, "--name=");
    for (const struct slurm_sweep *w = s->sweeps; w; w = w->next)
        buf_printf(&names, "%s%s", w == s->sweeps ? "" : ",", w->uuid);
    char *words[] = {"squeue",       "--noheader", "--array",
                     "--states=all", "--format=" SLURM_SQUEUE_FORMAT, names.data, NULL};
    s->lists = true;
    s->listings++;
    s->commands++;
    slurm_command(s->base.site, words, &s->gives_up, on_listed, s);
    buf_finish(&names);
}

/* --- what is wanted --------------------------------------------------------------------------- */

static bool may_submit(const struct slurm_sweep *w, uint64_t now_ms)
{
    bool is_under_way = w->status == SWEEP_QUEUED || w->status == SWEEP_RUNNING;
    bool has_room = w->is_open && w->trouble[0] == '\0' && !w->slurm->spool_hangs;
    return w->is_named && is_under_way && has_room && !w->submits && !w->slurm->is_stopping &&
           w->listed > 0 && now_ms >= w->submit_ms && slurm_tasks_waiting(w) == 0;
}

/* As many as there are runs for, at most its slots; and no more while some still wait: a backlog
 * of one. */
static size_t missing_pilots(const struct slurm_sweep *w)
{
    size_t wanted = w->running + w->waiting, live = slurm_tasks_live(w);
    if (wanted > (size_t)w->on.slots)
        wanted = (size_t)w->on.slots;
    size_t missing = wanted > live ? wanted - live : 0;
    return missing < ARRAY_MAX ? missing : ARRAY_MAX;
}

void slurm_mind_jobs(struct slurm_sweep *w, uint64_t now_ms)
{
    bool leaves = !w->is_named || w->slurm->is_stopping;
    size_t missing = missing_pilots(w);
    if (missing > 0 && may_submit(w, now_ms))
        submit(w, missing);
    if (leaves && w->end_is_said && now_ms > w->end_ms + LEAVE_MS && slurm_tasks_live(w) > 0)
        cancel(w, false, now_ms);
    else if ((leaves || (w->running == 0 && w->waiting == 0 && w->status != SWEEP_RUNNING)) &&
             slurm_tasks_waiting(w) > 0)
        cancel(w, true, now_ms);
}

void slurm_mind_pilots(struct slurm_sweep *w, uint64_t now_ms)
{
    uint64_t lease = (uint64_t)(w->slurm->base.site->lease_seconds * 1000);
    if (w->slurm->spool_hangs || w->trouble[0])
        return; /* they may speak, and not be heard */
    for (size_t i = w->pilot_count; i-- > 0;) {
        struct slurm_pilot *p = &w->pilots[i];
        if (now_ms <= p->heard_ms + lease)
            continue;
        const struct slurm_task *t = slurm_task_find(w, p->job);
        enum slurm_kind kind = t && w->slurm->list_failures == 0 ? t->kind : SLURM_UNKNOWN;
        if (kind == SLURM_SUSPENDED)
            p->heard_ms = now_ms;
        else if (kind != SLURM_RUNS || now_ms > p->heard_ms + SILENT_LEASES * lease)
            slurm_pilot_lose(w, p, "it has not been heard of for longer than its lease", false);
    }
}
