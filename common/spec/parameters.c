/* The "parameters" object: one member per swept parameter, in the forms of W&B's sweep
 * configuration. What a name means, and which values it may have, its task says. */
#include "common/spec/part.h"

#include <math.h>
#include <stdio.h>

#include "common/base/field.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define PARENT "$.parameters"

static const char *const distribution_names[] = {
#define X(id, name) [DISTRIBUTION_##id] = name,
    DISTRIBUTION_MAP(X)
#undef X
};

/* One member as it was found. */
struct parameter {
    const struct task_kind *task;
    char path[FIELD_PATH_MAX];
    struct dimension dimension; /* name, type, role and key; the values come last */
    const struct json *object, *value, *values, *min, *max, *q;
    const struct json *given;       /* "distribution"; NULL: to be derived */
    const struct json *role;        /* NULL: the one that its name has */
    enum distribution distribution; /* valid when given */
};

static int refuse_at(const struct parameter *p, int code, const char *key, const struct json *v,
                     const char *allowed, struct errbuf *err)
{
    char path[FIELD_PATH_MAX];

    field_path(path, p->path, key);
    return field_refuse(err, code, path, v, "%s", allowed);
}

static int number_at(const struct parameter *p, const char *key, const struct json *v, double *out,
                     struct errbuf *err)
{
    char path[FIELD_PATH_MAX];

    field_path(path, p->path, key);
    return p->task->read_value(&p->dimension, v, path, out, err);
}

/* --- the forms ---------------------------------------------------------------------------- */

/* The space owns what the parameter's dimension points to from here on. */
static struct dimension *add_dimension(struct spec *s, struct parameter *p,
                                       enum distribution distribution)
{
    REQUIRE(s->space.count < SPACE_MAX_DIMENSIONS);
    struct dimension *d = &s->space.dimensions[s->space.count++];

    *d = p->dimension;
    p->dimension = (struct dimension){0};
    d->distribution = distribution;
    return d;
}

static int check_distribution(const struct parameter *p, enum distribution wanted,
                              struct errbuf *err)
{
    char allowed[64];

    if (!p->given || p->distribution == wanted)
        return 0;
    snprintf(allowed, sizeof(allowed), "%s here, or nothing", distribution_names[wanted]);
    return refuse_at(p, ERR_VALUE, "distribution", p->given, allowed, err);
}

static int parse_single(const struct parameter *p, struct spec *s, struct errbuf *err)
{
    int rc = check_distribution(p, DISTRIBUTION_CONSTANT, err);
    char path[FIELD_PATH_MAX];

    field_path(path, p->path, "value");
    return rc ? rc : p->task->fix(&p->dimension, p->value, path, s, err);
}

static int parse_listed_values(const struct parameter *p, struct dimension *d, struct errbuf *err)
{
    char list[FIELD_PATH_MAX], path[FIELD_PATH_MAX];
    double value;

    field_path(list, p->path, "values");
    for (const struct json *v = json_first(p->values); v; v = json_next(v)) {
        field_path_index(path, list, d->value_count);
        int rc = p->task->read_value(d, v, path, &value, err);
        if (rc)
            return rc;
        if (dimension_takes(d, value))
            return field_refuse(err, ERR_VALUE, path, v, "each value once");
        d->values[d->value_count++] = value;
    }
    return 0;
}

static int parse_list(struct parameter *p, struct spec *s, struct errbuf *err)
{
    int rc = check_distribution(p, DISTRIBUTION_CATEGORICAL, err);
    size_t count;

    if (rc)
        return rc;
    if (json_type(p->values) != JSON_ARRAY)
        return refuse_at(p, ERR_TYPE, "values", p->values, "a list of values", err);
    count = json_count(p->values);
    if (!count)
        return refuse_at(p, ERR_VALUE, "values", p->values, "at least one value", err);
    if (count > SPACE_MAX_VALUES)
        return refuse_at(p, ERR_LIMIT, "values", p->values, "at most 256 values", err);
    struct dimension *d = add_dimension(s, p, DISTRIBUTION_CATEGORICAL);
    d->values = xcalloc(count, sizeof(*d->values));
    return parse_listed_values(p, d, err);
}

static bool is_whole(double x)
{
    return x == floor(x);
}

/* 0.0 is a real number to whoever writes it, 0 a whole one. */
static bool is_written_whole(const struct parameter *p, const struct json *v, double value)
{
    return is_whole(value) && (p->dimension.type == VALUE_INTEGER || !json_written_real(v));
}

static bool is_log(enum distribution d)
{
    return d == DISTRIBUTION_LOG_UNIFORM_VALUES || d == DISTRIBUTION_Q_LOG_UNIFORM_VALUES;
}

static bool is_quantized(enum distribution d)
{
    return d == DISTRIBUTION_Q_UNIFORM || d == DISTRIBUTION_Q_LOG_UNIFORM_VALUES;
}

