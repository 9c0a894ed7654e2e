#include "common/label/classify.h"

#include <math.h>

#include "sweep/require.h"

/* What all tests read. */
struct test_input {
    const struct facts *f;
    const struct rules *r;
    double scale;   /* of every gate that is not a trend's */
    int train, val; /* signs; a side that is missing follows the other */
};

static double end_of(const struct side *s)
{
    return series_value(&s->s, s->t.end);
}

/* --- before the trends -------------------------------------------------------------------- */

static bool test_not_a_number(const struct test_input *in, struct classification *out)
{
    out->pattern = PATTERN_NOT_A_NUMBER;
    return in->f->train.s.not_a_number || in->f->val.s.not_a_number;
}

/* The smoothed minimum, or the first value: that one is no noise where both losses agree. */
static double lowest(const struct side *s)
{
    return fmin(s->t.best, s->t.first);
}

/* All of its last values stand at twice the minimum or more, so noise that swings down to it is
 * none; and the rise matters beside the descent: a loss that fell to a thousandth of its first
 * value may well double. */
static bool doubled(const struct side *s, const struct rules *r, double scale)
{
    double low = lowest(s), rise = s->t.end_low - low;
    double descent = fmax(0, s->t.first - low);

    return rise > 0 && rise >= scale * fabs(low) &&
           s->t.end - low > r->exploded * scale * sqrt(fabs(low)) * sqrt(descent);
}

/* The last value is the highest of all. */
static bool peaks(const struct side *s)
{
    return s->t.last >= s->t.max && s->t.last > s->t.first;
}

/* And it rose twice as far above the minimum as any value before, which is a doubling. */
static bool leaps(const struct side *s, double scale)
{
    double low = lowest(s), rise = s->t.last - low;
    return s->any && rise > 2 * scale * (s->t.max_before - low) && rise > scale * fabs(low);
}

/* Both losses doubled and stay up; or the run ended with both at their highest, and one of them
 * leapt there with its last value. No slope is needed. */
static bool test_exploded(const struct test_input *in, struct classification *out)
{
    const struct side *t = &in->f->train, *v = &in->f->val;

    out->pattern = PATTERN_DIVERGING;
    if (t->s.count < 2)
        return false;
    if (doubled(t, in->r, in->scale) && (!v->any || doubled(v, in->r, in->scale)))
        return true;
    if (in->f->in->running)
        return false; /* one value: the next one tells */
    return peaks(t) && (!v->any || peaks(v)) && (leaps(t, in->scale) || leaps(v, in->scale));
}

static bool test_too_short(const struct test_input *in, struct classification *out)
{
    out->pattern = PATTERN_TOO_SHORT;
    return !in->f->train.usable && !in->f->val.usable;
}

/* --- training above validation ------------------------------------------------------------ */

static bool both_flat(const struct test_input *in)
{
    return in->train == 0 && in->val == 0;
}

/* G4.6: a share of the validation loss, and clear of both noises. */
bool train_above_val(const struct facts *f, const struct rules *r, double scale)
{
    const struct side *t = &f->train, *v = &f->val;
    if (!t->usable || !v->usable)
        return false;
    double gap = end_of(t) - end_of(v);
    double noise = hypot(series_value(&t->s, t->t.sigma), series_value(&v->s, v->t.sigma));

    return gap > 0 && gap >= r->gap * scale * fabs(end_of(v)) &&
           gap > r->gap_sigma * scale * noise;
}

/* G4.7: validation near 0 beside the training loss, which lies still far above it. A slope of the
 * training loss that is small against its level and the gap does not matter. Not said of a run
 * without dropout; where it is not known whether there is any, as of a file, G4.6 is said. */
static bool test_dropout(const struct test_input *in, struct classification *out)
{
    const struct side *t = &in->f->train, *v = &in->f->val;
    const struct rules *r = in->r;

    bool known = !isnan(in->f->in->dropout);

    out->pattern = known ? PATTERN_DROPOUT_TOO_STRONG : PATTERN_TRAIN_ABOVE_VAL;
    out->general = known ? PATTERN_TRAIN_ABOVE_VAL : flat_pattern(in->f, r);
    if (in->f->in->dropout <= 0 || !t->usable || !v->usable || v->t.end <= 0)
        return false;
    double top = fmax(series_value(&t->s, t->t.max), series_value(&v->s, v->t.max));
    double gap = end_of(t) - end_of(v), change = fabs(series_value(&t->s, t->t.change));
    double level = series_value(&t->s, t->t.level), ratio = r->dropout_ratio * sqrt(in->scale);

    return end_of(t) / ratio >= end_of(v) && end_of(v) <= r->dropout_val * top &&
           t->t.end >= r->dropout_train * t->t.first &&
           change <= r->dropout_flat * fmax(level, gap) / in->scale;
}

