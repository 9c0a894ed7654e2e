#include "client/client.h"

#include <stdlib.h>

#include "client/progress.h"
#include "client/report.h"
#include "sweep/require.h"

static const struct field moved_fields[] = {
    {"runs", "runs", CELL_COUNT, FIELD_PLAIN},
    {"was", "from", CELL_TEXT, FIELD_WORD},
    {"is", "to", CELL_TEXT, FIELD_WORD},
};

static void print_relabelled(struct client *c, const struct json *reply)
{
    char *labelled = render_member(reply, "looked", CELL_COUNT);
    char *changed = render_member(reply, "changed", CELL_COUNT);
    int64_t left_out = member_int(reply, "left_out", 0);
    fprintf(c->out, "%s runs judged again, by rules %lld: %s labels changed\n", labelled,
            (long long)member_int(reply, "classifier_version", 0), changed);
    report_list(c, moved_fields, ARRAY_LEN(moved_fields), json_get(reply, "moved"));
    if (left_out > 0)
        fprintf(c->out, "%lld runs of sweeps that go on were left out\n", (long long)left_out);
    free(labelled);
    free(changed);
}

int cmd_relabel(struct client *c)
{
    struct rpc_reply reply;
    struct progress progress;
    progress_begin(&progress, c, "the daemon judges stored runs");
    int status = c->opts.arg != NULL ? client_call_id(c, "relabel", "sweep", c->opts.id, &reply)
                                     : client_call(c, "relabel", "{}", &reply);
    progress_end(&progress);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        print_relabelled(c, reply.result);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
