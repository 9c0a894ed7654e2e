/* Random: independent draws, each from a stream of its own, so that a run's configuration
 * depends on its number alone and on the finite spaces' rule: no combination twice before all
 * were tried. */
#include <inttypes.h>
#include <stdio.h>

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
    *out = (struct search_outline){.count = 1};
    snprintf(out->stages[0].stage, sizeof(out->stages[0].stage), "random");
    out->stages[0].runs = (int64_t)(st->run_cap - st->kept);
    snprintf(out->stages[0].what, sizeof(out->stages[0].what), "independent draws, seed %" PRIu64,
             st->seed);
}

static void draw(const struct space *s, struct rng *r, struct assignment *a)
{
    *a = (struct assignment){{0}};
    for (size_t i = 0; i < s->count; i++)
        a->v[i] = dimension_value(&s->dimensions[i], rng_uniform(r));
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    if (st->count >= st->budget)
        return st->live > 0 ? ANSWER_WAIT : ANSWER_DONE;
    struct rounds rounds;
    rounds_init(&rounds, st);
    for (uint64_t i = st->count; i < st->budget && i < st->count + want; i++) {
        struct assignment a;
        struct rng r;
        rng_init(&r, st->seed, RNG_SEARCH, i);
        rounds_begin(&rounds, i);
        for (int attempt = 0; attempt == 0 || (attempt < 33 && tried_has(&rounds.tried, &a));
             attempt++)
            draw(st->space, &r, &a);
        rounds_take(&rounds, &r, &a);
        proposals_add(out, &a, "random", "draw %" PRIu64 " of %zu", i + 1, st->budget);
    }
    rounds_finish(&rounds);
    return ANSWER_RUNS;
}

const struct search_method search_random = {check, outline, ask};
