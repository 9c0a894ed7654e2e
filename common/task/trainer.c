/* The task of our own worker: data, model and train of a spec, and settings as its parameters. */
#include "sweep/trainer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/base/synonym.h"
#include "common/task/trainer_part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/run_config.h"
#include "sweep/spec.h"

#define ID_MAX ((int64_t)JSON_MAX_SAFE_INTEGER)

/* Every setting may be swept at once. */
_Static_assert((int)SETTING_COUNT <= SPACE_MAX_DIMENSIONS, "room for all settings");

/* --- reading a spec -------------------------------------------------------------------------- */

static int parse_data(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "data");

    if (!v)
        return field_missing(err, "$", "data",
                             "the data to train on, such as {\"name\": \"fashion-mnist\", "
                             "\"validation\": 10000}");
    int rc = field_like(v, "$.data", "{\"name\": %s, \"validation\": 10000}", err);
    return rc ? rc : spec_data_parse(v, &s->trainer.data, err);
}

/* "task" may name the trainer, which is what a spec without it means. */
static int parse_task(const struct json *root, struct errbuf *err)
{
    static const char *const keys[] = {"trainer"};
    const struct json *v = json_get(root, "task");
    int rc = v ? field_object(v, "$.task", keys, ARRAY_LEN(keys), err) : 0;

    if (rc || !v)
        return rc;
    v = json_get(v, "trainer");
    if (json_type(v) == JSON_OBJECT && json_count(v) == 0)
        return 0;
    return field_refuse(err, json_type(v) == JSON_OBJECT ? ERR_KEY : ERR_TYPE, "$.task.trainer", v,
                        "{}: what it trains is said in \"data\", \"model\" and \"train\"");
}

static int parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    struct trainer_task *t = &s->trainer;
    const struct json *start = json_get(root, "start_from");
    const struct json *split = json_get(root, "split_seed");
    settings_init(&t->fixed);
    int rc = parse_task(root, err);

    if (!rc)
        rc = parse_data(root, s, err);
    if (!rc)
        rc = settings_from_json(&t->fixed, root, t->given, err);
    if (!rc)
        rc = spec_layers_parse(root, &t->layers, err);
    if (!rc && start)
        rc = field_integer(start, "$.start_from", 1, ID_MAX, &t->start_from, err);
    if (!rc && split)
        rc = field_seed(split, "$.split_seed", &t->split_seed, err);
    t->split_told = split != NULL;
    return rc;
}

/* --- parameters ------------------------------------------------------------------------------ */

/* The words for each setting: its label, its path, and its path without the section. */
static void setting_words(const char *words[3 * SETTING_COUNT])
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *t = setting_get((enum setting_id)i);
        words[3 * i] = setting_label((enum setting_id)i);
        words[3 * i + 1] = t->path;
        words[3 * i + 2] = strchr(t->path, '.') + 1;
    }
}

/* The setting one of whose words that is; -1: none. */
static int setting_of_word(const char *const *words, const char *word)
{
    for (int i = 0; word && i < 3 * SETTING_COUNT; i++)
        if (strcmp(words[i], word) == 0)
            return i / 3;
    return -1;
}

/* The nearest name counts also without its section: momentum is train.momentum. */
static int refuse_unknown(const struct json *member, const char *name, const char *path,
                          struct errbuf *err)
{
    const char *labels[SETTING_COUNT], *words[3 * SETTING_COUNT], *note;
    char allowed[sizeof(err->allowed)], near[160];
    int id;

    setting_words(words);
    for (int i = 0; i < SETTING_COUNT; i++)
        labels[i] = setting_label((enum setting_id)i);
    id = setting_of_word(words, field_near(name, words, ARRAY_LEN(words), &note));
    if (id >= 0)
        snprintf(near, sizeof(near), *note ? "%s (%s)" : "%s", labels[id], note);
    field_one_of(allowed, sizeof(allowed), id >= 0 ? near : NULL, labels, SETTING_COUNT);
    return field_refuse(err, ERR_KEY, path, member, "%s", allowed);
}

