/* The "data" object, which a spec and a worker's configuration share. */
#include "common/task/trainer_part.h"

#include <stdio.h>

#include "common/base/field.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define BIT(format) (1u << FORMAT_##format)
#define ANY_FORMAT ((1u << FORMAT_COUNT) - 1)

static const char *const format_names[] = {
#define X(id, name) [FORMAT_##id] = name,
    FORMAT_MAP(X)
#undef X
};
static const char *const task_names[] = {"classification", "regression"};

const char *format_name(enum format f)
{
    REQUIRE((unsigned)f < FORMAT_COUNT);
    return format_names[f];
}

bool spec_data_is_table(const struct spec_data *d)
{
    return !d->name[0] && ((BIT(CSV) | BIT(TSV) | BIT(LIBSVM)) >> d->format & 1u);
}

/* --- data: files -------------------------------------------------------------------------- */

/* Keys that go with some formats only, and never with a name. */
static const struct {
    const char *key;
    unsigned formats;
    const char *beside; /* a key that must be there too; NULL: none */
    const char *formats_text;
} with_path[] = {
    {"format", ANY_FORMAT, NULL, "any format"},
    {"target_path", BIT(NPY), NULL, "format npy"},
    {"validation_path", ANY_FORMAT, NULL, "any format"},
    {"validation_target_path", BIT(NPY), "validation_path", "format npy"},
    {"test_path", ANY_FORMAT, NULL, "any format"},
    {"test_target_path", BIT(NPY), "test_path", "format npy"},
    {"target", BIT(CSV) | BIT(TSV) | BIT(NPZ), NULL, "formats csv, tsv and npz"},
    {"features", BIT(NPZ), NULL, "format npz"},
#define X(key, formats) {key, BIT(CSV) | BIT(TSV), NULL, formats},
    DATA_TABLE_MAP(X)
#undef X
};

static int parse_path(const struct json *v, const char *key, char out[SPEC_PATH_MAX],
                      struct errbuf *err)
{
    const struct json *path = json_get(v, key);
    char where[FIELD_PATH_MAX];

    field_path(where, "$.data", key);
    int rc = path ? field_string(path, where, out, SPEC_PATH_MAX, err) : 0;
    if (!rc && path && out[0] != '/')
        return field_refuse(err, ERR_VALUE, where, path,
                            "an absolute path (the daemon has no current directory of yours)");
    return rc;
}

static int parse_name(const struct json *v, struct spec_data *d, struct errbuf *err)
{
    char where[FIELD_PATH_MAX];

    for (size_t i = 0; i < ARRAY_LEN(with_path); i++) {
        const struct json *member = json_get(v, with_path[i].key);
        field_path(where, "$.data", with_path[i].key);
        if (member)
            return field_refuse(err, ERR_KEY, where, member,
                                "only with \"path\": a named data set knows its format and files");
    }
    return field_string(json_get(v, "name"), "$.data.name", d->name, sizeof(d->name), err);
}

static int parse_format(const struct json *v, struct spec_data *d, struct errbuf *err)
{
    const struct json *format = json_get(v, "format");
    int index, rc;

    if (!format)
        return field_missing(err, "$.data", "format",
                             "idx, csv, tsv, npy, npz or libsvm, as \"path\" is given");
    rc = field_name(format, "$.data.format", format_names, ARRAY_LEN(format_names), &index, err);
    if (!rc)
        d->format = (enum format)index;
    return rc;
}

/* Do the keys that are there go with the format and with each other? */
static int check_companions(const struct json *v, enum format format, struct errbuf *err)
{
    char where[FIELD_PATH_MAX];

    for (size_t i = 0; i < ARRAY_LEN(with_path); i++) {
        const struct json *member = json_get(v, with_path[i].key);
        field_path(where, "$.data", with_path[i].key);
        if (!member)
            continue;
        if (!(with_path[i].formats >> format & 1u))
            return field_refuse(err, ERR_KEY, where, member, "only with %s",
                                with_path[i].formats_text);
        if (with_path[i].beside && !json_get(v, with_path[i].beside))
            return field_refuse(err, ERR_KEY, where, member, "only with \"%s\"",
                                with_path[i].beside);
    }
    return 0;
}

/* An .npy holds one array, so features and targets are two files. */
static int check_targets(const struct spec_data *d, struct errbuf *err)
{
    static const char allowed[] = "the file of the targets, for format npy";

    if (d->format != FORMAT_NPY)
        return 0;
    if (!d->target_path[0])
        return field_missing(err, "$.data", "target_path", allowed);
    if (d->validation_path[0] && !d->validation_target_path[0])
        return field_missing(err, "$.data", "validation_target_path", allowed);
    if (d->test_path[0] && !d->test_target_path[0])
        return field_missing(err, "$.data", "test_target_path", allowed);
    return 0;
}

