/* DEHB (Awad, Mallik and Hutter 2021): differential evolution (Storn and Price 1997, rand/1/bin, F
 * and CR 0.5) whose individuals are tried with hyperband's budgets. Each rung, and the end, has a
 * population; a run begins in that of its bracket's first rung, against the individual whose turn
 * it is, and takes its place where it came to no worse there. Parents are of the same population,
 * and of the best of the one below it, so what short runs have shown is tried in longer ones.
 * Where the paper begins anew at each budget with what is promoted, a run here goes on from its
 * rung, and is one more individual of each population that it comes to. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/search/budgets.h"
#include "daemon/plan/search/memo.h"
#include "daemon/plan/search/model_search.h"
#include "daemon/plan/search/sobol.h"
#include "daemon/plan/stop/stop.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define SCALE 0.5
#define CROSSOVER 0.5
#define PARENTS 3
#define SIZE_LEAST 4
#define SIZE_MOST 27
#define TRIES 100 /* where constraints forbid some */
/* Beyond those of the other methods. */
#define STREAM UINT64_C(0x400000000)

struct population {
    int64_t epoch;
    size_t size, count; /* as it is to be, and by now */
    size_t turns;       /* runs that began in it */
    double *vectors;    /* [size][dimensions] in [0, 1]; NAN: absent */
    double *costs;      /* INFINITY: failed */
};

struct evolution {
    const struct study *study; /* of this ask */
    struct axes axes;
    size_t seen; /* the sweep's runs numbered below it */
    size_t count;
    struct population populations[BUDGETS_MAX];
};

/* --- vectors --------------------------------------------------------------------------------- */

static double coordinate(const struct axis *x, double place)
{
    if (isnan(place) || x->kind == AXIS_RANGE)
        return place;
    if (x->kind == AXIS_CHOICES)
        return (place + 0.5) / x->count;
    return (x->edges[(size_t)place] + x->edges[(size_t)place + 1]) / 2;
}

static double value_at(const struct axis *x, double u)
{
    if (x->kind == AXIS_CHOICES)
        return axis_value(x, fmin(floor(u * x->count), x->count - 1));
    return axis_value(x, x->kind == AXIS_CELLS ? axis_cell(x, u) : u);
}

/* --- what has been --------------------------------------------------------------------------- */

static void evolution_init(struct evolution *e, const struct study *st)
{
    int64_t epochs[BUDGETS_MAX + 1];
    *e = (struct evolution){.study = st, .count = budgets_epochs(st, epochs)};
    REQUIRE(e->count <= BUDGETS_MAX);
    axes_init(&e->axes, st->space);
    for (size_t k = 0; k < e->count; k++) {
        double size = pow(st->stop->eta, (double)(e->count - 1 - k));
        struct population *p = &e->populations[k];
        p->epoch = epochs[k];
        p->size = (size_t)fmin(fmax(ceil(size), SIZE_LEAST), SIZE_MOST);
        p->vectors = xcalloc(p->size * st->space->count + 1, sizeof(*p->vectors));
        p->costs = xcalloc(p->size, sizeof(*p->costs));
    }
}

static void evolution_finish(struct evolution *e)
{
    for (size_t k = 0; k < e->count; k++) {
        free(e->populations[k].vectors);
        free(e->populations[k].costs);
    }
    axes_finish(&e->axes);
}

static void evolution_destroy(void *data)
{
    evolution_finish(data);
    free(data);
}

/* That in which the run of that number begins. */
static struct population *population_of(struct evolution *e, size_t number)
{
    const struct study *st = e->study;
    int64_t first = stop_next_rung(st->stop, number, 0, st->epochs);
    size_t k = 0;
    while (k + 1 < e->count && e->populations[k].epoch != first)
        k++;
    return &e->populations[k];
}

static void put(const struct evolution *e, struct population *p, size_t i, const struct trial *t,
                double cost)
{
    size_t dimensions = e->axes.count;
    for (size_t d = 0; d < dimensions; d++)
        p->vectors[i * dimensions + d] =
            coordinate(&e->axes.items[d], axis_place(&e->axes.items[d], t->at.v[d]));
    p->costs[i] = cost;
}

static size_t worst_of(const struct population *p)
{
    size_t worst = 0;
    for (size_t i = 1; i < p->count; i++)
        worst = p->costs[i] > p->costs[worst] ? i : worst;
    return worst;
}

/* Against the individual whose turn it was, or the worst where it has come from below. */
static void compete(struct evolution *e, struct population *p, const struct trial *t, bool begins,
                    size_t turn)
{
    double cost;
    if (!past_cost_at(t, p->epoch, e->study->maximize, &cost))
        return;
    if (p->count < p->size) {
        put(e, p, p->count++, t, cost);
        return;
    }
    size_t i = begins ? turn % p->size : worst_of(p);
    if (begins ? cost <= p->costs[i] : cost < p->costs[i])
        put(e, p, i, t, cost);
}

static bool is_own(const struct trial *t)
{
    return t->kind == RUN_KIND_SEARCH && t->ground == 0;
}

static void take_run(struct evolution *e, const struct trial *t)
{
    struct population *first = population_of(e, t->number);
    if (!is_own(t))
        return;
    size_t turn = first->turns++;
    if (!past_speaks(e->study->space, t))
        return;
    for (struct population *p = first; p < e->populations + e->count; p++)
        compete(e, p, t, p == first, turn);
}

