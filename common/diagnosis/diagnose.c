#include "sweep/diagnosis.h"

#include <float.h>
#include <math.h>

#include "common/diagnosis/classify.h"
#include "common/diagnosis/facts.h"
#include "common/diagnosis/sentence.h"
#include "common/diagnosis/tags.h"
#include "sweep/require.h"

/* The same curve judged with lax, default and strict thresholds. */
static const struct gates LAX = {1.00, 2.0 / 3, 2.0 / 3};
static const struct gates DEFAULT = {1.28, 1.0, 1.0};
static const struct gates STRICT = {1.96, 1.5, 1.5};

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
    out->change = series_value(y, s->t.change);
    out->noise = series_value(y, s->t.sigma);
    out->range = series_value(y, s->t.range);
    out->level = series_value(y, s->t.level);
    out->z = s->t.z;
}

/* Share of labelled curves whose label a person accepts, measured (docs/patterns.md). firm: lax,
 * default and strict agree. Rows that real curves hardly ever show are held lower. */
static const struct certainty {
    double firm, weak;
} CERTAINTY = {0.95, 0.60}, RARE = {0.75, 0.50};

static double certainty_of(const struct facts *f, enum pattern p, bool firm)
{
    if (p == PATTERN_NOT_A_NUMBER)
        return 0.99;
    if (p == PATTERN_TOO_SHORT)
        return 0.0;
    const struct certainty *c = &CERTAINTY;
    if (p == PATTERN_DATASET_PROBLEM || p == PATTERN_TRAIN_ABOVE_VAL ||
        p == PATTERN_DROPOUT_TOO_STRONG || p == PATTERN_SLOW_RISE || p == PATTERN_OSCILLATING ||
        p == PATTERN_TRAIN_RISING)
        c = &RARE;
    double value = firm ? c->firm : c->weak;
    return f->train.usable != f->val.usable ? fmin(value, RARE.weak) : value;
}

/* G4.3 and a rising training loss are said only when all three judges say so: in practice they
 * are noise in one of the two curves. */
static bool only_when_firm(enum pattern p)
{
    return p == PATTERN_DATASET_PROBLEM || p == PATTERN_TRAIN_RISING;
}

static void soften(struct verdict *v, const struct verdict *lax, const struct verdict *strict,
                   const struct facts *f)
{
    enum pattern unsure = v->pattern;

    if (!only_when_firm(unsure) || (lax->pattern == unsure && strict->pattern == unsure))
        return;
    if (!only_when_firm(strict->pattern))
        v->pattern = strict->pattern;
    else if (!only_when_firm(lax->pattern))
        v->pattern = lax->pattern;
    else
        v->pattern = flat_pattern(f);
    v->general = unsure;
    v->test = "not_firm";
}

void diagnose(const struct diagnosis_input *in, void *workspace, struct diagnosis *out)
{
    struct facts f;
    struct verdict lax, mid, strict;

    facts_measure(&f, in, workspace);
    classify(&f, &LAX, &lax);
    classify(&f, &DEFAULT, &mid);
    classify(&f, &STRICT, &strict);
    soften(&mid, &lax, &strict, &f);

    bool firm = lax.pattern == mid.pattern && strict.pattern == mid.pattern;
    *out = (struct diagnosis){.pattern = mid.pattern,
                              .test = mid.test,
                              .tags = tags_of(&f),
                              .confidence = certainty_of(&f, mid.pattern, firm),
                              .gap = NAN};
    out->runner_up = lax.pattern != mid.pattern      ? lax.pattern
                     : strict.pattern != mid.pattern ? strict.pattern
                                                     : mid.general;
    trend_report(&out->train, &f.train, in, mid.train_sign);
    trend_report(&out->val, &f.val, in, mid.val_sign);
    if (f.train.any && f.val.any)
        out->gap = fmax(-DBL_MAX, fmin(DBL_MAX, out->train.end - out->val.end));
    sentence_write(out);
}
