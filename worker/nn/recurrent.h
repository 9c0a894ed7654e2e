/* What the recurrent layers have in common: PyTorch's nn.RNN, nn.GRU and nn.LSTM of one layer,
 * batch first, with both biases. A kind differs in its gates and in two kernels over one step.
 *
 * x and y are batch-major, [rows, steps, features]. Inside, everything is time-major, so that the
 * numbers of one step lie together; steps are counted in the order in which the direction takes
 * them (the reverse one begins at the end). H units, G = gates·H. */
#ifndef WORKER_NN_RECURRENT_H
#define WORKER_NN_RECURRENT_H

#include <stdbool.h>
#include <stddef.h>

#include "worker/nn/layer.h"

/* One step of one direction, forwards. Matrices lie row after row without gaps. In evaluation
 * `before` and the new state are the same memory: a kernel reads index i before it writes it. */
struct recurrent_step {
    size_t rows, units;
    const real *from_x;           /* [rows,G] x_t·W_ihᵀ */
    const real *from_h;           /* [rows,G] h_{t-1}·W_hhᵀ */
    const real *bias_x, *bias_h;  /* [G] */
    const real *h_before;         /* [rows,H] */
    real *h;                      /* [rows,H] */
    const real *own_before;       /* [rows,own·H] what the kind keeps, of the step before */
    real *own;
};

/* The same step backwards. */
struct recurrent_slope {
    size_t rows, units;
    const real *h_before, *h, *own_before, *own; /* as the forward pass left them */
    real *dh;      /* [rows,H] in: dL/dh_t. Out, if `leaks`: what reaches h_{t-1} past W_hh */
    real *dc;      /* [rows,H] dL/dc_t → dL/dc_{t-1}, 0 at the start; a memory cell's gradient */
    real *d_from_x, *d_from_h; /* [rows,G]; the same memory unless `splits` */
};

struct recurrent_kind {
    size_t gates; /* blocks of H rows in the weights */
    size_t own;   /* numbers per unit that backward needs besides h */
    bool splits;  /* from_x and from_h have different gradients */
    bool leaks;   /* h_{t-1} acts on h_t not only through W_hh */
    void (*step)(const struct recurrent_step *s);
    void (*slope)(const struct recurrent_slope *s);
};

int recurrent_shape(struct layer *l, const struct recurrent_kind *kind, size_t rows,
                    struct errbuf *err);
void recurrent_forward(const struct layer *l, const struct recurrent_kind *kind,
                       const struct pass *p, const real *x, real *y);
void recurrent_backward(const struct layer *l, const struct recurrent_kind *kind,
                        const struct pass *p, const struct layer_slope *s);

/* The layer_ops of a kind: layer_lstm from a struct recurrent_kind named lstm. */
#define RECURRENT_LAYER(kind)                                                                     \
    static int kind##_shape(struct layer *l, size_t rows, struct errbuf *err)                     \
    {                                                                                             \
        return recurrent_shape(l, &kind, rows, err);                                              \
    }                                                                                             \
    static void kind##_forward(const struct layer *l, const struct pass *p, const real *x,        \
                               real *y)                                                           \
    {                                                                                             \
        recurrent_forward(l, &kind, p, x, y);                                                     \
    }                                                                                             \
    static void kind##_backward(const struct layer *l, const struct pass *p,                      \
                                const struct layer_slope *s)                                      \
    {                                                                                             \
        recurrent_backward(l, &kind, p, s);                                                       \
    }                                                                                             \
    const struct layer_ops layer_##kind = {                                                       \
        .shape = kind##_shape, .forward = kind##_forward, .backward = kind##_backward}

#endif
