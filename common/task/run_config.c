#include "sweep/run_config.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/run/objective.h"
#include "common/task/trainer_part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define VERSION 1

static int parse_version(const struct json *root, struct errbuf *err)
{
    const struct json *v = json_get(root, "version");
    int64_t version;

    return v ? field_integer(v, "$.version", VERSION, VERSION, &version, err) : 0;
}

/* A configuration is a specification that sweeps nothing. */
static int check_settings(const struct json *root, struct run_config *c,
                          const bool given[SETTING_COUNT], struct errbuf *err)
{
    struct spec *s = xcalloc(1, sizeof(*s));

    s->trainer.data = c->data;
    s->trainer.fixed = c->settings;
    s->trainer.layers = c->layers;
    memcpy(s->trainer.given, given, sizeof(s->trainer.given));
    int rc = trainer_check(root, s, err);
    free(s);
    if (!rc)
        settings_apply_preset(&c->settings);
    return rc;
}

/* The horizon, and how far it may go now. */
static int parse_epochs(const struct json *root, struct run_config *c, struct errbuf *err)
{
    const struct json *epochs = json_get(root, "epochs"), *until = json_get(root, "until_epoch");
    int rc = epochs ? field_integer(epochs, "$.epochs", 1, SPEC_MAX_EPOCHS, &c->epochs, err) : 0;

    return rc || !until ? rc
                        : field_integer(until, "$.until_epoch", 1, c->epochs, &c->until_epoch, err);
}

static int parse_training(const struct json *root, struct run_config *c, struct errbuf *err)
{
    const struct json *seed = json_get(root, "seed"), *split = json_get(root, "split_seed");
    const struct json *metric = json_get(root, "metric");
    bool seen[SETTING_COUNT] = {false};
    int rc = settings_from_json(&c->settings, root, seen, err);

    if (!rc)
        rc = spec_layers_parse(root, &c->layers, err);
    if (!rc)
        rc = check_settings(root, c, seen, err);

    if (!rc)
        rc = parse_epochs(root, c, err);
    if (!rc && seed)
        rc = field_seed(seed, "$.seed", &c->seed, err);
    c->split_seed = c->seed;
    if (!rc && split)
        rc = field_seed(split, "$.split_seed", &c->split_seed, err);
    if (!rc && metric)
        rc = objective_parse(metric, &c->metric, NULL, &c->maximize, err);
    return rc;
}

static bool is_hex(const char *s)
{
    for (; *s; s++)
        if (!isdigit((unsigned char)*s) && !(*s >= 'a' && *s <= 'f'))
            return false;
    return true;
}

static int parse_file(const struct json *root, const char *key, char *out, size_t size,
                      struct errbuf *err)
{
    const struct json *v = json_get(root, key);
    char path[FIELD_PATH_MAX];

    field_path(path, "$", key);
    return v ? field_string(v, path, out, size, err) : 0;
}

static int parse_weights(const struct json *root, struct run_config *c, struct errbuf *err)
{
    const struct json *limit = json_get(root, "weights_floor");
    int rc = parse_file(root, "weights", c->weights, sizeof(c->weights), err);

    if (!rc)
        rc = parse_file(root, "start_weights", c->start_weights, sizeof(c->start_weights), err);
    if (!rc)
        rc = parse_file(root, "predict", c->predict, sizeof(c->predict), err);
    if (!rc && limit && json_real(limit, &c->weights_floor) < 0)
        rc = field_refuse(err, ERR_TYPE, "$.weights_floor", limit, "a number");
    c->has_weights_floor = !rc && limit;
    return rc;
}

static int parse_checkpoint(const struct json *root, struct run_config *c, struct errbuf *err)
{
    const struct json *seconds = json_get(root, "checkpoint_seconds");
    int rc = parse_file(root, "checkpoint", c->checkpoint, sizeof(c->checkpoint), err);

    if (!rc)
        rc = parse_file(root, "start_checkpoint", c->start_checkpoint, sizeof(c->start_checkpoint),
                        err);
    if (rc || !seconds)
        return rc;
    if (json_type(seconds) != JSON_NUMBER || json_number(seconds) < 0)
        return field_refuse(err, ERR_VALUE, "$.checkpoint_seconds", seconds, "seconds, 0 or more");
    c->checkpoint_seconds = json_number(seconds);
    return 0;
}

