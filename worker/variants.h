/* Whether every run that a sweep may start fits its data, its network the memory, and the weights
 * it starts with the network: said at submit, not by a run that fails at night. */
#ifndef WORKER_VARIANTS_H
#define WORKER_VARIANTS_H

#include "sweep/run_config.h"
#include "worker/data/samples.h"
#include "worker/data/split.h"

struct errbuf;

/* config's own run first, then those that the sweep's settings of size and shape make: all of
 * them where they are few, else the smallest, the largest and each value by itself. sweep: NULL
 * for a single run. The message ends with the settings of the run that would fail. */
int variants_check(const struct run_config *config, const struct spec *sweep,
                   const struct samples *samples, const struct split *split, struct errbuf *err);

#endif
