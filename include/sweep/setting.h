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
    X(MODEL_TYPE, "model.type", NULL, CHOICE, 0, 0, 0, "mlp", "kind of network")                   \
    X(DEPTH, "model.depth", "depth", INTEGER, 0, 256, 2, NULL,                                     \
      "number of hidden layers; the guide's 4-layer net is depth 3 (G3.4)")                        \
    X(WIDTH, "model.width", "width", INTEGER, 1, 65536, 128, NULL, "units per hidden layer")       \
    X(ACTIVATION, "model.activation", "activation", CHOICE, 0, 2, 0, "relu|tanh|elu",              \
      "activation of the hidden layers (G3.2)")                                                    \
    X(INIT, "model.init", NULL, CHOICE, 0, 2, 0, "auto|he|xavier",                                 \
      "weight initialisation; auto: he for relu and elu, xavier for tanh")                         \
    X(LOSS, "train.loss", NULL, CHOICE, 0, 1, 0, "cross_entropy|mse",                              \
      "training and validation loss; mse on one-hot targets when classifying")                     \
    X(OPTIMIZER, "train.optimizer", "optimizer", CHOICE, 0, 4, 3,                                  \
      "sgd|momentum|rmsprop|adam|adadelta", "optimizer (G2.2)")                                    \
    X(LEARNING_RATE, "train.learning_rate", "learning_rate", REAL, 0, 1e6, 1e-3, NULL,             \
      "> 0; step size, tried from large to small (G2.1)")                                          \
    X(BATCH_SIZE, "train.batch_size", "batch_size", INTEGER, 1, 1048576, 32, NULL,                 \
      "samples per step (G1.2)")                                                                   \
    X(MOMENTUM, "train.momentum", NULL, REAL, 0, 1, 0.9, NULL, "of momentum")                      \
    X(BETA1, "train.beta1", NULL, REAL, 0, 0.999999, 0.9, NULL, "of adam (G2.2)")                  \
    X(BETA2, "train.beta2", NULL, REAL, 0, 0.999999, 0.999, NULL, "of adam (G2.2)")                \
    X(ALPHA, "train.alpha", NULL, REAL, 0, 0.999999, 0.99, NULL, "smoothing of rmsprop")           \
    X(RHO, "train.rho", NULL, REAL, 0, 0.999999, 0.95, NULL, "decay of adadelta (G2.2)")           \
    X(EPSILON, "train.epsilon", NULL, REAL, 0, 1, 1e-8, NULL,                                      \
      "> 0; added to the denominator by adam, rmsprop, adadelta (G2.2)")                           \
    X(SHUFFLE, "train.shuffle", NULL, SWITCH, 0, 1, 1, NULL,                                       \
      "new order of the samples each epoch (G1.3)")                                                \
    X(POINTS_PER_EPOCH, "train.points_per_epoch", NULL, INTEGER, 1, 1000, 1, NULL,                 \
      "curve points per epoch")

enum setting_id {
#define X(id, path, name, type, min, max, def, choices, doc) SETTING_##id,
    SETTING_MAP(X)
#undef X
    SETTING_COUNT
};

enum activation { ACTIVATION_RELU, ACTIVATION_TANH, ACTIVATION_ELU };
enum init { INIT_AUTO, INIT_HE, INIT_XAVIER };
enum loss { LOSS_CROSS_ENTROPY, LOSS_MSE };
enum optimizer { OPTIMIZER_SGD, OPTIMIZER_MOMENTUM, OPTIMIZER_RMSPROP, OPTIMIZER_ADAM,
                 OPTIMIZER_ADADELTA };

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

/* Reads/writes the nested "model" and "train" objects. Unknown keys are ERR_KEY with a near
 * miss. seen (SETTING_COUNT flags, may be NULL) is set for keys that were given. */
int settings_from_json(struct settings *s, const struct json *root, bool *seen,
                       struct errbuf *err);
void settings_to_json(const struct settings *s, struct json_writer *w); /* "model":{},"train":{} */

#endif
