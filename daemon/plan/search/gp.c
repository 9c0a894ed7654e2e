/* Bayesian optimization with a Gaussian process (kriging.h): the configuration with the largest
 * expected improvement over the best mean among those that are seen. It sees ranks, not costs, as
 * normal scores: what failed is worst, one outlier bends nothing, and no scale has to be guessed.
 * What is pending makes its region certain and changes no mean, so that k asks without a result
 * differ. The first points are Sobol's, behind the middle of the space. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/search/kriging.h"
#include "daemon/plan/search/memo.h"
#include "daemon/plan/search/model_search.h"
#include "daemon/plan/search/past.h"
#include "daemon/plan/search/sobol.h"
#include "sweep/buf.h"

#define STARTUP 6       /* configurations that must be seen before the process is asked */
#define POINTS_MAX 300  /* that it goes by: the better half of them the best of all */
#define FIT_MAX 96      /* that its kernel is fitted to */
#define PENDING_MAX 96  /* the last ones */
#define EVERYWHERE 6    /* blocks of FACTOR_LANES candidates from the whole space … */
#define NEAR_BEST 2     /* … near the best that are seen … */
#define ROUNDS 5        /* … and near the best candidate so far, closer each time */
/* Beyond those of the other methods. */
#define STREAM UINT64_C(0x300000000)

/* --- what is seen, as numbers ---------------------------------------------------------------- */

/* The quantile of the normal distribution, p in (0, 1) (Acklam's rational approximation, relative
 * error below 1.2e-9). */
static double normal_quantile(double p)
{
    static const double a[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                               -2.759285104469687e+02, 1.383577518672690e+02,
                               -3.066479806614716e+01, 2.506628277459239e+00},
                        b[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                               -1.556989798598866e+02, 6.680131188771972e+01,
                               -1.328068155288572e+01},
                        c[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                               -2.400758277161838e+00, -2.549732539343734e+00,
                               4.374664141464968e+00, 2.938163982698783e+00},
                        d[] = {7.784695709041462e-03, 3.224671290700398e-01,
                               2.445134137142996e+00, 3.754408661907416e+00};
    if (p > 0.5)
        return -normal_quantile(1 - p);
    if (p < 0.02425) {
        double q = sqrt(-2 * log(p));
        return (((((c[0] * q + c[1]) * q + c[2]) * q + c[3]) * q + c[4]) * q + c[5]) /
               ((((d[0] * q + d[1]) * q + d[2]) * q + d[3]) * q + 1);
    }
    double q = p - 0.5, r = q * q;
    return (((((a[0] * r + a[1]) * r + a[2]) * r + a[3]) * r + a[4]) * r + a[5]) * q /
           (((((b[0] * r + b[1]) * r + b[2]) * r + b[3]) * r + b[4]) * r + 1);
}

/* Some of the past's configurations, and the scores of all. */
struct view {
    const struct past *past;
    size_t failed; /* those that failed are the ranking's last, from this place on */
    size_t count;
    uint32_t *places; /* in the ranking */
    struct points points;
    double *y, *runs;
    struct seen seen;
};

/* Of those from place `from` on that are as good as it: all that failed have the same. */
static double score_of(const struct view *v, size_t place)
{
    size_t n = past_count(v->past), failed = v->failed;
    double rank = place < failed ? (double)place : (double)(failed + n - 1) / 2;
    return normal_quantile((rank + 0.5) / (double)n);
}

static size_t first_failed(const struct past *p)
{
    size_t low = 0, high = past_count(p);
    while (low < high) {
        size_t mid = low + (high - low) / 2;
        if (p->items[p->ranking[mid]].outcome == OUTCOME_FAILED)
            high = mid;
        else
            low = mid + 1;
    }
    return low;
}

/* The better half are the best of all, the others lie evenly behind them. */
static void view_init(struct view *v, const struct past *p, size_t most, size_t more)
{
    size_t n = past_count(p), count = n < most ? n : most, head = n <= most ? n : most / 2;
    *v = (struct view){.past = p, .failed = first_failed(p), .count = count};
    v->places = xcalloc(count + 1, sizeof(*v->places));
    v->y = xcalloc(count + 1, sizeof(*v->y));
    v->runs = xcalloc(count + 1, sizeof(*v->runs));
    points_init(&v->points, &p->axes, count + more);
    for (size_t i = 0; i < count; i++) {
        size_t place = i < head ? i : head + (i - head) * (n - head) / (count - head);
        const struct past_item *item = &p->items[p->ranking[place]];
        v->places[i] = (uint32_t)place;
        v->y[i] = score_of(v, place);
        v->runs[i] = item->completed > 1 ? item->completed : 1;
        points_add(&v->points, past_places(p, p->ranking[place]));
    }
    v->seen = (struct seen){count, v->y, v->runs};
}

static void view_finish(struct view *v)
{
    free(v->places);
    free(v->y);
    free(v->runs);
    points_finish(&v->points);
}

/* --- the kernel ------------------------------------------------------------------------------ */

