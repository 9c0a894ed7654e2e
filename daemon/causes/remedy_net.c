/* Remedies that change the network. */
#include <math.h>

#include "daemon/causes/remedy_change.h"
#include "sweep/model.h"

#define WIDTH_FACTOR 4.0
#define BATCH_NORM_LEAST 4   /* samples: the statistics of fewer are noise (Wu & He 2018) */

static double value(const struct treatment *t, enum setting_id id)
{
    return t->settings.v[id];
}

static bool is_list(const struct treatment *t)
{
    return value(t, SETTING_MODEL_TYPE) == MODEL_SEQUENTIAL;
}

/* Units that all begin alike stay alike: no structure learns from weights that are all 0. */
static bool learns_nothing(const struct treatment *t)
{
    return value(t, SETTING_INIT) == INIT_ZEROS && t->start_from == 0;
}

static bool add_to(struct treatment *t, enum setting_id id, double more)
{
    return remedy_set(t, id, value(t, id) + more);
}

/* --- depth ---------------------------------------------------------------------------------- */

/* Recurrent nets: behind the recurrent layers, as the guide's (G1.1). */
bool remedy_more_dense(const struct remedy_context *c, struct treatment *t)
{
    if (learns_nothing(t))
        return false;
    if (is_list(t))
        return layers_append_dense(t);
    return add_to(t, model_is_recurrent(&t->settings) ? SETTING_DENSE_AFTER : SETTING_DEPTH, 1);
}

bool remedy_one_layer_fewer(const struct remedy_context *c, struct treatment *t)
{
    if (learns_nothing(t))
        return false;
    if (is_list(t))
        return layers_drop_one(t);
    if (value(t, SETTING_DEPTH) > 1)
        return add_to(t, SETTING_DEPTH, -1);
    if (model_is_recurrent(&t->settings) && value(t, SETTING_DENSE_AFTER) > 0)
        return add_to(t, SETTING_DENSE_AFTER, -1);
    return model_is_recurrent(&t->settings) && value(t, SETTING_DENSE_BEFORE) > 0 &&
           add_to(t, SETTING_DENSE_BEFORE, -1);
}

/* Depth by a factor as width by one: a step down from 25 layers is no other structure. */
bool remedy_shallower(const struct remedy_context *c, struct treatment *t)
{
    double depth = value(t, SETTING_DEPTH);
    if (learns_nothing(t))
        return false;
    if (is_list(t))
        return layers_shallower(t);
    return depth >= REMEDY_DEPTH_FACTOR &&
           remedy_set(t, SETTING_DEPTH, floor(depth / REMEDY_DEPTH_FACTOR));
}

/* --- width ---------------------------------------------------------------------------------- */

static bool scale_width(struct treatment *t, double factor)
{
    double width = value(t, SETTING_WIDTH);
    if (learns_nothing(t))
        return false;
    if (is_list(t))
        return layers_scale_width(t, factor);
    return remedy_scaled_width(&width, factor) && remedy_set(t, SETTING_WIDTH, width);
}

bool remedy_smaller_net(const struct remedy_context *c, struct treatment *t)
{
    return scale_width(t, 1 / WIDTH_FACTOR);
}

bool remedy_larger_net(const struct remedy_context *c, struct treatment *t)
{
    return scale_width(t, WIDTH_FACTOR);
}

/* --- activation, initialisation, normalisation, residuals ----------------------------------- */

/* Not of recurrent nets: what a recurrence's gradient goes through is its own tanh. */
bool remedy_other_activation(const struct remedy_context *c, struct treatment *t)
{
    if (learns_nothing(t) || model_is_recurrent(&t->settings))
        return false;
    if (is_list(t))
        return layers_other_activation(t);
    return remedy_set(t, SETTING_ACTIVATION,
                      remedy_activation_instead(value(t, SETTING_ACTIVATION)));
}

/* He's for rectifiers and their kin, Xavier's for what saturates (auto says the same of
 * model.activation). */
bool remedy_initialisation(const struct remedy_context *c, struct treatment *t)
{
    double now = value(t, SETTING_INIT);
    double activation = is_list(t) ? layers_activation(t) : value(t, SETTING_ACTIVATION);
    bool saturates = activation == ACTIVATION_TANH || activation == ACTIVATION_SIGMOID;
    double auto_for = value(t, SETTING_ACTIVATION);
    bool auto_saturates = auto_for == ACTIVATION_TANH || auto_for == ACTIVATION_SIGMOID;
    double fits = saturates ? INIT_XAVIER : INIT_HE;
    if (now == INIT_AUTO)
        now = auto_saturates ? INIT_XAVIER : INIT_HE;
    return now != fits && t->start_from == 0 && remedy_set(t, SETTING_INIT, fits);
}

/* Not of plain recurrences: their gradient is lost between the steps, where no layer lies. */
bool remedy_batch_norm(const struct remedy_context *c, struct treatment *t)
{
    bool few = value(t, SETTING_BATCH_SIZE) < BATCH_NORM_LEAST;
    if (learns_nothing(t) || (few && !model_is_recurrent(&t->settings)) ||
        value(t, SETTING_MODEL_TYPE) == MODEL_RNN)
        return false;
    if (is_list(t))
        return layers_normalise(t);
    if (value(t, SETTING_NORMALIZATION) != NORMALIZATION_NONE)
        return false;
    return remedy_set(t, SETTING_NORMALIZATION,
                      model_is_recurrent(&t->settings) ? NORMALIZATION_LAYER : NORMALIZATION_BATCH);
}

bool remedy_lstm(const struct remedy_context *c, struct treatment *t)
{
    if (is_list(t))
        return layers_lstm(t);
    return value(t, SETTING_MODEL_TYPE) == MODEL_RNN &&
           remedy_set(t, SETTING_MODEL_TYPE, MODEL_LSTM);
}

bool remedy_residual(const struct remedy_context *c, struct treatment *t)
{
    if (learns_nothing(t))
        return false;
    return is_list(t) ? layers_residual(t) : remedy_set(t, SETTING_RESIDUAL, 1);
}

/* --- dropout -------------------------------------------------------------------------------- */

static double none_of(double rate)
{
    return 0;
}

static double half_of(double rate)
{
    return rate / 2;
}

static bool change_dropout(struct treatment *t, double change(double rate))
{
    if (is_list(t))
        return layers_dropout(t, change);
    return remedy_set(t, SETTING_DROPOUT, change(value(t, SETTING_DROPOUT)));
}

/* The layers stay where they are, at rate 0: so the others keep their names, and weights fit. */
bool remedy_no_dropout(const struct remedy_context *c, struct treatment *t)
{
    return change_dropout(t, none_of);
}

bool remedy_less_dropout(const struct remedy_context *c, struct treatment *t)
{
    return change_dropout(t, half_of);
}

bool remedy_more_dropout(const struct remedy_context *c, struct treatment *t)
{
    return change_dropout(t, remedy_more_of_dropout) || (is_list(t) && layers_insert_dropout(t));
}
