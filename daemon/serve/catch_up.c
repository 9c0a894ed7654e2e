#include "daemon/serve/catch_up.h"

#include <stdlib.h>

#include "daemon/serve/conn.h"
#include "daemon/serve/message.h"
#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/rpc.h"

/* --- what is missed ------------------------------------------------------------------------- */

void lag_finish(struct lag *lag)
{
    for (size_t i = 0; i < lag->held_count; i++)
        message_release(lag->held[i].message);
    free(lag->held);
    free(lag->sweeps);
    *lag = (struct lag){0};
}

bool lag_is_behind(const struct lag *lag)
{
    return lag->sweep_count > 0 || lag->others > 0;
}

static void miss(struct lag *lag, int64_t sweep_id)
{
    size_t i = 0;
    while (i < lag->sweep_count && lag->sweeps[i].sweep_id != sweep_id)
        i++;
    if (i == LAG_SWEEPS_MAX || sweep_id == 0) {
        lag->others++;
        return;
    }
    if (i == lag->sweep_count) {
        lag->sweeps = array_room(lag->sweeps, &lag->sweep_cap, i, sizeof(*lag->sweeps));
        lag->sweeps[lag->sweep_count++] = (struct missed){sweep_id, 0};
    }
    lag->sweeps[i].count++;
}

void lag_tell(struct lag *lag, struct conn *conn, int64_t sweep_id, struct message *m)
{
    if (lag->catching_up && lag->held_count < HELD_MAX && !lag_is_behind(lag)) {
        lag->held = array_room(lag->held, &lag->held_cap, lag->held_count, sizeof(*lag->held));
        lag->held[lag->held_count++] = (struct held){sweep_id, message_hold(m)};
    } else if (lag->catching_up || lag_is_behind(lag) || !conn_notify(conn, m)) {
        miss(lag, sweep_id);
    }
}

/* --- the way back --------------------------------------------------------------------------- */

static void note(struct conn *conn, const char *method, struct buf *params)
{
    struct buf line = {0};
    rpc_write_notification(&line, method, params->data);
    struct message *m = message_create(line.data, line.len);
    conn_notify(conn, m);
    message_release(m);
    buf_finish(&line);
    buf_finish(params);
}

/* sweep_id 0: of several sweeps, or of none. */
static void tell_lagged(struct conn *conn, int64_t sweep_id, int64_t count)
{
    struct buf params = {0};
    struct json_writer w;
    jw_init(&w, &params);
    jw_begin_object(&w);
    jw_key(&w, "sweep");
    if (sweep_id)
        jw_int(&w, sweep_id);
    else
        jw_null(&w);
    jw_kv_int(&w, "missed", count);
    jw_end_object(&w);
    note(conn, "lagged", &params);
}

/* The sweeps whose snapshots a client gets, one query each: a request of ours in its name, so that
 * it ends with the client. */
struct catch_up {
    struct daemon *daemon;
    struct conn *conn;
    void (*done)(struct daemon *d, struct conn *conn);
    size_t next, count;
    int64_t sweeps[LAG_SWEEPS_MAX];
};

static void ask(struct request *r);

static void take_sweep(struct request *r, const struct table *t)
{
    struct catch_up *c = r->extra;
    int64_t id = c->sweeps[c->next++];
    bool found = t->rows == 1 && table_cell(t, 0, "id")->integer == id;
    struct buf params = {0};
    struct json_writer w;
    jw_init(&w, &params);
    jw_begin_object(&w);
    jw_kv_int(&w, "sweep", id);
    jw_key(&w, "state");
    if (found)
        table_row_write(t, 0, &w);
    else
        jw_null(&w); /* deleted */
    jw_end_object(&w);
    note(c->conn, "snapshot", &params);
    ask(r);
}

static void ask(struct request *r)
{
    const struct catch_up *c = r->extra;
    if (c->next == c->count) {
        request_result(r, "null"); /* to nobody: it has no id */
        return;
    }
    int64_t from[] = {c->sweeps[c->next] - 1, 1};
    request_query(r, STORE_QUERY_SWEEPS, from, 2, take_sweep);
}

/* Whether all snapshots were sent or a query failed: `lagged` says enough to look for oneself. */
static void end(void *extra)
{
    const struct catch_up *c = extra;
    c->done(c->daemon, c->conn);
}

static const struct command snapshot = {.name = "snapshot", .run = ask};

void lag_catch_up(struct lag *lag, struct daemon *d, struct conn *conn,
                  void (*done)(struct daemon *d, struct conn *conn))
{
    struct rpc_id none = {.present = false};
    if (lag->catching_up)
        return;
    struct catch_up *c = xcalloc(1, sizeof(*c));
    lag->catching_up = true;
    *c = (struct catch_up){d, conn, done, .count = lag->sweep_count};
    for (size_t i = 0; i < lag->sweep_count; i++) {
        c->sweeps[i] = lag->sweeps[i].sweep_id;
        tell_lagged(conn, lag->sweeps[i].sweep_id, lag->sweeps[i].count);
    }
    if (lag->others > 0)
        tell_lagged(conn, 0, lag->others);
    lag->sweep_count = 0;
    lag->others = 0;
    struct request *r = request_create(d, conn, &none, &snapshot);
    r->extra = c;
    r->extra_finish = end;
    ask(r);
}

void lag_caught_up(struct lag *lag, struct conn *conn)
{
    struct held *held = lag->held;
    size_t count = lag->held_count;
    lag->catching_up = false;
    lag->held = NULL;
    lag->held_count = lag->held_cap = 0;
    for (size_t i = 0; i < count; i++) {
        lag_tell(lag, conn, held[i].sweep_id, held[i].message);
        message_release(held[i].message);
    }
    free(held);
}
