/* Random: independent draws, each from a stream of its own, so that a run's configuration
 * depends on its number alone and, in a finite space, on what was tried before: nothing is tried
 * twice. */
#include "daemon/plan/search/search.h"
#include "daemon/plan/search/space.h"

#define DRAWS_UNTRIED 33
#define DRAWS_ALLOWED 1000

static void outline(const struct study *st, struct search_outline *out)
{
    outline_single(st, out, "random", "independent draws");
}

static void draw_once(const struct space *s, struct rng *r, struct assignment *a)
{
    double u[SPACE_MAX_DIMENSIONS];
    for (size_t i = 0; i < s->count; i++)
        u[i] = rng_uniform(r);
    space_at(s, u, a);
}

/* Another draw where it was tried, or is not allowed: so what is allowed is drawn as the
 * distributions say. After too many of them the nearest must do. */
static void draw_new(const struct space *s, const struct tried *tried, struct rng *r,
                     struct assignment *a)
{
    for (int n = 1;; n++) {
        draw_once(s, r, a);
        if (space_allows(s, a) ? n >= DRAWS_UNTRIED || !tried_has(tried, a) : n >= DRAWS_ALLOWED)
            break;
    }
    space_nearest(s, a);
}

static void draw(const struct study *st, const struct tried *tried, uint64_t i, struct rng *r,
                 struct assignment *a)
{
    rng_init(r, st->seed, RNG_SEARCH, i);
    draw_new(st->space, tried, r, a);
}

static enum answer ask(const struct study *st, size_t want, struct proposals *out)
{
    return search_ask_draws(&(struct draws){"random", "draw", draw}, st, want, out);
}

const struct search_method search_random = {search_any, outline, ask};
