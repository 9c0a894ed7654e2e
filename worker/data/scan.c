#include "worker/data/scan.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>

#include "sweep/buf.h"
#include "worker/nn/real.h"

_Static_assert(2 * SCAN_POSITIONS_MAX <= RECORD_FINDINGS_MAX, "both kinds fit");

static bool is_nan(float x)
{
    return isnan(x);
}

static bool is_inf(float x)
{
    return isinf(x);
}

static const struct kind {
    const char *name, *text;
    bool (*is)(float x);
} kinds[] = {
    {"nan_in_input", "not a number", is_nan},
    {"inf_in_input", "infinite", is_inf},
};

/* x - x is 0 for what is finite, NaN for all else, so one sum tells whether a row is clean. */
static bool row_clean(const float *x, size_t n)
{
    real_lanes lanes = {0};
    size_t i = 0;
    for (; i + REAL_LANES <= n; i += REAL_LANES) {
        real_lanes v = *(const real_lanes *)(x + i);
        lanes += v - v;
    }
    float sum = 0;
    for (size_t j = 0; j < REAL_LANES; j++)
        sum += lanes[j];
    for (; i < n; i++)
        sum += x[i] - x[i];
    return sum == 0;
}

static void scan_row(const float *x, size_t n, size_t row, struct record_prepared *out,
                     int64_t *counts)
{
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
            if (!kinds[k].is(x[i]) || ++counts[k] > SCAN_POSITIONS_MAX)
                continue;
            struct record_finding *f = &out->findings[out->finding_count++];
            str_copy(f->kind, sizeof f->kind, kinds[k].name);
            f->row = (int64_t)row + 1;
            f->column = (int64_t)i + 1;
            snprintf(f->text, sizeof f->text, "%s at row %zu, column %zu", kinds[k].text, row + 1,
                     i + 1);
        }
    }
}

void scan_samples(const struct samples *s, struct record_prepared *out)
{
    int64_t counts[sizeof kinds / sizeof *kinds] = {0};
    if (s->type != SAMPLES_F32)
        return;
    const float *x = s->values;
    for (size_t row = 0; row < s->count; row++) {
        if (!row_clean(x + row * s->features, s->features))
            scan_row(x + row * s->features, s->features, row, out, counts);
    }
    for (size_t i = 0; i < out->finding_count; i++) {
        struct record_finding *f = &out->findings[i];
        f->count = counts[f->kind[0] == 'n' ? 0 : 1];
    }
}
