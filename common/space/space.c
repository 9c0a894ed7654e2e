#include "sweep/space.h"

void space_at(const struct space *s, const double *u, struct assignment *out)
{
    *out = (struct assignment){{0}};
    for (size_t i = 0; i < s->count; i++)
        out->v[i] = dimension_value(&s->dimensions[i], u[i]);
    space_complete(s, out);
}
