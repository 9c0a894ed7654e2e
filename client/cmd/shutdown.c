#include <inttypes.h>
#include <stdio.h>
#include <time.h>

#include "client/client.h"
#include "sweep/process.h"

#define END_WAIT_MS 15000 /* workers that must be killed have had 5 s by then */
#define END_POLL_MS 10

/* Until the daemon has left its database, so that a start may follow at once. */
static void await_end(int64_t pid)
{
    const struct timespec pause = {.tv_nsec = END_POLL_MS * 1000000L};
    for (int i = 0; i < END_WAIT_MS / END_POLL_MS && !process_is_ending(pid); i++)
        nanosleep(&pause, NULL);
}

int cmd_shutdown(struct client *c)
{
    struct rpc_reply reply;
    bool drain = opts_has(&c->opts, OPTION_DRAIN);
    int status = client_call(c, "status", "{}", &reply);
    if (status != CLIENT_DONE)
        return status;
    int64_t pid = member_int(reply.result, "pid", 0);
    rpc_reply_finish(&reply);
    status = client_call(c, "shutdown", drain ? "{\"drain\":true}" : "{\"drain\":false}",
                             &reply);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        fputs(drain ? "the daemon ends when its running runs have finished\n"
                    : "the daemon ends; running runs go on at the next start\n",
              c->out);
    int64_t left = member_int(reply.result, "left", 0);
    if (!c->json && left > 0)
        fprintf(c->out, "programs that cannot resume run on, and the next start takes them up: "
                "%" PRId64 "\n", left);
    fflush(c->out);
    rpc_reply_finish(&reply);
    if (!drain && pid > 0)
        await_end(pid);
    return CLIENT_DONE;
}
