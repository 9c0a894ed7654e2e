/* Optuna's percentile pruner: a run goes on while its best metric is within the best `percentile`
 * per cent of what earlier runs had come to by the same epoch (25: the best quarter; 50: the median
 * rule). */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/plan/stop/rank.h"

static void decide(const struct rung_view *v, struct rung_verdict *out)
{
    out->cutoff = rung_quantile(v, v->settings->percentile / 100);
    bool worse = rung_cost(v, v->value) > rung_cost(v, out->cutoff);
    out->verdict = worse ? VERDICT_STOP : VERDICT_GO_ON;
    snprintf(out->reason, sizeof(out->reason),
             "%.6g at epoch %" PRId64 " is %zu%s of %zu, %s %.6g, where the best %g %% of %zu "
             "earlier runs end",
             v->value, v->epoch, out->rank, ordinal_suffix(out->rank), out->of,
             worse ? "worse than" : "not worse than", out->cutoff, v->settings->percentile,
             v->count);
}

const struct stop_rule stop_percentile = {decide};
