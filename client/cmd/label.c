#include "client/client.h"
#include "client/label.h"

int cmd_label(struct client *c)
{
    struct errbuf err;
    int rc = label_file(c->opts.arg, c->json, c->out, &err);
    if (rc == 0)
        return CLIENT_DONE;
    /* No daemon is asked: a file that cannot be read is a wrong argument, a bad one is refused. */
    return client_fail(c, rc == ERR_IO ? CLIENT_USAGE : CLIENT_REFUSED, &err);
}
