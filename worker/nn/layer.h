/* A layer: shapes, its tensors within the network's arena, and a small table of functions.
 * Kinds of layers differ in their table only; net.c never asks which kind it has. */
#ifndef WORKER_NN_LAYER_H
#define WORKER_NN_LAYER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/model.h"
#include "sweep/shape.h"
#include "worker/nn/real.h"

#define LAYER_TENSORS_MAX 8
#define LAYER_NAME_MAX 48

struct errbuf;
struct layer;

enum tensor_role {
    TENSOR_WEIGHT, /* drawn at the start; l2 and weight decay apply */
    TENSOR_BIAS,   /* starts with `start`; neither applies (also the scale of a normalisation) */
    TENSOR_BUFFER, /* not trained: running mean and variance */
};

/* Named and laid out as PyTorch's module of that kind has it. */
struct tensor {
    const char *name; /* "weight", "bias_hh_l0_reverse"; static */
    enum tensor_role role;
    size_t rank, dim[4];
    size_t fan_in, fan_out; /* of a weight: numbers that one output sums, and one input feeds */
    double start;
    real *value, *grad;     /* set by the network; grad NULL for a buffer */
};

/* What one pass over the network knows. */
struct pass {
    size_t rows;         /* samples in the batch */
    bool training;       /* dropout acts, normalisations use the batch */
    uint64_t seed, step; /* of the run; optimizer steps done: the dropout masks' stream */
    real *scratch;       /* shared by all layers, as large as the largest wish */
};

/* What a layer meets on the way back. */
struct layer_slope {
    const real *x, *y; /* [rows,in], [rows,out] as the forward pass in training mode left them */
    const real *dy;    /* [rows,out] dL/dy */
    real *dx;          /* [rows,in] dL/dx, to be written; NULL: nobody asks for it */
};

struct layer_ops {
    /* Forward may be called with y == x and backward with dx == dy; then x is not kept, and
     * backward must not read it (it gets y in its place). */
    bool in_place;
    /* Backward (its own, or that of the residual block it begins) reads y, so the next layer must
     * not work in place on it. */
    bool reads_y;
    /* y is x: forward and backward do nothing to the numbers. In place as well. */
    bool view;
    /* From l->in, l->plan and the largest number of rows: out, tensors (all but value and grad),
     * keep_count, scratch_count, products. Errors name the layer and both shapes (layer_refuse). */
    int (*shape)(struct layer *l, size_t rows, struct errbuf *err);
    /* x[rows,in] → y[rows,out] */
    void (*forward)(const struct layer *l, const struct pass *p, const real *x, real *y);
    /* From dy the gradients of the tensors (overwritten, not added to) and, unless it is NULL,
     * dx. keep: as the forward pass in training mode left it. */
    void (*backward)(const struct layer *l, const struct pass *p, const struct layer_slope *s);
};

struct layer {
    const struct layer_ops *ops;
    const struct plan_layer *plan;
    char name[LAYER_NAME_MAX];   /* its module's path in PyTorch: "3", "4.body.0" */
    struct shape in, out;        /* of one sample */
    size_t in_count, out_count;  /* numbers of one sample */
    size_t tensor_count;
    struct tensor tensors[LAYER_TENSORS_MAX];
    size_t keep_count;           /* numbers in keep, for all rows together */
    size_t scratch_count;        /* numbers in pass.scratch, for all rows together */
    double products;             /* of a weight and a number, forward, for one sample */
    real *y;                     /* [rows,out], set by the network */
    real *keep;                  /* between forward and backward of one step */
    size_t outputs;              /* units of the output layer: what the task asks for */
    struct layer *partner;       /* the end of a residual block: its beginning */
    size_t number;               /* place in the network: the dropout masks' stream */
};

/* Of a layer's kind (and function); one row of a table, one file. */
const struct layer_ops *layer_ops_of(const struct plan_layer *p);
/* By enum activation. */
const struct layer_ops *layer_activation(enum activation a);

extern const struct layer_ops layer_dense, layer_rnn, layer_gru, layer_lstm, layer_conv2d,
    layer_max_pool, layer_avg_pool, layer_batch_norm, layer_layer_norm, layer_dropout,
    layer_flatten, layer_residual_begin, layer_residual_end;

/* Adds a tensor of rank 1 or more; the unused dims are 0. */
struct tensor *layer_add_tensor(struct layer *l, const char *name, enum tensor_role role,
                                size_t rank, const size_t *dim);
size_t tensor_count(const struct tensor *t);
/* "layer 3 (conv2d) takes …; its input is [10]": ERR_VALUE; needs says what it takes. */
int layer_refuse(const struct layer *l, const char *needs, struct errbuf *err);
/* The option's value as a whole number. */
static inline size_t layer_option(const struct layer *l, enum layer_option o)
{
    return (size_t)l->plan->value[o];
}

#endif
