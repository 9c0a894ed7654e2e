/* A specification from JSON. What its task alone knows is in common/task/; the parameters are in
 * parameters.c. */
#include "sweep/spec.h"

#include <string.h>

#include "common/base/field.h"
#include "common/run/objective.h"
#include "common/spec/part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define PRIORITY_MAX 1000000
#define ID_MAX ((int64_t)JSON_MAX_SAFE_INTEGER)

static int parse_name(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "name");

    return v ? field_string(v, "$.name", s->name, sizeof(s->name), err) : 0;
}

static int parse_method(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "method");
    const char *names[METHOD_COUNT + 1];
    size_t count = 0;

    if (!v)
        return 0;
    int index = json_type(v) == JSON_STRING ? method_find(json_string(v)) : -1;
    if (index >= 0) {
        s->method = (enum method)index;
        return 0;
    }
    /* An inner method is read, as the daemon has stored it, but offered to nobody. */
    for (int i = 0; i < METHOD_COUNT; i++)
        if (!(method_traits((enum method)i) & METHOD_INNER))
            names[count++] = method_name((enum method)i);
    names[count] = SPEC_METHOD_AUTO;
    int rc = field_name(v, "$.method", names, count + 1, &index, err);
    if (!rc && index == (int)count)
        str_copy(s->picked, sizeof(s->picked), SPEC_METHOD_AUTO); /* when the space is known */
    else if (!rc)
        s->method = (enum method)method_find(names[index]);
    return rc;
}

static int parse_metric(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "metric");
    char *own = task_of(s)->has_settings ? NULL : s->metric_name;

    return v ? objective_parse(v, &s->metric, own, &s->maximize, err) : 0;
}

/* "task": {"command": […]}; without it our own trainer. */
static int parse_task(const struct json *root, struct spec *s, struct errbuf *err)
{
    static const char *const names[] = {
#define X(id, name) [TASK_##id] = #name,
        TASK_MAP(X)
#undef X
    };
    const struct json *v = json_get(root, "task");
    char allowed[sizeof(err->allowed)], path[FIELD_PATH_MAX];

    if (!v)
        return 0;
    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, "$.task", v,
                            "an object, such as {\"command\": "
                            "[\"./train.sh\", \"${args}\"]}");
    for (int i = 0; i < TASK_ID_COUNT; i++) {
        if (!json_get(v, names[i]))
            continue;
        for (int k = i + 1; k < TASK_ID_COUNT; k++) {
            field_path(path, "$.task", names[k]);
            if (json_get(v, names[k]))
                return field_refuse(err, ERR_KEY, path, json_get(v, names[k]),
                                    "one kind of task, and %s is there already", names[i]);
        }
        s->task = (enum task_id)i;
        return 0;
    }
    const struct json *first = json_first(v);
    field_suggest(allowed, sizeof(allowed), first ? json_key(first) : "", names, TASK_ID_COUNT);
    if (!first)
        return field_refuse(err, ERR_MISSING, "$.task", v, "a kind of task, %s", allowed);
    field_path(path, "$.task", json_key(first));
    return field_refuse(err, ERR_KEY, path, first, "a kind of task: %s", allowed);
}

static int parse_own(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct task_kind *t = task_of(s);
    int rc = t->parse(root, s, err);

    if (!rc)
        rc = spec_parameters_parse(root, s, err);
    return rc ? rc : t->check(root, s, err);
}

static int parse_epochs(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "epochs");

    return v ? field_integer(v, "$.epochs", 1, SPEC_MAX_EPOCHS, &s->epochs, err) : 0;
}

static int refuse_grid(const struct json *root, const struct dimension *d, int code,
                       struct errbuf *err)
{
    char path[FIELD_PATH_MAX];

    field_path(path, "$.parameters", d->name);
    const struct json *v = json_get(json_get(root, "parameters"), d->name);
    if (code == ERR_LIMIT)
        return field_refuse(err, code, path, v, "a grid of at most %d runs", SPEC_MAX_RUNS);
    return field_refuse(err, code, path, v,
                        "for method grid: \"values\", integers, or a distribution with q");
}

/* The size of the grid, without what conditions and constraints leave out; a grid has no
 * continuous side. */
static int grid_size(const struct json *root, const struct spec *s, uint64_t *out,
                     struct errbuf *err)
{
    uint64_t size = 1;

    for (size_t i = 0; i < s->space.count; i++)
        if (!dimension_cardinality(&s->space.dimensions[i]))
            return refuse_grid(root, &s->space.dimensions[i], ERR_VALUE, err);
    *out = space_size(&s->space, 0);
    if (*out <= SPEC_MAX_RUNS)
        return 0;
    for (size_t i = 0; i < s->space.count; i++) {
        uint64_t n = dimension_cardinality(&s->space.dimensions[i]);
        if (n > SPEC_MAX_RUNS / size)
            return refuse_grid(root, &s->space.dimensions[i], ERR_LIMIT, err);
        size *= n;
    }
    return field_refuse(err, ERR_LIMIT, "$.parameters", NULL, "a grid of at most %d runs",
                        SPEC_MAX_RUNS);
}

