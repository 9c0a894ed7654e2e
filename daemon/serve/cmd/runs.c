#include "daemon/serve/request.h"

static void answer(struct request *r)
{
    request_answer_page(r, STORE_QUERY_RUNS);
}

static void run(struct request *r)
{
    request_resolve_sweep(r, answer);
}

const struct command command_runs = {
    .name = "runs",
    .params = {PARAM_SWEEP(false), PARAM_CURSOR(-1), PARAM_LIMIT(100)},
    .rows = "runs",
    .cursor = "number",
    .run = run,
};
