#include "daemon/serve/request.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "daemon/serve/conn.h"
#include "daemon/state.h"
#include "sweep/err.h"

#define BUCKETS 256
/* A commit takes milliseconds, seconds on a bad day. */
#define TROUBLE_WAIT_MS 5000
#define COMMIT_WAIT_MS 30000

struct requests {
    uint64_t last_id;
    struct request *buckets[BUCKETS]; /* by id */
};

struct requests *requests_create(void)
{
    return xcalloc(1, sizeof(struct requests));
}

static void request_free(struct request *r)
{
    buf_finish(&r->text);
    buf_finish(&r->notes);
    buf_finish(&r->ids);
    if (r->extra_finish)
        r->extra_finish(r->extra);
    free(r->extra);
    free(r);
}

void requests_destroy(struct requests *q)
{
    if (!q)
        return;
    requests_drop(q, NULL);
    free(q);
}

struct request *request_create(struct daemon *d, struct conn *conn, const struct rpc_id *rpc_id,
                               const struct command *command)
{
    struct request *r = xcalloc(1, sizeof(*r));
    r->id = ++d->requests->last_id;
    r->daemon = d;
    r->conn = conn;
    r->rpc_id = *rpc_id;
    r->command = command;
    jw_init(&r->w, &r->text);
    struct request **bucket = &d->requests->buckets[r->id % BUCKETS];
    r->next = *bucket;
    *bucket = r;
    conn_request_begins(conn, command->lasting);
    return r;
}

struct request *request_find(struct requests *q, uint64_t id)
{
    struct request *r = q->buckets[id % BUCKETS];
    while (r && r->id != id)
        r = r->next;
    return r;
}

/* conn NULL: all. */
void requests_drop(struct requests *q, const struct conn *conn)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        struct request **at = &q->buckets[i];
        while (*at) {
            struct request *r = *at;
            if (conn && r->conn != conn) {
                at = &r->next;
                continue;
            }
            *at = r->next;
            request_free(r);
        }
    }
}

void requests_each(struct requests *q, const struct command *command,
                   void (*each)(struct request *r, void *arg), void *arg)
{
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct request *r = q->buckets[i], *next; r; r = next) {
            next = r->next;
            if (!command || r->command == command)
                each(r, arg);
        }
    }
}

static void fail_one(struct request *r, void *arg)
{
    request_error(r, arg);
}

void requests_fail_all(struct requests *q, const struct errbuf *err)
{
    struct errbuf copy = *err;
    requests_each(q, NULL, fail_one, &copy);
}

/* Unlinks first: sending may find that the client is gone. */
static void request_end(struct request *r, struct buf *line)
{
    struct request **at = &r->daemon->requests->buckets[r->id % BUCKETS];
    while (*at != r)
        at = &(*at)->next;
    *at = r->next;
    if (r->rpc_id.present)
        conn_send(r->conn, line->data, line->len);
    conn_request_ended(r->conn, r->command->lasting);
    buf_finish(line);
    request_free(r);
}

void request_note(struct request *r, const char *sentence)
{
    struct json_writer w;

    buf_puts(&r->notes, r->notes.len > 0 ? "," : "");
    jw_init(&w, &r->notes);
    jw_string(&w, sentence);
}

void request_result(struct request *r, const char *json)
{
    struct buf line = {0};
    size_t len = strlen(json);
    char *noted = NULL;

    if (r->notes.len > 0 && len > 2)
        noted = xasprintf("%.*s,\"notes\":[%s]}", (int)(len - 1), json, r->notes.data);
    rpc_write_result(&line, &r->rpc_id, noted ? noted : json);
    free(noted);
    request_end(r, &line);
}

void request_result_built(struct request *r)
{
    request_result(r, r->text.data);
}

void request_errors(struct request *r, const struct errbuf *err, size_t count)
{
    struct buf line = {0};
    rpc_write_errors(&line, &r->rpc_id, err, count);
    request_end(r, &line);
}

void request_error(struct request *r, const struct errbuf *err)
{
    request_errors(r, err, 1);
}

void request_refuse(struct request *r, int code, const char *fmt, ...)
{
    struct errbuf err;
    char text[512];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    err_set(&err, code, "%s", text);
    request_error(r, &err);
}

/* --- the store ------------------------------------------------------------------------------ */

struct asked {
    struct requests *requests;
    uint64_t id;
};

static void on_table(void *arg, const struct table *t, const struct errbuf *err)
{
    struct asked *asked = arg;
    struct request *r = request_find(asked->requests, asked->id);
    free(asked);
    if (!r)
        return;
    if (t)
        r->rows(r, t);
    else
        request_error(r, err);
}

void request_query_named(struct request *r, const struct store_named_query *q,
                         void (*next)(struct request *r, const struct table *t))
{
    struct asked *asked = xmalloc(sizeof(*asked));
    asked->requests = r->daemon->requests;
    asked->id = r->id;
    r->rows = next;
    store_query(r->daemon->store, q, on_table, asked);
}

void request_query(struct request *r, enum store_query_id id, const int64_t *args, size_t count,
                   void (*next)(struct request *r, const struct table *t))
{
    request_query_named(r, &(struct store_named_query){.id = id, .args = args, .count = count},
                        next);
}