/* What is kept: the kernel that was fitted when so many runs were seen. */
struct fitted {
    size_t runs; /* and one more; 0: none was */
    struct kernel kernel;
};

/* With so many runs seen: how many of them the kernel is fitted to. With each at first, then when a
 * sixteenth more are there. */
static size_t fit_point(size_t seen)
{
    size_t step = 1;
    while (seen >= 32 * step)
        step *= 2;
    return seen / step * step;
}

static void fit(struct kernel *k, const struct past *p)
{
    struct view v;
    view_init(&v, p, FIT_MAX, 0);
    kernel_fit(k, &v.points, &v.seen);
    view_finish(&v);
}

/* It follows from the first runs alone, whatever has been kept. */
static void fit_to_first(struct kernel *k, const struct study *st, size_t runs)
{
    struct past p;
    past_begin(&p, st);
    if (past_see(&p, st, runs + st->lag))
        fit(k, &p);
    past_finish(&p);
}

static void kernel_open(struct kernel *k, const struct study *st, const struct past *p)
{
    size_t runs = fit_point(p->seen);
    if (p->many != NULL) { /* each run weighs the objectives anew */
        fit(k, p);
        return;
    }
    struct fitted own = {0}, *kept = st->memo != NULL ? memo_get(st->memo, MEMO_KERNEL) : &own;
    if (kept == NULL) {
        kept = xcalloc(1, sizeof(*kept));
        memo_keep(st->memo, MEMO_KERNEL, kept, free);
    }
    if (kept->runs != runs + 1 && runs == p->seen)
        fit(&kept->kernel, p);
    else if (kept->runs != runs + 1)
        fit_to_first(&kept->kernel, st, runs);
    kept->runs = runs + 1;
    *k = kept->kernel;
}

/* --- candidates ------------------------------------------------------------------------------ */

struct hunt {
    const struct study *study;
    const struct axes *axes;
    const struct tried *tried; /* and these: */
    const double *pending;     /* places [pending_count][dimensions] */
    size_t pending_count;
    const struct kriging *process;
    struct rng *r;
    double least; /* the best mean among those that are seen */
    /* the best so far: one that was never tried, where there is any */
    bool found, is_new;
    double value, mean, deviation, places[SPACE_MAX_DIMENSIONS];
    struct assignment at;
};

static double draw_place(const struct axis *x, struct rng *r)
{
    double u = rng_uniform(r);
    return x->kind == AXIS_RANGE ? u : x->kind == AXIS_CELLS ? axis_cell(x, u)
                                                             : floor(u * x->count);
}

static double move_place(const struct axis *x, double from, double step, struct rng *r)
{
    if (x->kind == AXIS_CHOICES || isnan(from))
        return draw_place(x, r);
    double by = step * rng_normal(r);
    if (x->kind == AXIS_RANGE)
        return fmin(fmax(from + by, 0), 1);
    double cells = floor(fabs(by) * x->count) + 1;
    return fmin(fmax(from + (by > 0 ? cells : -cells), 0), x->count - 1);
}

/* Near `base`, in one dimension at least; without one anywhere. */
static void draw(const struct hunt *h, const double *base, double step, double *places)
{
    size_t d = h->axes->count, sure = rng_below(h->r, d);
    double chance = fmax(0.15, 1 / (double)d);
    for (size_t i = 0; i < d; i++) {
        const struct axis *x = &h->axes->items[i];
        if (base == NULL)
            places[i] = draw_place(x, h->r);
        else if (i == sure || rng_uniform(h->r) < chance)
            places[i] = move_place(x, base[i], step, h->r);
        else
            places[i] = base[i];
    }
}

/* As a configuration that is allowed; false: it is not. */
static bool complete(const struct hunt *h, double *places, struct assignment *a)
{
    *a = (struct assignment){{0}};
    for (size_t i = 0; i < h->axes->count; i++)
        a->v[i] = axis_value(&h->axes->items[i],
                             isnan(places[i]) ? draw_place(&h->axes->items[i], h->r) : places[i]);
    space_complete(h->study->space, a);
    axes_places(h->axes, a, places);
    return space_allows(h->study->space, a);
}

static bool is_pending(const struct hunt *h, const double *places)
{
    size_t d = h->axes->count;
    for (size_t k = 0; k < h->pending_count; k++) {
        const double *other = h->pending + k * d;
        size_t i = 0;
        while (i < d && (other[i] == places[i] || (isnan(other[i]) && isnan(places[i]))))
            i++;
        if (i == d)
            return true;
    }
    return false;
}

