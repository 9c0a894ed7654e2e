/* The one table of everything that can be set, and so swept, in a run: path, type, range,
 * default. The spec parser, the worker's configuration, docs/spec.md and the search space all
 * read it. A new setting is one row.
 *
 * Every value is a double: integers exactly, a switch as 0/1, a choice as its index. */
#ifndef SWEEP_SETTING_H
#define SWEEP_SETTING_H

#include <stdbool.h>
#include <stddef.h>

struct errbuf;
struct json;
struct json_writer;

enum setting_type { SETTING_REAL, SETTING_INTEGER, SETTING_SWITCH, SETTING_CHOICE };

/* X(id, dotted path, short name or NULL, type, min, max, default, choices separated by '|' or
 * NULL, what it is). Ranges are inclusive; a REAL row whose min is 0 and whose doc begins with
 * "> 0" excludes zero (setting_check). For a CHOICE min..max are the indices. */
#define SETTING_MAP(X)                                                                             \
    X(LIMIT, "data.limit", NULL, INTEGER, 0, 4294967295.0, 0, NULL,                                \
      "only the first so many samples; 0: all")                                                    \
    X(VALIDATION, "data.validation", NULL, INTEGER, 0, 4294967295.0, 0, NULL,                      \
      "samples held out of those; needed unless validation_path is given")                        \
    X(ON_NAN, "data.on_nan", NULL, CHOICE, 0, 2, 0, "hold|drop|impute",                            \
      "NaN or Inf in the input: wait for a person, leave the row out, or take the column's mean "  \
      "over the training part (G3.1)")                                                             \
    X(SCALE, "data.scale", NULL, CHOICE, 0, 2, 0, "none|standard|min_max",                         \
      "scaling of each feature, fitted on the training part only")                                 \
    X(STRATIFY, "data.stratify", NULL, SWITCH, 0, 1, 1, NULL,                                      \
      "the validation part has the classes in the same shares")                                    \
    X(MODEL_TYPE, "model.type", NULL, CHOICE, 0, 4, 0, "mlp|rnn|gru|lstm|sequential",              \
      "kind of network; sequential lists its layers")                                              \
    X(DEPTH, "model.depth", "depth", INTEGER, 0, 256, 2, NULL,                                     \
      "number of hidden blocks: hidden layers, stacked recurrent layers, or what repeat: depth "   \
      "multiplies; the guide's 4-layer net is depth 3 (G3.4)")                                     \
    X(WIDTH, "model.width", "width", INTEGER, 1, 65536, 128, NULL, "units per hidden layer")       \
    X(ACTIVATION, "model.activation", "activation", CHOICE, 0, 5, 0,                               \
      "relu|leaky_relu|elu|tanh|sigmoid|gelu", "activation of the hidden layers (G3.2)")           \
    X(INIT, "model.init", NULL, CHOICE, 0, 5, 0, "auto|he|xavier|lecun|orthogonal|zeros",          \
      "weight initialisation; auto: he for relu, leaky_relu, elu and gelu, else xavier")           \
    X(NORMALIZATION, "model.normalization", NULL, CHOICE, 0, 2, 0, "none|batch|layer",             \
      "after each hidden dense layer, before its activation (G3.2)")                               \
    X(RESIDUAL, "model.residual", NULL, SWITCH, 0, 1, 0, NULL,                                     \
      "hidden blocks of equal width add their input to their output (G3.2)")                       \
    X(DENSE_BEFORE, "model.dense_before", NULL, INTEGER, 0, 64, 1, NULL,                           \
      "rnn, gru, lstm: dense layers at each step before the recurrent ones (G1.1)")                \
    X(DENSE_AFTER, "model.dense_after", NULL, INTEGER, 0, 64, 1, NULL,                             \
      "rnn, gru, lstm: dense layers after the recurrent ones; one more is a remedy (G1.1)")        \
    X(BIDIRECTIONAL, "model.bidirectional", NULL, SWITCH, 0, 1, 0, NULL,                           \
      "rnn, gru, lstm: read the sequence from both ends")                                          \
    X(CHANNELS, "model.channels", "channels", INTEGER, 1, 65536, 16, NULL,                         \
      "for the layers of a list that name it: output channels of a convolution")                   \
    X(KERNEL, "model.kernel", "kernel", INTEGER, 1, 64, 3, NULL,                                   \
      "for the layers of a list that name it: height and width of a kernel")                       \
    X(STRIDE, "model.stride", NULL, INTEGER, 1, 64, 1, NULL,                                       \
      "for the layers of a list that name it: step of a kernel")                                   \
    X(PADDING, "model.padding", NULL, INTEGER, 0, 63, 0, NULL,                                     \
      "for the layers of a list that name it: zeros around their input")                           \
    X(POOL_SIZE, "model.pool_size", NULL, INTEGER, 1, 64, 2, NULL,                                 \
      "for the layers of a list that name it: height and width of a pooling window")               \
    X(DROPOUT, "train.dropout", "dropout", REAL, 0, 0.999, 0, NULL,                                \
      "share of each hidden layer's outputs set to 0 in training (G4.7)")                          \
    X(LOSS, "train.loss", NULL, CHOICE, 0, 5, 0,                                                   \
      "auto|cross_entropy|binary_cross_entropy|mse|mae|huber",                                     \
      "training and validation loss; auto: cross_entropy when classifying, else mse; the others "  \
      "take one-hot targets when classifying")                                                     \
    X(HUBER_DELTA, "train.huber_delta", NULL, REAL, 0, 1e6, 1, NULL,                               \
      "> 0; where huber turns from squared to absolute")                                           \
    X(PROBABILITY_CLIP, "train.probability_clip", NULL, REAL, 0, 0.1, 0, NULL,                     \
      "cross_entropy: probabilities are clipped to [this, 1]; the guide's is 1e-10 (G3.2)")        \
    X(LOSS_REDUCTION, "train.loss_reduction", NULL, CHOICE, 0, 1, 0, "mean|sum",                   \
      "over the batch, of the loss whose gradient is followed; curves always have the mean")       \
    X(CLASS_WEIGHTS, "train.class_weights", NULL, CHOICE, 0, 1, 0, "none|balanced",                \
      "balanced: each class weighs samples / (classes x samples of the class)")                    \
    X(OPTIMIZER, "train.optimizer", "optimizer", CHOICE, 0, 7, 4,                                  \
      "sgd|momentum|nesterov|rmsprop|adam|adamw|adagrad|adadelta", "optimizer (G2.2)")             \
    X(LEARNING_RATE, "train.learning_rate", "learning_rate", REAL, 0, 1e6, 1e-3, NULL,             \
      "> 0; step size, tried from large to small (G2.1)")                                          \
    X(BATCH_SIZE, "train.batch_size", "batch_size", INTEGER, 1, 1048576, 32, NULL,                 \
      "samples per step (G1.2)")                                                                   \
    X(MOMENTUM, "train.momentum", NULL, REAL, 0, 1, 0.9, NULL, "of momentum and nesterov")         \
    X(BETA1, "train.beta1", NULL, REAL, 0, 0.999999, 0.9, NULL, "of adam and adamw (G2.2)")        \
    X(BETA2, "train.beta2", NULL, REAL, 0, 0.999999, 0.999, NULL, "of adam and adamw (G2.2)")      \
    X(ALPHA, "train.alpha", NULL, REAL, 0, 0.999999, 0.99, NULL, "smoothing of rmsprop")           \
    X(RHO, "train.rho", NULL, REAL, 0, 0.999999, 0.95, NULL, "decay of adadelta (G2.2)")           \
    X(EPSILON, "train.epsilon", NULL, REAL, 0, 1, 1e-8, NULL,                                      \
      "> 0; added to the denominator by adam, adamw, rmsprop, adagrad, adadelta (G2.2)")           \
    X(WEIGHT_DECAY, "train.weight_decay", NULL, REAL, 0, 1000, 0.01, NULL,                         \
      "of adamw: decoupled from the gradient; weights, not biases")                                \
    X(L2, "train.l2", NULL, REAL, 0, 1000, 0, NULL,                                                \
      "adds this x half the squared norm of the weights, not biases, to the loss (G3.2)")          \
    X(L2_GRADIENT, "train.l2_gradient", NULL, SWITCH, 0, 1, 1, NULL,                               \
      "off: the l2 term is reported but not followed, as in the guide's snippet (G3.2)")           \
    X(CLIP, "train.clip", NULL, CHOICE, 0, 3, 0, "none|value|norm|global_norm",                    \
      "clips the loss's gradient, before l2: each number, each tensor's norm, or the norm of all " \
      "(G3.2)")                                                                                    \
    X(CLIP_MIN, "train.clip_min", NULL, REAL, -1e30, 1e30, -1, NULL,                               \
      "clip value: lower bound; bounds that are not symmetric can raise the loss (G3.3)")          \
    X(CLIP_MAX, "train.clip_max", NULL, REAL, -1e30, 1e30, 1, NULL, "clip value: upper bound")     \
    X(CLIP_NORM, "train.clip_norm", NULL, REAL, 0, 1e30, 1, NULL,                                  \
      "> 0; clip norm and global_norm: largest norm")                                              \
    X(PRESET, "train.preset", NULL, CHOICE, 0, 1, 0, "none|guide_g3_2",                            \
      "guide_g3_2: the guide's snippet to the letter; it fixes optimizer, learning_rate, "         \
      "momentum, loss, loss_reduction, probability_clip, l2, l2_gradient and the clip settings")   \
    X(SCHEDULE, "train.schedule", NULL, CHOICE, 0, 5, 0,                                           \
      "constant|step|exponential|cosine|one_cycle|plateau", "how the learning rate changes")       \
    X(WARMUP_EPOCHS, "train.warmup_epochs", NULL, REAL, 0, 1e6, 0, NULL,                           \
      "epochs in which the learning rate rises evenly from 0, before the schedule")                \
    X(SCHEDULE_EPOCHS, "train.schedule_epochs", NULL, INTEGER, 1, 1000000, 10, NULL,               \
      "step: epochs between two cuts; plateau: epochs without improvement before one")             \
    X(SCHEDULE_FACTOR, "train.schedule_factor", NULL, REAL, 0, 1, 0.5, NULL,                       \
      "> 0; step and plateau: multiplies the learning rate; exponential: once an epoch")           \
    X(SCHEDULE_FLOOR, "train.schedule_floor", NULL, REAL, 0, 1, 0, NULL,                           \
      "cosine and plateau: smallest learning rate, as a share of learning_rate")                   \
    X(PATIENCE, "train.patience", NULL, INTEGER, 0, 1000000, 0, NULL,                              \
      "epochs without a better metric after which the run ends; 0: never (G4.8)")                  \
    X(MIN_DELTA, "train.min_delta", NULL, REAL, 0, 1e30, 0, NULL,                                  \
      "patience: by how much better counts")                                                       \
    X(FREEZE, "train.freeze", NULL, INTEGER, 0, 16384, 0, NULL,                                    \
      "the first so many layers that have weights keep those they started with (G3.2)")            \
    X(SHUFFLE, "train.shuffle", NULL, SWITCH, 0, 1, 1, NULL,                                       \
      "new order of the samples each epoch (G1.3)")                                                \
    X(POINTS_PER_EPOCH, "train.points_per_epoch", NULL, INTEGER, 1, 1000, 1, NULL,                 \
      "curve points per epoch")                                                                    \
    X(TRAIN_LOSS_EVAL, "train.train_loss_eval", NULL, SWITCH, 0, 1, 0, NULL,                       \
      "measure the loss of the training part in evaluation mode too (G4.6)")

