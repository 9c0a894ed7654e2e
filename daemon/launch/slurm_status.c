/* What `status` says of this launcher. */
#include <string.h>

#include "daemon/launch/site.h"
#include "daemon/launch/slurm_part.h"
#include "sweep/json.h"

static void write_pilot(const struct slurm_pilot *p, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "pilot", p->name);
    jw_kv_string(w, "job", p->job);
    jw_kv_string(w, "host", p->host);
    jw_kv_string(w, "state", p->state);
    jw_key(w, "run");
    if (p->run_id)
        jw_int(w, p->run_id);
    else
        jw_null(w);
    jw_end_object(w);
}

/* What stands in the way, the nearest first. */
static const char *trouble_of(const struct slurm_sweep *w)
{
    if (w->slurm->spool_hangs)
        return "the spool does not answer";
    if (w->trouble[0])
        return w->trouble;
    if (w->refusal[0])
        return w->refusal;
    return w->slurm->list_trouble;
}

/* Why the first of those that wait does, in Slurm's word; "": it says nothing, or none waits. */
static const char *reason_of(const struct slurm_sweep *w)
{
    for (size_t i = 0; i < w->task_count; i++) {
        const char *reason = w->tasks[i].job.reason;
        if (w->tasks[i].kind == SLURM_WAITS && strcmp(reason, "None") != 0 && reason[0] != '\0')
            return reason;
    }
    return "";
}

static void write_sweep(const struct slurm_sweep *s, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "launcher", "slurm");
    jw_kv_int(w, "sweep", s->id);
    jw_kv_string(w, "job_name", s->uuid);
    jw_kv_string(w, "spool", s->path);
    jw_kv_int(w, "slots", s->on.slots);
    jw_kv_int(w, "pilots_running", (int64_t)s->pilot_count);
    jw_kv_int(w, "pilots_waiting", (int64_t)slurm_tasks_waiting(s));
    jw_kv_string(w, "waiting_for", reason_of(s));
    jw_kv_string(w, "trouble", trouble_of(s));
    jw_key(w, "pilots");
    jw_begin_array(w);
    for (size_t i = 0; i < s->pilot_count; i++)
        write_pilot(&s->pilots[i], w);
    jw_end_array(w);
    jw_end_object(w);
}

void slurm_write_status(const struct launcher *l, struct json_writer *w)
{
    for (const struct slurm_sweep *s = ((const struct slurm *)l)->sweeps; s; s = s->next)
        write_sweep(s, w);
}
