/* What parameters have to do with each other: "condition" of a parameter, which is there only where
 * others have certain values, and "constraints" between their values. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/spec/part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define PARENT "$.parameters"
#define CONSTRAINTS "$.constraints"
/* Combinations that are looked at to count those that are left: all that a grid may have, and fewer
 * of other methods, which have a run_cap. */
#define LOOKS_GRID (2 * (uint64_t)SPEC_MAX_RUNS)
#define LOOKS_OTHER ((uint64_t)1 << 18)

/* --- names ----------------------------------------------------------------------------------- */

/* The setting of a trainer that is called so, -1. */
static int setting_called(const struct spec *s, const char *name)
{
    int id = -1;

    if (task_of(s)->has_settings)
        id = setting_find(name);
    return task_of(s)->has_settings && id < 0 ? trainer_setting_alias(name) : id;
}

/* The dimension of that name, or of the setting that is called so; -1. */
static int dimension_called(const struct spec *s, const char *name)
{
    int i = space_find_name(&s->space, name), id = setting_called(s, name);

    return i < 0 && id >= 0 ? space_find_key(&s->space, id) : i;
}

const struct dimension *spec_dimension_called(const struct spec *s, const char *name)
{
    int i = dimension_called(s, name);

    return i < 0 ? NULL : &s->space.dimensions[i];
}

/* A setting that is not swept, as a dimension of its one value would have it. */
static bool constant_called(const struct spec *s, const char *name, struct constraint_name *out)
{
    static const enum value_type types[] = {[SETTING_REAL] = VALUE_REAL,
                                            [SETTING_INTEGER] = VALUE_INTEGER,
                                            [SETTING_SWITCH] = VALUE_SWITCH,
                                            [SETTING_CHOICE] = VALUE_CHOICE};
    static const char *const unused = "";
    int id = setting_called(s, name);
    char text[32];

    if (id < 0)
        return false;
    *out = (struct constraint_name){.dimension = -1,
                                    .type = types[setting_get((enum setting_id)id)->type],
                                    .value = s->trainer.fixed.v[id],
                                    .text = unused};
    if (out->type == VALUE_CHOICE)
        out->text = setting_choice_name((enum setting_id)id, (int)out->value, text);
    str_copy(out->name, sizeof(out->name), setting_label((enum setting_id)id));
    return true;
}

static bool find_name(const void *arg, const char *name, struct constraint_name *out)
{
    const struct spec *s = arg;
    int i = dimension_called(s, name);

    if (i < 0)
        return constant_called(s, name, out);
    *out = (struct constraint_name){.dimension = i, .type = s->space.dimensions[i].type};
    str_copy(out->name, sizeof(out->name), s->space.dimensions[i].name);
    return true;
}

/* --- conditions ------------------------------------------------------------------------------ */

/* A condition of one parameter, as it is read. */
struct reading {
    struct spec *s;
    size_t of; /* the dimension that has it */
    char path[FIELD_PATH_MAX];
    struct errbuf *err;
};

static int read_values(const struct reading *r, const struct json *v, const char *path,
                       const struct dimension *on, struct condition *c)
{
    bool list = json_type(v) == JSON_ARRAY;
    const struct json *item = list ? json_first(v) : v;
    size_t count = list ? json_count(v) : 1;
    char at[FIELD_PATH_MAX];
    bool possible = false;

    if (count == 0 || count > SPACE_MAX_VALUES)
        return field_refuse(r->err, ERR_VALUE, path, v, "1 to %d values", SPACE_MAX_VALUES);
    c->values = xcalloc(count, sizeof(*c->values));
    for (; item; item = list ? json_next(item) : NULL) {
        double *value = &c->values[c->value_count];
        list ? field_path_index(at, path, c->value_count) : str_copy(at, sizeof(at), path);
        int rc = task_of(r->s)->read_value(on, item, at, value, r->err);
        if (rc)
            return rc;
        possible |= dimension_takes(on, *value);
        c->value_count++;
    }
    return possible ? 0
                    : field_refuse(r->err, ERR_VALUE, path, v, "a value that %s can have",
                                   on->name);
}

