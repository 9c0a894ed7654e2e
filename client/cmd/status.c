#include "client/client.h"

#include "client/report.h"
#include "sweep/require.h"

static const struct field fields[] = {
    {"daemon", "version", LOOK_TEXT, FIELD_PLAIN},
    {"process", "pid", LOOK_NUMBER, FIELD_PLAIN},
    {"up", "uptime_seconds", LOOK_DURATION, FIELD_PLAIN},
    {"database", "db", LOOK_TEXT, FIELD_PLAIN},
    {"socket", "socket", LOOK_TEXT, FIELD_PLAIN},
    {"workers", "workers", LOOK_COUNT, FIELD_PLAIN},
    {"running", "running", LOOK_COUNT, FIELD_PLAIN},
    {"queued", "queued", LOOK_COUNT, FIELD_PLAIN},
    {"worker program", "worker", LOOK_TEXT, FIELD_PLAIN},
    {"BLAS", "blas", LOOK_TEXT, FIELD_PLAIN},
    {"BLAS kernels", "core", LOOK_TEXT, FIELD_PLAIN},
    {"stopping", "stopping", LOOK_TEXT, FIELD_PLAIN},
    {"trouble", "trouble", LOOK_TEXT, FIELD_PLAIN},
};

int cmd_status(struct client *c)
{
    struct rpc_reply reply;
    int status = client_call(c, "status", "{}", &reply);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        report_members(c, fields, ARRAY_LEN(fields), reply.result);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
