#include "daemon/plan/stop/stop.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/plan/stop/rank.h"
#include "sweep/buf.h"
#include "sweep/require.h"

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

/* The trial's value at that rung; NULL: it was not there. */
static const struct rung *rung_at(const struct trial *t, int64_t epoch)
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

/* How many trials of the study are numbered below that. */
static size_t trials_before(const struct study *st, int64_t number)
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

/* What the runs before it came to at that rung. False: one of them may still get there. */
static bool earlier_values(const struct study *st, struct rung_view *v, double *values)
{
    size_t end = trials_before(st, (int64_t)v->number - v->settings->lag);
    for (size_t i = end > STOP_RUNS_SEEN ? end - STOP_RUNS_SEEN : 0; i < end; i++) {
        const struct trial *u = st->trials[i];
        if (!is_compared(v, u))
            continue;
        const struct rung *r = rung_at(u, v->epoch);
        if (r != NULL)
            values[v->count++] = r->value;
        else if (!run_status_terminal(u->status))
            return false;
    }
    return true;
}

static void find_rank(const struct rung_view *v, struct rung_verdict *out)
{
    out->of = v->count + 1;
    out->rank = 1;
    for (size_t i = 0; i < v->count; i++)
        out->rank += rung_cost(v, v->values[i]) < rung_cost(v, v->value);
}

void stop_decide(const struct study *st, const struct trial *t, struct rung_verdict *out)
{
    REQUIRE(t->rung_count > 0);
    const struct rung *own = &t->rungs[t->rung_count - 1];
    double *values = xcalloc(STOP_RUNS_SEEN, sizeof(*values));
    struct rung_view v = {.settings = st->stop,
                          .maximize = st->maximize,
                          .number = t->number,
                          .epoch = own->epoch,
                          .epochs = t->epochs,
                          .value = own->value,
                          .values = values};
    *out = (struct rung_verdict){.verdict = VERDICT_WAIT, .cutoff = NAN};
    if (earlier_values(st, &v, values)) {
        find_rank(&v, out);
        out->verdict = VERDICT_GO_ON;
        if ((int64_t)v.count < v.settings->startup)
            snprintf(out->reason, sizeof(out->reason),
                     "only %zu of %" PRId64 " earlier runs are known at epoch %" PRId64, v.count,
                     v.settings->startup, v.epoch);
        else
            rule_of(v.settings->rule)->decide(&v, out);
    }
    free(values);
}
