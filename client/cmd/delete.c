#include "client/client.h"

int cmd_delete(struct client *c)
{
    return client_change(c, "delete", "sweep", c->opts.id, "deleted");
}
