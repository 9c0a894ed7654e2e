#include "daemon/causes/remedy_change.h"

#include <math.h>

#include "sweep/model.h"

#define WIDTH_LEAST 4 /* units: fewer carry nothing through a layer */
#define DROPOUT_MOST 0.9

bool remedy_set(struct treatment *t, enum setting_id id, double value)
{
    bool changes = t->settings.v[id] != value;
    t->settings.v[id] = value;
    return changes;
}

bool remedy_scaled_width(double *width, double factor)
{
    *width = floor(*width * factor);
    return *width >= WIDTH_LEAST && *width <= setting_get(SETTING_WIDTH)->max;
}

double remedy_activation_instead(double activation)
{
    static const enum activation instead[ACTIVATION_COUNT] = {
        [ACTIVATION_RELU] = ACTIVATION_ELU, [ACTIVATION_LEAKY_RELU] = ACTIVATION_ELU,
        [ACTIVATION_GELU] = ACTIVATION_ELU, [ACTIVATION_ELU] = ACTIVATION_ELU,
        [ACTIVATION_TANH] = ACTIVATION_ELU, [ACTIVATION_SIGMOID] = ACTIVATION_ELU,
    };
    return instead[(int)activation];
}

double remedy_more_of_dropout(double rate)
{
    return rate > 0 ? fmin(rate + rate / 3, fmax(rate, DROPOUT_MOST)) : REMEDY_DROPOUT_START;
}
