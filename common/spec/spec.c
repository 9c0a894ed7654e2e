#include "sweep/spec.h"

#include <math.h>
#include <stdlib.h>

#include "common/base/field.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

/* Every setting may be swept at once. */
_Static_assert((int)SETTING_COUNT <= SPEC_MAX_DIMENSIONS, "room for all settings");

const char *method_name(enum method m)
{
    static const char *const names[] = {
#define X(id, name, doc) [METHOD_##id] = name,
        METHOD_MAP(X)
#undef X
    };

    REQUIRE((unsigned)m < METHOD_COUNT);
    return names[m];
}

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

void spec_finish(struct spec *s)
{
    for (size_t i = 0; i < s->dimension_count; i++) {
        free(s->dimensions[i].values);
        s->dimensions[i].values = NULL;
    }
    s->dimension_count = 0;
}

const struct dimension *spec_dimension(const struct spec *s, enum setting_id id)
{
    for (size_t i = 0; i < s->dimension_count; i++)
        if (s->dimensions[i].setting == id)
            return &s->dimensions[i];
    return NULL;
}

void spec_setting_range(const struct spec *s, enum setting_id id, double *low, double *high)
{
    const struct dimension *d = spec_dimension(s, id);

    *low = *high = s->fixed.v[id];
    if (!d)
        return;
    bool listed = d->distribution == DISTRIBUTION_CATEGORICAL;
    *low = listed ? d->values[0] : d->min;
    *high = listed ? d->values[0] : d->max;
    for (size_t i = 1; listed && i < d->value_count; i++) {
        *low = fmin(*low, d->values[i]);
        *high = fmax(*high, d->values[i]);
    }
}

bool spec_may_be(const struct spec *s, enum setting_id id, double value)
{
    const struct dimension *d = spec_dimension(s, id);

    if (!d)
        return s->fixed.v[id] == value;
    for (size_t i = 0; i < d->value_count; i++)
        if (d->values[i] == value)
            return true;
    return false;
}

/* --- the swept parameters of one configuration -------------------------------------------- */

void spec_params_write(const struct spec *s, const struct settings *config, struct json_writer *w)
{
    jw_begin_object(w);
    for (size_t i = 0; i < s->dimension_count; i++) {
        const struct dimension *d = &s->dimensions[i];
        jw_key(w, d->name);
        setting_to_json(d->setting, config->v[d->setting], w);
    }
    jw_end_object(w);
}

int spec_params_parse(const struct spec *s, const struct json *params, struct settings *out,
                      struct errbuf *err)
{
    const char *names[SPEC_MAX_DIMENSIONS];
    struct settings fresh = s->fixed;
    char path[FIELD_PATH_MAX];
    int rc;

    for (size_t i = 0; i < s->dimension_count; i++)
        names[i] = s->dimensions[i].name;
    rc = field_object(params, "$", names, s->dimension_count, err);
    if (rc)
        return rc;
    for (size_t i = 0; i < s->dimension_count; i++) {
        enum setting_id id = s->dimensions[i].setting;
        const struct json *v = json_get(params, names[i]);
        if (!v)
            return field_missing(err, "$", names[i], "a value of every swept parameter");
        field_path(path, "$", names[i]);
        rc = setting_from_json(id, v, path, &fresh.v[id], err);
        if (rc)
            return rc;
    }
    *out = fresh;
    return 0;
}
