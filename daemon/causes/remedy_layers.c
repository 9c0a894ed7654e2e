/* Remedies on a written list of layers (model type sequential). What a setting decides is changed
 * in that setting, once. A list is rebuilt rather than shifted about: a residual counts what is in
 * it. */
#include <math.h>

#include "daemon/causes/remedy_change.h"
#include "sweep/model_option.h"
#include "sweep/model.h"

/* --- reading -------------------------------------------------------------------------------- */

static bool has_option(const struct layer_entry *e, enum layer_option o)
{
    return !isnan(layer_option_default(e->kind, o));
}

static double option_of(const struct treatment *t, const struct layer_entry *e, enum layer_option o)
{
    return e->is_setting[o] ? t->settings.v[(size_t)e->value[o]] : e->value[o];
}

static size_t times_of(const struct treatment *t, const struct layer_entry *e)
{
    return e->repeat_is_depth ? (size_t)t->settings.v[SETTING_DEPTH] : e->repeat;
}

static bool is(const struct layer_entry *e, enum layer_trait trait)
{
    return layer_is(e->kind, trait);
}

/* --- changing numbers ----------------------------------------------------------------------- */

/* Settings that a pass over the list has changed already. */
struct once {
    bool done[SETTING_COUNT];
    bool changed, refused;
};

/* *value is a number, or the id of a setting whose value is meant. */
static void change_number(struct treatment *t, struct once *once, bool is_setting, double *value,
                          double change(double))
{
    if (!is_setting) {
        double next = change(*value);
        once->refused |= isnan(next);
        once->changed |= next != *value;
        *value = next;
        return;
    }
    size_t id = (size_t)*value;
    if (once->done[id])
        return;
    double next = change(t->settings.v[id]);
    once->done[id] = true;
    once->refused |= isnan(next);
    once->changed |= remedy_set(t, (enum setting_id)id, next);
}

static bool change_option(struct treatment *t, enum layer_option o, double change(double))
{
    struct once once = {0};
    for (size_t i = 0; i < t->layers.count; i++) {
        struct layer_entry *e = &t->layers.entries[i];
        if (has_option(e, o))
            change_number(t, &once, e->is_setting[o], &e->value[o], change);
    }
    return once.changed && !once.refused;
}

/* --- width ---------------------------------------------------------------------------------- */

static double wider(double width)
{
    return remedy_scaled_width(&width, 4) ? width : NAN;
}

static double narrower(double width)
{
    return remedy_scaled_width(&width, 0.25) ? width : NAN;
}

/* A residual that is the first to have weights must keep the data's own width. */
static bool begins_with_residual(const struct layer_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (is(&l->entries[i], LAYER_TRAIT_AROUND) || is(&l->entries[i], LAYER_TRAIT_WEIGHTED))
            return is(&l->entries[i], LAYER_TRAIT_AROUND);
    }
    return false;
}

bool layers_scale_width(struct treatment *t, double factor)
{
    double (*change)(double) = factor > 1 ? wider : narrower;
    struct once once = {0};
    if (begins_with_residual(&t->layers))
        return false;
    for (size_t i = 0; i < t->layers.count; i++) {
        struct layer_entry *e = &t->layers.entries[i];
        if (has_option(e, LAYER_OPTION_UNITS))
            change_number(t, &once, e->is_setting[LAYER_OPTION_UNITS],
                          &e->value[LAYER_OPTION_UNITS], change);
        if (has_option(e, LAYER_OPTION_CHANNELS))
            change_number(t, &once, e->is_setting[LAYER_OPTION_CHANNELS],
                          &e->value[LAYER_OPTION_CHANNELS], change);
    }
    return once.changed && !once.refused;
}

/* --- activation, dropout, lstm -------------------------------------------------------------- */

