#include "client/client.h"

#include <errno.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "client/launch.h"
#include "sweep/err.h"
#include "sweep/lingering.h"

#define OUTPUT_BYTES_MAX (256 * 1024)

struct doctor {
    struct client *client;
    struct buf rows; /* JSON objects, with commas */
    struct json_writer w;
    struct render_table table;
    bool wrong;
};

/* One finding: {"check", "ok", "says", "mend"}. */
static void add(struct doctor *d, const struct json *finding)
{
    const struct json *v = json_get(finding, "ok");
    bool ok = v != NULL && json_type(v) == JSON_BOOL && json_bool(v);
    const char *mend = member_string(finding, "mend", "");
    struct buf says = {0};
    d->wrong |= !ok;
    jw_value(&d->w, finding);
    render_table_add(&d->table, member_string(finding, "check", "-"), TONE_PLAIN);
    render_table_add(&d->table, ok ? "ok" : "wrong", ok ? TONE_GOOD : TONE_BAD);
    buf_puts(&says, member_string(finding, "says", "-"));
    if (*mend != '\0')
        buf_printf(&says, "; mend: %s", mend);
    render_table_add(&d->table, says.data, TONE_PLAIN);
    buf_finish(&says);
}

static void add_own(struct doctor *d, const char *check, const char *says, const char *mend)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_string(&w, "check", check);
    jw_kv_bool(&w, "ok", *mend == '\0');
    jw_kv_string(&w, "says", says);
    jw_kv_string(&w, "mend", mend);
    jw_end_object(&w);
    struct json *finding = json_parse(text.data, text.len, NULL);
    add(d, finding);
    json_destroy(finding);
    buf_finish(&text);
}

/* --- sweepd --check -------------------------------------------------------------------------- */

/* What the program prints, to its end. 0 or ERR_IO. */
static int output_of(const char *const *argv, struct buf *out, struct errbuf *err)
{
    posix_spawn_file_actions_t actions;
    int ends[2], status;
    pid_t pid;
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "pipe: %s", strerror(errno));
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
    /* posix_spawn takes char *const[] for historical reasons; it changes nothing. */
    int rc = posix_spawn(&pid, argv[0], &actions, NULL, (char *const *)argv, environ);
    posix_spawn_file_actions_destroy(&actions);
    close(ends[1]);
    ssize_t n = 0;
    do {
        buf_reserve(out, BUFSIZ);
        n = rc == 0 ? read(ends[0], out->data + out->len, BUFSIZ) : 0;
        out->len += n > 0 ? (size_t)n : 0;
    } while (n > 0 && out->len < OUTPUT_BYTES_MAX);
    close(ends[0]);
    if (rc != 0)
        return err_set(err, ERR_IO, "%s: %s", argv[0], strerror(rc));
    waitpid(pid, &status, 0);
    return 0;
}

/* Lines that are no findings are passed over. */
static void add_lines(struct doctor *d, const struct buf *text)
{
    size_t found = 0;
    for (size_t at = 0; at < text->len;) {
        const char *line = text->data + at, *end = memchr(line, '\n', text->len - at);
        size_t len = end != NULL ? (size_t)(end - line) : text->len - at;
        struct json *finding = json_parse(line, len, NULL);
        if (json_get(finding, "check") != NULL) {
            add(d, finding);
            found++;
        }
        json_destroy(finding);
        at += len + 1;
    }
    if (found == 0)
        add_own(d, "sweepd", "sweepd --check says nothing", "install sweepd and sweepctl anew");
}

static void check_machine(struct doctor *d, const char *db)
{
    const struct opts *o = &d->client->opts;
    char program[PATHS_MAX];
    struct errbuf err;
    struct buf text = {0};
    const char *argv[8] = {program, "--check"};
    size_t n = 2;
    if (opts_has(o, OPTION_DB))
        db = o->text[OPTION_DB];
    if (*db != '\0') {
        argv[n++] = "--db";
        argv[n++] = db;
    }
    if (opts_has(o, OPTION_WORKER_PROGRAM)) {
        argv[n++] = "--worker-program";
        argv[n++] = o->text[OPTION_WORKER_PROGRAM];
    }
    if (launch_find(program, &err) != 0 || output_of(argv, &text, &err) != 0)
        add_own(d, "sweepd", err.message, "install sweepd beside sweepctl, or into PATH");
    else
        add_lines(d, &text);
    buf_finish(&text);
}

/* --- the daemon ------------------------------------------------------------------------------ */

static void check_daemon(struct doctor *d, char db[PATHS_MAX])
{
    struct rpc_reply reply;
    struct errbuf err;
    int rc = launch_ask_patiently(d->client->socket, &reply, &err);
    if (rc == ERR_TIMEOUT) {
        add_own(d, "daemon", err.message, "look into its log; kill -CONT or kill it");
        return;
    }
    if (rc != 0) {
        add_own(d, "daemon", "none runs here (sweepctl start)", "");
        return;
    }
    const char *trouble = member_string(reply.result, "trouble", "");
    const char *waiting = member_string(reply.result, "waiting", "");
    enum lingering l = lingering_of("", member_int(reply.result, "pid", 0));
    str_copy(db, PATHS_MAX, member_string(reply.result, "db", ""));
    if (*trouble != '\0')
        add_own(d, "daemon", trouble, "it goes on by itself once it can write again");
    else if (l != LINGERING_FINE)
        add_own(d, "daemon", lingering_says(l), lingering_mend(l));
    else
        add_own(d, "daemon", *waiting != '\0' ? waiting : "runs", "");
    rpc_reply_finish(&reply);
}

int cmd_doctor(struct client *c)
{
    static const struct table_column columns[] = {{"check", false}, {"is", false}, {"says", false}};
    struct doctor d = {.client = c};
    struct buf text = {0};
    char db[PATHS_MAX] = "";
    jw_init(&d.w, &d.rows);
    render_table_init(&d.table, columns, 3);
    jw_begin_object(&d.w);
    jw_key(&d.w, "checks");
    jw_begin_array(&d.w);
    check_daemon(&d, db);
    check_machine(&d, db);
    jw_end_array(&d.w);
    jw_end_object(&d.w);
    buf_putc(&d.rows, '\n');
    render_table_print(&d.table, c->width, c->colour, &text);
    if (c->json)
        client_print_document(c, &d.rows);
    else
        client_print(c, &text);
    render_table_finish(&d.table);
    buf_finish(&text);
    buf_finish(&d.rows);
    return d.wrong ? CLIENT_REFUSED : CLIENT_DONE;
}
