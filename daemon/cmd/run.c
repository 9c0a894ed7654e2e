/* One run: its row, and its label where it has one. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/request.h"
#include "sweep/paths.h"

/* The file of its best weights, while it is kept. */
static void write_weights(struct request *r)
{
    char path[PATHS_MAX];
    int n = snprintf(path, sizeof(path), "%s/%" PRId64 "/best.safetensors", r->daemon->runs_dir,
                     r->subject);
    bool kept = n > 0 && n < (int)sizeof(path) && access(path, R_OK) == 0;
    jw_kv_string(&r->w, "weights", kept ? path : NULL);
}

static void take_label(struct request *r, const struct table *t)
{
    jw_key(&r->w, "label");
    if (t->rows > 0)
        table_row_write(t, 0, &r->w);
    else
        jw_null(&r->w);
    write_weights(r);
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
