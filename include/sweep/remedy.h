/* The remedies by name: the daemon applies them (daemon/causes/remedy.h), the client completes
 * them. */
#ifndef SWEEP_REMEDY_MAP_H
#define SWEEP_REMEDY_MAP_H

#include <assert.h>
#include <stdbool.h>
#include <stdint.h>

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
    X(IMPUTE, "impute", "G3.1", "column means in place of what is not a number")                  \
    X(LABEL_SMOOTHING, "label_smoothing", NULL,                                                   \
      "a twentieth of each label spread over all classes")                                        \
    X(MIXUP, "mixup", NULL, "samples of a batch mixed in pairs: mixup 0.2")                       \
    X(EMA, "ema", NULL, "a running mean of the weights, over an epoch")                           \
    X(SWA, "swa", NULL, "the mean of the weights at the ends of the last epochs")                 \
    X(GRADIENT_NOISE, "gradient_noise", NULL, "normal noise on the gradient, less with each step")

enum remedy {
#define X(id, name, guide_ref, does) REMEDY_##id,
    REMEDY_MAP(X)
#undef X
    REMEDY_COUNT
};

/* Some of them, one bit each. */
typedef uint64_t remedy_bits;
static_assert(REMEDY_COUNT <= 64, "one bit for each remedy");

static inline bool remedy_in(remedy_bits set, enum remedy r)
{
    return set >> (unsigned)r & 1;
}

#endif
