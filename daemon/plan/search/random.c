/* Random: independent draws, each from a stream of its own, so that a run's configuration
 * depends on its number alone and on the finite spaces' rule: no combination twice before all
 * were tried. */
#include <inttypes.h>
#include <stdio.h>

#include "daemon/plan/search/methods.h"
#include "daemon/plan/search/space.h"

static int check(const struct spec *s, struct errbuf *err)
{
    (void)s;
    (void)err;
    return 0;
}

static void outline(const struct spec *s, struct search_outline *out)
{
    *out = (struct search_outline){.count = 1};
    snprintf(out->stages[0].stage, sizeof(out->stages[0].stage), "random");
    out->stages[0].runs = s->run_cap - spec_treat_cap(s);
    snprintf(out->stages[0].what, sizeof(out->stages[0].what), "independent draws, seed %" PRIu64,
             s->seed);
}

static void draw(const struct spec *s, struct rng *r, struct settings *c)
{
    *c = s->fixed;
    for (size_t i = 0; i < s->dimension_count; i++)
        c->v[s->dimensions[i].setting] = dimension_value(&s->dimensions[i], rng_uniform(r));
}

/* A draw that was not tried in this round through a finite space. */
static void draw_new(const struct spec *s, uint64_t number, struct tried *t, struct settings *c)
{
    struct rng r;
    rng_init(&r, s->seed, RNG_SEARCH, number);
    draw(s, &r, c);
    for (int attempt = 0; attempt < 32 && tried_has(t, c); attempt++)
        draw(s, &r, c);
    if (tried_has(t, c)) {
        struct settings other;
        if (space_near(s, c, 0, t, &r, &other))
            *c = other;
    }
    (void)tried_add(t, c);
}

static void next(const struct spec *s, size_t budget, const struct trial *trials, size_t count,
                 struct proposals *out)
{
    uint64_t size = space_size(s, 0), total = budget;
    if (count >= total)
        return;
    struct tried t;
    tried_init(&t, s);
    /* Only the running round of a finite space has to be known. */
    size_t round_start = size < UINT64_MAX ? count - count % size : count;
    for (size_t i = round_start; i < count; i++)
        (void)tried_add(&t, &trials[i].settings);
    for (uint64_t i = count; i < total && i < count + SEARCH_BATCH_MAX; i++) {
        if (size < UINT64_MAX && i % size == 0) {
            tried_finish(&t);
            tried_init(&t, s);
        }
        struct settings c;
        draw_new(s, i, &t, &c);
        proposals_add(out, &c, "random", "draw %" PRIu64 " of %" PRIu64, i + 1, total);
    }
    tried_finish(&t);
}

const struct search_method search_random = {check, outline, next};
