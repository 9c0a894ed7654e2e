#include "client/client.h"

int cmd_shutdown(struct client *c)
{
    struct rpc_reply reply;
    bool drain = opts_has(&c->opts, OPTION_DRAIN);
    int status = client_call(c, "shutdown", drain ? "{\"drain\":true}" : "{\"drain\":false}",
                             &reply);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        fputs(drain ? "the daemon ends when its running runs have finished\n"
                    : "the daemon ends; running runs go on at the next start\n",
              c->out);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
