/* Losses over a batch: one table row each. */
#ifndef WORKER_NN_LOSS_H
#define WORKER_NN_LOSS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "sweep/setting.h"
#include "worker/nn/real.h"

/* What is asked of the outputs. Either labels or values. */
struct targets {
    const uint16_t *labels; /* [rows], each < classes (binary: 0 or 1 with one output) */
    const real *values;     /* [rows, outputs] */
};

struct loss {
    enum loss_kind kind;    /* not auto */
    size_t outputs;         /* numbers per row; classes, 1 for two classes (binary), or targets */
    bool sum;               /* the gradient is of the sum over the rows, not of their mean */
    real huber_delta;
    real probability_clip;  /* 0: none (G3.2) */
    real smoothing;         /* share of a label that is spread over all classes: of the gradient of
                               cross-entropies alone, what is told has nothing of it; 0: none */
    const real *class_weights; /* [classes] or NULL */
    const double *report;   /* [outputs]: what a loss of 1 is told as, for values that are trained
                               on in another unit; NULL: as 1. The gradient has nothing of it */
};

struct loss_sum {
    double loss;    /* sum of the rows' losses */
    double weight;  /* what to divide it by for the mean: rows, or the sum of their class weights */
    size_t correct; /* rows whose largest output is the label's; the first of equals counts */
};

/* auto becomes cross_entropy when classifying, else mse. */
enum loss_kind loss_resolve(enum loss_kind chosen, bool classifies);
/* Outputs a network needs: 1 for binary_cross_entropy with two classes, classes else; targets
 * when classes is 0. ERR_VALUE when the loss does not fit the task (cross-entropies of a
 * regression). */
struct errbuf;
int loss_outputs(enum loss_kind kind, size_t classes, size_t targets, size_t *outputs,
                 struct errbuf *err);
/* z[rows,outputs]: outputs of the last layer. Writes the gradient of the batch's mean (or summed)
 * loss into dz[rows,outputs] unless dz is NULL, and returns the sums. With class weights the mean
 * is PyTorch's: Σ w·loss / Σ w. */
struct loss_sum loss_compute(const struct loss *l, size_t rows, const real *z,
                             const struct targets *t, real *dz);
/* The class a row of outputs stands for; the number of classes (2 for one output of
 * binary_cross_entropy), which is none of them, when an output is not finite. */
size_t loss_class(const struct loss *l, const real *z);
/* What a loss of 1 in every output is told as: the mean of report, or 1. */
double loss_report(const struct loss *l);
/* What a loss of 1 comes to when the values' unit is `unit`: its square, or itself. */
double loss_unit(enum loss_kind kind, double unit);

#endif
