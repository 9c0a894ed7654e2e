#include "daemon/plan/gain.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/spec.h"

#define FIRST 20    /* runs before which it is not asked */
#define STEP 5      /* asked before each so-manieth run … */
#define STEPS 32    /* … and more rarely where there are many: of so many one */
#define LAG_LEAST 8 /* of a method that has none of its own */

/* --- what it may gain ------------------------------------------------------------------------ */

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Mean of the lowest of `of` of them, over all choices: the i-th is it with the chance that none of
 * those before it was chosen. */
static double mean_lowest(const double *sorted, size_t count, size_t of)
{
    double chance = (double)of / (double)count, sum = 0;
    for (size_t i = 0; i < count && chance > 0; i++) { /* 0 behind the last that can be it */
        sum += chance * sorted[i];
        chance *= ((double)(count - i) - (double)of) / (double)(count - i - 1);
    }
    return sum;
}

/* Each doubling gains so much less than the one before as the last did. */
static double carried_on(double before, double last, double doublings)
{
    if (!(last > 0))
        return 0;
    double ratio = before > last ? last / before : 1;
    if (ratio == 1)
        return last * doublings;
    return last * ratio * (1 - pow(ratio, doublings)) / (1 - ratio);
}

static double lowest(const double *costs, size_t count)
{
    double low = costs[0];
    for (size_t i = 1; i < count; i++)
        low = costs[i] < low ? costs[i] : low;
    return low;
}

double gain_expected(const double *costs, size_t count, size_t rest)
{
    if (count < 4)
        return INFINITY;
    double doublings = log2((double)(count + rest) / (double)count);
    double first = lowest(costs, count / 4), half = lowest(costs, count / 2);
    double all = lowest(costs, count);
    double as_they_came = carried_on(first - half, half - all, doublings);
    double *sorted = xcalloc(count, sizeof(*sorted));
    for (size_t i = 0; i < count; i++)
        sorted[i] = costs[i];
    qsort(sorted, count, sizeof(*sorted), ascending);
    first = mean_lowest(sorted, count, count / 4);
    half = mean_lowest(sorted, count, count / 2);
    free(sorted);
    return fmax(as_they_came, carried_on(first - half, half - all, doublings));
}

/* --- a search -------------------------------------------------------------------------------- */

/* A number of runs before which it is asked. */
static bool is_question(size_t n)
{
    size_t step = STEP;
    while (step * STEPS <= n)
        step *= 2;
    return n >= FIRST && n % step == 0;
}

size_t gain_until_asked(const struct study *st)
{
    size_t n = st->count + 1;
    while (!is_question(n))
        n++;
    return n - st->count;
}

static size_t lag_of(const struct study *st)
{
    size_t own = (size_t)st->spec->run_cap / 10;
    if (st->lag > 0)
        return st->lag;
    return own > LAG_LEAST ? own : LAG_LEAST;
}

/* Cancelled by a person, or failed through no fault of its own: it says nothing. */
static bool is_silent(const struct trial *t)
{
    return t->status == RUN_CANCELLED || (t->status == RUN_FAILED && !run_error_is_own(t->error));
}

/* Of the first `seen` runs; what failed is as bad as the worst that did not. False: one is live. */
static bool read_costs(const struct study *st, size_t seen, double *out, size_t *count)
{
    double worst = -INFINITY;
    *count = 0;
    for (size_t i = 0; i < seen; i++) {
        const struct trial *t = st->trials[i];
        double cost = st->maximize ? -t->metric_value : t->metric_value;
        if (!run_status_terminal(t->status))
            return false;
        if (is_silent(t))
            continue;
        out[(*count)++] = trial_usable(t) ? cost : INFINITY;
        worst = trial_usable(t) && cost > worst ? cost : worst;
    }
    for (size_t i = 0; i < *count; i++)
        out[i] = isfinite(out[i]) ? out[i] : worst;
    return true;
}

static enum gain_verdict judge(const struct study *st, size_t seen, double *costs,
                               struct gain *out)
{
    size_t count;
    if (!read_costs(st, seen, costs, &count))
        return GAIN_WAIT;
    if (count < FIRST / 2 || !isfinite(costs[0]))
        return GAIN_GOES_ON;
    double best = lowest(costs, count);
    struct gain g = {.seen = count,
                     .begun = st->count,
                     .rest = st->budget - st->count,
                     .best = st->maximize ? -best : best,
                     .expected = gain_expected(costs, count, st->budget - st->count),
                     .least = st->least_gain};
    if (!(g.expected < g.least * fabs(best)))
        return GAIN_GOES_ON;
    *out = g;
    return GAIN_ENDS;
}

enum gain_verdict gain_judge(const struct study *st, struct gain *out)
{
    size_t lag = lag_of(st);
    if (!(st->least_gain > 0) || st->budget <= st->count || !is_question(st->count) ||
        st->count <= lag)
        return GAIN_GOES_ON;
    double *costs = xcalloc(st->count - lag, sizeof(*costs));
    enum gain_verdict v = judge(st, st->count - lag, costs, out);
    free(costs);
    return v;
}

/* --- what is said of it ---------------------------------------------------------------------- */

void gain_reason(const struct gain *g, char out[GAIN_REASON_MAX])
{
    snprintf(out, GAIN_REASON_MAX,
             "the search ended after %zu of %zu runs: by the %zu that it went by, the other %zu "
             "would come to a metric better by %.2g %% of the best (%.6g), less than least_gain, "
             "%.6g %%",
             g->begun, g->begun + g->rest, g->seen, g->rest, 100 * g->expected / fabs(g->best),
             g->best, 100 * g->least);
}

void gain_write(const struct gain *g, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_int(w, "seen", (int64_t)g->seen);
    jw_kv_int(w, "begun", (int64_t)g->begun);
    jw_kv_int(w, "rest", (int64_t)g->rest);
    jw_kv_real(w, "best", g->best);
    jw_kv_real(w, "expected", g->expected);
    jw_kv_real(w, "least_gain", g->least);
    jw_end_object(w);
}
