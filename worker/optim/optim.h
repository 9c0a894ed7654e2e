/* Optimizers: one table row each. A step is one pass over flat vectors, a piece at a time, so
 * that gradient, state and parameters are read from memory once. PyTorch's formulas. */
#ifndef WORKER_OPTIM_OPTIM_H
#define WORKER_OPTIM_OPTIM_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/setting.h"
#include "worker/nn/net.h"
#include "worker/nn/real.h"

#define OPTIM_STATE_MAX 2

struct optim;

/* What one update works on: numbers that lie together. Nothing overlaps. A kernel copies all of it
 * into locals first: with -fno-strict-aliasing a loop up to a->n would read n again after every
 * number that it writes, and not vectorise. */
struct optim_piece {
    size_t n;
    real decay; /* decoupled weight decay of these numbers (adamw alone reads it) */
    real *p;
    const real *g;
    real *state[OPTIM_STATE_MAX]; /* NULL beyond the optimizer's state_count */
};

struct optim_ops {
    size_t state_count; /* vectors of the parameters' size, zeroed at the start */
    /* Sets coef[] for step number o->step (from 1); NULL where nothing changes with it. */
    void (*prepare)(struct optim *o);
    void (*update)(const struct optim *o, const struct optim_piece *a);
};

/* What one step does to each span of the network: asked for at points only. */
struct optim_watch {
    double *gradient2; /* [span_count] squared L2 norm of the data term's gradient, unclipped */
    double *moved2;    /* [span_count] squared L2 norm of the update */
};

struct optim {
    const struct optim_ops *ops;
    double learning_rate;    /* of this step: the schedule writes it */
    double momentum, beta1, beta2, alpha, rho, epsilon, weight_decay;
    double l2;               /* added to the gradient of weights; 0 when off or not followed */
    enum clip clip;
    double clip_min, clip_max, clip_norm;
    double noise;            /* variance of what is added to each number of the clipped gradient at
                                the first step (Neelakantan et al. 2015); 0: none */
    uint64_t seed;           /* of the noise */
    uint64_t step;           /* steps done */
    real coef[4];            /* what prepare() made for this step */
    real *state[OPTIM_STATE_MAX]; /* [parameter_count] */
    struct optim_watch *watch; /* NULL: nobody looks */
};

/* One file each. */
#define X(id, name, rate) extern const struct optim_ops optim_##name;
OPTIMIZER_MAP(X)
#undef X

/* Hyperparameters from the settings (preset applied); state[0..ops->state_count) is the caller's,
 * zeroed. */
void optim_init(struct optim *o, const struct settings *s);
/* One step over the network's trained numbers: clips the gradient of the data term, adds the l2
 * term, updates. gradients may be overwritten. Returns the squared L2 norm of the data term's
 * gradient before clipping. */
double optim_step(struct optim *o, struct net *n);
/* Half the squared norm of the weights times l2 (G3.2), whether or not it is followed. */
double optim_penalty(const struct settings *s, const struct net *n);

#endif
