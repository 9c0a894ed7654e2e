#include "client/client.h"

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
    } else if (c->terminal) {
        fputs("(nothing)\n", c->out);
    }
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