/* A block of candidates: the best of them, if it is better than the best so far. */
static void judge(struct hunt *h, const struct points *block,
                  double (*places)[SPACE_MAX_DIMENSIONS], const struct assignment *at)
{
    double mean[FACTOR_LANES], variance[FACTOR_LANES];
    kriging_predict(h->process, block, 0, mean, variance);
    for (size_t u = 0; u < block->count; u++) {
        double deviation = sqrt(variance[u]);
        double value = log_expected_improvement(mean[u], deviation, h->least);
        bool is_new = !tried_has(h->tried, &at[u]) && !is_pending(h, places[u]);
        if (h->found && (is_new != h->is_new ? h->is_new : value <= h->value))
            continue;
        h->found = true;
        h->is_new = is_new;
        h->value = value;
        h->mean = mean[u];
        h->deviation = deviation;
        h->at = at[u];
        memcpy(h->places, places[u], sizeof(h->places));
    }
}

/* Candidates near each of `bases` in turn, or anywhere. */
static void search(struct hunt *h, const double *const *bases, size_t count, double step)
{
    double places[FACTOR_LANES][SPACE_MAX_DIMENSIONS];
    struct assignment at[FACTOR_LANES];
    struct points block;
    points_init(&block, h->axes, FACTOR_LANES);
    for (size_t i = 0; i < 4 * FACTOR_LANES && block.count < FACTOR_LANES; i++) {
        size_t n = block.count;
        draw(h, count > 0 ? bases[i % count] : NULL, step, places[n]);
        if (complete(h, places[n], &at[n]))
            points_add(&block, places[n]);
    }
    judge(h, &block, places, at);
    points_finish(&block);
}

static void search_all(struct hunt *h, const struct past *p)
{
    const double *best[8], *here = h->places;
    size_t count = 0;
    for (; count < 8 && count < past_count(p); count++)
        best[count] = past_places(p, p->ranking[count]);
    for (int i = 0; i < EVERYWHERE; i++)
        search(h, NULL, 0, 0);
    for (int i = 0; i < NEAR_BEST; i++)
        search(h, best, count, 0.1);
    for (int i = 0; i < ROUNDS && h->found; i++)
        search(h, &here, 1, 0.2 / (1 << i));
}

/* --- proposals ------------------------------------------------------------------------------- */

/* The best mean of those that are seen and did not fail. */
static double least_mean(const struct view *v, const struct kriging *g)
{
    double least = INFINITY;
    for (size_t i = 0; i < v->count; i++)
        if (v->past->items[v->past->ranking[v->places[i]]].outcome != OUTCOME_FAILED || i == 0)
            least = fmin(least, g->means[i]);
    return least;
}

/* The search's own run i by the process; false: nothing it draws is allowed. */
static bool by_process(struct call *c, struct rng *r, struct proposal *p)
{
    size_t pending = past_pending(c->past, c->study, c->out, c->pending), dimensions;
    size_t first = pending > PENDING_MAX ? pending - PENDING_MAX : 0;
    struct kernel k;
    struct kriging g;
    struct view v;
    dimensions = c->study->space->count;
    kernel_open(&k, c->study, c->past);
    view_init(&v, c->past, POINTS_MAX, pending - first);
    for (size_t i = first; i < pending; i++)
        points_add(&v.points, c->pending + i * dimensions);
    kriging_init(&g, &k, &v.points, &v.seen);
    struct hunt h = {.study = c->study,
                     .axes = &c->past->axes,
                     .tried = c->untried.finite ? c->untried.tried : &c->past->configurations,
                     .pending = c->pending,
                     .pending_count = pending,
                     .process = &g,
                     .r = r,
                     .least = least_mean(&v, &g)};
    search_all(&h, c->past);
    p->at = h.at;
    snprintf(p->reason, sizeof(p->reason),
             "expected improvement %.3g: score %.2f +- %.2f, the best's is %.2f, by %zu "
             "configurations of runs below #%zu%s and %zu pending",
             exp(h.value), h.mean, h.deviation, h.least, v.count, c->past->seen,
             past_words(c->past), pending);
    kriging_finish(&g);
    view_finish(&v);
    return h.found;
}

static void begin(struct call *c, uint64_t i, struct proposal *p)
{
    if (i == 0)
        space_middle(c->study->space, &p->at);
    else
        sobol_draw(c->study, (uint32_t)i, &p->at);
    const char *what = i == 0 ? "the middle of the space" : "a point of Sobol's";
    if (past_count(c->past) < STARTUP)
        snprintf(p->reason, sizeof(p->reason),
                 "%s: %zu of the %d configurations to begin with are known", what,
                 past_count(c->past), STARTUP);
    else
        snprintf(p->reason, sizeof(p->reason), "%s: nothing that was drawn is allowed", what);
}

static void propose(struct call *c, uint64_t i, struct rng *r, struct proposal *p)
{
    if (past_count(c->past) < STARTUP || !by_process(c, r, p))
        begin(c, i, p);
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    static const struct model_search search = {"gp", STREAM, propose, true};
    return model_search_ask(&search, st, want, out);
}

static void outline(const struct study *st, struct search_outline *out)
{
    char what[96];
    snprintf(what, sizeof(what), "largest expected improvement of a Gaussian process; at most %zu "
             "at once (lag %zu)", st->lag + 1, st->lag);
    outline_single(st, out, "gp", what);
}

const struct search_method search_gp = {search_any, outline, ask};
