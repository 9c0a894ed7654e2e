#include "client/client.h"

#include <math.h>
#include <stdlib.h>

#include "client/report.h"
#include "sweep/require.h"

#define SPARK_WIDTH 60

static const struct field run_fields[] = {
    {"run", "id", CELL_NUMBER, FIELD_PLAIN},
    {"sweep", "sweep_id", CELL_NUMBER, FIELD_PLAIN},
    {"sweep's name", "sweep_name", CELL_TEXT, FIELD_PLAIN},
    {"in its sweep", "number", CELL_PLACE, FIELD_PLAIN},
    {"kind", "kind", CELL_TEXT, FIELD_PLAIN},
    {"stage", "stage", CELL_TEXT, FIELD_PLAIN},
    {"why", "reason", CELL_TEXT, FIELD_PLAIN},
    {"status", "status", CELL_TEXT, FIELD_WORD},
    {"stopped", "stop_reason", CELL_TEXT, FIELD_PLAIN},
    {"error", "error_class", CELL_TEXT, FIELD_PLAIN},
    {"message", "error_text", CELL_TEXT, FIELD_PLAIN},
    {"signal", "signal", CELL_NUMBER, FIELD_PLAIN},
    {"parameters", "params", CELL_PARAMS, FIELD_PLAIN},
    {"learning rate", "learning_rate", CELL_NUMBER, FIELD_PLAIN},
    {"batch size", "batch_size", CELL_COUNT, FIELD_PLAIN},
    {"optimizer", "optimizer", CELL_TEXT, FIELD_PLAIN},
    {"depth", "depth", CELL_NUMBER, FIELD_PLAIN},
    {"width", "width", CELL_NUMBER, FIELD_PLAIN},
    {"activation", "activation", CELL_TEXT, FIELD_PLAIN},
    {"epochs", "epochs", CELL_COUNT, FIELD_PLAIN},
    {"seed", "seed", CELL_TEXT, FIELD_PLAIN},
    {"metric", "metric", CELL_TEXT, FIELD_PLAIN},
    {"best", "metric_value", CELL_LOSS, FIELD_PLAIN},
    {"objectives", "objectives", CELL_PARAMS, FIELD_PLAIN},
    {"val loss", "val_loss", CELL_LOSS, FIELD_PLAIN},
    {"val acc", "val_acc", CELL_PERCENT, FIELD_PLAIN},
    {"test loss", "test_loss", CELL_LOSS, FIELD_PLAIN},
    {"test acc", "test_acc", CELL_PERCENT, FIELD_PLAIN},
    {"best epoch", "best_epoch", CELL_NUMBER, FIELD_PLAIN},
    {"epochs done", "epochs_done", CELL_NUMBER, FIELD_PLAIN},
    {"BLAS kernels", "core_type", CELL_TEXT, FIELD_PLAIN},
    {"BLAS", "blas_version", CELL_TEXT, FIELD_PLAIN},
    {"time", "seconds", CELL_DURATION, FIELD_PLAIN},
    {"submitted", "created_at", CELL_AGO, FIELD_PLAIN},
    {"started", "started_at", CELL_AGO, FIELD_PLAIN},
    {"ended", "ended_at", CELL_AGO, FIELD_PLAIN},
    {NULL, "settings", CELL_TEXT, FIELD_PLAIN}, /* with --json only */
    {NULL, "rank_key", CELL_TEXT, FIELD_PLAIN},
    {NULL, "goal", CELL_TEXT, FIELD_PLAIN},
    {"treatment of", "parent_id", CELL_NUMBER, FIELD_PLAIN},
    {"for", "treats_pattern", CELL_TEXT, FIELD_WORD},
    {"with", "treated_with", CELL_TEXT, FIELD_PLAIN},
    {"change", "change", CELL_PERCENT, FIELD_PLAIN},
    {"cured", "cured", CELL_YES, FIELD_PLAIN},
    {NULL, "treats_cause", CELL_TEXT, FIELD_PLAIN},
    {NULL, "guide_ref", CELL_TEXT, FIELD_PLAIN},
    {NULL, "cause", CELL_TEXT, FIELD_PLAIN},
    {NULL, "label", CELL_TEXT, FIELD_PLAIN}, /* the label has lines of its own */
    {NULL, "confidence", CELL_TEXT, FIELD_PLAIN},
    {NULL, "remedy", CELL_TEXT, FIELD_PLAIN},
    {NULL, "stderr_tail", CELL_TEXT, FIELD_PLAIN}, /* as a block of its own */
};
static const struct field label_fields[] = {
    {"label", "pattern", CELL_TEXT, FIELD_WORD},
    {"confidence", "confidence", CELL_NUMBER, FIELD_PLAIN},
    {"runner-up", "runner_up", CELL_TEXT, FIELD_PLAIN},
    {"tags", "tags", CELL_TEXT, FIELD_PLAIN},
    {"cause", "cause", CELL_TEXT, FIELD_PLAIN},
    {"guide", "guide_ref", CELL_TEXT, FIELD_PLAIN},
    {"looks", "look", CELL_TEXT, FIELD_PLAIN},
    {"says", "says", CELL_TEXT, FIELD_PLAIN},
    {"guide's remedies", "guide_remedies", CELL_TEXT, FIELD_PLAIN},
    {"our remedies", "our_remedies", CELL_TEXT, FIELD_PLAIN},
    {NULL, "remedy", CELL_TEXT, FIELD_PLAIN}, /* explain says it */
    {NULL, "remedies", CELL_TEXT, FIELD_PLAIN},
    {NULL, "run_id", CELL_TEXT, FIELD_PLAIN},
    {NULL, "evidence", CELL_TEXT, FIELD_PLAIN},
    {NULL, "classifier_version", CELL_TEXT, FIELD_PLAIN},
    {NULL, "created_at", CELL_TEXT, FIELD_PLAIN},
};
static const struct field evidence_fields[] = {
    {"because", "sentence", CELL_TEXT, FIELD_PLAIN},
};

