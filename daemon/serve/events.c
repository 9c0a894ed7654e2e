#include "daemon/serve/events.h"

#include <stddef.h>
#include <stdlib.h>

#include "daemon/serve/conn.h"
#include "sweep/buf.h"
#include "sweep/rpc.h"

#define WATCHES_PER_CLIENT_MAX 64

struct watch {
    struct conn *conn; /* borrowed: the client's end unsubscribes it */
    int64_t sweep_id;
};

struct events {
    struct watch *watches; /* a client's lie in the order of its requests */
    size_t count, cap;
};

struct events *events_create(void)
{
    return xcalloc(1, sizeof(struct events));
}

void events_destroy(struct events *e)
{
    if (!e)
        return;
    free(e->watches);
    free(e);
}

bool events_subscribe(struct events *e, struct conn *conn, int64_t sweep_id)
{
    size_t own = 0;
    for (size_t i = 0; i < e->count; i++) {
        if (e->watches[i].conn != conn)
            continue;
        if (e->watches[i].sweep_id == sweep_id)
            return true;
        own++;
    }
    if (own >= WATCHES_PER_CLIENT_MAX)
        return false;
    e->watches = array_room(e->watches, &e->cap, e->count, sizeof(*e->watches));
    e->watches[e->count++] = (struct watch){conn, sweep_id};
    return true;
}

void events_unsubscribe(struct events *e, const struct conn *conn)
{
    size_t kept = 0;
    for (size_t i = 0; i < e->count; i++) {
        if (e->watches[i].conn != conn)
            e->watches[kept++] = e->watches[i];
    }
    e->count = kept;
}

bool events_watches(const struct events *e, const struct conn *conn)
{
    for (size_t i = 0; i < e->count; i++) {
        if (e->watches[i].conn == conn)
            return true;
    }
    return false;
}

/* A client that watches both a sweep and all of them hears it once. */
static bool sent_before(const struct events *e, size_t i, int64_t sweep_id)
{
    for (size_t k = 0; k < i; k++) {
        if (e->watches[k].conn == e->watches[i].conn &&
            (e->watches[k].sweep_id == 0 || e->watches[k].sweep_id == sweep_id))
            return true;
    }
    return false;
}

void events_notify(struct events *e, int64_t sweep_id, const char *method, const char *params)
{
    if (e->count == 0)
        return;
    struct buf line = {0};
    rpc_write_notification(&line, method, params);
    for (size_t i = 0; i < e->count; i++) {
        const struct watch *w = &e->watches[i];
        if ((w->sweep_id == 0 || w->sweep_id == sweep_id) && !sent_before(e, i, sweep_id))
            conn_send(w->conn, line.data, line.len);
    }
    buf_finish(&line);
}
