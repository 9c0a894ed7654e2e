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

struct problem {
    const char *error, *message, *key, *value, *allowed; /* borrowed from the reply */
};
/* One problem and where it is; line 0: it is not about a place in the spec. */
struct placed {
    struct problem problem;
    struct json_place at;
};
/* All of a refusal, in the order of the text. Their number, from 1; the caller frees *out. */
size_t problems_list(const struct spec_text *s, const struct rpc_reply *reply,
                     struct placed **out);
/* One line for each problem, "FILE:LINE:COLUMN: …", where the refusal is about the spec. Returns
 * CLIENT_REFUSED; the reply stays the caller's. */
int problems_fail(struct client *c, const struct spec_text *s, const struct rpc_reply *reply);

#endif
