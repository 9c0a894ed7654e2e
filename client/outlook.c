#include "client/outlook.h"

#include <stdlib.h>
#include <string.h>

#include "client/client.h"
#include "sweep/lingering.h"
#include "sweep/require.h"

/* Members of `status` that are "" where all is well. */
static const struct {
    const char *member, *says;
} reasons[] = {
    {"waiting", "no run starts at present"},
    {"launch_trouble", "no worker can be started"},
    {"trouble", "nothing can be stored at present"},
};

static char *reason(const struct json *status, size_t i)
{
    const char *why = member_string(status, reasons[i].member, "");
    return *why != '\0' ? xasprintf("%s: %s", reasons[i].says, why) : NULL;
}

char *outlook_reason(const struct json *status)
{
    char *found = NULL;
    for (size_t i = 0; i < ARRAY_LEN(reasons) && found == NULL; i++)
        found = reason(status, i);
    return found;
}

void outlook_say_waiting(struct client *c)
{
    struct rpc_reply reply;
    if (c->json || client_call(c, "status", "{}", &reply) != CLIENT_DONE)
        return;
    for (size_t i = 0; i < ARRAY_LEN(reasons); i++) {
        char *line = reason(reply.result, i);
        if (line != NULL)
            client_say(c, line);
        free(line);
    }
    rpc_reply_finish(&reply);
}

void outlook_say_logout(struct client *c)
{
    struct rpc_reply reply;
    if (client_call(c, "status", "{}", &reply) != CLIENT_DONE)
        return;
    enum lingering l = lingering_of("", member_int(reply.result, "pid", 0));
    if (l != LINGERING_FINE) {
        char *line = xasprintf("%s (mend: %s)", lingering_says(l), lingering_mend(l));
        client_say(c, line);
        free(line);
    }
    rpc_reply_finish(&reply);
}

bool outlook_concerns(const struct json *sweep)
{
    const char *status = member_string(sweep, "status", "");
    return strcmp(status, "queued") == 0 || strcmp(status, "running") == 0;
}
