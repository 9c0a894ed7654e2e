/* Causes that lie in the optimizer's settings: learning rate, batch, clipping. */
#include <math.h>

#include "daemon/causes/cause_features.h"
#include "daemon/causes/optimizer_rate.h"

static double usual_rate(const struct cause_features *x)
{
    return optimizer_usual_rate(x->v[SETTING_OPTIMIZER]);
}

static double rate_of(const struct cause_features *x)
{
    return x->v[SETTING_LEARNING_RATE];
}

static double pattern_of_large_steps(const struct cause_features *x)
{
    switch (x->f->pattern) {
    case PATTERN_NOT_A_NUMBER:
    case PATTERN_DIVERGING:
        return 0.5;
    case PATTERN_OSCILLATING:
    case PATTERN_TRAIN_RISING:
        return 0.4;
    case PATTERN_BOTTLENECK:
        return 0.3;
    default:
        return 0;
    }
}

static void say_better_rate(double rate, const struct sibling *better, const struct run_facts *f,
                            char *evidence)
{
    evidence_printf(evidence,
                    "learning rate %.3g; a run that differs only in a rate of %.3g came to "
                    "%.4g against %.4g",
                    rate, better->settings->v[SETTING_LEARNING_RATE], better->facts->best_val,
                    f->best_val);
}

double cause_learning_rate_too_large(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    const struct sibling *slower = x->near[SETTING_LEARNING_RATE].lower;
    double update = f->update_ratio, rate = rate_of(x);
    bool better = sibling_better(x, slower);
    double weight = pattern_of_large_steps(x);
    update = fmax(update, f->first_update_ratio);
    /* A rate by which most of the loss was unlearnt is not too large, however large it is. */
    double harm = 0.4 + 0.6 * score_ramp(x->left, 0.1, 0.4);
    if (x->v[SETTING_INIT] != INIT_ZEROS) /* against which any step is large */
        weight = score_noisy_or(weight, 0.6 * harm * score_ramp(log10(update), -2, -1));
    weight = score_noisy_or(weight, 0.5 * harm * score_ramp(log10(rate / usual_rate(x)), 0.5, 1.5));
    weight = score_noisy_or(weight, 0.5 * x->above);
    weight = score_noisy_or(weight, better ? 0.8 : 0);
    if (better)
        say_better_rate(rate, slower, f, evidence);
    else
        evidence_printf(evidence,
                        "learning rate %.3g; a step changes a layer by %.2g of its weights; "
                        "training loss %.4g at first, %.4g at the end",
                        rate, update, f->first_train, f->end_train);
    return 0.97 * weight;
}

/* The most the weights can have moved over the whole run, were all steps in one direction, as a
 * share of their norm. Below 1 they are still about where they were drawn: only a net that is far
 * wider than ours learns so (Chizat, Oyallon, Bach 2019). */
static double way_gone(const struct cause_features *x)
{
    return x->f->update_ratio * x->steps;
}

/* Still falling as fast in the second half as in the first, or not at all. */
static double straightness(const struct cause_features *x)
{
    const struct run_facts *f = x->f;
    double first = f->first_train - f->mid_train, second = f->mid_train - f->end_train;
    if (x->stuck)
        return 1;
    return second > 0 ? score_ramp(second / first, 0.2, 0.7) : 0;
}

double cause_learning_rate_too_small(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    const struct sibling *faster = x->near[SETTING_LEARNING_RATE].higher;
    double rate = rate_of(x), way = way_gone(x);
    bool better = sibling_better(x, faster);
    if (x->exploded || f->grad_ratio < 1e-3 || f->dead >= 0.9)
        return 0; /* no gradient is another matter */
    double short_way = score_ramp(log10(way), 0, -1);
    double weight = 0.85 * short_way;
    weight = score_noisy_or(weight, 0.6 * score_ramp(log10(rate / usual_rate(x)), -0.7, -2));
    weight = score_noisy_or(weight, better ? 0.7 : 0);
    weight *= (0.3 + 0.7 * fmax(straightness(x), short_way)) * (1 - x->thrown);
    if (better)
        say_better_rate(rate, faster, f, evidence);
    else
        evidence_printf(evidence,
                        "learning rate %.3g: all %.0f steps together can move a layer by %.2g "
                        "of its weights; training loss from %.4g to %.4g",
                        rate, x->steps, way, f->first_train, f->end_train);
    return weight;
}

double cause_batch_too_small(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    const struct sibling *larger = x->near[SETTING_BATCH_SIZE].higher;
    double batch = x->v[SETTING_BATCH_SIZE];
    bool better = sibling_better(x, larger);
    if (f->pattern == PATTERN_NOT_A_NUMBER)
        return 0;
    double weight = 0.9 * score_ramp(log2(batch), 4, 0.5) * score_ramp(f->spread, 0.1, 0.8);
    weight = score_noisy_or(weight, better ? 0.6 : 0);
    if (better)
        evidence_printf(evidence,
                        "batch size %.0f; a run that differs only in a batch of %.0f came to "
                        "%.4g against %.4g",
                        batch, larger->settings->v[SETTING_BATCH_SIZE], larger->facts->best_val,
                        f->best_val);
    else
        evidence_printf(evidence,
                        "batch size %.0f; the loss differs from batch to batch by %.2g of its "
                        "level",
                        batch, f->spread);
    return weight;
}

/* Bounds on one side of 0 turn every gradient beyond them around (G3.3). */
double cause_clipping_bounds(const struct cause_features *x, char *evidence)
{
    double low = x->v[SETTING_CLIP_MIN], high = x->v[SETTING_CLIP_MAX];
    if (x->v[SETTING_CLIP] != CLIP_VALUE)
        return 0;
    if (low >= 0 || high <= 0) {
        evidence_printf(evidence,
                        "gradients are clipped to %.3g..%.3g: all that are %s become %.3g, "
                        "which turns them around",
                        low, high, low >= 0 ? "negative" : "positive", low >= 0 ? low : high);
        return 0.98;
    }
    double skew = fabs(log2(-low / high));
    evidence_printf(evidence, "gradients are clipped to %.3g..%.3g, %.2g times further on one side",
                    low, high, exp2(skew));
    return 0.7 * score_ramp(skew, 0.5, 2) * (x->sick ? 1 : 0.5);
}