struct series {
    const char *column;
    double *v;
    size_t count, cap;
};

static void add_point(void *arg, const struct json *point)
{
    struct series *s = arg;
    s->v = array_room(s->v, &s->cap, s->count, sizeof *s->v);
    s->v[s->count++] = member_real(point, s->column, NAN);
}

/* The validation loss as a line of blocks; a terminal's extra. */
static int print_sparkline(struct client *c, int64_t run)
{
    struct series s = {.column = "val_loss"};
    struct buf line = {0};
    char *params = xasprintf("\"run\":%lld", (long long)run);
    int status = client_pages(c, &(struct client_paged){"curve", params, "points"}, add_point, &s);
    free(params);
    if (status == CLIENT_DONE && s.count > 1) {
        render_field(&line, "val loss curve", 16, false, render_tone(TONE_DIM, c->colour));
        buf_putc(&line, ' ');
        render_sparkline(&line, s.v, s.count, SPARK_WIDTH);
        buf_putc(&line, '\n');
        client_print(c, &line);
    }
    free(s.v);
    return status;
}

static void print_stderr(struct client *c, const char *tail)
{
    struct buf text = {0};
    if (*tail == '\0')
        return;
    buf_puts(&text, "\nlast lines of stderr\n");
    render_text(&text, tail, true);
    if (text.data[text.len - 1] != '\n')
        buf_putc(&text, '\n');
    client_print(c, &text);
}

int cmd_run(struct client *c)
{
    struct rpc_reply reply;
    int status = client_call_id(c, "run", "run", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    if (c->json) {
        client_print_json(c, reply.result);
        rpc_reply_finish(&reply);
        return CLIENT_DONE;
    }
    const struct json *run = json_get(reply.result, "run"),
                      *label = json_get(reply.result, "label");
    report_members(c, run_fields, ARRAY_LEN(run_fields), run);
    report_members(c, label_fields, ARRAY_LEN(label_fields), label);
    report_pick(c, evidence_fields, ARRAY_LEN(evidence_fields), json_get(label, "evidence"));
    if (c->terminal)
        status = print_sparkline(c, c->opts.id);
    print_stderr(c, member_string(run, "stderr_tail", ""));
    rpc_reply_finish(&reply);
    return status;
}
