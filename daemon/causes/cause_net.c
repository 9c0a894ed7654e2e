/* Causes that lie in the network: depth, width, gradients on their way back, dropout. */
#include <math.h>

#include "daemon/causes/cause_look.h"

#define RNN_STEPS_FROM 20 /* a plain recurrence forgets within some tens of steps (Bengio 1994) */
#define RNN_STEPS_TO 100

double cause_capacity_too_small(const struct look *l, char *evidence)
{
    const struct run_facts *f = l->f;
    const struct sibling *wider = l->near[SETTING_WIDTH].higher;
    const struct sibling *deeper = l->near[SETTING_DEPTH].higher;
    bool by_width = look_better(l, wider), by_depth = look_better(l, deeper);
    double per_sample = (double)l->in->parameters / (double)l->data->train_samples;
    if (f->pattern != PATTERN_BOTTLENECK && f->pattern != PATTERN_OSCILLATING)
        return 0;
    double small = l->in->parameters > 0 ? look_ramp(log10(per_sample), 0.3, -1) : 0;
    double weight = (l->stuck ? 0.25 : 0.5) * small * (1 - 0.7 * l->disturbed);
    weight = look_either(weight, by_width || by_depth ? 0.6 : 0);
    if (by_width || by_depth)
        look_say(evidence, "a run that differs only in %s %.0f came to %.4g against %.4g",
                 by_width ? "width" : "depth",
                 by_width ? wider->settings->v[SETTING_WIDTH] : deeper->settings->v[SETTING_DEPTH],
                 (by_width ? wider : deeper)->facts->best_val, f->best_val);
    else
        look_say(evidence, "%lld parameters for %lld samples; training loss stays at %.4g",
                 (long long)l->in->parameters, (long long)l->data->train_samples, f->end_train);
    return weight;
}

double cause_too_deep(const struct look *l, char *evidence)
{
    const struct run_facts *f = l->f;
    const struct sibling *shallower = l->near[SETTING_DEPTH].lower;
    if ((l->stuck || l->exploded) && look_better(l, shallower)) {
        look_say(evidence, "depth %.0f does not learn; a run that differs only in a depth of %.0f "
                 "came to %.4g against %.4g (G3.4)", l->depth,
                 shallower->settings->v[SETTING_DEPTH], shallower->facts->best_val, f->best_val);
        return 0.95;
    }
    bool residual = l->v[SETTING_RESIDUAL] != 0;
    look_say(evidence, "%.0f hidden layers%s and the training loss never got below %.4g", l->depth,
             residual ? "" : ", none of them residual,", f->best_train);
    if (l->stuck || l->exploded)
        return 0.75 * look_ramp(log2(l->depth), 2, 4) * (residual ? 0.5 : 1);
    /* Plain nets get worse from some 20 layers on, though they learn (He et al. 2016). */
    return residual ? 0 : 0.6 * look_ramp(log2(l->depth), 3, 4) * look_ramp(l->left, 0.02, 0.08);
}

double cause_vanishing_gradient(const struct look *l, char *evidence)
{
    const struct run_facts *f = l->f;
    double lost = 0.95 * look_ramp(log10(f->grad_ratio + 1e-30), -2, -4);
    double steps = (double)l->data->steps;
    double forgets = l->plain_rnn ? 0.8 * look_ramp(steps, RNN_STEPS_FROM, RNN_STEPS_TO) : 0;
    if (f->dead >= 0.99)
        lost *= 0.5; /* a dead layer passes none on either */
    lost *= (l->stuck ? 1 : 0.5) * (1 - 0.7 * l->disturbed);
    forgets *= look_ramp(l->left, 0.05, 0.3); /* not where it has learnt what there is to learn */
    double weight = fmax(lost, forgets) * (l->exploded ? 0.5 : 1);
    if (lost >= forgets)
        look_say(evidence, "the first layer's gradient is %.2g of the last's (median), through "
                 "%.0f hidden layers", f->grad_ratio, l->depth);
    else
        look_say(evidence, "a plain recurrence over %.0f steps: gradients shrink at each; training "
                 "loss stays at %.4g", steps, f->end_train);
    return weight;
}

double cause_exploding_gradient(const struct look *l, char *evidence)
{
    const struct run_facts *f = l->f;
    double growth = f->max_grad_norm / f->first_grad_norm;
    double weight = 0;
    if (l->exploded)
        weight = 0.6 * look_ramp(log10(growth), 0.5, 2);
    weight = look_either(weight, 0.6 * look_ramp(log10(f->grad_ratio), 1.5, 3));
    if (f->pattern == PATTERN_NOT_A_NUMBER)
        weight = look_either(weight, 0.3);
    if (l->exploded && l->plain_rnn)
        weight = look_either(weight, 0.5);
    look_say(evidence, "gradient norm from %.3g up to %.3g; the first layer's is %.2g of "
             "the last's",
             f->first_grad_norm, f->max_grad_norm, f->grad_ratio);
    return weight * (l->sick ? 1 : 0.5);
}

double cause_dead_units(const struct look *l, char *evidence)
{
    const struct run_facts *f = l->f;
    bool all = f->dead >= 0.99; /* what is behind such a layer never sees the input */
    double weight = 0.95 * look_ramp(f->dead, 0.5, 0.95) * (l->stuck || all ? 1 : 0.5);
    weight *= 1 - 0.7 * l->disturbed;
    look_say(evidence, "in one layer %.0f %% of the rectifiers are 0 for every sample",
             100 * f->dead);
    return l->exploded ? 0.5 * weight : weight;
}

double cause_dropout_too_strong(const struct look *l, char *evidence)
{
    const struct run_facts *f = l->f;
    const struct sibling *less = l->near[SETTING_DROPOUT].lower;
    double rate = l->layer_dropout;
    bool better = look_better(l, less);
    if (rate == 0)
        return 0;
    /* Half is usual (Srivastava et al. 2014). What it costs in training alone shows as a gap; what
     * it costs altogether as a plateau. */
    double gap = (f->end_train - f->end_val) / fabs(f->end_val);
    double shows = l->exploded ? 0 : fmax(look_ramp(gap, 0, 0.3), l->stuck ? 1 : 0);
    double weight = 0.3 + 0.65 * look_ramp(rate, 0.4, 0.85);
    weight *= l->exploded ? 0 : 0.2 + 0.8 * shows;
    weight = look_either(weight, 0.8 * look_ramp(rate, 0.5, 0.85));
    weight = look_either(weight, better ? 0.6 : 0);
    look_say(evidence, "dropout %.2g; training loss %.4g, validation loss %.4g without it%s", rate,
             f->end_train, f->end_val, better ? "; a run with less came lower" : "");
    return weight;
}