enum setting_id {
#define X(id, path, name, type, min, max, def, choices, doc) SETTING_##id,
    SETTING_MAP(X)
#undef X
    SETTING_COUNT
};

/* The choices as numbers, in the order of their rows. */
enum on_nan { ON_NAN_HOLD, ON_NAN_DROP, ON_NAN_IMPUTE };
enum scale { SCALE_NONE, SCALE_STANDARD, SCALE_MIN_MAX };
enum model_type { MODEL_MLP, MODEL_RNN, MODEL_GRU, MODEL_LSTM, MODEL_SEQUENTIAL, MODEL_TYPE_COUNT };
enum activation {
    ACTIVATION_RELU,
    ACTIVATION_LEAKY_RELU,
    ACTIVATION_ELU,
    ACTIVATION_TANH,
    ACTIVATION_SIGMOID,
    ACTIVATION_GELU,
    ACTIVATION_COUNT
};
enum init { INIT_AUTO, INIT_HE, INIT_XAVIER, INIT_LECUN, INIT_ORTHOGONAL, INIT_ZEROS };
enum normalization { NORMALIZATION_NONE, NORMALIZATION_BATCH, NORMALIZATION_LAYER };
enum loss_kind {
    LOSS_AUTO,
    LOSS_CROSS_ENTROPY,
    LOSS_BINARY_CROSS_ENTROPY,
    LOSS_MSE,
    LOSS_MAE,
    LOSS_HUBER,
    LOSS_COUNT
};
enum loss_reduction { REDUCTION_MEAN, REDUCTION_SUM };
enum class_weights { CLASS_WEIGHTS_NONE, CLASS_WEIGHTS_BALANCED };
enum optimizer {
    OPTIMIZER_SGD,
    OPTIMIZER_MOMENTUM,
    OPTIMIZER_NESTEROV,
    OPTIMIZER_RMSPROP,
    OPTIMIZER_ADAM,
    OPTIMIZER_ADAMW,
    OPTIMIZER_ADAGRAD,
    OPTIMIZER_ADADELTA,
    OPTIMIZER_COUNT
};
enum clip { CLIP_NONE, CLIP_VALUE, CLIP_NORM, CLIP_GLOBAL_NORM };
enum preset { PRESET_NONE, PRESET_GUIDE_G3_2 };
enum schedule_kind {
    SCHEDULE_CONSTANT,
    SCHEDULE_STEP,
    SCHEDULE_EXPONENTIAL,
    SCHEDULE_COSINE,
    SCHEDULE_ONE_CYCLE,
    SCHEDULE_PLATEAU,
    SCHEDULE_COUNT
};

