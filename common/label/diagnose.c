#include "sweep/diagnosis.h"

#include <float.h>
#include <math.h>

#include "common/label/facts.h"
#include "common/label/ensemble.h"
#include "common/label/regimes.h"
#include "common/label/sentence.h"
#include "common/label/tags.h"

size_t diagnosis_workspace_bytes(size_t count)
{
    return facts_workspace_bytes(count);
}

/* As a table of the points shows it, not the smoothed one that the rules work with. */
static void lowest_value(struct diagnosis_trend *out, const struct diagnosis_input *in,
                         enum curve_column column)
{
    for (size_t i = 0; i < in->count; i++) {
        const struct point *p = &in->points[i];
        if (point_has(p, column) && isfinite(p->v[column]) && !(p->v[column] >= out->best)) {
            out->best = p->v[column];
            out->best_epoch = p->epoch;
        }
    }
}

static void trend_report(struct diagnosis_trend *out, const struct side *s,
                         const struct diagnosis_input *in, int sign)
{
    const struct series *y = &s->s;

    *out =
        (struct diagnosis_trend){.count = y->raw_count, .best = NAN, .end = NAN, .best_epoch = NAN};
    if (!s->any)
        return;
    lowest_value(out, in, y->column);
    out->end = series_value(y, s->t.end);
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

/* --- a running run ------------------------------------------------------------------------- */

/* Hysteresis without a memory: the votes of the last HOLD_POINTS prefixes are added, so that one
 * point alone rarely changes the label and changes it back. The label stays a function of the
 * points alone. A finished run's last part decides at once. */
#define HOLD_POINTS 3

static bool settled(enum pattern p)
{
    return p != PATTERN_NOT_A_NUMBER && p != PATTERN_TOO_SHORT;
}

static void hold(const struct diagnosis_input *in, const struct prediction *now, void *workspace,
                 struct diagnosis *out)
{
    double votes[PATTERN_COUNT] = {0}, prefixes = 1;
    enum pattern most = now->base.pattern;
    struct facts f;

    for (int p = 0; p < PATTERN_COUNT; p++)
        votes[p] = now->votes[p];
    for (size_t dropped = 1; dropped < HOLD_POINTS && dropped < in->count; dropped++) {
        struct diagnosis_input before = *in;
        struct prediction o;
        before.count = in->count - dropped;
        facts_measure(&f, &before, workspace);
        ensemble_classify(&f, &RULES_DEFAULT, &o);
        if (!settled(o.base.pattern))
            break;
        prefixes++;
        for (int p = 0; p < PATTERN_COUNT; p++)
            votes[p] += o.votes[p];
    }
    for (int p = 0; p < PATTERN_COUNT; p++)
        most = votes[p] > votes[most] ? (enum pattern)p : most;
    if (most == out->pattern)
        return;
    out->runner_up = out->pattern;
    out->pattern = most;
    out->test = "held";
    out->agreement = votes[most] / prefixes;
    out->confidence = fmin(out->confidence, ensemble_confidence(&f, most, out->agreement));
}

void diagnose(const struct diagnosis_input *in, void *workspace, struct diagnosis *out)
{
    struct facts f;
    struct prediction o;

    facts_measure(&f, in, workspace);
    ensemble_classify(&f, &RULES_DEFAULT, &o);
    *out = (struct diagnosis){.pattern = o.base.pattern,
                              .runner_up = o.runner_up,
                              .test = o.base.test,
                              .tags = tags_of(&f),
                              .confidence = o.confidence,
                              .agreement = o.agreement,
                              .gap = NAN,
                              .accuracy = NAN};
    trend_report(&out->train, &f.train, in, o.base.train_sign);
    trend_report(&out->val, &f.val, in, o.base.val_sign);
    if (f.train.any && f.val.any)
        out->gap = fmax(-DBL_MAX, fmin(DBL_MAX, out->train.end - out->val.end));
    if (accuracy_is_stuck(&f.accuracy))
        out->accuracy = f.accuracy.level;
    regimes_find(&f, out);
    if (in->running && settled(o.base.pattern))
        hold(in, &o, workspace, out);
    regimes_close(out);
    sentence_write(out);
}
