/* Values of a dimension as text and JSON, roles, and looking dimensions up. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/space.h"

const char *distribution_name(enum distribution d)
{
    static const char *const names[] = {
#define X(id, name) [DISTRIBUTION_##id] = name,
        DISTRIBUTION_MAP(X)
#undef X
    };
    REQUIRE((unsigned)d < DISTRIBUTION_COUNT);
    return names[d];
}

/* --- roles ----------------------------------------------------------------------------------- */

static const struct {
    const char *name, *others;
} roles[] = {
#define X(id, name, others) [ROLE_##id] = {name, others},
    ROLE_MAP(X)
#undef X
};

const char *role_name(enum role r)
{
    REQUIRE((unsigned)r < ROLE_COUNT);
    return roles[r].name;
}

/* name is one of those in "a|b|c". */
static bool is_among(const char *name, const char *list)
{
    size_t len = strlen(name);
    for (const char *p = list; *p; p += strcspn(p, "|"), p += *p == '|')
        if (strcspn(p, "|") == len && strncmp(p, name, len) == 0)
            return true;
    return false;
}

enum role role_of_name(const char *name)
{
    for (int i = ROLE_NONE + 1; i < ROLE_COUNT; i++)
        if (strcmp(name, roles[i].name) == 0 || is_among(name, roles[i].others))
            return (enum role)i;
    return ROLE_NONE;
}

/* --- the space ------------------------------------------------------------------------------- */

void dimension_finish(struct dimension *d)
{
    free(d->values);
    for (size_t i = 0; i < d->choice_count; i++)
        free(d->choices[i]);
    free(d->choices);
    *d = (struct dimension){0};
}

void space_finish(struct space *s)
{
    for (size_t i = 0; i < s->count; i++)
        dimension_finish(&s->dimensions[i]);
    s->count = 0;
}

int space_find_role(const struct space *s, enum role role)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->dimensions[i].role == role)
            return (int)i;
    return -1;
}

int space_find_name(const struct space *s, const char *name)
{
    for (size_t i = 0; i < s->count; i++)
        if (strcmp(s->dimensions[i].name, name) == 0)
            return (int)i;
    return -1;
}

int space_find_key(const struct space *s, int key)
{
    for (size_t i = 0; i < s->count; i++)
        if (s->dimensions[i].key == key)
            return (int)i;
    return -1;
}

bool space_same(const struct space *s, const struct assignment *a, const struct assignment *b)
{
    for (size_t i = 0; i < s->count; i++)
        if (a->v[i] != b->v[i])
            return false;
    return true;
}

void space_params_write(const struct space *s, const struct assignment *a, struct json_writer *w)
{
    jw_begin_object(w);
    for (size_t i = 0; i < s->count; i++) {
        jw_key(w, s->dimensions[i].name);
        dimension_to_json(&s->dimensions[i], a->v[i], w);
    }
    jw_end_object(w);
}

/* --- values ---------------------------------------------------------------------------------- */

static const char *choice(const struct dimension *d, double value)
{
    return value >= 0 && value < (double)d->choice_count ? d->choices[(size_t)value] : "";
}

void dimension_to_json(const struct dimension *d, double value, struct json_writer *w)
{
    switch (d->type) {
    case VALUE_REAL:
        jw_real(w, value);
        break;
    case VALUE_INTEGER:
        jw_int(w, (int64_t)value);
        break;
    case VALUE_SWITCH:
        jw_bool(w, value != 0);
        break;
    case VALUE_CHOICE:
        jw_string(w, choice(d, value));
        break;
    }
}

void dimension_format(const struct dimension *d, double value, char out[SPACE_TEXT_MAX])
{
    switch (d->type) {
    case VALUE_REAL:
        json_format_real(value, out);
        break;
    case VALUE_INTEGER:
        snprintf(out, SPACE_TEXT_MAX, "%.0f", value);
        break;
    case VALUE_SWITCH:
        snprintf(out, SPACE_TEXT_MAX, "%s", value != 0 ? "true" : "false");
        break;
    case VALUE_CHOICE:
        snprintf(out, SPACE_TEXT_MAX, "%s", choice(d, value));
        break;
    }
}

