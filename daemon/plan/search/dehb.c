/* DEHB (Awad, Mallik and Hutter 2021): differential evolution (Storn and Price 1997, rand/1/bin, F
 * and CR 0.5) whose individuals are tried with hyperband's budgets. Each rung, and the end, has a
 * population; a run begins in that of its bracket's first rung, against the individual whose turn
 * it is, and takes its place where it came to no worse there. Parents are of the same population,
 * and of the best of the one below it, so what short runs have shown is tried in longer ones.
 * Where the paper begins anew at each budget with what is promoted, a run here goes on from its
 * rung, and is one more individual of each population that it comes to.
 *
 * The populations are what follows from the runs that are seen, taken in by number; they are kept
 * between asks to save the time. */
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
#define TRIES 100 /* where constraints forbid some, or a child is its parents' twin */
/* Beyond those of the other methods. */
#define STREAM UINT64_C(0x400000000)

struct individual {
    size_t number;  /* of its run */
    double cost;    /* INFINITY: failed */
    double *vector; /* [dimensions] in [0, 1]; NAN: absent */
};

struct population {
    int64_t epoch;
    size_t size, count; /* as it is to be, and by now */
    size_t turns;       /* runs that began in it */
    struct individual members[SIZE_MOST];
    double *vectors;    /* theirs */
};

struct evolution {
    const struct study *study; /* of this ask */
    struct axes axes;
    size_t seen; /* the sweep's runs numbered below it */
    size_t count;
    struct population populations[BUDGETS_MAX];
};

/* --- coordinates ----------------------------------------------------------------------------- */

