/* Remedies by softer targets and by means: labels and samples that are no longer exactly those that
 * can be learnt by heart, and weights that do not follow each batch. Strengths and what they are
 * worth: docs/decisions/0020-remedies-by-noise-and-means.md. */
#include <math.h>

#include "daemon/causes/remedy_change.h"

#define SMOOTHING 0.05
#define MIXUP 0.2
#define MEAN_EPOCHS 1.0 /* that a running mean of the weights reaches back */
#define MEAN_STEPS 20.0 /* at least */
#define NOISE 0.01

/* Only classes have labels that can be spread. */
static bool has_labels(const struct remedy_context *c, const struct treatment *t)
{
    double loss = t->settings.v[SETTING_LOSS];
    return c->data->classes > 0 &&
           (loss == LOSS_AUTO || loss == LOSS_CROSS_ENTROPY || loss == LOSS_BINARY_CROSS_ENTROPY);
}

bool remedy_label_smoothing(const struct remedy_context *c, struct treatment *t)
{
    return has_labels(c, t) && t->settings.v[SETTING_LABEL_SMOOTHING] == 0 &&
           remedy_set(t, SETTING_LABEL_SMOOTHING, SMOOTHING);
}

/* A batch of one has nothing to be mixed with. */
bool remedy_mixup(const struct remedy_context *c, struct treatment *t)
{
    return t->settings.v[SETTING_BATCH_SIZE] > 1 && t->settings.v[SETTING_MIXUP] == 0 &&
           remedy_set(t, SETTING_MIXUP, MIXUP);
}

/* The mean begins with the weights of the first step, so what it reaches back must be little beside
 * the training. Without the number of samples nothing is known of that. */
bool remedy_ema(const struct remedy_context *c, struct treatment *t)
{
    double batch = t->settings.v[SETTING_BATCH_SIZE], samples = (double)c->data->train_samples;
    double steps = fmax(MEAN_EPOCHS * ceil(samples / batch), MEAN_STEPS);
    if (t->settings.v[SETTING_AVERAGE] != AVERAGE_NONE || samples < 1 ||
        steps * 2 > ceil(samples / batch) * (double)t->epochs)
        return false;
    remedy_set(t, SETTING_AVERAGE_DECAY, 1 - 1 / steps);
    return remedy_set(t, SETTING_AVERAGE, AVERAGE_EMA);
}

/* Over fewer than two epochs it is no mean. */
bool remedy_swa(const struct remedy_context *c, struct treatment *t)
{
    double over = floor(t->settings.v[SETTING_AVERAGE_START] * (double)t->epochs);
    return t->settings.v[SETTING_AVERAGE] == AVERAGE_NONE && (double)t->epochs - over >= 2 &&
           remedy_set(t, SETTING_AVERAGE, AVERAGE_SWA);
}

bool remedy_gradient_noise(const struct remedy_context *c, struct treatment *t)
{
    return t->settings.v[SETTING_GRADIENT_NOISE] == 0 &&
           remedy_set(t, SETTING_GRADIENT_NOISE, NOISE);
}
