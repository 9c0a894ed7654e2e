/* CMA-ES (cma.h) over a search space, generation by generation: the next one begins when all runs
 * of this one have ended. Ranges and ordered values are coordinates; a choice without an order is
 * drawn from probabilities of its own, which move towards what the better half had
 * (population-based incremental learning, Baluja 1994) and keep a margin too. When nothing more
 * comes of a restart it begins anew elsewhere, with twice as many runs a generation (IPOP, Auger
 * and Hansen 2005). */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/earlier.h"
#include "daemon/plan/search/cma.h"
#include "daemon/plan/search/memo.h"
#include "daemon/plan/search/past.h"
#include "daemon/plan/search/sobol.h"
#include "sweep/buf.h"

#define SIGMA 0.2        /* at first, as a share of a range */
#define SIGMA_EARLIER 0.1 /* beside the spread of the best of earlier sweeps (Nomura et al. 2021) */
#define SIGMA_LEAST 1e-4 /* of every range: it has come to one place */
#define STALE 20         /* generations without a better run, and 3 for each coordinate */
#define CHOICE_RATE 0.3  /* how far probabilities move towards a generation's better half */
#define POPULATION_MAX 512
#define DRAWS_MAX 100    /* for one that lies within the ranges and is allowed */
/* Beyond those of Sobol's scrambling and of tpe. */
#define STREAM UINT64_C(0x200000000)

struct evolution {
    const struct study *study;
    struct axes axes;
    size_t coordinate_of[SPACE_MAX_DIMENSIONS]; /* SIZE_MAX: a choice */
    size_t coordinates;
    struct cma cma;
    double *chances;  /* [dimensions][SPACE_MAX_VALUES] of choices */
    size_t population;
    size_t begin;     /* the search's own runs below it have shaped this */
    size_t restarts, stale;
    const struct trial *best; /* of this restart */
};

/* A draw: coordinates and choices by dimension. */
struct draw {
    double x[SPACE_MAX_DIMENSIONS];     /* [coordinates] */
    double place[SPACE_MAX_DIMENSIONS]; /* [dimensions] */
    struct assignment at;
};

/* --- begin, and again ------------------------------------------------------------------------ */

/* In the middle; again: at a point of Sobol's. */
static void restart(struct evolution *e)
{
    double mean[SPACE_MAX_DIMENSIONS] = {0};
    struct assignment at;
    sobol_draw(e->study, (uint32_t)e->begin, &at);
    for (size_t i = 0; i < e->axes.count; i++) {
        const struct axis *x = &e->axes.items[i];
        double place = axis_place(x, at.v[i]);
        if (x->kind == AXIS_CHOICES)
            for (size_t k = 0; k < x->count; k++)
                e->chances[i * SPACE_MAX_VALUES + k] = 1.0 / x->count;
        else if (e->begin == 0 || isnan(place))
            mean[e->coordinate_of[i]] = 0.5;
        else
            mean[e->coordinate_of[i]] = x->kind == AXIS_RANGE ? place : (place + 0.5) / x->count;
    }
    cma_finish(&e->cma);
    cma_init(&e->cma, e->coordinates, mean, SIGMA);
    e->best = NULL;
    e->stale = 0;
}

/* Of the best of earlier sweeps: where they lie along a coordinate, and how far from each other. */
static void earlier_moments(const struct evolution *e, const struct assignment *const *best,
                            size_t count, size_t dimension, double moments[2])
{
    const struct axis *x = &e->axes.items[dimension];
    double sum = 0, squares = 0;
    size_t n = 0;
    for (size_t i = 0; i < count; i++) {
        double place = axis_place(x, best[i]->v[dimension]);
        if (isnan(place))
            continue;
        place = x->kind == AXIS_RANGE ? place : (place + 0.5) / x->count;
        sum += place;
        squares += place * place;
        n++;
    }
    moments[0] = n > 0 ? sum / (double)n : 0.5;
    moments[1] = n > 0 ? fmax(squares / (double)n - moments[0] * moments[0], 0) : 0;
}

/* A choice as often as they had it, half of the time; else any. */
static void earlier_chances(struct evolution *e, const struct assignment *const *best, size_t count,
                            size_t dimension)
{
    const struct axis *x = &e->axes.items[dimension];
    double *p = e->chances + dimension * SPACE_MAX_VALUES, had = 0, often[SPACE_MAX_VALUES] = {0};
    for (size_t i = 0; i < count; i++) {
        double place = axis_place(x, best[i]->v[dimension]);
        if (isnan(place))
            continue;
        often[(size_t)place]++;
        had++;
    }
    for (size_t k = 0; k < x->count && had > 0; k++)
        p[k] = 0.5 / x->count + 0.5 * often[k] / had;
}

/* From where the best of earlier sweeps lie, with a step of their spread: warm starting (Nomura et
 * al. 2021) with one step size for all coordinates. */
