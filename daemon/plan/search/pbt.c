/* Population-based training (Jaderberg et al. 2017): members train at once, each with its own
 * values; every `perturb` epochs the worst quarter gives way: it goes on from the checkpoint of one
 * of the best quarter, with values near that one's. Constants as Ray Tune has them. Here all
 * members wait for each other at an exchange, so that the same is exchanged at any number of
 * workers. From exchange to exchange a member is one run, which goes on from that of its own, or of
 * another member, of the generation before. */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/plan/search/search.h"
#include "daemon/plan/search/sobol.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/rng.h"

#define MEMBERS_LEAST 4
#define MEMBERS_MOST 500
#define GIVES_WAY 4 /* one of so many, and as many are followed */
#define ANEW 0.25   /* chance that a value is drawn anew */
#define UP 1.2
#define DOWN 0.8
#define TRIES 100 /* where constraints forbid some */
/* Beyond those of the other methods. */
#define STREAM UINT64_C(0x300000000)

static int64_t generations(const struct study *st)
{
    return (st->epochs + st->perturb - 1) / st->perturb;
}

/* --- the generation before ------------------------------------------------------------------- */

struct ranked {
    const struct trial *const *members; /* by number */
    bool maximize;
    uint32_t *order; /* best first */
    size_t count, living, followed;
};

/* Its checkpoint is there: it came to the exchange. */
static bool lives(const struct trial *t)
{
    return t->status == RUN_COMPLETED && trial_usable(t);
}

static int by_rank(const void *a, const void *b, void *arg)
{
    const struct ranked *g = arg;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const struct trial *x = g->members[i], *y = g->members[k];
    if (lives(x) != lives(y))
        return lives(x) ? -1 : 1;
    if (lives(x) && trial_better(x, y, g->maximize))
        return -1;
    if (lives(x) && trial_better(y, x, g->maximize))
        return 1;
    return i < k ? -1 : i > k;
}

static void rank(struct ranked *g, const struct study *st, const struct trial *const *members)
{
    size_t quarter = st->population / GIVES_WAY;
    *g = (struct ranked){.members = members, .maximize = st->maximize, .count = st->population};
    g->order = xcalloc(g->count, sizeof(*g->order));
    for (uint32_t i = 0; i < g->count; i++) {
        g->order[i] = i;
        g->living += lives(members[i]);
    }
    qsort_r(g->order, g->count, sizeof(*g->order), by_rank, g);
    g->followed = quarter < g->living ? quarter : g->living;
}

static size_t place_of(const struct ranked *g, size_t member)
{
    size_t i = 0;
    while (g->order[i] != member)
        i++;
    return i;
}

static bool gives_way(const struct ranked *g, size_t member)
{
    size_t place = place_of(g, member);
    return !lives(g->members[member]) ||
           (place >= g->followed && place >= g->count - g->count / GIVES_WAY);
}

/* --- values nearby --------------------------------------------------------------------------- */

static double neighbour(const struct dimension *d, double value, bool up)
{
    size_t k = 0;
    while (k + 1 < d->value_count && d->values[k] != value)
        k++;
    if (up)
        return d->values[k + 1 < d->value_count ? k + 1 : k];
    return d->values[k > 0 ? k - 1 : 0];
}

static double at_position(const struct dimension *d, double u)
{
    return dimension_value(d, fmin(fmax(u, 0), 1));
}

static double nearby(const struct dimension *d, double value, struct rng *r)
{
    bool up = rng_below(r, 2) == 1;
    if (d->distribution == DISTRIBUTION_CATEGORICAL)
        return neighbour(d, value, up);
    double low = dimension_value(d, 0), high = dimension_value(d, 1);
    double moved = fmin(fmax(value * (up ? UP : DOWN), low), high);
    double out = at_position(d, dimension_position(d, moved));
    uint64_t n = dimension_cardinality(d);
    if (n > 0 && out == value) /* a fifth of it is less than a step */
        out = at_position(d, dimension_position(d, value) + (up ? 1.0 : -1.0) / (double)n);
    return out;
}

static void explore_once(const struct space *s, const struct assignment *from, struct rng *r,
                         struct assignment *out)
{
    for (size_t i = 0; i < s->count; i++) {
        const struct dimension *d = &s->dimensions[i];
        bool anew = rng_uniform(r) < ANEW || !space_has(from, i);
        out->v[i] = anew ? dimension_value(d, rng_uniform(r)) : nearby(d, from->v[i], r);
    }
    space_complete(s, out);
}

