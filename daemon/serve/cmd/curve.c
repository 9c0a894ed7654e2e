/* The points of a run; where it is asked for, also what was measured there under other names. */
#include "daemon/serve/request.h"

static void take_points(struct request *r, const struct table *t)
{
    request_write_page(r, t);
    jw_end_object(&r->w);
    request_result_built(r);
}

static void take_metrics(struct request *r, const struct table *t)
{
    const int64_t args[] = {r->subject, r->arg[1], r->arg[2]};
    jw_begin_object(&r->w);
    jw_kv_int(&r->w, "run", r->subject);
    request_write_rows(r, "metrics", t);
    request_query(r, STORE_QUERY_CURVE, args, 3, take_points);
}

static void answer(struct request *r)
{
    const int64_t args[] = {r->subject, r->arg[1], r->arg[2]};
    if (r->arg[3])
        request_query(r, STORE_QUERY_METRICS, args, 3, take_metrics);
    else
        request_answer_page(r, STORE_QUERY_CURVE);
}

static void run(struct request *r)
{
    request_resolve_run(r, answer);
}

const struct command command_curve = {
    .name = "curve",
    .params = {PARAM_RUN(true), PARAM_CURSOR(0), PARAM_LIMIT(RPC_PAGE_MAX),
               {"metrics", PARAM_SWITCH, false, 0, 1, 0}},
    .rows = "points",
    .cursor = "point",
    .run = run,
};
