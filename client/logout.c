#include "client/logout.h"

#include <stdio.h>

#include "client/client.h"
#include "sweep/lingering.h"

void warn_of_logout(struct client *c)
{
    struct rpc_reply reply;
    if (client_call(c, "status", "{}", &reply) != CLIENT_DONE)
        return;
    enum lingering l = lingering_of("", member_int(reply.result, "pid", 0));
    if (l != LINGERING_FINE)
        fprintf(stderr, "sweepctl: %s (mend: %s)\n", lingering_says(l), lingering_mend(l));
    rpc_reply_finish(&reply);
}
