#include "client/client.h"

int cmd_cancel(struct client *c)
{
    bool one_run = opts_has(&c->opts, OPTION_RUN);
    if (one_run == (c->opts.arg != NULL))
        return client_usage(c, "cancel needs either SWEEP or --run RUN");
    if (one_run)
        return client_change(c, "cancel", "run", c->opts.number[OPTION_RUN], "cancelled");
    return client_change(c, "cancel", "sweep", c->opts.id, "cancelled");
}