static int parse_files(const struct json *v, struct spec_data *d, struct errbuf *err)
{
    int rc = parse_path(v, "path", d->path, err);

    if (!rc)
        rc = parse_format(v, d, err);
    if (!rc)
        rc = check_companions(v, d->format, err);
#define X(member, key, doc)                                                                        \
    if (!rc)                                                                                       \
        rc = parse_path(v, key, d->member, err);
    DATA_FILE_MAP(X)
#undef X
    return rc ? rc : check_targets(d, err);
}

static int parse_source(const struct json *v, struct spec_data *d, struct errbuf *err)
{
    if (json_get(v, "name") && json_get(v, "path"))
        return field_refuse(err, ERR_VALUE, "$.data", v, "either \"name\" or \"path\", not both");
    if (json_get(v, "path"))
        return parse_files(v, d, err);
    if (json_get(v, "name"))
        return parse_name(v, d, err);
    return field_missing(err, "$.data", "name",
                         "\"name\" of a data set, or \"path\" with \"format\"");
}

/* --- data: what the columns are ------------------------------------------------------------- */

/* A column's number is kept as its digits: the reader looks for a name first. */
static int parse_target(const struct json *v, struct spec_data *d, struct errbuf *err)
{
    const struct json *target = json_get(v, "target");
    int64_t number;

    if (!target)
        return 0;
    if (json_type(target) == JSON_STRING)
        return field_string(target, "$.data.target", d->target, sizeof(d->target), err);
    if (json_type(target) != JSON_NUMBER || d->format == FORMAT_NPZ)
        return field_refuse(err, ERR_TYPE, "$.data.target", target, "%s",
                            d->format == FORMAT_NPZ ? "the name of an array"
                                                    : "a column's name, or its number from 1");
    int rc = field_integer(target, "$.data.target", 1, INT32_MAX, &number, err);
    if (!rc)
        snprintf(d->target, sizeof(d->target), "%d", (int)number);
    return rc;
}

static int parse_meaning(const struct json *v, struct spec_data *d, struct errbuf *err)
{
    const struct json *task = json_get(v, "task"), *features = json_get(v, "features");
    int index = 0, rc;

    rc = features ? field_string(features, "$.data.features", d->features, sizeof(d->features), err)
                  : 0;
    if (rc || !task)
        return rc;
    rc = field_name(task, "$.data.task", task_names, ARRAY_LEN(task_names), &index, err);
    d->task = index == 0 ? TASK_CLASSIFICATION : TASK_REGRESSION;
    return rc;
}

int spec_data_parse(const struct json *v, struct spec_data *out, struct errbuf *err)
{
    struct spec_data d = {.format = FORMAT_IDX};
    int rc = settings_check_keys("data", v, err);

    if (!rc)
        rc = parse_source(v, &d, err);
    if (!rc)
        rc = parse_target(v, &d, err);
    if (!rc)
        rc = parse_meaning(v, &d, err);
    if (!rc)
        rc = spec_table_parse(v, &d, err);
    if (rc)
        return rc;
    *out = d;
    return 0;
}

static void write_source(const struct spec_data *d, struct json_writer *w)
{
    if (d->name[0]) {
        jw_kv_string(w, "name", d->name);
        return;
    }
    jw_kv_string(w, "path", d->path);
    jw_kv_string(w, "format", format_names[d->format]);
#define X(member, key, doc)                                                                        \
    if (d->member[0])                                                                              \
        jw_kv_string(w, key, d->member);
    DATA_FILE_MAP(X)
#undef X
    if (d->target[0])
        jw_kv_string(w, "target", d->target);
    if (d->features[0])
        jw_kv_string(w, "features", d->features);
    spec_table_write(d, w);
}

void spec_data_write_except(const struct spec_data *d, const struct settings *s, const bool *skip,
                            struct json_writer *w)
{
    bool left_out[SETTING_COUNT] = {false};

    for (int i = 0; skip && i < SETTING_COUNT; i++)
        left_out[i] = skip[i];
    left_out[SETTING_VALIDATION] |= s->v[SETTING_VALIDATION] == 0; /* drawn from nothing */
    jw_begin_object(w);
    write_source(d, w);
    if (d->task != TASK_AUTO)
        jw_kv_string(w, "task", task_names[d->task == TASK_REGRESSION]);
    settings_write_except(s, "data", left_out, w);
    jw_end_object(w);
}

void spec_data_write(const struct spec_data *d, const struct settings *s, struct json_writer *w)
{
    spec_data_write_except(d, s, NULL, w);
}
