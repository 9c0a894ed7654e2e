#include "daemon/plan/finalists.h"

#include <stdint.h>
#include <stdlib.h>

#include "daemon/plan/configurations.h"
#include "sweep/task.h"
#include "sweep/trainer.h"

/* The first round is as large as lets those that follow, each half as large, have place. */
static size_t first_round(size_t runs)
{
    size_t n = (runs + 2) / 2;
    n = n < FINALISTS_MAX ? n : FINALISTS_MAX;
    return n > 2 ? n : 2;
}

size_t finalists_round(size_t runs, size_t begun, size_t *of_round)
{
    size_t size = first_round(runs), before = 0;
    while (begun - before >= size) {
        before += size;
        size = size > 3 ? size / 2 : 2;
    }
    *of_round = begun - before;
    return size;
}

/* Several objectives have no single winner: each round is as large as the first. */
static size_t even_round(size_t runs, size_t begun, size_t *of_round)
{
    size_t size = first_round(runs);
    *of_round = begun % size;
    return size;
}

static bool is_same(const struct study *st, size_t a, size_t b)
{
    return st->all[a]->ground == st->all[b]->ground &&
           space_same(st->space, &st->all[a]->at, &st->all[b]->at);
}

/* A run that begins with another run's weights cannot be had again: they may be gone. */
static bool starts_anew(const struct trial *t)
{
    return t->config == NULL || t->config->start_from == 0;
}

/* What a person has run twice is one configuration: its first run stands for it. */
static bool is_there(const struct study *st, const struct configurations *c, size_t n,
                     size_t root)
{
    for (size_t i = 0; i < n; i++)
        if (is_same(st, c->items[i].root, root))
            return true;
    return false;
}

/* A configuration of which a run failed is out; after the first round so are those that were not in
 * it. */
static bool may_win(const struct study *st, const struct configuration *c, bool first)
{
    return c->failed == 0 && (first || c->seeds > 1) && starts_anew(st->all[c->root]);
}

static int compare_means(const void *a, const void *b, void *arg)
{
    const struct study *st = arg;
    return configuration_compare_means(a, b, st->maximize);
}

/* By mean, without those that are out: of very many runs few are left behind the first round. */
static void sort_by_mean(const struct study *st, struct configurations *c, bool first)
{
    size_t n = 0;
    for (size_t i = 0; i < c->count; i++)
        if (may_win(st, &c->items[i], first))
            c->items[n++] = c->items[i];
    c->count = n;
    qsort_r(c->items, n, sizeof(*c->items), compare_means, (void *)(uintptr_t)st);
}

/* The best `most`, by mean or by front, to the beginning. */
static size_t pick(const struct study *st, struct configurations *c, bool first, size_t most)
{
    size_t n = 0;
    if (st->objectives != NULL)
        configurations_by_front(c, st);
    else
        sort_by_mean(st, c, first);
    for (size_t i = 0; i < c->count && n < most; i++) {
        const struct configuration own = c->items[i];
        if (may_win(st, &own, first) && !is_there(st, c, n, own.root))
            c->items[n++] = own;
    }
    return n;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Runs that are left for it; a person's own may have taken some. */
static size_t left(const struct study *st, size_t begun)
{
    size_t all = st->run_cap + st->last;
    size_t had = st->all_count - st->skipped, unused = all > had ? all - had : 0;
    return least(unused, st->last > begun ? st->last - begun : 0);
}

enum answer finalists_next(const struct study *st, size_t begun, size_t want, struct repeats *out)
{
    struct configurations c;
    size_t of_round, size = st->objectives != NULL
                                ? even_round(st->last, begun, &of_round)
                                : finalists_round(st->last, begun, &of_round);
    if (st->live > 0)
        return ANSWER_WAIT;
    if (st->objectives != NULL) /* equal rows in the order of their means */
        configurations_init(&c, st);
    else
        configurations_gather(&c, st);
    out->configurations = c.count;
    size_t most = least(least(size - of_round, want), left(st, begun));
    size_t n = pick(st, &c, begun == of_round, most);
    for (size_t i = 0; i < n; i++)
        repeats_add(out, &(struct repeat){.of = c.items[i].root,
                                          .repetition = c.items[i].repeats + 1,
                                          .place = i + 1,
                                          .seeds = c.items[i].seeds,
                                          .mean = c.items[i].mean});
    configurations_finish(&c);
    return n > 0 ? ANSWER_RUNS : ANSWER_DONE;
}
