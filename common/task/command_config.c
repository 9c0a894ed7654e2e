/* config.json of a run whose task is a command. */
#include <stdlib.h>

#include "common/base/field.h"
#include "common/run/objective.h"
#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define VERSION 1
#define PARAMS_MAX 65536 /* bytes; one environment variable holds them */

void command_config_init(struct command_config *out, const struct command_task *t,
                         const struct command_values *values)
{
    struct buf params = {0};
    struct json_writer w;

    *out = (struct command_config){
        .epochs = values->epochs,
        .until_epoch = values->epochs,
        .seed = values->seed,
    };
    command_expand(&t->command, values, &out->command);
    command_manner_copy(&t->manner, &out->manner);
    jw_init(&w, &params);
    command_params_write(values, &w);
    out->params = buf_take(&params);
}

static int parse_kind(const struct json *root, struct errbuf *err)
{
    static const char *const tasks[] = {COMMAND_TASK};
    const struct json *task = json_get(root, "task"), *version = json_get(root, "version");
    int64_t number;
    int kind;

    if (!task)
        return field_missing(err, "$", "task", COMMAND_TASK);
    int rc = field_name(task, "$.task", tasks, ARRAY_LEN(tasks), &kind, err);
    if (!rc && version)
        rc = field_integer(version, "$.version", VERSION, VERSION, &number, err);
    return rc;
}

static int parse_goal(const struct json *v, bool *maximize, struct errbuf *err)
{
    static const char *const goals[] = {"minimize", "maximize"};
    int goal = 0;
    int rc = v ? field_name(v, "$.metric.goal", goals, ARRAY_LEN(goals), &goal, err) : 0;

    if (!rc)
        *maximize = goal == 1;
    return rc;
}

static int parse_metric(const struct json *v, struct command_config *c, struct errbuf *err)
{
    static const char *const keys[] = {"name", "goal"};

    if (!v)
        return field_missing(err, "$", "metric", "what runs are ranked by: {\"name\": \"loss\"}");
    int rc = field_object(v, "$.metric", keys, ARRAY_LEN(keys), err);
    if (!rc && !json_get(v, "name"))
        rc = field_missing(err, "$.metric", "name", "the name that the program reports it by");
    if (!rc)
        rc = field_string(json_get(v, "name"), "$.metric.name", c->metric, sizeof(c->metric), err);
    return rc ? rc : parse_goal(json_get(v, "goal"), &c->maximize, err);
}

static int parse_numbers(const struct json *root, struct command_config *c, struct errbuf *err)
{
    const struct json *epochs = json_get(root, "epochs"), *until = json_get(root, "until_epoch");
    const struct json *seed = json_get(root, "seed"), *run = json_get(root, "run_id");
    const struct json *sweep = json_get(root, "sweep_id");
    int rc = epochs ? field_integer(epochs, "$.epochs", 1, SPEC_MAX_EPOCHS, &c->epochs, err) : 0;

    c->until_epoch = c->epochs;
    if (!rc && until)
        rc = field_integer(until, "$.until_epoch", 1, c->epochs, &c->until_epoch, err);
    if (!rc && seed)
        rc = field_seed(seed, "$.seed", &c->seed, err);
    if (!rc && run)
        rc = field_integer(run, "$.run_id", 0, (int64_t)JSON_MAX_SAFE_INTEGER, &c->run_id, err);
    if (!rc && sweep)
        rc = field_integer(sweep, "$.sweep_id", 0, (int64_t)JSON_MAX_SAFE_INTEGER, &c->sweep_id,
                           err);
    return rc;
}

static int parse_gpus(const struct json *v, struct command_words *out, struct errbuf *err)
{
    char path[FIELD_PATH_MAX], name[RESOURCE_NAME_MAX];
    int rc = 0;

    if (json_type(v) != JSON_ARRAY || json_count(v) > RESOURCE_DEVICES_MAX)
        return field_refuse(err, ERR_TYPE, "$.gpus", v, "a list of at most %d names",
                            RESOURCE_DEVICES_MAX);
    for (const struct json *m = json_first(v); m && !rc; m = json_next(m)) {
        field_path_index(path, "$.gpus", out->count);
        rc = field_string(m, path, name, sizeof(name), err);
        if (!rc)
            command_words_add(out, xstrdup(name));
    }
    return rc;
}

