#include "sweep/diagnosis.h"

#include <float.h>
#include <math.h>

#include "common/diagnosis/classify.h"
#include "common/diagnosis/facts.h"
#include "common/diagnosis/regimes.h"
#include "common/diagnosis/sentence.h"
#include "common/diagnosis/tags.h"
#include "sweep/require.h"

size_t diagnosis_workspace_bytes(size_t count)
{
    return facts_workspace_bytes(count);
}

static void trend_report(struct diagnosis_trend *out, const struct side *s,
                         const struct diagnosis_input *in, int sign)
{
    const struct series *y = &s->s;

    *out =
        (struct diagnosis_trend){.count = y->raw_count, .best = NAN, .end = NAN, .best_epoch = NAN};
    if (!s->any)
        return;
    out->best = series_value(y, s->t.best);
    out->end = series_value(y, s->t.end);
    out->best_epoch = series_epoch(y, in, s->t.best_at);
    if (!s->usable)
        return;
    out->sign = sign;
    out->window = s->t.window * y->raw_count / y->count;
    out->slope = series_value(y, s->t.change / (double)(out->window - 1));
    out->slope_low = series_value(y, (s->t.change - s->t.margin) / (double)(out->window - 1));
    out->slope_high = series_value(y, (s->t.change + s->t.margin) / (double)(out->window - 1));
    out->change = series_value(y, s->t.change);
    out->noise = series_value(y, s->t.sigma);
    out->wander = series_value(y, s->t.wander);
    out->range = series_value(y, s->t.range);
    out->level = series_value(y, s->t.level);
    out->z = s->t.z;
}

/* --- how sure ----------------------------------------------------------------------------- */

/* Judges laxer and stricter about either loss: what they agree on has room on all sides of the
 * thresholds that decided. */
static const struct {
    double scale, weight;
} JUDGES[] = {{0.6, 0.25}, {1, 0.5}, {1.7, 0.25}};

static void hear_judges(const struct facts *f, double votes[PATTERN_COUNT])
{
    for (size_t i = 0; i < ARRAY_LEN(JUDGES); i++) {
        for (size_t k = 0; k < ARRAY_LEN(JUDGES); k++) {
            struct verdict v;
            classify(f, &RULES_DEFAULT, (struct judge){JUDGES[i].scale, JUDGES[k].scale}, &v);
            votes[v.pattern] += JUDGES[i].weight * JUDGES[k].weight;
        }
    }
}

/* The label most judges would give instead; where they all agree, that of which the label is a
 * special case. */
static enum pattern runner_up(const double votes[PATTERN_COUNT], const struct verdict *v)
{
    enum pattern best = v->general;
    double most = 0;

    for (int p = 0; p < PATTERN_COUNT; p++) {
        if ((enum pattern)p != v->pattern && votes[p] > most) {
            best = (enum pattern)p;
            most = votes[p];
        }
    }
    return best;
}

/* Rows that recorded curves hardly ever show: said with less confidence. */
static bool is_rare(enum pattern p)
{
    return p == PATTERN_DATASET_PROBLEM || p == PATTERN_TRAIN_ABOVE_VAL ||
           p == PATTERN_DROPOUT_TOO_STRONG || p == PATTERN_SLOW_RISE || p == PATTERN_OSCILLATING ||
           p == PATTERN_TRAIN_RISING;
}

/* Share of labels that a person accepts, given the agreement: a logistic curve, fitted by
 * tests/bench/diagnosis (docs/decisions/0005-diagnosis.md). */
static const struct {
    double base, agreement, rare;
} CALIBRATION = {0.4, 2.6, -0.8};

static double confidence_of(const struct facts *f, enum pattern p, double agreement)
{
    if (p == PATTERN_NOT_A_NUMBER)
        return 0.99;
    if (p == PATTERN_TOO_SHORT)
        return 0.0;
    double x = CALIBRATION.base + CALIBRATION.agreement * agreement;
    double sure = 1 / (1 + exp(-x - (is_rare(p) ? CALIBRATION.rare : 0)));
    return f->train.usable != f->val.usable ? fmin(sure, 0.5) : sure;
}

void diagnose(const struct diagnosis_input *in, void *workspace, struct diagnosis *out)
{
    struct facts f;
    struct verdict v;
    double votes[PATTERN_COUNT] = {0};

    facts_measure(&f, in, workspace);
    classify(&f, &RULES_DEFAULT, (struct judge){1, 1}, &v);
    hear_judges(&f, votes);
    *out = (struct diagnosis){.pattern = v.pattern,
                              .runner_up = runner_up(votes, &v),
                              .test = v.test,
                              .tags = tags_of(&f),
                              .agreement = fmin(votes[v.pattern], 1),
                              .gap = NAN};
    out->confidence = confidence_of(&f, v.pattern, out->agreement);
    trend_report(&out->train, &f.train, in, v.train_sign);
    trend_report(&out->val, &f.val, in, v.val_sign);
    if (f.train.any && f.val.any)
        out->gap = fmax(-DBL_MAX, fmin(DBL_MAX, out->train.end - out->val.end));
    regimes_find(&f, out);
    sentence_write(out);
}
