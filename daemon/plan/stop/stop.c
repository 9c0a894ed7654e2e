#include "daemon/plan/stop/stop.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/require.h"

static const struct stop_rule *rule_of(enum stop_rule_id id)
{
    static const struct stop_rule *const rules[] = {
        [STOP_NONE] = NULL,
#define X(id, name, doc) [STOP_##id] = &stop_##name,
        STOP_MAP(X)
#undef X
    };
    REQUIRE((unsigned)id < STOP_RULE_COUNT && rules[id] != NULL);
    return rules[id];
}

/* The trial's value at that rung; NULL: it was not there. */
static const struct rung *rung_at(const struct trial *t, int64_t epoch)
{
    for (size_t i = t->rung_count; i-- > 0;)
        if (t->rungs[i].epoch == epoch)
            return &t->rungs[i];
    return NULL;
}

/* What the runs before it came to at that rung. False: one of them may still get there. */
static bool earlier_values(const struct study *st, const struct trial *t, int64_t epoch,
                           struct rung_view *v, double *values)
{
    for (size_t i = 0; i < st->count; i++) {
        const struct trial *u = st->trials[i];
        const struct rung *r = rung_at(u, epoch);
        if ((int64_t)u->number >= (int64_t)t->number - v->settings->lag)
            return true;
        if (r != NULL)
            values[v->count++] = r->value;
        else if (!run_status_terminal(u->status))
            return false;
    }
    return true;
}

enum verdict stop_decide(const struct study *st, const struct trial *t,
                         char reason[VERDICT_REASON_MAX])
{
    REQUIRE(t->rung_count > 0);
    const struct rung *own = &t->rungs[t->rung_count - 1];
    double *values = xcalloc(st->count + 1, sizeof(*values));
    struct rung_view v = {.settings = st->stop,
                          .maximize = st->maximize,
                          .epoch = own->epoch,
                          .value = own->value,
                          .values = values};
    enum verdict verdict = VERDICT_WAIT;
    if (earlier_values(st, t, own->epoch, &v, values)) {
        verdict = VERDICT_GO_ON;
        if ((int64_t)v.count < v.settings->startup)
            snprintf(reason, VERDICT_REASON_MAX,
                     "only %zu of %" PRId64 " earlier runs are known at epoch %" PRId64, v.count,
                     v.settings->startup, v.epoch);
        else
            verdict = rule_of(v.settings->rule)->decide(&v, reason);
    }
    free(values);
    return verdict;
}
