/* A specification that was refused: all that is wrong with it, with line and column. */
#ifndef SWEEPCTL_PROBLEMS_H
#define SWEEPCTL_PROBLEMS_H

#include <stddef.h>

#include "client/client.h"

/* The text that was sent, and the name of the file that it comes from. */
struct spec_text {
    const char *file;
    const char *text;
    size_t len;
};

/* One line for each problem, "FILE:LINE:COLUMN: …", where the refusal is about the spec. Returns
 * CLIENT_REFUSED; the reply stays the caller's. */
int problems_fail(struct client *c, const struct spec_text *s, const struct rpc_reply *reply);

#endif
