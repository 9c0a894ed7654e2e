#include "daemon/serve/events.h"
#include "daemon/serve/request.h"
#include "daemon/state.h"

/* Subscribed before the reply is queued: what happens after it is told, and nothing before it. */
static void subscribe(struct request *r)
{
    if (!events_subscribe(r->daemon->events, r->conn, r->subject)) {
        request_refuse(r, ERR_LIMIT, "this client watches too many sweeps; watch all instead");
        return;
    }
    jw_begin_object(&r->w);
    jw_key(&r->w, "watching");
    if (r->subject)
        jw_int(&r->w, r->subject);
    else
        jw_null(&r->w);
    jw_end_object(&r->w);
    request_result_built(r);
}

static void run(struct request *r)
{
    if (r->given[0])
        request_resolve_sweep(r, subscribe);
    else
        subscribe(r);
}

const struct command command_watch = {
    .name = "watch",
    .params = {PARAM_SWEEP(false)},
    .run = run,
};
