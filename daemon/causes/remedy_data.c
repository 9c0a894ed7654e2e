/* Remedies that change what a run is trained on, or measured by. */
#include <math.h>

#include "daemon/causes/remedy_change.h"

#define HELD_OUT 10 /* one in so many; where it is so already, twice that */

bool remedy_scale_input(const struct remedy_context *c, struct treatment *t)
{
    return remedy_set(t, SETTING_SCALE, SCALE_STANDARD);
}

/* Not where the validation set is a file of its own. */
bool remedy_larger_validation(const struct remedy_context *c, struct treatment *t)
{
    double all = (double)(c->data->train_samples + c->data->validation_samples);
    double held = t->settings.v[SETTING_VALIDATION], more = floor(all / HELD_OUT);
    if (held >= more)
        more *= 2;
    return held > 0 && more > held && remedy_set(t, SETTING_VALIDATION, more);
}

bool remedy_eval_train(const struct remedy_context *c, struct treatment *t)
{
    return remedy_set(t, SETTING_TRAIN_LOSS_EVAL, 1);
}

bool remedy_impute(const struct remedy_context *c, struct treatment *t)
{
    return c->data->has_nan && t->settings.v[SETTING_ON_NAN] == ON_NAN_HOLD &&
           remedy_set(t, SETTING_ON_NAN, ON_NAN_IMPUTE);
}
