#include "client/client.h"

#include <inttypes.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/require.h"

#define DETAIL_INDENT 4
#define LOOK_MS 2000 /* for what no notification tells of */

struct log {
    struct client *client;
    int64_t since_us; /* UTC; 0: from the beginning */
    int64_t cursor;
    bool more; /* something may have happened since we looked */
};

/* "2h": so long ago. 0: no such length of time. */
static int64_t length_us(const char *text)
{
    static const struct {
        char unit;
        int64_t seconds;
    } units[] = {{'s', 1}, {'m', 60}, {'h', 3600}, {'d', 86400}};
    char *end;
    long n = strtol(text, &end, 10);
    for (size_t i = 0; i < ARRAY_LEN(units); i++) {
        if (end != text && n > 0 && n < 1000000 && end[0] == units[i].unit && end[1] == '\0')
            return n * units[i].seconds * 1000000;
    }
    return 0;
}

/* A UTC time, whose end may be left out. 0: none. */
static int64_t time_us(const char *text)
{
    static const char *const rest[] = {"", ":00", " 00:00:00"};
    int64_t found = 0;
    for (size_t i = 0; i < ARRAY_LEN(rest) && found == 0; i++) {
        char *whole = xasprintf("%s%s", text, rest[i]);
        found = human_parse_utc(whole);
        free(whole);
    }
    return found;
}

static int read_since(struct client *c, int64_t *out)
{
    const char *text = c->opts.text[OPTION_SINCE];
    if (!opts_has(&c->opts, OPTION_SINCE))
        return CLIENT_DONE;
    int64_t ago = length_us(text);
    *out = ago > 0 ? human_now_us() - ago : time_us(text);
    return *out > 0 ? CLIENT_DONE
                    : client_usage(c,
                                   "--since: got %s; allowed: a time back from now (90s, 30m, "
                                   "2h, 3d) or a UTC time (2026-01-31 22:05)",
                                   text);
}

/* --- printing -------------------------------------------------------------------------------- */

static void put_id(struct buf *out, const struct json *event, const char *key, const char *name)
{
    int64_t id = member_int(event, key, 0);
    if (id > 0)
        buf_printf(out, "  %s %" PRId64, name, id);
}

static void print_event(struct log *l, const struct json *event)
{
    struct buf line = {0};
    const char *detail = member_string(event, "detail", "");
    l->cursor = member_int(event, "id", l->cursor);
    if (l->client->json && opts_has(&l->client->opts, OPTION_FOLLOW)) {
        client_print_json(l->client, event);
        return;
    }
    render_text(&line, member_string(event, "created_at", "-"), false);
    buf_puts(&line, "  ");
    render_text(&line, member_string(event, "kind", "-"), false);
    put_id(&line, event, "sweep_id", "sweep");
    put_id(&line, event, "run_id", "run");
    buf_puts(&line, *detail != '\0' ? "  " : "");
    buf_puts(&line, detail);
    client_print_wrapped(l->client, line.data, DETAIL_INDENT);
    buf_finish(&line);
}

/* --- asking ---------------------------------------------------------------------------------- */

static char *params(const struct log *l)
{
    const struct opts *o = &l->client->opts;
    const char *key = opts_has(o, OPTION_RUN) ? "run" : o->id ? "sweep" : "all";
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    if (strcmp(key, "all") == 0)
        jw_kv_bool(&w, key, true);
    else
        jw_kv_int(&w, key, opts_has(o, OPTION_RUN) ? o->number[OPTION_RUN] : o->id);
    jw_kv_int(&w, "cursor", l->cursor);
    jw_kv_int(&w, "limit", RPC_PAGE_MAX);
    jw_kv_int(&w, "since", l->since_us);
    jw_end_object(&w);
    return buf_take(&text);
}

/* One page. *last: there are no more. */
static int page(struct log *l, bool *last, struct json_writer *rows)
{
    struct rpc_reply reply;
    char *text = params(l);
    int status = client_call(l->client, "events", text, &reply);
    free(text);
    if (status != CLIENT_DONE)
        return status;
    int64_t before = l->cursor;
    const struct json *list = json_get(reply.result, "events");
    for (const struct json *v = json_first(list); v != NULL; v = json_next(v)) {
        l->cursor = member_int(v, "id", l->cursor);
        if (rows != NULL)
            jw_value(rows, v);
        else
            print_event(l, v);
    }
    *last = member_int(reply.result, "cursor", 0) <= before;
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

static int pages(struct log *l, struct json_writer *rows)
{
    bool last = false;
    int status = CLIENT_DONE;
    while (status == CLIENT_DONE && !last)
        status = page(l, &last, rows);
    fflush(l->client->out);
    return status;
}

static int print_json(struct log *l)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_key(&w, "events");
    jw_begin_array(&w);
    int status = pages(l, &w);
    jw_end_array(&w);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    if (status == CLIENT_DONE)
        client_print_document(l->client, &text);
    buf_finish(&text);
    return status;
}

/* --- following ------------------------------------------------------------------------------- */

static void on_notification(void *arg, const struct rpc_reply *n)
{
    struct log *l = arg;
    l->more |= strcmp(n->method, "point") != 0;
}

/* Until something has happened, or for a while. */
static int wait_for_more(struct log *l)
{
    struct rpc_client *rpc = &l->client->rpc;
    struct rpc_reply reply;
    struct errbuf err;
    while (!l->more) {
        int rc = rpc_client_take(rpc, &reply, &err);
        if (rc > 0) {
            on_notification(l, &reply);
            rpc_reply_finish(&reply);
            continue;
        }
        struct pollfd p = {.fd = rpc->fd, .events = POLLIN};
        if (rc == 0 && poll(&p, 1, LOOK_MS) == 0)
            return CLIENT_DONE;
        if (rc < 0 || rpc_client_fill(rpc, &err) != 0)
            return client_no_daemon(l->client, &err);
    }
    return CLIENT_DONE;
}

static int follow(struct log *l)
{
    struct client *c = l->client;
    struct rpc_reply reply;
    c->rpc.on_notification = on_notification;
    c->rpc.arg = l;
    int status = c->opts.id ? client_call_id(c, "watch", "sweep", c->opts.id, &reply)
                            : client_call(c, "watch", "{}", &reply);
    if (status != CLIENT_DONE)
        return status;
    rpc_reply_finish(&reply);
    while (status == CLIENT_DONE) {
        l->more = false;
        status = pages(l, NULL);
        if (status == CLIENT_DONE)
            status = wait_for_more(l);
    }
    return status;
}

int cmd_events(struct client *c)
{
    struct log l = {.client = c};
    if (opts_has(&c->opts, OPTION_RUN) && c->opts.id)
        return client_usage(c, "SWEEP and --run exclude each other");
    int status = read_since(c, &l.since_us);
    if (status != CLIENT_DONE)
        return status;
    if (opts_has(&c->opts, OPTION_FOLLOW))
        return follow(&l);
    return c->json ? print_json(&l) : pages(&l, NULL);
}