bool layers_other_activation(struct treatment *t)
{
    struct once once = {0};
    for (size_t i = 0; i < t->layers.count; i++) {
        struct layer_entry *e = &t->layers.entries[i];
        if (e->has_activation)
            change_number(t, &once, e->activation_is_setting, &e->activation,
                          remedy_activation_instead);
        if (is(e, LAYER_TRAIT_ACTIVATION))
            change_number(t, &once, e->is_setting[LAYER_OPTION_FUNCTION],
                          &e->value[LAYER_OPTION_FUNCTION], remedy_activation_instead);
    }
    return once.changed;
}

double layers_activation(const struct treatment *t)
{
    size_t count[ACTIVATION_COUNT] = {0}, most = 0;
    for (size_t i = 0; i < t->layers.count; i++) {
        const struct layer_entry *e = &t->layers.entries[i];
        double a = e->activation_is_setting ? t->settings.v[(size_t)e->activation] : e->activation;
        if (is(e, LAYER_TRAIT_ACTIVATION))
            a = option_of(t, e, LAYER_OPTION_FUNCTION);
        if (e->has_activation || is(e, LAYER_TRAIT_ACTIVATION))
            count[(size_t)a]++;
    }
    for (size_t a = 1; a < ACTIVATION_COUNT; a++) {
        if (count[a] > count[most])
            most = a;
    }
    return (double)most;
}

bool layers_dropout(struct treatment *t, double change(double rate))
{
    return change_option(t, LAYER_OPTION_RATE, change);
}

bool layers_lstm(struct treatment *t)
{
    bool changed = false;
    for (size_t i = 0; i < t->layers.count; i++) {
        if (is(&t->layers.entries[i], LAYER_TRAIT_UNGATED)) {
            t->layers.entries[i].kind = LAYER_LSTM;
            changed = true;
        }
    }
    return changed;
}

/* --- building a list anew ------------------------------------------------------------------- */

struct builder {
    struct layer_list list;
    bool full, changed;
};

static struct layer_entry *put(struct builder *b, const struct layer_entry *e)
{
    if (b->list.count == MODEL_LAYERS_MAX) {
        b->full = true;
        return &b->list.entries[MODEL_LAYERS_MAX - 1];
    }
    b->list.entries[b->list.count] = *e;
    return &b->list.entries[b->list.count++];
}

static struct layer_entry plain(enum layer_kind kind)
{
    struct layer_entry e = {.kind = kind, .repeat = 1};
    for (int o = 0; o < LAYER_OPTION_COUNT; o++)
        e.value[o] = layer_option_default(kind, (enum layer_option)o);
    return e;
}

static struct layer_entry once_of(const struct layer_entry *e)
{
    struct layer_entry one = *e;
    one.repeat = 1;
    one.repeat_is_depth = false;
    return one;
}

static void put_all(struct builder *b, const struct layer_entry *e, size_t count)
{
    for (size_t i = 0; i < count; i++)
        put(b, &e[i]);
}

static bool take(struct treatment *t, const struct builder *b)
{
    if (b->full || !b->changed)
        return false;
    t->layers = b->list;
    return true;
}

/* --- depth ---------------------------------------------------------------------------------- */

/* The layer, or the block of layers, that model.depth multiplies. */
static const struct layer_entry *depth_entry(const struct layer_list *l)
{
    for (size_t i = 0; i < l->count; i++) {
        if (l->entries[i].repeat_is_depth)
            return &l->entries[i];
    }
    return NULL;
}

static bool is_dense_block(const struct layer_entry *e)
{
    return e && is(e, LAYER_TRAIT_STACKED);
}

bool layers_append_dense(struct treatment *t)
{
    struct builder b = {.list = t->layers, .changed = true};
    struct layer_entry dense = plain(LAYER_DENSE);
    if (is_dense_block(depth_entry(&t->layers)))
        return remedy_set(t, SETTING_DEPTH, t->settings.v[SETTING_DEPTH] + 1);
    dense.has_activation = true;
    dense.value[LAYER_OPTION_UNITS] = t->settings.v[SETTING_WIDTH];
    dense.activation = t->settings.v[SETTING_ACTIVATION];
    for (size_t i = 0; i < t->layers.count; i++) { /* as the last one of its kind */
        if (t->layers.entries[i].kind == dense.kind)
            dense = once_of(&t->layers.entries[i]);
    }
    put(&b, &dense);
    return take(t, &b);
}

