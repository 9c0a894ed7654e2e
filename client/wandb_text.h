/* A value as W&B's agent puts it on a command line: by Python's str(). */
#ifndef SWEEPCTL_WANDB_TEXT_H
#define SWEEPCTL_WANDB_TEXT_H

#include "sweep/buf.h"
#include "sweep/json.h"

void wandb_text(const struct json *v, struct buf *out);

#endif
