#include "client/client.h"

#include <stdlib.h>

#include "client/again.h"
#include "client/report.h"

#define BEST_RUNS 10

/* What a person must know beside the specification; it goes to a file or a pipe. */
static void say_what_it_needs(struct client *c, const struct json *run)
{
    int64_t donor = member_int(json_get(run, "settings"), "start_from", 0);
    if (donor > 0) {
        char *text = xasprintf("run %lld began with the weights of run %lld, which must still be "
                               "kept", (long long)member_int(run, "id", 0), (long long)donor);
        client_say(c, text);
        free(text);
    }
}

static int print_spec(struct client *c, const struct json *run, const struct json *sweep)
{
    struct errbuf err;
    struct buf text = {0};
    if (again_write(json_get(sweep, "spec"), run, &text, &err) != 0) {
        buf_finish(&text);
        return client_fail(c, CLIENT_REFUSED, &err);
    }
    say_what_it_needs(c, run);
    client_print_document(c, &text);
    return CLIENT_DONE;
}

static int run_spec(struct client *c, int64_t id)
{
    struct rpc_reply run, show;
    int status = client_call_id(c, "run", "run", id, &run);
    if (status != CLIENT_DONE)
        return status;
    const struct json *row = json_get(run.result, "run");
    status = client_call_id(c, "show", "sweep", member_int(row, "sweep_id", 0), &show);
    if (status == CLIENT_DONE) {
        status = print_spec(c, row, json_get(show.result, "sweep"));
        rpc_reply_finish(&show);
    }
    rpc_reply_finish(&run);
    return status;
}

static int winner_spec(struct client *c)
{
    struct rpc_reply reply;
    struct errbuf err;
    if (opts_has(&c->opts, OPTION_RUN))
        return run_spec(c, c->opts.number[OPTION_RUN]);
    int status = report_call_best(c, c->opts.id, 1, &reply);
    if (status != CLIENT_DONE)
        return status;
    int64_t winner = report_winner_id(reply.result);
    if (winner == 0) {
        err_set(&err, ERR_STATE, "sweep %lld: no run has a result yet",
                (long long)member_int(reply.result, "sweep", 0));
        status = client_fail(c, CLIENT_REFUSED, &err);
    }
    rpc_reply_finish(&reply);
    return status == CLIENT_DONE ? run_spec(c, winner) : status;
}

int cmd_best(struct client *c)
{
    struct rpc_reply reply;
    int64_t limit = opts_has(&c->opts, OPTION_LIMIT) ? c->opts.number[OPTION_LIMIT] : BEST_RUNS;
    if (limit > RPC_PAGE_MAX)
        return client_usage(c, "-n: got %lld; allowed: 1 to %d", (long long)limit, RPC_PAGE_MAX);
    if (opts_has(&c->opts, OPTION_SPEC))
        return winner_spec(c);
    if (opts_has(&c->opts, OPTION_RUN))
        return client_usage(c, "--run goes with --spec: the specification of that run");
    int status = report_call_best(c, c->opts.id, limit, &reply);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        report_best(c, reply.result);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
