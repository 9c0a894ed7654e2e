#include "daemon/plan/search/past.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/earlier.h"
#include "daemon/plan/pareto.h"
#include "daemon/plan/search/memo.h"
#include "daemon/plan/stop/stop.h"
#include "sweep/buf.h"
#include "sweep/require.h"

/* So many are ranked by all objectives, and the best half of them stays when there are more: what a
 * proposal costs does not grow with the sweep. Who stays follows from the runs alone. */
#define ELITE_MAX 512

/* What each item came to in all of them. */
struct past_objectives {
    struct objectives of;
    double *sums;     /* [items][objectives]: of the costs of completed runs */
    double *stopped;  /* so too, of the last one that was stopped */
    uint32_t *ranking; /* as past_rank last made it */
    double *cost;     /* [items]: so too; INFINITY: it is not weighed */
    size_t elite_count; /* items that are weighed: all at first, of very many the best */
    uint32_t elite[ELITE_MAX];
};

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

static void past_judge_by(struct past *p, const struct objectives *o)
{
    if (o == NULL)
        return;
    p->many = xcalloc(1, sizeof(*p->many));
    p->many->of = *o;
}

void past_finish(struct past *p)
{
    axes_finish(&p->axes);
    tried_finish(&p->configurations);
    free(p->items);
    free(p->places);
    free(p->by_cost);
    if (p->many != NULL) {
        free(p->many->sums);
        free(p->many->stopped);
        free(p->many->ranking);
        free(p->many->cost);
        free(p->many);
    }
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
        if (is_before(p, p->by_cost[mid], item))
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void ranking_take(struct past *p, size_t count, uint32_t item)
{
    size_t at = rank_of(p, count, item);
    REQUIRE(at < count && p->by_cost[at] == item);
    memmove(&p->by_cost[at], &p->by_cost[at + 1], (count - at - 1) * sizeof(*p->by_cost));
}

static void ranking_put(struct past *p, size_t count, uint32_t item)
{
    size_t at = rank_of(p, count, item);
    memmove(&p->by_cost[at + 1], &p->by_cost[at], (count - at) * sizeof(*p->by_cost));
    p->by_cost[at] = item;
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

static void grow_objectives(struct past *p)
{
    struct past_objectives *m = p->many;
    if (m == NULL)
        return;
    m->sums = xrealloc(m->sums, p->cap * m->of.count * sizeof(*m->sums));
    m->stopped = xrealloc(m->stopped, p->cap * m->of.count * sizeof(*m->stopped));
    m->ranking = xrealloc(m->ranking, p->cap * sizeof(*m->ranking));
    m->cost = xrealloc(m->cost, p->cap * sizeof(*m->cost));
}

/* What the run came to in all objectives, beside what book notes of it. */
static void book_objectives(struct past *p, size_t item, const struct trial *t,
                            enum outcome outcome)
{
    struct past_objectives *m = p->many;
    double costs[OBJECTIVES_MAX];
    if (m == NULL || outcome == OUTCOME_FAILED)
        return;
    pareto_costs(&m->of, t, costs);
    for (size_t i = 0; i < m->of.count; i++) {
        double *own = (outcome == OUTCOME_COMPLETED ? m->sums : m->stopped) + item * m->of.count;
        own[i] = outcome == OUTCOME_COMPLETED ? own[i] + costs[i] : costs[i];
    }
}

static void add_item(struct past *p, const struct assignment *at)
{
    size_t n = past_count(p), dimensions = p->space->count;
    if (n == p->cap) {
        p->cap = p->cap > 0 ? p->cap * 2 : 64;
        p->items = xrealloc(p->items, p->cap * sizeof(*p->items));
        p->places = xrealloc(p->places, p->cap * (dimensions + 1) * sizeof(*p->places));
        p->by_cost = xrealloc(p->by_cost, p->cap * sizeof(*p->by_cost));
        p->ranking = p->by_cost;
        grow_objectives(p);
    }
    (void)tried_add(&p->configurations, at);
    p->items[n] = (struct past_item){.cost = NAN};
    if (p->many != NULL)
        memset(p->many->sums + n * p->many->of.count, 0,
               p->many->of.count * sizeof(*p->many->sums));
    axes_places(&p->axes, at, p->places + n * dimensions);
}

/* Of the elite that did not fail: their means, or where they were stopped. Returns how many. */
static size_t gather(const struct past *p, uint32_t *items, double *costs)
{
    const struct past_objectives *m = p->many;
    size_t n = 0;
    for (size_t e = 0; e < m->elite_count; e++) {
        size_t i = m->elite[e];
        const struct past_item *item = &p->items[i];
        bool ended = item->outcome == OUTCOME_COMPLETED;
        if (item->outcome == OUTCOME_FAILED)
            continue;
        for (size_t k = 0; k < m->of.count; k++)
            costs[n * m->of.count + k] = ended ? m->sums[i * m->of.count + k] / item->completed
                                               : m->stopped[i * m->of.count + k];
        items[n++] = (uint32_t)i;
    }
    return n;
}

/* A new item, with its first run. */
static void join_elite(struct past *p, uint32_t item)
{
    struct past_objectives *m = p->many;
    uint32_t items[ELITE_MAX];
    struct pareto q;
    if (m == NULL)
        return;
    if (m->elite_count == ELITE_MAX) {
        double *costs = xcalloc(ELITE_MAX * m->of.count, sizeof(*costs));
        size_t usable = gather(p, items, costs);
        pareto_init(&q, costs, usable, m->of.count);
        m->elite_count = usable < ELITE_MAX / 2 ? usable : ELITE_MAX / 2;
        for (size_t i = 0; i < m->elite_count; i++)
            m->elite[i] = items[q.order[i]];
        pareto_finish(&q);
        free(costs);
    }
    m->elite[m->elite_count++] = item;
}

static void add_run(struct past *p, const struct trial *t)
{
    struct standing s = standing_at_end(t);
    if (!past_speaks(p->space, t) || (p->epoch > 0 && !standing_at(t, p->epoch, &s)))
        return;
    size_t item = tried_place(&p->configurations, &t->at);
    bool is_new = item == TRIED_NONE;
    if (is_new) {
        item = past_count(p);
        add_item(p, &t->at);
    } else {
        ranking_take(p, past_count(p), (uint32_t)item);
    }
    book(p, &p->items[item], t, &s);
    book_objectives(p, item, t, s.outcome);
    if (is_new)
        join_elite(p, (uint32_t)item);
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
    past_judge_by(p, st->objectives);
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
        struct objectives objectives = old.many != NULL ? old.many->of : (struct objectives){0};
        past_finish(p);
        past_init_at(p, old.space, old.maximize, old.epoch);
        past_judge_by(p, objectives.count > 0 ? &objectives : NULL);
        add_earlier(p, old.earlier);
    }
    for (; p->seen < below; p->seen++) {
        if (p->seen == st->all_count || !run_status_terminal(st->all[p->seen]->status))
            return false;
        add_run(p, st->all[p->seen]);
    }
    return true;
}

/* --- several objectives: the ranking --------------------------------------------------------- */

static int compare_weighed(const void *a, const void *b, void *arg)
{
    const struct past *p = arg;
    uint32_t i = *(const uint32_t *)a, k = *(const uint32_t *)b;
    const struct past_item *x = &p->items[i], *y = &p->items[k];
    double u = p->many->cost[i], v = p->many->cost[k];
    if (x->outcome != y->outcome)
        return x->outcome < y->outcome ? -1 : 1;
    if (x->outcome == OUTCOME_STOPPED && x->reach != y->reach)
        return x->reach > y->reach ? -1 : 1;
    if (x->outcome != OUTCOME_FAILED && u != v)
        return u < v ? -1 : 1;
    return (i > k) - (i < k);
}

/* By fronts where there are no weights, else by these. */
static void rank_by(const struct past *p, const double *costs, size_t count, const double *weights,
                    double *out)
{
    struct pareto q;
    if (weights != NULL) {
        pareto_scalarise(costs, count, p->many->of.count, weights, out);
        return;
    }
    pareto_init(&q, costs, count, p->many->of.count);
    for (size_t i = 0; i < count; i++)
        out[q.order[i]] = (double)i;
    pareto_finish(&q);
}

/* Behind the elite the others as they are by the metric: those that failed last of all. */
void past_rank(struct past *p, const double *weights)
{
    struct past_objectives *m = p->many;
    uint32_t items[ELITE_MAX];
    double one[ELITE_MAX];
    size_t n = past_count(p);
    if (m == NULL || n == 0)
        return;
    double *costs = xcalloc(ELITE_MAX * m->of.count, sizeof(*costs));
    size_t usable = gather(p, items, costs), at = usable;
    rank_by(p, costs, usable, weights, one);
    for (size_t i = 0; i < n; i++)
        m->cost[i] = INFINITY;
    for (size_t i = 0; i < usable; i++)
        m->cost[items[i]] = one[i];
    memcpy(m->ranking, items, usable * sizeof(*items));
    qsort_r(m->ranking, usable, sizeof(*m->ranking), compare_weighed, p);
    for (size_t i = 0; i < n; i++)
        if (isinf(m->cost[p->by_cost[i]]))
            m->ranking[at++] = p->by_cost[i];
    p->ranking = m->ranking;
    free(costs);
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
