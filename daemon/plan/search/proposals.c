#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/search/search.h"
#include "daemon/plan/search/space.h"
#include "sweep/buf.h"

void proposals_add(struct proposals *p, const struct assignment *at, const char *stage,
                   const char *reason_fmt, ...)
{
    p->items = array_room(p->items, &p->cap, p->count, sizeof(*p->items));
    struct proposal *item = &p->items[p->count++];
    char reason[512];
    va_list ap;
    va_start(ap, reason_fmt);
    vsnprintf(reason, sizeof(reason), reason_fmt, ap);
    va_end(ap);
    *item = (struct proposal){.at = *at, .ground = TRIAL_NONE, .parent = TRIAL_NONE};
    str_copy(item->stage, sizeof(item->stage), stage);
    str_copy(item->reason, sizeof(item->reason), reason);
}

void proposals_finish(struct proposals *p)
{
    free(p->items);
    *p = (struct proposals){0};
}

uint64_t search_runs(const struct study *st, size_t runs)
{
    uint64_t size = space_size(st->space, 0);
    return size < runs ? size : runs;
}

void outline_single(const struct study *st, struct search_outline *out, const char *stage,
                    const char *what)
{
    size_t share = st->run_cap - st->kept;
    uint64_t runs = search_runs(st, share);
    *out = (struct search_outline){.count = 1};
    out->stages[0].runs = (int64_t)runs;
    str_copy(out->stages[0].stage, sizeof(out->stages[0].stage), stage);
    snprintf(out->stages[0].what, sizeof(out->stages[0].what), "%s, seed %" PRIu64, what, st->seed);
    size_t len = strlen(out->stages[0].what);
    if (runs < share)
        snprintf(out->stages[0].what + len, sizeof(out->stages[0].what) - len,
                 "; the space has only %" PRIu64 " configurations", runs);
}

enum answer proposals_answer(const struct proposals *p, const struct study *st)
{
    if (p->count > 0)
        return ANSWER_RUNS;
    return st->live > 0 ? ANSWER_WAIT : ANSWER_DONE;
}

int search_any(const struct study *st, struct errbuf *err)
{
    (void)st;
    (void)err;
    return 0;
}

enum answer search_ask_draws(const struct draws *d, const struct study *st, size_t want,
                             struct proposals *out)
{
    struct untried untried;
    if (st->count >= st->budget)
        return proposals_answer(out, st);
    untried_init(&untried, st);
    for (uint64_t i = st->count; i < st->budget && i < st->count + want; i++) {
        struct assignment a;
        struct rng r;
        d->draw(st, untried.tried, i, &r, &a);
        if (!untried_take(&untried, &r, &a)) {
            out->exhausted = true;
            break;
        }
        proposals_add(out, &a, d->stage, "%s %" PRIu64 " of %" PRIu64, d->word, i + 1,
                      search_runs(st, st->budget));
    }
    untried_finish(&untried);
    return proposals_answer(out, st);
}