/* Does the distribution suit the range and the setting's type? */
static int check_range(const struct parameter *p, const struct dimension *d, struct errbuf *err)
{
    bool integer = p->dimension.type == VALUE_INTEGER;

    if (d->distribution == DISTRIBUTION_CONSTANT || d->distribution == DISTRIBUTION_CATEGORICAL)
        return refuse_at(p, ERR_VALUE, "distribution", p->given,
                         "with min and max: int_uniform, uniform, log_uniform_values, q_uniform, "
                         "q_log_uniform_values",
                         err);
    if (d->distribution == DISTRIBUTION_UNIFORM && integer)
        return refuse_at(p, ERR_VALUE, "distribution", p->given,
                         "for a setting of whole numbers: int_uniform, log_uniform_values, "
                         "q_uniform, q_log_uniform_values",
                         err);
    if (d->distribution == DISTRIBUTION_INT_UNIFORM && !is_whole(d->min))
        return refuse_at(p, ERR_VALUE, "min", p->min, "an integer, for int_uniform", err);
    if (d->distribution == DISTRIBUTION_INT_UNIFORM && !is_whole(d->max))
        return refuse_at(p, ERR_VALUE, "max", p->max, "an integer, for int_uniform", err);
    if (d->min >= d->max)
        return field_refuse(err, ERR_VALUE, p->path, p->object,
                            "min below max: the range is empty (one value: {\"value\": x})");
    if (is_log(d->distribution) && d->min <= 0)
        return refuse_at(p, ERR_VALUE, "min", p->min, "above 0, for a range on a log scale", err);
    return 0;
}

static int parse_q(const struct parameter *p, struct dimension *d, struct errbuf *err)
{
    bool integer = p->dimension.type == VALUE_INTEGER;

    if (p->q && !is_quantized(d->distribution))
        return refuse_at(p, ERR_KEY, "q", p->q,
                         "only with distribution q_uniform or q_log_uniform_values", err);
    if (!is_quantized(d->distribution))
        return 0;
    d->q = 1;
    if (p->q && json_type(p->q) != JSON_NUMBER)
        return refuse_at(p, ERR_TYPE, "q", p->q, "a number above 0", err);
    if (p->q)
        d->q = json_number(p->q);
    if (d->q <= 0 || (integer && !is_whole(d->q)))
        return refuse_at(p, ERR_VALUE, "q", p->q, integer ? "an integer from 1" : "above 0", err);
    if (dimension_cardinality(d) == 0)
        return refuse_at(p, ERR_VALUE, "q", p->q,
                         "a step with 1 to 2^53 multiples from min to max (default 1)", err);
    return 0;
}

static int parse_range(struct parameter *p, struct spec *s, struct errbuf *err)
{
    struct dimension fresh = p->dimension; /* borrows its choices */
    int rc;

    if (!dimension_ordered(&fresh))
        return refuse_at(p, ERR_KEY, "min", p->min,
                         "\"value\" or \"values\": this setting has no numeric range", err);
    rc = number_at(p, "min", p->min, &fresh.min, err);
    if (!rc)
        rc = number_at(p, "max", p->max, &fresh.max, err);
    if (rc)
        return rc;
    if (p->given)
        fresh.distribution = p->distribution;
    else if (is_written_whole(p, p->min, fresh.min) && is_written_whole(p, p->max, fresh.max))
        fresh.distribution = DISTRIBUTION_INT_UNIFORM;
    else
        fresh.distribution = DISTRIBUTION_UNIFORM;
    rc = check_range(p, &fresh, err);
    if (!rc)
        rc = parse_q(p, &fresh, err);
    if (rc)
        return rc;
    struct dimension *d = add_dimension(s, p, fresh.distribution);
    d->min = fresh.min;
    d->max = fresh.max;
    d->q = fresh.q;
    return 0;
}

/* --- one member --------------------------------------------------------------------------- */

static int refuse_bare(const struct json *member, const char *path, struct errbuf *err)
{
    char value[48];

    json_excerpt(member, value, sizeof(value));
    if (json_type(member) == JSON_ARRAY)
        return field_refuse(err, ERR_TYPE, path, member, "an object, such as {\"values\": %s}",
                            value);
    return field_refuse(err, ERR_TYPE, path, member,
                        "an object: {\"value\": %s}, {\"values\": […]} or {\"min\": …, \"max\": …}",
                        value);
}

/* Exactly one of value, values, min + max. */
static int check_form(const struct parameter *p, struct errbuf *err)
{
    const struct json *range = p->min ? p->min : p->max;

    if (!p->value && !p->values && !range)
        return field_refuse(err, ERR_MISSING, p->path, p->object,
                            "\"value\", \"values\", or \"min\" and \"max\"");
    if (p->value && (p->values || range))
        return field_refuse(err, ERR_VALUE, p->path, p->object,
                            "\"value\" alone: without \"values\", \"min\" and \"max\"");
    if (p->values && range)
        return field_refuse(err, ERR_VALUE, p->path, p->object,
                            "either \"values\" or \"min\" and \"max\"");
    if (range && !p->min)
        return field_missing(err, p->path, "min", "\"min\" beside \"max\"");
    if (range && !p->max)
        return field_missing(err, p->path, "max", "\"max\" beside \"min\"");
    if (p->q && !range)
        return refuse_at(p, ERR_KEY, "q", p->q, "only with \"min\" and \"max\"", err);
    return 0;
}

