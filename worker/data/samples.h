/* Samples ready to train on: read-only views into a mapped cache file. */
#ifndef WORKER_DATA_SAMPLES_H
#define WORKER_DATA_SAMPLES_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/shape.h"

#define SAMPLES_MAX ((size_t)UINT32_MAX)
#define SAMPLES_FEATURES_MAX ((size_t)1 << 24)
#define SAMPLES_CLASSES_MAX 1000
#define SAMPLES_OUTPUTS_MAX ((size_t)1 << 20)

enum samples_type {
    SAMPLES_U8 = 1,  /* bytes that stand for 0..1: trained on as value / 255 */
    SAMPLES_F32 = 2, /* floats as they are */
};

/* Rows of the training file come first, then those of a validation file, then of a test file. */
enum samples_part { PART_TRAIN, PART_VALIDATION, PART_TEST, PART_COUNT };

#define SAMPLES_FILE_MAX 64 /* bytes of a name; a longer one is cut */

struct samples {
    enum samples_type type;
    size_t count;             /* of all parts */
    size_t parts[PART_COUNT]; /* rows of each; 0: there is no such file */
    struct shape shape;       /* of one sample */
    size_t features;          /* shape_count(shape) */
    size_t classes;           /* 0: regression */
    size_t outputs;           /* targets or labels of a sample (more than 1 label: its steps) */
    const void *values;       /* [count, features] */
    const uint16_t *labels;   /* [count, outputs], each < classes; NULL for a regression */
    const float *targets;     /* [count, outputs]; NULL when classifying */
    char hash[65];            /* content hash */
    char file[PART_COUNT][SAMPLES_FILE_MAX]; /* names of the parts' files, without their folders;
                                                "": beside the training part; for messages */
    char *schema;             /* what columns and classes are called (schema.h); NULL; owned */
    void *map;                /* the mapping, NULL for the caller's memory */
    size_t map_bytes;
};

/* What is done to the features of every row that is gathered; fitted on the training part, over
 * its finite values. Bytes are scaled as the 0..1 that they stand for.
 *
 * A feature is a column of vectors, a number of each step of sequences (over all steps), a channel
 * of images. One that is constant in the training part has scale 0 and becomes 0 everywhere, which
 * says as little as it did before. */
struct scaling {
    float *fill;          /* [features] instead of what is not finite; NULL: left as it is */
    float *shift, *scale; /* [features]: (x - shift) · scale, after fill; NULL: none */
    double *target_shift, *target_unit; /* [outputs]: (y - shift) / unit; NULL: as they are */
};

static inline size_t samples_value_bytes(enum samples_type type)
{
    return type == SAMPLES_U8 ? 1 : 4;
}

void samples_finish(struct samples *s);
/* One row's features as floats into out[features]. scaling may be NULL, here and below. */
void samples_row(const struct samples *s, size_t row, const struct scaling *scaling, float *out);
/* Rows index[0..n) as floats into out[n, features]; their labels or targets into labels or
 * targets, [n, outputs], whichever the samples have. */
void samples_gather(const struct samples *s, const uint32_t *index, size_t n,
                    const struct scaling *scaling, float *out, uint16_t *labels, float *targets);

#endif
