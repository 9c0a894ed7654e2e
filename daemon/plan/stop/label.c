/* Stops a run with a diagnosis that more epochs do not change, unless it is among the best tenth at
 * its rung: what looks sick and is good all the same is left alone (the valve of BTTackler, Pei et
 * al. 2024). */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/plan/stop/rank.h"
#include "sweep/require.h"

#define TENTH 0.1

/* Labels that stay, and how sure they must be. */
static const struct {
    enum pattern pattern;
    double confidence;
} lasting[] = {
    {PATTERN_NOT_A_NUMBER, 0},
    {PATTERN_DIVERGING, 0.5},
    {PATTERN_BOTTLENECK, 0.5},
    {PATTERN_OVERFITTING_RISING, 0.5}, /* its best epoch is behind it */
};

static bool lasts(const struct rung_view *v)
{
    for (size_t i = 0; i < ARRAY_LEN(lasting); i++)
        if (lasting[i].pattern == v->label)
            return v->confidence >= lasting[i].confidence;
    return false;
}

static void decide(const struct rung_view *v, struct rung_verdict *out)
{
    size_t best = (size_t)(TENTH * (double)out->of);
    if (best == 0)
        best = 1;
    out->cutoff = rung_best(v, best);
    out->verdict = lasts(v) && out->rank > best ? VERDICT_STOP : VERDICT_GO_ON;
    if (v->label == PATTERN_NONE)
        snprintf(out->reason, sizeof(out->reason), "no label by epoch %" PRId64, v->epoch);
    else
        snprintf(out->reason, sizeof(out->reason),
                 "%s (%.2f) at epoch %" PRId64 "%s; %.6g is %zu%s of %zu, the best %zu always %s "
                 "on", pattern_name(v->label), v->confidence, v->epoch,
                 lasts(v) ? ", which stays" : "", v->value, out->rank, ordinal_suffix(out->rank),
                 out->of, best, best == 1 ? "goes" : "go");
}

const struct stop_rule stop_label = {decide};
