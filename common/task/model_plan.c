/* The layers that a configuration means: short forms written out, repetitions repeated. */
#include "sweep/model.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "sweep/model_option.h"
#include "common/task/trainer_part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"

#define LAYERS_KEY "$.model.layers"

struct builder {
    const struct settings *s;
    struct plan_layer *layers;
    size_t count, cap;
    size_t width; /* numbers (of each step) behind the last block; 0: the data's */
    int rc;       /* of the first failure; nothing is added behind it */
    struct errbuf *err;
};

static size_t whole(const struct builder *b, enum setting_id id)
{
    return (size_t)b->s->v[id];
}

/* --- adding layers ------------------------------------------------------------------------ */

static void add(struct builder *b, enum layer_kind kind)
{
    if (!b->rc && b->count == MODEL_PLAN_MAX)
        b->rc = err_bad(b->err, ERR_VALUE, "$.model", NULL,
                        "at most %d layers, repeated ones counted", MODEL_PLAN_MAX);
    if (b->rc)
        return;
    b->layers = array_room(b->layers, &b->cap, b->count, sizeof(*b->layers));
    struct plan_layer *l = &b->layers[b->count++];
    *l = (struct plan_layer){.kind = kind};
    for (int o = 0; o < LAYER_OPTION_COUNT; o++)
        l->value[o] = layer_option_default(kind, (enum layer_option)o);
}

/* An option of the layer added last. */
static void set(struct builder *b, enum layer_option o, double value)
{
    if (!b->rc)
        b->layers[b->count - 1].value[o] = value;
}

static void add_activation(struct builder *b, double function)
{
    add(b, LAYER_ACTIVATION);
    set(b, LAYER_OPTION_FUNCTION, function);
}

/* Closes the residual that began at place `at`; one around nothing would double its input. */
static void end_residual(struct builder *b, size_t at)
{
    if (b->rc)
        return;
    b->layers[at].inside = b->count - at - 1;
    if (b->layers[at].inside == 0)
        b->count = at;
}

/* As many units as the task has outputs, which the shape of the data tells. */
static void add_output(struct builder *b)
{
    add(b, LAYER_DENSE);
    set(b, LAYER_OPTION_UNITS, NAN);
    if (!b->rc)
        b->layers[b->count - 1].is_output = true;
}

/* --- mlp, rnn, gru, lstm ------------------------------------------------------------------ */

static void add_dense(struct builder *b)
{
    static const enum layer_kind norms[] = {
        [NORMALIZATION_BATCH] = LAYER_BATCH_NORM,
        [NORMALIZATION_LAYER] = LAYER_LAYER_NORM,
    };
    enum normalization norm = (enum normalization)b->s->v[SETTING_NORMALIZATION];

    add(b, LAYER_DENSE);
    set(b, LAYER_OPTION_UNITS, b->s->v[SETTING_WIDTH]);
    if (norm != NORMALIZATION_NONE)
        add(b, norms[norm]);
    add_activation(b, b->s->v[SETTING_ACTIVATION]);
}

static void add_recurrent(struct builder *b, enum layer_kind kind, bool last)
{
    add(b, kind);
    set(b, LAYER_OPTION_UNITS, b->s->v[SETTING_WIDTH]);
    set(b, LAYER_OPTION_BIDIRECTIONAL, b->s->v[SETTING_BIDIRECTIONAL]);
    set(b, LAYER_OPTION_RETURN, last ? RETURN_LAST : RETURN_SEQUENCE);
}

/* A hidden block: dense or recurrent, with all that goes with it. last: its output is no longer
 * a sequence. Around a block that keeps its input's shape a residual may go. */
static void add_block(struct builder *b, enum layer_kind kind, bool last)
{
    bool recurrent = layer_is(kind, LAYER_TRAIT_RECURRENT);
    size_t width =
        whole(b, SETTING_WIDTH) * (recurrent && b->s->v[SETTING_BIDIRECTIONAL] != 0 ? 2 : 1);
    bool residual = b->s->v[SETTING_RESIDUAL] != 0 && b->width == width && !last;
    size_t at = b->count;

    if (residual)
        add(b, LAYER_RESIDUAL);
    if (recurrent)
        add_recurrent(b, kind, last);
    else
        add_dense(b);
    if (b->s->v[SETTING_DROPOUT] > 0) {
        add(b, LAYER_DROPOUT);
        set(b, LAYER_OPTION_RATE, b->s->v[SETTING_DROPOUT]);
    }
    if (residual)
        end_residual(b, at);
    b->width = width;
}

