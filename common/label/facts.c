#include "common/label/facts.h"

#include <math.h>

#include "sweep/stats.h"

static size_t scratch_room(size_t count)
{
    size_t bin = count / SERIES_MAX + 2, trend = trend_scratch(count);
    return bin > trend ? bin : trend;
}

size_t facts_workspace_bytes(size_t count)
{
    return (2 * series_room(count) + scratch_room(count)) * sizeof(double);
}

/* On the raw tail: condensing would smooth away what is measured. */
static void swing_measure(struct swing *w, const struct side *side)
{
    const struct series *s = &side->s;
    size_t n = side->t.window < TAIL_MAX ? side->t.window : TAIL_MAX;
    const double *z = s->raw + s->raw_count - n;
    double slope = s->count == s->raw_count ? side->t.change / (double)(n - 1) : 0;
    double path = 0, mean = 0, square = 0;
    size_t turns = 0;

    for (size_t i = 0; i < n; i++)
        mean += (z[i] - slope * (double)i) / (double)n;
    for (size_t i = 0; i < n; i++) {
        double r = z[i] - slope * (double)i - mean;
        square += r * r;
        if (i + 1 < n)
            path += fabs(z[i + 1] - z[i]);
        if (i > 0 && i + 1 < n)
            turns += (z[i] - z[i - 1]) * (z[i + 1] - z[i]) < 0;
    }
    w->turning = (double)turns / (double)(n - 2);
    w->net = path > 0 ? fabs(z[n - 1] - z[0]) / path : 1;
    w->size = trend_size(&side->t, sqrt(square / (double)n), side->t.level);
}

static void side_measure(struct side *side, const struct diagnosis_input *in,
                         enum curve_column column, double *room, double *scratch)
{
    series_init(&side->s, in, column, room, scratch);
    side->any = side->s.count > 0;
    side->usable = side->s.count >= SERIES_MIN;
    if (side->usable) {
        trend_measure(&side->t, &side->s, scratch);
        swing_measure(&side->swing, side);
    } else if (side->any) {
        trend_measure_ends(&side->t, &side->s, scratch);
    }
}

/* One ratio per tail point, its median. Ratios of finite values: scaled first, so that none
 * overflows. */
enum within_ratio { WITHIN_SD, WITHIN_SPAN, WITHIN_OF_RUN };

static bool within_value(const struct facts *f, const struct point *p, enum within_ratio r,
                         double *out)
{
    int e = -f->train.s.exponent;
    double sd = ldexp(p->v[CURVE_TRAIN_LOSS_SD], e), level = fabs(ldexp(p->v[CURVE_TRAIN_LOSS], e));
    double span = ldexp(p->v[CURVE_TRAIN_LOSS_MAX], e) - ldexp(p->v[CURVE_TRAIN_LOSS_MIN], e);
    double part = r == WITHIN_SPAN ? span : sd;
    double whole = r == WITHIN_OF_RUN ? f->train.t.range : level;

    *out = part / whole;
    return isfinite(*out);
}

static double within_median(const struct facts *f, size_t from, enum within_ratio r,
                            double *scratch, size_t *count)
{
    size_t n = 0;
    for (size_t i = from; i < f->in->count; i++) {
        const struct point *p = &f->in->points[i];
        if (point_has(p, CURVE_TRAIN_LOSS) && point_has(p, CURVE_TRAIN_LOSS_SD) &&
            point_has(p, CURVE_TRAIN_LOSS_MIN) && point_has(p, CURVE_TRAIN_LOSS_MAX) &&
            within_value(f, p, r, &scratch[n]))
            n++;
    }
    *count = n;
    return n > 0 ? stats_median(scratch, n) : 0;
}

static void within_measure(struct facts *f, double *scratch)
{
    f->within = (struct within){0};
    if (!f->train.usable)
        return;
    size_t n = f->train.t.window < TAIL_MAX ? f->train.t.window : TAIL_MAX;
    size_t from = f->in->count - (n < f->in->count ? n : f->in->count);
    f->within.sd = within_median(f, from, WITHIN_SD, scratch, &f->within.count);
    f->within.span = within_median(f, from, WITHIN_SPAN, scratch, &f->within.count);
    f->within.of_run = within_median(f, from, WITHIN_OF_RUN, scratch, &f->within.count);
}

void facts_measure(struct facts *f, const struct diagnosis_input *in, void *workspace)
{
    double *train = workspace, *val = train + series_room(in->count);
    double *scratch = val + series_room(in->count);

    *f = (struct facts){.in = in};
    side_measure(&f->train, in, CURVE_TRAIN_LOSS, train, scratch);
    side_measure(&f->val, in, CURVE_VAL_LOSS, val, scratch);
    within_measure(f, scratch);
    const struct side *ends = f->val.any ? &f->val : &f->train;
    accuracy_measure(&f->accuracy, in, ends->any ? series_value(&ends->s, ends->t.end) : NAN);
}
