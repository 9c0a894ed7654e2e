/* The "parameters" object: one member per swept parameter, in the forms of W&B's sweep
 * configuration. What a name means, and which values it may have, its task says. */
#include "common/spec/parameter.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define PARENT "$.parameters"

/* What "distribution" may be: ours, which are W&B's, and W&B's other ways to say the same. */
static const char *const distribution_names[] = {
#define X(id, name) [DISTRIBUTION_##id] = name,
    DISTRIBUTION_MAP(X)
#undef X
#define X(id, name, distribution, ends) [SPELLING_##id] = name,
    SPELLING_MAP(X)
#undef X
};

static const struct {
    enum distribution distribution;
    enum spelled_ends ends;
} spellings[] = {
#define X(id, name) [DISTRIBUTION_##id] = {DISTRIBUTION_##id, ENDS_AS_SAID},
    DISTRIBUTION_MAP(X)
#undef X
#define X(id, name, distribution, ends) \
    [SPELLING_##id] = {DISTRIBUTION_##distribution, ENDS_##ends},
    SPELLING_MAP(X)
#undef X
};

enum spelled_ends spec_spelled_ends(const char *name)
{
    for (size_t i = 0; i < ARRAY_LEN(spellings); i++)
        if (strcmp(distribution_names[i], name) == 0)
            return spellings[i].ends;
    return ENDS_AS_SAID;
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

/* Keys that go with certain distributions alone. */
static int check_extras(const struct parameter *p, struct errbuf *err)
{
    bool curve = parameter_is_curve(p);
    bool beta = curve && distribution_shape(p->distribution) == SHAPE_BETA;
    const struct {
        const char *key;
        const struct json *v;
        bool fits;
        const char *allowed;
    } extras[] = {
        {"mu", p->mu, curve && !beta,
         "only with distribution normal, log_normal and their q_ forms"},
        {"sigma", p->sigma, curve && !beta,
         "only with distribution normal, log_normal and their q_ forms"},
        {"a", p->a, beta, "only with distribution beta or q_beta; ends of a range are min and max"},
        {"b", p->b, beta, "only with distribution beta or q_beta; ends of a range are min and max"},
        {"probabilities", p->probabilities, p->values != NULL, "only with \"values\""},
        {"q", p->q, curve || p->min || p->max, "only with \"min\" and \"max\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(extras); i++)
        if (extras[i].v && !extras[i].fits)
            return parameter_refuse(p, ERR_KEY, extras[i].key, extras[i].v, extras[i].allowed, err);
    if (p->given && p->ends == ENDS_WITH_PROBABILITIES && p->values &&
        !p->probabilities)
        return field_missing(err, p->path, "probabilities", "a number for each of \"values\"");
    return 0;
}

/* Exactly one of value, values, min + max. */
static int check_form(const struct parameter *p, struct errbuf *err)
{
    const struct json *range = p->min ? p->min : p->max;
    bool shaped = p->mu || p->sigma || p->a || p->b;

    if (shaped && !parameter_is_curve(p))
        return check_extras(p, err);
    if (!p->value && !p->values && !range && !parameter_is_curve(p))
        return field_refuse(err, ERR_MISSING, p->path, p->object,
                            "\"value\", \"values\", or \"min\" and \"max\"");
    if (p->value && (p->values || range))
        return field_refuse(err, ERR_VALUE, p->path, p->object,
                            "\"value\" alone: without \"values\", \"min\" and \"max\"");
    if (p->values && range)
        return field_refuse(err, ERR_VALUE, p->path, p->object,
                            "either \"values\" or \"min\" and \"max\"");
    if (range && !p->min && !parameter_is_curve(p))
        return field_missing(err, p->path, "min", "\"min\" beside \"max\"");
    if (range && !p->max && !parameter_is_curve(p))
        return field_missing(err, p->path, "max", "\"max\" beside \"min\"");
    return check_extras(p, err);
}

static int read_distribution(struct parameter *p, struct errbuf *err)
{
    char path[FIELD_PATH_MAX];
    int index;

    if (!p->given)
        return 0;
    field_path(path, p->path, "distribution");
    int rc = field_name(p->given, path, distribution_names, ARRAY_LEN(distribution_names),
                        &index, err);
    if (rc)
        return rc;
    p->distribution = spellings[index].distribution;
    p->ends = spellings[index].ends;
    return 0;
}

static int read_parameter(const struct json *member, struct parameter *p, struct errbuf *err)
{
    static const char *const keys[] = {"value", "values", "probabilities", "min",          "max",
                                       "q",     "mu",     "sigma",         "a",            "b",
                                       "role",  "condition", "distribution"};
    int rc;

    if (json_type(member) != JSON_OBJECT)
        return refuse_bare(member, p->path, err);
    rc = field_object(member, p->path, keys, ARRAY_LEN(keys), err);
    if (rc)
        return rc;
    p->object = member;
    p->value = json_get(member, "value");
    p->values = json_get(member, "values");
    p->probabilities = json_get(member, "probabilities");
    p->min = json_get(member, "min");
    p->max = json_get(member, "max");
    p->q = json_get(member, "q");
    p->mu = json_get(member, "mu");
    p->sigma = json_get(member, "sigma");
    p->a = json_get(member, "a");
    p->b = json_get(member, "b");
    p->given = json_get(member, "distribution");
    p->role = json_get(member, "role");
    rc = read_distribution(p, err);
    return rc ? rc : check_form(p, err);
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
        return parameter_refuse(p, ERR_KEY, "role", p->role,
                                "only with \"values\" or \"min\" and \"max\"", err);
    if (other < 0)
        return 0;
    snprintf(allowed, sizeof(allowed), "each role once: %s is that of %s; \"role\": \"none\"",
             role_name(role), s->space.dimensions[other].name);
    if (p->role)
        return parameter_refuse(p, ERR_VALUE, "role", p->role, allowed, err);
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
    if (!rc)
        rc = parameter_take(&p, s, err);
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

bool spec_is_usual(const struct json *root, const struct spec *s)
{
    return !json_get(root, "parameters") && task_of(s)->usual &&
           !(method_traits(s->method) & (METHOD_COUNTS | METHOD_INNER));
}

static int parse_usual(struct spec *s, struct errbuf *err)
{
    char *text = task_of(s)->usual(s);
    struct json *members = json_parse(text, strlen(text), err);
    int rc = members ? parse_members(members, PARENT, "", s, err) : ERR_VALUE;

    if (!rc && !s->space.count)
        rc = field_missing(err, "$", "parameters",
                           "what is to be swept: all that is by itself is fixed");
    json_destroy(members);
    free(text);
    return rc;
}

int spec_parameters_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    static const char at_least[] = "at least one parameter with \"values\" or \"min\" and \"max\" "
                                   "(a single run: {\"values\": [x]})";
    const struct json *v = json_get(root, "parameters");

    if (!v)
        return spec_is_usual(root, s) ? parse_usual(s, err)
                                      : field_missing(err, "$", "parameters", at_least);
    if (json_type(v) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, PARENT, v, "an object: a member per swept setting");
    int rc = parse_members(v, PARENT, "", s, err);
    if (rc)
        return rc;
    if (!s->space.count && !(method_traits(s->method) & METHOD_INNER))
        return field_refuse(err, ERR_VALUE, PARENT, v, "%s", at_least);
    return 0;
}
