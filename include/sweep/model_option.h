/* The options of layers as rows like those of settings. */
#ifndef SWEEP_MODEL_OPTION_H
#define SWEEP_MODEL_OPTION_H

#include "sweep/model.h"

/* path is the option's name. */
const struct setting *layer_option_row(enum layer_option o);
/* NAN when a layer of that kind does not have the option. */
double layer_option_default(enum layer_kind k, enum layer_option o);

#endif
