/* What is said of a sweep file of W&B's while it becomes a specification. */
#ifndef SWEEPCTL_WANDB_NOTE_H
#define SWEEPCTL_WANDB_NOTE_H

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

/* A line of notes. */
void wandb_note(struct buf *notes, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* ERR_VALUE at that key, with what stands there; v: NULL where nothing does. */
int wandb_refuse(struct errbuf *err, const char *key, const struct json *v, const char *allowed);

#endif
