/* Every decision of a sweep made again, and what differs first. */
#include "client/replay_sweep.h"

#include <stdlib.h>

#include "client/progress.h"
#include "sweep/json.h"

static void print_side(struct client *c, const char *title, const struct json *d, const char *key)
{
    const char *text = member_string(d, key, "");
    char *line = xasprintf("  %s: %s", title, *text ? text : "nothing");
    client_print_wrapped(c, line, 4);
    free(line);
}

static void print_difference(struct client *c, int64_t sweep, const struct json *d)
{
    int64_t decision = member_int(d, "decision", 0);
    fprintf(c->out, "sweep %lld differs first in ", (long long)sweep);
    if (decision > 0)
        fprintf(c->out, "decision %lld", (long long)decision);
    else
        fprintf(c->out, "%s", member_string(d, "what", ""));
    if (member_int(d, "run", 0) > 0)
        fprintf(c->out, " of run %lld (#%lld)", (long long)member_int(d, "run", 0),
                (long long)member_int(d, "number", 0));
    fputs("\n", c->out);
    print_side(c, "stored", d, "stored");
    print_side(c, "made again", d, "again");
}

int replay_sweep(struct client *c, int64_t sweep)
{
    struct rpc_reply reply;
    struct progress progress;
    progress_begin(&progress, c, "the daemon decides it all again");
    int status = client_call_id(c, "replay", "sweep", sweep, &reply);
    progress_end(&progress);
    if (status != CLIENT_DONE)
        return status;
    const struct json *d = json_get(reply.result, "difference");
    bool same = d == NULL || json_type(d) == JSON_NULL;
    if (c->json)
        client_print_json(c, reply.result);
    else if (same)
        fprintf(c->out, "sweep %lld: all %lld decisions are the same, and %lld runs came to the "
                        "same\n", (long long)sweep,
                (long long)member_int(reply.result, "decisions", 0),
                (long long)member_int(reply.result, "runs", 0));
    else
        print_difference(c, sweep, d);
    rpc_reply_finish(&reply);
    return same ? CLIENT_DONE : CLIENT_REFUSED;
}
