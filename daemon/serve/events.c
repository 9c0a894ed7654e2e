#include "daemon/serve/events.h"

#include <stddef.h>
#include <stdlib.h>

#include "daemon/serve/catch_up.h"
#include "daemon/serve/conn.h"
#include "daemon/serve/message.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/rpc.h"

struct watcher {
    struct conn *conn; /* borrowed: the client's end unsubscribes it */
    bool all;
    int64_t sweeps[WATCHES_PER_CLIENT_MAX];
    size_t count;
    struct lag lag;
};

struct events {
    struct watcher **watchers;
    size_t count, cap;
};

struct events *events_create(void)
{
    return xcalloc(1, sizeof(struct events));
}

static void watcher_destroy(struct watcher *w)
{
    lag_finish(&w->lag);
    free(w);
}

void events_destroy(struct events *e)
{
    if (!e)
        return;
    for (size_t i = 0; i < e->count; i++)
        watcher_destroy(e->watchers[i]);
    free(e->watchers);
    free(e);
}

static size_t find(const struct events *e, const struct conn *conn)
{
    size_t i = 0;
    while (i < e->count && e->watchers[i]->conn != conn)
        i++;
    return i;
}

static bool hears(const struct watcher *w, int64_t sweep_id)
{
    size_t i = 0;
    while (i < w->count && w->sweeps[i] != sweep_id)
        i++;
    return w->all || i < w->count;
}

static struct watcher *watcher_of(struct events *e, struct conn *conn)
{
    size_t i = find(e, conn);
    if (i < e->count)
        return e->watchers[i];
    e->watchers = array_room(e->watchers, &e->cap, e->count, sizeof(*e->watchers));
    e->watchers[e->count] = xcalloc(1, sizeof(struct watcher));
    e->watchers[e->count]->conn = conn;
    conn_set_watching(conn, true);
    return e->watchers[e->count++];
}

bool events_subscribe(struct events *e, struct conn *conn, int64_t sweep_id)
{
    struct watcher *w = watcher_of(e, conn);
    if (sweep_id == 0)
        w->all = true;
    else if (w->count < WATCHES_PER_CLIENT_MAX && !hears(w, sweep_id))
        w->sweeps[w->count++] = sweep_id;
    return hears(w, sweep_id);
}

void events_unsubscribe(struct events *e, struct conn *conn)
{
    size_t i = find(e, conn);
    if (i == e->count)
        return;
    watcher_destroy(e->watchers[i]);
    e->watchers[i] = e->watchers[--e->count];
    conn_set_watching(conn, false);
}

void events_notify(struct events *e, int64_t sweep_id, const char *method, const char *params)
{
    if (e->count == 0)
        return;
    struct buf line = {0};
    rpc_write_notification(&line, method, params);
    struct message *m = message_create(line.data, line.len);
    buf_finish(&line);
    for (size_t i = 0; i < e->count; i++) {
        struct watcher *w = e->watchers[i];
        if (hears(w, sweep_id))
            lag_tell(&w->lag, w->conn, sweep_id, m);
    }
    message_release(m);
}

static void caught_up(struct daemon *d, struct conn *conn);

void events_relieved(struct daemon *d, struct conn *conn)
{
    size_t i = find(d->events, conn);
    if (i < d->events->count && lag_is_behind(&d->events->watchers[i]->lag))
        lag_catch_up(&d->events->watchers[i]->lag, d, conn, caught_up);
}

/* What it missed has been told: what happened meanwhile follows. */
static void caught_up(struct daemon *d, struct conn *conn)
{
    size_t i = find(d->events, conn);
    if (i == d->events->count)
        return;
    lag_caught_up(&d->events->watchers[i]->lag, conn);
    if (conn_notes(conn) == 0)
        events_relieved(d, conn);
}
