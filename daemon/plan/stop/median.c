/* The median rule (Golovin et al. 2017, "Google Vizier", 3.2.2): a run whose best metric is worse
 * than the median of what earlier runs had come to by the same epoch is stopped. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/stop/stop.h"
#include "sweep/buf.h"

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Small is good, and what is not finite is worst. */
static double cost(const struct rung_view *v, double value)
{
    if (!isfinite(value))
        return INFINITY;
    return v->maximize ? -value : value;
}

static double median_cost(const struct rung_view *v)
{
    double *costs = xcalloc(v->count + 1, sizeof(*costs));
    size_t n = v->count;
    for (size_t i = 0; i < n; i++)
        costs[i] = cost(v, v->values[i]);
    qsort(costs, n, sizeof(*costs), ascending);
    double low = costs[(n - 1) / 2], high = costs[n / 2];
    free(costs);
    return isfinite(high) ? (low + high) / 2 : low; /* half of an infinite gap is none */
}

static enum verdict decide(const struct rung_view *v, char reason[VERDICT_REASON_MAX])
{
    double median = median_cost(v), own = cost(v, v->value);
    bool worse = own > median;
    snprintf(reason, VERDICT_REASON_MAX,
             "%.6g at epoch %" PRId64 " is %sworse than the median %.6g of %zu earlier runs",
             v->value, v->epoch, worse ? "" : "not ", v->maximize ? -median : median, v->count);
    return worse ? VERDICT_STOP : VERDICT_GO_ON;
}

const struct stop_rule stop_median = {decide};
