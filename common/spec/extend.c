/* The specification of a sweep that goes on with more runs, or over wider ranges. It is made of the
 * canonical form of what it was, so all that a specification must fulfil is checked again. */
#include "sweep/spec.h"

#include <stdio.h>
#include <string.h>

#include "common/base/field.h"
#include "common/spec/part.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define PARENT "$.parameters"

/* --- what is asked for ----------------------------------------------------------------------- */

static const struct json *given(const struct spec_extension *x, const char *name)
{
    return x->parameters ? json_get(x->parameters, name) : NULL;
}

/* The parameter of that name, as the specification has it. */
static int check_name(const struct spec *s, const struct json *m, struct errbuf *err)
{
    char path[FIELD_PATH_MAX], allowed[400];
    const char *names[SPACE_MAX_DIMENSIONS];

    if (space_find_name(&s->space, json_key(m)) >= 0)
        return 0;
    const struct dimension *d = spec_dimension_called(s, json_key(m));
    field_path(path, PARENT, json_key(m));
    if (d)
        return field_refuse(err, ERR_KEY, path, m, "%s, as the sweep has it", d->name);
    for (size_t i = 0; i < s->space.count; i++)
        names[i] = s->space.dimensions[i].name;
    field_suggest(allowed, sizeof(allowed), json_key(m), names, s->space.count);
    return field_refuse(err, ERR_KEY, path, m, "a parameter of the sweep: %s", allowed);
}

/* Ends of a range, or values of a list; both as the parameter has them. */
static int check_member(const struct spec *s, const struct json *m, struct errbuf *err)
{
    static const char *const of_range[] = {"min", "max"}, *const of_list[] = {"values"},
                      *const of_shares[] = {"values", "probabilities"};
    char path[FIELD_PATH_MAX], inner[FIELD_PATH_MAX];
    int i = space_find_name(&s->space, json_key(m));
    const struct dimension *d = &s->space.dimensions[i];
    const struct json *values = json_get(m, "values");

    field_path(path, PARENT, json_key(m));
    if (json_type(m) != JSON_OBJECT || json_count(m) == 0)
        return field_refuse(err, ERR_TYPE, path, m, "an object: %s",
                            d->distribution == DISTRIBUTION_CATEGORICAL
                                ? "{\"values\": […]}, those that come to it"
                                : "{\"min\": …, \"max\": …}, one of them or both");
    if (d->distribution != DISTRIBUTION_CATEGORICAL)
        return field_object(m, path, of_range, ARRAY_LEN(of_range), err);
    if (values && json_type(values) != JSON_ARRAY) {
        field_path(inner, path, "values");
        return field_refuse(err, ERR_TYPE, inner, values, "a list of those that come to it");
    }
    return d->probabilities ? field_object(m, path, of_shares, ARRAY_LEN(of_shares), err)
                            : field_object(m, path, of_list, ARRAY_LEN(of_list), err);
}

static int check_given(const struct spec *s, const struct spec_extension *x, struct errbuf *err)
{
    const struct json *p = x->parameters;
    char value[32];

    if (s->method == METHOD_BY_HAND)
        return err_set(err, ERR_STATE, "the sweep is one treatment, and searches nothing");
    if (s->method == METHOD_PBT)
        return err_set(err, ERR_STATE, "a population is as large as it began, and trains as long");
    if (p && json_type(p) != JSON_OBJECT)
        return field_refuse(err, ERR_TYPE, PARENT, p, "an object: {\"depth\": {\"max\": 8}}");
    for (const struct json *m = p ? json_first(p) : NULL; m; m = json_next(m)) {
        int rc = check_name(s, m, err);
        if (rc == 0)
            rc = check_member(s, m, err);
        if (rc)
            return rc;
    }
    if (x->runs > 0) {
        snprintf(value, sizeof(value), "%lld", (long long)x->runs);
        if (x->run_cap > 0)
            return err_bad(err, ERR_VALUE, "$.runs", value, "run_cap, or so many runs more");
        if (x->runs > SPEC_MAX_RUNS - s->run_cap)
            return err_bad(err, ERR_VALUE, "$.runs", value, "at most %lld: a sweep has %d runs",
                           (long long)(SPEC_MAX_RUNS - s->run_cap), SPEC_MAX_RUNS);
    }
    if (x->run_cap == 0 || (x->run_cap > s->run_cap && x->run_cap <= SPEC_MAX_RUNS))
        return 0;
    snprintf(value, sizeof(value), "%lld", (long long)x->run_cap);
    return err_bad(err, ERR_VALUE, "$.run_cap", value, "above %lld, which it has, to %d",
                   (long long)s->run_cap, SPEC_MAX_RUNS);
}