static bool test_train_above_val(const struct test_input *in, struct classification *out)
{
    out->pattern = PATTERN_TRAIN_ABOVE_VAL;
    out->general = flat_pattern(in->f, in->r);
    return both_flat(in) && train_above_val(in->f, in->r, in->scale);
}

/* --- oscillation (G1) --------------------------------------------------------------------- */

/* A random series turns at 2/3 of its points, so turning alone says nothing: the amplitude
 * decides. */
static bool swings(const struct side *s, const struct rules *r, double scale)
{
    return s->usable && s->swing.turning >= r->turning && s->swing.net <= r->net &&
           s->swing.size >= r->swing * scale;
}

/* Training still falls, or validation rises: that is the news, whatever the noise. */
static bool decisive(const struct test_input *in)
{
    return in->train < 0 || in->val > 0;
}

static bool test_oscillating(const struct test_input *in, struct classification *out)
{
    out->pattern = PATTERN_OSCILLATING;
    return !decisive(in) &&
           (swings(&in->f->train, in->r, in->scale) || swings(&in->f->val, in->r, in->scale));
}

/* Between the batches of one point (G1: between 1 and 192 within an epoch). Small batches near
 * the bottom spread widely around a tiny mean, so the spread must also be large against what the
 * run has descended. */
static bool test_within_point(const struct test_input *in, struct classification *out)
{
    const struct within *w = &in->f->within;
    double sd = in->r->batch_sd * in->scale;

    out->pattern = PATTERN_OSCILLATING;
    return !decisive(in) && w->count >= SERIES_MIN && w->sd >= sd && w->of_run >= sd &&
           w->span >= in->r->batch_span * in->scale;
}

/* --- both flat ---------------------------------------------------------------------------- */

/* Share of the first value that the loss has lost at the end. */
static double fell(const struct side *s)
{
    double whole = fmax(fabs(s->t.first), fabs(s->t.end));
    return whole > 0 ? (s->t.first - s->t.end) / whole : 0;
}

/* The first validation value comes after an epoch, so it has less left to lose. */
static bool descended(const struct facts *f, const struct rules *r)
{
    return (!f->train.usable || fell(&f->train) >= r->fell_train) &&
           (!f->val.usable || fell(&f->val) >= r->fell_val);
}

enum pattern flat_pattern(const struct facts *f, const struct rules *r)
{
    bool learned = descended(f, r) && !accuracy_is_stuck(&f->accuracy);
    return learned ? PATTERN_CONVERGED : PATTERN_BOTTLENECK;
}

static bool test_flat(const struct test_input *in, struct classification *out)
{
    out->pattern = flat_pattern(in->f, in->r);
    return both_flat(in);
}

/* A fall that has come to its floor: its slope fades, and it is the tail of a longer one. */
static bool fades(const struct trend *t, double most)
{
    return 2 * t->window < t->count && t->pace < most;
}

/* Both fell in the window and have come to their floor. */
static bool test_faded(const struct test_input *in, struct classification *out)
{
    const struct side *t = &in->f->train, *v = &in->f->val;
    double most = in->r->pace / in->scale;

    out->pattern = flat_pattern(in->f, in->r);
    out->general = PATTERN_LEARNING;
    if (in->train >= 0 || in->val >= 0 || !t->usable || !v->usable)
        return false;
    return fades(&t->t, most) && fades(&v->t, most);
}

/* G4.3 is said only when it is firm, that is by the test "train_stuck". Else training has come to
 * its floor, or is noisy, and what falls on is still being learnt (grokking is the extreme). */
static bool test_train_flat(const struct test_input *in, struct classification *out)
{
    bool floor = fades(&in->f->val.t, in->r->pace / in->scale);

    out->pattern = floor ? flat_pattern(in->f, in->r) : PATTERN_LEARNING;
    out->general = PATTERN_DATASET_PROBLEM;
    return in->train == 0 && in->val < 0;
}

/* --- both rise ---------------------------------------------------------------------------- */

/* G4.8: the rise since the minimum stays small against it, or moderate and small against all that
 * training ever moved. */
static bool test_slow_rise(const struct test_input *in, struct classification *out)
{
    const struct side *sides[] = {&in->f->train, &in->f->val};
    double share = 0, scale = sqrt(in->scale); /* share: rise against the minimum */

    out->pattern = PATTERN_SLOW_RISE;
    out->general = PATTERN_DIVERGING;
    if (in->train <= 0 || in->val <= 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(sides); i++)
        if (sides[i]->usable)
            share = fmax(share, (sides[i]->t.end - sides[i]->t.best) / fabs(sides[i]->t.best));
    const struct trend *t = sides[0]->usable ? &sides[0]->t : &sides[1]->t;
    return share <= in->r->slow_level * scale ||
           (share <= in->r->slow_more * scale && t->end - t->best < in->r->slow_full * t->full);
}

