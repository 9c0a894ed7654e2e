#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/client.h"

#define END_WAIT_MS 15000 /* workers that must be killed have had 5 s by then */
#define END_POLL_MS 10

/* Also of a process that has ended and that nobody waits for (a container without an init). */
static bool has_ended(int64_t pid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%lld/stat", (long long)pid);
    FILE *f = fopen(path, "re");
    if (f == NULL)
        return true;
    size_t n = fread(text, 1, sizeof text - 1, f);
    fclose(f);
    text[n] = '\0';
    const char *name_end = strrchr(text, ')');
    return name_end == NULL || strncmp(name_end, ") Z", 3) == 0;
}

/* Until the daemon has left its database, so that a start may follow at once. */
static void await_end(int64_t pid)
{
    const struct timespec pause = {.tv_nsec = END_POLL_MS * 1000000L};
    for (int i = 0; i < END_WAIT_MS / END_POLL_MS && !has_ended(pid); i++)
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
    fflush(c->out);
    rpc_reply_finish(&reply);
    if (!drain && pid > 0)
        await_end(pid);
    return CLIENT_DONE;
}