/* --- the wider one --------------------------------------------------------------------------- */

/* Those that there are, then those that come to them: a choice keeps its number. */
static void write_values(const struct json *old, const struct json *more, struct json_writer *w)
{
    jw_begin_array(w);
    for (const struct json *v = json_first(old); v; v = json_next(v))
        jw_value(w, v);
    for (const struct json *v = json_first(more); v; v = json_next(v)) {
        const struct json *o = json_first(old);
        while (o && !spec_same_json(o, v))
            o = json_next(o);
        if (!o)
            jw_value(w, v);
    }
    jw_end_array(w);
}

static void write_parameter(const struct json *old, const struct json *more, struct json_writer *w)
{
    jw_begin_object(w);
    for (const struct json *m = json_first(old); m; m = json_next(m)) {
        const struct json *v = json_get(more, json_key(m));
        jw_key(w, json_key(m));
        if (v && strcmp(json_key(m), "values") == 0)
            write_values(m, v, w);
        else
            jw_value(w, v ? v : m);
    }
    jw_end_object(w);
}

/* A grid is as large as it gets, unless it was cut off. */
static bool is_whole_grid(const struct spec *s)
{
    uint64_t size = space_size(&s->space, 0);

    return s->method == METHOD_GRID && size <= SPEC_MAX_RUNS &&
           s->run_cap >= spec_grid_cap(s, (int64_t)size);
}

static void write_wider(const struct spec *s, const struct spec_extension *x,
                        const struct json *old, struct json_writer *w)
{
    int64_t run_cap = x->runs > 0 ? s->run_cap + x->runs : x->run_cap;
    jw_begin_object(w);
    for (const struct json *m = json_first(old); m; m = json_next(m)) {
        bool cap = strcmp(json_key(m), "run_cap") == 0;
        if (cap && !run_cap && is_whole_grid(s))
            continue;
        jw_key(w, json_key(m));
        if (cap && run_cap) {
            jw_int(w, run_cap);
        } else if (strcmp(json_key(m), "parameters") == 0) {
            jw_begin_object(w);
            for (const struct json *p = json_first(m); p; p = json_next(p)) {
                jw_key(w, json_key(p));
                write_parameter(p, given(x, json_key(p)), w);
            }
            jw_end_object(w);
        } else {
            jw_value(w, m);
        }
    }
    jw_end_object(w);
}

static int refuse_end(const struct dimension *d, const char *key, double value, const char *bound,
                      double old, struct errbuf *err)
{
    char parent[FIELD_PATH_MAX], path[FIELD_PATH_MAX], text[2][SPACE_TEXT_MAX];

    field_path(parent, PARENT, d->name);
    field_path(path, parent, key);
    dimension_format(d, value, text[0]);
    dimension_format(d, old, text[1]);
    return err_bad(err, ERR_VALUE, path, text[0], "%s %s, which it is: a range can grow alone",
                   bound, text[1]);
}

/* What was run stays in the space. */
static int check_wider(const struct spec *old, const struct spec *s, struct errbuf *err)
{
    bool more = s->run_cap > old->run_cap;

    REQUIRE(s->space.count == old->space.count);
    for (size_t i = 0; i < s->space.count; i++) {
        const struct dimension *a = &old->space.dimensions[i], *b = &s->space.dimensions[i];
        more = more || b->value_count > a->value_count;
        if (a->distribution == DISTRIBUTION_CATEGORICAL)
            continue;
        if (b->min > a->min)
            return refuse_end(b, "min", b->min, "at most", a->min, err);
        if (b->max < a->max)
            return refuse_end(b, "max", b->max, "at least", a->max, err);
        more = more || b->min < a->min || b->max > a->max;
    }
    return more ? 0
                : err_set(err, ERR_VALUE, "nothing is asked for that it has not: more runs than "
                          "%lld, a wider range, or another value", (long long)old->run_cap);
}

int spec_extend(const struct spec *s, const struct spec_extension *x, struct spec *out,
                struct errbuf *err)
{
    struct buf text = {0};
    struct json_writer w;
    struct spec wider;
    int rc = check_given(s, x, err);

    if (rc)
        return rc;
    struct json *old = spec_canonical(s);
    jw_init(&w, &text);
    write_wider(s, x, old, &w);
    json_destroy(old);
    rc = spec_parse_text(text.data, text.len, &wider, err);
    buf_finish(&text);
    if (rc)
        return rc;
    rc = check_wider(s, &wider, err);
    if (rc)
        spec_finish(&wider);
    else
        *out = wider;
    return rc;
}
