#include "client/client.h"

#include <string.h>

int cmd_wait(struct client *c)
{
    struct rpc_reply reply;
    int status = client_call_id(c, "wait", "sweep", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    const char *state = member_string(reply.result, "status", "unknown");
    const char *reason = member_string(reply.result, "reason", "");
    if (c->json) {
        client_print_json(c, reply.result);
    } else {
        struct buf text = {0};
        buf_printf(&text, "sweep %lld: ", (long long)c->opts.id);
        render_text(&text, state, false);
        buf_puts(&text, *reason != '\0' ? ": " : "");
        render_text(&text, reason, false);
        buf_putc(&text, '\n');
        client_print(c, &text);
    }
    status = strcmp(state, "completed") == 0 ? CLIENT_DONE : CLIENT_REFUSED;
    rpc_reply_finish(&reply);
    return status;
}
