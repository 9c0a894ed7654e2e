/* What the settings of a specification or of a worker's configuration say together. */
#include "common/base/field.h"
#include "common/task/trainer_part.h"

#include <stdio.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

struct check {
    const struct json *root; /* for messages */
    const struct spec *s;
    struct errbuf *err;
};

/* Where the setting was given: its path, and the value there (NULL: by default). */
static const struct json *place_of(const struct check *c, enum setting_id id,
                                   char path[FIELD_PATH_MAX])
{
    const struct dimension *d = spec_dimension(c->s, id);
    const char *where = setting_get(id)->path;
    char section[16];

    if (d) {
        field_path(path, "$.parameters", d->name);
        return json_get(json_get(c->root, "parameters"), d->name);
    }
    snprintf(path, FIELD_PATH_MAX, "$.%s", where);
    str_copy(section, sizeof(section), where);
    section[strcspn(section, ".")] = '\0';
    return json_get(json_get(c->root, section), strchr(where, '.') + 1);
}

static int refuse(const struct check *c, int code, enum setting_id id, const char *allowed)
{
    char path[FIELD_PATH_MAX];
    const struct json *v = place_of(c, id, path);

    return field_refuse(c->err, code, path, v, "%s", allowed);
}

static bool is_given(const struct check *c, enum setting_id id)
{
    return c->s->trainer.given[id] || spec_dimension(c->s, id);
}

static double least(const struct check *c, enum setting_id id)
{
    double low, high;

    spec_setting_range(c->s, id, &low, &high);
    return low;
}

static double most(const struct check *c, enum setting_id id)
{
    double low, high;

    spec_setting_range(c->s, id, &low, &high);
    return high;
}

/* --- data --------------------------------------------------------------------------------- */

/* The smallest limit of any run; 0 when none has one. */
static double least_limit(const struct check *c)
{
    const struct dimension *d = spec_dimension(c->s, SETTING_LIMIT);
    double low = 0;

    if (!d)
        return c->s->trainer.fixed.v[SETTING_LIMIT];
    if (d->distribution != DISTRIBUTION_CATEGORICAL)
        return d->min > 0 ? d->min : 1;
    for (size_t i = 0; i < d->value_count; i++)
        if (d->values[i] > 0 && (low == 0 || d->values[i] < low))
            low = d->values[i];
    return low;
}

static int check_validation(const struct check *c)
{
    bool given = is_given(c, SETTING_VALIDATION);

    if (c->s->trainer.data.validation_path[0])
        return given ? refuse(c, ERR_KEY, SETTING_VALIDATION,
                              "nothing beside \"validation_path\": none are drawn then")
                     : 0;
    if (!given && c->s->trainer.data.format == FORMAT_NPZ) /* which may hold x_val and y_val */
        return 0;
    if (!given)
        return field_missing(c->err, "$.data", "validation",
                             "the number of samples to hold out, at least 1, or "
                             "\"validation_path\"");
    if (least(c, SETTING_VALIDATION) < 1)
        return refuse(c, ERR_VALUE, SETTING_VALIDATION, "at least 1 sample to hold out");
    return 0;
}

static int check_limit(const struct check *c)
{
    double limit = least_limit(c), validation = most(c, SETTING_VALIDATION);
    char allowed[160];

    if (limit == 0 || limit > validation)
        return 0;
    snprintf(allowed, sizeof(allowed),
             "more than the %.0f samples of \"validation\", or none would be left to train on",
             validation);
    return refuse(c, ERR_VALUE, SETTING_LIMIT, allowed);
}

/* --- model -------------------------------------------------------------------------------- */

static bool may_be_recurrent(const struct spec *s)
{
    return spec_may_be(s, SETTING_MODEL_TYPE, MODEL_RNN) ||
           spec_may_be(s, SETTING_MODEL_TYPE, MODEL_GRU) ||
           spec_may_be(s, SETTING_MODEL_TYPE, MODEL_LSTM);
}

static int check_layers(const struct check *c)
{
    const struct json *layers = json_get(json_get(c->root, "model"), "layers");
    bool sequential = spec_may_be(c->s, SETTING_MODEL_TYPE, MODEL_SEQUENTIAL);

    if (layers && !sequential)
        return field_refuse(c->err, ERR_KEY, "$.model.layers", layers,
                            "only with model type sequential");
    if (!layers && sequential)
        return field_missing(c->err, "$.model", "layers",
                             "a list of layers, for model type sequential");
    return 0;
}

static int refuse_untaken(const struct check *c, enum setting_id id, const char *such)
{
    char allowed[160];

    snprintf(allowed, sizeof(allowed),
             "with model type sequential only where a layer takes it up, such as %s; no layer "
             "says \"%s\"", such, setting_label(id));
    return refuse(c, ERR_VALUE, id, allowed);
}

/* The same of what the short forms know nothing of. */
static int check_list_only(const struct check *c)
{
    static const enum setting_id list_only[] = {
        SETTING_CHANNELS, SETTING_KERNEL, SETTING_STRIDE, SETTING_PADDING, SETTING_POOL_SIZE,
    };

    for (size_t i = 0; i < ARRAY_LEN(list_only); i++)
        if (spec_dimension(c->s, list_only[i]) &&
            !layer_list_uses(&c->s->trainer.layers, list_only[i]))
            return refuse_untaken(c, list_only[i], "\"channels\": \"channels\"");
    return 0;
}