/* The repeated entry with most layers; count when none is repeated. */
static size_t most_repeated(const struct layer_list *l)
{
    size_t found = l->count;
    for (size_t i = 0; i < l->count; i++) {
        size_t repeat = l->entries[i].repeat;
        if (!l->entries[i].repeat_is_depth && repeat > 1 &&
            (found == l->count || repeat > l->entries[found].repeat))
            found = i;
    }
    return found;
}

/* The last dense layer or residual of the outermost list: what others do not need for their
 * shape. count when there is none, or nothing else with weights. */
static size_t spare_entry(const struct layer_list *l)
{
    size_t found = l->count, weighted = 0;
    for (size_t i = 0; i < l->count; i += 1 + l->entries[i].inside) {
        const struct layer_entry *e = &l->entries[i];
        weighted += is(e, LAYER_TRAIT_WEIGHTED) || is(e, LAYER_TRAIT_AROUND) ? 1 : 0;
        if (is(e, LAYER_TRAIT_STACKED))
            found = i;
    }
    return weighted > 1 ? found : l->count;
}

bool layers_drop_one(struct treatment *t)
{
    const struct layer_list *l = &t->layers;
    size_t repeated = most_repeated(l), spare = spare_entry(l);
    struct builder b = {.changed = true};
    if (depth_entry(l) && t->settings.v[SETTING_DEPTH] > 1)
        return remedy_set(t, SETTING_DEPTH, t->settings.v[SETTING_DEPTH] - 1);
    if (repeated < l->count) {
        t->layers.entries[repeated].repeat--;
        return true;
    }
    if (spare == l->count)
        return false;
    size_t behind = spare + 1 + l->entries[spare].inside;
    put_all(&b, l->entries, spare);
    put_all(&b, l->entries + behind, l->count - behind);
    return take(t, &b);
}

bool layers_shallower(struct treatment *t)
{
    double depth = t->settings.v[SETTING_DEPTH];
    size_t repeated = most_repeated(&t->layers);
    if (depth_entry(&t->layers) && depth >= REMEDY_DEPTH_FACTOR)
        return remedy_set(t, SETTING_DEPTH, floor(depth / REMEDY_DEPTH_FACTOR));
    if (repeated == t->layers.count || t->layers.entries[repeated].repeat < REMEDY_DEPTH_FACTOR)
        return false;
    t->layers.entries[repeated].repeat /= REMEDY_DEPTH_FACTOR;
    return true;
}

bool layers_insert_dropout(struct treatment *t)
{
    struct builder b = {.list = t->layers, .changed = t->layers.count > 0};
    struct layer_entry dropout = plain(LAYER_DROPOUT);
    for (size_t i = 0; i < t->layers.count; i++) {
        if (is(&t->layers.entries[i], LAYER_TRAIT_DROPOUT))
            return false;
    }
    dropout.value[LAYER_OPTION_RATE] = REMEDY_DROPOUT_START;
    put(&b, &dropout);
    return take(t, &b);
}

/* --- normalisation -------------------------------------------------------------------------- */

/* The layer, then a normalisation that takes its activation over. A repeated layer is written out:
 * the normalisation belongs into each turn. */
static void put_normalised(struct builder *b, const struct treatment *t,
                           const struct layer_entry *e)
{
    struct layer_entry layer = once_of(e);
    bool recurrent = is(e, LAYER_TRAIT_RECURRENT);
    struct layer_entry norm = plain(recurrent ? LAYER_LAYER_NORM : LAYER_BATCH_NORM);
    norm.has_activation = e->has_activation;
    norm.activation_is_setting = e->activation_is_setting;
    norm.activation = e->activation;
    layer.has_activation = layer.activation_is_setting = false;
    layer.activation = 0;
    for (size_t times = times_of(t, e); times > 0 && !b->full; times--) {
        put(b, &layer);
        put(b, &norm);
        b->changed = true;
    }
}

