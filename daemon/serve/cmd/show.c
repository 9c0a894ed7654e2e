/* One sweep: its row, stages, labels, causes, findings, treatments, range edits and what
 * stopping did, each from its own query; and which of its runs wait after a failure. */
#include "daemon/serve/request.h"
#include "daemon/state.h"

#include <stdlib.h>
#include <string.h>

#include "sweep/command.h"
#include "sweep/json.h"

static void take_stopping(struct request *r, const struct table *t)
{
    request_write_rows(r, "stopping", t);
    jw_key(&r->w, "delayed");
    engine_write_delayed(r->daemon->engine, r->subject, loop_now(), &r->w);
    jw_end_object(&r->w);
    request_result_built(r);
}

static void take_edits(struct request *r, const struct table *t)
{
    request_write_rows(r, "range_edits", t);
    request_query(r, STORE_QUERY_STOPPING, &r->subject, 1, take_stopping);
}

static void take_treatments(struct request *r, const struct table *t)
{
    request_write_rows(r, "treatments", t);
    request_query(r, STORE_QUERY_EDITS, &r->subject, 1, take_edits);
}

static void take_findings(struct request *r, const struct table *t)
{
    request_write_rows(r, "findings", t);
    request_query(r, STORE_QUERY_SWEEP_TREATMENTS, &r->subject, 1, take_treatments);
}

static void take_causes(struct request *r, const struct table *t)
{
    request_write_rows(r, "causes", t);
    request_query(r, STORE_QUERY_FINDINGS, &r->subject, 1, take_findings);
}

static void take_labels(struct request *r, const struct table *t)
{
    request_write_rows(r, "labels", t);
    request_query(r, STORE_QUERY_CAUSE_COUNTS, &r->subject, 1, take_causes);
}

static void take_front(struct request *r, const struct table *t)
{
    request_write_rows(r, "front", t);
    request_query(r, STORE_QUERY_LABEL_COUNTS, &r->subject, 1, take_labels);
}

static void take_winner(struct request *r, const struct table *t)
{
    const int64_t args[] = {r->subject, RPC_PAGE_MAX};
    request_write_rows(r, "configurations", t);
    request_query(r, STORE_QUERY_FRONT, args, 2, take_front);
}

static void take_stages(struct request *r, const struct table *t)
{
    const int64_t args[] = {r->subject, 1};
    request_write_rows(r, "stages", t);
    request_query(r, STORE_QUERY_CONFIGURATIONS, args, 2, take_winner);
}

/* A program's environment holds keys and passwords: they are not shown. */
static void write_masked(struct request *r, const struct json *row)
{
    jw_begin_object(&r->w);
    for (const struct json *m = json_first(row); m; m = json_next(m)) {
        jw_key(&r->w, json_key(m));
        if (strcmp(json_key(m), "spec") == 0)
            command_write_masked(m, &r->w);
        else
            jw_value(&r->w, m);
    }
    jw_end_object(&r->w);
}

static void write_sweep(struct request *r, const struct table *t)
{
    struct buf text = {0};
    struct json_writer w;
    struct errbuf err;
    struct json *row = NULL;

    jw_init(&w, &text);
    table_row_write(t, 0, &w);
    if (strstr(text.data, "environment\""))
        row = json_parse(text.data, text.len, &err);
    if (row)
        write_masked(r, row);
    else
        table_row_write(t, 0, &r->w);
    json_destroy(row);
    buf_finish(&text);
}

static void take_sweep(struct request *r, const struct table *t)
{
    if (t->rows == 0) {
        request_refuse(r, ERR_NOT_FOUND, "sweep %lld was deleted", (long long)r->subject);
        return;
    }
    jw_begin_object(&r->w);
    jw_key(&r->w, "sweep");
    write_sweep(r, t);
    request_query(r, STORE_QUERY_SWEEP_STAGES, &r->subject, 1, take_stages);
}

static void query(struct request *r)
{
    request_query(r, STORE_QUERY_SWEEP, &r->subject, 1, take_sweep);
}

static void run(struct request *r)
{
    request_resolve_sweep(r, query);
}

const struct command command_show = {
    .name = "show",
    .params = {PARAM_SWEEP(false)},
    .run = run,
};
