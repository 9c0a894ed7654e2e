/* Random: independent draws, each from a stream of its own, so that a run's configuration
 * depends on its number alone and, in a finite space, on what was tried before: nothing is tried
 * twice. */
#include <inttypes.h>

#include "daemon/plan/search/search.h"
#include "daemon/plan/search/space.h"

static int check(const struct study *st, struct errbuf *err)
{
    (void)st;
    (void)err;
    return 0;
}

static void outline(const struct study *st, struct search_outline *out)
{
    outline_single(st, out, "random", "independent draws");
}

static void draw(const struct space *s, struct rng *r, struct assignment *a)
{
    *a = (struct assignment){{0}};
    for (size_t i = 0; i < s->count; i++)
        a->v[i] = dimension_value(&s->dimensions[i], rng_uniform(r));
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    struct untried untried;
    if (st->count >= st->budget)
        return st->live > 0 ? ANSWER_WAIT : ANSWER_DONE;
    untried_init(&untried, st);
    for (uint64_t i = st->count; i < st->budget && i < st->count + want; i++) {
        struct assignment a;
        struct rng r;
        rng_init(&r, st->seed, RNG_SEARCH, i);
        for (int attempt = 0; attempt == 0 || (attempt < 33 && tried_has(untried.tried, &a));
             attempt++)
            draw(st->space, &r, &a);
        if (!untried_take(&untried, &r, &a)) {
            out->exhausted = true;
            break;
        }
        proposals_add(out, &a, "random", "draw %" PRIu64 " of %" PRIu64, i + 1,
                      search_runs(st, st->budget));
    }
    untried_finish(&untried);
    return proposals_answer(out, st);
}

const struct search_method search_random = {check, outline, ask};
