#include "daemon/plan/search/space.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/plan/search/memo.h"
#include "sweep/buf.h"
#include "sweep/require.h"

/* --- tried ----------------------------------------------------------------------------------- */

void tried_init(struct tried *t, const struct space *s)
{
    *t = (struct tried){.space = s, .slot_count = 64};
    t->slots = xcalloc(t->slot_count, sizeof(*t->slots));
}

void tried_finish(struct tried *t)
{
    free(t->keys);
    free(t->slots);
    *t = (struct tried){0};
}

static void key_of(const struct space *s, const struct assignment *c, double *key)
{
    for (size_t i = 0; i < s->count; i++)
        key[i] = space_has(c, i) ? c->v[i] + 0.0 : NAN; /* -0 becomes 0; one NAN for all */
}

static uint64_t key_hash(const double *key, size_t count)
{
    uint64_t h = 0xcbf29ce484222325u; /* FNV-1a over 64-bit words, mixed at the end */
    for (size_t i = 0; i < count; i++) {
        uint64_t bits;
        memcpy(&bits, &key[i], sizeof(bits));
        h = (h ^ bits) * 0x100000001b3u;
        h ^= h >> 29;
    }
    return h * 0x9e3779b97f4a7c15u >> 16;
}

/* The slot that holds the key, or the free one where it belongs. */
static size_t slot_find(const struct tried *t, const double *key)
{
    size_t n = t->space->count;
    size_t i = key_hash(key, n) & (t->slot_count - 1);
    while (t->slots[i] != 0 &&
           memcmp(t->keys + (size_t)(t->slots[i] - 1) * n, key, n * sizeof(*key)) != 0)
        i = (i + 1) & (t->slot_count - 1);
    return i;
}

static void tried_grow(struct tried *t)
{
    size_t n = t->space->count;
    t->slot_count *= 2;
    free(t->slots);
    t->slots = xcalloc(t->slot_count, sizeof(*t->slots));
    for (size_t i = 0; i < t->count; i++)
        t->slots[slot_find(t, t->keys + i * n)] = (uint32_t)(i + 1);
}

bool tried_has(const struct tried *t, const struct assignment *c)
{
    double key[SPACE_MAX_DIMENSIONS];
    key_of(t->space, c, key);
    return t->slots[slot_find(t, key)] != 0;
}

bool tried_add(struct tried *t, const struct assignment *c)
{
    size_t n = t->space->count;
    double key[SPACE_MAX_DIMENSIONS];
    key_of(t->space, c, key);
    size_t slot = slot_find(t, key);
    if (t->slots[slot] != 0)
        return false;
    if (t->count == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->keys = xrealloc(t->keys, t->cap * (n ? n : 1) * sizeof(*t->keys));
    }
    memcpy(t->keys + t->count * n, key, n * sizeof(*key));
    t->slots[slot] = (uint32_t)++t->count;
    if (t->count * 2 > t->slot_count)
        tried_grow(t);
    return true;
}

size_t tried_place(const struct tried *t, const struct assignment *c)
{
    double key[SPACE_MAX_DIMENSIONS];
    key_of(t->space, c, key);
    uint32_t place = t->slots[slot_find(t, key)];
    return place != 0 ? place - 1 : TRIED_NONE;
}

/* The last one added lies behind no other on its way: its slot may become free. */
void tried_truncate(struct tried *t, size_t count)
{
    while (t->count > count) {
        t->count--;
        t->slots[slot_find(t, t->keys + t->count * t->space->count)] = 0;
    }
}

/* --- the space ------------------------------------------------------------------------------- */

double space_tidy(const struct dimension *d, double value)
{
    char text[32];
    snprintf(text, sizeof(text), "%.3g", value);
    value = strtod(text, NULL);
    return fmin(fmax(value, d->min), d->max);
}