/* What it was given of its machine. */
static int parse_share(const struct json *root, struct command_config *c, struct errbuf *err)
{
    const struct json *cpus = json_get(root, "cpus"), *gpus = json_get(root, "gpus");
    int rc = cpus ? field_integer(cpus, "$.cpus", 1, RESOURCE_MAX, &c->cpus, err) : 0;

    c->has_gpus = gpus != NULL;
    return !rc && gpus ? parse_gpus(gpus, &c->gpus, err) : rc;
}

static int parse_params(const struct json *v, char **out, struct errbuf *err)
{
    struct buf text = {0};
    struct json_writer w;

    if (v && json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, "$.params", v, "an object: name and value");
    if (v) {
        jw_init(&w, &text);
        jw_value(&w, v);
    } else {
        buf_puts(&text, "{}");
    }
    if (text.len > PARAMS_MAX) {
        buf_finish(&text);
        return field_refuse(err, ERR_LIMIT, "$.params", v, "at most %d bytes", PARAMS_MAX);
    }
    *out = buf_take(&text);
    return 0;
}

static int parse_program(const struct json *root, struct command_config *c, struct errbuf *err)
{
    const struct json *command = json_get(root, "command");
    int rc = 0;

    if (!command)
        rc = field_missing(err, "$", "command", "the program and its arguments");
    if (!rc)
        rc = command_manner_parse(root, "$", &c->manner, err);
    return rc ? rc : command_words_parse(command, "$.command", false, &c->command, err);
}

int command_config_parse(const struct json *root, struct command_config *out, struct errbuf *err)
{
    static const char *const keys[] = {"version", "task",        "command", COMMAND_MANNER_KEYS,
                                       "params",  "metric",      "epochs",  "until_epoch",
                                       "seed",    "run_id",      "sweep_id", "cpus",
                                       "gpus"};
    struct command_config c = {.epochs = 1};
    int rc = field_object(root, "$", keys, ARRAY_LEN(keys), err);

    if (!rc)
        rc = parse_kind(root, err);
    if (!rc)
        rc = parse_metric(json_get(root, "metric"), &c, err);
    if (!rc)
        rc = parse_numbers(root, &c, err);
    if (!rc)
        rc = parse_params(json_get(root, "params"), &c.params, err);
    if (!rc)
        rc = parse_share(root, &c, err);
    if (!rc)
        rc = parse_program(root, &c, err);
    if (rc)
        command_config_finish(&c);
    else
        *out = c;
    return rc;
}

void command_config_write(const struct command_config *c, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_int(w, "version", VERSION);
    jw_kv_string(w, "task", COMMAND_TASK);
    jw_key(w, "command");
    command_words_write(&c->command, w);
    command_manner_write(&c->manner, w);
    jw_kv_raw(w, "params", c->params ? c->params : "{}");
    jw_key(w, "metric");
    objective_write(c->metric, c->maximize, w);
    jw_kv_int(w, "epochs", c->epochs);
    jw_kv_int(w, "until_epoch", c->until_epoch);
    jw_key(w, "seed");
    jw_uint_string(w, c->seed);
    if (c->run_id)
        jw_kv_int(w, "run_id", c->run_id);
    if (c->sweep_id)
        jw_kv_int(w, "sweep_id", c->sweep_id);
    if (c->cpus)
        jw_kv_int(w, "cpus", c->cpus);
    if (c->has_gpus) {
        jw_key(w, "gpus");
        command_words_write(&c->gpus, w);
    }
    jw_end_object(w);
}

void command_config_gpus(const char *path, struct command_words *out)
{
    struct json *root = NULL;
    struct errbuf err;

    *out = (struct command_words){0};
    if (json_read_file(path, TASK_CONFIG_MAX, &root, &err) == 0 && json_get(root, "gpus") &&
        parse_gpus(json_get(root, "gpus"), out, &err) != 0)
        command_words_finish(out);
    json_destroy(root);
}

int command_config_read(const char *path, struct command_config *out, struct errbuf *err)
{
    struct json *root = NULL;
    int rc = json_read_file(path, TASK_CONFIG_MAX, &root, err);

    if (!rc)
        rc = command_config_parse(root, out, err);
    json_destroy(root);
    return rc;
}

void command_config_finish(struct command_config *c)
{
    command_words_finish(&c->command);
    command_words_finish(&c->gpus);
    command_manner_finish(&c->manner);
    free(c->params);
    c->params = NULL;
}
