/* Why a search did what it did: the rows of `decisions`, of a sweep or of one run. */
#include "daemon/serve/request.h"

enum { SWEEP_PARAM, CURSOR_PARAM, LIMIT_PARAM, RUN_PARAM };

static void answer(struct request *r)
{
    request_answer_page(r, STORE_QUERY_DECISIONS);
}

static void answer_run(struct request *r)
{
    const int64_t args[] = {r->arg[RUN_PARAM], r->arg[CURSOR_PARAM], r->arg[LIMIT_PARAM]};
    request_answer_rows(r, &(struct store_named_query){STORE_QUERY_RUN_DECISIONS, args, 3});
}

static void run(struct request *r)
{
    struct errbuf err;
    if (r->given[SWEEP_PARAM] && r->given[RUN_PARAM]) {
        err_bad(&err, ERR_VALUE, "$", "sweep and run", "one of them");
        request_error(r, &err);
    } else if (r->given[RUN_PARAM]) {
        answer_run(r);
    } else {
        request_resolve_sweep(r, answer);
    }
}

const struct command command_decisions = {
    .name = "decisions",
    .params = {PARAM_SWEEP(false), PARAM_CURSOR(0), PARAM_LIMIT(100), PARAM_RUN(false)},
    .rows = "decisions",
    .cursor = "id",
    .run = run,
};
