/* Initial weights. */
#ifndef WORKER_NN_INIT_H
#define WORKER_NN_INIT_H

#include <stdbool.h>
#include <stdint.h>

#include "sweep/setting.h"

struct tensor;

/* auto: he for relu, leaky_relu, elu and gelu; xavier for tanh and sigmoid. */
enum init init_resolve(enum init chosen, enum activation activation);
/* Draws t->value[tensor_count(t)] of a weight (not of biases or buffers). Uniform in
 * ±√(3·variance):
 *   he (He et al. 2015)              2/fan_in, or 1/fan_in for the linear output layer
 *   xavier (Glorot & Bengio 2010)    2/(fan_in + fan_out)
 *   lecun (LeCun et al. 1998)        1/fan_in
 * orthogonal (Saxe et al. 2014, gain 1) makes the shorter of rows [dim 0] and columns [all the
 * others] orthonormal, distributed evenly over all such matrices; zeros needs no seed.
 * init is not auto. number counts the network's weights from 0: it names the stream, so that a
 * weight does not depend on how large the others are. */
void init_tensor(const struct tensor *t, enum init init, bool output_layer, uint64_t seed,
                 uint64_t number);

#endif
