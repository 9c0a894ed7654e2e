/* Ends of the range at which the best runs lie. */
#include <math.h>
#include <string.h>

#include "daemon/plan/range_view.h"

#define EDGE 0.05 /* share of a range that is its end */

/* The next listed value in the same proportion as the two at that end: 128, 512 → 2048. */
static double next_listed(const struct dimension *d, int sign, double end)
{
    double near = NAN;
    for (size_t i = 0; i < d->value_count; i++) {
        double v = d->values[i];
        if (v != end && (isnan(near) || sign * v > sign * near))
            near = v;
    }
    if (isnan(near))
        return end;
    return near > 0 && end > 0 ? end * (end / near) : end + (end - near);
}

static double half_as_much_again(const struct dimension *d, int sign, double low, double high)
{
    double end = sign > 0 ? high : low;
    if (distribution_is_log(d->distribution))
        return end * pow(high / low, 0.5 * sign);
    return end + sign * 0.5 * (high - low);
}

double range_beyond(const struct dimension *d, int sign, double low, double high)
{
    const struct setting *s = setting_get(dimension_setting(d));
    double end = sign > 0 ? high : low, limit = sign > 0 ? s->max : s->min, to;
    if (d->distribution == DISTRIBUTION_CATEGORICAL)
        to = next_listed(d, sign, end);
    else if (dimension_setting(d) == SETTING_LEARNING_RATE)
        to = end * (sign > 0 ? 10 : 0.1);
    else
        to = half_as_much_again(d, sign, low, high);
    bool whole = s->type == SETTING_INTEGER;
    if (whole && d->distribution != DISTRIBUTION_CATEGORICAL)
        to = sign * fmax(sign * to, sign * end + 1); /* one more at least */
    /* Limits such as a momentum of 1 or an epsilon of 0 make no sense: half of the way there. */
    return whole || sign * to < sign * limit ? to : (end + limit) / 2;
}

static bool at_end(const struct dimension *d, double v, int sign, double low, double high)
{
    double end = sign > 0 ? high : low;
    if (d->distribution == DISTRIBUTION_CATEGORICAL || dimension_cardinality(d) > 0)
        return v == end;
    double u = dimension_position(d, v);
    return sign > 0 ? u >= 1 - EDGE : u <= EDGE;
}

static void extend(struct range_view *view, const struct dimension *d, int sign)
{
    enum edit_kind kind = sign > 0 ? EDIT_EXTEND_ABOVE : EDIT_EXTEND_BELOW;
    struct range_edit e = {.kind = kind, .setting = dimension_setting(d)};
    double low, high;
    size_t elsewhere = 0;
    spec_setting_range(view->spec, dimension_setting(d), &low, &high);
    if (low == high || range_closed(view, dimension_setting(d), sign) ||
        range_edit_of(view, kind, dimension_setting(d)) != NULL)
        return;
    for (size_t i = 0; i < view->best_count; i++)
        if (at_end(d, range_value(view, view->best[i], dimension_setting(d)), sign, low, high))
            range_edit_support(&e, view->best[i]);
    for (size_t i = 0; i < view->count; i++) {
        double v = range_value(view, &view->runs[i], dimension_setting(d));
        elsewhere += !isnan(v) && !at_end(d, v, sign, low, high);
    }
    if (e.run_count != view->best_count || elsewhere < EDIT_RUNS_LEAST)
        return;
    e.from = sign > 0 ? high : low;
    e.to = range_beyond(d, sign, low, high);
    if (dimension_setting(d) == SETTING_DEPTH && e.to < 1)
        return; /* no hidden layer at all is another kind of model */
    range_say(&e, "the best %zu runs all have a %s at or near %.4g, the %s that was tried",
              e.run_count, d->name, e.from, sign > 0 ? "largest" : "smallest");
    range_propose(view, &e);
}

/* More of the data, or other parts of it, is no range to search; the two bounds of a clip go
 * together. */
static bool may_extend(const struct dimension *d)
{
    const struct setting *s = setting_get(dimension_setting(d));
    return (s->type == SETTING_REAL || s->type == SETTING_INTEGER) &&
           strncmp(s->path, "data.", 5) != 0 && dimension_setting(d) != SETTING_CLIP_MIN &&
           dimension_setting(d) != SETTING_CLIP_MAX;
}

void range_extend(struct range_view *view)
{
    for (size_t i = 0; i < view->spec->space.count; i++) {
        const struct dimension *d = &view->spec->space.dimensions[i];
        for (int sign = 1; sign >= -1 && may_extend(d); sign -= 2)
            extend(view, d, sign);
    }
}
