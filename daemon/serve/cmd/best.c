/* The best runs of a sweep, and the configurations that were trained from several seeds: the best
 * of those is the winner. */
#include "daemon/serve/request.h"

#define CONFIGURATIONS_MAX 12

static void take_runs(struct request *r, const struct table *t)
{
    request_write_page(r, t);
    jw_end_object(&r->w);
    request_result_built(r);
}

static void query_runs(struct request *r)
{
    const int64_t args[] = {r->subject, r->arg[1], r->arg[2]};
    request_query(r, STORE_QUERY_BEST, args, 3, take_runs);
}

/* Of a sweep with several objectives. */
static void take_front(struct request *r, const struct table *t)
{
    request_write_rows(r, "front", t);
    query_runs(r);
}

static void take_configurations(struct request *r, const struct table *t)
{
    const int64_t args[] = {r->subject, RPC_PAGE_MAX};
    jw_begin_object(&r->w);
    jw_kv_int(&r->w, "sweep", r->subject);
    request_write_rows(r, "configurations", t);
    request_query(r, STORE_QUERY_FRONT, args, 2, take_front);
}

static void answer(struct request *r)
{
    const int64_t args[] = {r->subject, CONFIGURATIONS_MAX};
    if (r->arg[1] == 0) { /* beside the first page alone */
        request_query(r, STORE_QUERY_CONFIGURATIONS, args, 2, take_configurations);
        return;
    }
    jw_begin_object(&r->w);
    jw_kv_int(&r->w, "sweep", r->subject);
    query_runs(r);
}

static void run(struct request *r)
{
    request_resolve_sweep(r, answer);
}

const struct command command_best = {
    .name = "best",
    .params = {PARAM_SWEEP(false), PARAM_CURSOR(0), PARAM_LIMIT(10)},
    .rows = "runs",
    .cursor = "rank",
    .run = run,
};
