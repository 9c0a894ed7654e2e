#include "worker/data/split.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/rng.h"

static bool row_finite(const struct samples *s, size_t row)
{
    const float *x = (const float *)s->values + row * s->features;
    for (size_t j = 0; j < s->features; j++) {
        if (!isfinite(x[j]))
            return false;
    }
    return true;
}

/* Row numbers in use, in the order of the file. */
static size_t usable_rows(const struct samples *s, const struct spec_data *d, uint32_t *rows)
{
    size_t used = d->limit > 0 ? (size_t)d->limit : s->count;
    bool drop = d->on_nan == ON_NAN_DROP && s->type == SAMPLES_F32;
    size_t count = 0;
    for (size_t i = 0; i < used; i++) {
        if (!drop || row_finite(s, i))
            rows[count++] = (uint32_t)i;
    }
    return count;
}

/* Mean of the finite values of each column over the training rows; 0 where there is none. */
static float *column_means(const struct samples *s, const uint32_t *rows, size_t count)
{
    const float *x = s->values;
    double *sum = xcalloc(s->features, sizeof *sum);
    uint32_t *finite = xcalloc(s->features, sizeof *finite);
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < s->features; j++) {
            float v = x[(size_t)rows[i] * s->features + j];
            sum[j] += isfinite(v) ? (double)v : 0;
            finite[j] += isfinite(v) ? 1 : 0;
        }
    }
    float *mean = xcalloc(s->features, sizeof *mean);
    for (size_t j = 0; j < s->features; j++)
        mean[j] = finite[j] ? (float)(sum[j] / finite[j]) : 0;
    free(sum);
    free(finite);
    return mean;
}

/* Deals rows[0..count) out, ascending: a permutation picks who is held out, a mark remembers. */
static void deal(struct split *p, const uint32_t *rows, size_t count, uint64_t seed)
{
    struct rng r;
    uint32_t *order = xmalloc(count * sizeof *order);
    bool *held = xcalloc(count, sizeof *held);
    for (size_t i = 0; i < count; i++)
        order[i] = (uint32_t)i;
    rng_init(&r, seed, RNG_SPLIT, 0);
    rng_shuffle(&r, order, count);
    for (size_t i = 0; i < p->validation_count; i++)
        held[order[i]] = true;
    size_t train = 0, validation = 0;
    for (size_t i = 0; i < count; i++) {
        if (held[i])
            p->validation[validation++] = rows[i];
        else
            p->train[train++] = rows[i];
    }
    free(order);
    free(held);
}

int split_init(struct split *p, const struct samples *s, const struct spec_data *d, uint64_t seed,
               struct errbuf *err)
{
    size_t most = d->limit > 0 ? (size_t)d->limit : s->count;
    if (most > s->count || d->validation < 0)
        return err_set(err, ERR_DATA, "limit %zu of %zu samples", most, s->count);
    uint32_t *rows = xmalloc(most * sizeof *rows);
    size_t count = usable_rows(s, d, rows);
    if ((size_t)d->validation >= count) {
        free(rows);
        return err_set(err, ERR_DATA, "%zu samples are left and %lld of them are held out: "
                       "nothing to train on", count, (long long)d->validation);
    }
    memset(p, 0, sizeof *p);
    p->validation_count = (size_t)d->validation;
    p->train_count = count - p->validation_count;
    p->train = xmalloc(p->train_count * sizeof *p->train);
    p->validation = xmalloc((p->validation_count + 1) * sizeof *p->validation);
    deal(p, rows, count, seed);
    free(rows);
    if (d->on_nan == ON_NAN_IMPUTE && s->type == SAMPLES_F32)
        p->fill = column_means(s, p->train, p->train_count);
    return 0;
}

void split_finish(struct split *p)
{
    free(p->train);
    free(p->validation);
    free(p->fill);
    memset(p, 0, sizeof *p);
}
