#include "worker/nn/mixup.h"

#include <string.h>

#include "sweep/rng.h"

double mixup_share(const struct mixup *m, uint64_t step)
{
    struct rng r;
    rng_init(&r, m->seed, RNG_MIXUP, step);
    return rng_beta(&r, m->alpha, m->alpha);
}

/* a and b become share·a + (1 − share)·b and the other way round. */
REAL_KERNEL
static void mix(size_t n, real share, real *restrict a, real *restrict b)
{
    for (size_t i = 0; i < n; i++) {
        real x = a[i], y = b[i];
        a[i] = share * x + (1 - share) * y;
        b[i] = share * y + (1 - share) * x;
    }
}

void mixup_input(double share, size_t rows, size_t features, real *input)
{
    for (size_t i = 0; i < rows / 2; i++)
        mix(features, (real)share, input + i * features, input + (rows - 1 - i) * features);
}

/* Blocks of `bytes` in the opposite order. */
static void mirror(size_t count, size_t bytes, const void *from, void *to)
{
    for (size_t i = 0; i < count; i++)
        memcpy((char *)to + i * bytes, (const char *)from + (count - 1 - i) * bytes, bytes);
}

static struct targets mirrored(const struct mixup *m, const struct loss *l,
                               const struct mixup_batch *b)
{
    const struct targets *t = b->targets;
    if (t->labels)
        mirror(b->rows, b->answers * sizeof *t->labels, t->labels, m->labels);
    else
        mirror(b->rows, b->answers * l->outputs * sizeof *t->values, t->values, m->values);
    return (struct targets){.labels = t->labels ? m->labels : NULL,
                            .values = t->labels ? NULL : m->values};
}

struct loss_sum mixup_loss(const struct mixup *m, const struct loss *l, double share,
                           const struct mixup_batch *b)
{
    size_t rows = b->rows * b->answers, count = rows * l->outputs;
    struct targets other = mirrored(m, l, b);
    struct loss_sum a = loss_compute(l, rows, b->z, b->targets, b->dz);
    struct loss_sum c = loss_compute(l, rows, b->z, &other, m->gradient);
    real own = (real)share, rest = 1 - own;
    for (size_t i = 0; i < count; i++)
        b->dz[i] = own * b->dz[i] + rest * m->gradient[i];
    a.correct = share >= 0.5 ? a.correct : c.correct; /* of the label that counts more */
    a.loss = share * a.loss + (1 - share) * c.loss;
    return a;
}
