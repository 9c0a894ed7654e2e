/* BOHB (Falkner, Klein and Hutter 2018): hyperband decides how long a run trains, and a model of
 * what is known which configurations begin. The model is that of the tree-structured Parzen
 * estimator, with the constants of the authors' HpBandSter: at the longest budget at which enough
 * configurations are known, a density around the best 15 % and one around the others; of 64 draws
 * near the best (three times as wide), the one with the largest ratio of the two. A third of the
 * configurations goes by no model: here they are points of Sobol, as the first ones are. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/plan/search/budgets.h"
#include "daemon/plan/search/model_search.h"
#include "daemon/plan/search/parzen.h"
#include "daemon/plan/search/sobol.h"
#include "sweep/buf.h"

#define BETTER 0.15
#define AT_RANDOM (1.0 / 3)
#define CANDIDATES 64
#define DRAWS_MAX 512 /* for them, where constraints forbid some */
#define WIDER 3
#define WIDTH_LEAST 1e-3
#define REFERENCE 1.06    /* normal reference rule: this, times the deviation, times n^(-1/(4+d)) */
#define KERNELS_MAX 160   /* of a density: the best ones, and evenly over the others' ranking */
/* What is nowhere near a kernel is equally dense under both, not 0 / 0. */
#define FLOOR 1e-9
/* Beyond those that Sobol's scrambling and tpe draw from. */
#define STREAM UINT64_C(0x200000000)

/* --- the model ------------------------------------------------------------------------------- */

struct model {
    const struct past *past;
    size_t better, others;
    struct parzen good, wide, bad; /* wide: what is drawn from */
};

static size_t least(const struct past *p)
{
    return p->space->count + 1;
}

static size_t usable(const struct past *p)
{
    size_t n = past_count(p);
    while (n > 0 && p->items[p->ranking[n - 1]].outcome == OUTCOME_FAILED)
        n--;
    return n;
}

/* 0: too few are known there. What failed is none of the good. */
static size_t better_count(const struct past *p)
{
    size_t n = past_count(p), good = usable(p), want = (size_t)(BETTER * (double)n);
    if (n < 2 * least(p) || good < least(p))
        return 0;
    return want < least(p) ? least(p) : want < good ? want : good;
}

static double variance_of_numbers(size_t n, const double *const *places, size_t dimension)
{
    double sum = 0, squares = 0, count = 0;
    for (size_t i = 0; i < n; i++) {
        double x = places[i][dimension];
        if (isnan(x))
            continue;
        sum += x;
        squares += x * x;
        count++;
    }
    double mean = sum / fmax(count, 1);
    return fmax(squares / fmax(count, 1) - mean * mean, 0);
}

/* Of choices: the chance that two of them differ. */
static double variance_of_choices(size_t n, const double *const *places, size_t dimension,
                                  size_t choices)
{
    double same = 0, all = 0;
    for (size_t k = 0; k < choices; k++) {
        double count = 0;
        for (size_t i = 0; i < n; i++)
            count += places[i][dimension] == (double)k;
        same += count * count;
        all += count;
    }
    return all > 0 ? 1 - same / (all * all) : 0;
}

/* In [0, 1]: cells are as wide as their row is short. */
static double deviation(const struct axis *x, size_t n, const double *const *places, size_t i)
{
    if (x->kind == AXIS_CHOICES)
        return sqrt(variance_of_choices(n, places, i, x->count));
    double own = sqrt(variance_of_numbers(n, places, i));
    return x->kind == AXIS_CELLS ? own / x->count : own;
}

static void density(struct parzen *p, const struct past *past, size_t from, size_t count,
                    double factor)
{
    const struct axes *axes = &past->axes;
    size_t n = count < KERNELS_MAX ? count : KERNELS_MAX;
    const double *places[KERNELS_MAX];
    double weights[KERNELS_MAX + 1], width[SPACE_MAX_DIMENSIONS];
    for (size_t i = 0; i < n; i++) {
        places[i] = past_places(past, past->ranking[from + i * count / n]);
        weights[i] = 1;
    }
    weights[n] = FLOOR;
    double shrinks = pow((double)n, -1 / (4 + (double)axes->count));
    for (size_t i = 0; i < axes->count; i++) {
        double own = REFERENCE * shrinks * deviation(&axes->items[i], n, places, i);
        width[i] = factor * fmax(own, WIDTH_LEAST);
        if (axes->items[i].kind == AXIS_CHOICES)
            width[i] = fmin(width[i], 1);
    }
    parzen_init(p, axes, places, n, weights, width);
}

