#include "sweep/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/model_option.h"
#include "common/task/trainer_part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define REPEAT_DEPTH "depth"

static const struct setting options[LAYER_OPTION_COUNT] = {
#define X(id, option, type, min, max, def, choices, doc)                                           \
    [LAYER_OPTION_##id] = {option,       NULL, SETTING_OF_MODEL, SETTING_##type,                   \
                           SETTING_FROM, min,  max,              def,                              \
                           choices,      doc},
    LAYER_OPTION_MAP(X)
#undef X
};

static const struct {
    const char *name;
    unsigned options, traits;
} kinds[] = {
#define X(id, name, options, traits, doc) [LAYER_##id] = {#name, options, traits},
    LAYER_MAP(X)
#undef X
};

const char *layer_kind_name(enum layer_kind k)
{
    REQUIRE((unsigned)k < LAYER_KIND_COUNT);
    return kinds[k].name;
}

bool layer_is(enum layer_kind k, unsigned traits)
{
    REQUIRE((unsigned)k < LAYER_KIND_COUNT);
    return (kinds[k].traits & traits) == traits;
}

const struct setting *layer_option_row(enum layer_option o)
{
    REQUIRE((unsigned)o < LAYER_OPTION_COUNT);
    return &options[o];
}

double layer_option_default(enum layer_kind k, enum layer_option o)
{
    REQUIRE((unsigned)k < LAYER_KIND_COUNT);
    return kinds[k].options >> o & 1u ? layer_option_row(o)->fallback : NAN;
}

bool layer_list_uses(const struct layer_list *l, enum setting_id id)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct layer_entry *e = &l->entries[i];
        if (e->repeat_is_depth && id == SETTING_DEPTH)
            return true;
        if (e->has_activation && e->activation_is_setting && e->activation == (double)id)
            return true;
        for (int o = 0; o < LAYER_OPTION_COUNT; o++)
            if (e->is_setting[o] && e->value[o] == (double)id)
                return true;
    }
    return false;
}

/* --- reading ------------------------------------------------------------------------------ */

struct reader {
    struct layer_list list;
    bool has_depth; /* an entry carries repeat: depth */
    struct errbuf *err;
};

/* May the option take the setting's value? Ranges are compared when the value is known. */
static bool same_type(const struct setting *option, const struct setting *t)
{
    return option->type == t->type &&
           (t->type != SETTING_CHOICE || strcmp(option->choices, t->choices) == 0);
}

static int refuse_name(const struct setting *option, const struct json *v, const char *path,
                       struct errbuf *err)
{
    const char *names[SETTING_COUNT];
    char list[sizeof(err->allowed)];
    size_t count = 0;

    for (int i = 0; i < SETTING_COUNT; i++)
        if (same_type(option, setting_get((enum setting_id)i)))
            names[count++] = setting_label((enum setting_id)i);
    field_suggest(list, sizeof(list), json_string(v), names, count);
    return field_refuse(err, ERR_VALUE, path, v,
                        "a value, or the name of a setting of the same type: %s", list);
}

static int read_value(const struct setting *option, const struct json *v, const char *path,
                      bool *is_setting, double *value, struct errbuf *err)
{
    bool string = json_type(v) == JSON_STRING;
    int id = string ? setting_find(json_string(v)) : -1;

    *is_setting = id >= 0 && same_type(option, setting_get((enum setting_id)id));
    if (*is_setting) {
        *value = id;
        return 0;
    }
    if (string && option->type != SETTING_CHOICE)
        return refuse_name(option, v, path, err);
    return setting_read(option, v, path, value, err);
}

static int read_options(const struct json *v, const char *path, struct layer_entry *e,
                        struct errbuf *err)
{
    char key[FIELD_PATH_MAX];

    for (int o = 0; o < LAYER_OPTION_COUNT; o++) {
        const struct json *member = json_get(v, options[o].path);
        e->value[o] = layer_option_default(e->kind, (enum layer_option)o);
        if (!member)
            continue;
        field_path(key, path, options[o].path);
        int rc = read_value(&options[o], member, key, &e->is_setting[o], &e->value[o], err);
        if (rc)
            return rc;
    }
    return 0;
}

