/* The key least_gain: when the rest of a search is not worth its cost. */
#include "common/spec/part.h"

#include "sweep/err.h"
#include "sweep/json.h"

int spec_gain_parse(const struct json *root, struct spec *s, struct errbuf *err)
{
    const struct json *v = json_get(root, "least_gain");

    if (!v)
        return 0;
    if (json_real(v, &s->least_gain) != 0 || !(s->least_gain >= 0 && s->least_gain <= 1))
        return field_refuse(err, ERR_VALUE, "$.least_gain", v,
                            "a number from 0 to 1: the share of its best metric by which the rest "
                            "of the search must be expected to better it; 0: it goes to its end");
    if (s->least_gain == 0)
        return 0;
    if (!(method_traits(s->method) & METHOD_MAY_END))
        return field_refuse(err, ERR_VALUE, "$.least_gain", v,
                            "0 with method %s: each part of it has a purpose of its own. random, "
                            "sobol, tpe, gp, cmaes and bohb may end before",
                            method_name(s->method));
    if (s->objectives.count > 0)
        return field_refuse(err, ERR_VALUE, "$.least_gain", v,
                            "0 with several objectives: it goes by the best of one metric");
    if (s->stop.promote)
        return field_refuse(err, ERR_VALUE, "$.least_gain", v,
                            "0 with early_terminate.promote: runs that wait to go on have not "
                            "shown what they come to");
    return 0;
}

void spec_gain_write(const struct spec *s, struct json_writer *w)
{
    if (s->least_gain > 0 && method_traits(s->method) & METHOD_MAY_END)
        jw_kv_real(w, "least_gain", s->least_gain);
}
