/* What a run's worker says while it trains: start lines and points. */
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"

/* The first thing that is wrong counts. */
static void break_protocol(struct run *r, char *why)
{
    if (r->protocol_error == NULL)
        r->protocol_error = why;
    else
        free(why);
}

/* Epoch of that point, or of the last one before it that is still kept; 0: none. */
static double epoch_before(const struct run *r, int64_t point)
{
    size_t i = r->kept.count;
    while (i > 0 && r->kept.points[i - 1].point > point)
        i--;
    return i > 0 ? r->kept.points[i - 1].epoch : 0;
}

void engine_run_start_line(struct engine *e, int64_t run_id, const struct record_start *s)
{
    struct run *r = engine_running_run(e, run_id);
    if (r == NULL)
        return;
    run_row_set_text(&r->row->core, s->core);
    run_row_set_text(&r->row->blas, s->blas);
    r->parameters = s->parameters;
    r->row->flop = s->flop;
    r->claims_more = s->resumed_point > r->seen_point;
    if (r->claims_more) {
        break_protocol(r, xasprintf("it goes on from point %" PRId64 ", but only %" PRId64
                                    " were reported",
                                    s->resumed_point, r->seen_point));
        return;
    }
    r->last_point = s->resumed_point;
    r->last_epoch = epoch_before(r, s->resumed_point);
}

void run_repair(struct run *r, const char *why, utc_us now, struct effects *fx)
{
    bool resumes = task_resumes(sweep_spec(r->sweep));
    /* A second attempt in a row is not to fail by the same checkpoint. */
    bool anew = !resumes || r->claims_more || r->row->attempts > 1;
    store_batch_add_event(&fx->batch, r->row->sweep_id, r->row->id, "run_lines_damaged", now,
                          "%s: %s", why,
                          anew ? "it begins anew" : "it goes on from its checkpoint, if it can");
    if (anew)
        effects_add(fx, ACTION_DROP_CHECKPOINT, r->row->sweep_id, r->row->id);
}

void engine_run_note(struct engine *e, int64_t run_id, const char *kind, const char *text,
                     utc_us now, struct effects *fx)
{
    const struct run *r = engine_running_run(e, run_id);
    store_batch_add_event(&fx->batch, r != NULL ? r->row->sweep_id : 0, run_id, kind, now, "%s",
                          text);
}

/* --- points ---------------------------------------------------------------------------------- */

/* What the sweep ranks by, at a point; m: its metrics, NULL: none, or not read yet. False: not
 * measured there. The one place that asks the specification for the metric. */
static bool metric_of_point(const struct spec *spec, const struct point *p,
                            const struct point_metrics *m, double *out)
{
    return point_value(p, m, spec_metric_name(spec), out);
}

static void rank_point(struct run *r, const struct point *p, const struct point_metrics *m)
{
    struct run_row *row = r->row;
    double value;
    if (!metric_of_point(sweep_spec(r->sweep), p, m, &value))
        return;
    if (row->has_metric && !metric_better(value, row->metric_value, sweep_spec(r->sweep)->maximize))
        return;
    row->has_metric = true;
    row->metric_value = value;
    row->best_epoch = p->epoch;
    row->has_val_loss = point_has(p, CURVE_VAL_LOSS);
    row->val_loss = row->has_val_loss ? p->v[CURVE_VAL_LOSS] : NAN;
    row->has_val_acc = point_has(p, CURVE_VAL_ACC);
    row->val_acc = row->has_val_acc ? p->v[CURVE_VAL_ACC] : NAN;
}

/* The most points that the run can come to: the trainer's horizon says so itself. */
static int64_t most_points(const struct run *r)
{
    const struct spec *spec = sweep_spec(r->sweep);
    struct settings own;
    if (!task_of(spec)->has_settings)
        return RUN_POINTS_MAX;
    trial_settings(spec, r->sweep->trials[r->index], &own);
    return r->row->epochs * (int64_t)own.v[SETTING_POINTS_PER_EPOCH];
}

