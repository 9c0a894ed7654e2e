/* What runs came to at rungs, as the trials know it and as rows. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/engine/private.h"
#include "daemon/plan/stop/stop.h"
#include "sweep/buf.h"
#include "sweep/json.h"

/* A run without a value ranks worst. */
static double value_of(const struct run_row *row)
{
    return row->has_metric ? row->metric_value : NAN;
}

bool trial_add_rung(struct trial *t, const struct rung *r)
{
    if (t->rung_count > 0 && t->rungs[t->rung_count - 1].epoch >= r->epoch) {
        free(r->further);
        return false;
    }
    t->rungs = array_room(t->rungs, &t->rung_cap, t->rung_count, sizeof(*t->rungs));
    t->rungs[t->rung_count++] = *r;
    return true;
}

static void write_further(struct json_writer *w, const double *values, size_t count)
{
    jw_key(w, "further");
    jw_begin_array(w);
    for (size_t i = 0; i < count; i++)
        jw_real(w, values[i]);
    jw_end_array(w);
}

/* What the rule saw, for a machine: {"epoch":3,"value":0.41,"rule":"median","rank":4,"of":9,
 * "cutoff":0.4}. v NULL: the run has only come there. */
static char *rung_detail(const struct run *r, const struct rung *at, const struct rung_verdict *v)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_int(&w, "epoch", at->epoch);
    jw_kv_real(&w, "value", at->value);
    if (at->further != NULL)
        write_further(&w, at->further, sweep_spec(r->sweep)->objectives.count - 1);
    if (v != NULL) {
        jw_kv_string(&w, "rule", stop_name(sweep_spec(r->sweep)->stop.rule));
        jw_kv_int(&w, "rank", (int64_t)v->rank);
        jw_kv_int(&w, "of", (int64_t)v->of);
        if (!isnan(v->cutoff))
            jw_kv_real(&w, "cutoff", v->cutoff);
        if (!isnan(v->probability))
            jw_kv_real(&w, "probability", v->probability);
        if (v->flush >= 0)
            jw_kv_int(&w, "flush", v->flush);
    }
    jw_end_object(&w);
    return buf_take(&text);
}

static void note(const struct run *r, enum decision_kind kind, const char *reason,
                 const struct rung_verdict *v, struct effects *fx)
{
    const struct trial *t = r->sweep->trials[r->index];
    struct decision_row d = {.sweep_id = r->row->sweep_id,
                             .run_id = r->row->id,
                             .kind = kind,
                             .detail_json = rung_detail(r, &t->rungs[t->rung_count - 1], v)};
    store_batch_add_decision(&fx->batch, &d, "%s", reason);
}

void rung_decided(const struct run *r, enum decision_kind kind, const struct rung_verdict *v,
                  struct effects *fx)
{
    note(r, kind, v->reason, v, fx);
}

void rung_reached(struct run *r, int64_t epoch, struct effects *fx)
{
    struct sweep *s = r->sweep;
    char reason[64];
    s->due = true;
    const struct rung at = {epoch, value_of(r->row), objectives_so_far(r)};
    if (!trial_add_rung(s->trials[r->index], &at))
        return; /* a restart, or trained there once more: no news */
    snprintf(reason, sizeof(reason), "rung at epoch %" PRId64, epoch);
    note(r, DECISION_PAUSED, reason, NULL, fx);
}