static int compare_doubles(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Listed values: neighbours are next in size for numbers, next in the list for choices. */
static bool move_listed(const struct dimension *d, double from, int steps, double *out)
{
    double values[SPACE_MAX_VALUES];
    size_t n = d->value_count < SPACE_MAX_VALUES ? d->value_count : SPACE_MAX_VALUES;
    memcpy(values, d->values, n * sizeof(*values));
    if (dimension_ordered(d))
        qsort(values, n, sizeof(*values), compare_doubles);
    for (size_t i = 0; i < n; i++) {
        if (values[i] != from)
            continue;
        int64_t to = (int64_t)i + steps;
        if (to < 0 || to >= (int64_t)n)
            return false;
        *out = values[to];
        return true;
    }
    return false;
}

/* Evenly numbered values (integers, steps of q), ascending. */
static bool move_countable(const struct dimension *d, double from, int steps, double spacing,
                           double *out)
{
    uint64_t n = dimension_cardinality(d), lo = 0, hi = n - 1;
    while (lo < hi) { /* first value >= from */
        uint64_t mid = lo + (hi - lo) / 2;
        if (dimension_nth(d, mid) < from)
            lo = mid + 1;
        else
            hi = mid;
    }
    double unit = fmax(1, floor((double)n * spacing / 8));
    double to = (double)lo + steps * unit;
    if (to < 0 || to > (double)(n - 1))
        return false;
    *out = dimension_nth(d, (uint64_t)to);
    return true;
}

bool space_is_rate(const struct dimension *d)
{
    if (!dimension_ordered(d))
        return false;
    if (d->distribution != DISTRIBUTION_CATEGORICAL)
        return d->min > 0 && (distribution_shape(d->distribution) == SHAPE_EVEN ||
                              distribution_is_log(d->distribution));
    for (size_t i = 0; i < d->value_count; i++)
        if (!(d->values[i] > 0))
            return false;
    return true;
}

static bool move_continuous(const struct dimension *d, double from, int steps, double spacing,
                            double *out)
{
    double to;
    if (d->role == ROLE_LEARNING_RATE && space_is_rate(d)) {
        to = from * pow(10, steps * spacing);
        /* Rounded rates drift (0.00316 × 10^0.5 = 0.00999): back to 10^(k/16) where that is near,
         * so that steps to and fro meet instead of trying almost the same rate twice. */
        double grid = pow(10, round(log10(to) * 16) / 16);
        if (fabs(grid / to - 1) < 0.02)
            to = grid;
        if (to < d->min * (1 - 1e-9) || to > d->max * (1 + 1e-9))
            return false;
    } else {
        double u = dimension_position(d, from) + steps * spacing / 2;
        if (u < -1e-9 || u > 1 + 1e-9)
            return false;
        to = dimension_value(d, fmin(fmax(u, 0), 1));
    }
    *out = space_tidy(d, to);
    return true;
}

bool space_move(const struct dimension *d, double from, int steps, double spacing, double *out)
{
    if (d->distribution == DISTRIBUTION_CATEGORICAL)
        return move_listed(d, from, steps, out);
    if (dimension_cardinality(d) > 0)
        return move_countable(d, from, steps, spacing, out);
    return move_continuous(d, from, steps, spacing, out);
}

/* --- the nearest untried --------------------------------------------------------------------- */

#define LOOKS_MAX ((uint64_t)1 << 20) /* combinations that conditions and constraints leave out */
#define NEAR_SPACING 0.125 /* decades of a learning rate, 1/16 of another range */

/* Complete, it is one that may be tried. */
static bool is_new(const struct space *s, const struct tried *t, struct assignment *a)
{
    space_complete(s, a);
    return space_allows(s, a) && !tried_has(t, a);
}

static bool near_neighbour(const struct space *s, const struct assignment *base, uint64_t frozen,
                           const struct tried *t, struct assignment *out)
{
    for (int distance = 1; distance <= 3; distance++) {
        for (size_t i = 0; i < s->count; i++) {
            const struct dimension *d = &s->dimensions[i];
            bool moves = !(frozen >> i & 1) && space_has(base, i);
            for (int sign = 1; sign >= -1 && moves; sign -= 2) {
                *out = *base;
                if (space_move(d, base->v[i], sign * distance, NEAR_SPACING, &out->v[i]) &&
                    is_new(s, t, out))
                    return true;
            }
        }
    }
    return false;
}

static bool near_wider(const struct space *s, const struct assignment *base, uint64_t frozen,
                       const struct tried *t, struct rng *r, struct assignment *out)
{
    for (int attempt = 0; attempt < 32; attempt++) {
        *out = *base;
        for (size_t i = 0; i < s->count; i++) {
            const struct dimension *d = &s->dimensions[i];
            uint64_t reach = 1 + (uint64_t)attempt / 8;
            int steps = (int)rng_below(r, 2 * reach + 1) - (int)reach;
            if (!(frozen >> i & 1) && steps != 0 && space_has(base, i))
                (void)space_move(d, base->v[i], steps, NEAR_SPACING * 2, &out->v[i]);
        }
        if (is_new(s, t, out))
            return true;
    }
    return false;
}

/* From place `start` on, around the end: of t->count + 1 different ones one is new, or all were
 * tried. */
static bool near_place(const struct space *s, const struct assignment *base, uint64_t frozen,
                       const struct tried *t, uint64_t start, struct assignment *out)
{
    uint64_t place = start, looks = LOOKS_MAX + t->count;
    bool around = false;
    for (size_t seen = 0; seen <= t->count; place++) {
        *out = *base;
        place = space_next(s, frozen, place, out, &looks);
        if (place == UINT64_MAX && (around || looks == 0))
            return false;
        if (place == UINT64_MAX) {
            around = true; /* and on with place 0 */
            continue;
        }
        if (around && place >= start)
            return false;
        if (!tried_has(t, out))
            return true;
        seen++;
    }
    return false;
}

static bool near_any(const struct space *s, const struct assignment *base, uint64_t frozen,
                     const struct tried *t, struct rng *r, struct assignment *out)
{
    uint64_t places = space_places(s, frozen);
    *out = *base;
    if (places < UINT64_MAX)
        return near_place(s, base, frozen, t, rng_below(r, places), out);
    for (int attempt = 0; attempt < 256; attempt++) {
        for (size_t i = 0; i < s->count; i++) {
            const struct dimension *d = &s->dimensions[i];
            double u = rng_uniform(r);
            if (!(frozen >> i & 1))
                out->v[i] = dimension_value(d, u);
        }
        if (is_new(s, t, out))
            return true;
    }
    return false;
}

bool space_near(const struct space *s, const struct assignment *base, uint64_t frozen,
                const struct tried *t, struct rng *r, struct assignment *out)
{
    return near_neighbour(s, base, frozen, t, out) ||
           near_wider(s, base, frozen, t, r, out) || near_any(s, base, frozen, t, r, out);
}

/* --- what was not tried yet ------------------------------------------------------------------ */

void tried_add_all(struct tried *t, const struct study *st, size_t from)
{
    for (size_t i = from; i < st->all_count; i++)
        if (st->all[i]->kind != RUN_KIND_TREATMENT || st->all[i]->ground == 0)
            (void)tried_add(t, &st->all[i]->at);
}

/* Of the runs below a number, kept between asks. */
struct tried_before {
    struct tried tried;
    size_t number;
};

static void tried_before_destroy(void *data)
{
    struct tried_before *b = data;
    tried_finish(&b->tried);
    free(b);
}

static struct tried *tried_before(const struct study *st)
{
    struct tried_before *b = memo_get(st->memo, MEMO_TRIED);
    if (b == NULL) {
        b = xcalloc(1, sizeof(*b));
        tried_init(&b->tried, st->space);
        memo_keep(st->memo, MEMO_TRIED, b, tried_before_destroy);
    }
    tried_add_all(&b->tried, st, b->number);
    b->number = st->all_count;
    return &b->tried;
}

/* In a space without end too: children of the same parents, draws at the ends of a range and
 * branches of a few values come twice there. */
void untried_init(struct untried *u, const struct study *st)
{
    *u = (struct untried){.finite = space_size(st->space, 0) < UINT64_MAX};
    if (st->memo != NULL) {
        u->tried = tried_before(st);
        u->known = u->tried->count;
        return;
    }
    u->tried = &u->own;
    tried_init(&u->own, st->space);
    tried_add_all(&u->own, st, 0);
}

/* What was taken is no run yet: the study does not keep it. */
void untried_finish(struct untried *u)
{
    if (u->tried == &u->own)
        tried_finish(&u->own);
    else
        tried_truncate(u->tried, u->known);
    *u = (struct untried){0};
}

bool untried_take(struct untried *u, struct rng *rng, struct assignment *a)
{
    struct assignment other;
    if (tried_has(u->tried, a)) {
        bool found = space_near(u->tried->space, a, 0, u->tried, rng, &other);
        if (!found && u->finite)
            return false;
        if (found)
            *a = other;
    }
    (void)tried_add(u->tried, a);
    return true;
}