/* Points come one after the other from 1; whatever breaks that ends the attempt's credit. */
static bool accept_point(struct run *r, const struct point *p)
{
    if (r->protocol_error != NULL)
        return false;
    if (p->point > most_points(r)) {
        break_protocol(r, xasprintf("point %" PRId64 " came, and the run has at most %" PRId64,
                                    p->point, most_points(r)));
        return false;
    }
    if (p->point != r->last_point + 1 || !(p->epoch > r->last_epoch)) {
        break_protocol(r, xasprintf("point %" PRId64 " of epoch %g came after point %" PRId64
                                    " of epoch %g",
                                    p->point, p->epoch, r->last_point, r->last_epoch));
        return false;
    }
    r->last_point = p->point;
    r->last_epoch = p->epoch;
    return true;
}

/* Points come again when a file is read anew and when a worker resumes: each is kept once an
 * attempt, and announced once. */
static void take_point(struct run *r, const struct point *p, struct effects *fx)
{
    if (p->point > r->seen_point) {
        r->seen_point = p->point;
        kept_points_add(&r->kept, p);
        rank_point(r, p, NULL);
        objectives_note(r, p, NULL);
    }
    if (p->point > r->furthest_point) {
        r->furthest_point = p->point;
        r->row->attempts = 0;
        notify_point(fx, r, p);
    }
}

/* Its worker leaves out what comes after (worker/command/intake.h). */
static void note_thinning(const struct run *r, utc_us now, struct effects *fx)
{
    store_batch_add_event(&fx->batch, r->row->sweep_id, r->row->id, "points_thinned", now,
                          "it has reported %d points: of those that follow the best and the last "
                          "are kept, at its end",
                          RUN_POINTS_MAX - RUN_POINTS_AT_END);
}

size_t engine_run_points(struct engine *e, int64_t run_id, const struct point *p, size_t count,
                         utc_us now, struct effects *fx)
{
    struct run *r = engine_running_run(e, run_id);
    if (r == NULL)
        return count; /* of no interest to anybody */
    size_t accepted = 0;
    int64_t before = r->seen_point;
    while (accepted < count && accept_point(r, &p[accepted]))
        accepted++;
    if (accepted == 0)
        return 0;
    /* Those that are there already the store compares with its own. */
    store_batch_add_points(&fx->batch, run_id, p, accepted);
    for (size_t i = 0; i < accepted; i++)
        take_point(r, &p[i], fx);
    bool thins = !task_of(sweep_spec(r->sweep))->has_settings;
    if (thins && before < RUN_POINTS_MAX - RUN_POINTS_AT_END &&
        r->seen_point >= RUN_POINTS_MAX - RUN_POINTS_AT_END)
        note_thinning(r, now, fx);
    label_running(r, now, fx);
    return accepted;
}

/* A point was ranked when it came, by its columns. Where the sweep ranks by another name it is
 * ranked now; to rank it a second time by a column changes nothing, for a value is not better than
 * itself. Metrics of points that were refused say nothing. */
void engine_run_metrics(struct engine *e, int64_t run_id, struct point_metrics *const *m, size_t n,
                        struct effects *fx)
{
    struct run *r = engine_running_run(e, run_id);
    size_t accepted = 0;
    if (r == NULL)
        return;
    for (; accepted < n && m[accepted]->at.point <= r->seen_point; accepted++) {
        rank_point(r, &m[accepted]->at, m[accepted]);
        objectives_note(r, &m[accepted]->at, m[accepted]);
    }
    store_batch_put_metrics(&fx->batch, run_id, m, accepted);
}

/* A layer line of a point that was refused, or that never came, says nothing. */
void engine_run_layers(struct engine *e, int64_t run_id, const struct layer_stats *s,
                       struct effects *fx)
{
    struct run *r = engine_running_run(e, run_id);
    if (r == NULL || s->point > r->seen_point)
        return;
    if (r->gather == NULL) {
        r->gather = xmalloc(sizeof(*r->gather));
        run_facts_begin(r->gather);
    }
    run_facts_layers(r->gather, s);
    store_batch_put_layers(&fx->batch, run_id, s);
}
