/* Several objectives of a sweep: what a run has come to in those behind the first, which is its
 * metric. A value is that of the run's best point; of one that was not measured there the last. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

struct objective_track {
    double best_epoch; /* of the point that at_best is of */
    double seconds;    /* of the last point that says it; NAN: none has */
    int64_t seconds_point;
    struct {
        double at_best, last;
        bool has_best, has_last;
        int64_t last_point;
    } items[OBJECTIVES_MAX];
};

static const struct objectives *objectives_of(const struct run *r)
{
    return &sweep_spec(r->sweep)->objectives;
}

void objectives_forget(struct run *r)
{
    free(r->objectives);
    r->objectives = NULL;
}

static struct objective_track *track_of(struct run *r)
{
    if (r->objectives == NULL) {
        r->objectives = xcalloc(1, sizeof(*r->objectives));
        r->objectives->best_epoch = r->objectives->seconds = NAN;
    }
    return r->objectives;
}

/* The best point is another one since. */
static void begin_best(struct objective_track *t, const struct run_row *row)
{
    if (!row->has_metric || t->best_epoch == row->best_epoch)
        return;
    t->best_epoch = row->best_epoch;
    for (size_t i = 0; i < OBJECTIVES_MAX; i++)
        t->items[i].has_best = false;
}

void objectives_note(struct run *r, const struct point *p, const struct point_metrics *m)
{
    const struct objectives *o = objectives_of(r);
    double value;
    if (o->count == 0)
        return;
    struct objective_track *t = track_of(r);
    begin_best(t, r->row);
    bool best = r->row->has_metric && p->epoch == t->best_epoch;
    if (point_has(p, CURVE_SECONDS) && p->point >= t->seconds_point) {
        t->seconds = p->v[CURVE_SECONDS];
        t->seconds_point = p->point;
    }
    for (size_t i = 1; i < o->count; i++) {
        if (!point_value(p, m, o->items[i].name, &value))
            continue;
        if (best) {
            t->items[i].at_best = value;
            t->items[i].has_best = true;
        }
        if (p->point < t->items[i].last_point)
            continue;
        t->items[i].last = value;
        t->items[i].has_last = true;
        t->items[i].last_point = p->point;
    }
}

/* --- what it has come to --------------------------------------------------------------------- */

/* What is known of the run itself; false: that is not. */
static bool own_value(const struct run *r, enum objective_source source, bool ended, double *out)
{
    const struct objective_track *t = r->objectives;
    double value = NAN;
    if (source == OBJECTIVE_SECONDS)
        value = ended && r->row->seconds > 0 ? r->row->seconds : t != NULL ? t->seconds : NAN;
    else if (source == OBJECTIVE_JOULES) /* of a worker that goes on only when it has ended */
        value = ended && r->row->joules > 0 ? r->row->joules : NAN;
    else if (source == OBJECTIVE_EPOCHS)
        value = r->last_epoch > 0 ? r->last_epoch : NAN;
    else if (source == OBJECTIVE_PARAMETERS)
        value = r->parameters > 0 ? (double)r->parameters : NAN;
    else if (source == OBJECTIVE_FLOP)
        value = r->row->flop > 0 ? (double)r->row->flop : NAN;
    *out = value;
    return !isnan(value);
}

/* Of objective i, from 1. False: nothing is known of it. */
static bool value_of(const struct run *r, size_t i, bool ended, double *out)
{
    const struct objective_track *t = r->objectives;
    if (t != NULL && (t->items[i].has_best || t->items[i].has_last)) {
        *out = t->items[i].has_best ? t->items[i].at_best : t->items[i].last;
        return true;
    }
    return own_value(r, objectives_of(r)->items[i].source, ended, out);
}

bool objectives_is_known(const struct run *r, size_t i)
{
    enum objective_source source = objectives_of(r)->items[i].source;
    double value;
    return source == OBJECTIVE_SECONDS || source == OBJECTIVE_JOULES ||
           source == OBJECTIVE_EPOCHS || value_of(r, i, false, &value);
}

double *objectives_so_far(const struct run *r)
{
    const struct objectives *o = objectives_of(r);
    double *values = o->count > 0 ? xcalloc(o->count, sizeof(*values)) : NULL;
    for (size_t i = 1; i < o->count; i++)
        if (!value_of(r, i, false, &values[i - 1]))
            values[i - 1] = NAN;
    return values;
}

/* A program whose name for it is another one should be noticed. */
static void say_missing(const struct run *r, const struct buf *names, utc_us now,
                        struct effects *fx)
{
    if (names->len > 0)
        store_batch_add_event(&fx->batch, r->row->sweep_id, r->row->id, "objective_missing", now,
                              "it has no value of %s, and ranks last in that", names->data);
}

void objectives_ended(struct run *r, utc_us now, struct effects *fx)
{
    const struct objectives *o = objectives_of(r);
    const struct run_row *row = r->row;
    struct buf text = {0}, missing = {0};
    struct json_writer w;
    double value;
    if (o->count == 0 || !row->has_metric ||
        (row->status != RUN_COMPLETED && row->status != RUN_STOPPED))
        return;
    jw_init(&w, &text);
    jw_begin_array(&w);
    jw_real(&w, row->metric_value);
    for (size_t i = 1; i < o->count; i++) {
        if (value_of(r, i, true, &value)) {
            jw_real(&w, value);
            continue;
        }
        jw_null(&w);
        buf_printf(&missing, "%s%s", missing.len > 0 ? ", " : "", o->items[i].name);
    }
    jw_end_array(&w);
    free(r->row->objectives);
    r->row->objectives = buf_take(&text);
    say_missing(r, &missing, now, fx);
    buf_finish(&missing);
}

/* --- as it is stored ------------------------------------------------------------------------- */

void trial_take_objectives(struct trial *t, const struct spec *spec, const struct run_row *row)
{
    const struct objectives *o = &spec->objectives;
    double values[OBJECTIVES_MAX];
    if (o->count == 0 || row->objectives == NULL || t->further != NULL)
        return;
    objectives_read(o, row->objectives, values);
    t->further = xcalloc(o->count, sizeof(*t->further));
    memcpy(t->further, values + 1, (o->count - 1) * sizeof(*t->further));
}
