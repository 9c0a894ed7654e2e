/* Causes that lie in the network: depth, width, backward gradients, dropout. */
#include <math.h>

#include "daemon/causes/cause_features.h"

#define RNN_STEPS_FROM 20 /* a plain recurrence forgets within some tens of steps (Bengio 1994) */
#define RNN_STEPS_TO 100

double cause_capacity_too_small(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    const struct sibling *wider = x->near[SETTING_WIDTH].higher;
    const struct sibling *deeper = x->near[SETTING_DEPTH].higher;
    bool by_width = sibling_better(x, wider), by_depth = sibling_better(x, deeper);
    double per_sample = (double)x->in->parameters / (double)x->data->train_samples;
    if (f->pattern != PATTERN_BOTTLENECK && f->pattern != PATTERN_OSCILLATING)
        return 0;
    double small = x->in->parameters > 0 ? score_ramp(log10(per_sample), 0.3, -1) : 0;
    double weight = (x->stuck ? 0.25 : 0.5) * small * (1 - 0.7 * x->disturbed);
    weight = score_noisy_or(weight, by_width || by_depth ? 0.6 : 0);
    if (by_width || by_depth)
        evidence_printf(evidence, "a run that differs only in %s %.0f came to %.4g against %.4g",
                        by_width ? "width" : "depth",
                        by_width ? wider->settings->v[SETTING_WIDTH]
                                 : deeper->settings->v[SETTING_DEPTH],
                        (by_width ? wider : deeper)->facts->best_val, f->best_val);
    else
        evidence_printf(evidence, "%lld parameters for %lld samples; training loss stays at %.4g",
                        (long long)x->in->parameters, (long long)x->data->train_samples,
                        f->end_train);
    return weight;
}

double cause_too_deep(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    const struct sibling *shallower = x->near[SETTING_DEPTH].lower;
    if ((x->stuck || x->exploded) && sibling_better(x, shallower)) {
        evidence_printf(evidence,
                        "depth %.0f does not learn; a run that differs only in a depth of %.0f "
                        "came to %.4g against %.4g (G3.4)",
                        x->depth, shallower->settings->v[SETTING_DEPTH], shallower->facts->best_val,
                        f->best_val);
        return 0.95;
    }
    bool residual = x->v[SETTING_RESIDUAL] != 0;
    evidence_printf(evidence, "%.0f hidden layers%s and the training loss never got below %.4g",
                    x->depth, residual ? "" : ", none of them residual,", f->best_train);
    if (x->stuck || x->exploded)
        return 0.75 * score_ramp(log2(x->depth), 2, 4) * (residual ? 0.5 : 1);
    /* Plain nets get worse from some 20 layers on, though they learn (He et al. 2016). */
    return residual ? 0 : 0.6 * score_ramp(log2(x->depth), 3, 4) * score_ramp(x->left, 0.02, 0.08);
}

double cause_vanishing_gradient(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    double lost = 0.95 * score_ramp(log10(f->grad_ratio + 1e-30), -2, -4);
    double steps = (double)x->data->steps;
    double forgets = x->plain_rnn ? 0.8 * score_ramp(steps, RNN_STEPS_FROM, RNN_STEPS_TO) : 0;
    if (f->dead >= 0.99)
        lost *= 0.5; /* a dead layer passes none on either */
    lost *= (x->stuck ? 1 : 0.5) * (1 - 0.7 * x->disturbed);
    forgets *= score_ramp(x->left, 0.05, 0.3); /* not where it has learnt what there is to learn */
    double weight = fmax(lost, forgets) * (x->exploded ? 0.5 : 1);
    if (lost >= forgets)
        evidence_printf(evidence,
                        "the first layer's gradient is %.2g of the last's (median), through "
                        "%.0f hidden layers",
                        f->grad_ratio, x->depth);
    else
        evidence_printf(evidence,
                        "a plain recurrence over %.0f steps: gradients shrink at each; training "
                        "loss stays at %.4g",
                        steps, f->end_train);
    return weight;
}

double cause_exploding_gradient(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    double growth = f->max_grad_norm / f->first_grad_norm;
    double weight = 0;
    if (x->exploded)
        weight = 0.6 * score_ramp(log10(growth), 0.5, 2);
    weight = score_noisy_or(weight, 0.6 * score_ramp(log10(f->grad_ratio), 1.5, 3));
    if (f->pattern == PATTERN_NOT_A_NUMBER)
        weight = score_noisy_or(weight, 0.3);
    if (x->exploded && x->plain_rnn)
        weight = score_noisy_or(weight, 0.5);
    evidence_printf(evidence,
                    "gradient norm from %.3g up to %.3g; the first layer's is %.2g of "
                    "the last's",
                    f->first_grad_norm, f->max_grad_norm, f->grad_ratio);
    return weight * (x->sick ? 1 : 0.5);
}

double cause_dead_units(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    bool all = f->dead >= 0.99; /* what is behind such a layer never sees the input */
    double weight = 0.95 * score_ramp(f->dead, 0.5, 0.95) * (x->stuck || all ? 1 : 0.5);
    weight *= 1 - 0.7 * x->disturbed;
    evidence_printf(evidence, "in one layer %.0f %% of the rectifiers are 0 for every sample",
                    100 * f->dead);
    return x->exploded ? 0.5 * weight : weight;
}

double cause_dropout_too_strong(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    const struct sibling *less = x->near[SETTING_DROPOUT].lower;
    double rate = x->layer_dropout;
    bool better = sibling_better(x, less);
    if (rate == 0)
        return 0;
    /* Half is usual (Srivastava et al. 2014). What it costs in training alone shows as a gap; what
     * it costs altogether as a plateau. */
    double gap = (f->end_train - f->end_val) / fabs(f->end_val);
    double shows = x->exploded ? 0 : fmax(score_ramp(gap, 0, 0.3), x->stuck ? 1 : 0);
    double weight = 0.3 + 0.65 * score_ramp(rate, 0.4, 0.85);
    weight *= x->exploded ? 0 : 0.2 + 0.8 * shows;
    weight = score_noisy_or(weight, 0.8 * score_ramp(rate, 0.5, 0.85));
    weight = score_noisy_or(weight, better ? 0.6 : 0);
    evidence_printf(evidence, "dropout %.2g; training loss %.4g, validation loss %.4g without it%s",
                    rate, f->end_train, f->end_val, better ? "; a run with less came lower" : "");
    return weight;
}
