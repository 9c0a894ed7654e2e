#include "worker/optim/average.h"

#include <math.h>
#include <string.h>

void average_init(struct average *a, const struct settings *s, int64_t epochs, real *values)
{
    *a = (struct average){
        .kind = (enum average_kind)s->v[SETTING_AVERAGE],
        .decay = s->v[SETTING_AVERAGE_DECAY],
        .first_epoch = (int64_t)floor(s->v[SETTING_AVERAGE_START] * (double)epochs) + 1,
        .values = values,
    };
}

/* a += share·(w − a), as torch.lerp */
REAL_KERNEL
static void approach(size_t n, real share, const real *restrict w, real *restrict a)
{
    for (size_t i = 0; i < n; i++)
        a[i] += share * (w[i] - a[i]);
}

static void take(struct average *a, size_t n, double share, const real *weights)
{
    if (a->count++ == 0)
        memcpy(a->values, weights, n * sizeof *weights);
    else
        approach(n, (real)share, weights, a->values);
}

void average_step(struct average *a, size_t n, const real *weights)
{
    if (a->kind == AVERAGE_EMA)
        take(a, n, 1 - a->decay, weights);
}

void average_end_epoch(struct average *a, int64_t epoch, size_t n, const real *weights)
{
    if (a->kind == AVERAGE_SWA && epoch >= a->first_epoch)
        take(a, n, 1 / (double)(a->count + 1), weights);
}

void average_exchange(struct average *a, size_t n, real *weights)
{
    for (size_t i = 0; a->count > 0 && i < n; i++) {
        real w = weights[i];
        weights[i] = a->values[i];
        a->values[i] = w;
    }
}

const real *average_of(const struct average *a, const real *weights)
{
    return a->count > 0 ? a->values : weights;
}