static int read_range(const struct reading *r, const struct json *v, const char *path,
                      const struct dimension *on, struct condition *c)
{
    static const char *const keys[] = {"min", "max"};
    const struct json *min = json_get(v, "min"), *max = json_get(v, "max");
    int rc = field_object(v, path, keys, ARRAY_LEN(keys), r->err);

    c->min = -HUGE_VAL;
    c->max = HUGE_VAL;
    if (rc)
        return rc;
    if (!dimension_ordered(on) || (!min && !max))
        return field_refuse(r->err, ERR_VALUE, path, v,
                            dimension_ordered(on) ? "\"min\", \"max\", or both"
                                                  : "a value, or a list of values");
    if ((min && json_type(min) != JSON_NUMBER) || (max && json_type(max) != JSON_NUMBER))
        return field_refuse(r->err, ERR_TYPE, path, v, "numbers as \"min\" and \"max\"");
    c->min = min ? json_number(min) : c->min;
    c->max = max ? json_number(max) : c->max;
    return 0;
}

/* A setting that all runs have alike: the condition holds always, or never. */
static int read_constant(const struct reading *r, const struct json *v, const char *path)
{
    struct constraint_name n;
    char names[512];
    struct condition c = {0};
    bool known = constant_called(r->s, json_key(v), &n);
    struct dimension on = {.key = setting_called(r->s, json_key(v)),
                           .type = known ? n.type : VALUE_REAL,
                           .distribution = DISTRIBUTION_CATEGORICAL,
                           .values = &n.value,
                           .value_count = 1};
    const char *labels[SPACE_MAX_DIMENSIONS];

    for (size_t i = 0; i < r->s->space.count; i++)
        labels[i] = r->s->space.dimensions[i].name;
    field_suggest(names, sizeof(names), json_key(v), labels, r->s->space.count);
    if (!known)
        return field_refuse(r->err, ERR_KEY, path, v, "the name of a parameter: %s", names);
    str_copy(on.name, sizeof(on.name), n.name);
    struct errbuf own;
    struct reading quiet = *r;
    quiet.err = &own;
    int rc = json_type(v) == JSON_OBJECT ? read_range(&quiet, v, path, &on, &c)
                                         : read_values(&quiet, v, path, &on, &c);
    bool holds = !rc && (c.values || (n.value >= c.min && n.value <= c.max));
    free(c.values);
    return holds ? 0
                 : field_refuse(r->err, ERR_VALUE, path, v,
                                "a condition that can hold: %s is not swept, and is not that",
                                n.name);
}

static int read_one(const struct reading *r, const struct json *v)
{
    struct dimension *d = &r->s->space.dimensions[r->of];
    int on = dimension_called(r->s, json_key(v));
    char path[FIELD_PATH_MAX];

    field_path(path, r->path, json_key(v));
    if (on < 0)
        return read_constant(r, v, path);
    if ((size_t)on == r->of)
        return field_refuse(r->err, ERR_VALUE, path, v, "another parameter than this one itself");
    d->conditions = xrealloc(d->conditions, (d->condition_count + 1) * sizeof(*d->conditions));
    struct condition *c = &d->conditions[d->condition_count++];
    *c = (struct condition){.on = (size_t)on};
    if (json_type(v) == JSON_OBJECT)
        return read_range(r, v, path, &r->s->space.dimensions[on], c);
    return read_values(r, v, path, &r->s->space.dimensions[on], c);
}

static int read_condition(struct spec *s, const struct json *member, const char *name,
                          const char *path, struct errbuf *err)
{
    const struct json *v = json_get(member, "condition");
    struct reading r = {.s = s, .err = err};
    int of = dimension_called(s, name), rc = 0;

    field_path(r.path, path, "condition");
    if (json_type(v) != JSON_OBJECT || json_count(v) == 0 ||
        json_count(v) > SPACE_MAX_DIMENSIONS)
        return field_refuse(err, ERR_TYPE, r.path, v,
                            "an object, such as {\"optimizer\": \"sgd\"}, {\"optimizer\": "
                            "[\"sgd\", \"nesterov\"]} or {\"depth\": {\"min\": 2}}");
    if (of < 0)
        return field_refuse(err, ERR_KEY, r.path, v,
                            "only of what is swept: {\"values\": [x]} beside it");
    r.of = (size_t)of;
    for (const struct json *m = json_first(v); m && !rc; m = json_next(m))
        rc = read_one(&r, m);
    return rc;
}