static void begin_earlier(struct evolution *e)
{
    const struct assignment *best[EARLIER_RUNS_MAX];
    size_t count = earlier_elite(e->study->earlier, e->study->maximize, best);
    double mean[SPACE_MAX_DIMENSIONS] = {0}, moments[2], spread = 0;
    if (count == 0)
        return;
    for (size_t i = 0; i < e->axes.count; i++) {
        if (e->coordinate_of[i] == SIZE_MAX) {
            earlier_chances(e, best, count, i);
            continue;
        }
        earlier_moments(e, best, count, i, moments);
        mean[e->coordinate_of[i]] = moments[0];
        spread += moments[1];
    }
    if (e->coordinates == 0)
        return;
    double step = sqrt(spread / (double)e->coordinates + SIGMA_EARLIER * SIGMA_EARLIER);
    cma_finish(&e->cma);
    cma_init(&e->cma, e->coordinates, mean, fmin(step, SIGMA));
}

static void evolution_init(struct evolution *e, const struct study *st)
{
    *e = (struct evolution){.study = st};
    axes_init(&e->axes, st->space);
    for (size_t i = 0; i < e->axes.count; i++)
        e->coordinate_of[i] =
            e->axes.items[i].kind == AXIS_CHOICES ? SIZE_MAX : e->coordinates++;
    e->chances = xcalloc(e->axes.count * SPACE_MAX_VALUES + 1, sizeof(*e->chances));
    e->population = cma_population(e->axes.count);
    restart(e);
    begin_earlier(e);
}

static void evolution_finish(struct evolution *e)
{
    axes_finish(&e->axes);
    cma_finish(&e->cma);
    free(e->chances);
    *e = (struct evolution){0};
}

/* --- draws ----------------------------------------------------------------------------------- */

static double draw_choice(const double *chances, size_t count, struct rng *r)
{
    double left = rng_uniform(r);
    size_t k = 0;
    while (k + 1 < count && left >= chances[k])
        left -= chances[k++];
    return (double)k;
}

/* False: a coordinate lies beyond its range, or a constraint forbids it. */
static bool draw_once(const struct evolution *e, struct rng *r, struct draw *d)
{
    bool within = true;
    cma_sample(&e->cma, r, d->x);
    d->at = (struct assignment){{0}};
    for (size_t i = 0; i < e->axes.count; i++) {
        const struct axis *x = &e->axes.items[i];
        double u = e->coordinate_of[i] == SIZE_MAX ? 0 : d->x[e->coordinate_of[i]];
        if (x->kind == AXIS_CHOICES)
            d->place[i] = draw_choice(e->chances + i * SPACE_MAX_VALUES, x->count, r);
        else
            d->place[i] = x->kind == AXIS_CELLS ? axis_cell(x, u) : fmin(fmax(u, 0), 1);
        if (x->kind == AXIS_RANGE) {
            within = within && u >= 0 && u <= 1;
            d->x[e->coordinate_of[i]] = d->place[i];
        }
        d->at.v[i] = axis_value(x, d->place[i]);
    }
    space_complete(e->study->space, &d->at);
    return space_allows(e->study->space, &d->at) && within;
}

/* The draw as it was run: another configuration where that one had been tried, or where none that
 * was drawn is allowed. */
static void fit(const struct evolution *e, const struct assignment *at, struct draw *d)
{
    for (size_t i = 0; i < e->axes.count; i++) {
        const struct axis *x = &e->axes.items[i];
        double place = axis_place(x, at->v[i]);
        if (isnan(place) || d->at.v[i] == at->v[i])
            continue;
        d->place[i] = place;
        if (x->kind == AXIS_RANGE)
            d->x[e->coordinate_of[i]] = place;
        else if (x->kind == AXIS_CELLS)
            d->x[e->coordinate_of[i]] =
                (x->edges[(size_t)place] + x->edges[(size_t)place + 1]) / 2;
    }
    space_take(e->study->space, at, &d->at);
}

/* The search's own run number i, from the generation's distribution. */
static void draw(const struct evolution *e, uint64_t i, struct rng *r, struct draw *d)
{
    rng_init(r, e->study->seed, RNG_SEARCH, STREAM + i);
    for (int k = 0; k < DRAWS_MAX && !draw_once(e, r, d); k++)
        continue;
    struct assignment allowed = d->at;
    space_nearest(e->study->space, &allowed);
    fit(e, &allowed, d);
}

/* --- a generation ---------------------------------------------------------------------------- */

struct member {
    const struct trial *trial;
    struct draw draw;
};

static int compare_members(const void *a, const void *b, void *arg)
{
    const struct study *st = arg;
    const struct member *x = a, *y = b;
    int order = past_compare(x->trial, y->trial, st->maximize);
    return order != 0 ? order : (x->trial->number > y->trial->number) * 2 - 1;
}

