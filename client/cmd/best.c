#include "client/client.h"

#include "client/report.h"

#define BEST_RUNS 10

int cmd_best(struct client *c)
{
    struct rpc_reply reply;
    int64_t limit = opts_has(&c->opts, OPTION_LIMIT) ? c->opts.number[OPTION_LIMIT] : BEST_RUNS;
    if (limit > RPC_PAGE_MAX)
        return client_usage(c, "-n: got %lld; allowed: 1 to %d", (long long)limit, RPC_PAGE_MAX);
    int status = report_call_best(c, c->opts.id, limit, &reply);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        report_best(c, reply.result);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
