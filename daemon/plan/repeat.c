#include "daemon/plan/repeat.h"

#include <stdlib.h>

#include "daemon/plan/search/space.h"
#include "sweep/buf.h"

/* The configurations, by the run that had each first. */
struct rounds {
    const struct study *study;
    size_t count;
    size_t *roots;   /* their numbers */
    uint64_t *times; /* by number: repeats of that run so far */
};

/* A run that a person has cancelled is not wanted again. */
static bool is_root(const struct trial *t, struct tried *tried)
{
    if (t->kind != RUN_KIND_SEARCH || t->status == RUN_CANCELLED)
        return false;
    return t->ground != 0 || tried_add(tried, &t->at);
}

static void rounds_init(struct rounds *r, const struct study *st)
{
    struct tried tried;
    *r = (struct rounds){.study = st,
                         .roots = xcalloc(st->all_count + 1, sizeof(*r->roots)),
                         .times = xcalloc(st->all_count + 1, sizeof(*r->times))};
    tried_init(&tried, st->space);
    for (size_t i = 0; i < st->all_count; i++) {
        const struct trial *t = st->all[i];
        if (is_root(t, &tried))
            r->roots[r->count++] = i;
        if (t->kind == RUN_KIND_REPEAT && t->parent < i)
            r->times[t->parent]++;
    }
    tried_finish(&tried);
}

static void rounds_finish(struct rounds *r)
{
    free(r->roots);
    free(r->times);
}

/* Of those that were repeated least, by number: how often, and how many they are. */
static size_t least(const struct rounds *r, uint64_t *times)
{
    size_t n = 0;
    *times = UINT64_MAX;
    for (size_t i = 0; i < r->count; i++)
        *times = r->times[r->roots[i]] < *times ? r->times[r->roots[i]] : *times;
    for (size_t i = 0; i < r->count; i++)
        n += r->times[r->roots[i]] == *times;
    return n;
}

/* Best first, ties by number. */
static int compare_roots(const void *a, const void *b, void *arg)
{
    const struct study *st = arg;
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    if (trial_better(st->all[x], st->all[y], st->maximize))
        return -1;
    if (trial_better(st->all[y], st->all[x], st->maximize))
        return 1;
    return (x > y) - (x < y);
}

void repeats_add(struct repeats *r, const struct repeat *item)
{
    r->items = array_room(r->items, &r->cap, r->count, sizeof(*r->items));
    r->items[r->count++] = *item;
}

static void propose(struct rounds *r, size_t number, struct repeats *out)
{
    repeats_add(out, &(struct repeat){.of = number, .repetition = ++r->times[number]});
}

/* At most so many of those that were repeated so often. */
static size_t propose_round(struct rounds *r, uint64_t times, size_t most, struct repeats *out)
{
    size_t n = 0;
    for (size_t i = 0; i < r->count && n < most; i++) {
        if (r->times[r->roots[i]] != times)
            continue;
        propose(r, r->roots[i], out);
        n++;
    }
    return n;
}

void repeats_finish(struct repeats *r)
{
    free(r->items);
    *r = (struct repeats){0};
}

enum answer repeats_next(const struct study *st, size_t want, struct repeats *out)
{
    struct rounds r;
    size_t had = st->all_count - st->skipped;
    size_t left = st->run_cap > had ? st->run_cap - had : 0;
    bool waits = false;
    rounds_init(&r, st);
    out->configurations = r.count;
    while (r.count > 0 && left > 0 && out->count < want && !waits) {
        uint64_t times;
        size_t n = least(&r, &times);
        waits = left < n && (st->live > 0 || out->count > 0);
        if (waits)
            break;
        if (left < n)
            qsort_r(r.roots, r.count, sizeof(*r.roots), compare_roots, (void *)(uintptr_t)st);
        size_t room = want - out->count;
        left -= propose_round(&r, times, left < room ? left : room, out);
    }
    rounds_finish(&r);
    if (out->count > 0)
        return ANSWER_RUNS;
    return st->live > 0 ? ANSWER_WAIT : ANSWER_DONE;
}
