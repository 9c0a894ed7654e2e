/* Random: independent draws, each from a stream of its own, so that a run's configuration
 * depends on its number alone and, in a finite space, on what was tried before: nothing is tried
 * twice. */
#include <inttypes.h>

#include "daemon/plan/search/search.h"
#include "daemon/plan/search/space.h"

#define DRAWS_UNTRIED 33
#define DRAWS_ALLOWED 1000

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
        draw(s, r, a);
        if (space_allows(s, a) ? n >= DRAWS_UNTRIED || !tried_has(tried, a) : n >= DRAWS_ALLOWED)
            break;
    }
    space_nearest(s, a);
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
        draw_new(st->space, untried.tried, &r, &a);
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
