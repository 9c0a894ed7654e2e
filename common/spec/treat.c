/* The keys of treatments: treat, treat_share, carry_on and without_remedies. */
#include "common/spec/part.h"

#include <math.h>

#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/remedy.h"

#define WITHOUT "$.without_remedies"

static const char *const remedy_names[REMEDY_COUNT] = {
#define X(id, name, guide_ref, does) [REMEDY_##id] = name,
    REMEDY_MAP(X)
#undef X
};

int64_t spec_treat_cap(const struct spec *s)
{
    return s->treat ? (int64_t)floor(s->treat_share * (double)s->run_cap) : 0;
}

/* A grid is tried whole: its treatments and repeats come on top. */
int64_t spec_grid_cap(const struct spec *s, int64_t size)
{
    double others = (s->treat ? s->treat_share : 0) + s->repeat_share;
    int64_t cap = others > 0 ? (int64_t)ceil((double)size / (1 - others)) : size;
    return cap < SPEC_MAX_RUNS ? cap : SPEC_MAX_RUNS;
}

static int parse_share(const struct json *v, double *out, struct errbuf *err)
{
    double share;

    if (json_real(v, &share) != 0 || !(share >= 0 && share <= SPEC_TREAT_SHARE_MAX))
        return field_refuse(err, ERR_VALUE, "$.treat_share", v, "a number from 0 to %g",
                            SPEC_TREAT_SHARE_MAX);
    *out = share;
    return 0;
}

/* Only where stages follow in which it could be. */
static bool may_carry_on(const struct spec *s)
{
    return s->treat && s->method == METHOD_COARSE_TO_FINE;
}

static int parse_carry_on(const struct json *v, struct spec *s, struct errbuf *err)
{
    s->carry_on = may_carry_on(s);
    if (!v)
        return 0;
    if (json_type(v) != JSON_BOOL)
        return field_refuse(err, ERR_TYPE, "$.carry_on", v, "true or false");
    if (json_bool(v) && !may_carry_on(s))
        return field_refuse(err, ERR_VALUE, "$.carry_on", v,
                            "false: only method coarse_to_fine with treatments has stages in which "
                            "what helped could be carried on");
    s->carry_on = json_bool(v);
    return 0;
}

static int parse_without(const struct json *v, struct spec *s, struct errbuf *err)
{
    char path[FIELD_PATH_MAX];
    size_t at = 0;
    int index, rc = 0;

    if (!v)
        return 0;
    if (json_type(v) != JSON_ARRAY)
        return field_refuse(err, ERR_TYPE, WITHOUT, v, "a list of names of remedies: [\"mixup\"]");
    if (!task_of(s)->has_remedies && json_first(v))
        return field_refuse(err, ERR_VALUE, WITHOUT, v, "nothing: no remedy is known for task %s",
                            task_of(s)->name);
    for (const struct json *m = json_first(v); m && !rc; m = json_next(m)) {
        field_path_index(path, WITHOUT, at++);
        rc = field_name(m, path, remedy_names, REMEDY_COUNT, &index, err);
        if (!rc && remedy_in(s->without, (enum remedy)index))
            rc = field_refuse(err, ERR_VALUE, path, m, "each remedy once");
        if (!rc)
            s->without |= (remedy_bits)1 << index;
    }
    return rc;
}

int spec_treat_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *treat = json_get(root, "treat"), *share = json_get(root, "treat_share");
    bool may = task_of(s)->has_remedies;

    s->treat = may && (method_traits(s->method) & METHOD_TREATS);
    s->treat_share = SPEC_TREAT_SHARE;
    if (treat && json_type(treat) != JSON_BOOL)
        return field_refuse(err, ERR_TYPE, "$.treat", treat, "true or false");
    if (treat && json_bool(treat) && !may)
        return field_refuse(err, ERR_VALUE, "$.treat", treat,
                            "false: no remedy is known for task %s", task_of(s)->name);
    if (treat)
        s->treat = json_bool(treat);
    int rc = share ? parse_share(share, &s->treat_share, err) : 0;
    if (!rc)
        rc = parse_carry_on(json_get(root, "carry_on"), s, err);
    return rc ? rc : parse_without(json_get(root, "without_remedies"), s, err);
}

void spec_treat_write(const struct spec *s, struct json_writer *w)
{
    jw_kv_bool(w, "treat", s->treat);
    jw_kv_real(w, "treat_share", s->treat_share);
    if (may_carry_on(s) && !s->carry_on) /* earlier specifications have no such key */
        jw_kv_bool(w, "carry_on", false);
    if (!s->without)
        return;
    jw_key(w, "without_remedies");
    jw_begin_array(w);
    for (int r = 0; r < REMEDY_COUNT; r++)
        if (remedy_in(s->without, (enum remedy)r))
            jw_string(w, remedy_names[r]);
    jw_end_array(w);
}
