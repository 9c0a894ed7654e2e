/* From the rows of earlier sweeps to what a sweep that is submitted knows of them (earlier.h).
 * Pure. */
#ifndef SWEEPD_WARM_H
#define SWEEPD_WARM_H

#include <stdint.h>

#include "daemon/engine/restored.h"

struct warm;

/* spec: of the sweep that is submitted; data_hash: of its data, "" where it has none. Both are
 * borrowed. */
struct warm *warm_create(const struct spec *spec, const char *data_hash);
void warm_destroy(struct warm *w);

/* All that was read of one earlier sweep; rows without it say that there is none: ERR_VALUE. */
int warm_add(struct warm *w, int64_t sweep_id, const struct store_restored *rows,
             struct errbuf *err);
/* The text to be frozen; owned by the caller. */
char *warm_text(struct warm *w);

#endif
