#include "sweep/run_config.h"

#include <ctype.h>
#include <string.h>

#include "common/field.h"
#include "common/spec_part.h"
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

static int parse_training(const struct json *root, struct run_config *c, struct errbuf *err)
{
    const struct json *epochs = json_get(root, "epochs"), *seed = json_get(root, "seed");
    const struct json *split = json_get(root, "split_seed"), *metric = json_get(root, "metric");
    int rc = settings_from_json(&c->settings, root, NULL, err);

    if (!rc && epochs)
        rc = field_integer(epochs, "$.epochs", 1, SPEC_MAX_EPOCHS, &c->epochs, err);
    if (!rc && seed)
        rc = field_seed(seed, "$.seed", &c->seed, err);
    c->split_seed = c->seed;
    if (!rc && split)
        rc = field_seed(split, "$.split_seed", &c->split_seed, err);
    if (!rc && metric)
        rc = spec_metric_parse(metric, &c->metric, &c->maximize, err);
    return rc;
}

static bool is_hex(const char *s)
{
    for (; *s; s++)
        if (!isdigit((unsigned char)*s) && !(*s >= 'a' && *s <= 'f'))
            return false;
    return true;
}

static int parse_files(const struct json *root, struct run_config *c, struct errbuf *err)
{
    const struct json *hash = json_get(root, "data_hash"), *weights = json_get(root, "weights");
    const struct json *limit = json_get(root, "weights_floor");
    int rc = 0;

    if (hash)
        rc = field_string(hash, "$.data_hash", c->data_hash, sizeof(c->data_hash), err);
    if (!rc && hash && !is_hex(c->data_hash))
        rc = field_refuse(err, ERR_VALUE, "$.data_hash", hash, "hexadecimal digits 0-9 a-f");
    if (!rc && weights)
        rc = field_string(weights, "$.weights", c->weights, sizeof(c->weights), err);
    if (!rc && limit && json_real(limit, &c->weights_floor) < 0)
        rc = field_refuse(err, ERR_TYPE, "$.weights_floor", limit, "a number");
    c->has_weights_floor = !rc && limit;
    return rc;
}

int run_config_parse(const struct json *root, struct run_config *out, struct errbuf *err)
{
    static const char *const keys[] = {
        "version",    "data",   "model",     "train",   "epochs",        "seed",
        "split_seed", "metric", "data_hash", "weights", "weights_floor",
    };
    struct run_config c = {.epochs = SPEC_DEFAULT_EPOCHS, .metric = METRIC_VAL_LOSS};
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

void run_config_write(const struct run_config *c, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_int(w, "version", VERSION);
    jw_key(w, "data");
    spec_data_write(&c->data, w);
    settings_to_json(&c->settings, w);
    jw_kv_int(w, "epochs", c->epochs);
    jw_key(w, "seed");
    jw_uint_string(w, c->seed);
    jw_key(w, "split_seed");
    jw_uint_string(w, c->split_seed);
    jw_key(w, "metric");
    spec_metric_write(c->metric, c->maximize, w);
    if (c->data_hash[0])
        jw_kv_string(w, "data_hash", c->data_hash);
    if (c->weights[0])
        jw_kv_string(w, "weights", c->weights);
    if (c->has_weights_floor)
        jw_kv_real(w, "weights_floor", c->weights_floor);
    jw_end_object(w);
}
