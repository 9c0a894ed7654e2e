#include "daemon/serve/cmd/wait.h"

#include <string.h>

#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/run.h"

/* The row decides, not a message on the way: it says so also after a restart. */
static void answer_if_over(struct request *r, const struct table *t)
{
    if (t->rows == 0) {
        request_refuse(r, ERR_NOT_FOUND, "sweep %lld was deleted", (long long)r->subject);
        return;
    }
    const char *status = table_text(t, 0, "status", NULL);
    int s = status ? sweep_status_find(status) : -1;
    if (s >= 0 && s != SWEEP_HELD && !sweep_status_terminal((enum sweep_status)s))
        return; /* wait_wake comes back */
    jw_begin_object(&r->w);
    jw_kv_int(&r->w, "sweep", r->subject);
    jw_kv_string(&r->w, "status", status);
    jw_kv_string(&r->w, "reason", table_text(t, 0, "reason", NULL));
    jw_end_object(&r->w);
    request_result_built(r);
}

static void query(struct request *r)
{
    request_query(r, STORE_QUERY_SWEEP, &r->subject, 1, answer_if_over);
}

static void run(struct request *r)
{
    request_resolve_sweep(r, query);
}

const struct command command_wait = {
    .name = "wait",
    .lasting = true,
    .params = {PARAM_SWEEP(true)},
    .run = run,
};

static void wake_one(struct request *r, void *arg)
{
    const int64_t *sweep_id = arg;
    if (r->subject == *sweep_id)
        query(r);
}

void wait_wake(struct daemon *d, int64_t sweep_id)
{
    requests_each(d->requests, &command_wait, wake_one, &sweep_id);
}
