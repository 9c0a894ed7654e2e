#include "client/kept.h"

#include <stdlib.h>

#include "client/report.h"

#define BEST_RUNS 3   /* of a sweep keep their weights … */
#define FRONT_RUNS 16 /* … and with several objectives so many of its front at most */

/* Appends the number of the run, if it has weights. */
static int add_if_kept(struct client *c, int64_t run, struct buf *list)
{
    struct rpc_reply reply;
    int status = client_call_id(c, "run", "run", run, &reply);
    if (status != CLIENT_DONE)
        return status;
    if (member_string(reply.result, "weights", NULL) != NULL)
        buf_printf(list, "%s%lld", list->len > 0 ? ", " : "", (long long)run);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}

static int not_kept(struct client *c, int64_t sweep)
{
    struct rpc_reply reply;
    struct errbuf err;
    struct buf list = {0};
    char *params = xasprintf("{\"sweep\":%lld,\"limit\":%d}", (long long)sweep, BEST_RUNS);
    int status = client_call(c, "best", params, &reply);
    free(params);
    if (status != CLIENT_DONE)
        return status;
    const struct json *front = json_first(json_get(reply.result, "front"));
    const struct json *run = front ? front : json_first(json_get(reply.result, "runs"));
    for (int i = 0; run != NULL && i < FRONT_RUNS && status == CLIENT_DONE; i++) {
        status = add_if_kept(c, member_int(run, "run_id", 0), &list);
        run = json_next(run);
    }
    rpc_reply_finish(&reply);
    if (status == CLIENT_DONE) {
        err_set(&err, ERR_NOT_FOUND,
                "run %lld has no weights: only the %s of a sweep keep theirs; in sweep %lld: %s. "
                "`sweepctl replay %lld -o FILE` trains them again",
                (long long)c->opts.id, front ? "runs on the front" : "best 3 runs",
                (long long)sweep, list.len > 0 ? list.data : "none yet", (long long)c->opts.id);
        status = client_fail(c, CLIENT_REFUSED, &err);
    }
    buf_finish(&list);
    return status;
}

/* Of a program nobody knows what it saved. */
static int not_ours(struct client *c, const char *folder)
{
    struct errbuf err;
    err_set(&err, ERR_STATE,
            "run %lld is a program of one's own: what it has saved is where it put it%s%s",
            (long long)c->opts.id, folder != NULL ? "; its folder is " : "",
            folder != NULL ? folder : "");
    return client_fail(c, CLIENT_REFUSED, &err);
}

int kept_weights(struct client *c, const struct json *reply, const char **out)
{
    const struct json *run = json_get(reply, "run");
    const char *weights = member_string(reply, "weights", NULL);
    if (report_is_program(run))
        return not_ours(c, member_string(reply, "folder", NULL));
    if (weights == NULL)
        return not_kept(c, member_int(run, "sweep_id", 0));
    *out = weights;
    return CLIENT_DONE;
}
