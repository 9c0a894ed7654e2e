/* What a search did, stage by stage, and why: its decisions, gathered. */
#include "client/explain_sweep.h"

#include <stdlib.h>
#include <string.h>

#include "client/decisions.h"
#include "client/report.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

static const struct field kind_fields[] = {
    {"stage", "stage", CELL_TEXT, FIELD_PLAIN},
    {"decided", "kind", CELL_TEXT, FIELD_WORD},
    {"times", "times", CELL_COUNT, FIELD_PLAIN},
    {"first", "number", CELL_PLACE, FIELD_PLAIN},
    {"because", "reason", CELL_TEXT, FIELD_PLAIN},
};
static const struct field own_fields[] = {
    {"decided", "kind", CELL_TEXT, FIELD_WORD},
    {"run", "run_id", CELL_NUMBER, FIELD_PLAIN},
    {"because", "reason", CELL_TEXT, FIELD_PLAIN},
};
static const struct field importance_fields[] = {
    {"parameter", "parameter", CELL_TEXT, FIELD_PLAIN},
    {"importance", "importance", CELL_NUMBER, FIELD_PLAIN},
};

struct story {
    struct decision_groups groups;
    struct buf own; /* rows about the sweep as a whole, and what is carried on: JSON */
    struct buf best; /* about its best run */
    int64_t best_run;
};

/* --- the decisions ---------------------------------------------------------------------------- */

static void append(struct buf *list, const struct json *row)
{
    struct json_writer w;
    if (list->len > 0)
        buf_puts(list, ",");
    jw_init(&w, list);
    jw_value(&w, row);
}

static void take(void *arg, const struct json *row)
{
    struct story *s = arg;
    const char *kind = member_string(row, "kind", "");
    int64_t run = member_int(row, "run_id", 0);
    if (run == 0 || strcmp(kind, "carried") == 0) {
        append(&s->own, row);
        return;
    }
    if (run == s->best_run)
        append(&s->best, row);
    decision_groups_take(&s->groups, row);
}

static void story_finish(struct story *s)
{
    decision_groups_finish(&s->groups);
    buf_finish(&s->own);
    buf_finish(&s->best);
}

/* --- the answer ------------------------------------------------------------------------------- */

static void write_groups(const struct story *s, struct json_writer *w)
{
    jw_key(w, "decided");
    jw_begin_array(w);
    for (size_t i = 0; i < s->groups.count; i++) {
        jw_begin_object(w);
        jw_kv_string(w, "stage", s->groups.v[i].stage);
        jw_kv_string(w, "kind", s->groups.v[i].kind);
        jw_kv_int(w, "times", s->groups.v[i].times);
        jw_kv_int(w, "number", s->groups.v[i].number);
        jw_kv_string(w, "reason", s->groups.v[i].reason);
        jw_end_object(w);
    }
    jw_end_array(w);
}

static void write_rows(struct json_writer *w, const char *key, const struct buf *rows)
{
    char *list = xasprintf("[%s]", rows->len > 0 ? rows->data : "");
    jw_kv_raw(w, key, list);
    free(list);
}

/* The members of `show` that say what the search did, and its decisions. */
static struct json *gathered(const struct json *shown, const struct story *s)
{
    static const char *const members[] = {"sweep",    "stages",      "configurations", "labels",
                                          "stopping", "treatments",  "range_edits"};
    struct buf text = {0};
    struct json_writer w;
    struct errbuf err;
    jw_init(&w, &text);
    jw_begin_object(&w);
    for (size_t i = 0; i < ARRAY_LEN(members); i++) {
        jw_key(&w, members[i]);
        jw_value(&w, json_get(shown, members[i]));
    }
    write_groups(s, &w);
    write_rows(&w, "of_the_sweep", &s->own);
    write_rows(&w, "best", &s->best);
    jw_end_object(&w);
    struct json *v = json_parse(text.data, text.len, &err);
    REQUIRE(v != NULL);
    buf_finish(&text);
    return v;
}

static const struct json *titled(struct client *c, const char *title, const struct json *list)
{
    if (json_first(list) != NULL)
        fprintf(c->out, "\n%s\n", title);
    return list;
}

/* The reason may hold a program's last words. */
static void print_head(struct client *c, const struct json *sweep)
{
    const char *reason = member_string(sweep, "reason", "");
    char *head = xasprintf("sweep %lld, %s: %s%s%s", (long long)member_int(sweep, "id", 0),
                           member_string(sweep, "method", ""), member_string(sweep, "status", ""),
                           *reason ? ", " : "", reason);
    client_print_wrapped(c, head, 2);
    free(head);
}

static void print_story(struct client *c, const struct json *v)
{
    const struct json *sweep = json_get(v, "sweep"), *list;
    print_head(c, sweep);
    report_winner(c, json_get(v, "configurations"), member_int(sweep, "best_run", 0));
    list = titled(c, "its stages", json_get(v, "stages"));
    report_stages(c, list);
    list = titled(c, "what was decided about runs", json_get(v, "decided"));
    report_list(c, kind_fields, ARRAY_LEN(kind_fields), list);
    list = titled(c, "about the sweep", json_get(v, "of_the_sweep"));
    report_list(c, own_fields, ARRAY_LEN(own_fields), list);
    list = titled(c, "what stopping did", json_get(v, "stopping"));
    report_stopping(c, list);
    list = titled(c, "treatments", json_get(v, "treatments"));
    report_treatments(c, list);
    list = titled(c, "the runs speak for these edits of the search range",
                  json_get(v, "range_edits"));
    report_edits(c, list);
    list = titled(c, "the best run, as it came about", json_get(v, "best"));
    report_list(c, own_fields, ARRAY_LEN(own_fields), list);
    list = titled(c, "what decided, for being among the best tenth",
                  json_get(sweep, "importances"));
    report_list(c, importance_fields, ARRAY_LEN(importance_fields), list);
}

int explain_sweep(struct client *c, int64_t sweep)
{
    struct rpc_reply shown;
    int status = client_call_id(c, "show", "sweep", sweep, &shown);
    if (status != CLIENT_DONE)
        return status;
    struct story s = {.best_run = member_int(json_get(shown.result, "sweep"), "best_run", 0)};
    char *params = xasprintf("\"sweep\":%lld", (long long)sweep);
    status = client_pages(c, &(struct client_paged){"decisions", params, "decisions"}, take, &s);
    free(params);
    if (status == CLIENT_DONE) {
        struct json *v = gathered(shown.result, &s);
        if (c->json)
            client_print_json(c, v);
        else
            print_story(c, v);
        json_destroy(v);
    }
    story_finish(&s);
    rpc_reply_finish(&shown);
    return status;
}
