/* The text of a specification, as people hand it in: JSON, YAML, a sweep file of W&B's. */
#ifndef SWEEPCTL_SPEC_INPUT_H
#define SWEEPCTL_SPEC_INPUT_H

#include "sweep/buf.h"

struct errbuf;

/* text becomes our JSON. file: its name in messages. notes: lines of what is not the same as in
 * the text. 0, or ERR_PARSE, ERR_VALUE … with what is wrong and where. */
int spec_input_read(struct buf *text, const char *file, struct buf *notes, struct errbuf *err);
/* The params of `submit` for it: with that id, or (NULL) as a dry run. Of a program it goes with
 * our folder and environment; notes: what of these cannot. The caller frees. */
char *spec_input_params(const struct buf *text, const char *id, struct buf *notes);

#endif
