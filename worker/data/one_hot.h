/* Targets that are one-hot: labels, as Keras wants them. */
#ifndef WORKER_DATA_ONE_HOT_H
#define WORKER_DATA_ONE_HOT_H

#include "worker/data/table.h"

/* Where all parts that there are have targets of [samples, classes], each row with a single 1 among
 * zeros, they become the number of that column, which the training part's notes say. Not for
 * sequences with as many steps. */
void one_hot_unfold(struct table tables[PART_COUNT]);

#endif
