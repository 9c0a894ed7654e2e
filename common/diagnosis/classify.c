#include "common/diagnosis/classify.h"

#include <math.h>

#include "sweep/require.h"

struct look {
    const struct facts *f;
    const struct gates *g;
    int train, val; /* signs; a side that is missing follows the other */
};

static double end_of(const struct side *s)
{
    return series_value(&s->s, s->t.end);
}

/* --- before the trends -------------------------------------------------------------------- */

static bool test_not_a_number(const struct look *l, struct verdict *out)
{
    out->pattern = PATTERN_NOT_A_NUMBER;
    return l->f->train.s.not_a_number || l->f->val.s.not_a_number;
}

/* The end is at least twice the minimum, beyond the noise. */
static bool doubled(const struct side *s, double scale)
{
    double rise = s->t.end - s->t.best;
    return rise > 0 && rise >= fabs(s->t.best) && rise > 3 * scale * s->t.sigma;
}

/* Both losses doubled, and training lost over 30 % of what it had learned: no slope is needed. */
static bool test_exploded(const struct look *l, struct verdict *out)
{
    const struct side *t = &l->f->train, *v = &l->f->val;
    double scale = l->g->size;

    out->pattern = PATTERN_DIVERGING;
    if (t->s.count < 2 || !doubled(t, scale) || (v->any && !doubled(v, scale)))
        return false;
    return t->t.end - t->t.best > 0.3 * l->g->rise * (t->t.first - t->t.best);
}

static bool test_too_short(const struct look *l, struct verdict *out)
{
    out->pattern = PATTERN_TOO_SHORT;
    return !l->f->train.usable && !l->f->val.usable;
}

/* --- oscillation (G1) --------------------------------------------------------------------- */

/* A random series turns at 2/3 of its points, so turning alone says nothing: the amplitudes
 * decide. */
static bool swings(const struct side *s, double scale)
{
    return s->usable && s->swing.turning >= 0.40 && s->swing.net <= 0.15 / scale &&
           s->swing.step >= 0.05 * scale && s->swing.residual >= 0.15 * scale &&
           s->swing.of_reach >= 0.10 * scale;
}

/* Training still falls, or validation rises: that is the news, whatever the noise. */
static bool decisive(const struct look *l)
{
    return l->train < 0 || l->val > 0;
}

static bool test_oscillating(const struct look *l, struct verdict *out)
{
    out->pattern = PATTERN_OSCILLATING;
    return !decisive(l) && (swings(&l->f->train, l->g->size) || swings(&l->f->val, l->g->size));
}

/* Between the batches of one point (G1: between 1 and 192 within an epoch). Small batches near
 * the bottom spread widely around a tiny mean, so the spread must also be large against what the
 * run has descended. */
static bool test_within_point(const struct look *l, struct verdict *out)
{
    const struct within *w = &l->f->within;
    double scale = l->g->size;

    out->pattern = PATTERN_OSCILLATING;
    return !decisive(l) && w->count >= SERIES_MIN && w->sd >= 0.5 * scale && w->span >= 2 * scale &&
           w->of_run >= 0.5 * scale;
}

/* --- both flat ---------------------------------------------------------------------------- */

static bool both_flat(const struct look *l)
{
    return l->train == 0 && l->val == 0;
}

/* G4.6: at least 10 % above, and clear of both noises. */
bool train_above_val(const struct facts *f, double scale)
{
    const struct side *t = &f->train, *v = &f->val;
    if (!t->usable || !v->usable)
        return false;
    double gap = end_of(t) - end_of(v);
    double noise = hypot(series_value(&t->s, t->t.sigma), series_value(&v->s, v->t.sigma));

    return gap > 0 && gap >= 0.10 * scale * fabs(end_of(v)) && gap > 3 * scale * noise;
}

/* Share of the first value that the loss has lost at the end. */
static double fell(const struct side *s)
{
    double whole = fmax(fabs(s->t.first), fabs(s->t.end));
    return whole > 0 ? (s->t.first - s->t.end) / whole : 0;
}

/* Training halved its loss, validation lost 10 % (its first value comes after an epoch). */
static bool descended(const struct facts *f)
{
    return (!f->train.usable || fell(&f->train) >= 0.5) && (!f->val.usable || fell(&f->val) >= 0.1);
}

enum pattern flat_pattern(const struct facts *f)
{
    return descended(f) ? PATTERN_CONVERGED : PATTERN_BOTTLENECK;
}

/* G4.7: validation near 0 (a tenth of its largest value), training five times as high and still
 * above 30 % of where it began. Only where there is dropout to remove. */
