#include "client/client.h"

#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/run.h"

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

/* A file gets the bytes as they are; a terminal must not obey them. */
static void print_text(struct client *c, const char *log, bool end_line)
{
    struct buf text = {0};
    if (c->terminal)
        render_text(&text, log, true);
    else
        buf_puts(&text, log);
    if (end_line && text.len > 0 && text.data[text.len - 1] != '\n')
        buf_putc(&text, '\n');
    client_print(c, &text);
}

/* --- follow ---------------------------------------------------------------------------------- */

#define FOLLOW_MS 300

/* -1: the request failed, and its status is in *status. */
static int run_is_over(struct client *c, int *status)
{
    struct rpc_reply reply;
    *status = client_call_id(c, "run", "run", c->opts.id, &reply);
    if (*status != CLIENT_DONE)
        return -1;
    const char *state = member_string(json_get(reply.result, "run"), "status", "");
    int run = run_status_find(state);
    bool over = run < 0 || run_status_terminal((enum run_status)run);
    rpc_reply_finish(&reply);
    return over;
}

/* What has come since *offset (-1: the end of what is there). More: there is more already. */
static int print_next(struct client *c, int64_t *offset, bool *more)
{
    struct rpc_reply reply;
    struct buf params = {0};
    buf_printf(&params, "{\"run\":%lld", (long long)c->opts.id);
    if (*offset >= 0)
        buf_printf(&params, ",\"offset\":%lld", (long long)*offset);
    buf_putc(&params, '}');
    int status = client_call(c, "log", params.data, &reply);
    buf_finish(&params);
    if (status != CLIENT_DONE)
        return status;
    if (*offset >= 0 && member_int(reply.result, "offset", *offset) != *offset)
        client_say(c, "[… the log was shortened, or begun anew …]");
    print_text(c, member_string(reply.result, "text", ""), false);
    fflush(c->out);
    *offset = member_int(reply.result, "next", 0);
    *more = *offset < member_int(reply.result, "size", 0);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

static int follow(struct client *c)
{
    int64_t offset = -1;
    int status;
    for (;;) {
        bool more = false;
        int over = run_is_over(c, &status);
        if (over < 0)
            return status;
        status = print_next(c, &offset, &more);
        if (status != CLIENT_DONE || (over && !more))
            return status;
        if (!more)
            (void)poll(NULL, 0, FOLLOW_MS);
    }
}

int cmd_log(struct client *c)
{
    struct rpc_reply reply;
    if (opts_has(&c->opts, OPTION_FOLLOW))
        return c->json ? client_usage(c, "--follow and --json exclude each other") : follow(c);
    int status = client_call_id(c, "log", "run", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    const char *log = member_string(reply.result, "text", "");
    if (c->json)
        client_print_json(c, reply.result);
    else if (*log != '\0')
        print_text(c, log, true);
    else
        status = say_nothing(c);
    rpc_reply_finish(&reply);
    return status;
}