static void on_subject(struct request *r, const struct table *t)
{
    const char *what = r->command->params[0].name;
    struct errbuf err;
    char given[32];
    if (t->rows == 1 && r->given[0]) {
        r->subject = r->arg[0];
        r->then(r);
    } else if (t->rows == 1 && t->cells[0].type == CELL_INTEGER && t->cells[0].integer > 0) {
        r->subject = t->cells[0].integer;
        r->then(r);
    } else if (r->given[0]) {
        snprintf(given, sizeof(given), "%" PRId64, r->arg[0]);
        err_bad(&err, ERR_NOT_FOUND, what[0] == 's' ? "$.sweep" : "$.run", given,
                "the id of a %s that exists", what);
        request_error(r, &err);
    } else {
        request_refuse(r, ERR_NOT_FOUND, "there are no sweeps yet (`sweepctl submit SPEC.json`)");
    }
}

void request_resolve_sweep(struct request *r, void (*next)(struct request *r))
{
    r->then = next;
    if (r->given[0])
        request_query(r, STORE_QUERY_SWEEP, r->arg, 1, on_subject);
    else
        request_query(r, STORE_QUERY_LAST_SWEEP, NULL, 0, on_subject);
}

void request_resolve_run(struct request *r, void (*next)(struct request *r))
{
    r->then = next;
    request_query(r, STORE_QUERY_RUN, r->arg, 1, on_subject);
}

/* --- a run and its label -------------------------------------------------------------------- */

static void on_label(struct request *r, const struct table *t)
{
    jw_key(&r->w, "label");
    if (t->rows > 0)
        table_row_write(t, 0, &r->w);
    else
        jw_null(&r->w);
    r->opened(r, t);
}

static void on_run(struct request *r, const struct table *t)
{
    if (t->rows == 0) {
        request_refuse(r, ERR_NOT_FOUND, "run %" PRId64 " was deleted", r->subject);
        return;
    }
    jw_begin_object(&r->w);
    jw_key(&r->w, "run");
    table_row_write(t, 0, &r->w);
    request_query(r, STORE_QUERY_LABEL, &r->subject, 1, on_label);
}

static void ask_run(struct request *r)
{
    request_query(r, STORE_QUERY_RUN, &r->subject, 1, on_run);
}

void request_open_run(struct request *r,
                      void (*next)(struct request *r, const struct table *label))
{
    r->opened = next;
    request_resolve_run(r, ask_run);
}

/* --- pages ---------------------------------------------------------------------------------- */

void request_write_rows(struct request *r, const char *name, const struct table *t)
{
    jw_key(&r->w, name);
    jw_begin_array(&r->w);
    for (size_t i = 0; i < t->rows; i++)
        table_row_write(t, i, &r->w);
    jw_end_array(&r->w);
}

/* A page that is not full is the last one. */
static void write_page(struct request *r, const struct table *t, int64_t limit)
{
    request_write_rows(r, r->command->rows, t);
    const struct cell *last =
        t->rows > 0 && (int64_t)t->rows >= limit ? table_cell(t, t->rows - 1, r->command->cursor)
                                                 : NULL;
    jw_key(&r->w, "cursor");
    if (last && last->type == CELL_INTEGER)
        jw_int(&r->w, last->integer);
    else
        jw_null(&r->w);
}

static int64_t limit_of(const struct request *r)
{
    size_t i = 0;
    while (strcmp(r->command->params[i].name, "limit") != 0)
        i++;
    return r->arg[i];
}

void request_write_page(struct request *r, const struct table *t)
{
    write_page(r, t, limit_of(r));
}

static void on_page(struct request *r, const struct table *t)
{
    jw_begin_object(&r->w);
    if (r->subject)
        jw_kv_int(&r->w, r->command->params[0].name, r->subject);
    request_write_page(r, t);
    jw_end_object(&r->w);
    request_result_built(r);
}

void request_answer_page(struct request *r, enum store_query_id id)
{
    int64_t args[] = {r->subject, r->arg[1], r->arg[2]};
    if (r->subject)
        request_query(r, id, args, 3, on_page);
    else
        request_query(r, id, r->arg, 2, on_page);
}

void request_answer_rows(struct request *r, const struct store_named_query *q)
{
    request_query(r, q->id, q->args, q->count, on_page);
}

/* --- commits that do not come ----------------------------------------------------------------- */

void request_waits_for_commit(struct request *r, bool waits)
{
    r->writes_since_ms = waits ? loop_monotonic_ms() : 0;
}

static void expire_one(struct request *r, void *arg)
{
    const char *trouble = arg;
    uint64_t waited_ms = loop_monotonic_ms() - r->writes_since_ms;
    bool is_submit = strcmp(r->command->name, "submit") == 0;

    if (r->writes_since_ms == 0 || waited_ms < (*trouble ? TROUBLE_WAIT_MS : COMMIT_WAIT_MS))
        return;
    request_refuse(r, ERR_TIMEOUT,
                   "%s is not done after %" PRIu64 " s, and may still be: %s. It waits for the "
                   "database: %s",
                   r->command->name, waited_ms / 1000,
                   is_submit ? "submit it again with the same id to learn which"
                             : "look before you ask again",
                   *trouble ? trouble : "the disk has not answered since");
}

void requests_expire(struct requests *q, const char *trouble)
{
    char copy[1024];
    str_copy(copy, sizeof(copy), trouble);
    requests_each(q, NULL, expire_one, copy);
}

void *request_token(struct request *r)
{
    request_waits_for_commit(r, true);
    return (void *)(uintptr_t)r->id;
}

struct request *request_of_token(struct requests *q, void *token)
{
    return request_find(q, (uintptr_t)token);
}