static struct evolution *evolution_open(const struct study *st, size_t below,
                                        struct evolution *own)
{
    struct evolution *e = st->memo != NULL ? memo_get(st->memo, MEMO_EVOLUTION) : own;
    if (e == NULL) {
        e = xcalloc(1, sizeof(*e));
        memo_keep(st->memo, MEMO_EVOLUTION, e, evolution_destroy);
        evolution_init(e, st);
    } else if (e == own) {
        evolution_init(e, st);
    } else if (e->seen > below) { /* what was proposed has come to nothing */
        evolution_finish(e);
        evolution_init(e, st);
    }
    e->study = st;
    for (; e->seen < below; e->seen++)
        take_run(e, st->all[e->seen]);
    return e;
}

static void evolution_close(struct evolution *e, struct evolution *own)
{
    if (e == own)
        evolution_finish(e);
}

/* The turn of the run of that number: those between what is seen and it count too. */
static size_t turn_of(struct evolution *e, const struct population *p, size_t number)
{
    const struct study *st = e->study;
    size_t turn = p->turns;
    for (size_t n = e->seen; n < number; n++)
        if ((n >= st->all_count || is_own(st->all[n])) && population_of(e, n) == p)
            turn++;
    return turn;
}

/* --- a child --------------------------------------------------------------------------------- */

/* Those of its population, then the best of the one below, at most as many as it is to have. */
static size_t parents_of(const struct evolution *e, const struct population *p,
                         const double *out[2 * SIZE_MOST])
{
    size_t n = 0, dimensions = e->axes.count;
    for (size_t i = 0; i < p->count; i++)
        out[n++] = p->vectors + i * dimensions;
    const struct population *below = p - 1;
    if (p == e->populations)
        return n;
    for (size_t i = 0; i < below->count; i++) {
        size_t better = 0;
        for (size_t k = 0; k < below->count; k++)
            better += below->costs[k] < below->costs[i] ||
                      (below->costs[k] == below->costs[i] && k < i);
        if (better < p->size)
            out[n++] = below->vectors + i * dimensions;
    }
    return n;
}

static void pick(struct rng *r, size_t count, size_t out[PARENTS])
{
    for (size_t i = 0; i < PARENTS;) {
        out[i] = rng_below(r, count);
        size_t k = 0;
        while (k < i && out[k] != out[i])
            k++;
        i += k == i;
    }
}

/* One that lacks a value, or leads beyond the range, is drawn anew. */
static double mutate(double a, double b, double c, struct rng *r)
{
    double u = a + SCALE * (b - c);
    return u >= 0 && u <= 1 ? u : rng_uniform(r);
}

static void child(const struct evolution *e, const double *target, const double *const *parents,
                  size_t count, struct rng *r, struct assignment *out)
{
    size_t three[PARENTS], sure = rng_below(r, e->axes.count);
    pick(r, count, three);
    *out = (struct assignment){{0}};
    for (size_t i = 0; i < e->axes.count; i++) {
        bool own = i != sure && rng_uniform(r) >= CROSSOVER && !isnan(target[i]);
        const double *a = parents[three[0]], *b = parents[three[1]], *c = parents[three[2]];
        double u = own ? target[i] : mutate(a[i], b[i], c[i], r);
        out->v[i] = value_at(&e->axes.items[i], u);
    }
    space_complete(e->study->space, out);
}

/* False: too few are known, or nothing is allowed. */
static bool evolve(struct evolution *e, const struct population *p, size_t turn, struct rng *r,
                   struct proposal *out)
{
    const double *parents[2 * SIZE_MOST];
    size_t count = parents_of(e, p, parents);
    if (count <= PARENTS || (p == e->populations && p->count < p->size))
        return false;
    bool full = p->count == p->size;
    const double *target = full ? p->vectors + turn % p->size * e->axes.count
                                : parents[rng_below(r, count)];
    for (int n = 0; n < TRIES; n++) {
        child(e, target, parents, count, r, &out->at);
        if (!space_allows(e->study->space, &out->at))
            continue;
        snprintf(out->reason, sizeof(out->reason),
                 "child of three of %zu against individual %zu of %zu at epoch %" PRId64
                 ", of runs below #%zu", count, turn % p->size + 1, p->size, p->epoch, e->seen);
        return true;
    }
    return false;
}

static void propose(struct call *c, uint64_t i, struct rng *r, struct proposal *p)
{
    struct evolution own, *e = evolution_open(c->study, c->past->seen, &own);
    size_t number = c->study->all_count + c->out->count;
    const struct population *to = population_of(e, number);
    if (!evolve(e, to, turn_of(e, to, number), r, p)) {
        sobol_draw(c->study, (uint32_t)i, &p->at);
        snprintf(p->reason, sizeof(p->reason),
                 "Sobol point %" PRIu64 ": %zu of the %zu individuals to begin with are known at "
                 "epoch %" PRId64, i + 1, to->count, to->size, to->epoch);
    }
    evolution_close(e, &own);
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    static const struct model_search search = {"dehb", STREAM, propose};
    return model_search_ask(&search, st, want, out);
}

static int check(const struct study *st, struct errbuf *err)
{
    return budgets_check(st, "dehb", err);
}

static void outline(const struct study *st, struct search_outline *out)
{
    char what[96];
    snprintf(what, sizeof(what), "differential evolution at each rung; at most %zu at once",
             st->lag + 1);
    outline_single(st, out, "dehb", what);
}

const struct search_method search_dehb = {check, outline, ask};
