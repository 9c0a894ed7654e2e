#include "daemon/causes/remedy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/causes/remedy_change.h"
#include "sweep/buf.h"
#include "sweep/require.h"

static const struct row {
    const char *name, *guide_ref, *does;
} rows[REMEDY_COUNT] = {
#define X(id, name, guide_ref, does) [REMEDY_##id] = {name, guide_ref, does},
    REMEDY_MAP(X)
#undef X
};

/* What it promises to change; checked when it is done. */
enum part {
    TRAINING, /* settings other than those of the model, epochs, the weights to begin with */
    NETWORK,  /* layers, or what they compute */
    TENSORS,  /* and so the weights that it has: those of another run do not fit any more */
};

static const struct {
    remedy_change *change;
    enum part part;
} acts[REMEDY_COUNT] = {
    [REMEDY_LEARNING_RATE_UP] = {remedy_rate_up, TRAINING},
    [REMEDY_LEARNING_RATE_DOWN] = {remedy_rate_down, TRAINING},
    [REMEDY_OTHER_OPTIMIZER] = {remedy_other_optimizer, TRAINING},
    [REMEDY_SGD_LAST] = {remedy_sgd_last, TRAINING},
    [REMEDY_BATCH_UP] = {remedy_batch_up, TRAINING},
    [REMEDY_BATCH_DOWN] = {remedy_batch_down, TRAINING},
    [REMEDY_SHUFFLE] = {remedy_shuffle, TRAINING},
    [REMEDY_MORE_DENSE] = {remedy_more_dense, TENSORS},
    [REMEDY_ONE_LAYER_FEWER] = {remedy_one_layer_fewer, TENSORS},
    [REMEDY_SHALLOWER] = {remedy_shallower, TENSORS},
    [REMEDY_OTHER_ACTIVATION] = {remedy_other_activation, NETWORK},
    [REMEDY_PRE_TRAIN] = {remedy_pre_train, TRAINING},
    [REMEDY_CLIP_AND_L2] = {remedy_clip_and_l2, TRAINING},
    [REMEDY_BATCH_NORM] = {remedy_batch_norm, TENSORS},
    [REMEDY_LSTM] = {remedy_lstm, TENSORS},
    [REMEDY_RESIDUAL] = {remedy_residual, TENSORS},
    [REMEDY_NO_DROPOUT] = {remedy_no_dropout, NETWORK},
    [REMEDY_LESS_DROPOUT] = {remedy_less_dropout, NETWORK},
    [REMEDY_MORE_DROPOUT] = {remedy_more_dropout, NETWORK},
    [REMEDY_L2] = {remedy_l2, TRAINING},
    [REMEDY_SMALLER_NET] = {remedy_smaller_net, TENSORS},
    [REMEDY_LARGER_NET] = {remedy_larger_net, TENSORS},
    [REMEDY_EARLY_STOPPING] = {remedy_early_stopping, TRAINING},
    [REMEDY_MORE_EPOCHS] = {remedy_more_epochs, TRAINING},
    [REMEDY_CLIP_BY_NORM] = {remedy_clip_by_norm, TRAINING},
    [REMEDY_SCALE_INPUT] = {remedy_scale_input, TRAINING},
    [REMEDY_INITIALISATION] = {remedy_initialisation, TRAINING},
    [REMEDY_LARGER_VALIDATION] = {remedy_larger_validation, TRAINING},
    [REMEDY_EVAL_TRAIN] = {remedy_eval_train, TRAINING},
    [REMEDY_COSINE] = {remedy_cosine, TRAINING},
    [REMEDY_IMPUTE] = {remedy_impute, TRAINING},
    [REMEDY_LABEL_SMOOTHING] = {remedy_label_smoothing, TRAINING},
    [REMEDY_MIXUP] = {remedy_mixup, TRAINING},
    [REMEDY_EMA] = {remedy_ema, TRAINING},
    [REMEDY_SWA] = {remedy_swa, TRAINING},
    [REMEDY_GRADIENT_NOISE] = {remedy_gradient_noise, TRAINING},
};

const char *remedy_name(enum remedy r)
{
    REQUIRE((unsigned)r < REMEDY_COUNT);
    return rows[r].name;
}

int remedy_find(const char *name)
{
    for (size_t i = 0; i < REMEDY_COUNT; i++) {
        if (strcmp(name, rows[i].name) == 0)
            return (int)i;
    }
    return -1;
}

const char *remedy_guide_ref(enum remedy r)
{
    REQUIRE((unsigned)r < REMEDY_COUNT);
    return rows[r].guide_ref;
}

