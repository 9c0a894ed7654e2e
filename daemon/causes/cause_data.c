/* Causes that lie in the data or in how much of it there is. */
#include <math.h>

#include "daemon/causes/cause_features.h"

double cause_not_shuffled(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    if (x->v[SETTING_SHUFFLE] != 0)
        return 0;
    /* Batches of one class are learnt by heart one after the other: some near 0, some far off. */
    double swings = fmax(score_ramp(f->spread, 0.4, 1), score_ramp(f->batch_max, 2, 5));
    evidence_printf(evidence,
                    "the samples come in the file's order%s; batches of an epoch differ by %.2g "
                    "of the loss, the highest is %.2g times it",
                    x->data->is_sorted ? ", which is that of their targets" : "", f->spread,
                    f->batch_max);
    if (x->data->is_sorted)
        return 0.96;
    return x->sick ? 0.3 + 0.4 * swings : 0.3;
}

double cause_nan_in_input(const struct cause_features *x, char *evidence)
{
    if (!(x->data->has_nan || x->data->has_inf) || x->v[SETTING_ON_NAN] != ON_NAN_HOLD)
        return 0;
    evidence_printf(evidence, "the input has values that are not numbers, and they are trained on");
    return x->f->pattern == PATTERN_NOT_A_NUMBER ? 0.99 : 0.5;
}

/* Of n samples the share of right answers is known to ±2 √(p(1-p)/n) only. */
double cause_validation_set_too_small(const struct cause_features *x, char *evidence)
{
    double n = (double)x->data->validation_samples;
    double p = isfinite(x->f->best_val_acc) ? x->f->best_val_acc : 0.5;
    if (n <= 0 || x->exploded || x->stuck)
        return 0;
    evidence_printf(evidence, "%.0f validation samples: the accuracy is known to +-%.0f %% only", n,
                    100 * 2 * sqrt(fmax(p * (1 - p), 0.1) / n));
    return 0.95 * score_ramp(log10(n), 2, 1.1);
}

/* Cross entropy of one who knows all but that a share of the labels is drawn at random: errors
 * that are spread evenly over the other classes. True confusions are between few, and cost less. */
static double even_errors(double right, double classes)
{
    double wrong = fmax(1 - right, 1e-6);
    return -right * log(fmax(right, 1e-6)) - wrong * log(wrong / (classes - 1));
}

/* Something that is off when validating makes the training loss higher. */
static bool trains_handicapped(const struct cause_features *x)
{
    return x->layer_dropout > 0 || x->v[SETTING_NORMALIZATION] == NORMALIZATION_BATCH ||
           x->v[SETTING_CLASS_WEIGHTS] != CLASS_WEIGHTS_NONE;
}

/* The training part is answered worse than samples that were never seen: by more standard errors
 * than chance explains, and than half a point's fall does (the mean over a point lags behind). */
static double worse_where_trained(const struct cause_features *x)
{
    const struct run_facts *f = x->f;
    double one = f->spread * f->end_train * sqrt(x->v[SETTING_BATCH_SIZE]); /* sd of a sample */
    double error =
        one * sqrt(1 / (double)x->data->train_samples + 1 / (double)x->data->validation_samples);
    if (isfinite(f->val_noise)) /* from one point to the next */
        error = hypot(error, f->val_noise);
    double lag = fmax(f->mid_train - f->end_train, 0) / fmax(f->points, 1);
    double gap = f->end_train - f->end_val - lag;
    return trains_handicapped(x)
               ? 0
               : score_ramp(gap / error, 2, 5) * score_ramp(gap / f->end_val, 0.02, 0.08);
}

/* The same of the shares of right answers, when the validation loss was best. */
static double fewer_right_where_trained(const struct cause_features *x)
{
    const struct run_facts *f = x->f;
    double p = f->best_val_acc;
    double error =
        sqrt(p * (1 - p) *
             (1 / (double)x->data->train_samples + 1 / (double)x->data->validation_samples));
    double lead = f->best_val_acc - f->best_val_train_acc - 2 * error;
    double early = score_ramp(f->best_val_epoch, 1, 3); /* before, the mean lags too far behind */
    return trains_handicapped(x) ? 0 : early * score_ramp(lead, 0.02, 0.1);
}

/* Wrong labels are learnt by heart late, and that costs right answers. */
static double unlearnt(const struct cause_features *x)
{
    const struct run_facts *f = x->f;
    return score_ramp(f->best_val_acc - f->end_val_acc, 0.02, 0.08) *
           score_ramp(f->end_train_acc - f->end_val_acc, 0.05, 0.2);
}

double cause_label_noise(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    double classes = (double)x->data->classes;
    if (classes < 2 || x->stuck || x->exploded || !isfinite(f->best_val_acc))
        return 0;
    double even = isfinite(x->guess) ? f->best_val / even_errors(f->best_val_acc, classes) : NAN;
    double spread = score_ramp(even, 0.7, 0.95) * score_ramp(classes, 3, 6) *
                    score_ramp(1 - f->best_val_acc, 0.1, 0.25);
    double weight =
        score_noisy_or(0.8 * worse_where_trained(x), 0.8 * fewer_right_where_trained(x));
    weight = score_noisy_or(weight, 0.5 * unlearnt(x));
    weight = score_noisy_or(weight, 0.3 * spread);
    evidence_printf(evidence,
                    "validation accuracy %.3g at best, with %.3g in training, and %.3g at the "
                    "end, with %.3g; loss / that of evenly spread errors: %.2g",
                    f->best_val_acc, f->best_val_train_acc, f->end_val_acc, f->end_train_acc, even);
    return weight * (1 - 0.7 * x->disturbed);
}

/* Everything is learnt by heart, and little of it holds elsewhere. */
double cause_overcapacity(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    double per_sample = (double)x->in->parameters / (double)x->data->train_samples;
    if (x->in->parameters == 0 || x->exploded || x->stuck)
        return 0;
    double learnt = score_ramp(f->end_train / f->end_val, 0.6, 0.2);
    evidence_printf(
        evidence, "%lld parameters for %lld samples; training loss %.3g, validation loss %.3g",
        (long long)x->in->parameters, (long long)x->data->train_samples, f->end_train, f->end_val);
    return 0.85 * score_ramp(log10(per_sample), 0.5, 2.5) * learnt;
}

/* Says what the network does, where others say why: it ranks behind those that are firm. */
double cause_constant_prediction(const struct cause_features *x, char *evidence)
{
    const struct run_facts *f = x->f;
    if (!(f->tags >> DIAGNOSIS_TAG_CONSTANT_ACCURACY & 1u) || x->data->classes < 2 || !x->sick)
        return 0;
    bool measured = isfinite(f->end_val_acc);
    evidence_printf(evidence, "%s accuracy %.3g at the end and %.3g at best, with %lld classes",
                    measured ? "validation" : "training",
                    measured ? f->end_val_acc : f->end_train_acc,
                    measured ? f->best_val_acc : f->best_train_acc, (long long)x->data->classes);
    return 0.35;
}