static void explore(const struct space *s, const struct assignment *from, struct rng *r,
                    struct assignment *out)
{
    for (int n = 0; n < TRIES; n++) {
        explore_once(s, from, r, out);
        if (space_allows(s, out))
            return;
    }
    space_take(s, from, out);
}

/* --- proposals ------------------------------------------------------------------------------- */

static void begin(const struct study *st, size_t i, struct proposal *p, const char *why)
{
    sobol_draw(st, (uint32_t)i, &p->at);
    snprintf(p->reason, sizeof(p->reason), "member %zu of %zu begins: Sobol point %zu%s",
             i % st->population + 1, st->population, i + 1, why);
}

/* Member `member` in the generation behind those that are ranked. */
static void follow(const struct study *st, const struct ranked *g, size_t member, struct rng *r,
                   struct proposal *p)
{
    const struct trial *own = g->members[member];
    if (!gives_way(g, member)) {
        space_take(st->space, &own->at, &p->at);
        p->parent = own->number;
        snprintf(p->reason, sizeof(p->reason),
                 "member %zu goes on from its own run #%zu, %zu of %zu", member + 1, own->number,
                 place_of(g, member) + 1, g->count);
        return;
    }
    size_t place = rng_below(r, g->followed);
    const struct trial *donor = g->members[g->order[place]];
    explore(st->space, &donor->at, r, &p->at);
    p->parent = donor->number;
    snprintf(p->reason, sizeof(p->reason),
             "member %zu goes on from run #%zu, %zu of %zu, with values nearby: run #%zu %s",
             member + 1, donor->number, place + 1, g->count, own->number,
             lives(own) ? "is among the worst quarter" : "did not come to the exchange");
}

/* So many have ended, from there on. */
static bool all_ended(const struct study *st, size_t from, size_t count)
{
    for (size_t i = from; i < from + count; i++)
        if (!run_status_terminal(st->trials[i]->status))
            return false;
    return true;
}

static void propose(const struct study *st, const struct ranked *g, size_t i, struct proposal *p)
{
    size_t generation = i / st->population;
    int64_t until = (int64_t)(generation + 1) * st->perturb;
    struct rng r;
    rng_init(&r, st->seed, RNG_SEARCH, STREAM + i);
    *p = (struct proposal){.ground = TRIAL_NONE, .parent = TRIAL_NONE,
                           .until = until < st->epochs ? until : 0};
    snprintf(p->stage, sizeof(p->stage), "generation %zu", (generation + 1) % 10000000);
    if (g == NULL)
        begin(st, i, p, "");
    else if (g->living == 0)
        begin(st, i, p, ", for no member came to the last exchange");
    else
        follow(st, g, i % st->population, &r, p);
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    size_t size = st->population, generation = st->count / size, from = generation * size;
    size_t end = from + size < st->budget ? from + size : st->budget;
    struct ranked g = {0};
    if (generation >= (size_t)generations(st) || st->count >= end)
        return proposals_answer(out, st);
    if (generation > 0 && !all_ended(st, from - size, size))
        return ANSWER_WAIT;
    if (generation > 0)
        rank(&g, st, st->trials + from - size);
    out->begin_stage = st->count == from;
    for (size_t i = st->count; i < end && out->count < want; i++) {
        struct proposal p;
        propose(st, generation > 0 ? &g : NULL, i, &p);
        proposals_add(out, &p.at, p.stage, "%s", p.reason);
        out->items[out->count - 1].parent = p.parent;
        out->items[out->count - 1].until = p.until;
    }
    free(g.order);
    return proposals_answer(out, st);
}

static int check(const struct study *st, struct errbuf *err)
{
    char given[32];
    int64_t rounds = generations(st);
    bool few = st->population < MEMBERS_LEAST;
    if (!few && st->population <= MEMBERS_MOST)
        return 0;
    snprintf(given, sizeof(given), "%zu", st->run_cap);
    return err_bad(err, ERR_VALUE, "$.run_cap", given,
                   "%s %" PRId64 " with method pbt: %d members, each a run from exchange to "
                   "exchange, %" PRId64 " times (epochs / perturb)",
                   few ? "at least" : "at most", (few ? MEMBERS_LEAST : MEMBERS_MOST) * rounds,
                   few ? MEMBERS_LEAST : MEMBERS_MOST, rounds);
}

static void outline(const struct study *st, struct search_outline *out)
{
    char what[96];
    *out = (struct search_outline){.count = 1};
    snprintf(what, sizeof(what), "%zu members, %" PRId64 " generations of %" PRId64 " epochs",
             st->population, generations(st), st->perturb);
    outline_single(st, out, "pbt", what);
    out->stages[0].runs = (int64_t)st->population * generations(st);
}

const struct search_method search_pbt = {check, outline, ask};
