/* A sweep over a program of one's own, as it goes to the daemon: with what only we know, who submit
 * it: the folder that we are in and our environment. */
#ifndef SWEEPCTL_PROGRAM_SPEC_H
#define SWEEPCTL_PROGRAM_SPEC_H

#include <stdbool.h>

#include "sweep/buf.h"
#include "sweep/json.h"

/* Where the specification has a task "command" that does not say its directory or
 * base_environment, *out gets the specification with ours, and *said, where it is not empty, a
 * sentence of what could not be handed on. False: there is nothing to add. */
bool program_spec_fill(const struct json *spec, struct buf *out, struct buf *said);

/* Is there a program of that name? */
bool program_in_path(const char *name);

#endif
