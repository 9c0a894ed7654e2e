/* What the remedies do, one function each; remedy.c has the table that says which belongs to
 * which, and checks what comes out. */
#ifndef SWEEPD_REMEDY_CHANGE_H
#define SWEEPD_REMEDY_CHANGE_H

#include "daemon/causes/remedy.h"

/* Changes t and returns true; false where there is nothing to change, and t is then thrown away:
 * it may be half changed. */
typedef bool remedy_change(const struct remedy_context *c, struct treatment *t);

/* --- remedy_change.c: the single steps ------------------------------------------------------- */

/* True where that is another value than before. */
bool remedy_set(struct treatment *t, enum setting_id id, double value);
/* The activation that is tried in its place (G3.2: tanh or ELU instead of ReLU). */
double remedy_activation_instead(double activation);
/* Width that much larger, and false outside what layers may have. */
bool remedy_scaled_width(double *width, double factor);
double remedy_more_of_dropout(double rate);

#define REMEDY_DROPOUT_START 0.3
#define REMEDY_DEPTH_FACTOR 4

/* --- the remedies ---------------------------------------------------------------------------- */

/* remedy_train.c: how it is trained */
remedy_change remedy_rate_up, remedy_rate_down, remedy_other_optimizer, remedy_sgd_last,
    remedy_batch_up, remedy_batch_down, remedy_shuffle, remedy_pre_train, remedy_clip_and_l2,
    remedy_clip_by_norm, remedy_l2, remedy_early_stopping, remedy_more_epochs, remedy_cosine;
/* remedy_noise.c: what keeps it from learning samples by heart and following each batch */
remedy_change remedy_label_smoothing, remedy_mixup, remedy_ema, remedy_swa, remedy_gradient_noise;
/* remedy_data.c: what it is trained on and measured by */
remedy_change remedy_scale_input, remedy_larger_validation, remedy_eval_train, remedy_impute;
/* remedy_net.c: the network. Where the model lists its layers, those of remedy_layers.c do it. */
remedy_change remedy_more_dense, remedy_one_layer_fewer, remedy_shallower,
    remedy_other_activation, remedy_batch_norm, remedy_lstm, remedy_residual, remedy_no_dropout,
    remedy_less_dropout, remedy_more_dropout,
    remedy_smaller_net, remedy_larger_net, remedy_initialisation;

/* remedy_layers.c: the same for a written list */
bool layers_scale_width(struct treatment *t, double factor);
bool layers_append_dense(struct treatment *t);
bool layers_drop_one(struct treatment *t);
bool layers_shallower(struct treatment *t); /* where one is repeated */
bool layers_other_activation(struct treatment *t);
bool layers_normalise(struct treatment *t);
bool layers_lstm(struct treatment *t);
bool layers_residual(struct treatment *t);
/* Every dropout rate becomes change(rate). */
bool layers_dropout(struct treatment *t, double change(double rate));
bool layers_insert_dropout(struct treatment *t);
/* The activation that most of its layers have. */
double layers_activation(const struct treatment *t);

#endif
