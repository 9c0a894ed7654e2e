/* The shape of one sample: [features], [steps, features] or [channels, height, width], rows of
 * the last dimension contiguous. */
#ifndef SWEEP_SHAPE_H
#define SWEEP_SHAPE_H

#include <stddef.h>

#define SHAPE_RANK_MAX 3
#define SHAPE_TEXT_MAX 80

struct shape {
    size_t rank, dim[SHAPE_RANK_MAX];
};

/* Numbers in it. */
static inline size_t shape_count(const struct shape *s)
{
    size_t count = 1;
    for (size_t i = 0; i < s->rank; i++)
        count *= s->dim[i];
    return count;
}

/* Reads what shape_format writes, each number from 1 to SHAPE_DIM_MAX. 0 or ERR_DATA. */
#define SHAPE_DIM_MAX ((size_t)1 << 24)
int shape_parse(const char *text, struct shape *out);
/* "[16, 14, 14]"; returns out */
const char *shape_format(const struct shape *s, char out[SHAPE_TEXT_MAX]);

#endif
