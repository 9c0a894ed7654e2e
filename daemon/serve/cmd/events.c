#include "daemon/serve/request.h"

enum { SWEEP_PARAM, CURSOR_PARAM, LIMIT_PARAM, SINCE_PARAM, RUN_PARAM, ALL_PARAM };

static void answer(struct request *r)
{
    const int64_t args[] = {r->subject, r->arg[CURSOR_PARAM], r->arg[LIMIT_PARAM],
                            r->arg[SINCE_PARAM]};
    request_answer_rows(r, &(struct store_named_query){STORE_QUERY_EVENTS, args, 4});
}

static void answer_run(struct request *r)
{
    const int64_t args[] = {r->arg[RUN_PARAM], r->arg[CURSOR_PARAM], r->arg[LIMIT_PARAM],
                            r->arg[SINCE_PARAM]};
    request_answer_rows(r, &(struct store_named_query){STORE_QUERY_RUN_EVENTS, args, 4});
}

static void answer_all(struct request *r)
{
    const int64_t args[] = {r->arg[CURSOR_PARAM], r->arg[LIMIT_PARAM], r->arg[SINCE_PARAM]};
    request_answer_rows(r, &(struct store_named_query){STORE_QUERY_ALL_EVENTS, args, 3});
}

static void run(struct request *r)
{
    bool all = r->arg[ALL_PARAM] != 0;
    int subjects = r->given[SWEEP_PARAM] + r->given[RUN_PARAM] + all;
    struct errbuf err;
    if (subjects > 1) {
        err_bad(&err, ERR_VALUE, "$", "several of sweep, run and all", "one of them");
        request_error(r, &err);
    } else if (all) {
        answer_all(r);
    } else if (r->given[RUN_PARAM]) {
        answer_run(r);
    } else {
        request_resolve_sweep(r, answer);
    }
}

const struct command command_events = {
    .name = "events",
    .params = {PARAM_SWEEP(false),
               PARAM_CURSOR(0),
               PARAM_LIMIT(100),
               {"since", PARAM_INTEGER, false, 0, PARAM_ID_MAX, 0},
               PARAM_RUN(false),
               {"all", PARAM_SWITCH, false, 0, 1, 0}},
    .rows = "events",
    .cursor = "id",
    .run = run,
};
