#include "worker/data/samples.h"

#include <float.h>
#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "worker/nn/real.h"

void samples_finish(struct samples *s)
{
    if (s->map)
        munmap(s->map, s->map_bytes);
    free(s->schema);
    memset(s, 0, sizeof *s);
}

REAL_KERNEL
static void scale_bytes(size_t n, const uint8_t *restrict x, float *restrict y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (float)x[i] * (1.0f / 255.0f);
}

REAL_KERNEL
static void fill_holes(size_t n, const float *restrict fill, float *restrict y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = fabsf(y[i]) <= FLT_MAX ? y[i] : fill[i];
}

/* Shuffled rows come from all over the file: ask for one some rows ahead. */
#define ROWS_AHEAD 4
static void prefetch_row(const struct samples *s, size_t row)
{
    size_t bytes = s->features * samples_value_bytes(s->type);
    const char *p = (const char *)s->values + row * bytes;
    for (size_t i = 0; i < bytes && i < 1024; i += 64)
        __builtin_prefetch(p + i);
}

REAL_KERNEL
static void scale_row(size_t n, const float *restrict shift, const float *restrict scale,
                      float *restrict y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = (y[i] - shift[i]) * scale[i];
}

void samples_row(const struct samples *s, size_t row, const struct scaling *scaling, float *out)
{
    size_t width = s->features;
    if (s->type == SAMPLES_U8)
        scale_bytes(width, (const uint8_t *)s->values + row * width, out);
    else
        memcpy(out, (const float *)s->values + row * width, width * sizeof *out);
    if (!scaling)
        return;
    if (scaling->fill)
        fill_holes(width, scaling->fill, out);
    if (scaling->shift)
        scale_row(width, scaling->shift, scaling->scale, out);
}

static void scale_targets(size_t n, const struct scaling *scaling, float *y)
{
    for (size_t k = 0; k < n; k++)
        y[k] = (float)(((double)y[k] - scaling->target_shift[k]) / scaling->target_unit[k]);
}

static void gather_targets(const struct samples *s, const uint32_t *index, size_t n,
                           const struct scaling *scaling, uint16_t *labels, float *targets)
{
    size_t width = s->outputs;
    bool scaled = scaling && scaling->target_shift;
    for (size_t i = 0; i < n; i++) {
        size_t row = index[i];
        if (s->labels && width == 1)
            labels[i] = s->labels[row];
        else if (s->labels)
            memcpy(labels + i * width, s->labels + row * width, width * sizeof *labels);
        else
            memcpy(targets + i * width, s->targets + row * width, width * sizeof *targets);
        if (scaled && !s->labels)
            scale_targets(width, scaling, targets + i * width);
    }
}

void samples_gather(const struct samples *s, const uint32_t *index, size_t n,
                    const struct scaling *scaling, float *out, uint16_t *labels, float *targets)
{
    for (size_t i = 0; i < n; i++) {
        if (i + ROWS_AHEAD < n)
            prefetch_row(s, index[i + ROWS_AHEAD]);
        samples_row(s, index[i], scaling, out + i * s->features);
    }
    gather_targets(s, index, n, scaling, labels, targets);
}