static void normalise_list(struct builder *b, const struct treatment *t,
                           const struct layer_entry *e, size_t count)
{
    for (size_t i = 0; i < count; i += 1 + e[i].inside) {
        bool last = i + 1 + e[i].inside >= count;
        if (is(&e[i], LAYER_TRAIT_AROUND)) {
            size_t at = b->list.count;
            put(b, &e[i]);
            normalise_list(b, t, e + i + 1, e[i].inside);
            if (!b->full)
                b->list.entries[at].inside = b->list.count - at - 1;
        } else if (is(&e[i], LAYER_TRAIT_WEIGHTED) && (last || !is(&e[i + 1], LAYER_TRAIT_NORM))) {
            put_normalised(b, t, &e[i]);
        } else {
            put(b, &e[i]);
        }
    }
}

bool layers_normalise(struct treatment *t)
{
    struct builder b = {0};
    normalise_list(&b, t, t->layers.entries, t->layers.count);
    return take(t, &b);
}

/* --- residuals ------------------------------------------------------------------------------ */

/* What comes out of the layers so far: as many features (of each step) or channels. */
struct flow {
    size_t width; /* 0: not known */
    bool image;
};

/* A layer that gives the shape it gets, once the widths agree. */
static bool keeps_size(const struct treatment *t, const struct layer_entry *e)
{
    if (is(e, LAYER_TRAIT_IMAGE)) {
        double kernel = option_of(t, e, LAYER_OPTION_KERNEL);
        return option_of(t, e, LAYER_OPTION_STRIDE) == 1 &&
               kernel == 2 * option_of(t, e, LAYER_OPTION_PADDING) + 1;
    }
    return !is(e, LAYER_TRAIT_RECURRENT) ||
           option_of(t, e, LAYER_OPTION_RETURN) == RETURN_SEQUENCE;
}

static struct flow flow_of(const struct treatment *t, const struct layer_entry *e)
{
    bool image = is(e, LAYER_TRAIT_IMAGE);
    double width = option_of(t, e, image ? LAYER_OPTION_CHANNELS : LAYER_OPTION_UNITS);
    if (is(e, LAYER_TRAIT_RECURRENT) && option_of(t, e, LAYER_OPTION_BIDIRECTIONAL) != 0)
        width *= 2;
    return (struct flow){(size_t)width, image};
}

/* A residual around e, `repeat` times or model.depth times over. */
static void put_residual(struct builder *b, const struct layer_entry *e, size_t repeat,
                         bool repeat_is_depth)
{
    struct layer_entry around = plain(LAYER_RESIDUAL), one = once_of(e);
    around.repeat = repeat;
    around.repeat_is_depth = repeat_is_depth;
    around.inside = 1;
    put(b, &around);
    put(b, &one);
    b->changed = true;
}

/* From the second of equal width on. */
static void put_with_residual(struct builder *b, const struct treatment *t,
                              const struct layer_entry *e, struct flow *flow)
{
    struct flow next = flow_of(t, e);
    bool same = next.width == flow->width && next.image == flow->image;
    size_t times = times_of(t, e);
    if (times > 0)
        *flow = next;
    if (!keeps_size(t, e) || (!same && times < 2)) {
        put(b, e);
    } else if (same) {
        put_residual(b, e, e->repeat, e->repeat_is_depth);
    } else {
        struct layer_entry first = once_of(e);
        put(b, &first);
        put_residual(b, e, times - 1, false);
    }
}

bool layers_residual(struct treatment *t)
{
    struct builder b = {0};
    struct flow flow = {0};
    const struct layer_entry *e = t->layers.entries;
    for (size_t i = 0; i < t->layers.count; i += 1 + e[i].inside) {
        if (is(&e[i], LAYER_TRAIT_WEIGHTED)) {
            put_with_residual(&b, t, &e[i], &flow);
            continue;
        }
        put_all(&b, &e[i], 1 + e[i].inside);
        if (is(&e[i], LAYER_TRAIT_FLATTEN))
            flow.width = 0;
    }
    return take(t, &b);
}
