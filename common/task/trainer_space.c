/* The settings of a trainer's spec as its space has them: swept, or fixed. */
#include <math.h>
#include <stdlib.h>

#include "sweep/buf.h"
#include "sweep/spec.h"
#include "sweep/trainer.h"

const struct dimension *spec_dimension(const struct spec *s, enum setting_id id)
{
    int i = space_find_key(&s->space, (int)id);

    return i >= 0 ? &s->space.dimensions[i] : NULL;
}

void spec_setting_range(const struct spec *s, enum setting_id id, double *low, double *high)
{
    const struct dimension *d = spec_dimension(s, id);

    *low = *high = s->trainer.fixed.v[id];
    if (!d)
        return;
    bool listed = d->distribution == DISTRIBUTION_CATEGORICAL;
    *low = listed ? d->values[0] : d->min;
    *high = listed ? d->values[0] : d->max;
    for (size_t i = 1; listed && i < d->value_count; i++) {
        *low = fmin(*low, d->values[i]);
        *high = fmax(*high, d->values[i]);
    }
    if (d->condition_count > 0) { /* where it is absent it has its default */
        *low = fmin(*low, s->trainer.fixed.v[id]);
        *high = fmax(*high, s->trainer.fixed.v[id]);
    }
}

bool spec_may_be(const struct spec *s, enum setting_id id, double value)
{
    const struct dimension *d = spec_dimension(s, id);

    return (d && dimension_takes(d, value)) ||
           ((!d || d->condition_count > 0) && s->trainer.fixed.v[id] == value);
}

/* Parameters of another task are no settings. */
void trainer_settings(const struct spec *s, const struct assignment *a, struct settings *out)
{
    *out = s->trainer.fixed;
    for (size_t i = 0; i < s->space.count; i++)
        if (s->space.dimensions[i].key >= 0 && space_has(a, i))
            out->v[s->space.dimensions[i].key] = a->v[i];
    settings_apply_preset(out);
}

void trainer_assignment(const struct spec *s, const struct settings *settings,
                        struct assignment *out)
{
    *out = (struct assignment){{0}};
    for (size_t i = 0; i < s->space.count; i++)
        out->v[i] = settings->v[s->space.dimensions[i].key];
    space_complete(&s->space, out);
}

struct trainer_config *trainer_config_share(struct trainer_config *c)
{
    if (c)
        atomic_fetch_add(&c->sharers, 1);
    return c;
}

void trainer_config_release(struct trainer_config *c)
{
    if (!c || atomic_fetch_sub(&c->sharers, 1) > 0)
        return;
    free(c->layers);
    free(c);
}
