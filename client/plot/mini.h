/* A run's curves as a small picture beside a line of a table. */
#ifndef SWEEPCTL_MINI_H
#define SWEEPCTL_MINI_H

#include "client/plot/study.h"
#include "client/plot/words.h"
#include "sweep/buf.h"

/* Validation loss solid, training loss dashed, on the bands of its label; head: what stands above
 * it. Nothing for a run without a curve. */
void plot_mini(const struct study_run *r, const char *head, enum language language,
               struct buf *out);

#endif
