#include "client/client.h"

#include "client/report.h"
#include "sweep/buf.h"
#include "sweep/json.h"
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

static double number(const struct json *v, const char *key)
{
    double n = 0;
    (void)json_get_real(v, key, &n, NULL);
    return n;
}

/* "cpus 2 of 8, gpus 1.5 of 2 (0: 1, 1: 0.5)": what there is of each, and is taken. */
static void report_resources(struct client *c, const struct json *resources)
{
    struct buf line = {0};
    for (const struct json *r = json_first(resources); r != NULL; r = json_next(r)) {
        const struct json *devices = json_get(r, "devices");
        const char *comma = " (";
        if (number(r, "total") == 0)
            continue;
        buf_printf(&line, "%s%s %g of %.10g", line.len ? ", " : "", json_key(r), number(r, "taken"),
                   number(r, "total"));
        for (const struct json *d = json_first(devices); d != NULL; d = json_next(d)) {
            buf_printf(&line, "%s%s: %g", comma, json_key(d), number(devices, json_key(d)));
            comma = ", ";
        }
        buf_puts(&line, comma[0] == ',' ? ")" : "");
    }
    if (line.len > 0)
        report_line(c, "resources", line.data, TONE_PLAIN);
    buf_finish(&line);
}

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
    if (!c->json)
        report_resources(c, json_get(reply.result, "resources"));
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
