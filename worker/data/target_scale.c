#include "worker/data/target_scale.h"

#include <math.h>

#include "sweep/buf.h"

/* Targets that are the same quantity lie so far apart in a sample: those of its steps. */
static size_t different(const struct samples *s)
{
    size_t steps = s->shape.rank == 2 ? s->shape.dim[0] : 1;
    return s->outputs % steps == 0 ? s->outputs / steps : s->outputs;
}

/* Two passes: mean, then squared distances from it. */
static void fit_target(const struct samples *s, const uint32_t *row, size_t count, size_t k,
                       double *mean, double *unit)
{
    size_t stride = different(s), n = 0;
    double sum = 0, square = 0;
    for (size_t i = 0; i < count; i++) {
        const float *y = s->targets + (size_t)row[i] * s->outputs;
        for (size_t j = k; j < s->outputs; j += stride, n++)
            sum += (double)y[j];
    }
    *mean = sum / (double)n;
    for (size_t i = 0; i < count; i++) {
        const float *y = s->targets + (size_t)row[i] * s->outputs;
        for (size_t j = k; j < s->outputs; j += stride)
            square += ((double)y[j] - *mean) * ((double)y[j] - *mean);
    }
    *unit = sqrt(square / (double)n);
    /* Of equal numbers the mean may be off by a rounding. */
    if (*unit <= fabs(*mean) * 1e-12 || !isfinite(*unit))
        *unit = 1;
}

void target_scale_fit(struct scaling *out, const struct samples *s, const uint32_t *row,
                      size_t count)
{
    out->target_shift = xmalloc(s->outputs * sizeof *out->target_shift);
    out->target_unit = xmalloc(s->outputs * sizeof *out->target_unit);
    for (size_t k = 0; k < s->outputs; k++) {
        if (k >= different(s)) {
            out->target_shift[k] = out->target_shift[k - different(s)];
            out->target_unit[k] = out->target_unit[k - different(s)];
            continue;
        }
        fit_target(s, row, count, k, &out->target_shift[k], &out->target_unit[k]);
    }
}
