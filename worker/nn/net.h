/* A feed-forward network: a list of layers over one arena. Parameters lie in one run of numbers,
 * their gradients in another with the same layout, so an optimizer sees two flat vectors. */
#ifndef WORKER_NN_NET_H
#define WORKER_NN_NET_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/setting.h"
#include "worker/nn/arena.h"
#include "worker/nn/layer.h"

struct errbuf;

#define NET_COPIES_MAX 4

struct net_plan {
    size_t features, classes;
    size_t depth, width;   /* hidden layers and their units */
    enum activation activation;
    enum init init;
    size_t train_rows;     /* largest batch that is trained on */
    size_t eval_rows;      /* largest batch that is only evaluated */
    size_t copies;         /* further vectors of the parameters' size: optimizer, best weights */
};

struct net {
    struct net_plan plan;
    struct arena arena;
    struct layer *layers; /* dense, activation, dense, activation, …, dense */
    size_t layer_count;
    size_t parameter_count;
    real *parameters, *gradients; /* [parameter_count]: weight, bias of each layer in order */
    real *copies[NET_COPIES_MAX]; /* zeroed */
    real *input;                  /* [rows, features], filled by the caller */
    real *output_grad;            /* [rows, classes], filled by the loss */
    real *spare_grad;             /* the other buffer of the backward pass */
};

/* Allocates everything and draws the weights. ERR_LIMIT when it does not fit. */
int net_init(struct net *n, const struct net_plan *plan, uint64_t seed, struct errbuf *err);
void net_finish(struct net *n);

/* input[rows] → outputs[rows, classes] (in the workspace). */
const real *net_forward(struct net *n, size_t rows);
/* After net_forward with the same rows, output_grad filled: all gradients are written.
 * output_grad is overwritten. */
void net_backward(struct net *n, size_t rows);

#endif
