#include "daemon/plan/stop/ladder.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/pareto.h"
#include "daemon/plan/stop/by_stage.h"
#include "daemon/plan/stop/level.h"
#include "daemon/plan/stop/rank.h"
#include "sweep/buf.h"

enum state { STATE_WAITS, STATE_GOES_ON, STATE_GIVEN_UP };

/* Where a trial is. */
struct place {
    int64_t epoch; /* of its last rung that counts; 0: none yet */
    double cost;
    enum state state;
    /* when that was decided */
    size_t rank, of, best;
    double cutoff; /* cost */
    int64_t flush; /* time of the flush; -1: in none */
};

/* A trial on its way to a rung, or one that has been at it from that time on. */
struct stamp {
    size_t index;
    int64_t epoch, time;
};

/* First in, first out. */
struct stamps {
    size_t head, count, cap; /* items[head] … items[count - 1] */
    struct stamp *items;
};

struct ladder {
    int64_t time;
    size_t place_cap;
    struct place *places; /* by index of the trial */
    size_t level_count, level_cap;
    struct level *levels;
    struct stamps climbing, waiting;
    size_t flush_count, flush_cap;
    int64_t *flushes;
    int64_t flushed; /* the last that has ended */
};

struct ladder *ladder_create(void)
{
    struct ladder *l = xcalloc(1, sizeof(*l));
    l->flushed = -1;
    return l;
}

void ladder_destroy(struct ladder *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->level_count; i++)
        level_finish(&l->levels[i]);
    free(l->levels);
    free(l->places);
    free(l->climbing.items);
    free(l->waiting.items);
    free(l->flushes);
    free(l);
}

/* --- ground ---------------------------------------------------------------------------------- */

static void stamps_add(struct stamps *s, struct stamp item)
{
    if (s->head > 64 && s->head > s->count / 2) { /* what is gone leaves room */
        memmove(s->items, &s->items[s->head], (s->count - s->head) * sizeof(*s->items));
        s->count -= s->head;
        s->head = 0;
    }
    s->items = array_room(s->items, &s->cap, s->count, sizeof(*s->items));
    s->items[s->count++] = item;
}

static struct place *place_of(struct ladder *l, size_t index)
{
    if (index >= l->place_cap) {
        size_t cap = index + index / 2 + 64;
        l->places = xrealloc(l->places, cap * sizeof(*l->places));
        memset(&l->places[l->place_cap], 0, (cap - l->place_cap) * sizeof(*l->places));
        l->place_cap = cap;
    }
    return &l->places[index];
}

static size_t width_of(const struct study *st)
{
    return st->objectives != NULL ? st->objectives->count : 1;
}

static struct level *level_of(struct ladder *l, const struct study *st, const struct trial *t,
                              int64_t epoch)
{
    size_t bracket = stop_bracket(st->stop, t->number, t->epochs), group = stop_group(st, t);
    for (size_t i = 0; i < l->level_count; i++)
        if (l->levels[i].bracket == bracket && l->levels[i].group == group &&
            l->levels[i].epoch == epoch)
            return &l->levels[i];
    l->levels = array_room(l->levels, &l->level_cap, l->level_count, sizeof(*l->levels));
    struct level *fresh = &l->levels[l->level_count++];
    *fresh = (struct level){
        .bracket = bracket, .group = group, .epoch = epoch, .width = width_of(st)};
    return fresh;
}

static double cost_of(const struct study *st, double value)
{
    if (!isfinite(value))
        return INFINITY;
    return st->maximize ? -value : value;
}

/* --- who goes on ----------------------------------------------------------------------------- */

/* Of the trial with that index. */
static void decide(struct ladder *l, size_t index, const struct level *v, size_t best,
                   enum state state, int64_t flush)
{
    struct place *p = place_of(l, index);
    p->state = state;
    p->rank = level_rank(v, p->cost, index);
    p->of = v->count;
    p->best = best;
    p->cutoff = best > 0 ? v->entries[best - 1].cost : NAN;
    p->flush = flush;
}

static size_t best_share(const struct level *v, const struct study *st, size_t least)
{
    size_t best = (size_t)((double)v->count / st->stop->eta);
    return best < least && v->count >= least ? least : best;
}

