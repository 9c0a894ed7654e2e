#include "common/label/series.h"

#include <float.h>
#include <math.h>
#include <string.h>

#include "sweep/stats.h"

size_t series_room(size_t count)
{
    return count + (count > SERIES_MAX ? SERIES_MAX : 0);
}

/* "NaN or Inf that stays" (G3): the last value is one, or two or more in a row end inside the
 * last 40 % of the curve. A single one that goes away is dropped (tag `recovered`). */
struct bad_run {
    size_t length, values, last_end;
    bool stays_last;
};

static void bad_run_add(struct bad_run *b, bool finite)
{
    b->values++;
    b->stays_last = !finite;
    b->length = finite ? 0 : b->length + 1;
    if (b->length >= 2)
        b->last_end = b->values;
}

static bool bad_run_stays(const struct bad_run *b)
{
    return b->stays_last || (b->last_end > 0 && b->last_end > b->values - 2 * b->values / 5);
}

static void collect(struct series *s, const struct diagnosis_input *in)
{
    struct bad_run bad = {0};
    double largest = 0;

    for (size_t i = 0; i < in->count; i++) {
        if (!point_has(&in->points[i], s->column))
            continue;
        double v = in->points[i].v[s->column];
        bad_run_add(&bad, isfinite(v));
        if (!isfinite(v))
            continue;
        s->raw[s->raw_count++] = v;
        largest = fabs(v) > largest ? fabs(v) : largest;
    }
    s->measured = bad.values > 0;
    s->lost = bad.values - s->raw_count;
    s->not_a_number = bad_run_stays(&bad);
    frexp(largest, &s->exponent);
}

static void scale(struct series *s)
{
    double factor = ldexp(1.0, -s->exponent);
    if (isnormal(factor)) {
        for (size_t i = 0; i < s->raw_count; i++)
            s->raw[i] *= factor;
    } else {
        for (size_t i = 0; i < s->raw_count; i++)
            s->raw[i] = ldexp(s->raw[i], -s->exponent);
    }
}

/* First raw value of bin i. */
static size_t bin_start(const struct series *s, size_t i)
{
    return (size_t)((double)i * (double)s->raw_count / (double)s->count);
}

static void condense(struct series *s, double *scratch)
{
    for (size_t i = 0; i < s->count; i++) {
        size_t from = bin_start(s, i), to = i + 1 < s->count ? bin_start(s, i + 1) : s->raw_count;
        memcpy(scratch, s->raw + from, (to - from) * sizeof(*scratch));
        s->y[i] = stats_median(scratch, to - from);
    }
}

void series_init(struct series *s, const struct diagnosis_input *in, enum curve_column column,
                 double *room, double *scratch)
{
    *s = (struct series){.column = column, .raw = room, .y = room};
    collect(s, in);
    scale(s);
    s->count = s->raw_count;
    if (s->raw_count > SERIES_MAX) {
        s->y = room + in->count;
        s->count = SERIES_MAX;
        condense(s, scratch);
    }
}

double series_value(const struct series *s, double scaled)
{
    double v = ldexp(scaled, s->exponent);
    return isnan(v) ? v : fmax(-DBL_MAX, fmin(DBL_MAX, v));
}

double series_epoch(const struct series *s, const struct diagnosis_input *in, size_t at)
{
    size_t want = s->count < s->raw_count ? (bin_start(s, at) + bin_start(s, at + 1)) / 2 : at;
    for (size_t i = 0, seen = 0; i < in->count; i++) {
        const struct point *p = &in->points[i];
        if (!point_has(p, s->column) || !isfinite(p->v[s->column]))
            continue;
        if (seen++ == want)
            return p->epoch;
    }
    return NAN;
}
