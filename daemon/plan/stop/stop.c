#include "daemon/plan/stop/stop.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/pareto.h"
#include "daemon/plan/stop/rank.h"
#include "sweep/buf.h"
#include "sweep/require.h"
#include "sweep/rng.h"

static const struct stop_rule *rule_of(enum stop_rule_id id)
{
    static const struct stop_rule *const rules[] = {
        [STOP_NONE] = NULL,
#define X(id, name, traits, doc) [STOP_##id] = &stop_##name,
        STOP_MAP(X)
#undef X
    };
    REQUIRE((unsigned)id < STOP_RULE_COUNT && rules[id] != NULL);
    return rules[id];
}

const struct rung *stop_rung_at(const struct trial *t, int64_t epoch)
{
    size_t lo = 0, hi = t->rung_count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (t->rungs[mid].epoch < epoch)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < t->rung_count && t->rungs[lo].epoch == epoch ? &t->rungs[lo] : NULL;
}

size_t stop_trials_before(const struct study *st, int64_t number)
{
    size_t lo = 0, hi = st->count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if ((int64_t)st->trials[mid]->number < number)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static bool is_compared(const struct rung_view *v, const struct trial *u)
{
    return !(stop_traits(v->settings->rule) & STOP_BRACKETS) ||
           stop_bracket(v->settings, u->number, u->epochs) ==
               stop_bracket(v->settings, v->number, v->epochs);
}

/* A run that a rule has stopped, or would have, but for an audit: it comes to no further rung. */
bool stop_has_left(const struct trial *t)
{
    return run_status_terminal(t->status) || t->audited > 0;
}

static void take_best(struct rung_view *v, const struct trial *u)
{
    if (u->status != RUN_COMPLETED || !u->has_metric || !isfinite(u->metric_value))
        return;
    if (!v->has_best || metric_better(u->metric_value, v->best, v->maximize))
        v->best = u->metric_value;
    v->has_best = true;
}

/* Several objectives: the front that a run is on among those that were there, its own among them;
 * where a fixed share goes on its place, by front and by the room around it (Schmucker et al. 2021,
 * "Multi-objective asynchronous successive halving"). */
static void rank_jointly(const struct study *st, const struct rung *own,
                         const struct rung *const *rungs, struct rung_view *v)
{
    const struct objectives *o = st->objectives;
    bool places = stop_traits(st->stop->rule) & STOP_HALVES;
    double *costs = xcalloc((v->count + 1) * o->count, sizeof(*costs));
    struct pareto p;
    for (size_t i = 0; i < v->count; i++)
        pareto_costs_at(o, rungs[i], costs + i * o->count);
    pareto_costs_at(o, own, costs + v->count * o->count);
    pareto_init(&p, costs, v->count + 1, o->count);
    for (size_t i = 0; i <= v->count; i++) {
        size_t row = places ? p.order[i] : i;
        double *out = row < v->count ? &v->values[row] : &v->value;
        *out = places ? (double)i + 1 : (double)p.front[i] + 1;
    }
    v->maximize = false;
    v->by = places ? "place among the fronts" : "front";
    pareto_finish(&p);
    free(costs);
}

bool stop_view(const struct study *st, const struct trial *t, struct rung_view *v)
{
    REQUIRE(t->rung_count > 0);
    const struct rung *own = &t->rungs[t->rung_count - 1];
    bool ends = stop_traits(st->stop->rule) & STOP_EXTRAPOLATES;
    *v = (struct rung_view){.settings = st->stop,
                            .maximize = st->maximize,
                            .number = t->number,
                            .epoch = own->epoch,
                            .epochs = t->epochs,
                            .value = own->value,
                            .label = PATTERN_NONE};
    size_t end = stop_trials_before(st, (int64_t)t->number - st->stop->lag);
    size_t from = end > STOP_RUNS_SEEN ? end - STOP_RUNS_SEEN : 0;
    v->values = xcalloc(end - from + 1, sizeof(*v->values));
    const struct rung **rungs = xcalloc(end - from + 1, sizeof(struct rung *));
    bool known = true;
    for (size_t i = from; i < end && known; i++) {
        const struct trial *u = st->trials[i];
        if (!is_compared(v, u))
            continue;
        const struct rung *r = stop_rung_at(u, v->epoch);
        known = !((r == NULL && !stop_has_left(u)) || (ends && !run_status_terminal(u->status)));
        if (r != NULL && known) {
            rungs[v->count] = r;
            v->values[v->count++] = r->value;
        }
        take_best(v, u);
    }
    if (known && st->objectives != NULL)
        rank_jointly(st, own, rungs, v);
    free(rungs);
    return known;
}

void stop_view_finish(struct rung_view *v)
{
    free(v->values);
    v->values = NULL;
}

static void say_by(const struct rung_view *v, struct rung_verdict *out)
{
    char reason[VERDICT_REASON_MAX];
    str_copy(reason, sizeof(reason), out->reason);
    snprintf(out->reason, sizeof(out->reason), "by %s: %.*s", v->by,
             (int)(sizeof(out->reason) - strlen(v->by) - 6), reason);
}

void stop_judge(const struct rung_view *v, struct rung_verdict *out)
{
    *out = (struct rung_verdict){
        .verdict = VERDICT_GO_ON, .cutoff = NAN, .probability = NAN, .rank = 1, .of = v->count + 1,
        .flush = -1};
    for (size_t i = 0; i < v->count; i++)
        out->rank += rung_cost(v, v->values[i]) < rung_cost(v, v->value);
    if ((int64_t)v->count < v->settings->startup)
        snprintf(out->reason, sizeof(out->reason),
                 "only %zu of %" PRId64 " earlier runs are known at epoch %" PRId64, v->count,
                 v->settings->startup, v->epoch);
    else
        rule_of(v->settings->rule)->decide(v, out);
    if (v->by != NULL)
        say_by(v, out);
}

void stop_decide(const struct study *st, const struct trial *t, struct rung_verdict *out)
{
    struct rung_view v;
    *out = (struct rung_verdict){.verdict = VERDICT_WAIT};
    if (stop_view(st, t, &v))
        stop_judge(&v, out);
    stop_view_finish(&v);
}

bool stop_is_audited(const struct study *st, const struct trial *t)
{
    struct rng r;
    if (!(st->stop->audit > 0))
        return false;
    rng_init(&r, st->seed, RNG_AUDIT, t->number);
    return rng_uniform(&r) < st->stop->audit;
}
