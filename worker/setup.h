/* From a configuration and the shape of its data to a network that is ready to be trained. */
#ifndef WORKER_SETUP_H
#define WORKER_SETUP_H

#include "sweep/run_config.h"
#include "worker/data/samples.h"
#include "worker/data/split.h"
#include "worker/step.h"

struct errbuf;

struct setup {
    struct settings settings; /* with the preset applied */
    struct model_plan model;  /* the network refers to it */
    real *class_weights;      /* [classes] or NULL */
    double *report;           /* step.loss.report, or NULL */
    struct step step;
    real *best;               /* copy that takes the best values; NULL: not asked for */
    void *mixing;             /* the room of step.mixup, or NULL */
};

/* Would setup_open refuse this? Takes no memory. Errors have key "$.model" or the setting's. *flop
 * (may be NULL): of training on one sample. */
int setup_check(const struct run_config *c, const struct samples *s, double *flop,
                struct errbuf *err);
/* Builds everything, draws the weights or reads those to start with (config->start_weights).
 * ERR_VALUE, ERR_LIMIT, or what weights_read says. */
int setup_open(struct setup *out, const struct run_config *c, const struct samples *s,
               const struct split *split, struct errbuf *err);
void setup_close(struct setup *s);

#endif
