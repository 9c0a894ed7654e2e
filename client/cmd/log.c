#include "client/client.h"

#include <stdlib.h>
#include <string.h>

/* Why there is nothing: on stderr, so that a file stays empty. */
static int say_nothing(struct client *c)
{
    struct rpc_reply reply;
    int status = client_call_id(c, "run", "run", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    const struct json *run = json_get(reply.result, "run");
    const char *state = member_string(run, "status", ""), *why;
    if (strcmp(state, "queued") == 0)
        why = "it has not been started yet";
    else if (strcmp(state, "running") == 0)
        why = "its program has written nothing to stderr so far";
    else if (member_string(reply.result, "folder", NULL) == NULL)
        why = "its folder is gone";
    else
        why = "its program wrote nothing to stderr, which is what a run does where all is well";
    char *line = xasprintf("run %lld (%s) has no log: %s", (long long)c->opts.id, state, why);
    client_say(c, line);
    free(line);
    const char *text = member_string(run, "error_text", "");
    if (*text != '\0') {
        line = xasprintf("it failed with: %s", text);
        client_say(c, line);
        free(line);
    }
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

int cmd_log(struct client *c)
{
    struct rpc_reply reply;
    int status = client_call_id(c, "log", "run", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    const char *log = member_string(reply.result, "text", "");
    if (c->json) {
        client_print_json(c, reply.result);
    } else if (*log != '\0') {
        struct buf text = {0};
        /* A file gets the bytes as they are; a terminal must not obey them. */
        if (c->terminal)
            render_text(&text, log, true);
        else
            buf_puts(&text, log);
        if (text.data[text.len - 1] != '\n')
            buf_putc(&text, '\n');
        client_print(c, &text);
    } else {
        status = say_nothing(c);
    }
    rpc_reply_finish(&reply);
    return status;
}
