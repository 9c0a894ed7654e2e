#include "daemon/serve/request.h"

static void answer(struct request *r)
{
    request_answer_page(r, STORE_QUERY_CURVE);
}

static void run(struct request *r)
{
    request_resolve_run(r, answer);
}

const struct command command_curve = {
    .name = "curve",
    .params = {PARAM_RUN(true), PARAM_CURSOR(0), PARAM_LIMIT(RPC_PAGE_MAX)},
    .rows = "points",
    .cursor = "point",
    .run = run,
};
