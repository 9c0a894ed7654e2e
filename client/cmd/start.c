#include "client/client.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/launch.h"
#include "sweep/require.h"

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

/* Flags of ours that are the daemon's too: their names and values go through. */
static const enum option_id passed[] = {
    OPTION_DB,           OPTION_SOCKET,           OPTION_WORKERS, OPTION_WORKER_PROGRAM,
    OPTION_MAX_LOAD,     OPTION_ACTIVE_HOURS,     OPTION_GROUP,   OPTION_ON_EVENT,
    OPTION_PAUSE_ON_BATTERY};
_Static_assert(2 * ARRAY_LEN(passed) + 4 <= LAUNCH_ARGS_MAX, "program, --log and the last NULL");

static void pass(const struct client *c, enum option_id id, struct launch *l)
{
    if (!opts_has(&c->opts, id))
        return;
    l->argv[l->argc++] = option_get(id)->name;
    if (option_get(id)->kind != OPTION_FLAG)
        l->argv[l->argc++] = c->opts.text[id];
}

static bool same_file(const char *a, const char *b)
{
    struct stat x, y;
    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

/* What the running daemon has is not what is asked for. */
static bool differs(const struct client *c, enum option_id id, const struct json *status,
                    const char *key)
{
    const char *given = c->opts.text[id], *has = member_string(status, key, "");
    return opts_has(&c->opts, id) && strcmp(given, has) != 0 && !same_file(given, has);
}

/* Of a flag that has no effect on it. */
static void say_workers(struct client *c, const struct json *status)
{
    int64_t has = member_int(status, "workers", 0);
    if (!opts_has(&c->opts, OPTION_WORKERS) || c->opts.number[OPTION_WORKERS] == has)
        return;
    char *line = xasprintf("it goes on with %lld workers: --workers is for a daemon's start "
                           "(`sweepctl shutdown` first)", (long long)has);
    client_say(c, line);
    free(line);
}

/* A daemon answers already: well, unless it has another database or worker than is asked for. */
static int found_daemon(struct client *c, struct rpc_reply *status)
{
    const struct json *r = status->result;
    long long pid = member_int(r, "pid", 0);
    int result = CLIENT_DONE;
    struct errbuf err;
    if (differs(c, OPTION_DB, r, "db")) {
        err_bad(&err, ERR_VALUE, "--db", c->opts.text[OPTION_DB],
                "%s, which process %lld serves at %s; else another --socket, or a shutdown first",
                member_string(r, "db", ""), pid, c->socket);
        result = client_fail(c, CLIENT_REFUSED, &err);
    } else if (differs(c, OPTION_WORKER_PROGRAM, r, "worker")) {
        err_bad(&err, ERR_VALUE, "--worker-program", c->opts.text[OPTION_WORKER_PROGRAM],
                "%s, which process %lld at %s starts its runs with; else `sweepctl shutdown` first",
                member_string(r, "worker", ""), pid, c->socket);
        result = client_fail(c, CLIENT_REFUSED, &err);
    } else {
        print_daemon(c, r, "", false);
        say_workers(c, r);
    }
    rpc_reply_finish(status);
    return result;
}

static int start_daemon(struct client *c, struct launch *l, struct errbuf *err)
{
    struct rpc_reply status;
    /* Another start may have been before us while we waited for the lock. */
    int rc = launch_ask_patiently(c->socket, &status, err);
    if (rc == 0)
        return found_daemon(c, &status);
    if (rc == ERR_TIMEOUT || launch_start(l, c->socket, &status, err) != 0)
        return client_fail(c, CLIENT_REFUSED, err);
    print_daemon(c, status.result, l->log, true);
    rpc_reply_finish(&status);
    return CLIENT_DONE;
}

int cmd_start(struct client *c)
{
    struct launch l = {.argc = 1};
    struct rpc_reply status;
    struct errbuf err;
    if (launch_ask_patiently(c->socket, &status, &err) == 0)
        return found_daemon(c, &status);
    if (err.code == ERR_TIMEOUT)
        return client_fail(c, CLIENT_REFUSED, &err);
    if (err.code == ERR_VALUE)
        return client_fail(c, CLIENT_USAGE, &err);
    for (size_t i = 0; i < ARRAY_LEN(passed); i++)
        pass(c, passed[i], &l);
    if (launch_prepare(&l, &err) != 0)
        return client_fail(c, CLIENT_REFUSED, &err);
    int lock = launch_lock(&l);
    int result = start_daemon(c, &l, &err);
    launch_unlock(lock);
    return result;
}
