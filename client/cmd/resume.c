#include "client/client.h"
#include "client/outlook.h"

int cmd_resume(struct client *c)
{
    int status = client_change(c, "resume", "sweep", c->opts.id, "resumed");
    if (status == CLIENT_DONE)
        outlook_say_waiting(c);
    return status;
}
