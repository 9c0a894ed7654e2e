/* The median rule (Golovin et al. 2017, "Google Vizier", 3.2.2): a run whose best metric is worse
 * than the median of what earlier runs had come to by the same epoch is stopped. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/plan/stop/rank.h"

static void decide(const struct rung_view *v, struct rung_verdict *out)
{
    out->cutoff = rung_quantile(v, 0.5);
    bool worse = rung_cost(v, v->value) > rung_cost(v, out->cutoff);
    out->verdict = worse ? VERDICT_STOP : VERDICT_GO_ON;
    snprintf(out->reason, sizeof(out->reason),
             "%.6g at epoch %" PRId64 " is %sworse than the median %.6g of %zu earlier runs",
             v->value, v->epoch, worse ? "" : "not ", out->cutoff, v->count);
}

const struct stop_rule stop_median = {decide};