static int read_activation(const struct json *v, const char *path, struct layer_entry *e,
                           struct errbuf *err)
{
    const struct json *member = json_get(v, "activation");
    char key[FIELD_PATH_MAX];

    if (!member)
        return 0;
    e->has_activation = true;
    field_path(key, path, "activation");
    return read_value(&options[LAYER_OPTION_FUNCTION], member, key, &e->activation_is_setting,
                      &e->activation, err);
}

static int read_repeat(struct reader *r, const struct json *v, const char *path,
                       struct layer_entry *e)
{
    const struct json *member = json_get(v, "repeat");
    char key[FIELD_PATH_MAX];
    int64_t count = 1;
    int rc = 0;

    field_path(key, path, "repeat");
    e->repeat_is_depth = member && json_type(member) == JSON_STRING &&
                         strcmp(json_string(member), REPEAT_DEPTH) == 0;
    if (e->repeat_is_depth && r->has_depth)
        return field_refuse(r->err, ERR_VALUE, key, member, "\"depth\" at one layer only");
    r->has_depth |= e->repeat_is_depth;
    if (member && json_type(member) == JSON_STRING && !e->repeat_is_depth)
        return field_refuse(r->err, ERR_VALUE, key, member, "an integer from 1 to %d, or \"depth\"",
                            MODEL_PLAN_MAX);
    if (member && !e->repeat_is_depth)
        rc = field_integer(member, key, 1, MODEL_PLAN_MAX, &count, r->err);
    e->repeat = (size_t)count;
    return rc;
}

static int read_kind(const struct json *v, const char *path, enum layer_kind *out,
                     struct errbuf *err)
{
    static const char *const names[] = {
#define X(id, name, options, traits, doc) [LAYER_##id] = #name,
        LAYER_MAP(X)
#undef X
    };
    const struct json *type = json_get(v, "type");
    char key[FIELD_PATH_MAX];
    int index, rc;

    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, path, v,
                            "an object, such as {\"type\": \"dense\", \"units\": 64}");
    if (!type)
        return field_missing(err, path, "type", "the kind of layer, such as \"dense\"");
    field_path(key, path, "type");
    rc = field_name(type, key, names, ARRAY_LEN(names), &index, err);
    if (!rc)
        *out = (enum layer_kind)index;
    return rc;
}

/* The keys that a layer of that kind may have. */
static int check_keys(const struct json *v, const char *path, enum layer_kind kind,
                      struct errbuf *err)
{
    const char *keys[LAYER_OPTION_COUNT + 3] = {"type", "repeat"};
    size_t count = 2;

    if (layer_is(kind, LAYER_TRAIT_AROUND))
        keys[count++] = "layers";
    else if (!layer_is(kind, LAYER_TRAIT_ACTIVATION))
        keys[count++] = "activation";
    for (int o = 0; o < LAYER_OPTION_COUNT; o++)
        if (kinds[kind].options >> o & 1u)
            keys[count++] = options[o].path;
    return field_object(v, path, keys, count, err);
}

static int read_list(struct reader *r, const struct json *v, const char *key);

/* Nested as deep as JSON may be at most. */
static int read_inside(struct reader *r, const struct json *v, const char *path, size_t at)
{
    const struct json *layers = json_get(v, "layers");
    char key[FIELD_PATH_MAX];
    int rc;

    if (!layers)
        return field_missing(r->err, path, "layers", "a list of the layers it goes around");
    field_path(key, path, "layers");
    rc = read_list(r, layers, key);
    r->list.entries[at].inside = r->list.count - at - 1;
    return rc;
}

