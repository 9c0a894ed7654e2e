#include "client/plot/scale.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/plot/study.h"
#include "sweep/buf.h"

#define FAR_SPREADS 4.0 /* beyond the middle half by so many times its width: far worse */
#define MAGNITUDES 30.0 /* the highest so many times the lowest: a logarithmic axis */
#define PAD 0.04        /* of the axis, on both sides */
#define CHOICE_BYTES 24

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The finite ones in order; the caller frees. */
static double *finite_sorted(const double *values, size_t count, size_t *out)
{
    double *v = xmalloc((count + 1) * sizeof *v);
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        if (isfinite(values[i]))
            v[n++] = values[i];
    qsort(v, n, sizeof *v, ascending);
    *out = n;
    return v;
}

/* A little air on both sides, and never an axis of no length. */
static void set_range(struct scale *s, double low, double high)
{
    if (s->logarithmic) {
        double pad = high > low ? PAD * log(high / low) : log(2);
        s->low = low * exp(-pad);
        s->high = high * exp(pad);
    } else {
        double pad = high > low ? PAD * (high - low) : fmax(fabs(low) * 0.1, 1e-6);
        s->low = low - pad;
        s->high = high + pad;
    }
    if (!isfinite(s->low) || !isfinite(s->high) || !(s->low < s->high) ||
        (s->logarithmic && s->low <= 0)) {
        s->logarithmic = false;
        s->low = fmax(low, -1e300);
        s->high = fmin(fmax(high, s->low + fmax(1, fabs(s->low) * 0.1)), 1e300);
    }
}

static void set_over(struct scale *s, const double *sorted, size_t n, bool logarithmic)
{
    s->choices = NULL;
    s->logarithmic = logarithmic && n > 0 && sorted[0] > 0;
    if (n == 0) {
        s->low = 0;
        s->high = 1;
    } else {
        set_range(s, sorted[0], sorted[n - 1]);
    }
}

void scale_over(struct scale *s, const double *values, size_t count, bool logarithmic)
{
    size_t n;
    double *sorted = finite_sorted(values, count, &n);
    set_over(s, sorted, n, logarithmic);
    free(sorted);
}

size_t scale_over_metric(struct scale *s, const double *values, size_t count, bool maximize)
{
    size_t n, first = 0;
    double *sorted = finite_sorted(values, count, &n);
    size_t last = n;
    if (n >= 8) {
        double low = sorted[n / 4], high = sorted[n - 1 - n / 4];
        double reach = FAR_SPREADS * fmax(high - low, fabs(high) * 1e-3);
        while (!maximize && last > n / 2 + 1 && sorted[last - 1] > high + reach)
            last--;
        while (maximize && first < n / 2 && sorted[first] < low - reach)
            first++;
    }
    bool wide = last > first && sorted[first] > 0 && sorted[last - 1] / sorted[first] > MAGNITUDES;
    set_over(s, sorted + first, last - first, wide);
    free(sorted);
    return n - (last - first);
}

void scale_over_parameter(struct scale *s, const struct study_parameter *p, const double *values,
                          size_t count)
{
    if (p->choice_count == 0) {
        scale_over(s, values, count, p->logarithmic);
        return;
    }
    s->logarithmic = false;
    s->choices = p;
    s->low = -0.5;
    s->high = (double)p->choice_count - 0.5;
}

double scale_at(const struct scale *s, double value)
{
    if (!isfinite(value))
        return NAN;
    double v = fmax(s->low, fmin(s->high, value));
    double u = s->logarithmic ? log(v / s->low) / log(s->high / s->low)
                              : v / (s->high - s->low) - s->low / (s->high - s->low);
    return s->from + u * (s->to - s->from);
}

static size_t choice_ticks(const struct scale *s, double out[SCALE_TICKS_MAX])
{
    size_t n = s->choices->choice_count, step = (n + SCALE_TICKS_MAX - 1) / SCALE_TICKS_MAX;
    size_t count = 0;
    for (size_t i = 0; i < n; i += step)
        out[count++] = (double)i;
    return count;
}

static size_t linear_ticks(const struct scale *s, size_t wanted, double out[SCALE_TICKS_MAX])
{
    double raw = (s->high - s->low) / (double)wanted;
    double unit = pow(10, floor(log10(raw)));
    double step = unit * (raw / unit > 5 ? 10 : raw / unit > 2 ? 5 : raw / unit > 1 ? 2 : 1);
    size_t count = 0;
    if (!isfinite(step) || step <= 0)
        return 0;
    for (double k = ceil(s->low / step); count < SCALE_TICKS_MAX && k * step <= s->high; k++)
        out[count++] = k == 0 ? 0 : k * step;
    return count;
}

/* Powers of ten; where there are fewer than two of them, 2 and 5 between. */
static size_t log_ticks(const struct scale *s, size_t wanted, double out[SCALE_TICKS_MAX])
{
    static const double parts[] = {1, 2, 5};
    int first = (int)floor(log10(s->low)), last = (int)ceil(log10(s->high));
    int step = (last - first + (int)wanted - 1) / (int)wanted;
    bool fine = last - first <= 2;
    size_t count = 0;
    step = step < 1 ? 1 : step;
    for (int e = first; e <= last; e += step) {
        for (size_t k = 0; k < (fine ? 3 : 1); k++) {
            double v = parts[k] * pow(10, e);
            if (v >= s->low && v <= s->high && count < SCALE_TICKS_MAX)
                out[count++] = v;
        }
    }
    return count;
}

size_t scale_ticks(const struct scale *s, size_t wanted, double out[SCALE_TICKS_MAX])
{
    if (s->choices != NULL)
        return choice_ticks(s, out);
    size_t n = s->logarithmic ? log_ticks(s, wanted, out) : 0;
    return n >= 2 ? n : linear_ticks(s, wanted, out);
}

const char *scale_text(const struct scale *s, double value, char *out)
{
    if (s->choices == NULL || !(value >= 0) || value >= (double)s->choices->choice_count)
        return human_number(value, out);
    const char *name = s->choices->choices[(size_t)value];
    str_copy(out, strlen(name) >= CHOICE_BYTES ? CHOICE_BYTES : HUMAN_MAX, name);
    if (strlen(name) >= CHOICE_BYTES)
        strncat(out, "…", HUMAN_MAX - strlen(out) - 1);
    return out;
}
