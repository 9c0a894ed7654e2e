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

/* --- choices: X(id, name), by which a setting's value is an index into the rows --------------- */

#define ON_NAN_MAP(X) X(HOLD, "hold") X(DROP, "drop") X(IMPUTE, "impute")
#define SCALE_MAP(X) X(NONE, "none") X(STANDARD, "standard") X(MIN_MAX, "min_max")
#define TARGET_SCALE_MAP(X) X(NONE, "none") X(STANDARD, "standard")
#define MODEL_TYPE_MAP(X)                                                                          \
    X(MLP, "mlp") X(RNN, "rnn") X(GRU, "gru") X(LSTM, "lstm") X(SEQUENTIAL, "sequential")
#define ACTIVATION_MAP(X)                                                                          \
    X(RELU, "relu") X(LEAKY_RELU, "leaky_relu") X(ELU, "elu") X(TANH, "tanh")                      \
    X(SIGMOID, "sigmoid") X(GELU, "gelu")
#define INIT_MAP(X)                                                                                \
    X(AUTO, "auto") X(HE, "he") X(XAVIER, "xavier") X(LECUN, "lecun")                              \
    X(ORTHOGONAL, "orthogonal") X(ZEROS, "zeros")
#define NORMALIZATION_MAP(X) X(NONE, "none") X(BATCH, "batch") X(LAYER, "layer")
#define LOSS_MAP(X)                                                                                \
    X(AUTO, "auto") X(CROSS_ENTROPY, "cross_entropy")                                              \
    X(BINARY_CROSS_ENTROPY, "binary_cross_entropy") X(MSE, "mse") X(MAE, "mae")                    \
    X(HUBER, "huber")
#define REDUCTION_MAP(X) X(MEAN, "mean") X(SUM, "sum")
#define CLASS_WEIGHTS_MAP(X) X(NONE, "none") X(BALANCED, "balanced")
#define AVERAGE_MAP(X) X(NONE, "none") X(EMA, "ema") X(SWA, "swa")
/* X(id, name, usual learning rate): the worker's row of functions is optim_<name>, worker/optim/.
 * The adaptive ones move every weight by about the rate itself, whatever the gradient's size (G2.2
 * quotes 0.001 for Adam); the others by rate x gradient: PyTorch's examples and defaults. */
#define OPTIMIZER_MAP(X)                                                                           \
    X(SGD, sgd, 0.05)                                                                              \
    X(MOMENTUM, momentum, 0.01)                                                                    \
    X(NESTEROV, nesterov, 0.01)                                                                    \
    X(RMSPROP, rmsprop, 0.001)                                                                     \
    X(ADAM, adam, 0.001)                                                                           \
    X(ADAMW, adamw, 0.001)                                                                         \
    X(ADAGRAD, adagrad, 0.01)                                                                      \
    X(ADADELTA, adadelta, 1)
#define CLIP_MAP(X)                                                                                \
    X(NONE, "none") X(VALUE, "value") X(NORM, "norm") X(GLOBAL_NORM, "global_norm")
#define PRESET_MAP(X) X(NONE, "none") X(GUIDE_G3_2, "guide_g3_2")
#define SCHEDULE_MAP(X)                                                                            \
    X(CONSTANT, "constant") X(STEP, "step") X(EXPONENTIAL, "exponential") X(COSINE, "cosine")      \
    X(ONE_CYCLE, "one_cycle") X(PLATEAU, "plateau")

/* "sgd|momentum|…" of such a table. */
#define CHOICE_NAME(id, name) "|" name
#define OPTIMIZER_CHOICE(id, name, rate) "|" #name
#define CHOICES(MAP) &(MAP(CHOICE_NAME))[1]

/* --- settings ------------------------------------------------------------------------------ */

