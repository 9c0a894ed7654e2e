/* Values of a dimension as text and JSON, roles, and looking dimensions up. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/field.h"
#include "common/space/expression.h"
#include "common/space/settle.h"
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

static void drop_conditions(struct dimension *d)
{
    for (size_t i = 0; i < d->condition_count; i++)
        free(d->conditions[i].values);
    free(d->conditions);
    d->conditions = NULL;
    d->condition_count = 0;
    d->rests_on = 0;
}

void dimension_finish(struct dimension *d)
{
    free(d->values);
    free(d->probabilities);
    drop_conditions(d);
    for (size_t i = 0; i < d->choice_count; i++)
        free(d->choices[i]);
    free(d->choices);
    *d = (struct dimension){0};
}

void space_loosen(struct space *s)
{
    for (size_t i = 0; i < s->count; i++)
        drop_conditions(&s->dimensions[i]);
    for (size_t i = 0; i < s->constraint_count; i++)
        free(s->constraints[i]);
    free(s->constraints);
    walk_destroy(s->walk);
    s->constraints = NULL;
    s->constraint_count = 0;
    s->conditional = false;
    s->walk = NULL;
}

void space_finish(struct space *s)
{
    space_loosen(s);
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
        if (a->v[i] != b->v[i] && (space_has(a, i) || space_has(b, i)))
            return false;
    return true;
}

void space_take(const struct space *s, const struct assignment *a, struct assignment *out)
{
    *out = (struct assignment){{0}};
    for (size_t i = 0; i < s->count; i++)
        out->v[i] = a->v[i];
}

void space_params_write(const struct space *s, const struct assignment *a, struct json_writer *w)
{
    jw_begin_object(w);
    for (size_t i = 0; i < s->count; i++) {
        if (!space_has(a, i))
            continue;
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

static bool is_inside_character(char c)
{
    return ((unsigned char)c & 0xc0) == 0x80;
}

/* Of a long text both ends: paths differ in the last words. */
static void put_ends(const char *text, char out[SPACE_TEXT_MAX])
{
    static const char between[] = "…";
    size_t len = strlen(text), head = SPACE_TEXT_MAX / 3;
    size_t tail = len - (SPACE_TEXT_MAX - head - sizeof(between));

    while (head > 0 && is_inside_character(text[head]))
        head--;
    while (is_inside_character(text[tail]))
        tail++;
    snprintf(out, SPACE_TEXT_MAX, "%.*s%s%s", (int)head, text, between, text + tail);
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
        if (strlen(choice(d, value)) < SPACE_TEXT_MAX)
            snprintf(out, SPACE_TEXT_MAX, "%s", choice(d, value));
        else
            put_ends(choice(d, value), out);
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

int dimension_from_json(const struct dimension *d, const struct json *v, const char *path,
                        double *out, struct errbuf *err)
{
    bool number = json_type(v) == JSON_NUMBER;
    int index = 0, rc;

    *out = number ? json_number(v) : 0;
    switch (d->type) {
    case VALUE_REAL:
        if (number)
            return 0;
        return field_refuse(err, ERR_TYPE, path, v, "a number");
    case VALUE_INTEGER:
        if (number && *out == floor(*out) && fabs(*out) <= JSON_MAX_SAFE_INTEGER)
            return 0;
        return field_refuse(err, ERR_TYPE, path, v, "an integer");
    case VALUE_SWITCH:
        *out = json_type(v) == JSON_BOOL && json_bool(v);
        if (json_type(v) == JSON_BOOL)
            return 0;
        return field_refuse(err, ERR_TYPE, path, v, "true or false");
    case VALUE_CHOICE:
        rc = field_name(v, path, (const char *const *)d->choices, d->choice_count, &index, err);
        *out = index;
        return rc;
    }
    return field_refuse(err, ERR_TYPE, path, v, "a value of the parameter");
}

/* Each must be there where its condition holds, and nowhere else. */
static int check_presence(const struct space *s, const struct json *params,
                          const struct assignment *given, struct errbuf *err)
{
    struct assignment complete = *given;
    char path[FIELD_PATH_MAX];

    space_complete(s, &complete);
    for (size_t i = 0; i < s->count; i++) {
        const char *name = s->dimensions[i].name;
        if (space_has(given, i) && !space_has(&complete, i)) {
            field_path(path, "$", name);
            return field_refuse(err, ERR_VALUE, path, json_get(params, name),
                                "nothing here: the condition of %s does not hold with the other "
                                "values",
                                name);
        }
        if (!space_has(given, i) && space_has(&complete, i))
            return field_missing(err, "$", name, "a value of every swept parameter");
    }
    return 0;
}

int space_params_parse(const struct space *s, const struct json *params, struct assignment *out,
                       struct errbuf *err)
{
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
        fresh.v[i] = NAN;
        if (!v)
            continue;
        field_path(path, "$", names[i]);
        rc = dimension_from_json(&s->dimensions[i], v, path, &fresh.v[i], err);
        if (rc)
            return rc;
    }
    rc = check_presence(s, params, &fresh, err);
    if (!rc)
        *out = fresh;
    return rc;
}

/* --- values of a person ---------------------------------------------------------------------- */

/* "one of 32, 64, 128", "an integer from 0 to 4", "from 0.1 to 0.9: a multiple of 0.1" */
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
        bool whole = d->q == 0 && dimension_cardinality(d) > 0;
        buf_printf(&b, "%sfrom %s to %s", whole ? "an integer " : "", value, other);
        if (d->q > 0) {
            json_format_real(d->q, value);
            buf_printf(&b, ": a multiple of %s", value);
        }
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
        if (!space_has(&fresh, i) || dimension_takes(d, fresh.v[i]))
            continue;
        field_path(path, "$", d->name);
        possible_values(d, allowed, sizeof(allowed));
        rc = field_refuse(err, ERR_VALUE, path, json_get(params, d->name), "%s", allowed);
    }
    for (size_t i = 0; i < s->constraint_count && rc == 0; i++)
        if (!constraint_holds(s->constraints[i], &fresh))
            rc = field_refuse(err, ERR_VALUE, "$", params, "values that fulfil the constraint %s",
                              space_constraint_text(s, i));
    if (rc == 0)
        *out = fresh;
    return rc;
}