/* False: too little is known. */
static bool model_init(struct model *m, const struct budgets *b)
{
    size_t k = b->count;
    while (k > 0 && better_count(&b->pasts[k - 1]) == 0)
        k--;
    if (k == 0)
        return false;
    const struct past *p = &b->pasts[k - 1];
    size_t better = better_count(p);
    *m = (struct model){.past = p, .better = better, .others = past_count(p) - better};
    density(&m->good, p, 0, better, 1);
    density(&m->wide, p, 0, better, WIDER);
    density(&m->bad, p, better, m->others, 1);
    return true;
}

static void model_finish(struct model *m)
{
    parzen_finish(&m->good);
    parzen_finish(&m->wide);
    parzen_finish(&m->bad);
}

/* --- proposals ------------------------------------------------------------------------------- */

/* False: it is not allowed. */
static bool draw(const struct model *m, struct rng *r, double *places, struct assignment *a)
{
    const struct space *s = m->past->space;
    parzen_sample(&m->wide, r, places);
    *a = (struct assignment){{0}};
    for (size_t i = 0; i < s->count; i++)
        a->v[i] = axis_value(&m->past->axes.items[i], places[i]);
    space_complete(s, a);
    axes_places(&m->past->axes, a, places);
    return space_allows(s, a);
}

/* The one with the largest ratio, of those never tried where there are any. */
static bool best_candidate(struct model *m, const struct tried *tried, struct rng *r,
                           struct assignment *out, double *ratio)
{
    size_t candidates = 0;
    bool best_is_new = false;
    for (size_t i = 0; i < DRAWS_MAX && candidates < CANDIDATES; i++) {
        double places[SPACE_MAX_DIMENSIONS];
        struct assignment a;
        if (!draw(m, r, places, &a))
            continue;
        double own = parzen_log_density(&m->good, places) - parzen_log_density(&m->bad, places);
        bool is_new = !tried_has(tried, &a);
        if (candidates++ > 0 && (is_new != best_is_new ? best_is_new : own <= *ratio))
            continue;
        best_is_new = is_new;
        *ratio = own;
        *out = a;
    }
    return candidates > 0;
}

static bool by_model(struct call *c, const struct budgets *b, struct rng *r, struct proposal *p)
{
    struct model m;
    double ratio = 0;
    if (!model_init(&m, b))
        return false;
    bool found = best_candidate(&m, c->untried.tried, r, &p->at, &ratio);
    snprintf(p->reason, sizeof(p->reason),
             "%.3g times as dense among the %zu better as among the %zu other configurations known "
             "at epoch %" PRId64 " of runs below #%zu%s", exp(ratio), m.better, m.others,
             m.past->epoch, c->past->seen, past_words(m.past));
    model_finish(&m);
    return found;
}

static void propose(struct call *c, uint64_t i, struct rng *r, struct proposal *p)
{
    struct budgets own, *b;
    bool at_random = rng_uniform(r) < AT_RANDOM;
    b = budgets_open(c->study, c->study->all_count + c->out->count, &own);
    if (at_random || !by_model(c, b, r, p)) {
        sobol_draw(c->study, (uint32_t)i, &p->at);
        snprintf(p->reason, sizeof(p->reason), "Sobol point %" PRIu64 ": %s", i + 1,
                 at_random ? "a third goes by no model"
                           : "too little is known at any rung, or nothing that is allowed");
    }
    budgets_close(b, &own);
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    static const struct model_search search = {"bohb", STREAM, propose};
    return model_search_ask(&search, st, want, out);
}

static int check(const struct study *st, struct errbuf *err)
{
    return budgets_check(st, "bohb", err);
}

static void outline(const struct study *st, struct search_outline *out)
{
    char what[96];
    snprintf(what, sizeof(what), "where the better 15 %% at the longest known rung lie; at most "
             "%zu at once", st->lag + 1);
    outline_single(st, out, "bohb", what);
}

const struct search_method search_bohb = {check, outline, ask};
