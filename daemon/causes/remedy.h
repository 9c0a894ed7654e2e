/* What is done about a label: a change of the configuration, tried as a new run that is compared
 * with its parent. One row here is one remedy; which pattern and cause it answers, and in which
 * order, is in daemon/causes/remedy_order.c. */
#ifndef SWEEP_REMEDY_H
#define SWEEP_REMEDY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/causes/cause.h"
#include "sweep/pattern.h"
#include "sweep/setting.h"

/* X(id, name, guide reference or NULL where it is ours, what it does) */
#define REMEDY_MAP(X)                                                                             \
    X(LEARNING_RATE_UP, "learning_rate_up", "G2.1", "learning rate x 10")                         \
    X(LEARNING_RATE_DOWN, "learning_rate_down", "G4.4", "learning rate / 10")                     \
    X(OTHER_OPTIMIZER, "other_optimizer", "G2.2", "adam; momentum where it is adam already")      \
    X(SGD_LAST, "sgd_last", "G2.2", "sgd for the last tuning")                                    \
    X(BATCH_UP, "batch_up", "G1.2", "batch size x 4")                                             \
    X(BATCH_DOWN, "batch_down", "G4.4", "batch size / 4")                                         \
    X(SHUFFLE, "shuffle", "G1.3", "a new order of the samples each epoch")                        \
    X(MORE_DENSE, "more_dense", "G1.1", "one more dense layer")                                   \
    X(ONE_LAYER_FEWER, "one_layer_fewer", "G3.4", "one layer fewer")                              \
    X(SHALLOWER, "shallower", "G3.4", "a quarter of the hidden layers, where there are 4 or more") \
    X(OTHER_ACTIVATION, "other_activation", "G3.2",                                               \
      "elu instead of relu, sigmoid or tanh")                                                     \
    X(PRE_TRAIN, "pre_train", "G3.2", "start from the weights of the sweep's best run, fine-tune") \
    X(CLIP_AND_L2, "clip_and_l2", "G3.2", "clip by global norm 1 and l2 0.0001")                  \
    X(BATCH_NORM, "batch_norm", "G3.2",                                                           \
      "batch normalisation; layer normalisation in recurrent nets")                               \
    X(LSTM, "lstm", "G3.2", "lstm instead of a plain rnn")                                        \
    X(RESIDUAL, "residual", "G3.2", "residual connections")                                       \
    X(NO_DROPOUT, "no_dropout", "G4.7", "dropout off")                                            \
    X(LESS_DROPOUT, "less_dropout", NULL, "dropout halved")                                       \
    X(MORE_DROPOUT, "more_dropout", NULL, "dropout 0.3, or a third more")                         \
    X(L2, "l2", NULL, "l2 0.001, or x 10")                                                        \
    X(SMALLER_NET, "smaller_net", NULL, "width / 4")                                              \
    X(LARGER_NET, "larger_net", NULL, "width x 4")                                                \
    X(EARLY_STOPPING, "early_stopping", NULL, "stop at the best epoch: patience")                 \
    X(MORE_EPOCHS, "more_epochs", NULL, "twice the epochs")                                       \
    X(CLIP_BY_NORM, "clip_by_norm", NULL, "clip by global norm 1, no clipping by value")          \
    X(SCALE_INPUT, "scale_input", NULL, "standardise the input")                                  \
    X(INITIALISATION, "initialisation", NULL, "the initialisation that fits the activation")      \
    X(LARGER_VALIDATION, "larger_validation", NULL,                                               \
      "a tenth of the samples held out, then a fifth")                                            \
    X(EVAL_TRAIN, "eval_train", NULL, "measure the training loss in evaluation mode too")         \
    X(COSINE, "cosine", NULL, "learning rate falls to 0 along a cosine")                          \
    X(IMPUTE, "impute", "G3.1", "column means in place of what is not a number")

enum remedy {
#define X(id, name, guide_ref, does) REMEDY_##id,
    REMEDY_MAP(X)
#undef X
    REMEDY_COUNT
};

#define REMEDIES_MAX 16

/* What a treatment changes; all are those of the parent at first. */
struct treatment {
    struct settings settings;
    struct layer_list layers;  /* of a sequential model */
    int64_t epochs;
    int64_t start_from;        /* run whose best weights it starts with; 0: none */
};

/* What a remedy may read beside the parent's configuration. */
struct remedy_context {
    const struct data_facts *data;
    int64_t donor;             /* run with the same network whose weights are kept; 0: none */
};

const char *remedy_name(enum remedy r);
int remedy_find(const char *name); /* -1 when unknown */
const char *remedy_guide_ref(enum remedy r); /* NULL: ours */
const char *remedy_does(enum remedy r);
/* Remedies for that label in order: those that the cause names, then those of the pattern alone
 * that do not speak against it; of each, the guide's first and in its order. Returns their
 * number. CAUSE_COUNT or CAUSE_UNKNOWN: the pattern's alone; PATTERN_NONE: the cause's alone. */
size_t remedies_of(enum pattern p, enum cause_id cause, enum remedy out[REMEDIES_MAX]);

/* How a run came to be that is a treatment itself. */
struct remedy_past {
    enum remedy remedy;
    enum cause_id cause;       /* of its parent */
    bool helped;               /* it came to a better metric than its parent */
};
/* The same for the next treatment of a treatment that helped: the same step once more where it can
 * be taken again (learning rate, batch, size, strength), then the remedies of its own cause, or,
 * where it has none, the parent's others. past may be NULL. */
size_t remedies_next(enum pattern p, enum cause_id cause, const struct remedy_past *past,
                     enum remedy out[REMEDIES_MAX]);
/* Changes t; false (t untouched) where it would change nothing, does not apply to this kind of
 * model or would leave a setting's range. One change of meaning at a time. A preset whose settings
 * it changes is written out first (train.preset none). */
bool remedy_apply(enum remedy r, const struct remedy_context *c, struct treatment *t);

/* What can be done about a run, the likeliest to help first. */
struct advice {
    bool known; /* it was looked for: count 0 is that nothing can be done */
    size_t count;
    enum remedy items[REMEDIES_MAX];
};
/* Remedies for that label that would change something of that configuration and are not in it
 * already. before: the remedy that the run is a treatment with; REMEDY_COUNT: none. parent NULL:
 * nothing is known of the configuration. */
void advice_find(enum pattern p, enum cause_id cause, enum remedy before,
                 const struct treatment *parent, const struct data_facts *data,
                 struct advice *out);
char *advice_names(const struct advice *a); /* JSON list, heap; NULL: not known */
/* "learning rate / 10 (G4.4)" */
#define ADVICE_TEXT_MAX 96
void advice_text(enum remedy r, char out[ADVICE_TEXT_MAX]);

/* Whether a treatment that came to a metric has cured its parent, from both patterns. change: of
 * the metric, relative, above 0 is worse; NaN: not known. */
#define REMEDY_NOT_WORSE 0.005 /* within it a metric counts as equal */
bool remedy_cured(enum pattern parent, enum pattern treated, double change);

#endif
