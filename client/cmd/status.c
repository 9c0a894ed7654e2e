#include "client/client.h"

#include "client/report.h"
#include "sweep/require.h"

static const struct field fields[] = {
    {"daemon", "version", CELL_TEXT, FIELD_PLAIN},
    {"process", "pid", CELL_NUMBER, FIELD_PLAIN},
    {"up", "uptime_seconds", CELL_DURATION, FIELD_PLAIN},
    {"database", "db", CELL_TEXT, FIELD_PLAIN},
    {"socket", "socket", CELL_TEXT, FIELD_PLAIN},
    {"workers", "workers", CELL_COUNT, FIELD_PLAIN},
    {"running", "running", CELL_COUNT, FIELD_PLAIN},
    {"queued", "queued", CELL_COUNT, FIELD_PLAIN},
    {"delayed", "delayed", CELL_COUNT, FIELD_PLAIN},
    {"worker program", "worker", CELL_TEXT, FIELD_PLAIN},
    {"BLAS", "blas", CELL_TEXT, FIELD_PLAIN},
    {"BLAS kernels", "core", CELL_TEXT, FIELD_PLAIN},
    {"sandbox", "sandbox", CELL_TEXT, FIELD_PLAIN},
    {"stopping", "stopping", CELL_TEXT, FIELD_PLAIN},
    {"trouble", "trouble", CELL_TEXT, FIELD_PLAIN},
    {"trouble with workers", "launch_trouble", CELL_TEXT, FIELD_PLAIN},
    {"damage", "damage", CELL_TEXT, FIELD_PLAIN},
    {"starts wait", "waiting", CELL_TEXT, FIELD_PLAIN},
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