/* The worst that goes on of group 0 at that rung; INFINITY: nobody does yet. */
static double cutoff_of_first(const struct ladder *l, const struct study *st,
                              const struct level *v)
{
    for (size_t i = 0; i < l->level_count; i++) {
        const struct level *first = &l->levels[i];
        size_t best = best_share(first, st, 0);
        if (first->group == 0 && first->bracket == v->bracket && first->epoch == v->epoch)
            return best > 0 ? first->entries[best - 1].cost : INFINITY;
    }
    return INFINITY;
}

/* Another group has one honest try, and more only of runs that would go on in the first too. */
static size_t best_of(const struct ladder *l, const struct level *v, const struct study *st,
                      size_t least)
{
    size_t best = best_share(v, st, least), n = 1;
    if (v->group == 0 || best < 2)
        return best;
    double cutoff = cutoff_of_first(l, st, v);
    while (n < best && v->entries[n].cost <= cutoff)
        n++;
    return n;
}

/* Those among the best that wait yet. True: there was one. */
static bool promote(struct ladder *l, const struct study *st, const struct level *v, size_t least,
                    int64_t flush)
{
    size_t best = best_of(l, v, st, least);
    bool any = false;
    for (size_t i = 0; i < best && isfinite(v->entries[i].cost); i++) {
        size_t index = v->entries[i].index;
        struct place *p = place_of(l, index);
        const struct trial *t = st->trials[index];
        if (p->epoch != v->epoch || p->state != STATE_WAITS)
            continue;
        decide(l, index, v, best, STATE_GOES_ON, flush);
        int64_t next = stop_next_rung(st->stop, t->number, v->epoch, t->epochs);
        if (next > 0)
            stamps_add(&l->climbing, (struct stamp){index, next, l->time});
        any = true;
    }
    return any;
}

static void give_up(struct ladder *l, const struct study *st, const struct stamp *s, int64_t flush)
{
    const struct place *p = place_of(l, s->index);
    if (p->epoch != s->epoch || p->state != STATE_WAITS)
        return;
    const struct level *v = level_of(l, st, st->trials[s->index], s->epoch);
    decide(l, s->index, v, best_of(l, v, st, flush >= 0), STATE_GIVEN_UP, flush);
}

/* --- time ------------------------------------------------------------------------------------ */

/* It is there, or will never be. */
static bool is_there(const struct study *st, const struct stamp *s)
{
    const struct trial *t = st->trials[s->index];
    return stop_rung_at(t, s->epoch) != NULL || stop_has_left(t);
}

/* NULL: it has ended on the way. */
static struct level *take_place(struct ladder *l, const struct study *st, const struct stamp *s)
{
    const struct trial *t = st->trials[s->index];
    const struct rung *r = stop_rung_at(t, s->epoch);
    if (r == NULL)
        return NULL;
    double costs[OBJECTIVES_MAX] = {cost_of(st, r->value)};
    if (st->objectives != NULL)
        pareto_costs_at(st->objectives, r, costs);
    *place_of(l, s->index) = (struct place){.epoch = s->epoch, .cost = costs[0], .flush = -1};
    struct level *v = level_of(l, st, t, s->epoch);
    level_add(v, costs, s->index);
    stamps_add(&l->waiting, (struct stamp){s->index, s->epoch, l->time});
    return v;
}

static void arrive(struct ladder *l, const struct study *st, const struct stamp *s)
{
    const struct level *v = take_place(l, st, s);
    if (v != NULL && v->group == 0) /* else its best is known when all have come: at a flush */
        (void)promote(l, st, v, 0, -1);
}

static bool is_due(const struct ladder *l, const struct study *st, size_t i)
{
    return i < l->climbing.count && l->climbing.items[i].time + st->stop->lag <= l->time;
}

/* One step: the next run comes to its first rung. False: not yet. */
static bool step(struct ladder *l, const struct study *st)
{
    if ((size_t)l->time >= st->count)
        return false;
    const struct trial *t = st->trials[l->time];
    struct stamp first = {(size_t)l->time,
                          stop_first_rung(st->stop, t->stage, t->number, t->epochs), l->time};
    if (first.epoch > 0 && !is_there(st, &first))
        return false;
    for (size_t i = l->climbing.head; is_due(l, st, i); i++)
        if (!is_there(st, &l->climbing.items[i]))
            return false;
    while (is_due(l, st, l->climbing.head)) {
        struct stamp due = l->climbing.items[l->climbing.head++];
        arrive(l, st, &due);
    }
    if (first.epoch > 0)
        arrive(l, st, &first);
    while (l->waiting.head < l->waiting.count &&
           l->waiting.items[l->waiting.head].time + LADDER_PATIENCE <= l->time)
        give_up(l, st, &l->waiting.items[l->waiting.head++], -1);
    l->time++;
    return true;
}

