/* Parameters that are there only where others have certain values. */
#include <math.h>
#include <string.h>

#include "common/space/settle.h"
#include "sweep/err.h"
#include "sweep/require.h"

static bool takes(const struct condition *c, double value)
{
    if (!c->values)
        return value >= c->min && value <= c->max;
    for (size_t i = 0; i < c->value_count; i++)
        if (c->values[i] == value)
            return true;
    return false;
}

/* Those that it rests on are complete. */
static bool is_there(const struct dimension *d, const struct assignment *a)
{
    for (size_t i = 0; i < d->condition_count; i++)
        if (!takes(&d->conditions[i], a->v[d->conditions[i].on])) /* NAN: neither */
            return false;
    return true;
}

bool space_is_present(const struct space *s, const struct assignment *a, size_t i)
{
    return space_has(a, i) && is_there(&s->dimensions[i], a);
}

void space_complete(const struct space *s, struct assignment *a)
{
    for (size_t k = 0; k < s->count; k++) {
        size_t i = s->conditional ? s->order[k] : k;
        if (!is_there(&s->dimensions[i], a))
            a->v[i] = NAN;
        else if (!space_has(a, i))
            a->v[i] = dimension_middle(&s->dimensions[i]);
    }
}

uint64_t space_complete_places(const struct space *s, uint64_t frozen, struct assignment *a)
{
    for (size_t k = 0; k < s->count; k++) {
        size_t i = s->conditional ? s->order[k] : k;
        const struct dimension *d = &s->dimensions[i];
        if (is_there(d, a))
            continue;
        if (!(frozen >> i & 1) && a->v[i] != dimension_nth(d, 0))
            return d->rests_on | UINT64_C(1) << i;
        a->v[i] = NAN;
    }
    return 0;
}

/* --- order ----------------------------------------------------------------------------------- */

/* Places the dimensions that rest on placed ones alone; false: the others rest on each other. */
static bool find_order(struct space *s, size_t *left)
{
    uint64_t placed = 0;
    size_t count = 0;

    for (bool more = true; more;) {
        more = false;
        for (size_t i = 0; i < s->count; i++) {
            struct dimension *d = &s->dimensions[i];
            uint64_t direct = 0;
            for (size_t k = 0; k < d->condition_count; k++)
                direct |= UINT64_C(1) << d->conditions[k].on;
            if (placed >> i & 1 || direct & ~placed)
                continue;
            d->rests_on = direct;
            for (size_t k = 0; k < d->condition_count; k++)
                d->rests_on |= s->dimensions[d->conditions[k].on].rests_on;
            s->order[count++] = (uint8_t)i;
            placed |= UINT64_C(1) << i;
            more = true;
        }
    }
    for (*left = 0; *left < s->count && placed >> *left & 1;)
        ++*left;
    return count == s->count;
}

/* --- branches that are never taken ------------------------------------------------------------ */

/* Conditions on dimension `on`, of i and of all that i rests on. */
struct demands {
    const struct condition *all[SPACE_MAX_DIMENSIONS + 1];
    size_t count;
};

static void collect(const struct space *s, size_t i, size_t on, struct demands *out)
{
    uint64_t all = s->dimensions[i].rests_on | UINT64_C(1) << i;

    for (size_t k = 0; k < s->count; k++)
        for (size_t c = 0; all >> k & 1 && c < s->dimensions[k].condition_count; c++)
            if (s->dimensions[k].conditions[c].on == on && out->count < ARRAY_LEN(out->all))
                out->all[out->count++] = &s->dimensions[k].conditions[c];
}

static bool all_take(const struct demands *d, double value)
{
    for (size_t i = 0; i < d->count; i++)
        if (!takes(d->all[i], value))
            return false;
    return true;
}

/* The first value of a countable dimension that is not below, NAN: none. */
static double first_from(const struct dimension *d, double low)
{
    uint64_t from = 0, to = dimension_cardinality(d);

    while (from < to) {
        uint64_t middle = from + (to - from) / 2;
        if (dimension_nth(d, middle) < low)
            from = middle + 1;
        else
            to = middle;
    }
    return from < dimension_cardinality(d) ? dimension_nth(d, from) : NAN;
}

/* Some value of d fulfils all of them. */
static bool can_hold(const struct dimension *d, const struct demands *demands)
{
    double low = d->min, high = d->max;

    if (d->distribution == DISTRIBUTION_CATEGORICAL) {
        for (size_t i = 0; i < d->value_count; i++)
            if (all_take(demands, d->values[i]))
                return true;
        return false;
    }
    for (size_t i = 0; i < demands->count; i++) {
        const struct condition *c = demands->all[i];
        for (size_t k = 0; k < c->value_count; k++)
            if (dimension_takes(d, c->values[k]) && all_take(demands, c->values[k]))
                return true;
        if (c->values)
            return false;
        low = fmax(low, c->min);
        high = fmin(high, c->max);
    }
    return (dimension_cardinality(d) ? first_from(d, low) : low) <= high;
}

static bool is_dead(const struct space *s, size_t i, size_t *on)
{
    for (size_t k = 0; k < s->count; k++) {
        struct demands demands = {.count = 0};
        if (!(s->dimensions[i].rests_on >> k & 1))
            continue;
        collect(s, i, k, &demands);
        *on = k;
        if (!can_hold(&s->dimensions[k], &demands))
            return true;
    }
    return false;
}

int conditions_settle(struct space *s, size_t *at, struct errbuf *err)
{
    size_t on;

    s->conditional = false;
    for (size_t i = 0; i < s->count; i++)
        s->conditional |= s->dimensions[i].condition_count > 0;
    if (!find_order(s, at))
        return err_bad(err, ERR_VALUE, "", "a circle",
                       "conditions on parameters that do not rest on this one in turn");
    for (size_t i = 0; i < s->count; i++) {
        if (!s->dimensions[i].condition_count || !is_dead(s, i, &on))
            continue;
        *at = i;
        return err_bad(err, ERR_VALUE, "", "",
                       "a condition that can hold: no value of %s is asked for by this one and by "
                       "those of the parameters that it names",
                       s->dimensions[on].name);
    }
    return 0;
}
