#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "client/explain_sweep.h"
#include "client/report.h"
#include "sweep/pattern.h"
#include "sweep/require.h"

static const struct field run_fields[] = {
    {"run", "id", CELL_NUMBER, FIELD_PLAIN},
    {"sweep", "sweep_id", CELL_NUMBER, FIELD_PLAIN},
    {"status", "status", CELL_TEXT, FIELD_WORD},
    {"parameters", "params", CELL_PARAMS, FIELD_PLAIN},
    {"best", "metric_value", CELL_LOSS, FIELD_PLAIN},
    {"objectives", "objectives", CELL_PARAMS, FIELD_PLAIN},
    {"treatment of", "parent_id", CELL_NUMBER, FIELD_PLAIN},
    {"for", "treats_pattern", CELL_TEXT, FIELD_WORD},
    {"with", "treated_with", CELL_TEXT, FIELD_PLAIN},
    {"change", "change", CELL_PERCENT, FIELD_PLAIN},
    {"cured", "cured", CELL_YES, FIELD_PLAIN},
};
static const struct field label_fields[] = {
    {"label", "pattern", CELL_TEXT, FIELD_WORD},
    {"confidence", "confidence", CELL_NUMBER, FIELD_PLAIN},
    {"runner-up", "runner_up", CELL_TEXT, FIELD_PLAIN},
    {"tags", "tags", CELL_TEXT, FIELD_PLAIN},
    {"guide", "guide_ref", CELL_TEXT, FIELD_PLAIN},
    {"says", "says", CELL_TEXT, FIELD_PLAIN},
};
static const struct field evidence_fields[] = {
    {"because", "sentence", CELL_TEXT, FIELD_PLAIN},
};
static const struct field cause_fields[] = {
    {"cause", "cause", CELL_TEXT, FIELD_PLAIN},
    {"weight", "weight", CELL_NUMBER, FIELD_PLAIN},
    {"guide", "guide_ref", CELL_TEXT, FIELD_PLAIN},
    {"evidence", "evidence", CELL_TEXT, FIELD_PLAIN},
};
static const struct field decision_fields[] = {
    {"decided", "kind", CELL_TEXT, FIELD_WORD},
    {"because", "reason", CELL_TEXT, FIELD_PLAIN},
    {"event", "seen_event", CELL_NUMBER, FIELD_PLAIN, 1},
};
static const struct field remedy_fields[] = {
    {"remedy", "remedy", CELL_TEXT, FIELD_PLAIN},
    {"guide", "guide_ref", CELL_TEXT, FIELD_PLAIN},
    {"does", "does", CELL_TEXT, FIELD_PLAIN},
};

static bool titled(struct client *c, const char *title, const struct json *list)
{
    if (json_first(list) == NULL)
        return false;
    fprintf(c->out, "\n%s\n", title);
    return true;
}

static bool is_unknown(const struct json *causes)
{
    const struct json *first = json_first(causes);
    return first != NULL && strcmp(member_string(first, "cause", ""), "unknown") == 0;
}

static bool is_healthy(const struct json *label)
{
    int p = pattern_find(member_string(label, "pattern", ""));
    return p == PATTERN_LEARNING || p == PATTERN_CONVERGED;
}

/* by: NULL where it is judged by the metric alone. */
static void print_bettered(struct client *c, const struct json *by)
{
    char *text = by != NULL && json_type(by) == JSON_NUMBER
                     ? xasprintf("run %.0f is no worse in any, and better in one", json_number(by))
                     : xstrdup("it is: no run betters it in all");
    if (by != NULL)
        report_line(c, "on the front", text, TONE_PLAIN);
    free(text);
}

static void say_by_hand(struct client *c, int64_t sweep)
{
    char *text = xasprintf("a program is treated by hand: `sweepctl enqueue %lld NAME=VALUE …`, or "
                           "another specification", (long long)sweep);
    fputc('\n', c->out);
    client_print_wrapped(c, text, 2);
    free(text);
}

static void print_explained(struct client *c, const struct json *reply)
{
    const struct json *label = json_get(reply, "label"), *causes = json_get(label, "causes"),
                      *remedies = json_get(reply, "remedies"),
                      *treatments = json_get(reply, "treatments"), *run = json_get(reply, "run");
    report_pick(c, run_fields, ARRAY_LEN(run_fields), run);
    print_bettered(c, json_get(reply, "bettered_by"));
    if (titled(c, "what was decided about it, and the last event that could be seen then",
               json_get(reply, "decisions")))
        report_list(c, decision_fields, ARRAY_LEN(decision_fields), json_get(reply, "decisions"));
    fputc('\n', c->out);
    report_pick(c, label_fields, ARRAY_LEN(label_fields), label);
    report_pick(c, evidence_fields, ARRAY_LEN(evidence_fields), json_get(label, "evidence"));
    if (label == NULL || json_type(label) == JSON_NULL)
        fputs("it has no label yet: no point was stored\n", c->out);
    if (is_unknown(causes))
        fputs("\nnothing known explains it\n", c->out);
    else if (is_healthy(label) && json_first(causes) == NULL)
        fputs("\nnothing is wrong with it\n", c->out);
    else if (titled(c, "why, the likeliest first", causes))
        report_list(c, cause_fields, ARRAY_LEN(cause_fields), causes);
    if (titled(c, "what can be done, the guide's first", remedies))
        report_list(c, remedy_fields, ARRAY_LEN(remedy_fields), remedies);
    if (titled(c, "what was tried", treatments))
        report_treatments(c, treatments);
    else if (report_is_program(run) && json_first(remedies) != NULL)
        say_by_hand(c, member_int(run, "sweep_id", 0));
    else if (json_first(remedies) != NULL)
        fprintf(c->out, "\nnothing was tried yet: `sweepctl treat %lld`\n",
                (long long)c->opts.id);
}

int cmd_explain(struct client *c)
{
    struct rpc_reply reply;
    bool sweep = opts_has(&c->opts, OPTION_SWEEP);
    if (sweep == (c->opts.arg != NULL))
        return client_usage(c, "explain needs either RUN or --sweep SWEEP");
    if (sweep)
        return explain_sweep(c, c->opts.number[OPTION_SWEEP]);
    int status = client_call_id(c, "explain", "run", c->opts.id, &reply);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        print_explained(c, reply.result);
    rpc_reply_finish(&reply);
    return CLIENT_DONE;
}