static double coordinate(const struct axis *x, double value)
{
    double place = axis_place(x, value);
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

static void population_init(struct population *p, int64_t epoch, double size, size_t dimensions)
{
    *p = (struct population){.epoch = epoch};
    p->size = (size_t)fmin(fmax(ceil(size), SIZE_LEAST), SIZE_MOST);
    p->vectors = xcalloc(p->size * dimensions + 1, sizeof(*p->vectors));
    for (size_t i = 0; i < p->size; i++)
        p->members[i].vector = p->vectors + i * dimensions;
}

static void evolution_init(struct evolution *e, const struct study *st)
{
    int64_t epochs[BUDGETS_MAX + 1];
    *e = (struct evolution){.study = st, .count = budgets_epochs(st, epochs)};
    REQUIRE(e->count <= BUDGETS_MAX);
    axes_init(&e->axes, st->space);
    for (size_t k = 0; k < e->count; k++)
        population_init(&e->populations[k], epochs[k],
                        pow(st->stop->eta, (double)(e->count - 1 - k)), e->axes.count);
}

static void evolution_finish(struct evolution *e)
{
    for (size_t k = 0; k < e->count; k++)
        free(e->populations[k].vectors);
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

static void put(const struct evolution *e, struct individual *m, const struct trial *t, double cost)
{
    for (size_t d = 0; d < e->axes.count; d++)
        m->vector[d] = coordinate(&e->axes.items[d], t->at.v[d]);
    m->number = t->number;
    m->cost = cost;
}

static struct individual *worst_of(struct population *p)
{
    struct individual *worst = p->members;
    for (size_t i = 1; i < p->count; i++)
        worst = p->members[i].cost > worst->cost ? &p->members[i] : worst;
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
        put(e, &p->members[p->count++], t, cost);
        return;
    }
    struct individual *m = begins ? &p->members[turn % p->size] : worst_of(p);
    if (begins ? cost <= m->cost : cost < m->cost)
        put(e, m, t, cost);
}

/* Has a turn. Repeats, whose configuration is there already, and what a person or a remedy has
 * changed beside what is swept, have none. */
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

/* --- parents --------------------------------------------------------------------------------- */

struct parents {
    size_t count;
    const struct individual *items[2 * SIZE_MOST];
};

/* A run that has come to both is one. */
static void add_parent(struct parents *all, const struct individual *m)
{
    for (size_t i = 0; i < all->count; i++)
        if (all->items[i]->number == m->number)
            return;
    all->items[all->count++] = m;
}

static size_t better_than(const struct population *p, const struct individual *m)
{
    size_t n = 0;
    for (size_t k = 0; k < p->count; k++)
        n += p->members[k].cost < m->cost || (p->members[k].cost == m->cost && &p->members[k] < m);
    return n;
}

/* Those of its population, then the best of the one below, as many as it is to have. */
static void parents_of(const struct evolution *e, const struct population *p, struct parents *out)
{
    out->count = 0;
    for (size_t i = 0; i < p->count; i++)
        add_parent(out, &p->members[i]);
    const struct population *below = p > e->populations ? p - 1 : p;
    for (size_t i = 0; i < below->count; i++)
        if (isfinite(below->members[i].cost) && better_than(below, &below->members[i]) < p->size)
            add_parent(out, &below->members[i]);
}

static void pick(const struct parents *all, struct rng *r, const double *out[PARENTS])
{
    for (size_t i = 0; i < PARENTS;) {
        out[i] = all->items[rng_below(r, all->count)]->vector;
        size_t k = 0;
        while (k < i && out[k] != out[i])
            k++;
        i += k == i;
    }
}

/* --- a child --------------------------------------------------------------------------------- */

/* One that lacks a value, or leads beyond the range, is drawn anew, as its distribution says. */
static double mutant(const struct axis *x, const double *const three[PARENTS], size_t i,
                     struct rng *r)
{
    double u = three[0][i] + SCALE * (three[1][i] - three[2][i]);
    if (u >= 0 && u <= 1)
        return value_at(x, u);
    return dimension_value(x->dimension, rng_uniform(r));
}

static void child(const struct evolution *e, const double *target, const struct parents *parents,
                  struct rng *r, struct assignment *out)
{
    const double *three[PARENTS];
    size_t sure = rng_below(r, e->axes.count);
    pick(parents, r, three);
    *out = (struct assignment){{0}};
    for (size_t i = 0; i < e->axes.count; i++) {
        const struct axis *x = &e->axes.items[i];
        bool own = i != sure && rng_uniform(r) >= CROSSOVER && !isnan(target[i]);
        out->v[i] = own ? value_at(x, target[i]) : mutant(x, three, i, r);
    }
    space_complete(e->study->space, out);
}

static bool all_failed(const struct population *p)
{
    for (size_t i = 0; i < p->count; i++)
        if (isfinite(p->members[i].cost))
            return false;
    return p->count > 0;
}

/* That in which a run is bred that begins in p. Runs may say nothing at their rungs but that they
 * failed (a program that reports no more than how it ended): then in the first one above of which
 * something is known. */
static const struct population *bred_in(const struct evolution *e, const struct population *p)
{
    const struct population *last = e->populations + e->count - 1;
    while (p < last && p->turns >= p->size && (p->count < p->size || all_failed(p)))
        p++;
    return p;
}

/* One never tried where there is any. False: too little is known, or nothing is allowed. */
static bool evolve(struct evolution *e, const struct population *begins, size_t turn,
                   const struct tried *tried, struct rng *r, struct proposal *out)
{
    const struct population *p = bred_in(e, begins);
    struct parents parents;
    bool found = false, is_new = false;
    parents_of(e, p, &parents);
    if (parents.count <= PARENTS || all_failed(p) || (p == e->populations && p->count < p->size))
        return false;
    bool full = p->count == p->size;
    const double *target = full ? p->members[turn % p->size].vector
                                : parents.items[rng_below(r, parents.count)]->vector;
    for (int n = 0; n < TRIES && !is_new; n++) {
        struct assignment a;
        child(e, target, &parents, r, &a);
        if (!space_allows(e->study->space, &a))
            continue;
        found = true;
        is_new = !tried_has(tried, &a);
        out->at = a;
    }
    if (full)
        snprintf(out->reason, sizeof(out->reason),
                 "child of three of %zu against individual %zu of %zu at epoch %" PRId64
                 ", of runs below #%zu", parents.count, turn % p->size + 1, p->size, p->epoch,
                 e->seen);
    else
        snprintf(out->reason, sizeof(out->reason),
                 "child of three of %zu, as one of the first %zu at epoch %" PRId64
                 ", of runs below #%zu", parents.count, p->size, p->epoch, e->seen);
    return found;
}

/* --- proposals ------------------------------------------------------------------------------- */

static void propose(struct call *c, uint64_t i, struct rng *r, struct proposal *p)
{
    struct evolution own, *e = evolution_open(c->study, c->past->seen, &own);
    size_t number = c->study->all_count + c->out->count;
    const struct population *to = population_of(e, number);
    if (!evolve(e, to, turn_of(e, to, number), c->untried.tried, r, p)) {
        sobol_draw(c->study, (uint32_t)i, &p->at);
        snprintf(p->reason, sizeof(p->reason),
                 "Sobol point %" PRIu64 ": %zu of the %zu individuals to begin with are known at "
                 "epoch %" PRId64 "%s", i + 1, to->count, to->size, to->epoch,
                 all_failed(to) ? ", and all failed" : "");
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
