/* Which samples are trained on and which are held out. */
#ifndef WORKER_DATA_SPLIT_H
#define WORKER_DATA_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/spec.h"
#include "worker/data/samples.h"

struct errbuf;

struct split {
    uint32_t *train, *validation; /* row numbers, ascending */
    size_t train_count, validation_count;
    float *fill;                  /* [features]; on_nan impute: what stands in for a hole */
};

/* limit, then (on_nan drop) rows without a hole only, then `validation` of a permutation drawn
 * from stream RNG_SPLIT of seed. ERR_DATA when nothing would be left to train on. */
int split_init(struct split *p, const struct samples *s, const struct spec_data *d, uint64_t seed,
               struct errbuf *err);
void split_finish(struct split *p);

#endif
