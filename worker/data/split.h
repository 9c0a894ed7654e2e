/* Which samples are trained on and which are held out, and the scaling fitted on the former. */
#ifndef WORKER_DATA_SPLIT_H
#define WORKER_DATA_SPLIT_H

#include <stddef.h>
#include <stdint.h>

#include "sweep/setting.h"
#include "worker/data/samples.h"

struct errbuf;

struct split {
    uint32_t *train, *validation, *test; /* row numbers, ascending */
    size_t train_count, validation_count, test_count;
    struct scaling scaling;
};

/* limit of the training file's rows, then (on_nan drop) rows without a hole only, then
 * `validation` of a permutation drawn from stream RNG_SPLIT of seed — of each class its share
 * (largest remainders) with data.stratify, one of each staying to be trained on where the others
 * have enough; not for labels of steps — unless there is a validation file. The test part is the
 * test file's rows. Rows with a hole are left out of files of their own as well, or filled with
 * what the training part says (on_nan impute: the column's mean). ERR_DATA when nothing would be
 * left to train on or, of a validation file, to validate with. */
int split_init(struct split *p, const struct samples *s, const struct settings *settings,
               uint64_t seed, struct errbuf *err);
void split_finish(struct split *p);

#endif
