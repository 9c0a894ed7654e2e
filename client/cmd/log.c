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
#define LAST_BYTES 256

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

/* How far it was read, and its last bytes that were printed. */
struct reading {
    int64_t offset; /* -1: from near the end of what is there */
    bool more;      /* there is more already */
    struct buf last;
};

static void keep_last(struct reading *r, const char *text)
{
    size_t len = strlen(text), from = len > LAST_BYTES ? len - LAST_BYTES : 0;
    buf_append(&r->last, text + from, len - from);
    if (r->last.len > LAST_BYTES)
        buf_consume(&r->last, r->last.len - LAST_BYTES);
}

/* Its middle was taken out of the log: what follows what was printed; all where that is gone. */
static const char *after_last(const struct reading *r, const char *text)
{
    const char *next = NULL, *at = r->last.len > 0 ? text : NULL;
    while (at != NULL && (at = strstr(at, r->last.data)) != NULL)
        next = at++ + r->last.len;
    return next;
}

/* Of a piece that is not where the last one ended. */
static const char *find_place(struct client *c, const struct reading *r, int64_t from,
                              const char *text)
{
    const char *next = from > 0 ? after_last(r, text) : NULL;
    if (next == NULL)
        client_say(c, from > 0 ? "[… some of it went by faster than it could be followed …]"
                               : "[… the log was begun anew …]");
    return next != NULL ? next : text;
}

/* whole: nothing follows what is there, whose last line is ended. */
static int print_next(struct client *c, struct reading *r, bool whole)
{
    struct rpc_reply reply;
    struct buf params = {0};
    buf_printf(&params, "{\"run\":%lld", (long long)c->opts.id);
    if (r->offset >= 0)
        buf_printf(&params, ",\"offset\":%lld", (long long)r->offset);
    buf_putc(&params, '}');
    int status = client_call(c, "log", params.data, &reply);
    buf_finish(&params);
    if (status != CLIENT_DONE)
        return status;
    int64_t from = member_int(reply.result, "offset", 0);
    const char *text = member_string(reply.result, "text", "");
    if (r->offset >= 0 && from != r->offset)
        text = find_place(c, r, from, text);
    r->offset = member_int(reply.result, "next", 0);
    r->more = r->offset < member_int(reply.result, "size", 0);
    print_text(c, text, whole && !r->more);
    fflush(c->out);
    keep_last(r, text);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

static int follow(struct client *c)
{
    struct reading r = {.offset = -1};
    int status, over;
    do {
        over = run_is_over(c, &status);
        if (over >= 0)
            status = print_next(c, &r, false);
        if (status == CLIENT_DONE && !r.more && !over)
            (void)poll(NULL, 0, FOLLOW_MS);
    } while (status == CLIENT_DONE && (r.more || !over));
    buf_finish(&r.last);
    return status;
}

/* All that is kept of it, piece by piece. */
static int print_all(struct client *c)
{
    struct reading r = {.more = true};
    int status = CLIENT_DONE;
    while (status == CLIENT_DONE && r.more)
        status = print_next(c, &r, true);
    buf_finish(&r.last);
    return status == CLIENT_DONE && r.offset == 0 ? say_nothing(c) : status;
}

int cmd_log(struct client *c)
{
    struct rpc_reply reply;
    if (opts_has(&c->opts, OPTION_FOLLOW))
        return c->json ? client_usage(c, "--follow and --json exclude each other") : follow(c);
    if (!c->json)
        return print_all(c);
    int status = client_call_id(c, "log", "run", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    client_print_json(c, reply.result);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