double dimension_listed(const struct dimension *d, const char *text)
{
    char own[SPACE_TEXT_MAX];
    for (size_t i = 0; i < d->value_count; i++) {
        dimension_format(d, d->values[i], own);
        if (strcmp(own, text) == 0)
            return d->values[i];
    }
    return NAN;
}

/* A number, switch or choice that has the dimension's type; whether it lies in the range is not
 * asked: what earlier versions stored may lie outside. */
static bool read_value(const struct dimension *d, const struct json *v, double *out)
{
    switch (d->type) {
    case VALUE_REAL:
        return json_real(v, out) == 0;
    case VALUE_INTEGER:
        return json_real(v, out) == 0 && *out == floor(*out);
    case VALUE_SWITCH:
        if (json_type(v) != JSON_BOOL)
            return false;
        *out = json_bool(v);
        return true;
    case VALUE_CHOICE:
        for (size_t i = 0; json_type(v) == JSON_STRING && i < d->choice_count; i++) {
            *out = (double)i;
            if (strcmp(json_string(v), d->choices[i]) == 0)
                return true;
        }
    }
    return false;
}

int space_params_parse(const struct space *s, const struct json *params, struct assignment *out,
                       struct errbuf *err)
{
    static const char *const wanted[] = {[VALUE_REAL] = "a number", [VALUE_INTEGER] = "an integer",
                                         [VALUE_SWITCH] = "true or false",
                                         [VALUE_CHOICE] = "one of the parameter's values"};
    const char *names[SPACE_MAX_DIMENSIONS];
    struct assignment fresh = {{0}};
    char path[FIELD_PATH_MAX];
    for (size_t i = 0; i < s->count; i++)
        names[i] = s->dimensions[i].name;
    int rc = field_object(params, "$", names, s->count, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < s->count; i++) {
        const struct json *v = json_get(params, names[i]);
        field_path(path, "$", names[i]);
        if (!v)
            return field_missing(err, "$", names[i], "a value of every swept parameter");
        if (!read_value(&s->dimensions[i], v, &fresh.v[i]))
            return field_refuse(err, ERR_TYPE, path, v, "%s", wanted[s->dimensions[i].type]);
    }
    *out = fresh;
    return 0;
}

/* --- values of a person ---------------------------------------------------------------------- */

static bool is_possible(const struct dimension *d, double value)
{
    uint64_t n = dimension_cardinality(d);
    for (size_t i = 0; i < d->value_count; i++)
        if (d->values[i] == value)
            return true;
    if (d->distribution == DISTRIBUTION_CATEGORICAL || !(value >= d->min && value <= d->max))
        return false;
    return n == 0 || dimension_value(d, dimension_position(d, value)) == value;
}

/* "one of 32, 64, 128", "from 0.001 to 0.1 in steps of 0.001" */
static void possible_values(const struct dimension *d, char *out, size_t size)
{
    char value[SPACE_TEXT_MAX], other[SPACE_TEXT_MAX];
    struct buf b = {0};
    for (size_t i = 0; i < d->value_count; i++) {
        dimension_format(d, d->values[i], value);
        buf_printf(&b, "%s%s", i ? ", " : "one of ", value);
    }
    if (d->distribution != DISTRIBUTION_CATEGORICAL) {
        dimension_format(d, d->min, value);
        dimension_format(d, d->max, other);
        buf_printf(&b, "from %s to %s", value, other);
        if (d->q > 0)
            buf_printf(&b, " in steps of %g", d->q);
    }
    str_copy(out, size, b.data);
    buf_finish(&b);
}

int space_check(const struct space *s, const struct json *params, struct assignment *out,
                struct errbuf *err)
{
    struct assignment fresh;
    char path[FIELD_PATH_MAX], allowed[256];
    int rc = space_params_parse(s, params, &fresh, err);
    for (size_t i = 0; i < s->count && rc == 0; i++) {
        const struct dimension *d = &s->dimensions[i];
        if (is_possible(d, fresh.v[i]))
            continue;
        field_path(path, "$", d->name);
        possible_values(d, allowed, sizeof(allowed));
        rc = field_refuse(err, ERR_VALUE, path, json_get(params, d->name), "%s", allowed);
    }
    if (rc == 0)
        *out = fresh;
    return rc;
}
