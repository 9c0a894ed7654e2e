#include "sweep/shape.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "sweep/err.h"
#include "sweep/json.h"

const char *shape_format(const struct shape *s, char out[SHAPE_TEXT_MAX])
{
    int at = snprintf(out, SHAPE_TEXT_MAX, "[");
    for (size_t i = 0; i < s->rank; i++)
        at += snprintf(out + at, SHAPE_TEXT_MAX - (size_t)at, i > 0 ? ", %zu" : "%zu", s->dim[i]);
    snprintf(out + at, SHAPE_TEXT_MAX - (size_t)at, "]");
    return out;
}

int shape_parse(const char *text, struct shape *out)
{
    struct shape s = {0};
    struct json *list = json_parse(text, strlen(text), NULL);
    const struct json *v = list ? json_first(list) : NULL;
    int64_t dim;
    for (; v && s.rank < SHAPE_RANK_MAX; v = json_next(v)) {
        if (json_int64(v, &dim) != 0 || dim < 1 || dim > (int64_t)SHAPE_DIM_MAX ||
            shape_count(&s) > SIZE_MAX / SHAPE_DIM_MAX)
            break;
        s.dim[s.rank++] = (size_t)dim;
    }
    json_destroy(list);
    if (v || s.rank == 0)
        return ERR_DATA;
    *out = s;
    return 0;
}
