/* The list of layers of a network, before the data's shape is known. A `sequential` model lists
 * its layers; the other types are short ways of writing such a list (docs/spec.md, "Layers"). */
#ifndef SWEEP_MODEL_H
#define SWEEP_MODEL_H

#include <stdbool.h>
#include <stddef.h>

#include "sweep/setting.h"

#define MODEL_LAYERS_MAX 64      /* written in a spec, those inside residuals included */
#define MODEL_PLAN_MAX 4096      /* after repetition */

struct errbuf;
struct json;
struct json_writer;

#define RETURN_MAP(X) X(LAST, "last") X(SEQUENCE, "sequence")
enum layer_return {
#define X(id, name) RETURN_##id,
    RETURN_MAP(X)
#undef X
    RETURN_COUNT
};

/* X(id, option, type, min, max, default, choices, what it is). A value may also be the name of a
 * setting of the same type ("units": "width"), so that it can be swept. */
#define LAYER_OPTION_MAP(X)                                                                       \
    X(UNITS, "units", INTEGER, 1, 65536, 128, NULL, "outputs, of each step for a sequence")       \
    X(CHANNELS, "channels", INTEGER, 1, 65536, 16, NULL, "output channels")                       \
    X(KERNEL, "kernel", INTEGER, 1, 64, 3, NULL, "height and width of the kernel")                \
    X(STRIDE, "stride", INTEGER, 1, 64, 1, NULL, "step of the kernel in both directions")         \
    X(PADDING, "padding", INTEGER, 0, 63, 0, NULL, "zeros around the input on each side")         \
    X(SIZE, "size", INTEGER, 1, 64, 2, NULL, "height and width of the window, and its step")      \
    X(RATE, "rate", REAL, 0, 0.999, 0.5, NULL, "share of the outputs set to 0 in training")       \
    X(BIDIRECTIONAL, "bidirectional", SWITCH, 0, 1, 0, NULL,                                      \
      "from both ends; twice the outputs")                                                        \
    X(RETURN, "return", CHOICE, 0, RETURN_COUNT - 1, RETURN_LAST, CHOICES(RETURN_MAP),            \
      "the last state or every step's")                                                           \
    X(FUNCTION, "function", CHOICE, 0, ACTIVATION_COUNT - 1, ACTIVATION_RELU,                     \
      CHOICES(ACTIVATION_MAP), "the activation")

enum layer_option {
#define X(id, name, type, min, max, def, choices, doc) LAYER_OPTION_##id,
    LAYER_OPTION_MAP(X)
#undef X
    LAYER_OPTION_COUNT
};

/* What the program asks of a kind of layer, beside its options. */
enum layer_trait {
    LAYER_TRAIT_WEIGHTED = 1,    /* its weights multiply its input: a layer of the net's depth */
    LAYER_TRAIT_RECURRENT = 2,   /* has a state that goes from step to step */
    LAYER_TRAIT_UNGATED = 4,     /* ... which nothing protects */
    LAYER_TRAIT_IMAGE = 8,       /* wants [channels, height, width] */
    LAYER_TRAIT_NORM = 16,       /* normalises what the layer before it gives */
    LAYER_TRAIT_KEEPS_UNITS = 32, /* its outputs speak of the units of the layer before it */
    LAYER_TRAIT_STACKED = 64,    /* can be there once more or less: any input does */
    LAYER_TRAIT_ACTIVATION = 128,
    LAYER_TRAIT_DROPOUT = 256,
    LAYER_TRAIT_FLATTEN = 512,
    LAYER_TRAIT_AROUND = 1024,   /* has layers of its own */
};

#define OPT(id) (1u << LAYER_OPTION_##id)
#define IS(id) LAYER_TRAIT_##id
/* X(id, type, options it takes, traits, what it is): the worker's row of functions is
 * layer_<type>, in worker/nn/. */