/* --- the nine cells ----------------------------------------------------------------------- */

/* [train + 1][val + 1]; flat/flat and rise/rise were separated by earlier rows. */
static const enum pattern CELLS[3][3] = {
    {PATTERN_LEARNING, PATTERN_OVERFITTING, PATTERN_OVERFITTING_RISING},
    {PATTERN_DATASET_PROBLEM, PATTERN_BOTTLENECK, PATTERN_OVERFITTING_RISING},
    {PATTERN_TRAIN_RISING, PATTERN_TRAIN_RISING, PATTERN_DIVERGING},
};

enum pattern pattern_of_cell(int train, int val)
{
    return CELLS[train + 1][val + 1];
}

static bool test_cell(const struct test_input *in, struct classification *out)
{
    out->pattern = pattern_of_cell(in->train, in->val);
    return true;
}

/* G4.3 seen over the whole run: training moves by a few per cent of its level while validation
 * falls clearly further. A training loss that cannot fall keeps a small slope for long, so the
 * cell fall/fall would hide it. */
static bool test_train_stuck(const struct test_input *in, struct classification *out)
{
    const struct side *t = &in->f->train, *v = &in->f->val;
    double most = in->r->stuck / in->scale;

    out->pattern = PATTERN_DATASET_PROBLEM;
    out->general = in->train < 0 ? PATTERN_LEARNING : flat_pattern(in->f, in->r);
    if (!t->usable || !v->usable || in->val >= 0 || in->train > 0)
        return false;
    return fabs(fell(t)) < most && t->t.range < most * t->t.level &&
           fell(v) > in->r->stuck_ratio * sqrt(in->scale) * fabs(fell(t));
}

/* --- the table ---------------------------------------------------------------------------- */

/* First that fits. The order is AutoTrainer's ladder (data before wiring before convergence
 * before generalisation), special cases before what they are a case of. */
static const struct test {
    const char *name;
    bool (*fits)(const struct test_input *in, struct classification *out);
} TESTS[] = {
    {"not_a_number", test_not_a_number},
    {"exploded", test_exploded},
    {"too_short", test_too_short},
    {"dropout_too_strong", test_dropout},
    {"train_above_val", test_train_above_val},
    {"oscillating", test_oscillating},
    {"oscillating_within_points", test_within_point},
    {"train_stuck", test_train_stuck},
    {"flat", test_flat},
    {"faded", test_faded},
    {"train_flat", test_train_flat},
    {"slow_rise", test_slow_rise},
    {"cell", test_cell},
};

/* --- the two signs ------------------------------------------------------------------------ */

static struct gates gates_of(double scale)
{
    return (struct gates){.size = scale, .z = sqrt(scale), .noise = scale};
}

/* The two losses measure one process: where one falls firmly, less evidence is asked of the other,
 * and no size where it fell nearly as far for its level. */
static bool falls_along(const struct trend *t, const struct trend *firm, const struct rules *r,
                        double scale)
{
    struct gates g = gates_of(scale);
    g.noise *= r->relax;
    g.z *= r->relax_z;
    if (-t->change * firm->level >= r->alike * scale * -firm->change * t->level)
        g.size = 0;
    return trend_slope_sign(t, r, &g) < 0;
}

static void find_signs(struct test_input *in, struct strictness s)
{
    const struct side *t = &in->f->train, *v = &in->f->val;
    struct gates for_train = gates_of(s.train), for_val = gates_of(s.val);

    if (t->usable)
        in->train = in->val = trend_sign(&t->t, in->r, &for_train, true);
    if (v->usable)
        in->val = trend_sign(&v->t, in->r, &for_val, false);
    if (!t->usable)
        in->train = in->val;
    if (!t->usable || !v->usable)
        return;
    if (in->train == 0 && in->val < 0 && falls_along(&t->t, &v->t, in->r, s.train))
        in->train = -1;
    else if (in->train < 0 && in->val == 0 && falls_along(&v->t, &t->t, in->r, s.val))
        in->val = -1;
}

void classify(const struct facts *f, const struct rules *r, struct strictness s,
              struct classification *out)
{
    struct test_input in = {.f = f, .r = r, .scale = sqrt(s.train * s.val)};

    find_signs(&in, s);
    for (size_t i = 0; i < ARRAY_LEN(TESTS); i++) {
        *out = (struct classification){.general = PATTERN_NONE,
                                       .test = TESTS[i].name,
                                       .train_sign = in.train,
                                       .val_sign = in.val};
        if (TESTS[i].fits(&in, out))
            return;
    }
}
