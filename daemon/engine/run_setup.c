/* What a run is started with: its configuration, and what it may take. */
#include <stdlib.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/paths.h"

/* A file of a run's folder. Too deep a folder: no such file, but a run. */
static void run_file(const struct engine *e, int64_t run_id, enum run_file f,
                     char out[SPEC_PATH_MAX])
{
    paths_run_file(out, SPEC_PATH_MAX, e->runs_dir, run_id, f);
}

char *run_configure(const struct engine *e, const struct run *r)
{
    const struct sweep *s = r->sweep;
    const struct spec *spec = sweep_spec(s);
    struct trainer_config *config = run_config(r);
    char *params = run_params(r);
    struct run_setup setup = {.at = &s->trials[r->index]->at,
                              .config = config,
                              .epochs = r->row->epochs,
                              .until_epoch = r->row->until_epoch,
                              .seed = r->row->seed,
                              .run_id = r->row->id,
                              .sweep_id = s->row->id,
                              .params_json = params,
                              .metric_name = spec_metric_name(spec),
                              .data_hash = s->row->data_hash ? s->row->data_hash : "",
                              .checkpoint_seconds = e->checkpoint_seconds,
                              /* The last of the best only gets better: what is worse already will
                               * never be kept; of several objectives it may be in another. */
                              .has_weights_floor =
                                  !sweep_has_front(s) && s->best_count == sweep_keeps(s)};
    char run_dir[SPEC_PATH_MAX];
    const char *gpus[RESOURCE_DEVICES_MAX];
    (void)paths_run(run_dir, sizeof(run_dir), e->runs_dir, r->row->id);
    setup.run_dir = run_dir;
    needs_setup(e, r, &setup, gpus);
    int64_t start = config && config->start_from ? config->start_from : spec->trainer.start_from;
    run_file(e, r->row->id, RUN_FILE_WEIGHTS, setup.weights);
    run_file(e, r->row->id, RUN_FILE_CHECKPOINT, setup.checkpoint);
    if (population_parent(r) != 0)
        run_file(e, population_parent(r), RUN_FILE_CHECKPOINT, setup.start_checkpoint);
    if (start)
        run_file(e, start, RUN_FILE_WEIGHTS, setup.start_weights);
    if (setup.has_weights_floor)
        setup.weights_floor = s->best[s->best_count - 1].metric;
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    task_of(spec)->configure(spec, &setup, &w);
    trainer_config_release(config);
    free(params);
    return buf_take(&text);
}

struct run_limits engine_run_limits(const struct engine *e, int64_t run_id)
{
    const struct run *r = engine_running_run(e, run_id);
    struct run_limits l = {0};
    if (r == NULL)
        return l;
    l = sweep_spec(r->sweep)->limits.run;
    l.memory_mib = l.memory_mib > 0 ? l.memory_mib : e->limits.memory_mib;
    l.seconds = l.seconds > 0 ? l.seconds : e->limits.seconds;
    l.quiet_seconds = l.idle_seconds > 0 ? 0 : e->limits.quiet_seconds; /* one rule, not two */
    return l;
}