#define LAYER_MAP(X)                                                                              \
    X(DENSE, dense, OPT(UNITS), IS(WEIGHTED) | IS(STACKED),                                       \
      "fully connected; on a sequence at each step")                                              \
    X(RNN, rnn, OPT(UNITS) | OPT(BIDIRECTIONAL) | OPT(RETURN),                                    \
      IS(WEIGHTED) | IS(RECURRENT) | IS(UNGATED), "plain recurrence, tanh")                       \
    X(GRU, gru, OPT(UNITS) | OPT(BIDIRECTIONAL) | OPT(RETURN), IS(WEIGHTED) | IS(RECURRENT),      \
      "gated recurrent unit")                                                                     \
    X(LSTM, lstm, OPT(UNITS) | OPT(BIDIRECTIONAL) | OPT(RETURN), IS(WEIGHTED) | IS(RECURRENT),    \
      "long short-term memory")                                                                   \
    X(CONV2D, conv2d, OPT(CHANNELS) | OPT(KERNEL) | OPT(STRIDE) | OPT(PADDING),                   \
      IS(WEIGHTED) | IS(IMAGE), "two-dimensional convolution")                                    \
    X(MAX_POOL, max_pool, OPT(SIZE), IS(IMAGE) | IS(KEEPS_UNITS), "largest of each window")       \
    X(AVG_POOL, avg_pool, OPT(SIZE), IS(IMAGE) | IS(KEEPS_UNITS), "mean of each window")          \
    X(BATCH_NORM, batch_norm, 0, IS(NORM) | IS(KEEPS_UNITS),                                      \
      "by feature or channel, over the batch (G3.2)")                                             \
    X(LAYER_NORM, layer_norm, 0, IS(NORM) | IS(KEEPS_UNITS),                                      \
      "over the features of a sample or step (G3.2)")                                             \
    X(DROPOUT, dropout, OPT(RATE), IS(DROPOUT) | IS(KEEPS_UNITS), "in training only (G4.7)")      \
    X(FLATTEN, flatten, 0, IS(FLATTEN), "one row of features")                                    \
    X(ACTIVATION, activation, OPT(FUNCTION), IS(ACTIVATION), "activation of every number")        \
    X(RESIDUAL, residual, 0, IS(AROUND) | IS(STACKED),                                            \
      "adds its input to the output of its own layers (G3.2)")

enum layer_kind {
#define X(id, name, options, traits, doc) LAYER_##id,
    LAYER_MAP(X)
#undef X
    LAYER_KIND_COUNT
};
const char *layer_kind_name(enum layer_kind k);
/* Has all of the traits. */
bool layer_is(enum layer_kind k, unsigned traits);

/* One layer as written. Every layer but residual and activation may carry "activation" (which
 * becomes an activation layer behind it); any may carry "repeat": a count or "depth". */
struct layer_entry {
    enum layer_kind kind;
    bool is_setting[LAYER_OPTION_COUNT]; /* value is an enum setting_id to look up */
    double value[LAYER_OPTION_COUNT];    /* default where not written; NAN: not an option of it */
    bool has_activation, activation_is_setting;
    double activation;
    bool repeat_is_depth;
    size_t repeat;                       /* 1 where not written; not with repeat_is_depth */
    size_t inside;                       /* residual: how many of the entries that follow it has */
};

struct layer_list {
    size_t count;
    struct layer_entry entries[MODEL_LAYERS_MAX];
};

/* Reads "model.layers", an array; key is its JSON path. At most one entry carries repeat: depth.
 * ERR_KEY, ERR_TYPE or ERR_VALUE naming the path, the value and what is allowed. */
int layer_list_parse(const struct json *v, const char *key, struct layer_list *out,
                     struct errbuf *err);
void layer_list_write(const struct layer_list *l, struct json_writer *w);

bool layer_list_same(const struct layer_list *a, const struct layer_list *b);

/* A layer with all its numbers known. */
struct plan_layer {
    enum layer_kind kind;
    double value[LAYER_OPTION_COUNT];
    size_t inside;   /* residual: how many of the layers that follow belong to it */
    bool is_output;  /* the last dense layer: as many units as the task has outputs */
};

struct model_plan {
    bool flatten_input;  /* mlp: the data's shape does not matter */
    size_t count;
    struct plan_layer *layers;
};

/* The layers that settings (and list, for a sequential model) mean, repeated, with activations,
 * normalisation and dropout in their places and the output layer at the end. ERR_VALUE when the
 * list is empty for a sequential model or the whole is longer than MODEL_PLAN_MAX. */
int model_plan_init(struct model_plan *p, const struct settings *s, const struct layer_list *list,
                    struct errbuf *err);
void model_plan_finish(struct model_plan *p);

/* A model of recurrent layers between dense ones: type rnn, gru or lstm. */
bool model_is_recurrent(const struct settings *s);

/* Some layer's option or activation is that setting's value, or its repeat: depth. */
bool layer_list_uses(const struct layer_list *l, enum setting_id id);

#endif