/* Of all members, those of nested ones too; outer: the names around list, each with its dot. */
static int read_conditions(struct spec *s, const struct json *list, const char *path,
                           const char *outer, struct errbuf *err)
{
    char at[FIELD_PATH_MAX], inner[FIELD_PATH_MAX], name[FIELD_PATH_MAX];
    int rc = 0;

    for (const struct json *m = json_first(list); m && !rc; m = json_next(m)) {
        bool nested = spec_is_nested(m);
        field_path(at, path, json_key(m));
        snprintf(name, sizeof(name), "%s%s%s", outer, json_key(m), nested ? "." : "");
        field_path(inner, at, "parameters");
        if (nested)
            rc = read_conditions(s, json_get(m, "parameters"), inner, name, err);
        else if (json_get(m, "condition"))
            rc = read_condition(s, m, name, at, err);
    }
    return rc;
}

/* --- constraints ----------------------------------------------------------------------------- */

static int read_constraints(const struct json *v, struct spec *s, struct errbuf *err)
{
    static const char form[] = "a list of constraints, such as [\"depth * width <= 2048\"]";
    char path[FIELD_PATH_MAX];
    size_t i = 0;

    if (json_type(v) != JSON_ARRAY)
        return field_refuse(err, ERR_TYPE, CONSTRAINTS, v, form);
    if (json_count(v) > SPACE_MAX_CONSTRAINTS)
        return field_refuse(err, ERR_LIMIT, CONSTRAINTS, v, "at most %d constraints",
                            SPACE_MAX_CONSTRAINTS);
    for (const struct json *m = json_first(v); m; m = json_next(m), i++) {
        field_path_index(path, CONSTRAINTS, i);
        if (json_type(m) != JSON_STRING)
            return field_refuse(err, ERR_TYPE, path, m, "a text, such as \"width >= 2 * depth\"");
        int rc = space_constrain(&s->space, json_string(m), path, find_name, s, err);
        if (rc)
            return rc;
    }
    return 0;
}

/* --- both ------------------------------------------------------------------------------------ */

/* The place of what space_settle found at fault. */
static void tell_place(const struct spec *s, size_t at, struct errbuf *err)
{
    struct errbuf own = *err;
    char path[FIELD_PATH_MAX], condition[FIELD_PATH_MAX];

    if (at >= s->space.count) {
        field_path_index(condition, CONSTRAINTS, at - s->space.count);
    } else {
        field_path(path, PARENT, s->space.dimensions[at].name);
        field_path(condition, path, "condition");
    }
    err_bad(err, own.code, condition, own.value, "%s", own.allowed);
}

int spec_structure_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *parameters = json_get(root, "parameters");
    const struct json *constraints = json_get(root, "constraints");
    bool grid = method_traits(s->method) & METHOD_COUNTS;
    struct errbuf why = {0};
    size_t at = 0;
    int rc = parameters ? read_conditions(s, parameters, PARENT, "", err) : 0;

    if (!rc && constraints)
        rc = read_constraints(constraints, s, err);
    if (rc)
        return rc;
    rc = space_settle(&s->space, grid ? LOOKS_GRID : LOOKS_OTHER, &at, &why);
    if (!rc)
        return 0;
    tell_place(s, at, &why);
    if (err)
        *err = why;
    return rc;
}

static void write_one(const struct dimension *on, const struct condition *c, struct json_writer *w)
{
    jw_key(w, on->name);
    if (!c->values) {
        jw_begin_object(w);
        if (isfinite(c->min))
            jw_kv_real(w, "min", c->min);
        if (isfinite(c->max))
            jw_kv_real(w, "max", c->max);
        jw_end_object(w);
        return;
    }
    if (c->value_count > 1)
        jw_begin_array(w);
    for (size_t i = 0; i < c->value_count; i++)
        dimension_to_json(on, c->values[i], w);
    if (c->value_count > 1)
        jw_end_array(w);
}

void spec_condition_write(const struct spec *s, const struct dimension *d, struct json_writer *w)
{
    if (!d->condition_count)
        return;
    jw_key(w, "condition");
    jw_begin_object(w);
    for (size_t i = 0; i < d->condition_count; i++)
        write_one(&s->space.dimensions[d->conditions[i].on], &d->conditions[i], w);
    jw_end_object(w);
}

void spec_constraints_write(const struct spec *s, struct json_writer *w)
{
    if (!s->space.constraint_count)
        return;
    jw_key(w, "constraints");
    jw_begin_array(w);
    for (size_t i = 0; i < s->space.constraint_count; i++)
        jw_string(w, space_constraint_text(&s->space, i));
    jw_end_array(w);
}
