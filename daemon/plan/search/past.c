#include "daemon/plan/search/past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/earlier.h"
#include "daemon/plan/search/memo.h"
#include "daemon/plan/stop/stop.h"
#include "sweep/buf.h"
#include "sweep/require.h"

void past_init(struct past *p, const struct space *space, bool maximize)
{
    *p = (struct past){.space = space, .maximize = maximize};
    axes_init(&p->axes, space);
    tried_init(&p->configurations, space);
}

void past_init_at(struct past *p, const struct space *space, bool maximize, int64_t epoch)
{
    past_init(p, space, maximize);
    p->epoch = epoch;
}

void past_finish(struct past *p)
{
    axes_finish(&p->axes);
    tried_finish(&p->configurations);
    free(p->items);
    free(p->places);
    free(p->ranking);
    *p = (struct past){0};
}

/* --- which runs speak ------------------------------------------------------------------------ */

static bool lies_in_space(const struct space *s, const struct assignment *at)
{
    for (size_t i = 0; i < s->count; i++)
        if (space_has(at, i) && !dimension_takes(&s->dimensions[i], at->v[i]))
            return false;
    return true;
}

bool past_speaks(const struct space *s, const struct trial *t)
{
    if (t->status == RUN_CANCELLED || (t->status == RUN_FAILED && !run_error_is_own(t->error)))
        return false;
    return t->ground == 0 && (t->kind != RUN_KIND_TREATMENT || lies_in_space(s, &t->at));
}

static enum outcome outcome_of_run(const struct trial *t)
{
    if (!trial_usable(t))
        return OUTCOME_FAILED;
    return t->status == RUN_COMPLETED ? OUTCOME_COMPLETED : OUTCOME_STOPPED;
}

static int64_t reach_of(const struct trial *t)
{
    return t->rung_count > 0 ? t->rungs[t->rung_count - 1].epoch : 0;
}

int past_compare(const struct trial *a, const struct trial *b, bool maximize)
{
    enum outcome x = outcome_of_run(a), y = outcome_of_run(b);
    if (x != y)
        return x < y ? -1 : 1;
    if (x == OUTCOME_FAILED)
        return 0;
    if (x == OUTCOME_STOPPED && reach_of(a) != reach_of(b))
        return reach_of(a) > reach_of(b) ? -1 : 1;
    return trial_better(b, a, maximize) - trial_better(a, b, maximize);
}

/* --- the ranking ----------------------------------------------------------------------------- */

static bool is_before(const struct past *p, uint32_t a, uint32_t b)
{
    const struct past_item *x = &p->items[a], *y = &p->items[b];
    if (x->outcome != y->outcome)
        return x->outcome < y->outcome;
    if (x->outcome == OUTCOME_STOPPED && x->reach != y->reach)
        return x->reach > y->reach;
    if (x->outcome != OUTCOME_FAILED && x->cost != y->cost)
        return x->cost < y->cost;
    return a < b;
}

