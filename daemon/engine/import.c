/* A sweep that another program has carried out becomes one of ours, which has ended: its runs are
 * begun, reported and ended one after the other, at the times when they were, as if a client had
 * done it here. So all that follows from curves and values is decided as for any other sweep.
 * That takes its time, and nothing of the others: so an engine of its own does it, which has only
 * that sweep, and may be on another thread than the one that serves clients. */
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

/* All of them wait before the first is begun: with the last one the sweep ends. */
static void add_runs(struct engine *e, struct sweep *s, const struct imported_sweep *in, utc_us now,
                     struct effects *fx)
{
    for (size_t i = 0; i < in->count; i++) {
        const struct enqueued q = {.kind = RUN_KIND_SEARCH,
                                   .at = in->runs[i].at,
                                   .stage = STAGE_IMPORTED,
                                   .reason = in->runs[i].reason};
        sweep_enqueue(e, s, &q, now, fx);
    }
}

static void add_points(struct engine *e, struct run *r, const struct imported_run *in, utc_us now,
                       struct effects *fx)
{
    struct point *points = xcalloc(in->count + 1, sizeof(*points));
    for (size_t i = 0; i < in->count; i++) {
        in->points[i]->at.point = (int64_t)i + 1;
        points[i] = in->points[i]->at;
    }
    size_t taken = engine_run_points(e, r->row->id, points, in->count, now, fx);
    engine_run_metrics(e, r->row->id, in->points, taken, fx);
    free(points);
}

/* One without a point has nothing to be ranked by. */
static void end_run(struct engine *e, struct run *r, const struct imported_run *in, utc_us started,
                    utc_us now, struct effects *fx)
{
    struct record_result result = {.status = in->status, .error = RUN_ERROR_NONE};
    utc_us ended = in->ended > started ? in->ended : started;
    bool failed = in->status == RUN_FAILED || in->count == 0;
    result.seconds = (double)(ended - started) * 1e-6;
    str_copy(result.text, sizeof(result.text), in->text != NULL ? in->text : "");
    if (failed) {
        result.status = RUN_FAILED;
        result.error = RUN_ERROR_EXITED;
    } else if (result.status == RUN_STOPPED && result.text[0] == '\0') {
        str_copy(result.text, sizeof(result.text), "stopped where it was carried out");
    }
    engine_run_ended(e, r->row->id, &(struct run_exit){.result = &result},
                     in->ended > 0 ? ended : now, fx);
}

static void carry_out(struct engine *e, struct run *r, const struct imported_run *in, utc_us now,
                      struct effects *fx)
{
    utc_us started = in->started > 0 ? in->started : in->ended > 0 ? in->ended : now;
    r->launcher = LAUNCHER_OF_LEASES;
    run_begin(e, r, started, fx);
    if (in->count > 0)
        add_points(e, r, in, started, fx);
    end_run(e, r, in, started, now, fx);
}

/* --- effects --------------------------------------------------------------------------------- */

/* Thousands of runs are no news: each begins and ends in one moment. */
static bool is_of_a_run(const struct store_op *op)
{
    const struct event_row *e = op->type == STORE_ADD_EVENT ? op->u.event : NULL;
    return e != NULL && (e->run_id != 0 || strcmp(e->kind, "stage_planned") == 0 ||
                         strcmp(e->kind, "sweep_running") == 0);
}

static bool is_news(const struct action *a)
{
    return a->type != ACTION_DROP_CHECKPOINT && a->type != ACTION_DROP_WEIGHTS &&
           (a->type != ACTION_NOTIFY || strncmp(a->method, "sweep_", 6) == 0);
}

static void take_over(struct effects *from, struct effects *fx)
{
    for (size_t i = 0; i < from->batch.count; i++) {
        struct store_op *op = &from->batch.ops[i];
        if (is_of_a_run(op))
            store_op_finish(op);
        else
            store_batch_move(&fx->batch, op);
    }
    for (size_t i = 0; i < from->action_count; i++) {
        struct action *a = &from->actions[i];
        if (is_news(a))
            *effects_add(fx, a->type, 0, 0) = *a;
        else
            action_finish(a);
    }
    free(from->batch.ops);
    free(from->actions);
}

/* --- the sweep ------------------------------------------------------------------------------- */

static struct sweep *open_imported(struct engine *e, const struct imported_sweep *in, utc_us now,
                                   struct effects *fx)
{
    static const struct record_prepared no_data;
    static const struct remedy_prior nothing;
    struct submission s = {
        .spec = in->spec, .prepared = &no_data, .known = &nothing, .id = in->id};
    engine_submit(e, &s, NULL, now, fx);
    return engine_sweep(e, e->last_sweep_id);
}

/* --- beside the engine of the open sweeps ---------------------------------------------------- */

struct engine *engine_import_begin(struct engine *e, const char *id, size_t runs)
{
    struct engine *own = engine_create(e->runs_dir);
    str_copy(own->database, sizeof(own->database), e->database);
    own->last_sweep_id = e->last_sweep_id++;
    own->last_run_id = e->last_run_id;
    e->last_run_id += (int64_t)runs;
    imports_note(e, id, e->last_sweep_id);
    return own;
}

int64_t engine_import(struct engine *own, const struct imported_sweep *in, utc_us now,
                      struct effects *fx)
{
    struct effects mine = {0};
    REQUIRE(in->spec->method == METHOD_BY_HAND && in->count > 0 && !own->stopping);
    int64_t first = own->last_run_id + 1;
    struct sweep *s = open_imported(own, in, now, &mine);
    int64_t id = s->row->id;
    store_batch_add_event(&mine.batch, id, 0, "imported", now, "%zu runs: %s", in->count,
                          in->source);
    s->imported = true;
    add_runs(own, s, in, now, &mine);
    for (size_t i = 0; i < in->count; i++)
        carry_out(own, sweep_live_run(s, first + (int64_t)i), &in->runs[i], now, &mine);
    sweep_step(own, s, now, &mine); /* it has ended, and is not open any more */
    take_over(&mine, fx);
    return id;
}
