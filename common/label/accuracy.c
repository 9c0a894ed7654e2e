#include "common/label/accuracy.h"

#include <math.h>

#include "common/label/series.h"

#define SAME 1e-6        /* single precision */
#define EASY 0.9         /* from here on a good model may often give one share of right answers */
#define MANY 8           /* points; below EASY that many equal shares are no coincidence */
#define CHANCE_MOST 0.6  /* a share of right answers that chance can give */
#define COST_LEAST 0.9   /* of what constant answers cost, for a loss that is theirs */

struct shares {
    size_t count;
    double least, most, first, last; /* first, last: means over a third of the values */
};

static bool share_of(const struct point *p, enum curve_column column, double *out)
{
    if (!point_has(p, column) || !isfinite(p->v[column]))
        return false;
    *out = p->v[column];
    return true;
}

static struct shares read_shares(const struct diagnosis_input *in, enum curve_column column)
{
    struct shares s = {.least = INFINITY, .most = -INFINITY};
    double v;
    for (size_t i = 0; i < in->count; i++)
        s.count += share_of(&in->points[i], column, &v);
    size_t third = s.count < 3 ? 1 : s.count / 3;
    for (size_t i = 0, at = 0; i < in->count; i++) {
        if (!share_of(&in->points[i], column, &v))
            continue;
        s.least = fmin(s.least, v);
        s.most = fmax(s.most, v);
        s.first += at < third ? v / (double)third : 0;
        s.last += at >= s.count - third ? v / (double)third : 0;
        at++;
    }
    return s;
}

static bool is_a_share(const struct shares *s)
{
    return s->least >= 0 && s->most <= 1;
}

/* More right answers, or a third fewer errors. */
static bool rose(const struct shares *s)
{
    return s->last - s->first > 0.02 || 1 - s->last < 0.7 * (1 - s->first);
}

/* Cross entropy of always giving the classes' shares, at least: with p the largest of them, no
 * less than the entropy of p and 1 - p. */
static double cost_of_constant(double p)
{
    return p > 0 && p < 1 ? -p * log(p) - (1 - p) * log1p(-p) : 0;
}

static bool is_constant(const struct shares *s, double end_loss)
{
    if (s->most - s->least > SAME || s->last > 1 - SAME)
        return false;
    return (s->last < EASY && s->count >= MANY) ||
           !(end_loss < COST_LEAST * cost_of_constant(s->last));
}

/* No better at the end, and a loss that would allow no better: of calibrated answers that are
 * right in a share p the loss is -ln p at least. */
static bool is_chance(const struct shares *s, double end_loss)
{
    return s->last <= CHANCE_MOST && s->most - s->last <= 0.1 &&
           s->last - s->first <= 0.005 + 0.15 * s->first &&
           end_loss >= COST_LEAST * -log(fmax(s->last, SAME));
}

void accuracy_measure(struct accuracy *a, const struct diagnosis_input *in, double end_loss)
{
    struct shares train = read_shares(in, CURVE_TRAIN_ACC), val = read_shares(in, CURVE_VAL_ACC);
    const struct shares *s = val.count >= SERIES_MIN ? &val : &train;

    *a = (struct accuracy){.level = NAN};
    if (s->count < SERIES_MIN || !is_a_share(s))
        return;
    a->level = s->last;
    if (s == &val && train.count >= SERIES_MIN && is_a_share(&train) && rose(&train))
        return; /* it learns the training set: another matter */
    a->constant = is_constant(s, end_loss);
    a->chance = !a->constant && is_chance(s, end_loss);
}
