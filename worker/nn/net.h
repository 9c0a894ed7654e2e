/* A network: a list of layers over one arena. Trained numbers lie in one run, followed by the
 * buffers (running means); the gradients in another with the layout of the first, so an optimizer
 * sees flat vectors. */
#ifndef WORKER_NN_NET_H
#define WORKER_NN_NET_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/model.h"
#include "worker/nn/arena.h"
#include "worker/nn/layer.h"

struct errbuf;

#define NET_COPIES_MAX 4

struct net_plan {
    const struct model_plan *model; /* outlives the network */
    struct shape input;    /* of one sample */
    size_t outputs;        /* numbers of the output layer, of each step for a whole sequence */
    enum init init;        /* not auto: see init_resolve */
    size_t train_rows;     /* largest batch that is trained on */
    size_t eval_rows;      /* most rows of an evaluation; net.eval_rows is what fits the cache */
    size_t copies;         /* further vectors of value_count: optimizer, best weights */
    size_t freeze;         /* the first so many layers with weights are not trained */
};

/* A run of trained numbers that the optimizer treats alike: one tensor. */
struct net_span {
    size_t first, count;
    bool is_weight; /* l2 and weight decay apply */
};

struct net {
    struct net_plan plan;
    struct arena arena;
    struct layer *layers;
    size_t layer_count;
    struct shape output;      /* of one sample: [outputs], or [steps, outputs] */
    size_t eval_rows;         /* rows of one evaluation pass */
    size_t parameter_count;   /* trained numbers, frozen ones included */
    size_t value_count;       /* and the buffers */
    double flop;              /* of training on one sample: a whole number, products only */
    size_t first_trained;     /* numbers before it are frozen */
    size_t first_layer;       /* layers before it are: no gradient goes back to them */
    real *values, *gradients; /* [value_count], [parameter_count]: tensors of each layer in order */
    real *copies[NET_COPIES_MAX]; /* [value_count] each, zeroed */
    size_t span_count;
    struct net_span *spans;   /* every trained tensor, frozen ones left out, in order */
    real *input;              /* [rows, features], filled by the caller */
    real *output_grad;        /* [rows, output], filled by the loss */
    real *spare_grad;         /* the other buffer of the backward pass */
    real *scratch;
    uint64_t seed;
};

/* What is known of a network that was not made. */
struct net_size {
    struct shape output; /* of one sample */
    double flop;
};

/* What net_init would refuse: shapes, and the memory it takes. */
int net_check(const struct net_plan *plan, struct net_size *out, struct errbuf *err);
/* Allocates everything and draws the weights. ERR_VALUE when shapes do not fit (the message names
 * the layer and both shapes), ERR_LIMIT when it does not fit into memory. */
int net_init(struct net *n, const struct net_plan *plan, uint64_t seed, struct errbuf *err);
void net_finish(struct net *n);

/* input[rows] → outputs[rows, output] (in the workspace). step: optimizer steps done. */
const real *net_forward(struct net *n, size_t rows, bool training, uint64_t step);
/* After net_forward in training mode with the same rows and step, output_grad filled: the
 * gradients of all that is trained are written. output_grad is overwritten. */
void net_backward(struct net *n, size_t rows, uint64_t step);

#endif
