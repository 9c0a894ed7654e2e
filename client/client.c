#include "client/client.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep/buf.h"

#define LINE_LEAST 24 /* columns that broken text keeps */
#define SAY_INDENT 4 /* of the lines of a message but its first */
#define SAY_LEAST 40 /* columns: a terminal with less breaks them itself */

static void print_error_json(struct client *c, const struct errbuf *err)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_key(&w, "error");
    jw_begin_object(&w);
    jw_kv_string(&w, "error", err_name(err->code));
    jw_kv_string(&w, "message", err->message);
    jw_kv_string(&w, "key", err->key);
    jw_kv_string(&w, "value", err->value);
    jw_kv_string(&w, "allowed", err->allowed);
    jw_end_object(&w);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    client_print_document(c, &text);
}

/* A line that is cut into the terminal's lines is one that a person reads to its end. */
void client_say(struct client *c, const char *text)
{
    struct buf line = {0};
    if (c->failed != NULL)
        return;
    size_t columns = isatty(STDERR_FILENO) ? render_terminal(stderr, NULL) : 0;
    size_t room = columns > SAY_INDENT + SAY_LEAST ? columns - SAY_INDENT : 0;
    char *whole = xasprintf("sweepctl: %s", text);
    fflush(c->out);
    for (char *at = whole, *end; at != NULL; at = end) {
        end = strchr(at, '\n');
        if (end != NULL)
            *end++ = '\0';
        render_wrapped(&line, at, SAY_INDENT, room, TONE_PLAIN);
        buf_putc(&line, '\n');
    }
    fputs(line.data, stderr);
    free(whole);
    buf_finish(&line);
}

int client_fail(struct client *c, int status, const struct errbuf *err)
{
    if (c->failed != NULL) {
        *c->failed = *err;
        return status;
    }
    client_say(c, err->message[0] != '\0' ? err->message : err_name(err->code));
    if (c->json)
        print_error_json(c, err);
    return status;
}

int client_no_daemon(struct client *c, const struct errbuf *err)
{
    struct errbuf reported;
    const char *user = geteuid() == 0 ? getenv("SUDO_USER") : NULL;
    if (user != NULL)
        err_set(&reported, err->code, "no daemon of root's at %s; %s's: `sudo -u %s sweepctl` (%s)",
                c->socket, user, user, err->message);
    else
        err_set(&reported, err->code, "no daemon at %s: start one with `sweepctl start` (%s)",
                c->socket, err->message);
    return client_fail(c, CLIENT_NO_DAEMON, &reported);
}

int client_usage(struct client *c, const char *fmt, ...)
{
    struct errbuf err;
    struct buf text = {0};
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    err_set(&err, ERR_VALUE, "%s", text.data);
    buf_finish(&text);
    return client_fail(c, CLIENT_USAGE, &err);
}

int client_connect(struct client *c)
{
    struct errbuf err;
    if (c->rpc.fd >= 0)
        return CLIENT_DONE;
    int rc = rpc_client_open(&c->rpc, c->socket, &err);
    if (rc == ERR_VALUE)
        return client_fail(c, CLIENT_USAGE, &err);
    if (rc == ERR_PERMISSION)
        return client_fail(c, CLIENT_REFUSED, &err);
    return rc != 0 ? client_no_daemon(c, &err) : CLIENT_DONE;
}

/* The connection broke, or what answers does not speak our protocol. */
static int lost_daemon(struct client *c, const char *method, const struct errbuf *err)
{
    struct errbuf reported;
    if (err->code == ERR_STATE)
        return CLIENT_INTERRUPTED;
    if (err->code == ERR_LIMIT)
        return client_fail(c, CLIENT_REFUSED, err);
    err_set(&reported, err->code, "lost the daemon at %s during %s: %s", c->socket, method,
            err->message);
    return client_fail(c, CLIENT_NO_DAEMON, &reported);
}

int client_ask(struct client *c, const char *method, const char *params, struct rpc_reply *reply)
{
    struct errbuf err;
    int status = client_connect(c);
    if (status != CLIENT_DONE)
        return status;
    if (rpc_client_call(&c->rpc, method, params, reply, &err) != 0) {
        status = lost_daemon(c, method, &err);
        rpc_client_close(&c->rpc);
        return status;
    }
    return CLIENT_DONE;
}

/* An id that does not exist is most often one of another kind, or a run's place in its sweep. */
static void say_where_ids_are(struct errbuf *err)
{
    bool run = strcmp(err->key, "$.run") == 0, sweep = strcmp(err->key, "$.sweep") == 0;
    struct errbuf made = *err;
    if (err->code != ERR_NOT_FOUND || err->value[0] == '\0' || (!run && !sweep))
        return;
    err_set(&made, err->code,
            run ? "there is no run %s: `sweepctl runs SWEEP` shows the ids of a sweep's runs"
                : "there is no sweep %s: `sweepctl list` shows those that there are", err->value);
    str_copy(err->message, sizeof err->message, made.message);
}