const char *remedy_does(enum remedy r)
{
    REQUIRE((unsigned)r < REMEDY_COUNT);
    return rows[r].does;
}

/* --- what came of it ------------------------------------------------------------------------ */

static bool in_range(const struct settings *s)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *row = setting_get((enum setting_id)i);
        bool whole = row->type == SETTING_REAL || s->v[i] == floor(s->v[i]);
        if (!whole || !(s->v[i] >= row->min && s->v[i] <= row->max))
            return false;
    }
    return s->v[SETTING_LEARNING_RATE] > 0;
}

/* What a preset fixes is written out once something else is wanted of it. */
static void leave_preset(const struct settings *before, struct settings *after)
{
    double fixed;
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (before->v[i] != after->v[i] && setting_preset_value((enum setting_id)i, &fixed))
            after->v[SETTING_PRESET] = PRESET_NONE;
    }
}

static bool same_layer(const struct plan_layer *a, const struct plan_layer *b)
{
    if (a->kind != b->kind || a->inside != b->inside)
        return false;
    for (int o = 0; o < LAYER_OPTION_COUNT; o++) {
        if (a->value[o] != b->value[o] && !(isnan(a->value[o]) && isnan(b->value[o])))
            return false;
    }
    return true;
}

static bool same_plan(const struct model_plan *a, const struct model_plan *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++) {
        if (!same_layer(&a->layers[i], &b->layers[i]))
            return false;
    }
    return true;
}

/* Another network, and one that can be written out. */
static bool is_other_network(const struct treatment *before, const struct treatment *after)
{
    struct model_plan a, b;
    if (model_plan_init(&a, &before->settings, &before->layers, NULL) != 0)
        return false;
    bool other = model_plan_init(&b, &after->settings, &after->layers, NULL) == 0;
    if (other) {
        other = !same_plan(&a, &b);
        model_plan_finish(&b);
    }
    model_plan_finish(&a);
    return other;
}

bool remedy_apply(enum remedy r, const struct remedy_context *c, struct treatment *t)
{
    REQUIRE((unsigned)r < REMEDY_COUNT);
    struct treatment before = *t, after;
    settings_apply_preset(&before.settings);
    if (acts[r].part == TENSORS && before.start_from != 0)
        return false;
    after = before;
    if (!acts[r].change(c, &after) || !in_range(&after.settings))
        return false;
    if (acts[r].part != TRAINING && !is_other_network(&before, &after))
        return false;
    leave_preset(&before.settings, &after.settings);
    *t = after;
    return true;
}

/* --- advice --------------------------------------------------------------------------------- */

/* Those that give more of what is there already. */
static bool is_there(enum remedy r, const struct settings *s)
{
    return (r == REMEDY_L2 && s->v[SETTING_L2] > 0) ||
           (r == REMEDY_MORE_DROPOUT && s->v[SETTING_DROPOUT] > 0);
}

void advice_find(enum pattern p, enum cause_id cause, enum remedy before,
                 const struct treatment *parent, const struct data_facts *data,
                 struct advice *out)
{
    /* some run of the sweep may give its weights; which one is known when it is tried */
    const struct remedy_context c = {.data = data, .donor = INT64_MAX};
    enum remedy all[REMEDIES_MAX];
    size_t count = remedies_of(p, cause, all);
    struct treatment *t = parent != NULL ? xmalloc(sizeof(*t)) : NULL;
    *out = (struct advice){.known = true};
    for (size_t i = 0; i < count; i++) {
        if (t != NULL)
            *t = *parent;
        if (all[i] != before &&
            (t == NULL || (!is_there(all[i], &parent->settings) && remedy_apply(all[i], &c, t))))
            out->items[out->count++] = all[i];
    }
    free(t);
}

char *advice_names(const struct advice *a)
{
    struct buf b = {0};
    if (!a->known)
        return NULL;
    buf_puts(&b, "[");
    for (size_t i = 0; i < a->count; i++)
        buf_printf(&b, "%s\"%s\"", i ? "," : "", remedy_name(a->items[i]));
    buf_puts(&b, "]");
    return buf_take(&b);
}

void advice_text(enum remedy r, char out[ADVICE_TEXT_MAX])
{
    const char *ref = remedy_guide_ref(r);
    snprintf(out, ADVICE_TEXT_MAX, "%s%s%s%s", remedy_does(r), ref ? " (" : "", ref ? ref : "",
             ref ? ")" : "");
}

bool remedy_cured(enum pattern parent, enum pattern treated, double change)
{
    return treated != parent && !(change > REMEDY_NOT_WORSE);
}
