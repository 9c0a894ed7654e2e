/* Why a run is sick: the second half of its label. Ranked, each with its evidence, from the
 * configuration, gradients and weights, the data's findings, and sibling runs that differ in one
 * setting. Pure. */
#ifndef SWEEP_CAUSE_H
#define SWEEP_CAUSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/causes/data_facts.h"
#include "sweep/model.h"
#include "daemon/causes/run_facts.h"
#include "sweep/setting.h"

/* X(id, name, guide reference or NULL, what it says) */
#define CAUSE_MAP(X)                                                                              \
    X(LEARNING_RATE_TOO_LARGE, "learning_rate_too_large", "G4.4", "steps jump over the minimum")   \
    X(LEARNING_RATE_TOO_SMALL, "learning_rate_too_small", "G2.1",                                 \
      "steps too small to get anywhere, or out of a pit")                                         \
    X(BATCH_TOO_SMALL, "batch_too_small", "G1.2", "each batch pulls another way")                 \
    X(NOT_SHUFFLED, "not_shuffled", "G1.3", "batches are of one class after the other")           \
    X(CAPACITY_TOO_SMALL, "capacity_too_small", "G1.1", "the model cannot fit the data")          \
    X(TOO_DEEP, "too_deep", "G3.4", "deeper runs are stuck where shallower siblings learn")       \
    X(VANISHING_GRADIENT, "vanishing_gradient", "G3.2", "the first layers get no gradient")       \
    X(EXPLODING_GRADIENT, "exploding_gradient", "G3.2", "gradients grow without bound")           \
    X(DEAD_UNITS, "dead_units", "G3.2", "rectifiers that are 0 for every sample")                 \
    X(NAN_IN_INPUT, "nan_in_input", "G3.1", "the input has NaN or Inf")                           \
    X(CLIPPING_BOUNDS, "clipping_bounds", "G3.3", "value clipping turns gradients around")        \
    X(DROPOUT_TOO_STRONG, "dropout_too_strong", "G4.7", "dropout costs the ability to fit")       \
    X(VALIDATION_SET_TOO_SMALL, "validation_set_too_small", "G4.6",                               \
      "too few samples to tell anything")                                                         \
    X(LABEL_NOISE, "label_noise", NULL, "labels that contradict the data, learnt by heart late")  \
    X(OVERCAPACITY, "overcapacity", NULL, "far more parameters than the samples can determine")   \
    X(CONSTANT_PREDICTION, "constant_prediction", NULL,                                           \
      "one class is always predicted, or all classes by chance")                                  \
    X(UNKNOWN, "unknown", NULL, "nothing known explains it")

enum cause_id {
#define X(id, name, guide_ref, says) CAUSE_##id,
    CAUSE_MAP(X)
#undef X
    CAUSE_COUNT
};

#define CAUSES_MAX 4 /* ranked, UNKNOWN alone or last */

struct sibling { /* another run of the sweep on the same data */
    const struct settings *settings;
    const struct run_facts *facts;
};

struct cause_input {
    const struct run_facts *facts;
    const struct settings *settings;   /* preset applied */
    const struct layer_list *layers;   /* of a sequential model */
    const struct data_facts *data;
    int64_t parameters;                /* 0: unknown */
    const struct sibling *siblings;    /* all ended runs of the sweep but this one */
    size_t sibling_count;
};

struct cause {
    enum cause_id id;
    double weight;             /* 0..1 */
    char evidence[160];        /* with the numbers, in words */
};

struct causes {
    size_t count;              /* 0: nothing is wrong with it */
    struct cause items[CAUSES_MAX];
};

const char *cause_name(enum cause_id c);
int cause_find(const char *name); /* -1 when unknown */
const char *cause_guide_ref(enum cause_id c); /* or NULL */
const char *cause_says(enum cause_id c);
void causes_of(const struct cause_input *in, struct causes *out);

struct json_writer;
/* [{"cause":"…","weight":0.8,"evidence":"…","guide_ref":"G2.1"}, …] */
void causes_write(const struct causes *c, struct json_writer *w);

#endif
