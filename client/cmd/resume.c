#include "client/client.h"

int cmd_resume(struct client *c)
{
    return client_change(c, "resume", "sweep", c->opts.id, "resumed");
}