static void add_blocks(struct builder *b, enum setting_id count)
{
    for (size_t i = whole(b, count); i > 0; i--)
        add_block(b, LAYER_DENSE, false);
}

static void add_recurrent_model(struct builder *b, enum layer_kind kind)
{
    size_t depth = whole(b, SETTING_DEPTH);

    if (depth == 0) {
        b->rc = err_bad(b->err, ERR_VALUE, "$.model.depth", "0",
                        "1 to 256 recurrent layers, for model type %s", layer_kind_name(kind));
        return;
    }
    add_blocks(b, SETTING_DENSE_BEFORE);
    for (size_t i = 1; i <= depth; i++)
        add_block(b, kind, i == depth);
    add_blocks(b, SETTING_DENSE_AFTER);
}

/* --- sequential --------------------------------------------------------------------------- */

/* The value of an option that may be a setting's; o names it in the message. */
static double resolve(struct builder *b, const struct layer_entry *e, enum layer_option o,
                      bool is_setting, double value)
{
    const struct setting *row = layer_option_row(o);
    char given[80], text[32], min[32], max[32];

    if (!is_setting)
        return value;
    enum setting_id id = (enum setting_id)value;
    value = b->s->v[id];
    if (b->rc || (value >= row->min && value <= row->max))
        return value;
    setting_text(row, row->min, min);
    setting_text(row, row->max, max);
    setting_format(id, value, text);
    snprintf(given, sizeof(given), "%s = %s", setting_label(id), text);
    b->rc = err_bad(b->err, ERR_VALUE, LAYERS_KEY, given, "%s to %s, as \"%s\" of a %s layer", min,
                    max, row->path, layer_kind_name(e->kind));
    return value;
}

static void expand(struct builder *b, const struct layer_entry *e, size_t count);

static void expand_once(struct builder *b, const struct layer_entry *e)
{
    size_t at = b->count;

    add(b, e->kind);
    for (int o = 0; o < LAYER_OPTION_COUNT; o++)
        set(b, (enum layer_option)o,
            resolve(b, e, (enum layer_option)o, e->is_setting[o], e->value[o]));
    if (layer_is(e->kind, LAYER_TRAIT_AROUND)) {
        expand(b, e + 1, e->inside);
        end_residual(b, at);
    }
    if (e->has_activation)
        add_activation(
            b, resolve(b, e, LAYER_OPTION_FUNCTION, e->activation_is_setting, e->activation));
}

static void expand(struct builder *b, const struct layer_entry *e, size_t count)
{
    for (size_t i = 0; i < count; i += 1 + e[i].inside) {
        size_t times = e[i].repeat_is_depth ? whole(b, SETTING_DEPTH) : e[i].repeat;
        for (; times > 0 && !b->rc; times--) {
            size_t before = b->count;
            expand_once(b, &e[i]);
            if (b->count == before) /* nothing within is left at this depth */
                break;
        }
    }
}

static void add_sequential(struct builder *b, const struct layer_list *list)
{
    if (!list || list->count == 0) {
        b->rc = err_bad(b->err, ERR_VALUE, LAYERS_KEY, "nothing",
                        "a list of layers, for model type sequential");
        return;
    }
    expand(b, list->entries, list->count);
}

/* --- all ---------------------------------------------------------------------------------- */

bool model_is_recurrent(const struct settings *s)
{
    double type = s->v[SETTING_MODEL_TYPE];
    return type == MODEL_RNN || type == MODEL_GRU || type == MODEL_LSTM;
}

int model_plan_init(struct model_plan *p, const struct settings *s, const struct layer_list *list,
                    struct errbuf *err)
{
    static const enum layer_kind recurrent[] = {
        [MODEL_RNN] = LAYER_RNN,
        [MODEL_GRU] = LAYER_GRU,
        [MODEL_LSTM] = LAYER_LSTM,
    };
    enum model_type type = (enum model_type)s->v[SETTING_MODEL_TYPE];
    struct builder b = {.s = s, .err = err};

    if (type == MODEL_SEQUENTIAL)
        add_sequential(&b, list);
    else if (type == MODEL_MLP)
        add_blocks(&b, SETTING_DEPTH);
    else
        add_recurrent_model(&b, recurrent[type]);
    add_output(&b);
    if (b.rc) {
        free(b.layers);
        return b.rc;
    }
    *p = (struct model_plan){
        .flatten_input = type == MODEL_MLP,
        .count = b.count,
        .layers = b.layers,
    };
    return 0;
}

void model_plan_finish(struct model_plan *p)
{
    free(p->layers);
    *p = (struct model_plan){0};
}