int client_call(struct client *c, const char *method, const char *params,
                struct rpc_reply *reply)
{
    int status = client_ask(c, method, params, reply);
    if (status == CLIENT_DONE && reply->error.code != 0) {
        say_where_ids_are(&reply->error);
        status = client_fail(c, CLIENT_REFUSED, &reply->error);
        rpc_reply_finish(reply);
    }
    return status;
}

int client_call_id(struct client *c, const char *method, const char *key, int64_t id,
                   struct rpc_reply *reply)
{
    char *params = xasprintf("{\"%s\":%lld}", key, (long long)id);
    int status = client_call(c, method, params, reply);
    free(params);
    return status;
}

int client_ask_trainer(struct client *c, struct client_trainer *out)
{
    int status = client_call(c, "status", "{}", &out->reply);
    if (status != CLIENT_DONE)
        return status;
    out->program = opts_has(&c->opts, OPTION_WORKER_PROGRAM)
                       ? c->opts.text[OPTION_WORKER_PROGRAM]
                       : member_string(out->reply.result, "worker", "");
    out->core = member_string(out->reply.result, "core", "");
    return CLIENT_DONE;
}

static int next_page(struct client *c, const struct client_paged *p, const char *cursor,
                     struct rpc_reply *reply)
{
    char *text = xasprintf("{%s%s\"limit\":%d%s%s}", p->params, *p->params != '\0' ? "," : "",
                           RPC_PAGE_MAX, cursor != NULL ? ",\"cursor\":" : "",
                           cursor != NULL ? cursor : "");
    int status = client_call(c, p->method, text, reply);
    free(text);
    return status;
}

/* The cursor of a page as JSON text, NULL on the last one. The caller frees. */
static char *page_cursor(const struct json *page)
{
    const struct json *v = json_get(page, "cursor");
    if (v == NULL || json_type(v) == JSON_NULL)
        return NULL;
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_value(&w, v);
    return buf_take(&text);
}

int client_pages(struct client *c, const struct client_paged *p, client_each *each, void *arg)
{
    char *cursor = p->from != NULL ? xstrdup(p->from) : NULL;
    for (;;) {
        struct rpc_reply reply;
        int status = next_page(c, p, cursor, &reply);
        if (status != CLIENT_DONE) {
            free(cursor);
            return status;
        }
        size_t count = 0;
        const struct json *list = json_get(reply.result, p->items);
        if (p->page != NULL)
            p->page(arg, reply.result);
        for (const struct json *v = json_first(list); v != NULL; v = json_next(v), count++)
            each(arg, v);
        char *next = page_cursor(reply.result);
        rpc_reply_finish(&reply);
        /* An empty page or the same cursor again would never end. */
        bool stuck = next != NULL && cursor != NULL && strcmp(next, cursor) == 0;
        free(cursor);
        cursor = next;
        if (cursor == NULL || count == 0 || stuck)
            break;
    }
    free(cursor);
    return CLIENT_DONE;
}

static void collect(void *arg, const struct json *item)
{
    jw_value(arg, item);
}

int client_pages_json(struct client *c, const struct client_paged *p)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_key(&w, p->items);
    jw_begin_array(&w);
    int status = client_pages(c, p, collect, &w);
    jw_end_array(&w);
    jw_end_object(&w);
    buf_putc(&text, '\n');
    if (status == CLIENT_DONE)
        client_print_document(c, &text);
    buf_finish(&text);
    return status;
}

void client_print_json(struct client *c, const struct json *v)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    if (v != NULL)
        jw_value(&w, v);
    else
        jw_null(&w);
    buf_putc(&text, '\n');
    client_print_document(c, &text);
}

void client_print(struct client *c, struct buf *text)
{
    if (text->len > 0)
        fwrite(text->data, 1, text->len, c->out);
    buf_finish(text);
}

void client_print_wrapped(struct client *c, const char *text, size_t indent)
{
    struct buf line = {0};
    render_wrapped(&line, text, indent, c->width > indent + LINE_LEAST ? c->width - indent : 0,
                   TONE_PLAIN);
    buf_putc(&line, '\n');
    client_print(c, &line);
}

void client_print_document(struct client *c, struct buf *text)
{
    struct buf safe = {0};
    if (c->terminal)
        render_document(&safe, text->data, text->len);
    client_print(c, c->terminal ? &safe : text);
    buf_finish(c->terminal ? text : &safe);
}

int client_change(struct client *c, const char *method, const char *key, int64_t id,
                  const char *done)
{
    struct rpc_reply reply;
    int status = client_call_id(c, method, key, id, &reply);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        fprintf(c->out, "%s %lld: %s\n", key, (long long)id, done);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

int client_flush(struct client *c)
{
    if (fflush(c->out) == 0 && !ferror(c->out))
        return CLIENT_DONE;
    fprintf(stderr, "sweepctl: cannot write the output\n");
    return CLIENT_REFUSED;
}
