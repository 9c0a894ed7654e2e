/* The keys of repeats: repeat_share, repeat_along and repeat. */
#include "common/spec/part.h"

#include <math.h>

#include "sweep/err.h"
#include "sweep/json.h"

int64_t spec_repeat_cap(const struct spec *s)
{
    int64_t runs = (int64_t)floor(s->repeat_share * (double)s->run_cap);
    return runs >= 2 ? runs : 0;
}

double spec_repeat_usual(const struct json *root, int64_t run_cap)
{
    bool ends = json_get(root, "max_hours") || json_get(root, "until");
    double runs = (double)run_cap, share = SPEC_REPEAT_RUNS / runs;

    if (ends || !(SPEC_REPEAT_SHARE * runs > SPEC_REPEAT_RUNS))
        return SPEC_REPEAT_SHARE;
    return share * runs < SPEC_REPEAT_RUNS ? nextafter(share, 1) : share;
}

int spec_repeat_limit(const struct json *root, struct spec *s, struct errbuf *err)
{
    (void)err;
    if (!json_get(root, "repeat_share") && s->repeat_share > 0)
        s->repeat_share = spec_repeat_usual(root, s->run_cap);
    return 0;
}

/* --- repeat_share ---------------------------------------------------------------------------- */

/* A grid is asked for whole; and treatments that take most of the runs leave too few. */
static double usual_share(const struct spec *s)
{
    unsigned traits = method_traits(s->method);
    bool may = !(traits & (METHOD_COUNTS | METHOD_INNER | METHOD_INHERITS));
    return may && !(s->treat && s->treat_share > 0.5) ? SPEC_REPEAT_SHARE : 0;
}

static int parse_share(const struct json *v, struct spec *s, struct errbuf *err)
{
    double share, treated = s->treat ? s->treat_share : 0;

    if (json_real(v, &share) != 0 || !(share >= 0 && share <= SPEC_REPEAT_SHARE_MAX))
        return field_refuse(err, ERR_VALUE, "$.repeat_share", v, "a number from 0 to %g",
                            SPEC_REPEAT_SHARE_MAX);
    if (treated + share > SPEC_SHARES_MAX + 1e-9)
        return field_refuse(err, ERR_VALUE, "$.repeat_share", v,
                            "at most %g beside treat_share %g: the search needs the rest",
                            SPEC_SHARES_MAX - treated, treated);
    s->repeat_share = share;
    return 0;
}

static void write_share(const struct spec *s, struct json_writer *w)
{
    if (s->repeat_share > 0 || usual_share(s) > 0)
        jw_kv_real(w, "repeat_share", s->repeat_share);
}

/* --- repeat ---------------------------------------------------------------------------------- */

static bool by_method(const struct spec *s)
{
    return method_traits(s->method) & METHOD_REPEATS;
}

int spec_repeat_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "repeat"), *share = json_get(root, "repeat_share");
    const struct json *along = json_get(root, "repeat_along");

    s->repeat_share = usual_share(s);
    s->repeat = by_method(s);
    s->repeat_along = true;
    if (along && json_type(along) != JSON_BOOL)
        return field_refuse(err, ERR_TYPE, "$.repeat_along", along, "true or false");
    if (along)
        s->repeat_along = json_bool(along);
    if (v && json_type(v) != JSON_BOOL)
        return field_refuse(err, ERR_TYPE, "$.repeat", v, "true or false");
    if (v)
        s->repeat = json_bool(v);
    return share ? parse_share(share, s, err) : 0;
}

/* Repeat only where it is not the method's own: earlier specifications have no such key. */
void spec_repeat_write(const struct spec *s, struct json_writer *w)
{
    if (s->repeat != by_method(s))
        jw_kv_bool(w, "repeat", s->repeat);
    write_share(s, w);
    if (!s->repeat_along)
        jw_kv_bool(w, "repeat_along", false);
}