static int read_parameter(const struct json *member, struct parameter *p, struct errbuf *err)
{
    static const char *const keys[] = {"value",        "values", "min", "max",
                                       "distribution", "q",      "role"};
    int index, rc;

    if (json_type(member) != JSON_OBJECT)
        return refuse_bare(member, p->path, err);
    rc = field_object(member, p->path, keys, ARRAY_LEN(keys), err);
    if (rc)
        return rc;
    p->object = member;
    p->value = json_get(member, "value");
    p->values = json_get(member, "values");
    p->min = json_get(member, "min");
    p->max = json_get(member, "max");
    p->q = json_get(member, "q");
    p->given = json_get(member, "distribution");
    p->role = json_get(member, "role");
    rc = check_form(p, err);
    if (rc || !p->given)
        return rc;
    char path[FIELD_PATH_MAX];
    field_path(path, p->path, "distribution");
    rc = field_name(p->given, path, distribution_names, DISTRIBUTION_COUNT, &index, err);
    if (rc)
        return rc;
    p->distribution = (enum distribution)index;
    return 0;
}

/* "role": what it means to the guide's search, where its name does not say so. */
static int read_role(struct parameter *p, struct errbuf *err)
{
    const char *names[ROLE_COUNT];
    char path[FIELD_PATH_MAX];
    int index = ROLE_NONE;

    p->dimension.role = role_of_name(p->dimension.name);
    if (!p->role)
        return 0;
    for (int i = 0; i < ROLE_COUNT; i++)
        names[i] = role_name((enum role)i);
    field_path(path, p->path, "role");
    int rc = field_name(p->role, path, names, ROLE_COUNT, &index, err);
    p->dimension.role = (enum role)index;
    return rc;
}

/* A search looks for one parameter of a role, and one that does not change is none of its. */
static int check_role(const struct parameter *p, const struct spec *s, struct errbuf *err)
{
    enum role role = p->dimension.role;
    int other = role != ROLE_NONE && !p->value ? space_find_role(&s->space, role) : -1;
    char allowed[SPACE_NAME_MAX + 80];

    if (p->value && p->role)
        return refuse_at(p, ERR_KEY, "role", p->role, "only with \"values\" or \"min\" and \"max\"",
                         err);
    if (other < 0)
        return 0;
    snprintf(allowed, sizeof(allowed), "each role once: %s is that of %s; \"role\": \"none\"",
             role_name(role), s->space.dimensions[other].name);
    if (p->role)
        return refuse_at(p, ERR_VALUE, "role", p->role, allowed, err);
    return field_refuse(err, ERR_VALUE, p->path, p->object, "%s", allowed);
}

static int parse_parameter(const struct json *member, const char *name, const char *path,
                           struct spec *s, struct errbuf *err)
{
    struct parameter p = {.task = task_of(s)};

    str_copy(p.path, sizeof(p.path), path);
    int rc = p.task->bind(member, name, path, s, &p.dimension, err);
    if (!rc)
        rc = read_parameter(member, &p, err);
    if (!rc)
        rc = read_role(&p, err);
    if (!rc)
        rc = check_role(&p, s, err);
    if (!rc && p.value)
        rc = parse_single(&p, s, err);
    else if (!rc)
        rc = p.values ? parse_list(&p, s, err) : parse_range(&p, s, err);
    dimension_finish(&p.dimension);
    return rc;
}

bool spec_is_nested(const struct json *member)
{
    const struct json *inner = json_get(member, "parameters");

    return inner && json_type(inner) == JSON_OBJECT && json_count(member) == 1;
}

/* The members of list; outer: the names around it, each with its dot. */
static int parse_members(const struct json *list, const char *path, const char *outer,
                         struct spec *s, struct errbuf *err)
{
    char at[FIELD_PATH_MAX], inner[FIELD_PATH_MAX], name[FIELD_PATH_MAX];

    for (const struct json *m = json_first(list); m; m = json_next(m)) {
        bool nested = spec_is_nested(m);
        int rc;
        field_path(at, path, json_key(m));
        snprintf(name, sizeof(name), "%s%s%s", outer, json_key(m), nested ? "." : "");
        field_path(inner, at, "parameters");
        rc = nested ? parse_members(json_get(m, "parameters"), inner, name, s, err)
                    : parse_parameter(m, name, at, s, err);
        if (rc)
            return rc;
    }
    return 0;
}

int spec_parameters_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    static const char at_least[] = "at least one parameter with \"values\" or \"min\" and \"max\" "
                                   "(a single run: {\"values\": [x]})";
    const struct json *v = json_get(root, "parameters");

    if (!v)
        return field_missing(err, "$", "parameters", at_least);
    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, PARENT, v, "an object: a member per swept setting");
    int rc = parse_members(v, PARENT, "", s, err);
    if (rc)
        return rc;
    if (!s->space.count && !(method_traits(s->method) & METHOD_INNER))
        return field_refuse(err, ERR_VALUE, PARENT, v, "%s", at_least);
    return 0;
}
