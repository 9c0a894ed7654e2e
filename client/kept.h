/* Which runs have kept their weights. */
#ifndef SWEEPCTL_KEPT_H
#define SWEEPCTL_KEPT_H

#include "client/client.h"

/* The weights file of a reply to method "run", borrowed from it. Else it is said who has some. */
int kept_weights(struct client *c, const struct json *reply, const char **out);

#endif
