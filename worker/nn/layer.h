/* A layer: shapes, its parameters within the network's arena, and a small table of functions.
 * Kinds of layers differ in their table only; net.c never asks which kind it has. */
#ifndef WORKER_NN_LAYER_H
#define WORKER_NN_LAYER_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/setting.h"
#include "worker/nn/real.h"

struct layer;

struct layer_ops {
    const char *name;
    bool in_place; /* forward may write over its input, backward over dy */
    size_t (*weight_count)(const struct layer *l);
    size_t (*bias_count)(const struct layer *l);
    /* x[rows,in] → y[rows,out] */
    void (*forward)(const struct layer *l, size_t rows, const real *x, real *y);
    /* From dy[rows,out] the gradients of the parameters (overwritten, not added to) and, unless
     * dx is NULL, dx[rows,in]. x, y: as in forward; an in-place layer gets its y for both. */
    void (*backward)(const struct layer *l, size_t rows, const real *x, const real *y,
                     const real *dy, real *dx);
};

struct layer {
    const struct layer_ops *ops;
    size_t in, out;           /* numbers per sample */
    real *weight, *bias;      /* [out,in] and [out]; NULL where the kind has none */
    real *weight_grad, *bias_grad;
    real *y;                  /* output of the last forward pass, in the workspace */
};

extern const struct layer_ops layer_dense;
/* By enum activation. */
const struct layer_ops *layer_activation(enum activation a);

#endif
