#include "daemon/serve/request.h"

static void answer(struct request *r)
{
    request_answer_page(r, STORE_QUERY_DECISIONS);
}

static void run(struct request *r)
{
    request_resolve_sweep(r, answer);
}

const struct command command_decisions = {
    .name = "decisions",
    .params = {PARAM_SWEEP(false), PARAM_CURSOR(0), PARAM_LIMIT(100)},
    .rows = "decisions",
    .cursor = "id",
    .run = run,
};
