#include "common/label/judges.h"

#include <math.h>

#include "sweep/require.h"

/* Judges of either loss, and what each says weighs. */
static const struct {
    double scale, weight;
} JUDGES[] = {{0.6, 0.25}, {1, 0.5}, {1.7, 0.25}};

static void hear(const struct facts *f, const struct rules *r, double votes[PATTERN_COUNT])
{
    for (size_t i = 0; i < ARRAY_LEN(JUDGES); i++) {
        for (size_t k = 0; k < ARRAY_LEN(JUDGES); k++) {
            struct verdict v;
            classify(f, r, (struct judge){JUDGES[i].scale, JUDGES[k].scale}, &v);
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
} CALIBRATION = {0.03, 3.07, -1.02};

double judges_confidence(const struct facts *f, enum pattern p, double agreement)
{
    if (p == PATTERN_NOT_A_NUMBER)
        return 0.99;
    if (p == PATTERN_TOO_SHORT)
        return 0.0;
    double x = CALIBRATION.base + CALIBRATION.agreement * agreement;
    double sure = 1 / (1 + exp(-x - (is_rare(p) ? CALIBRATION.rare : 0)));
    return f->train.usable != f->val.usable ? fmin(sure, 0.5) : sure;
}

void judges_ask(const struct facts *f, const struct rules *r, struct opinion *out)
{
    *out = (struct opinion){0};
    classify(f, r, (struct judge){1, 1}, &out->verdict);
    hear(f, r, out->votes);
    out->runner_up = runner_up(out->votes, &out->verdict);
    out->agreement = out->votes[out->verdict.pattern];
    out->confidence = judges_confidence(f, out->verdict.pattern, out->agreement);
}
