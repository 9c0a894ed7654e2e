/* Configurations by number, where conditions and constraints leave out some of the combinations:
 * places of all combinations are gone through, and those that are none are passed over in
 * blocks. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/space/expression.h"
#include "common/space/settle.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define DRAWS_MAX 10000 /* for one that is allowed, where they cannot be counted */

static bool is_structured(const struct space *s)
{
    return s->conditional || s->constraint_count > 0;
}

uint64_t space_places(const struct space *s, uint64_t frozen)
{
    uint64_t size = 1;

    for (size_t i = 0; i < s->count; i++) {
        if (frozen >> i & 1)
            continue;
        uint64_t n = dimension_cardinality(&s->dimensions[i]);
        if (n == 0 || size > UINT64_MAX / n)
            return UINT64_MAX;
        size *= n;
    }
    return size;
}

/* The values at that place. */
static void place_values(const struct space *s, uint64_t frozen, uint64_t place,
                         struct assignment *c)
{
    for (size_t k = s->count; k-- > 0;) {
        const struct dimension *d = &s->dimensions[k];
        if (frozen >> k & 1)
            continue;
        uint64_t n = dimension_cardinality(d);
        REQUIRE(n > 0);
        c->v[k] = dimension_nth(d, place % n);
        place /= n;
    }
}

/* Places from one value of the fastest of these dimensions to its next; 0: all are frozen. */
static uint64_t stride(const struct space *s, uint64_t frozen, uint64_t which)
{
    uint64_t places = 1;

    for (size_t k = s->count; k-- > 0;) {
        if (frozen >> k & 1)
            continue;
        if (which >> k & 1)
            return places;
        places *= dimension_cardinality(&s->dimensions[k]);
    }
    return 0;
}

/* How many places behind this one are for the same reason none; 1: this one alone, or none at all
 * is meant, and c is complete: *is. */
static uint64_t look(const struct space *s, uint64_t frozen, struct assignment *c, bool *is)
{
    uint64_t which = space_complete_places(s, frozen, c), widest = 0;

    *is = which == 0;
    if (which)
        return stride(s, frozen, which);
    for (size_t i = 0; i < s->constraint_count; i++) {
        if (constraint_holds(s->constraints[i], c))
            continue;
        uint64_t n = stride(s, frozen, s->constraints[i]->rests_on);
        *is = false;
        if (n == 0)
            return 0;
        widest = n > widest ? n : widest;
    }
    return *is ? 1 : widest;
}

uint64_t space_next(const struct space *s, uint64_t frozen, uint64_t place, struct assignment *c,
                    uint64_t *looks)
{
    uint64_t end = space_places(s, frozen);
    struct assignment given = *c;

    while (place < end && end < UINT64_MAX) {
        bool is = true;
        if (looks && *looks == 0)
            return UINT64_MAX;
        if (looks)
            --*looks;
        *c = given;
        place_values(s, frozen, place, c);
        uint64_t n = is_structured(s) ? look(s, frozen, c, &is) : 1;
        if (is)
            return place;
        if (n == 0 || place > UINT64_MAX - n)
            break;
        place = (place / n + 1) * n;
    }
    return UINT64_MAX;
}

uint64_t space_count(const struct space *s, uint64_t frozen, const struct assignment *at,
                     uint64_t limit)
{
    uint64_t end = space_places(s, frozen), count = 0, looks = 8 * limit + 1024, place = 0;
    struct assignment c = *at;

    if (!is_structured(s) || end == UINT64_MAX)
        return end < limit ? end : limit;
    while (count < limit) {
        c = *at;
        place = space_next(s, frozen, place, &c, &looks);
        if (place == UINT64_MAX)
            return looks > 0 ? count : limit; /* more than one cares to look at */
        count++;
        place++;
    }
    return count;
}

uint64_t space_size(const struct space *s, uint64_t frozen)
{
    return is_structured(s) && frozen == 0 && s->walk ? s->walk->size : space_places(s, frozen);
}

uint64_t space_place_of(const struct space *s, uint64_t i)
{
    struct assignment c = {{0}};
    uint64_t place;

    if (!is_structured(s))
        return i;
    REQUIRE(s->walk && i < s->walk->size && i / WALK_STRIDE < s->walk->mark_count);
    place = s->walk->marks[i / WALK_STRIDE];
    for (uint64_t k = 0; k < i % WALK_STRIDE; k++)
        place = space_next(s, 0, place + 1, &c, NULL);
    return place;
}

void space_nth(const struct space *s, uint64_t frozen, uint64_t i, struct assignment *c)
{
    if (!is_structured(s)) {
        place_values(s, frozen, i, c);
        return;
    }
    REQUIRE(frozen == 0);
    (void)space_next(s, 0, space_place_of(s, i), c, NULL);
}

/* --- counting --------------------------------------------------------------------------------- */

void walk_destroy(struct space_walk *w)
{
    if (w)
        free(w->marks);
    free(w);
}

