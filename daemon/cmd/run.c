/* One run: its row, and its label where it has one. */
#include "daemon/request.h"

static void take_label(struct request *r, const struct table *t)
{
    jw_key(&r->w, "label");
    if (t->rows > 0)
        table_row_write(t, 0, &r->w);
    else
        jw_null(&r->w);
    jw_end_object(&r->w);
    request_result_built(r);
}

static void take_run(struct request *r, const struct table *t)
{
    if (t->rows == 0) {
        request_refuse(r, ERR_NOT_FOUND, "run %lld was deleted", (long long)r->subject);
        return;
    }
    jw_begin_object(&r->w);
    jw_key(&r->w, "run");
    table_row_write(t, 0, &r->w);
    request_query(r, STORE_QUERY_LABEL, &r->subject, 1, take_label);
}

static void look(struct request *r)
{
    request_query(r, STORE_QUERY_RUN, &r->subject, 1, take_run);
}

static void run(struct request *r)
{
    request_resolve_run(r, look);
}

const struct command command_run = {
    .name = "run",
    .params = {PARAM_RUN(true)},
    .run = run,
};
