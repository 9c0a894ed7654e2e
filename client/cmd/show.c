#include "client/client.h"

#include "client/report.h"
#include "sweep/require.h"

static const struct field sweep_fields[] = {
    {"sweep", "id", LOOK_NUMBER, FIELD_PLAIN},
    {"name", "name", LOOK_TEXT, FIELD_PLAIN},
    {"status", "status", LOOK_TEXT, FIELD_WORD},
    {"reason", "reason", LOOK_TEXT, FIELD_PLAIN},
    {"method", "method", LOOK_TEXT, FIELD_PLAIN},
    {"metric", "metric", LOOK_TEXT, FIELD_PLAIN},
    {"goal", "goal", LOOK_TEXT, FIELD_PLAIN},
    {"best", "best", LOOK_LOSS, FIELD_PLAIN},
    {"best run", "best_run", LOOK_NUMBER, FIELD_PLAIN},
    {"run cap", "run_cap", LOOK_COUNT, FIELD_PLAIN},
    {"runs", "runs", LOOK_COUNT, FIELD_PLAIN},
    {"done", "done", LOOK_COUNT, FIELD_PLAIN},
    {"running", "running", LOOK_COUNT, FIELD_PLAIN},
    {"failed", "failed", LOOK_COUNT, FIELD_PLAIN},
    {"epochs", "epochs", LOOK_COUNT, FIELD_PLAIN},
    {"seed", "seed", LOOK_TEXT, FIELD_PLAIN},
    {"samples", "data_samples", LOOK_COUNT, FIELD_PLAIN},
    {"features", "data_features", LOOK_COUNT, FIELD_PLAIN},
    {"classes", "data_classes", LOOK_COUNT, FIELD_PLAIN},
    {"submitted", "created_at", LOOK_AGO, FIELD_PLAIN},
    {"started", "started_at", LOOK_AGO, FIELD_PLAIN},
    {"ended", "ended_at", LOOK_AGO, FIELD_PLAIN},
    {NULL, "data_hash", LOOK_TEXT, FIELD_PLAIN}, /* with --json only */
    {NULL, "spec", LOOK_TEXT, FIELD_PLAIN},
};
static const struct field stage_fields[] = {
    {"stage", "stage", LOOK_TEXT, FIELD_PLAIN},
    {"runs", "runs", LOOK_COUNT, FIELD_PLAIN},
    {"done", "done", LOOK_COUNT, FIELD_PLAIN},
    {"best", "best", LOOK_LOSS, FIELD_PLAIN},
};
static const struct field finding_fields[] = {
    {"finding", "kind", LOOK_TEXT, FIELD_PLAIN},
    {"row", "row", LOOK_COUNT, FIELD_PLAIN},
    {"column", "column", LOOK_COUNT, FIELD_PLAIN},
    {"count", "count", LOOK_COUNT, FIELD_PLAIN},
    {"text", "text", LOOK_TEXT, FIELD_PLAIN},
};

static const struct field edit_fields[] = {
    {"edit", "kind", LOOK_TEXT, FIELD_PLAIN},
    {"setting", "setting", LOOK_TEXT, FIELD_PLAIN},
    {"from", "from", LOOK_NUMBER, FIELD_PLAIN},
    {"to", "to", LOOK_NUMBER, FIELD_PLAIN},
    {"guide", "guide_ref", LOOK_TEXT, FIELD_PLAIN},
    {"because", "sentence", LOOK_TEXT, FIELD_PLAIN},
};

static void print_sweep(struct client *c, const struct json *reply)
{
    const struct json *stages = json_get(reply, "stages"), *labels = json_get(reply, "labels"),
                      *findings = json_get(reply, "findings"),
                      *treatments = json_get(reply, "treatments"),
                      *edits = json_get(reply, "range_edits");
    report_members(c, sweep_fields, ARRAY_LEN(sweep_fields), json_get(reply, "sweep"));
    if (json_first(stages) != NULL)
        fputc('\n', c->out);
    report_list(c, stage_fields, ARRAY_LEN(stage_fields), stages);
    if (json_first(labels) != NULL)
        fputc('\n', c->out);
    report_labels(c, labels);
    if (json_first(findings) != NULL)
        fputs("\nin the data\n", c->out);
    report_list(c, finding_fields, ARRAY_LEN(finding_fields), findings);
    if (json_first(treatments) != NULL)
        fputs("\ntreatments\n", c->out);
    report_treatments(c, treatments);
    if (json_first(edits) != NULL)
        fputs("\nthe runs speak for these edits of the search range\n", c->out);
    report_list(c, edit_fields, ARRAY_LEN(edit_fields), edits);
}

int cmd_show(struct client *c)
{
    struct rpc_reply reply;
    int status = client_call_id(c, "show", "sweep", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        print_sweep(c, reply.result);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
