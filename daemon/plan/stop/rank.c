#include "daemon/plan/stop/rank.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/require.h"

double rung_cost(const struct rung_view *v, double value)
{
    if (!isfinite(value))
        return INFINITY;
    return v->maximize ? -value : value;
}

double rung_value(const struct rung_view *v, double cost)
{
    return v->maximize ? -cost : cost;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Of the earlier runs, and where own is said, of this one. Heap. */
static double *sorted_costs(const struct rung_view *v, bool own)
{
    double *costs = xcalloc(v->count + 1, sizeof(*costs));
    for (size_t i = 0; i < v->count; i++)
        costs[i] = rung_cost(v, v->values[i]);
    if (own)
        costs[v->count] = rung_cost(v, v->value);
    qsort(costs, v->count + own, sizeof(*costs), ascending);
    return costs;
}

double rung_quantile(const struct rung_view *v, double q)
{
    double *costs = sorted_costs(v, false);
    double at = q * (double)(v->count - 1);
    size_t i = (size_t)at;
    double low = costs[i], high = i + 1 < v->count ? costs[i + 1] : low;
    free(costs);
    if (!isfinite(high)) /* a part of an infinite gap is none */
        return rung_value(v, low);
    return rung_value(v, low + (at - (double)i) * (high - low));
}

double rung_best(const struct rung_view *v, size_t k)
{
    double *costs = sorted_costs(v, true);
    double best = costs[k - 1];
    free(costs);
    return rung_value(v, best);
}

const char *ordinal_suffix(size_t n)
{
    static const char *const suffixes[] = {"th", "st", "nd", "rd"};
    bool teen = n % 100 / 10 == 1;
    return n % 10 < ARRAY_LEN(suffixes) && !teen ? suffixes[n % 10] : "th";
}

void rung_halve(const struct rung_view *v, struct rung_verdict *out)
{
    size_t best = (size_t)((double)out->of / v->settings->eta);
    if (best == 0)
        best = 1;
    out->cutoff = rung_best(v, best);
    out->verdict = out->rank <= best ? VERDICT_GO_ON : VERDICT_STOP;
    snprintf(out->reason, sizeof(out->reason),
             "%.6g at epoch %" PRId64 " is %zu%s of %zu; the best %zu %s on", v->value, v->epoch,
             out->rank, ordinal_suffix(out->rank), out->of, best, best == 1 ? "goes" : "go");
}
