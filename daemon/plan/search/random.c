/* Random: independent draws, each from a stream of its own, so that a run's configuration
 * depends on its number alone and, in a finite space, on what was tried before: nothing is tried
 * twice. */
#include "daemon/plan/search/search.h"
#include "daemon/plan/search/space.h"

static void outline(const struct study *st, struct search_outline *out)
{
    outline_single(st, out, "random", "independent draws");
}

static void draw_once(const struct space *s, struct rng *r, struct assignment *a)
{
    *a = (struct assignment){{0}};
    for (size_t i = 0; i < s->count; i++)
        a->v[i] = dimension_value(&s->dimensions[i], rng_uniform(r));
}

static void draw(const struct study *st, const struct tried *tried, uint64_t i, struct rng *r,
                 struct assignment *a)
{
    rng_init(r, st->seed, RNG_SEARCH, i);
    for (int attempt = 0; attempt == 0 || (attempt < 33 && tried_has(tried, a)); attempt++)
        draw_once(st->space, r, a);
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    return search_ask_draws(&(struct draws){"random", "draw", draw}, st, want, out);
}

const struct search_method search_random = {search_any, outline, ask};