/* Probabilities move to what the better half of `count` had; one that has none says nothing. */
static void move_chances(struct evolution *e, const struct member *members, size_t count)
{
    size_t half = count / 2;
    for (size_t i = 0; i < e->axes.count && half > 0; i++) {
        size_t n = e->axes.items[i].count;
        double *p = e->chances + i * SPACE_MAX_VALUES, sum = 0;
        if (e->axes.items[i].kind != AXIS_CHOICES)
            continue;
        for (size_t k = 0; k < n; k++)
            p[k] *= 1 - CHOICE_RATE;
        for (size_t m = 0; m < half; m++)
            if (space_has(&members[m].draw.at, i))
                p[(size_t)members[m].draw.place[i]] += CHOICE_RATE / (double)half;
        double least = 1 / (double)(n * e->population);
        for (size_t k = 0; k < n; k++)
            sum += p[k] = fmax(p[k], least);
        for (size_t k = 0; k < n; k++)
            p[k] /= sum;
    }
}

static void keep_margins(struct evolution *e)
{
    double alpha = 1 / (double)(e->axes.count * e->population);
    for (size_t i = 0; i < e->axes.count; i++)
        if (e->axes.items[i].kind == AXIS_CELLS)
            cma_keep_margin(&e->cma, e->coordinate_of[i], e->axes.items[i].edges,
                            e->axes.items[i].count, alpha);
}

static void adapt(struct evolution *e, const struct member *members, size_t count)
{
    const double **x = xcalloc(count + 1, sizeof(*x));
    for (size_t m = 0; m < count; m++)
        x[m] = members[m].draw.x;
    cma_adapt(&e->cma, x, count);
    move_chances(e, members, count);
    keep_margins(e);
    free(x);
}

static bool is_at_its_end(const struct evolution *e)
{
    bool still = e->coordinates > 0;
    for (size_t i = 0; i < e->coordinates; i++)
        still = still && cma_deviation(&e->cma, i) < SIGMA_LEAST;
    return still || cma_is_degenerate(&e->cma) || e->stale >= STALE + 3 * e->axes.count;
}

static void note_best(struct evolution *e, const struct member *first)
{
    bool better = e->best == NULL ||
                  past_compare(first->trial, e->best, e->study->maximize) < 0;
    e->stale = better ? 0 : e->stale + 1;
    if (better)
        e->best = first->trial;
}

/* Takes the generation in, once all of it has ended. False: it has not. */
static bool advance(struct evolution *e)
{
    const struct study *st = e->study;
    size_t end = e->begin + e->population, count = 0;
    for (size_t i = e->begin; i < end; i++)
        if (i >= st->count || !run_status_terminal(st->trials[i]->status))
            return false;
    struct member *members = xcalloc(e->population, sizeof(*members));
    for (size_t i = e->begin; i < end; i++) {
        struct rng r;
        if (!past_speaks(st->space, st->trials[i]))
            continue;
        members[count].trial = st->trials[i];
        draw(e, i, &r, &members[count].draw);
        fit(e, &st->trials[i]->at, &members[count++].draw);
    }
    qsort_r(members, count, sizeof(*members), compare_members, (void *)(uintptr_t)st);
    e->begin = end;
    if (count > 0 && trial_usable(members[0].trial)) { /* all failed: that says nothing of where */
        adapt(e, members, count);
        note_best(e, &members[0]);
    }
    if (is_at_its_end(e)) {
        e->restarts++;
        if (e->population < POPULATION_MAX)
            e->population *= 2;
        restart(e);
    }
    free(members);
    return true;
}

/* --- the search ------------------------------------------------------------------------------ */

static void evolution_destroy(void *data)
{
    evolution_finish(data);
    free(data);
}

static struct evolution *evolution_open(const struct study *st, struct evolution *own)
{
    struct evolution *e = st->memo != NULL ? memo_get(st->memo, MEMO_EVOLUTION) : own;
    if (e == NULL) {
        e = xcalloc(1, sizeof(*e));
        memo_keep(st->memo, MEMO_EVOLUTION, e, evolution_destroy);
        evolution_init(e, st);
    } else if (e == own) {
        evolution_init(e, st);
    }
    e->study = st;
    return e;
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    struct evolution own, *e;
    struct untried untried;
    if (st->count >= st->budget)
        return st->live > 0 ? ANSWER_WAIT : ANSWER_DONE;
    e = evolution_open(st, &own);
    untried_init(&untried, st);
    for (uint64_t i = st->count; i < st->budget && out->count < want; i++) {
        struct draw d;
        struct rng r;
        while (i >= e->begin + e->population && advance(e))
            continue;
        if (i >= e->begin + e->population)
            break;
        draw(e, i, &r, &d);
        out->exhausted = !untried_take(&untried, &r, &d.at);
        if (out->exhausted)
            break;
        proposals_add(out, &d.at, "cmaes",
                      "generation %zu of %zu runs, restart %zu: step size %.3g",
                      e->cma.generations + 1, e->population, e->restarts, e->cma.sigma);
    }
    untried_finish(&untried);
    if (e == &own)
        evolution_finish(&own);
    return proposals_answer(out, st);
}

static void outline(const struct study *st, struct search_outline *out)
{
    char what[64];
    snprintf(what, sizeof(what), "generations of %zu runs, CMA-ES",
             cma_population(st->space->count));
    outline_single(st, out, "cmaes", what);
}

const struct search_method search_cmaes = {search_any, outline, ask};