static int parse_files(const struct json *root, struct run_config *c, struct errbuf *err)
{
    const struct json *hash = json_get(root, "data_hash");
    int rc = parse_file(root, "data_hash", c->data_hash, sizeof(c->data_hash), err);

    if (!rc && hash && !is_hex(c->data_hash))
        rc = field_refuse(err, ERR_VALUE, "$.data_hash", hash, "hexadecimal digits 0-9 a-f");
    if (!rc)
        rc = parse_weights(root, c, err);
    return rc ? rc : parse_checkpoint(root, c, err);
}

int run_config_parse(const struct json *root, struct run_config *out, struct errbuf *err)
{
    static const char *const keys[] = {
        "version",     "data",          "model",         "train",      "epochs",
        "until_epoch", "seed",          "split_seed",    "metric",     "data_hash",
        "weights",     "weights_floor", "start_weights", "checkpoint", "checkpoint_seconds",
        "sweep",       "predict",       "start_checkpoint",
    };
    struct run_config c = {
        .epochs = SPEC_DEFAULT_EPOCHS,
        .metric = METRIC_VAL_LOSS,
        .checkpoint_seconds = RUN_CHECKPOINT_SECONDS,
    };
    int rc = field_object(root, "$", keys, ARRAY_LEN(keys), err);

    settings_init(&c.settings);
    if (!rc)
        rc = parse_version(root, err);
    if (!rc && !json_get(root, "data"))
        rc = field_missing(err, "$", "data", "the data to train on");
    if (!rc)
        rc = spec_data_parse(json_get(root, "data"), &c.data, err);
    if (!rc)
        rc = parse_training(root, &c, err);
    if (!rc)
        rc = parse_files(root, &c, err);
    if (rc)
        return rc;
    *out = c;
    return 0;
}

int run_config_read(const char *path, struct run_config *out, struct errbuf *err)
{
    struct json *root = NULL;
    int rc = json_read_file(path, TASK_CONFIG_MAX, &root, err);

    if (!rc)
        rc = run_config_parse(root, out, err);
    json_destroy(root);
    return rc;
}

/* Settings that the check of a whole configuration wants unsaid. */
static void write_model(const struct run_config *c, struct json_writer *w)
{
    bool skip[SETTING_COUNT] = {false};
    bool sequential = c->settings.v[SETTING_MODEL_TYPE] == MODEL_SEQUENTIAL;

    skip[SETTING_DEPTH] = sequential && !layer_list_uses(&c->layers, SETTING_DEPTH);
    jw_key(w, "model");
    jw_begin_object(w);
    settings_write_except(&c->settings, "model", skip, w);
    if (sequential) {
        jw_key(w, "layers");
        layer_list_write(&c->layers, w);
    }
    jw_end_object(w);
}

static void write_files(const struct run_config *c, struct json_writer *w)
{
    if (c->data_hash[0])
        jw_kv_string(w, "data_hash", c->data_hash);
    if (c->weights[0])
        jw_kv_string(w, "weights", c->weights);
    if (c->has_weights_floor)
        jw_kv_real(w, "weights_floor", c->weights_floor);
    if (c->start_weights[0])
        jw_kv_string(w, "start_weights", c->start_weights);
    if (c->predict[0])
        jw_kv_string(w, "predict", c->predict);
    if (c->start_checkpoint[0])
        jw_kv_string(w, "start_checkpoint", c->start_checkpoint);
    if (!c->checkpoint[0])
        return;
    jw_kv_string(w, "checkpoint", c->checkpoint);
    jw_kv_real(w, "checkpoint_seconds", c->checkpoint_seconds);
}

void run_config_write(const struct run_config *c, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_int(w, "version", VERSION);
    jw_key(w, "data");
    spec_data_write(&c->data, &c->settings, w);
    write_model(c, w);
    jw_key(w, "train");
    jw_begin_object(w);
    settings_to_json(&c->settings, "train", w);
    jw_end_object(w);
    jw_kv_int(w, "epochs", c->epochs);
    if (c->until_epoch)
        jw_kv_int(w, "until_epoch", c->until_epoch);
    jw_key(w, "seed");
    jw_uint_string(w, c->seed);
    jw_key(w, "split_seed");
    jw_uint_string(w, c->split_seed);
    jw_key(w, "metric");
    objective_write(metric_name(c->metric), c->maximize, w);
    write_files(c, w);
    if (c->sweep)
        jw_kv_raw(w, "sweep", c->sweep);
    jw_end_object(w);
}
