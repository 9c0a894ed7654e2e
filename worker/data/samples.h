/* Samples ready to train on: read-only views into a mapped cache file. */
#ifndef WORKER_DATA_SAMPLES_H
#define WORKER_DATA_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#define SAMPLES_MAX ((size_t)UINT32_MAX)
#define SAMPLES_FEATURES_MAX ((size_t)1 << 24)
#define SAMPLES_CLASSES_MAX 1000

enum samples_type {
    SAMPLES_U8 = 1,  /* bytes that stand for 0..1: trained on as value / 255 */
    SAMPLES_F32 = 2, /* floats as they are */
};

struct samples {
    enum samples_type type;
    size_t count, features, classes;
    const void *values;     /* [count, features] */
    const uint16_t *labels; /* [count], each < classes */
    char hash[65];          /* content hash */
    void *map;              /* the mapping, NULL for the caller's memory */
    size_t map_bytes;
};

static inline size_t samples_value_bytes(enum samples_type type)
{
    return type == SAMPLES_U8 ? 1 : 4;
}

void samples_finish(struct samples *s);
/* Rows index[0..n) as floats into out[n, features]. fill, unless NULL: stands in for what is not
 * finite, by column. */
void samples_gather(const struct samples *s, const uint32_t *index, size_t n, const float *fill,
                    float *out, uint16_t *labels);

#endif
