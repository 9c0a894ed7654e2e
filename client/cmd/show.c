#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "client/outlook.h"
#include "client/report.h"
#include "sweep/require.h"

static const struct field sweep_fields[] = {
    {"sweep", "id", CELL_NUMBER, FIELD_PLAIN},
    {"name", "name", CELL_TEXT, FIELD_PLAIN},
    {"status", "status", CELL_TEXT, FIELD_WORD},
    {"reason", "reason", CELL_TEXT, FIELD_PLAIN},
    {"method", "method", CELL_TEXT, FIELD_PLAIN},
    {"picked", "picked", CELL_TEXT, FIELD_PLAIN},
    {"metric", "metric", CELL_TEXT, FIELD_PLAIN},
    {"goal", "goal", CELL_TEXT, FIELD_PLAIN},
    {"best", "best", CELL_LOSS, FIELD_PLAIN},
    {"best run", "best_run", CELL_NUMBER, FIELD_PLAIN},
    {"run cap", "run_cap", CELL_COUNT, FIELD_PLAIN},
    {"runs", "runs", CELL_COUNT, FIELD_PLAIN},
    {"done", "done", CELL_COUNT, FIELD_PLAIN},
    {"running", "running", CELL_COUNT, FIELD_PLAIN},
    {"failed", "failed", CELL_COUNT, FIELD_PLAIN},
    {"epochs", "epochs", CELL_COUNT, FIELD_PLAIN},
    {"seed", "seed", CELL_TEXT, FIELD_PLAIN},
    {"task", "data_task", CELL_TEXT, FIELD_PLAIN},
    {"target", "data_target", CELL_TEXT, FIELD_PLAIN},
    {"samples", "data_samples", CELL_COUNT, FIELD_PLAIN},
    {"features", "data_features", CELL_COUNT, FIELD_PLAIN},
    {"classes", "data_classes", CELL_COUNT, FIELD_PLAIN},
    {"submitted", "created_at", CELL_AGO, FIELD_PLAIN},
    {"started", "started_at", CELL_AGO, FIELD_PLAIN},
    {"ended", "ended_at", CELL_AGO, FIELD_PLAIN},
    {"deadline", "deadline_at", CELL_TEXT, FIELD_PLAIN}, /* UTC */
    {NULL, "data_hash", CELL_TEXT, FIELD_PLAIN}, /* with --json only */
    {NULL, "spec", CELL_TEXT, FIELD_PLAIN},
};
static const struct field finding_fields[] = {
    {"finding", "kind", CELL_TEXT, FIELD_PLAIN},   {"row", "row", CELL_COUNT, FIELD_PLAIN},
    {"column", "column", CELL_COUNT, FIELD_PLAIN}, {"count", "count", CELL_COUNT, FIELD_PLAIN},
    {"text", "text", CELL_TEXT, FIELD_PLAIN},
};

static const struct field delayed_fields[] = {
    {"run", "run", CELL_NUMBER, FIELD_PLAIN},
    {"failed", "error", CELL_TEXT, FIELD_PLAIN},
    {"times", "failures", CELL_COUNT, FIELD_PLAIN},
    {"tried again in", "seconds", CELL_DURATION, FIELD_PLAIN},
};

#define FAILED_MAX 10

struct failed {
    struct report table;
    size_t count;
};

static void add_failed(void *arg, const struct json *run)
{
    struct failed *f = arg;
    if (strcmp(member_string(run, "status", ""), "failed") == 0 && f->count++ < FAILED_MAX)
        report_row(&f->table, run);
}

/* By their ids, with their last words: what a person asks for next. */
static int print_failed(struct client *c, int64_t sweep)
{
    static const struct field fields[] = {
        {"run", "run_id", CELL_NUMBER, FIELD_PLAIN},
        {"#", "number", CELL_PLACE, FIELD_PLAIN},
        {"failed", "error_class", CELL_TEXT, FIELD_PLAIN},
        {"last words", "error_text", CELL_TEXT, FIELD_PLAIN},
    };
    struct failed f = {0};
    char *params = xasprintf("\"sweep\":%lld", (long long)sweep);
    report_init(&f.table, fields, ARRAY_LEN(fields));
    int status = client_pages(c, &(struct client_paged){"runs", params, "runs"}, add_failed, &f);
    free(params);
    if (f.count > 0)
        fputs("\nfailed runs\n", c->out);
    report_print(&f.table, c);
    if (f.count > FAILED_MAX)
        fprintf(c->out, "  … and %zu more: `sweepctl runs %lld --status failed`\n",
                f.count - FAILED_MAX, (long long)sweep);
    if (f.count > 0)
        fputs("`sweepctl log RUN` prints all that a run wrote\n", c->out);
    return status;
}

static void print_sweep(struct client *c, const struct json *reply)
{
    const struct json *stages = json_get(reply, "stages"), *labels = json_get(reply, "labels"),
                      *findings = json_get(reply, "findings"),
                      *treatments = json_get(reply, "treatments"),
                      *edits = json_get(reply, "range_edits"),
                      *stopping = json_get(reply, "stopping"),
                      *delayed = json_get(reply, "delayed");
    report_members(c, sweep_fields, ARRAY_LEN(sweep_fields), json_get(reply, "sweep"));
    report_winner(c, json_get(reply, "configurations"),
                  member_int(json_get(reply, "sweep"), "best_run", 0));
    report_front(c, json_get(reply, "front"));
    if (json_first(stages) != NULL)
        fputc('\n', c->out);
    report_stages(c, stages);
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
    report_edits(c, edits);
    if (json_first(stopping) != NULL)
        fputc('\n', c->out);
    report_stopping(c, stopping);
    if (json_first(delayed) != NULL)
        fputs("\nwait after a failure\n", c->out);
    report_list(c, delayed_fields, ARRAY_LEN(delayed_fields), delayed);
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
    if (!c->json && member_int(json_get(reply.result, "sweep"), "failed", 0) > 0)
        status = print_failed(c, c->opts.id);
    if (outlook_concerns(json_get(reply.result, "sweep")))
        outlook_say_waiting(c);
    rpc_reply_finish(&reply);
    return status;
}