static int read_entry(struct reader *r, const struct json *v, const char *path)
{
    size_t at = r->list.count;

    if (at == MODEL_LAYERS_MAX)
        return field_refuse(r->err, ERR_LIMIT, path, v, "at most %d layers in all",
                            MODEL_LAYERS_MAX);
    struct layer_entry *e = &r->list.entries[at];
    int rc = read_kind(v, path, &e->kind, r->err);
    if (!rc)
        rc = check_keys(v, path, e->kind, r->err);
    if (!rc)
        rc = read_options(v, path, e, r->err);
    if (!rc)
        rc = read_activation(v, path, e, r->err);
    if (!rc)
        rc = read_repeat(r, v, path, e);
    r->list.count++;
    return rc || !layer_is(e->kind, LAYER_TRAIT_AROUND) ? rc : read_inside(r, v, path, at);
}

static int read_list(struct reader *r, const struct json *v, const char *key)
{
    char path[FIELD_PATH_MAX];
    size_t i = 0;

    if (json_type(v) != JSON_ARRAY)
        return field_refuse(r->err, ERR_TYPE, key, v, "a list of layers");
    if (!json_count(v))
        return field_refuse(r->err, ERR_VALUE, key, v, "at least one layer");
    for (const struct json *m = json_first(v); m; m = json_next(m)) {
        field_path_index(path, key, i++);
        int rc = read_entry(r, m, path);
        if (rc)
            return rc;
    }
    return 0;
}

int layer_list_parse(const struct json *v, const char *key, struct layer_list *out,
                     struct errbuf *err)
{
    struct reader r = {.err = err};
    int rc = read_list(&r, v, key);

    if (!rc)
        *out = r.list;
    return rc;
}

/* --- writing ------------------------------------------------------------------------------ */

static void write_value(const struct setting *option, bool is_setting, double value,
                        struct json_writer *w)
{
    if (is_setting)
        jw_string(w, setting_label((enum setting_id)value));
    else
        setting_write(option, value, w);
}

static void write_list(const struct layer_entry *e, size_t count, struct json_writer *w);

static void write_entry(const struct layer_entry *e, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "type", kinds[e->kind].name);
    for (int o = 0; o < LAYER_OPTION_COUNT; o++) {
        if (!(kinds[e->kind].options >> o & 1u))
            continue;
        jw_key(w, options[o].path);
        write_value(&options[o], e->is_setting[o], e->value[o], w);
    }
    if (e->has_activation) {
        jw_key(w, "activation");
        write_value(&options[LAYER_OPTION_FUNCTION], e->activation_is_setting, e->activation, w);
    }
    if (e->repeat_is_depth)
        jw_kv_string(w, "repeat", REPEAT_DEPTH);
    else if (e->repeat != 1)
        jw_kv_int(w, "repeat", (int64_t)e->repeat);
    if (layer_is(e->kind, LAYER_TRAIT_AROUND)) {
        jw_key(w, "layers");
        write_list(e + 1, e->inside, w);
    }
    jw_end_object(w);
}

static void write_list(const struct layer_entry *e, size_t count, struct json_writer *w)
{
    jw_begin_array(w);
    for (size_t i = 0; i < count; i += 1 + e[i].inside)
        write_entry(&e[i], w);
    jw_end_array(w);
}

void layer_list_write(const struct layer_list *l, struct json_writer *w)
{
    write_list(l->entries, l->count, w);
}

/* --- comparing ---------------------------------------------------------------------------- */

static bool same_value(double a, double b)
{
    return a == b || (isnan(a) && isnan(b));
}

static bool same_entry(const struct layer_entry *a, const struct layer_entry *b)
{
    for (int o = 0; o < LAYER_OPTION_COUNT; o++)
        if (a->is_setting[o] != b->is_setting[o] || !same_value(a->value[o], b->value[o]))
            return false;
    return a->kind == b->kind && a->has_activation == b->has_activation &&
           a->activation_is_setting == b->activation_is_setting &&
           (!a->has_activation || same_value(a->activation, b->activation)) &&
           a->repeat_is_depth == b->repeat_is_depth && a->repeat == b->repeat &&
           a->inside == b->inside;
}

bool layer_list_same(const struct layer_list *a, const struct layer_list *b)
{
    if (a->count != b->count)
        return false;
    for (size_t i = 0; i < a->count; i++)
        if (!same_entry(&a->entries[i], &b->entries[i]))
            return false;
    return true;
}