static int parse_run_cap(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "run_cap");
    uint64_t size = 0;
    int rc = method_traits(s->method) & METHOD_COUNTS ? grid_size(root, s, &size, err) : 0;

    if (rc)
        return rc;
    if (v)
        return field_integer(v, "$.run_cap", 1, SPEC_MAX_RUNS, &s->run_cap, err);
    if (!size && !spec_is_usual(root, s) && !spec_ends_by_time(root, s))
        return field_missing(err, "$", "run_cap", "the number of runs the sweep may start");
    s->run_cap = size                         ? spec_grid_cap(s, (int64_t)size)
                 : spec_ends_by_time(root, s) ? SPEC_DEADLINE_RUNS
                                              : SPEC_USUAL_RUNS;
    return 0;
}

static int parse_seed(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "seed");

    return v ? field_seed(v, "$.seed", &s->seed, err) : 0;
}

static int parse_order(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *priority = json_get(root, "priority"), *after = json_get(root, "after");
    int rc = 0;

    if (priority)
        rc = field_integer(priority, "$.priority", -PRIORITY_MAX, PRIORITY_MAX, &s->priority, err);
    if (!rc && after)
        rc = field_integer(after, "$.after", 1, ID_MAX, &s->after, err);
    return rc;
}

static const char *const top_keys[] = {
    "name",       "method", "metric",      "parameters", "run_cap",         "data",
    "model",      "train",  "epochs",      "seed",       "priority",        "after",
    "start_from", "treat",  "treat_share", "task",       "early_terminate", "limits",
    "repeat",     "carry_on", "repeat_share", "lag",       "picked",          "split_seed",
    "constraints", "max_hours", "until", "warm_start", "on", "perturb", "resources",
    "without_remedies", "least_gain", "objectives", "repeat_along", "rounds",
};

bool spec_key_known(const char *key, const char **nearest)
{
    bool known = false;

    for (size_t i = 0; i < ARRAY_LEN(top_keys); i++)
        known |= strcmp(key, top_keys[i]) == 0;
    *nearest = known ? key : err_nearest(key, top_keys, ARRAY_LEN(top_keys));
    return known;
}

/* "learning_rate" beside "train" instead of in it gets a better answer than a list of keys. */
static int parse_keys(const struct json *root, struct spec *s, struct errbuf *err)
{
    char path[FIELD_PATH_MAX];

    if (json_type(root) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, "$", root, "an object: a sweep's specification");
    for (const struct json *m = json_first(root); m; m = json_next(m)) {
        int id = setting_find(json_key(m));
        if (id < 0)
            continue;
        field_path(path, "$", json_key(m));
        return field_refuse(err, ERR_KEY, path, m, "did you mean %s? or swept, in \"parameters\"",
                            setting_get((enum setting_id)id)->path);
    }
    return field_object(root, "$", top_keys, ARRAY_LEN(top_keys), err);
}

int spec_parse(const struct json *root, struct spec *out, struct errbuf *err)
{
    static int (*const steps[])(const struct json *, struct spec *, struct errbuf *) = {
        parse_keys, parse_name,       parse_task,        parse_method, parse_metric,
        spec_objectives_parse, parse_own, spec_structure_parse, spec_auto_parse,
        spec_objectives_method, spec_treat_parse, spec_repeat_parse,
        parse_epochs, spec_stop_parse, parse_run_cap, parse_seed, parse_order, spec_limits_parse,
        spec_repeat_limit, spec_lag_parse, spec_deadline_parse, spec_warm_parse, spec_place_parse,
        spec_perturb_parse, spec_resources_parse, spec_objectives_check, spec_gain_parse,
        spec_rounds_parse,
    };
    struct spec s = {
        .name = "sweep",
        .method = METHOD_COARSE_TO_FINE,
        .metric = METRIC_VAL_LOSS,
        .task = TASK_TRAINER,
        .epochs = SPEC_DEFAULT_EPOCHS,
    };

    for (size_t i = 0; i < ARRAY_LEN(steps); i++) {
        int rc = steps[i](root, &s, err);
        if (rc) {
            spec_finish(&s);
            return rc;
        }
    }
    *out = s;
    return 0;
}

int spec_parse_text(const char *text, size_t len, struct spec *out, struct errbuf *err)
{
    struct errbuf why = {0};
    struct json *root = json_parse(text, len, &why);

    if (!root) {
        if (err)
            *err = why;
        return why.code;
    }
    int rc = spec_parse(root, out, err);
    json_destroy(root);
    return rc;
}
