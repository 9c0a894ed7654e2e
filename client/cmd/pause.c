#include "client/client.h"

int cmd_pause(struct client *c)
{
    return client_change(c, "pause", "sweep", c->opts.id, "paused");
}
