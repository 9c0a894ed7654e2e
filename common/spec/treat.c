/* The keys of treatments: treat, treat_share, and treats of a sweep that `sweepctl treat` made. */
#include "common/spec/part.h"

#include <math.h>

#include "sweep/err.h"
#include "sweep/json.h"

#define ID_MAX ((int64_t)JSON_MAX_SAFE_INTEGER)

int64_t spec_treat_cap(const struct spec *s)
{
    return s->treat ? (int64_t)floor(s->treat_share * (double)s->run_cap) : 0;
}

/* A grid is tried whole: its treatments come on top. */
int64_t spec_treat_grid_cap(const struct spec *s, int64_t size)
{
    int64_t cap = s->treat ? (int64_t)ceil((double)size / (1 - s->treat_share)) : size;
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

/* --- treats ----------------------------------------------------------------------------------- */

static int parse_remedy(const struct json *v, struct spec_treats *t, struct errbuf *err)
{
    static const char *const remedies[] = {
#define X(id, name, guide_ref, does) [REMEDY_##id] = name,
        REMEDY_MAP(X)
#undef X
    };
    const struct json *name = json_get(v, "remedy");
    int index = 0, rc;

    if (!name)
        return field_missing(err, "$.treats", "remedy", "the name of a remedy");
    rc = field_name(name, "$.treats.remedy", remedies, REMEDY_COUNT, &index, err);
    t->remedy = (enum remedy)index;
    return rc;
}

static int parse_label(const struct json *v, struct spec_treats *t, struct errbuf *err)
{
    static const char *const patterns[] = {
#define X(id, name, guide, look, says, guide_remedies, ...) [PATTERN_##id] = name,
        PATTERN_MAP(X)
#undef X
    };
    static const char *const causes[] = {
#define X(id, name, guide_ref, says) [CAUSE_##id] = name,
        CAUSE_MAP(X)
#undef X
    };
    const struct json *pattern = json_get(v, "pattern"), *cause = json_get(v, "cause");
    int p = PATTERN_TOO_SHORT, c = CAUSE_UNKNOWN, rc = 0;

    if (pattern)
        rc = field_name(pattern, "$.treats.pattern", patterns, PATTERN_COUNT, &p, err);
    if (!rc && cause)
        rc = field_name(cause, "$.treats.cause", causes, CAUSE_COUNT, &c, err);
    t->pattern = (enum pattern)p;
    t->cause = (enum cause_id)c;
    return rc;
}

static int parse_metric_value(const struct json *v, struct spec_treats *t, struct errbuf *err)
{
    const struct json *metric = json_get(v, "metric_value");

    t->has_metric = metric && json_type(metric) != JSON_NULL;
    if (!t->has_metric || json_real(metric, &t->metric_value) == 0)
        return 0;
    return field_refuse(err, ERR_TYPE, "$.treats.metric_value", metric, "a number, or null");
}

static int parse_treats(const struct json *v, struct spec_treats *out, struct errbuf *err)
{
    static const char *const keys[] = {"run", "remedy", "pattern", "cause", "metric_value"};
    const struct json *run = json_get(v, "run");
    struct spec_treats t = {0};
    int rc = field_object(v, "$.treats", keys, sizeof(keys) / sizeof(*keys), err);

    if (!rc && !run)
        rc = field_missing(err, "$.treats", "run", "the id of the run that is treated");
    if (!rc)
        rc = field_integer(run, "$.treats.run", 1, ID_MAX, &t.run, err);
    if (!rc)
        rc = parse_remedy(v, &t, err);
    if (!rc)
        rc = parse_label(v, &t, err);
    if (!rc)
        rc = parse_metric_value(v, &t, err);
    if (!rc)
        *out = t;
    return rc;
}

/* --- all -------------------------------------------------------------------------------------- */

int spec_treat_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *treat = json_get(root, "treat"), *share = json_get(root, "treat_share");
    const struct json *treats = json_get(root, "treats");
    int rc = 0;

    s->treat = s->method == METHOD_COARSE_TO_FINE;
    s->treat_share = SPEC_TREAT_SHARE;
    if (treat && json_type(treat) != JSON_BOOL)
        return field_refuse(err, ERR_TYPE, "$.treat", treat, "true or false");
    if (treat)
        s->treat = json_bool(treat);
    if (share)
        rc = parse_share(share, &s->treat_share, err);
    if (!rc && treats)
        rc = parse_treats(treats, &s->treats, err);
    if (!rc && treats && s->method != METHOD_GRID)
        rc = field_refuse(err, ERR_KEY, "$.treats", treats, "only with method grid");
    return rc;
}

void spec_treat_write(const struct spec *s, struct json_writer *w)
{
    const struct spec_treats *t = &s->treats;

    jw_kv_bool(w, "treat", s->treat);
    jw_kv_real(w, "treat_share", s->treat_share);
    if (!t->run)
        return;
    jw_key(w, "treats");
    jw_begin_object(w);
    jw_kv_int(w, "run", t->run);
    jw_kv_string(w, "remedy", remedy_name(t->remedy));
    jw_kv_string(w, "pattern", pattern_name(t->pattern));
    jw_kv_string(w, "cause", cause_name(t->cause));
    if (t->has_metric)
        jw_kv_real(w, "metric_value", t->metric_value);
    jw_end_object(w);
}