/* What a setting decides. */
enum setting_part {
    SETTING_OF_SAMPLES, /* which samples there are, and which of them are held out */
    SETTING_OF_DATA,    /* how the network gets to see them */
    SETTING_OF_MODEL,   /* the network */
    SETTING_OF_TRAIN,   /* how it learns */
};

/* Whether the range of a setting has its own lower end. */
enum setting_bound { SETTING_FROM, SETTING_ABOVE };

/* X(id, part, dotted path, short name or NULL, type, bound, min, max, default, choices or NULL,
 * what it is). For a CHOICE min..max are the indices. */
#define SETTING_MAP(X)                                                                             \
    X(LIMIT, SAMPLES, "data.limit", NULL, INTEGER, FROM, 0, 4294967295.0, 0, NULL,                 \
      "only the first so many samples; 0: all")                                                    \
    X(VALIDATION, SAMPLES, "data.validation", NULL, INTEGER, FROM, 0, 4294967295.0, 0, NULL,       \
      "samples held out of those; needed unless validation_path is given")                         \
    X(ON_NAN, SAMPLES, "data.on_nan", NULL, CHOICE, FROM, 0, ON_NAN_COUNT - 1, ON_NAN_HOLD,        \
      CHOICES(ON_NAN_MAP),                                                                         \
      "NaN or Inf in the input: wait for a person, leave the row out, or take the column's "       \
      "mean over the training part (G3.1)")                                                        \
    X(SCALE, DATA, "data.scale", NULL, CHOICE, FROM, 0, SCALE_COUNT - 1, SCALE_NONE,               \
      CHOICES(SCALE_MAP),                                                                          \
      "scaling of each feature, fitted on the training part only; where neither given nor swept: " \
      "standard for csv, tsv and libsvm")                                                          \
    X(STRATIFY, SAMPLES, "data.stratify", NULL, SWITCH, FROM, 0, 1, 1, NULL,                       \
      "the validation part has the classes in the same shares")                                    \
    X(MODEL_TYPE, MODEL, "model.type", NULL, CHOICE, FROM, 0, MODEL_TYPE_COUNT - 1, MODEL_MLP,     \
      CHOICES(MODEL_TYPE_MAP), "kind of network; sequential lists its layers")                     \
    X(DEPTH, MODEL, "model.depth", "depth", INTEGER, FROM, 0, 256, 2, NULL,                        \
      "number of hidden blocks: hidden layers, stacked recurrent layers, or what repeat: depth "   \
      "multiplies; the guide's 4-layer net is depth 3 (G3.4)")                                     \
    X(WIDTH, MODEL, "model.width", "width", INTEGER, FROM, 1, 65536, 128, NULL,                    \
      "units per hidden layer")                                                                    \
    X(ACTIVATION, MODEL, "model.activation", "activation", CHOICE, FROM, 0,                        \
      ACTIVATION_COUNT - 1, ACTIVATION_RELU, CHOICES(ACTIVATION_MAP),                              \
      "activation of the hidden layers (G3.2)")                                                    \
    X(INIT, MODEL, "model.init", NULL, CHOICE, FROM, 0, INIT_COUNT - 1, INIT_AUTO,                 \
      CHOICES(INIT_MAP),                                                                           \
      "weight initialisation; auto: he for relu, leaky_relu, elu and gelu, else xavier")           \
    X(NORMALIZATION, MODEL, "model.normalization", NULL, CHOICE, FROM, 0,                          \
      NORMALIZATION_COUNT - 1, NORMALIZATION_NONE, CHOICES(NORMALIZATION_MAP),                     \
      "after each hidden dense layer, before its activation (G3.2)")                               \
    X(RESIDUAL, MODEL, "model.residual", NULL, SWITCH, FROM, 0, 1, 0, NULL,                        \
      "hidden blocks of equal width add their input to their output (G3.2)")                       \
    X(DENSE_BEFORE, MODEL, "model.dense_before", NULL, INTEGER, FROM, 0, 64, 1, NULL,              \
      "rnn, gru, lstm: dense layers at each step before the recurrent ones (G1.1)")                \
    X(DENSE_AFTER, MODEL, "model.dense_after", NULL, INTEGER, FROM, 0, 64, 1, NULL,                \
      "rnn, gru, lstm: dense layers after the recurrent ones; one more is a remedy (G1.1)")        \
    X(BIDIRECTIONAL, MODEL, "model.bidirectional", NULL, SWITCH, FROM, 0, 1, 0, NULL,              \
      "rnn, gru, lstm: read the sequence from both ends")                                          \
    X(CHANNELS, MODEL, "model.channels", "channels", INTEGER, FROM, 1, 65536, 16, NULL,            \
      "for the layers of a list that name it: output channels of a convolution")                   \
    X(KERNEL, MODEL, "model.kernel", "kernel", INTEGER, FROM, 1, 64, 3, NULL,                      \
      "for the layers of a list that name it: height and width of a kernel")                       \
    X(STRIDE, MODEL, "model.stride", NULL, INTEGER, FROM, 1, 64, 1, NULL,                          \
      "for the layers of a list that name it: step of a kernel")                                   \
    X(PADDING, MODEL, "model.padding", NULL, INTEGER, FROM, 0, 63, 0, NULL,                        \
      "for the layers of a list that name it: zeros around their input")                           \
    X(POOL_SIZE, MODEL, "model.pool_size", NULL, INTEGER, FROM, 1, 64, 2, NULL,                    \
      "for the layers of a list that name it: height and width of a pooling window")               \
    X(DROPOUT, TRAIN, "train.dropout", "dropout", REAL, FROM, 0, 0.999, 0, NULL,                   \
      "share of each hidden layer's outputs set to 0 in training (G4.7)")                          \
    X(LOSS, TRAIN, "train.loss", NULL, CHOICE, FROM, 0, LOSS_COUNT - 1, LOSS_AUTO,                 \
      CHOICES(LOSS_MAP),                                                                           \
      "training and validation loss; auto: cross_entropy when classifying, else mse; the "         \
      "others take one-hot targets when classifying")                                              \
    X(HUBER_DELTA, TRAIN, "train.huber_delta", NULL, REAL, ABOVE, 0, 1e6, 1, NULL,                 \
      "where huber turns from squared to absolute, in what target_scale makes of the targets")     \
    X(TARGET_SCALE, TRAIN, "train.target_scale", NULL, CHOICE, FROM, 0, TARGET_SCALE_COUNT - 1,    \
      TARGET_SCALE_STANDARD, CHOICES(TARGET_SCALE_MAP),                                            \
      "regression: the network learns targets of mean 0 and variance 1 (over the training part); " \
      "curves and metrics stay in the target's own units")                                         \
    X(PROBABILITY_CLIP, TRAIN, "train.probability_clip", NULL, REAL, FROM, 0, 0.1, 0, NULL,        \
      "cross_entropy: probabilities are clipped to [this, 1]; the guide's is 1e-10 (G3.2)")        \
    X(LOSS_REDUCTION, TRAIN, "train.loss_reduction", NULL, CHOICE, FROM, 0,                        \
      REDUCTION_COUNT - 1, REDUCTION_MEAN, CHOICES(REDUCTION_MAP),                                 \
      "over the batch, of the loss whose gradient is followed; curves always have the mean")       \
    X(CLASS_WEIGHTS, TRAIN, "train.class_weights", NULL, CHOICE, FROM, 0,                          \
      CLASS_WEIGHTS_COUNT - 1, CLASS_WEIGHTS_NONE, CHOICES(CLASS_WEIGHTS_MAP),                     \
      "balanced: each class weighs samples / (classes x samples of the class)")                    \
    X(LABEL_SMOOTHING, TRAIN, "train.label_smoothing", NULL, REAL, FROM, 0, 0.999, 0, NULL,        \
      "cross-entropies: share of a label that is spread evenly over all classes; losses are told " \
      "without it")                                                                                \
    X(MIXUP, TRAIN, "train.mixup", NULL, REAL, FROM, 0, 100, 0, NULL,                              \
      "each sample of a batch is mixed with another, and so is its loss, in shares drawn from "    \
      "Beta(this, this); 0: none")                                                                 \
    X(OPTIMIZER, TRAIN, "train.optimizer", "optimizer", CHOICE, FROM, 0, OPTIMIZER_COUNT - 1,      \
      OPTIMIZER_ADAM, &(OPTIMIZER_MAP(OPTIMIZER_CHOICE))[1], "optimizer (G2.2)")                   \
    X(LEARNING_RATE, TRAIN, "train.learning_rate", "learning_rate", REAL, ABOVE, 0, 1e6, 1e-3,     \
      NULL, "step size, tried from large to small (G2.1)")                                         \
    X(BATCH_SIZE, TRAIN, "train.batch_size", "batch_size", INTEGER, FROM, 1, 1048576, 32, NULL,    \
      "samples per step (G1.2)")                                                                   \
    X(MOMENTUM, TRAIN, "train.momentum", NULL, REAL, FROM, 0, 1, 0.9, NULL,                        \
      "of momentum and nesterov")                                                                  \
    X(BETA1, TRAIN, "train.beta1", NULL, REAL, FROM, 0, 0.999999, 0.9, NULL,                       \
      "of adam and adamw (G2.2)")                                                                  \
    X(BETA2, TRAIN, "train.beta2", NULL, REAL, FROM, 0, 0.999999, 0.999, NULL,                     \
      "of adam and adamw (G2.2)")                                                                  \
    X(ALPHA, TRAIN, "train.alpha", NULL, REAL, FROM, 0, 0.999999, 0.99, NULL,                      \
      "smoothing of rmsprop")                                                                      \
    X(RHO, TRAIN, "train.rho", NULL, REAL, FROM, 0, 0.999999, 0.95, NULL,                          \
      "decay of adadelta (G2.2)")                                                                  \
    X(EPSILON, TRAIN, "train.epsilon", NULL, REAL, ABOVE, 0, 1, 1e-8, NULL,                        \
      "added to the denominator by adam, adamw, rmsprop, adagrad, adadelta (G2.2)")                \
    X(WEIGHT_DECAY, TRAIN, "train.weight_decay", NULL, REAL, FROM, 0, 1000, 0.01, NULL,            \
      "of adamw: decoupled from the gradient; weights, not biases")                                \
    X(L2, TRAIN, "train.l2", NULL, REAL, FROM, 0, 1000, 0, NULL,                                   \
      "adds this x half the squared norm of the weights, not biases, to the loss (G3.2)")          \
    X(L2_GRADIENT, TRAIN, "train.l2_gradient", NULL, SWITCH, FROM, 0, 1, 1, NULL,                  \
      "off: the l2 term is reported but not followed, as in the guide's snippet (G3.2)")           \
    X(CLIP, TRAIN, "train.clip", NULL, CHOICE, FROM, 0, CLIP_COUNT - 1, CLIP_NONE,                 \
      CHOICES(CLIP_MAP),                                                                           \
      "clips the loss's gradient, before l2: each number, each tensor's norm, or the norm of "     \
      "all (G3.2)")                                                                                \
    X(CLIP_MIN, TRAIN, "train.clip_min", NULL, REAL, FROM, -1e30, 1e30, -1, NULL,                  \
      "clip value: lower bound; bounds that are not symmetric can raise the loss (G3.3)")          \
    X(CLIP_MAX, TRAIN, "train.clip_max", NULL, REAL, FROM, -1e30, 1e30, 1, NULL,                   \
      "clip value: upper bound")                                                                   \
    X(CLIP_NORM, TRAIN, "train.clip_norm", NULL, REAL, ABOVE, 0, 1e30, 1, NULL,                    \
      "clip norm and global_norm: largest norm")                                                   \
    X(GRADIENT_NOISE, TRAIN, "train.gradient_noise", NULL, REAL, FROM, 0, 1000, 0, NULL,           \
      "variance of normal noise that is added to each number of the clipped gradient; it falls "   \
      "as (1 + steps)^-0.55")                                                                      \
    X(AVERAGE, TRAIN, "train.average", NULL, CHOICE, FROM, 0, AVERAGE_COUNT - 1, AVERAGE_NONE,     \
      CHOICES(AVERAGE_MAP),                                                                        \
      "weights that validation, test and export see: a running mean over the steps (ema), or the " \
      "mean over the ends of the last epochs (swa)")                                               \
    X(AVERAGE_DECAY, TRAIN, "train.average_decay", NULL, REAL, FROM, 0, 0.999999, 0.999, NULL,     \
      "ema: what stays of the mean at each step")                                                  \
    X(AVERAGE_START, TRAIN, "train.average_start", NULL, REAL, FROM, 0, 0.999, 0.75, NULL,         \
      "swa: share of the epochs that is over before the first is taken")                           \
    X(PRESET, TRAIN, "train.preset", NULL, CHOICE, FROM, 0, PRESET_COUNT - 1, PRESET_NONE,         \
      CHOICES(PRESET_MAP),                                                                         \
      "guide_g3_2: the guide's snippet to the letter; it fixes optimizer, learning_rate, "         \
      "momentum, loss, loss_reduction, probability_clip, l2, l2_gradient and the clip settings")   \
    X(SCHEDULE, TRAIN, "train.schedule", NULL, CHOICE, FROM, 0, SCHEDULE_COUNT - 1,                \
      SCHEDULE_CONSTANT, CHOICES(SCHEDULE_MAP), "how the learning rate changes")                   \
    X(WARMUP_EPOCHS, TRAIN, "train.warmup_epochs", NULL, REAL, FROM, 0, 1e6, 0, NULL,              \
      "epochs in which the learning rate rises evenly from 0, before the schedule")                \
    X(SCHEDULE_EPOCHS, TRAIN, "train.schedule_epochs", NULL, INTEGER, FROM, 1, 1000000, 10,        \
      NULL, "step: epochs between two cuts; plateau: epochs without improvement before one")       \
    X(SCHEDULE_FACTOR, TRAIN, "train.schedule_factor", NULL, REAL, ABOVE, 0, 1, 0.5, NULL,         \
      "step and plateau: multiplies the learning rate; exponential: once an epoch")                \
    X(SCHEDULE_FLOOR, TRAIN, "train.schedule_floor", NULL, REAL, FROM, 0, 1, 0, NULL,              \
      "cosine and plateau: smallest learning rate, as a share of learning_rate")                   \
    X(PATIENCE, TRAIN, "train.patience", NULL, INTEGER, FROM, 0, 1000000, 0, NULL,                 \
      "epochs without a better metric after which the run ends; 0: never (G4.8)")                  \
    X(MIN_DELTA, TRAIN, "train.min_delta", NULL, REAL, FROM, 0, 1e30, 0, NULL,                     \
      "patience: by how much better counts")                                                       \
    X(FREEZE, TRAIN, "train.freeze", NULL, INTEGER, FROM, 0, 16384, 0, NULL,                       \
      "the first so many layers that have weights keep those they started with (G3.2)")            \
    X(SHUFFLE, TRAIN, "train.shuffle", NULL, SWITCH, FROM, 0, 1, 1, NULL,                          \
      "new order of the samples each epoch (G1.3)")                                                \
    X(POINTS_PER_EPOCH, TRAIN, "train.points_per_epoch", NULL, INTEGER, FROM, 1, 1000, 1, NULL,    \
      "curve points per epoch")                                                                    \
    X(TRAIN_LOSS_EVAL, TRAIN, "train.train_loss_eval", NULL, SWITCH, FROM, 0, 1, 0, NULL,          \
      "measure the loss of the training part in evaluation mode too (G4.6)")

