/* The tree-structured Parzen estimator (Bergstra et al. 2011) in its multivariate form (Falkner et
 * al. 2018; Watanabe 2023, "Tree-structured Parzen estimator: understanding its algorithm
 * components"): of the configurations that are seen, a fifth are the better ones; one density
 * around those, by their rank, another around the others; of some configurations drawn from the
 * first, the one with the largest ratio of the two. What is pending counts among the others (a
 * constant liar), and so does all that failed. The first points are Sobol's. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/plan/search/model_search.h"
#include "daemon/plan/search/parzen.h"
#include "daemon/plan/search/past.h"
#include "daemon/plan/search/sobol.h"
#include "sweep/buf.h"

#define STARTUP 10      /* configurations that must be seen before the densities are asked */
#define BETTER 0.2      /* share of them that is better … */
#define BETTER_MAX 25   /* … and so many at most */
#define OTHERS_MAX 160  /* kernels of the others at most: evenly over their ranking */
#define CANDIDATES 64
#define DRAWS_MAX 512   /* for them, where constraints forbid some */
#define WIDTH 0.25      /* of one kernel alone, as a share of a range … */
#define WIDTH_LEAST 0.05 /* … and of very many */
/* Beyond those that Sobol's scrambling draws from. */
#define STREAM UINT64_C(0x100000000)

struct model {
    const struct past *past;
    size_t better, others, pending; /* configurations */
    struct parzen good, bad;
};

/* --- the densities --------------------------------------------------------------------------- */

/* Kernels of as many configurations: the more there are, the narrower (Scott 1992); of choices as
 * if one more of each had been seen. */
static void set_widths(const struct axes *axes, size_t count, double *width)
{
    double range = WIDTH * pow((double)count, -1 / ((double)axes->count + 4));
    for (size_t i = 0; i < axes->count; i++) {
        double choices = axes->items[i].count;
        width[i] = axes->items[i].kind == AXIS_CHOICES
                       ? choices / (choices + (double)count + 1)
                       : fmax(range, WIDTH_LEAST);
    }
}

/* Those that may be better: not one that failed. A fifth, by their ranks, instead of a tenth all
 * alike: where one seed says little of a configuration, the better tenth are the lucky ones
 * (docs/testing.md has the figures). */
static size_t better_count(const struct past *p)
{
    double wanted = fmin(ceil(BETTER * (double)past_count(p)), BETTER_MAX);
    size_t n = 0;
    while (n < (size_t)wanted && p->items[p->ranking[n]].outcome != OUTCOME_FAILED)
        n++;
    return n;
}

static void good_init(struct model *m)
{
    const struct past *p = m->past;
    const double *places[BETTER_MAX];
    double weights[BETTER_MAX + 1], width[SPACE_MAX_DIMENSIONS];
    for (size_t i = 0; i < m->better; i++)
        places[i] = past_places(p, p->ranking[i]);
    for (size_t i = 0; i < m->better; i++)
        weights[i] = 1 + log(((double)m->better + 0.5) / ((double)i + 1));
    weights[m->better] = 1;
    set_widths(&p->axes, m->better, width);
    parzen_init(&m->good, &p->axes, places, m->better, weights, width);
}

static void bad_init(struct model *m, const double *pending)
{
    const struct past *p = m->past;
    size_t n = m->others < OTHERS_MAX ? m->others : OTHERS_MAX, count = n + m->pending;
    const double **places = xcalloc(count + 1, sizeof(*places));
    double *weights = xcalloc(count + 1, sizeof(*weights)), width[SPACE_MAX_DIMENSIONS];
    for (size_t i = 0; i < n; i++) {
        places[i] = past_places(p, p->ranking[m->better + i * m->others / n]);
        weights[i] = (double)m->others / (double)n;
    }
    for (size_t i = 0; i < m->pending; i++) {
        places[n + i] = pending + i * p->space->count;
        weights[n + i] = 1;
    }
    weights[count] = 1;
    set_widths(&p->axes, m->others + m->pending, width);
    parzen_init(&m->bad, &p->axes, places, count, weights, width);
    free(places);
    free(weights);
}

static void model_init(struct model *m, const struct past *p, const double *pending, size_t count)
{
    size_t better = better_count(p);
    *m = (struct model){
        .past = p, .better = better, .others = past_count(p) - better, .pending = count};
    good_init(m);
    bad_init(m, pending);
}

static void model_finish(struct model *m)
{
    parzen_finish(&m->good);
    parzen_finish(&m->bad);
}

/* --- the candidates -------------------------------------------------------------------------- */

/* Draws one, and its places. False: it is not allowed. */
static bool draw(const struct model *m, struct rng *r, double *places, struct assignment *a)
{
    const struct space *s = m->past->space;
    parzen_sample(&m->good, r, places);
    *a = (struct assignment){{0}};
    for (size_t i = 0; i < s->count; i++)
        a->v[i] = axis_value(&m->past->axes.items[i], places[i]);
    space_complete(s, a);
    axes_places(&m->past->axes, a, places);
    return space_allows(s, a);
}

/* The best of the candidates, of those never tried where there are any, and its log ratio. False:
 * none is allowed. */
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

/* --- proposals ------------------------------------------------------------------------------- */

/* The search's own run i by the model; false: nothing it draws is allowed. */
static bool by_model(struct call *c, struct rng *r, struct proposal *p)
{
    struct model m;
    double ratio = 0;
    size_t pending = past_pending(c->past, c->study, c->out, c->pending);
    model_init(&m, c->past, c->pending, pending);
    bool found = best_candidate(&m, c->untried.tried, r, &p->at, &ratio);
    snprintf(p->reason, sizeof(p->reason),
             "%.3g times as dense among the %zu better as among the %zu other configurations of "
             "runs below #%zu%s and %zu pending",
             exp(ratio), m.better, m.others, c->past->seen, past_words(c->past), pending);
    model_finish(&m);
    return found;
}

static void propose(struct call *c, uint64_t i, struct rng *r, struct proposal *p)
{
    if (past_count(c->past) < STARTUP) {
        sobol_draw(c->study, (uint32_t)i, &p->at);
        snprintf(p->reason, sizeof(p->reason),
                 "Sobol point %" PRIu64 ": %zu of the %d configurations to begin with are known",
                 i + 1, past_count(c->past), STARTUP);
    } else if (!by_model(c, r, p)) {
        sobol_draw(c->study, (uint32_t)i, &p->at);
        snprintf(p->reason, sizeof(p->reason),
                 "Sobol point %" PRIu64 ": nothing drawn around the better ones is allowed", i + 1);
    }
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    static const struct model_search search = {"tpe", STREAM, propose};
    return model_search_ask(&search, st, want, out);
}

static void outline(const struct study *st, struct search_outline *out)
{
    char what[96];
    snprintf(what, sizeof(what), "where the better fifth of what is seen lies; at most %zu at once "
             "(lag %zu)", st->lag + 1, st->lag);
    outline_single(st, out, "tpe", what);
}

const struct search_method search_tpe = {search_any, outline, ask};