struct setting {
    const char *path;    /* "train.learning_rate" */
    const char *name;    /* short name or NULL */
    enum setting_type type;
    double min, max, fallback;
    const char *choices; /* "a|b|c" or NULL */
    const char *doc;
};

struct settings {
    double v[SETTING_COUNT];
};

const struct setting *setting_get(enum setting_id id);
/* By dotted path or short name; -1 when unknown. */
int setting_find(const char *name);
/* The name people use for it: the short one where there is one. */
const char *setting_label(enum setting_id id);
void settings_init(struct settings *s); /* all defaults */

/* The choice with that index ("adam"), "" when out of range. */
const char *setting_choice_name(enum setting_id id, int index, char out[32]);
/* JSON value → double, checked against type and range; err names key (a JSON path given by the
 * caller), value and what is allowed, with a near miss for choices. 0, ERR_TYPE or ERR_VALUE. */
int setting_from_json(enum setting_id id, const struct json *v, const char *key, double *out,
                      struct errbuf *err);
void setting_to_json(enum setting_id id, double value, struct json_writer *w);
/* As people read it ("adam", "0.001", "true"). out[32] */
void setting_format(enum setting_id id, double value, char out[32]);

/* Reads the settings in the nested "data", "model" and "train" objects; the keys there that are
 * no settings ("data.path", "model.layers", …) are passed over. Unknown keys are ERR_KEY with a
 * near miss. seen (SETTING_COUNT flags, may be NULL) is set for keys that were given. */
int settings_from_json(struct settings *s, const struct json *root, bool *seen,
                       struct errbuf *err);
/* The members of one section ("train") into an open object. */
void settings_to_json(const struct settings *s, const char *section, struct json_writer *w);
/* The settings that the preset names take its values (train.preset). */
void settings_apply_preset(struct settings *s);

/* What preset guide_g3_2 fixes that setting to; false when it leaves it alone. */
bool setting_preset_value(enum setting_id id, double *out);

#endif