static int alias(const char *name)
{
    const char *words[3 * SETTING_COUNT];

    setting_words(words);
    for (int i = 0; i < 3 * SETTING_COUNT; i++)
        if (synonym_same_word(words[i], name))
            return i / 3;
    struct synonym known = synonym_find(name, words, ARRAY_LEN(words));
    return known.same ? setting_of_word(words, known.name) : -1;
}

/* What stands before the dots is the program's order of things: "optimizer.lr". A "type" there may
 * be anything's. */
int trainer_setting_alias(const char *name)
{
    const char *last = strrchr(name, '.');
    int id = alias(name);

    if (id >= 0 || !last)
        return id;
    id = setting_find(last + 1);
    if (id < 0)
        id = alias(last + 1);
    return id == SETTING_MODEL_TYPE ? -1 : id;
}

/* The names of a choice, as the space keeps them. */
static void take_choices(enum setting_id id, struct dimension *out)
{
    const struct setting *t = setting_get(id);
    char text[32];

    out->choice_count = (size_t)t->max + 1;
    out->choices = xcalloc(out->choice_count, sizeof(*out->choices));
    for (size_t i = 0; i < out->choice_count; i++)
        out->choices[i] = xstrdup(setting_choice_name(id, (int)i, text));
}

static int bind(const struct json *member, const char *name, const char *path, struct spec *s,
                struct dimension *out, struct errbuf *err)
{
    static const enum value_type types[] = {[SETTING_REAL] = VALUE_REAL,
                                            [SETTING_INTEGER] = VALUE_INTEGER,
                                            [SETTING_SWITCH] = VALUE_SWITCH,
                                            [SETTING_CHOICE] = VALUE_CHOICE};
    int id = setting_find(name);
    bool exact = id >= 0;

    if (!exact)
        id = trainer_setting_alias(name);
    if (id < 0)
        return refuse_unknown(member, name, path, err);
    const struct setting *t = setting_get((enum setting_id)id);
    if (s->trainer.fixed_here[id] || space_find_key(&s->space, id) >= 0)
        return field_refuse(err, ERR_VALUE, path, member, "each setting once: %s is %s",
                            setting_label((enum setting_id)id), t->path);
    if (s->trainer.given[id])
        return field_refuse(err, ERR_VALUE, path, member, "either here or fixed as %s, not both",
                            t->path);
    *out = (struct dimension){.key = id, .type = types[t->type]};
    str_copy(out->name, sizeof(out->name),
             exact ? name : setting_label((enum setting_id)id));
    if (t->type == SETTING_CHOICE)
        take_choices((enum setting_id)id, out);
    return 0;
}

static int read_value(const struct dimension *d, const struct json *v, const char *path,
                      double *out, struct errbuf *err)
{
    return setting_from_json(dimension_setting(d), v, path, out, err);
}

static int fix(const struct dimension *d, const struct json *v, const char *path, struct spec *s,
               struct errbuf *err)
{
    s->trainer.given[d->key] = s->trainer.fixed_here[d->key] = true;
    return read_value(d, v, path, &s->trainer.fixed.v[d->key], err);
}

/* What is stored always says how it is scaled: sweeps of older daemons go on as they began. */
static void default_scale(struct spec *s)
{
    struct trainer_task *t = &s->trainer;

    if (!t->given[SETTING_SCALE] && !spec_dimension(s, SETTING_SCALE) &&
        spec_data_is_table(&t->data))
        t->fixed.v[SETTING_SCALE] = SCALE_STANDARD;
}

static int check(const struct json *root, struct spec *s, struct errbuf *err)
{
    default_scale(s);
    int rc = trainer_check(root, s, err);

    if (!rc)
        settings_apply_preset(&s->trainer.fixed);
    return rc;
}

/* --- writing it ------------------------------------------------------------------------------ */

static void write_section(const struct spec *s, const char *section, const bool *skip,
                          struct json_writer *w)
{
    jw_key(w, section);
    jw_begin_object(w);
    settings_write_except(&s->trainer.fixed, section, skip, w);
    if (s->trainer.layers.count > 0 && strcmp(section, "model") == 0) {
        jw_key(w, "layers");
        layer_list_write(&s->trainer.layers, w);
    }
    jw_end_object(w);
}

