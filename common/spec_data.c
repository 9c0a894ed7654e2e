/* The "data" and "metric" objects, which a spec and a worker's configuration share. */
#include "common/spec_part.h"

#include <string.h>

#include "common/field.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define COUNT_MAX ((int64_t)JSON_MAX_SAFE_INTEGER)

static const char *const on_nan_names[] = {
    [ON_NAN_HOLD] = "hold",
    [ON_NAN_DROP] = "drop",
    [ON_NAN_IMPUTE] = "impute",
};
static const char *const format_names[] = {"idx"};
static const char *const goal_names[] = {"minimize", "maximize"};

/* --- data --------------------------------------------------------------------------------- */

static int parse_path(const struct json *v, const struct json *path, struct spec_data *d,
                      struct errbuf *err)
{
    const struct json *format = json_get(v, "format");
    int index, rc = field_string(path, "$.data.path", d->path, sizeof(d->path), err);

    if (rc)
        return rc;
    if (d->path[0] != '/')
        return field_refuse(err, ERR_VALUE, "$.data.path", path,
                            "an absolute path (the daemon has no current directory of yours)");
    if (!format)
        return field_missing(err, "$.data", "format", "\"idx\", as \"path\" is given");
    rc = field_name(format, "$.data.format", format_names, ARRAY_LEN(format_names), &index, err);
    if (rc)
        return rc;
    memcpy(d->format, format_names[index], strlen(format_names[index]) + 1);
    return 0;
}

static int parse_source(const struct json *v, struct spec_data *d, struct errbuf *err)
{
    const struct json *name = json_get(v, "name"), *path = json_get(v, "path");
    const struct json *format = json_get(v, "format");

    if (name && path)
        return field_refuse(err, ERR_VALUE, "$.data", v, "either \"name\" or \"path\", not both");
    if (path)
        return parse_path(v, path, d, err);
    if (!name)
        return field_missing(err, "$.data", "name",
                             "\"name\" of a data set, or \"path\" with \"format\"");
    if (format)
        return field_refuse(err, ERR_KEY, "$.data.format", format,
                            "only with \"path\": a named data set knows its format");
    return field_string(name, "$.data.name", d->name, sizeof(d->name), err);
}

static int parse_counts(const struct json *v, struct spec_data *d, struct errbuf *err)
{
    const struct json *validation = json_get(v, "validation"), *limit = json_get(v, "limit");
    int rc;

    if (!validation)
        return field_missing(err, "$.data", "validation",
                             "the number of samples to hold out, at least 1");
    rc = field_integer(validation, "$.data.validation", 1, COUNT_MAX, &d->validation, err);
    if (rc || !limit)
        return rc;
    rc = field_integer(limit, "$.data.limit", 1, COUNT_MAX, &d->limit, err);
    if (rc)
        return rc;
    if (d->limit <= d->validation)
        return field_refuse(err, ERR_VALUE, "$.data.limit", limit,
                            "more than the %lld samples of \"validation\", or none would be left "
                            "to train on",
                            (long long)d->validation);
    return 0;
}

int spec_data_parse(const struct json *v, struct spec_data *out, struct errbuf *err)
{
    static const char *const keys[] = {"name", "path", "format", "limit", "validation", "on_nan"};
    struct spec_data d = {.on_nan = ON_NAN_HOLD};
    int rc = field_object(v, "$.data", keys, ARRAY_LEN(keys), err);

    if (!rc)
        rc = parse_source(v, &d, err);
    if (!rc)
        rc = parse_counts(v, &d, err);
    if (!rc && json_get(v, "on_nan")) {
        int index = 0;
        rc = field_name(json_get(v, "on_nan"), "$.data.on_nan", on_nan_names,
                        ARRAY_LEN(on_nan_names), &index, err);
        d.on_nan = (enum on_nan)index;
    }
    if (rc)
        return rc;
    *out = d;
    return 0;
}

void spec_data_write(const struct spec_data *d, struct json_writer *w)
{
    jw_begin_object(w);
    if (d->name[0]) {
        jw_kv_string(w, "name", d->name);
    } else {
        jw_kv_string(w, "path", d->path);
        jw_kv_string(w, "format", d->format);
    }
    if (d->limit)
        jw_kv_int(w, "limit", d->limit);
    jw_kv_int(w, "validation", d->validation);
    jw_kv_string(w, "on_nan", on_nan_names[d->on_nan]);
    jw_end_object(w);
}

/* --- metric ------------------------------------------------------------------------------- */

bool spec_metric_default_maximize(enum metric metric)
{
    return metric == METRIC_VAL_ACC || metric == METRIC_TRAIN_ACC;
}

int spec_metric_parse(const struct json *v, enum metric *metric, bool *maximize, struct errbuf *err)
{
    static const char *const keys[] = {"name", "goal"};
    static const char *const names[] = {
#define X(id, name, column) [METRIC_##id] = name,
        METRIC_MAP(X)
#undef X
    };
    int index = METRIC_VAL_LOSS, goal;
    int rc = field_object(v, "$.metric", keys, ARRAY_LEN(keys), err);

    if (!rc && json_get(v, "name"))
        rc = field_name(json_get(v, "name"), "$.metric.name", names, ARRAY_LEN(names), &index, err);
    goal = spec_metric_default_maximize((enum metric)index);
    if (!rc && json_get(v, "goal"))
        rc = field_name(json_get(v, "goal"), "$.metric.goal", goal_names, ARRAY_LEN(goal_names),
                        &goal, err);
    if (rc)
        return rc;
    *metric = (enum metric)index;
    *maximize = goal;
    return 0;
}

void spec_metric_write(enum metric metric, bool maximize, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_string(w, "name", metric_name(metric));
    jw_kv_string(w, "goal", goal_names[maximize]);
    jw_end_object(w);
}
