/* Runs at rungs: whether they go on (daemon/plan/stop). */
#include <math.h>
#include <stdlib.h>

#include "daemon/engine/private.h"
#include "daemon/engine/restored.h"
#include "daemon/plan/stop/ladder.h"
#include "sweep/buf.h"
#include "sweep/diagnosis.h"

/* --- what a rule reads of the run itself ----------------------------------------------------- */

/* The two arrays of the curve are one piece of heap. */
static void read_curve(const struct run *r, struct rung_curve *out)
{
    const struct kept_points *k = &r->kept;
    double *epochs = xcalloc(2 * k->count + 1, sizeof(*epochs)), *values = epochs + k->count;
    *out = (struct rung_curve){.epochs = epochs, .values = values};
    for (size_t i = 0; i < k->count; i++)
        if (point_value(&k->points[i], NULL, spec_metric_name(sweep_spec(r->sweep)),
                        &values[out->count]))
            epochs[out->count++] = k->points[i].epoch;
}

static void read_label(const struct run *r, struct rung_view *v)
{
    struct diagnosis d;
    label_diagnose(r, true, &d);
    v->label = d.pattern;
    v->confidence = d.confidence;
}

static void judge(const struct run *r, struct rung_view *v, struct rung_verdict *out)
{
    unsigned traits = stop_traits(sweep_spec(r->sweep)->stop.rule);
    if (traits & STOP_EXTRAPOLATES)
        read_curve(r, &v->curve);
    if (traits & STOP_DIAGNOSES)
        read_label(r, v);
    stop_judge(v, out);
    free((void *)(uintptr_t)v->curve.epochs);
}

/* --- what is done about it ------------------------------------------------------------------- */

/* Beyond an audit it has no rungs: the others are to be judged as if it had been stopped. */
static void audit(struct run *r, int64_t epoch, const struct rung_verdict *v, utc_us now,
                  struct effects *fx)
{
    r->sweep->trials[r->index]->audited = epoch;
    rung_decided(r, DECISION_AUDITED, v, fx);
    run_continue(r, 0, now, fx);
}

/* False: it is too early to say. */
static bool ask(const struct run *r, const struct study *st, struct rung_verdict *v)
{
    struct sweep *s = r->sweep;
    const struct trial *t = s->trials[r->index];
    struct rung_view view;
    if (st->stop->promote) {
        ladder_decide(s->ladder, st, t, v);
        return v->verdict != VERDICT_WAIT;
    }
    bool known = stop_view(st, t, &view);
    if (known)
        judge(r, &view, v);
    stop_view_finish(&view);
    return known;
}

static void decide(struct engine *e, struct run *r, const struct study *st, utc_us now,
                   struct effects *fx)
{
    struct rung_verdict v;
    const struct trial *t = r->sweep->trials[r->index];
    int64_t epoch = t->rungs[t->rung_count - 1].epoch;
    if (!ask(r, st, &v))
        return;
    if (v.verdict == VERDICT_STOP && stop_is_audited(st, t)) {
        audit(r, epoch, &v, now, fx);
        return;
    }
    rung_decided(r, v.verdict == VERDICT_STOP ? DECISION_STOPPED : DECISION_PROMOTED, &v, fx);
    if (v.verdict == VERDICT_STOP)
        run_stop(e, r, v.reason, now, fx);
    else
        run_continue(r, stop_next_rung(st->stop, t->number, epoch, r->row->epochs), now, fx);
}

/* --- the runs of a sweep --------------------------------------------------------------------- */

static void advance(struct sweep *s, const struct study *st)
{
    if (s->ladder == NULL)
        s->ladder = ladder_create();
    ladder_advance(s->ladder, st);
}

void rungs_decide(struct engine *e, struct sweep *s, utc_us now, struct effects *fx)
{
    if (sweep_spec(s)->stop.rule == STOP_NONE || sweep_status_terminal(s->row->status))
        return;
    const struct study st = sweep_study(s);
    if (st.stop->promote)
        advance(s, &st);
    for (size_t i = 0; i < s->live_count;) { /* those that are stopped leave the list */
        struct run *r = s->live[i];
        if (run_at_rung(r) && s->trials[r->index]->rung_count > 0)
            decide(e, r, &st, now, fx);
        i += i < s->live_count && s->live[i] == r;
    }
}

bool rungs_flush(struct sweep *s)
{
    if (!sweep_spec(s)->stop.promote || s->ladder == NULL || s->row->status != SWEEP_RUNNING)
        return false;
    for (size_t i = 0; i < s->live_count; i++)
        if (!run_at_rung(s->live[i]))
            return false;
    return s->live_count > 0 && ladder_flush(s->ladder);
}

static double *stored_further(const struct sweep *s, const struct stored_rung *r)
{
    size_t count = sweep_spec(s)->objectives.count;
    if (count == 0)
        return NULL;
    double *values = xcalloc(count, sizeof(*values));
    for (size_t i = 0; i + 1 < count; i++)
        values[i] = i < r->further_count ? r->further[i] : NAN;
    return values;
}

void rungs_restore(struct sweep *s, size_t number, const struct stored_rung *r)
{
    struct trial *t = s->trials[number];
    if (r->kind == DECISION_PAUSED) {
        const struct rung at = {r->epoch, r->value, stored_further(s, r)};
        (void)trial_add_rung(t, &at);
    }
    if (r->kind == DECISION_AUDITED)
        t->audited = r->epoch;
    if (r->flush < 0 || !sweep_spec(s)->stop.promote) /* asked last: the sweep may sleep */
        return;
    if (s->ladder == NULL)
        s->ladder = ladder_create();
    ladder_flushed_at(s->ladder, r->flush);
}
