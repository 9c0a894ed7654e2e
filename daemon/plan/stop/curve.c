/* Stops a run whose curve, carried on to its last epoch, would hardly beat the best of the earlier
 * runs that have ended. Ours: extrapolate.h. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/plan/stop/extrapolate.h"
#include "daemon/plan/stop/rank.h"
#include "sweep/buf.h"

/* Runs are ranked by their best epoch: what is carried on is the best cost so far. Points before
 * the first that is finite are left out. Returns how many there are. */
static size_t best_so_far(const struct rung_view *v, double *epochs, double *costs)
{
    double best = INFINITY;
    size_t n = 0;
    for (size_t i = 0; i < v->curve.count; i++) {
        best = fmin(best, rung_cost(v, v->curve.values[i]));
        if (!isfinite(best) || !(v->curve.epochs[i] > 0))
            continue;
        epochs[n] = v->curve.epochs[i];
        costs[n++] = best;
    }
    return n;
}

static void judge(const struct rung_view *v, const struct extrapolation *x,
                  struct rung_verdict *out)
{
    double low = rung_value(v, x->low), high = rung_value(v, x->high);
    bool stops = x->below < v->settings->threshold;
    out->probability = x->below;
    out->cutoff = v->best;
    out->verdict = stops ? VERDICT_STOP : VERDICT_GO_ON;
    snprintf(out->reason, sizeof(out->reason),
             "%.5g at epoch %" PRId64 " heads for %.4g (%.4g to %.4g) at epoch %" PRId64
             ": chance %.2g to beat %.5g, %s %g",
             v->value, v->epoch, rung_value(v, x->mean), v->maximize ? high : low,
             v->maximize ? low : high, v->epochs, x->below, v->best,
             stops ? "under" : "not under", v->settings->threshold);
}

static void decide(const struct rung_view *v, struct rung_verdict *out)
{
    double *epochs = xcalloc(v->curve.count + 1, sizeof(*epochs));
    double *costs = xcalloc(v->curve.count + 1, sizeof(*costs));
    size_t n = best_so_far(v, epochs, costs);
    struct extrapolation x;
    if (!v->has_best)
        snprintf(out->reason, sizeof(out->reason), "no earlier run has completed yet");
    else if (rung_cost(v, v->value) <= rung_cost(v, v->best))
        snprintf(out->reason, sizeof(out->reason),
                 "%.6g at epoch %" PRId64 " is not worse than the best of %zu earlier runs, %.6g",
                 v->value, v->epoch, v->count, v->best);
    else if (!extrapolate(epochs, costs, n, (double)v->epochs, rung_cost(v, v->best), &x))
        snprintf(out->reason, sizeof(out->reason),
                 "only %zu points by epoch %" PRId64 "; %d say where it heads", n, v->epoch,
                 EXTRAPOLATE_LEAST);
    else
        judge(v, &x, out);
    free(epochs);
    free(costs);
}

const struct stop_rule stop_curve = {decide};
