/* Causes that lie in the data or in how much of it there is. */
#include <math.h>

#include "common/diagnosis/cause_look.h"

double cause_not_shuffled(const struct look *l, char *evidence)
{
    const struct run_facts *f = l->f;
    if (l->v[SETTING_SHUFFLE] != 0)
        return 0;
    /* Batches of one class are learnt by heart one after the other: some near 0, some far off. */
    double swings = fmax(look_ramp(f->spread, 0.4, 1), look_ramp(f->batch_max, 2, 5));
    double weight = 0.3 + 0.65 * swings;
    look_say(evidence, "the samples come in the file's order; batches of an epoch differ by %.2g "
             "of the loss, the highest is %.2g times it", f->spread, f->batch_max);
    return l->sick || swings > 0.5 ? weight : 0.3;
}

double cause_nan_in_input(const struct look *l, char *evidence)
{
    if (!(l->data->has_nan || l->data->has_inf) || l->v[SETTING_ON_NAN] != ON_NAN_HOLD)
        return 0;
    look_say(evidence, "the input has values that are not numbers, and they are trained on");
    return l->f->pattern == PATTERN_NOT_A_NUMBER ? 0.99 : 0.5;
}

/* Of n samples the share of right answers is known to ±2 √(p(1-p)/n) only. */
double cause_validation_set_too_small(const struct look *l, char *evidence)
{
    double n = (double)l->data->validation_samples;
    double p = isfinite(l->f->best_val_acc) ? l->f->best_val_acc : 0.5;
    if (n <= 0 || l->exploded || l->stuck)
        return 0;
    look_say(evidence, "%.0f validation samples: the accuracy is known to +-%.0f %% only", n,
             100 * 2 * sqrt(fmax(p * (1 - p), 0.1) / n));
    return 0.95 * look_ramp(log10(n), 2, 1.1);
}

/* Cross entropy of one who knows all but that a share of the labels is drawn at random: errors
 * that are spread evenly over the other classes. True confusions are between few, and cost less. */
static double even_errors(double right, double classes)
{
    double wrong = fmax(1 - right, 1e-6);
    return -right * log(fmax(right, 1e-6)) - wrong * log(wrong / (classes - 1));
}

double cause_label_noise(const struct look *l, char *evidence)
{
    const struct run_facts *f = l->f;
    double classes = (double)l->data->classes;
    if (classes < 2 || l->stuck || l->exploded || !isfinite(f->best_val_acc))
        return 0;
    double even = isfinite(l->guess) ? f->best_val / even_errors(f->best_val_acc, classes) : NAN;
    double lost = f->best_val_acc - f->end_val_acc, gap = f->end_train_acc - f->end_val_acc;
    double weight = look_ramp(1 - f->best_val_acc, 0.1, 0.25);
    weight *= look_either(0.6 * look_ramp(lost, 0.01, 0.06), 0.7 * look_ramp(even, 0.7, 0.95));
    weight *= 0.5 + 0.5 * look_ramp(gap, 0.05, 0.2);
    look_say(evidence, "validation accuracy %.3g at best, %.3g at the end, training accuracy %.3g; "
             "loss / that of evenly spread errors: %.2g", f->best_val_acc, f->end_val_acc,
             f->end_train_acc, even);
    return weight;
}

double cause_overcapacity(const struct look *l, char *evidence)
{
    const struct run_facts *f = l->f;
    double per_sample = (double)l->in->parameters / (double)l->data->train_samples;
    bool overfits = f->pattern == PATTERN_OVERFITTING || f->pattern == PATTERN_OVERFITTING_RISING;
    if (l->in->parameters == 0 || l->exploded || l->stuck)
        return 0;
    double learnt = look_ramp(f->end_train / f->end_val, 0.6, 0.2);
    double weight = 0.85 * look_ramp(log10(per_sample), 0.5, 2.5) * learnt;
    look_say(evidence, "%lld parameters for %lld samples; training loss %.3g, validation loss %.3g",
             (long long)l->in->parameters, (long long)l->data->train_samples, f->end_train,
             f->end_val);
    return overfits ? weight : 0.5 * weight;
}
