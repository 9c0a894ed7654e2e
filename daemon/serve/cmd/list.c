#include "daemon/serve/request.h"

static void run(struct request *r)
{
    request_answer_page(r, STORE_QUERY_SWEEPS);
}

const struct command command_list = {
    .name = "list",
    .params = {PARAM_CURSOR(0), PARAM_LIMIT(100)},
    .rows = "sweeps",
    .cursor = "id",
    .run = run,
};