enum setting_id {
#define X(id, part, path, name, type, bound, min, max, def, choices, doc) SETTING_##id,
    SETTING_MAP(X)
#undef X
    SETTING_COUNT
};

/* The choices as numbers. */
enum on_nan {
#define X(id, name) ON_NAN_##id,
    ON_NAN_MAP(X)
#undef X
    ON_NAN_COUNT
};
enum scale {
#define X(id, name) SCALE_##id,
    SCALE_MAP(X)
#undef X
    SCALE_COUNT
};
enum target_scale {
#define X(id, name) TARGET_SCALE_##id,
    TARGET_SCALE_MAP(X)
#undef X
    TARGET_SCALE_COUNT
};
enum model_type {
#define X(id, name) MODEL_##id,
    MODEL_TYPE_MAP(X)
#undef X
    MODEL_TYPE_COUNT
};
enum activation {
#define X(id, name) ACTIVATION_##id,
    ACTIVATION_MAP(X)
#undef X
    ACTIVATION_COUNT
};
enum init {
#define X(id, name) INIT_##id,
    INIT_MAP(X)
#undef X
    INIT_COUNT
};
enum normalization {
#define X(id, name) NORMALIZATION_##id,
    NORMALIZATION_MAP(X)
#undef X
    NORMALIZATION_COUNT
};
enum loss_kind {
#define X(id, name) LOSS_##id,
    LOSS_MAP(X)
#undef X
    LOSS_COUNT
};
enum loss_reduction {
#define X(id, name) REDUCTION_##id,
    REDUCTION_MAP(X)
#undef X
    REDUCTION_COUNT
};
enum class_weights {
#define X(id, name) CLASS_WEIGHTS_##id,
    CLASS_WEIGHTS_MAP(X)
#undef X
    CLASS_WEIGHTS_COUNT
};
enum average_kind {
#define X(id, name) AVERAGE_##id,
    AVERAGE_MAP(X)
#undef X
    AVERAGE_COUNT
};
enum optimizer {
#define X(id, name, rate) OPTIMIZER_##id,
    OPTIMIZER_MAP(X)
#undef X
    OPTIMIZER_COUNT
};
enum clip {
#define X(id, name) CLIP_##id,
    CLIP_MAP(X)
#undef X
    CLIP_COUNT
};
enum preset {
#define X(id, name) PRESET_##id,
    PRESET_MAP(X)
#undef X
    PRESET_COUNT
};
enum schedule_kind {
#define X(id, name) SCHEDULE_##id,
    SCHEDULE_MAP(X)
#undef X
    SCHEDULE_COUNT
};

struct setting {
    const char *path;    /* "train.learning_rate" */
    const char *name;    /* short name or NULL */
    enum setting_part part;
    enum setting_type type;
    enum setting_bound bound;
    double min, max, fallback;
    const char *choices; /* "a|b|c" or NULL */
    const char *doc;
    const char *json_path; /* "$.train.learning_rate" */
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
/* Nothing of that part differs. */
bool settings_same(const struct settings *a, const struct settings *b, enum setting_part part);

/* The choice with that index ("adam"), "" when out of range. */
const char *setting_choice_name(enum setting_id id, int index, char out[32]);
/* JSON value → double, checked against type and range; err names key (a JSON path given by the
 * caller), value and what is allowed, with a near miss for choices. 0, ERR_TYPE or ERR_VALUE. */
int setting_from_json(enum setting_id id, const struct json *v, const char *key, double *out,
                      struct errbuf *err);
/* The same of a value's text as setting_to_json writes it, without an error: false where it is not
 * written so, which may be right all the same, or is not allowed. */
bool setting_from_text(enum setting_id id, const char *value, size_t len, double *out);
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