static void count_all(const struct space *s, uint64_t looks, struct space_walk *w)
{
    struct assignment c = {{0}};
    size_t cap = 0;
    uint64_t place = 0, end = space_places(s, 0);

    w->size = UINT64_MAX;
    for (uint64_t n = 0; end < UINT64_MAX; n++, place++) {
        place = space_next(s, 0, place, &c, &looks);
        if (place == UINT64_MAX && looks > 0)
            w->size = n;
        if (place == UINT64_MAX)
            break;
        if (n == 0)
            w->witness = c;
        w->has_witness = true;
        if (n % WALK_STRIDE != 0)
            continue;
        w->marks = array_room(w->marks, &cap, w->mark_count, sizeof(*w->marks));
        w->marks[w->mark_count++] = place;
    }
}

/* --- one that is allowed ---------------------------------------------------------------------- */

static void draw(const struct space *s, struct rng *r, struct assignment *out)
{
    double u[SPACE_MAX_DIMENSIONS];

    for (size_t i = 0; i < s->count; i++)
        u[i] = rng_uniform(r);
    space_at(s, u, out);
}

/* The constraint that most of the draws did not fulfil, where none was allowed. */
static bool find_witness(const struct space *s, struct space_walk *w, size_t *worst)
{
    size_t failed[SPACE_MAX_CONSTRAINTS] = {0};
    struct assignment a;
    struct rng r;

    *worst = 0;
    rng_init(&r, 0, RNG_SEARCH, 0);
    for (int i = 0; i < DRAWS_MAX && !w->has_witness; i++) {
        draw(s, &r, &a);
        w->has_witness = space_allows(s, &a);
        for (size_t k = 0; k < s->constraint_count && !w->has_witness; k++)
            failed[k] += !constraint_holds(s->constraints[k], &a);
    }
    if (w->has_witness)
        w->witness = a;
    for (size_t k = 1; k < s->constraint_count; k++)
        if (failed[k] > failed[*worst])
            *worst = k;
    return w->has_witness;
}

static void rest_constraints(struct space *s)
{
    for (size_t i = 0; i < s->constraint_count; i++) {
        struct constraint *c = s->constraints[i];
        c->rests_on = c->uses;
        for (size_t k = 0; k < s->count; k++)
            if (c->uses >> k & 1)
                c->rests_on |= s->dimensions[k].rests_on;
    }
}

int space_settle(struct space *s, uint64_t looks, size_t *at, struct errbuf *err)
{
    size_t worst = 0;
    int rc = conditions_settle(s, at, err);

    walk_destroy(s->walk);
    s->walk = NULL;
    if (rc || !is_structured(s))
        return rc;
    rest_constraints(s);
    s->walk = xcalloc(1, sizeof(*s->walk));
    count_all(s, looks, s->walk);
    if (s->walk->has_witness || find_witness(s, s->walk, &worst))
        return 0;
    *at = s->count + worst;
    if (s->walk->size == 0)
        return err_bad(err, ERR_VALUE, "", s->constraints[worst]->text,
                       "constraints that leave something: none of the %llu combinations fulfils "
                       "them all, and most of them not this one",
                       (unsigned long long)space_places(s, 0));
    return err_bad(err, ERR_VALUE, "", s->constraints[worst]->text,
                   "constraints that leave something: of %d configurations drawn none fulfils them "
                   "all, and most of them not this one",
                   DRAWS_MAX);
}

/* From one that is allowed towards a, one dimension after the other: the whole way, or as far as
 * halves of it lead. */
static void approach(const struct space *s, const struct assignment *a, size_t i,
                     struct assignment *at)
{
    const struct dimension *d = &s->dimensions[i];
    struct assignment moved = *at;
    double from, to;

    moved.v[i] = a->v[i];
    space_complete(s, &moved);
    if (space_allows(s, &moved)) {
        *at = moved;
        return;
    }
    if (!dimension_ordered(d) || !space_has(at, i))
        return;
    from = dimension_position(d, at->v[i]);
    to = dimension_position(d, a->v[i]);
    for (int step = 0; step < 20; step++) {
        moved = *at;
        moved.v[i] = dimension_value(d, from + (to - from) / 2);
        space_complete(s, &moved);
        bool allowed = space_allows(s, &moved);
        if (allowed)
            *at = moved;
        *(allowed ? &from : &to) = from + (to - from) / 2;
    }
}

void space_nearest(const struct space *s, struct assignment *a)
{
    if (!s->walk || !s->walk->has_witness || space_allows(s, a))
        return;
    struct assignment at = s->walk->witness;
    for (size_t k = 0; k < s->count; k++) {
        size_t i = s->conditional ? s->order[k] : k;
        if (space_has(a, i) && at.v[i] != a->v[i])
            approach(s, a, i, &at);
    }
    *a = at;
}

void space_middle(const struct space *s, struct assignment *out)
{
    *out = (struct assignment){{0}};
    for (size_t i = 0; i < s->count; i++)
        out->v[i] = dimension_middle(&s->dimensions[i]);
    space_complete(s, out);
    space_nearest(s, out);
}
