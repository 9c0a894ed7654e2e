#include "client/client.h"

#include "client/report.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define PILOTS_SHOWN 20 /* of a sweep */

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

static const struct field cluster_fields[] = {
    {"sweep", "sweep", CELL_NUMBER, FIELD_PLAIN},
    {"on", "launcher", CELL_TEXT, FIELD_PLAIN},
    {"slots", "slots", CELL_COUNT, FIELD_PLAIN},
    {"pilots", "pilots_running", CELL_COUNT, FIELD_PLAIN},
    {"waiting", "pilots_waiting", CELL_COUNT, FIELD_PLAIN},
    {"for", "waiting_for", CELL_TEXT, FIELD_PLAIN},
    {"job name", "job_name", CELL_TEXT, FIELD_PLAIN, 5},
    {"trouble", "trouble", CELL_TEXT, FIELD_PLAIN},
};

static const struct field pilot_fields[] = {
    {"pilot", "pilot", CELL_TEXT, FIELD_PLAIN},
    {"job", "job", CELL_TEXT, FIELD_PLAIN},
    {"state", "state", CELL_TEXT, FIELD_PLAIN},
    {"host", "host", CELL_TEXT, FIELD_PLAIN},
    {"run", "run", CELL_NUMBER, FIELD_PLAIN},
};

/* Of a sweep, so many that they fit on a screen. */
static void report_pilots(struct client *c, const struct json *cluster)
{
    struct report r;
    const struct json *pilots = json_get(cluster, "pilots");
    size_t count = json_count(pilots), shown = count > PILOTS_SHOWN + 1 ? PILOTS_SHOWN : count;
    if (count == 0)
        return;
    fprintf(c->out, "\npilots of sweep %.0f\n", number(cluster, "sweep"));
    report_init(&r, pilot_fields, ARRAY_LEN(pilot_fields));
    const struct json *v = json_first(pilots);
    for (size_t i = 0; i < shown; i++, v = json_next(v))
        report_row(&r, v);
    report_print(&r, c);
    if (shown < count)
        fprintf(c->out, "and %zu more; status --json has them all\n", count - shown);
}

/* Sweeps that run elsewhere, and who carries their runs out there. */
static void report_clusters(struct client *c, const struct json *clusters)
{
    if (json_count(clusters) == 0)
        return;
    fputc('\n', c->out);
    report_list(c, cluster_fields, ARRAY_LEN(cluster_fields), clusters);
    for (const struct json *v = json_first(clusters); v != NULL; v = json_next(v))
        report_pilots(c, v);
}

int cmd_status(struct client *c)
{
    struct rpc_reply reply;
    int status = client_call(c, "status", "{}", &reply);
    if (status != CLIENT_DONE)
        return status;
    if (c->json) {
        client_print_json(c, reply.result);
    } else {
        report_members(c, fields, ARRAY_LEN(fields), reply.result);
        report_resources(c, json_get(reply.result, "resources"));
        report_clusters(c, json_get(reply.result, "clusters"));
    }
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
