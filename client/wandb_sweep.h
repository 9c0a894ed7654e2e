/* A sweep as W&B's files have it, as a specification of ours: program and command become the task,
 * what is called otherwise is renamed, and what cannot be honoured is said. */
#ifndef SWEEPCTL_WANDB_SWEEP_H
#define SWEEPCTL_WANDB_SWEEP_H

#include <stdbool.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

/* It has a program or a command of its own, or what only their files have, and no task. */
bool wandb_sweep_is(const struct json *spec);
/* text: that spec was read from; what it says stays on its line. notes: a sentence a line. 0 or an
 * error that names the key. */
int wandb_sweep_convert(const struct json *spec, const struct buf *text, struct buf *out,
                        struct buf *notes, struct errbuf *err);

#endif
