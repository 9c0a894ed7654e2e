#include "worker/told.h"

#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#define LOG_MODULE "weights"
#include "sweep/log.h"
#include "sweep/preprocessing.h"
#include "worker/train.h"

static enum missing missing_of(enum on_nan on_nan)
{
    static const enum missing by_choice[ON_NAN_COUNT] = {
        [ON_NAN_HOLD] = MISSING_REFUSE,
        [ON_NAN_DROP] = MISSING_DROP,
        [ON_NAN_IMPUTE] = MISSING_IMPUTE,
    };
    return by_choice[on_nan];
}

/* One number of each feature: they are the same at all of its places. */
static float *by_feature(const struct shape *s, const float *places)
{
    if (!places)
        return NULL;
    size_t count = shape_count(s);
    float *out = xmalloc(preprocessing_features(s) * sizeof *out);
    for (size_t i = 0; i < count; i++)
        out[preprocessing_feature(s, i)] = places[i];
    return out;
}

char *told_write(const struct train *t)
{
    const struct samples *x = t->samples;
    const struct scaling *g = &t->split->scaling;
    enum loss_kind loss = t->setup.step.loss.kind;
    const struct preprocessing p = {
        .regression = x->classes == 0,
        .bytes = x->type == SAMPLES_U8,
        .missing = missing_of((enum on_nan)t->setup.settings.v[SETTING_ON_NAN]),
        .sigmoid = loss == LOSS_BINARY_CROSS_ENTROPY,
        .has_probabilities = loss == LOSS_CROSS_ENTROPY || loss == LOSS_BINARY_CROSS_ENTROPY,
        .features = preprocessing_features(&x->shape),
        .shift = by_feature(&x->shape, g->shift),
        .factor = by_feature(&x->shape, g->scale),
        .places = x->features,
        .fill = g->fill,
        .targets = x->outputs,
        .target_shift = g->target_shift,
        .target_unit = g->target_unit,
    };
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    preprocessing_write(&p, x->schema, &w);
    free(p.shift);
    free(p.factor);
    if (text.len <= PREPROCESSING_MAX)
        return buf_take(&text);
    log_warn("scaling and names of %zu features are too long to go with the weights", x->features);
    buf_finish(&text);
    return NULL;
}
