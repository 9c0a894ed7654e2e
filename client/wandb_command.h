/* The words of a sweep's program, as W&B's files have them. */
#ifndef SWEEPCTL_WANDB_COMMAND_H
#define SWEEPCTL_WANDB_COMMAND_H

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"

/* A list of words, of the file's command and program. notes: what becomes something else, a
 * sentence a line. 0 or an error that names the key. */
int wandb_put_command(const struct json *spec, struct json_writer *w, struct buf *notes,
                      struct errbuf *err);

#endif