static const enum setting_id short_forms[] = {
    SETTING_DEPTH,         SETTING_WIDTH,         SETTING_ACTIVATION,
    SETTING_NORMALIZATION, SETTING_RESIDUAL,      SETTING_DENSE_BEFORE,
    SETTING_DENSE_AFTER,   SETTING_BIDIRECTIONAL, SETTING_DROPOUT,
};

bool spec_may_sweep(const struct spec *s, enum setting_id id)
{
    double type, unused, value;

    spec_setting_range(s, SETTING_MODEL_TYPE, &type, &unused);
    for (size_t i = 0; i < ARRAY_LEN(short_forms) && type == MODEL_SEQUENTIAL; i++)
        if (short_forms[i] == id && !layer_list_uses(&s->trainer.layers, id))
            return false;
    return !spec_may_be(s, SETTING_PRESET, PRESET_GUIDE_G3_2) || !setting_preset_value(id, &value);
}

/* Sweeping what no layer of the list takes up would train the same net again and again. */
static int check_taken_up(const struct check *c)
{
    const struct layer_list *l = &c->s->trainer.layers;

    if (least(c, SETTING_MODEL_TYPE) < MODEL_SEQUENTIAL)
        return 0;
    if (is_given(c, SETTING_DEPTH) && !layer_list_uses(l, SETTING_DEPTH))
        return refuse(c, ERR_VALUE, SETTING_DEPTH,
                      "with model type sequential only beside a layer with \"repeat\": \"depth\"");
    for (size_t i = 0; i < ARRAY_LEN(short_forms); i++) {
        enum setting_id id = short_forms[i];
        if (spec_dimension(c->s, id) && !layer_list_uses(l, id))
            return refuse_untaken(c, id, "\"units\": \"width\"");
    }
    return 0;
}

/* The smallest and the largest network of each type. */
static int check_plans(const struct check *c)
{
    struct settings ends[2];
    struct model_plan plan;

    for (int i = 0; i < SETTING_COUNT; i++)
        spec_setting_range(c->s, (enum setting_id)i, &ends[0].v[i], &ends[1].v[i]);
    for (int type = 0; type < MODEL_TYPE_COUNT; type++) {
        if (!spec_may_be(c->s, SETTING_MODEL_TYPE, type))
            continue;
        for (size_t k = 0; k < ARRAY_LEN(ends); k++) {
            ends[k].v[SETTING_MODEL_TYPE] = type;
            int rc = model_plan_init(&plan, &ends[k], &c->s->trainer.layers, c->err);
            if (rc)
                return rc;
            model_plan_finish(&plan);
        }
    }
    return 0;
}

static int check_model(const struct check *c)
{
    int rc = check_layers(c);

    if (!rc && may_be_recurrent(c->s) && least(c, SETTING_DEPTH) < 1)
        rc = refuse(c, ERR_VALUE, SETTING_DEPTH, "1 to 256 recurrent layers, for rnn, gru, lstm");
    if (!rc)
        rc = check_list_only(c);
    if (!rc)
        rc = check_taken_up(c);
    return rc ? rc : check_plans(c);
}

/* --- train -------------------------------------------------------------------------------- */

static int check_clip(const struct check *c)
{
    if (!spec_may_be(c->s, SETTING_CLIP, CLIP_VALUE) ||
        most(c, SETTING_CLIP_MIN) <= least(c, SETTING_CLIP_MAX))
        return 0;
    return refuse(c, ERR_VALUE, SETTING_CLIP_MIN, "at most train.clip_max, for clip value");
}

/* What the preset fixes can neither be swept nor be something else. */
static int check_preset(const struct check *c)
{
    const struct dimension *preset = spec_dimension(c->s, SETTING_PRESET);
    char text[32], allowed[128];
    double value;

    if (!spec_may_be(c->s, SETTING_PRESET, PRESET_GUIDE_G3_2))
        return 0;
    for (int i = 0; i < SETTING_COUNT; i++) {
        enum setting_id id = (enum setting_id)i;
        bool differs = !preset && c->s->trainer.given[i];
        if (!setting_preset_value(id, &value))
            continue;
        differs = differs && c->s->trainer.fixed.v[i] != value;
        if (!differs && !spec_dimension(c->s, id))
            continue;
        setting_format(id, value, text);
        snprintf(allowed, sizeof(allowed), "nothing: train.preset guide_g3_2 fixes it to %s", text);
        return refuse(c, ERR_VALUE, id, allowed);
    }
    return 0;
}

/* --- all ---------------------------------------------------------------------------------- */

int spec_layers_parse(const struct json *root, struct layer_list *out, struct errbuf *err)
{
    const struct json *v = json_get(json_get(root, "model"), "layers");

    return v ? layer_list_parse(v, "$.model.layers", out, err) : 0;
}

int trainer_check(const struct json *root, const struct spec *s, struct errbuf *err)
{
    static int (*const checks[])(const struct check *) = {
        check_validation, check_limit, check_model, check_clip, check_preset,
    };
    struct check c = {root, s, err};

    for (size_t i = 0; i < ARRAY_LEN(checks); i++) {
        int rc = checks[i](&c);
        if (rc)
            return rc;
    }
    return 0;
}
