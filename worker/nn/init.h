/* Initial weights. */
#ifndef WORKER_NN_INIT_H
#define WORKER_NN_INIT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/setting.h"
#include "worker/nn/real.h"

/* auto: he for relu and elu, xavier for tanh. */
enum init init_resolve(enum init chosen, enum activation activation);
/* Half-width of the uniform distribution. he (He et al. 2015): variance 2/in, or 1/in for the
 * linear output layer; xavier (Glorot & Bengio 2010): variance 2/(in+out). */
double init_bound(enum init init, size_t in, size_t out, bool output_layer);
/* weight[count] from stream RNG_INIT number `layer` (dense layers from 0), so that a layer's
 * weights do not depend on how many others there are. */
void init_weights(real *weight, size_t count, double bound, uint64_t seed, uint64_t layer);

#endif
