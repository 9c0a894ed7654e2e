#include "daemon/serve/request.h"

static void answer(struct request *r, const struct table *t)
{
    jw_begin_object(&r->w);
    jw_kv_int(&r->w, "sweep", r->subject);
    request_write_rows(r, "labels", t);
    jw_end_object(&r->w);
    request_result_built(r);
}

static void query(struct request *r)
{
    request_query(r, STORE_QUERY_LABEL_COUNTS, &r->subject, 1, answer);
}

static void run(struct request *r)
{
    request_resolve_sweep(r, query);
}

const struct command command_labels = {
    .name = "labels",
    .params = {PARAM_SWEEP(false)},
    .run = run,
};
