/* A submit whose answer does not come is either a sweep or not, and the daemon knows which. */
#ifndef SWEEPCTL_SUBMIT_FATE_H
#define SWEEPCTL_SUBMIT_FATE_H

#include "client/client.h"

#define SUBMIT_ID_MAX 65

/* An id of our own, that no other submit has. */
void submit_fate_id(char out[SUBMIT_ID_MAX]);
/* From here on Ctrl-C ends the call under way, not the program; and back. */
void submit_fate_begin(struct client *c);
void submit_fate_end(struct client *c);
/* What became of it, said on stderr: asked of the daemon on a connection of its own. */
void submit_fate_say(struct client *c, const char *id);

#endif