/* Swept settings are written as parameters; a depth that no layer repeats may not be given. */
static void settings_left_out(const struct spec *s, bool skip[SETTING_COUNT])
{
    double low, high;

    for (int i = 0; i < SETTING_COUNT; i++)
        skip[i] = spec_dimension(s, (enum setting_id)i) != NULL;
    spec_setting_range(s, SETTING_MODEL_TYPE, &low, &high);
    if (low == MODEL_SEQUENTIAL && !layer_list_uses(&s->trainer.layers, SETTING_DEPTH))
        skip[SETTING_DEPTH] = true;
}

static void write(const struct spec *s, struct json_writer *w)
{
    bool skip[SETTING_COUNT];

    settings_left_out(s, skip);
    jw_key(w, "data");
    spec_data_write_except(&s->trainer.data, &s->trainer.fixed, skip, w);
    write_section(s, "model", skip, w);
    write_section(s, "train", skip, w);
}

/* One configuration of the space, for what its worker can refuse or find: everything in the
 * middle, but the most that is held out, the scaling that finds most, and NaN left in where any
 * run leaves it in. */
static void settings_to_prepare(const struct spec *spec, struct settings *out)
{
    struct assignment a;
    double low, high;

    space_middle(&spec->space, &a);
    trainer_settings(spec, &a, out);
    spec_setting_range(spec, SETTING_VALIDATION, &low, &high);
    out->v[SETTING_VALIDATION] = high;
    spec_setting_range(spec, SETTING_SCALE, &low, &high);
    out->v[SETTING_SCALE] = high;
    spec_setting_range(spec, SETTING_ON_NAN, &low, &high);
    out->v[SETTING_ON_NAN] = low; /* hold comes first */
    settings_apply_preset(out);
}

static uint64_t split_seed(const struct spec *s)
{
    return s->trainer.split_told ? s->trainer.split_seed : s->seed;
}

/* With the sweep, so that its other runs are checked too. */
static void prepare(const struct spec *spec, const char *sweep, const char *start_weights,
                    struct json_writer *w)
{
    struct run_config *c = xcalloc(1, sizeof(*c));

    c->sweep = sweep;
    c->data = spec->trainer.data;
    c->layers = spec->trainer.layers;
    settings_to_prepare(spec, &c->settings);
    c->epochs = spec->epochs;
    c->seed = spec->seed;
    c->split_seed = split_seed(spec);
    c->metric = spec->metric;
    c->maximize = spec->maximize;
    str_copy(c->start_weights, sizeof(c->start_weights), start_weights);
    run_config_write(c, w);
    free(c);
}

static void configure(const struct spec *s, const struct run_setup *r, struct json_writer *w)
{
    struct run_config *c = xcalloc(1, sizeof(*c));

    c->data = s->trainer.data;
    c->settings = r->config->settings;
    c->layers = r->config->layers ? *r->config->layers : s->trainer.layers;
    c->epochs = r->epochs;
    c->until_epoch = r->until_epoch;
    c->seed = r->seed;
    c->split_seed = split_seed(s);
    c->metric = s->metric;
    c->maximize = s->maximize;
    c->checkpoint_seconds = r->checkpoint_seconds;
    c->has_weights_floor = r->has_weights_floor;
    c->weights_floor = r->weights_floor;
    str_copy(c->data_hash, sizeof(c->data_hash), r->data_hash);
    str_copy(c->weights, sizeof(c->weights), r->weights);
    str_copy(c->checkpoint, sizeof(c->checkpoint), r->checkpoint);
    str_copy(c->start_checkpoint, sizeof(c->start_checkpoint), r->start_checkpoint);
    str_copy(c->start_weights, sizeof(c->start_weights), r->start_weights);
    run_config_write(c, w);
    free(c);
}

const struct task_kind task_trainer = {
    .name = "trainer",
    .has_settings = true,
    .needs_data = true,
    .has_checkpoints = true,
    .has_remedies = true,
    .parse = parse,
    .usual = trainer_usual,
    .bind = bind,
    .read_value = read_value,
    .fix = fix,
    .check = check,
    .write = write,
    .prepare = prepare,
    .configure = configure,
};
