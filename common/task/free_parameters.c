/* Parameters of any names, whose meaning is known to somebody else alone: a program, a client. */
#include "common/task/free_parameters.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/metrics.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define CHOICE_BYTES_MAX 1023 /* a path, a prompt */

int free_refuse_trainers(const struct json *root, const char *task, struct errbuf *err)
{
    static const char *const keys[] = {"data", "model", "train", "start_from",
                                       "split_seed"};
    char path[FIELD_PATH_MAX];

    for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
        field_path(path, "$", keys[i]);
        if (json_get(root, keys[i]))
            return field_refuse(err, ERR_KEY, path, json_get(root, keys[i]),
                                "nothing beside \"task\": {\"%s\": …}: a %s has its own data and "
                                "model; give it what it needs in \"parameters\"",
                                task, strcmp(task, "command") == 0 ? "program" : task);
    }
    return 0;
}

/* --- values ---------------------------------------------------------------------------------- */

static const char one_type[] = "all numbers, all strings, or all true and false";

/* Numbers of any kind are REAL: a program reads "32" whatever it means by it. */
static bool type_of(const struct json *v, enum value_type *out)
{
    switch (json_type(v)) {
    case JSON_NUMBER:
        *out = VALUE_REAL;
        return true;
    case JSON_BOOL:
        *out = VALUE_SWITCH;
        return true;
    case JSON_STRING:
        *out = VALUE_CHOICE;
        return true;
    default:
        return false;
    }
}

/* The strings that the parameter may be, as they stand in the list. */
static void take_choice(struct dimension *d, const struct json *v)
{
    for (size_t i = 0; i < d->choice_count; i++)
        if (strcmp(d->choices[i], json_string(v)) == 0)
            return;
    d->choices = xrealloc(d->choices, (d->choice_count + 1) * sizeof(char *));
    d->choices[d->choice_count++] = xstrdup(json_string(v));
}

static int take_value(const struct json *v, const char *path, struct dimension *d, bool first,
                      struct errbuf *err)
{
    enum value_type type;

    if (!type_of(v, &type))
        return field_refuse(err, ERR_TYPE, path, v, "a number, a string, true or false");
    if (!first && type != d->type)
        return field_refuse(err, ERR_TYPE, path, v, "%s", one_type);
    d->type = type;
    if (type == VALUE_CHOICE && strlen(json_string(v)) > CHOICE_BYTES_MAX)
        return field_refuse(err, ERR_LIMIT, path, v, "at most %d bytes", CHOICE_BYTES_MAX);
    if (type == VALUE_CHOICE)
        take_choice(d, v);
    return 0;
}

static int take_values(const struct json *member, const char *path, struct dimension *d,
                       struct errbuf *err)
{
    const struct json *value = json_get(member, "value"), *values = json_get(member, "values");
    char list[FIELD_PATH_MAX], item[FIELD_PATH_MAX];
    size_t i = 0;

    field_path(list, path, value ? "value" : "values");
    if (value)
        return take_value(value, list, d, true, err);
    if (!values || json_type(values) != JSON_ARRAY || json_count(values) > SPACE_MAX_VALUES)
        return 0; /* the form is checked where all forms are */
    for (const struct json *v = json_first(values); v; v = json_next(v), i++) {
        field_path_index(item, list, i);
        int rc = take_value(v, item, d, i == 0, err);
        if (rc)
            return rc;
    }
    return 0;
}

int free_bind(const struct json *member, const char *name, const char *path, struct spec *s,
                struct dimension *out, struct errbuf *err)
{
    if (strlen(name) >= SPACE_NAME_MAX || !metric_name_valid(name))
        return field_refuse(err, ERR_VALUE, path, member,
                            "a name of 1 to %d bytes without control characters",
                            SPACE_NAME_MAX - 1);
    if (s->space.count == SPACE_MAX_DIMENSIONS)
        return field_refuse(err, ERR_LIMIT, path, member, "at most %d parameters",
                            SPACE_MAX_DIMENSIONS);
    *out = (struct dimension){.key = -1, .type = VALUE_REAL};
    str_copy(out->name, sizeof(out->name), name);
    int rc = take_values(member, path, out, err);
    if (rc)
        dimension_finish(out);
    return rc;
}

int free_read_value(const struct dimension *d, const struct json *v, const char *path,
                      double *out, struct errbuf *err)
{
    int rc = dimension_from_json(d, v, path, out, err);

    if (!rc && *out == 0)
        *out = 0; /* -0 would be another value */
    return rc;
}

int free_fix(const struct dimension *d, const struct json *v, const char *path, struct spec *s,
               struct errbuf *err)
{
    double value;
    int rc = free_read_value(d, v, path, &value, err);

    if (rc)
        return rc;
    struct dimension *own = &s->space.dimensions[s->space.count++];
    *own = *d;
    own->distribution = DISTRIBUTION_CATEGORICAL;
    own->values = xmalloc(sizeof(*own->values));
    own->values[0] = value;
    own->value_count = 1;
    own->choices = d->choice_count > 0 ? xcalloc(d->choice_count, sizeof(char *)) : NULL;
    for (size_t i = 0; i < d->choice_count; i++)
        own->choices[i] = xstrdup(d->choices[i]);
    return 0;
}

int free_check(const struct json *root, struct spec *s, struct errbuf *err)
{
    (void)root;
    (void)s;
    (void)err;
    return 0;
}
