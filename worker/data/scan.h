/* Looks for what a person must see before training starts (G3.1). */
#ifndef WORKER_DATA_SCAN_H
#define WORKER_DATA_SCAN_H

#include "sweep/record.h"
#include "worker/data/samples.h"

/* Positions listed of each kind; the count that goes with them is of all. */
#define SCAN_POSITIONS_MAX 32

/* Appends nan_in_input and inf_in_input findings; bytes have none. */
void scan_samples(const struct samples *s, struct record_prepared *out);

#endif
