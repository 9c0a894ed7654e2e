/* The key repeat. */
#include "common/spec/part.h"

#include "sweep/err.h"
#include "sweep/json.h"

static bool by_method(const struct spec *s)
{
    return method_traits(s->method) & METHOD_REPEATS;
}

int spec_repeat_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "repeat");

    s->repeat = by_method(s);
    if (v && json_type(v) != JSON_BOOL)
        return field_refuse(err, ERR_TYPE, "$.repeat", v, "true or false");
    if (v)
        s->repeat = json_bool(v);
    return 0;
}

/* Only where it is not the method's own: earlier specifications have no such key. */
void spec_repeat_write(const struct spec *s, struct json_writer *w)
{
    if (s->repeat != by_method(s))
        jw_kv_bool(w, "repeat", s->repeat);
}