static bool test_dropout(const struct look *l, struct verdict *out)
{
    const struct facts *f = l->f;

    out->pattern = PATTERN_DROPOUT_TOO_STRONG;
    out->general = PATTERN_TRAIN_ABOVE_VAL;
    return f->in->dropout > 0 && both_flat(l) && train_above_val(f, l->g->size) &&
           end_of(&f->train) / 5 >= end_of(&f->val) && f->val.t.end <= 0.1 * f->val.t.max &&
           f->train.t.end >= 0.3 * f->train.t.first;
}

static bool test_train_above_val(const struct look *l, struct verdict *out)
{
    out->pattern = PATTERN_TRAIN_ABOVE_VAL;
    out->general = flat_pattern(l->f);
    return both_flat(l) && train_above_val(l->f, l->g->size);
}

static bool test_flat(const struct look *l, struct verdict *out)
{
    out->pattern = flat_pattern(l->f);
    return both_flat(l);
}

/* --- both rise ---------------------------------------------------------------------------- */

/* G4.8: the rise since the minimum stays within 10 % of the level, or within half of it and 15 %
 * of what training ever moved. */
static bool test_slow_rise(const struct look *l, struct verdict *out)
{
    const struct side *sides[] = {&l->f->train, &l->f->val};
    double share = 0; /* rise against the minimum */

    out->pattern = PATTERN_SLOW_RISE;
    out->general = PATTERN_DIVERGING;
    if (l->train <= 0 || l->val <= 0)
        return false;
    for (size_t i = 0; i < ARRAY_LEN(sides); i++)
        if (sides[i]->usable)
            share = fmax(share, (sides[i]->t.end - sides[i]->t.best) / fabs(sides[i]->t.best));
    const struct trend *t = sides[0]->usable ? &sides[0]->t : &sides[1]->t;
    return share <= 0.10 || (share <= 0.5 && t->end - t->best < 0.15 * t->full);
}

/* --- the nine cells ----------------------------------------------------------------------- */

/* [train + 1][val + 1]; flat/flat and rise/rise have been told apart before. */
static const enum pattern CELLS[3][3] = {
    {PATTERN_LEARNING, PATTERN_OVERFITTING, PATTERN_OVERFITTING_RISING},
    {PATTERN_DATASET_PROBLEM, PATTERN_BOTTLENECK, PATTERN_OVERFITTING_RISING},
    {PATTERN_TRAIN_RISING, PATTERN_TRAIN_RISING, PATTERN_DIVERGING},
};

static bool test_cell(const struct look *l, struct verdict *out)
{
    out->pattern = CELLS[l->train + 1][l->val + 1];
    return true;
}

/* G4.3 seen over the whole run: training moves by less than 5 % of its level while validation
 * falls at least 2.5 times as far. A training loss that cannot fall keeps a small slope for
 * long, so the cell fall/fall would hide it. */
static bool test_train_stuck(const struct look *l, struct verdict *out)
{
    const struct side *t = &l->f->train, *v = &l->f->val;

    out->pattern = PATTERN_DATASET_PROBLEM;
    out->general = l->train < 0 ? PATTERN_LEARNING : flat_pattern(l->f);
    if (!t->usable || !v->usable || l->val >= 0 || l->train > 0)
        return false;
    return fabs(fell(t)) < 0.05 / l->g->size && fell(v) > 2.5 * l->g->size * fabs(fell(t)) &&
           t->t.range < 0.05 * t->t.level;
}

/* --- the table ---------------------------------------------------------------------------- */

/* First that fits. The order is AutoTrainer's ladder (data before wiring before convergence
 * before generalisation), special cases before what they are a case of. */
static const struct test {
    const char *name;
    bool (*fits)(const struct look *l, struct verdict *out);
} TESTS[] = {
    {"not_a_number", test_not_a_number},
    {"exploded", test_exploded},
    {"too_short", test_too_short},
    {"oscillating", test_oscillating},
    {"oscillating_within_points", test_within_point},
    {"train_stuck", test_train_stuck},
    {"dropout_too_strong", test_dropout},
    {"train_above_val", test_train_above_val},
    {"flat", test_flat},
    {"slow_rise", test_slow_rise},
    {"cell", test_cell},
};

void classify(const struct facts *f, const struct gates *g, struct verdict *out)
{
    struct look l = {.f = f, .g = g};

    if (f->train.usable)
        l.train = l.val = trend_sign(&f->train.t, g, true);
    if (f->val.usable)
        l.val = trend_sign(&f->val.t, g, false);
    if (!f->train.usable)
        l.train = l.val;
    for (size_t i = 0; i < ARRAY_LEN(TESTS); i++) {
        *out = (struct verdict){.general = PATTERN_NONE,
                                .test = TESTS[i].name,
                                .train_sign = l.train,
                                .val_sign = l.val};
        if (TESTS[i].fits(&l, out))
            return;
    }
}
