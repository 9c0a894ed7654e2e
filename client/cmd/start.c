#include "client/client.h"

#include "client/launch.h"

#define ANSWER_MS 2000

/* {"started", "pid", "socket", "db", "log"} from a `status` reply. */
static void print_daemon(struct client *c, const struct json *status, const char *log,
                         bool started)
{
    int64_t pid = member_int(status, "pid", 0);
    const char *socket = member_string(status, "socket", c->socket);
    const char *db = member_string(status, "db", "");
    struct buf text = {0};
    if (c->json) {
        struct json_writer w;
        jw_init(&w, &text);
        jw_begin_object(&w);
        jw_kv_bool(&w, "started", started);
        jw_kv_int(&w, "pid", pid);
        jw_kv_string(&w, "socket", socket);
        jw_kv_string(&w, "db", db);
        jw_kv_string(&w, "log", started ? log : NULL);
        jw_end_object(&w);
        buf_putc(&text, '\n');
    } else {
        buf_printf(&text, "%s: process %lld\n", started ? "sweepd runs" : "sweepd already runs",
                   (long long)pid);
        buf_puts(&text, "socket    ");
        render_text(&text, socket, false);
        buf_puts(&text, "\ndatabase  ");
        render_text(&text, db, false);
        if (started)
            buf_printf(&text, "\nlog       %s", log);
        buf_putc(&text, '\n');
    }
    client_print(c, &text);
}

/* A flag of ours that is the daemon's too: its name and value go through. */
static void pass(const struct client *c, enum option_id id, struct launch *l)
{
    if (!opts_has(&c->opts, id))
        return;
    l->argv[l->argc++] = option_get(id)->name;
    l->argv[l->argc++] = c->opts.text[id];
}

int cmd_start(struct client *c)
{
    struct launch l = {.argc = 1};
    struct rpc_reply status;
    struct errbuf err;
    if (launch_ask(c->socket, ANSWER_MS, &status, &err) == 0) {
        print_daemon(c, status.result, "", false);
        rpc_reply_finish(&status);
        return CLIENT_DONE;
    }
    if (err.code == ERR_VALUE)
        return client_fail(c, CLIENT_USAGE, &err);
    pass(c, OPTION_DB, &l);
    pass(c, OPTION_SOCKET, &l);
    pass(c, OPTION_WORKERS, &l);
    pass(c, OPTION_WORKER_PROGRAM, &l);
    if (launch_prepare(&l, &err) != 0 || launch_start(&l, c->socket, &status, &err) != 0)
        return client_fail(c, CLIENT_REFUSED, &err);
    print_daemon(c, status.result, l.log, true);
    rpc_reply_finish(&status);
    return CLIENT_DONE;
}