/* --- flushes --------------------------------------------------------------------------------- */

void ladder_flushed_at(struct ladder *l, int64_t time)
{
    for (size_t i = l->flush_count; i-- > 0;) /* mostly the last one */
        if (l->flushes[i] == time)
            return;
    l->flushes = array_room(l->flushes, &l->flush_cap, l->flush_count, sizeof(*l->flushes));
    l->flushes[l->flush_count++] = time;
}

static bool is_flushing(const struct ladder *l)
{
    for (size_t i = l->flush_count; i-- > 0 && l->flushed < l->time;)
        if (l->flushes[i] == l->time)
            return true;
    return false;
}

bool ladder_flush(struct ladder *l)
{
    if (is_flushing(l) || l->flushed >= l->time)
        return false;
    ladder_flushed_at(l, l->time);
    return true;
}

/* One round. False: somebody is on the way. */
static bool flush_round(struct ladder *l, const struct study *st)
{
    bool any = false;
    for (size_t i = l->climbing.head; i < l->climbing.count; i++)
        if (!is_there(st, &l->climbing.items[i]))
            return false;
    while (l->climbing.head < l->climbing.count) {
        struct stamp s = l->climbing.items[l->climbing.head++];
        (void)take_place(l, st, &s);
    }
    for (size_t i = 0; i < l->level_count; i++)
        any |= promote(l, st, &l->levels[i], 1, l->time);
    if (any)
        return true;
    while (l->waiting.head < l->waiting.count)
        give_up(l, st, &l->waiting.items[l->waiting.head++], l->time);
    l->flushed = l->time;
    return true;
}

void ladder_advance(struct ladder *l, const struct study *st)
{
    while (is_flushing(l) ? flush_round(l, st) : step(l, st))
        continue;
}

/* --- what is said of a run ------------------------------------------------------------------- */

static void say(const struct study *st, const struct trial *t, const struct place *p,
                struct rung_verdict *out)
{
    size_t brackets = stop_brackets(st->stop, t->epochs);
    bool many = st->objectives != NULL;
    char bracket[64] = "";
    char why[64] = "";
    if (p->state == STATE_GIVEN_UP && p->flush >= 0)
        snprintf(why, sizeof(why), ", and no other run is to come");
    else if (p->state == STATE_GIVEN_UP)
        snprintf(why, sizeof(why), ", and %d later runs have come", LADDER_PATIENCE);
    if (stop_group(st, t) > 0)
        snprintf(bracket, sizeof(bracket), " (of its optimizer)");
    if (brackets > 1)
        snprintf(bracket, sizeof(bracket), " (bracket %zu of %zu)",
                 stop_bracket(st->stop, t->number, t->epochs) + 1, brackets);
    snprintf(out->reason, sizeof(out->reason),
             "%s%.6g at epoch %" PRId64 " is %zu%s of %zu; the best %zu %s on%s%s",
             many ? "by place among the fronts: " : "",
             many ? (double)p->rank : t->rungs[t->rung_count - 1].value, p->epoch, p->rank,
             ordinal_suffix(p->rank), p->of, p->best, p->best == 1 ? "goes" : "go", why, bracket);
}

void ladder_decide(const struct ladder *l, const struct study *st, const struct trial *t,
                   struct rung_verdict *out)
{
    size_t index = stop_trials_before(st, (int64_t)t->number);
    *out = (struct rung_verdict){.verdict = VERDICT_WAIT, .flush = -1};
    if (index >= l->place_cap || t->rung_count == 0)
        return;
    const struct place *p = &l->places[index];
    if (p->epoch != t->rungs[t->rung_count - 1].epoch || p->state == STATE_WAITS)
        return;
    out->verdict = p->state == STATE_GOES_ON ? VERDICT_GO_ON : VERDICT_STOP;
    out->rank = p->rank;
    out->of = p->of;
    out->cutoff = st->maximize && st->objectives == NULL ? -p->cutoff : p->cutoff;
    out->probability = NAN;
    out->flush = p->flush;
    say(st, t, p, out);
}
