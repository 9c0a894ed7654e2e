/* What reading and writing of a weights file have in common. */
#ifndef WORKER_WEIGHTS_PART_H
#define WORKER_WEIGHTS_PART_H

#include "worker/nn/net.h"

#define WEIGHTS_LENGTH_BYTES 8 /* the header's length, little-endian */
#define WEIGHTS_NAME_MAX (LAYER_NAME_MAX + 40)

/* "2.body.0.weight" */
void weights_tensor_name(const struct layer *l, const struct tensor *t, char out[WEIGHTS_NAME_MAX]);

#endif