/* Of the item in a ranking of `count` others; or where it is, when it is among them. */
static size_t rank_of(const struct past *p, size_t count, uint32_t item)
{
    size_t lo = 0, hi = count;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (is_before(p, p->ranking[mid], item))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void ranking_take(struct past *p, size_t count, uint32_t item)
{
    size_t at = rank_of(p, count, item);
    REQUIRE(at < count && p->ranking[at] == item);
    memmove(&p->ranking[at], &p->ranking[at + 1], (count - at - 1) * sizeof(*p->ranking));
}

static void ranking_put(struct past *p, size_t count, uint32_t item)
{
    size_t at = rank_of(p, count, item);
    memmove(&p->ranking[at + 1], &p->ranking[at], (count - at) * sizeof(*p->ranking));
    p->ranking[at] = item;
}

/* --- a run more ------------------------------------------------------------------------------ */

/* With most of its seeds. */
static enum outcome outcome_of(const struct past_item *item)
{
    if (item->failed > item->completed)
        return OUTCOME_FAILED;
    return item->completed > 0 ? OUTCOME_COMPLETED : OUTCOME_STOPPED;
}

/* What a run says. */
struct standing {
    enum outcome outcome;
    double value;
};

static struct standing standing_at_end(const struct trial *t)
{
    return (struct standing){outcome_of_run(t), t->metric_value};
}

/* False: it came to its end before that epoch, or beyond it without a stop there. */
static bool standing_at(const struct trial *t, int64_t epoch, struct standing *out)
{
    const struct rung *r = stop_rung_at(t, epoch);
    *out = standing_at_end(t);
    if (r != NULL)
        *out = (struct standing){isfinite(r->value) ? OUTCOME_COMPLETED : OUTCOME_FAILED, r->value};
    return r != NULL || out->outcome == OUTCOME_FAILED ||
           (out->outcome == OUTCOME_COMPLETED && t->epochs == epoch);
}

bool past_cost_at(const struct trial *t, int64_t epoch, bool maximize, double *cost)
{
    struct standing s;
    if (!standing_at(t, epoch, &s))
        return false;
    *cost = s.outcome == OUTCOME_FAILED ? INFINITY : maximize ? -s.value : s.value;
    return true;
}

static void book(const struct past *p, struct past_item *item, const struct trial *t,
                 const struct standing *s)
{
    double cost = p->maximize ? -s->value : s->value;
    item->failed += s->outcome == OUTCOME_FAILED;
    item->completed += s->outcome == OUTCOME_COMPLETED;
    item->sum += s->outcome == OUTCOME_COMPLETED ? cost : 0;
    if (s->outcome == OUTCOME_STOPPED) {
        item->stopped_cost = cost;
        item->reach = reach_of(t);
    }
    item->outcome = outcome_of(item);
    item->cost = item->outcome == OUTCOME_FAILED      ? NAN
                 : item->outcome == OUTCOME_COMPLETED ? item->sum / item->completed
                                                      : item->stopped_cost;
}

static void add_item(struct past *p, const struct assignment *at)
{
    size_t n = past_count(p), dimensions = p->space->count;
    if (n == p->cap) {
        p->cap = p->cap > 0 ? p->cap * 2 : 64;
        p->items = xrealloc(p->items, p->cap * sizeof(*p->items));
        p->places = xrealloc(p->places, p->cap * (dimensions + 1) * sizeof(*p->places));
        p->ranking = xrealloc(p->ranking, p->cap * sizeof(*p->ranking));
    }
    (void)tried_add(&p->configurations, at);
    p->items[n] = (struct past_item){.cost = NAN};
    axes_places(&p->axes, at, p->places + n * dimensions);
}

static void add_run(struct past *p, const struct trial *t)
{
    struct standing s = standing_at_end(t);
    if (!past_speaks(p->space, t) || (p->epoch > 0 && !standing_at(t, p->epoch, &s)))
        return;
    size_t item = tried_place(&p->configurations, &t->at);
    if (item == TRIED_NONE) {
        item = past_count(p);
        add_item(p, &t->at);
    } else {
        ranking_take(p, past_count(p), (uint32_t)item);
    }
    book(p, &p->items[item], t, &s);
    ranking_put(p, past_count(p) - 1, (uint32_t)item);
}

static void add_earlier(struct past *p, const struct earlier *earlier)
{
    p->earlier = earlier;
    for (size_t i = 0; i < earlier_count(earlier); i++)
        add_run(p, earlier->trials[i]);
}

void past_begin_at(struct past *p, const struct study *st, int64_t epoch)
{
    past_init_at(p, st->space, st->maximize, epoch);
    add_earlier(p, st->earlier);
}

void past_begin(struct past *p, const struct study *st)
{
    past_begin_at(p, st, 0);
}

bool past_see(struct past *p, const struct study *st, size_t number)
{
    size_t below = number > st->lag ? number - st->lag : 0;
    if (p->seen > below) { /* what was proposed has come to nothing: back to before it */
        struct past old = *p;
        past_finish(p);
        past_init_at(p, old.space, old.maximize, old.epoch);
        add_earlier(p, old.earlier);
    }
    for (; p->seen < below; p->seen++) {
        if (p->seen == st->all_count || !run_status_terminal(st->all[p->seen]->status))
            return false;
        add_run(p, st->all[p->seen]);
    }
    return true;
}

/* --- of a study ------------------------------------------------------------------------------ */

static void past_destroy(void *data)
{
    past_finish(data);
    free(data);
}

struct past *past_open(const struct study *st, struct past *own)
{
    struct past *p = st->memo != NULL ? memo_get(st->memo, MEMO_PAST) : own;
    if (p == NULL) {
        p = xcalloc(1, sizeof(*p));
        memo_keep(st->memo, MEMO_PAST, p, past_destroy);
        past_begin(p, st);
    }
    if (p == own)
        past_begin(p, st);
    return p;
}

void past_close(struct past *p, struct past *own)
{
    if (p == own)
        past_finish(own);
}

size_t past_pending(const struct past *p, const struct study *st, const struct proposals *asked,
                    double *out)
{
    size_t n = 0, dimensions = p->space->count;
    for (size_t i = p->seen; i < st->all_count; i++)
        if (st->all[i]->ground == 0 && st->all[i]->kind != RUN_KIND_REPEAT)
            axes_places(&p->axes, &st->all[i]->at, out + n++ * dimensions);
    for (size_t i = 0; i < asked->count; i++)
        if (st->all_count + i >= p->seen)
            axes_places(&p->axes, &asked->items[i].at, out + n++ * dimensions);
    return n;
}
