/* The key rounds: does a search in stages go through them once, or again and again, each time with
 * more runs? */
#include "common/spec/part.h"
#include "sweep/err.h"
#include "sweep/json.h"

int spec_rounds_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "rounds");
    bool staged = method_traits(s->method) & METHOD_STAGES;

    s->rounds = staged;
    if (!v)
        return 0;
    if (json_type(v) != JSON_BOOL)
        return field_refuse(err, ERR_TYPE, "$.rounds", v, "true or false");
    if (!staged)
        return field_refuse(err, ERR_VALUE, "$.rounds", v,
                            "nothing with method %s: it is of coarse_to_fine",
                            method_name(s->method));
    s->rounds = json_bool(v);
    return 0;
}

void spec_rounds_write(const struct spec *s, struct json_writer *w)
{
    if (method_traits(s->method) & METHOD_STAGES && !s->rounds)
        jw_kv_bool(w, "rounds", false);
}
