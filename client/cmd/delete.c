#include "client/client.h"

#include <string.h>
#include <unistd.h>

/* What goes: shown before it is gone. */
static void print_what(struct client *c, const struct json *sweep)
{
    struct buf text = {0};
    buf_printf(&text, "sweep %lld ", (long long)c->opts.id);
    render_text(&text, member_string(sweep, "name", ""), false);
    buf_printf(&text, " (%s): %lld runs with their curves, labels, logs and weights\n",
               member_string(sweep, "status", "-"), (long long)member_int(sweep, "runs", 0));
    fputs(text.data, stderr);
    buf_finish(&text);
}

/* Only "y" and "yes" are a yes. */
static bool says_yes(void)
{
    char answer[16];
    fputs("delete it for good? [y/N] ", stderr);
    fflush(stderr);
    if (fgets(answer, sizeof answer, stdin) == NULL)
        return false;
    answer[strcspn(answer, "\r\n")] = '\0';
    return strcmp(answer, "y") == 0 || strcmp(answer, "yes") == 0;
}

int cmd_delete(struct client *c)
{
    struct rpc_reply reply;
    /* A script has said what it wants. */
    bool ask = !opts_has(&c->opts, OPTION_YES) && isatty(STDIN_FILENO) && isatty(STDERR_FILENO);
    if (!ask)
        return client_change(c, "delete", "sweep", c->opts.id, "deleted");
    int status = client_call_id(c, "show", "sweep", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    print_what(c, json_get(reply.result, "sweep"));
    rpc_reply_finish(&reply);
    if (says_yes())
        return client_change(c, "delete", "sweep", c->opts.id, "deleted");
    client_say(c, "nothing was deleted");
    return CLIENT_REFUSED;
}
