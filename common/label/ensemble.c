#include "common/label/ensemble.h"

#include <math.h>

#include "sweep/require.h"

/* Members for either loss: the factor on its thresholds, and the weight of its vote. */
static const struct {
    double scale, weight;
} MEMBERS[] = {{0.6, 0.25}, {1, 0.5}, {1.7, 0.25}};

static void collect_votes(const struct facts *f, const struct rules *r, double votes[PATTERN_COUNT])
{
    for (size_t i = 0; i < ARRAY_LEN(MEMBERS); i++) {
        for (size_t k = 0; k < ARRAY_LEN(MEMBERS); k++) {
            struct classification c;
            classify(f, r, (struct strictness){MEMBERS[i].scale, MEMBERS[k].scale}, &c);
            votes[c.pattern] += MEMBERS[i].weight * MEMBERS[k].weight;
        }
    }
}

/* The label that most members give instead; where all agree, the one of which the label is a
 * special case. */
static enum pattern runner_up(const double votes[PATTERN_COUNT], const struct classification *base)
{
    enum pattern best = base->general;
    double most = 0;

    for (int p = 0; p < PATTERN_COUNT; p++) {
        if ((enum pattern)p != base->pattern && votes[p] > most) {
            best = (enum pattern)p;
            most = votes[p];
        }
    }
    return best;
}

/* Labels that recorded curves hardly ever show get less confidence. */
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
} CALIBRATION = {0.03, 3.07, -1.02};

double ensemble_confidence(const struct facts *f, enum pattern p, double agreement)
{
    if (p == PATTERN_NOT_A_NUMBER)
        return 0.99;
    if (p == PATTERN_TOO_SHORT)
        return 0.0;
    double x = CALIBRATION.base + CALIBRATION.agreement * agreement;
    double sure = 1 / (1 + exp(-x - (is_rare(p) ? CALIBRATION.rare : 0)));
    return f->train.usable != f->val.usable ? fmin(sure, 0.5) : sure;
}

void ensemble_classify(const struct facts *f, const struct rules *r, struct prediction *out)
{
    *out = (struct prediction){0};
    classify(f, r, (struct strictness){1, 1}, &out->base);
    collect_votes(f, r, out->votes);
    out->runner_up = runner_up(out->votes, &out->base);
    out->agreement = out->votes[out->base.pattern];
    out->confidence = ensemble_confidence(f, out->base.pattern, out->agreement);
}
