/* Stored labels computed again by the rules of this version: rows in, rows out. Pure. */
#ifndef SWEEPD_RELABELLING_H
#define SWEEPD_RELABELLING_H

#include <stdint.h>

#include "daemon/causes/labelling.h"

#define RELABELLING_NEIGHBOURS SIBLINGS_MAX /* that a window has on each side of its runs */

/* How far it is, and what came of it so far. */
struct relabelling {
    int64_t only;             /* one sweep; 0: all that have ended */
    int64_t sweep_id, number; /* where the next window begins; 0, 0 at first */
    int64_t looked, changed;  /* runs; changed: in anything but the version */
    int64_t moved[PATTERN_COUNT][PATTERN_COUNT]; /* from, to */
};

/* Labels the runs of the window and moves r behind them. To out go the labels that are others now,
 * or of an older version, and the outcomes of the treatments that hang on them. What makes no sense
 * is left as it is: a run with its label, a spec or data facts with the whole sweep. */
void relabelling_step(struct relabelling *r, const struct relabel_window *w, utc_us now,
                       struct store_batch *out);

#endif
