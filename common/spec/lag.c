/* The key lag: what a method that learns may see, in logical time. */
#include "common/spec/part.h"

#include "sweep/err.h"
#include "sweep/json.h"

static bool learns(const struct spec *s)
{
    return method_traits(s->method) & METHOD_LEARNS;
}

/* Each run that is seen late costs a search of few runs more than one of many (docs/testing.md). */
static int64_t by_default(const struct spec *s)
{
    int64_t tenth = s->run_cap / 10;

    return tenth < 1 ? 1 : tenth < SPEC_LAG ? tenth : SPEC_LAG;
}

int spec_lag_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "lag");

    s->lag = learns(s) ? by_default(s) : 0;
    if (!v)
        return 0;
    if (!learns(s))
        return field_refuse(err, ERR_VALUE, "$.lag", v,
                            "nothing with method %s: it goes by no earlier runs, or by whole "
                            "stages of them",
                            method_name(s->method));
    if (json_type(v) == JSON_NUMBER && json_number(v) == 0)
        return field_refuse(err, ERR_VALUE, "$.lag", v,
                            "an integer from 1 to %d: with 0 each run would depend on which others "
                            "have ended by chance; with n, at most n + 1 runs are trained at once",
                            SPEC_LAG_MAX);
    return field_integer(v, "$.lag", 1, SPEC_LAG_MAX, &s->lag, err);
}

void spec_lag_write(const struct spec *s, struct json_writer *w)
{
    if (learns(s))
        jw_kv_int(w, "lag", s->lag);
}
