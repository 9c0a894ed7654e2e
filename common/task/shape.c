#include "sweep/shape.h"

#include <stdio.h>

const char *shape_format(const struct shape *s, char out[SHAPE_TEXT_MAX])
{
    int at = snprintf(out, SHAPE_TEXT_MAX, "[");
    for (size_t i = 0; i < s->rank; i++)
        at += snprintf(out + at, SHAPE_TEXT_MAX - (size_t)at, i > 0 ? ", %zu" : "%zu", s->dim[i]);
    snprintf(out + at, SHAPE_TEXT_MAX - (size_t)at, "]");
    return out;
}
