#include "client/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

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

/* "7:30-22:00" as the daemon says it. */
static bool same_hours(const char *a, const char *b)
{
    int x[4], y[4];
    return sscanf(a, "%d:%d-%d:%d", &x[0], &x[1], &x[2], &x[3]) == 4 &&
           sscanf(b, "%d:%d-%d:%d", &y[0], &y[1], &y[2], &y[3]) == 4 && memcmp(x, y, sizeof x) == 0;
}

static bool same_number(const char *a, const char *b)
{
    return strtod(a, NULL) == strtod(b, NULL);
}

static bool same_text(const char *a, const char *b)
{
    return strcmp(a, b) == 0;
}

/* What a daemon is started with and keeps, by its member of `status`. */
static const struct {
    enum option_id option;
    const char *member;
    bool (*same)(const char *given, const char *has);
} kept[] = {
    {OPTION_DB, "db", same_file},
    {OPTION_WORKER_PROGRAM, "worker", same_file},
    {OPTION_ACTIVE_HOURS, "active_hours", same_hours},
    {OPTION_MAX_LOAD, "max_load", same_number},
    {OPTION_PAUSE_ON_BATTERY, "pause_on_battery", same_text},
    {OPTION_GROUP, "group", same_text},
    {OPTION_ON_EVENT, "on_event", same_file},
};

/* Of a flag that the running daemon was not started with: true, and what it has. */
static bool differs(const struct client *c, size_t i, const struct json *status, char **has)
{
    enum option_id id = kept[i].option;
    bool is_flag = option_get(id)->kind == OPTION_FLAG;
    const char *given = is_flag ? "yes" : c->opts.text[id];
    const struct json *v = json_get(status, kept[i].member);
    if (!opts_has(&c->opts, id))
        return false;
    *has = v != NULL && json_type(v) == JSON_BOOL
               ? xstrdup(json_bool(v) ? "yes" : "")
               : render_member(status, kept[i].member, CELL_TEXT);
    if (strcmp(given, *has) == 0 || kept[i].same(given, *has)) {
        free(*has);
        return false;
    }
    return true;
}

static int refuse(struct client *c, size_t i, const struct json *status, const char *has)
{
    const struct option_info *o = option_get(kept[i].option);
    bool none = *has == '\0' || strcmp(has, "-") == 0 || strcmp(has, "0") == 0;
    struct errbuf err;
    err_bad(&err, ERR_VALUE, o->name, o->kind == OPTION_FLAG ? "yes" : c->opts.text[kept[i].option],
            "what process %lld at %s was started with (%s); else%s `sweepctl shutdown` first: runs "
            "go on where they are",
            (long long)member_int(status, "pid", 0), c->socket, none ? "none" : has,
            kept[i].option == OPTION_DB ? " another --socket, or" : "");
    return client_fail(c, CLIENT_REFUSED, &err);
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

/* An update was installed since it started. */
static void say_replaced(struct client *c, const struct json *status)
{
    static const char gone[] = " (deleted)"; /* proc(5) */
    char link[64], target[PATHS_MAX + sizeof gone];
    snprintf(link, sizeof link, "/proc/%lld/exe", (long long)member_int(status, "pid", 0));
    ssize_t n = readlink(link, target, sizeof target);
    if (n < (ssize_t)strlen(gone) ||
        memcmp(target + n - strlen(gone), gone, strlen(gone)) != 0)
        return;
    client_say(c, "its program has been replaced since it started: `sweepctl shutdown`, then "
                  "start, runs the new one; runs go on where they are");
}

/* A daemon answers already: well, unless it was started with something else than is asked for. */
static int found_daemon(struct client *c, struct rpc_reply *status)
{
    int result = CLIENT_DONE;
    for (size_t i = 0; i < ARRAY_LEN(kept) && result == CLIENT_DONE; i++) {
        char *has;
        if (!differs(c, i, status->result, &has))
            continue;
        result = refuse(c, i, status->result, has);
        free(has);
    }
    if (result == CLIENT_DONE) {
        print_daemon(c, status->result, "", false);
        say_workers(c, status->result);
        say_replaced(c, status->result);
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
