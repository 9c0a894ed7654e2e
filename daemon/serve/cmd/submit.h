/* What `treat` shares with `submit`. */
#ifndef SWEEPD_CMD_SUBMIT_H
#define SWEEPD_CMD_SUBMIT_H

#include "daemon/engine/engine.h"

struct request;
struct spec;

/* A sweep that begins with a treatment of a stored run. */
struct treat_submit {
    struct enqueued run;
    struct treatment treatment; /* what run.treatment points to */
    char data_hash[65];         /* of the data as it must still be; "": as it is */
};

/* Prepares the data, submits, and answers the request. Takes over what spec holds, and treat
 * (heap; NULL: an ordinary sweep). */
void submit_spec(struct request *r, struct spec *spec, struct treat_submit *treat);

#endif
