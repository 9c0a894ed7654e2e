/* One run: its row, its label where it has one, and where its files are. */
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon/daemon.h"
#include "daemon/request.h"
#include "sweep/paths.h"

/* A path below the run's folder (that itself: ""), or null while there is no such file. */
static void write_path(struct request *r, const char *key, const char *below)
{
    char path[PATHS_MAX];
    int n = snprintf(path, sizeof(path), "%s/%" PRId64 "%s", r->daemon->runs_dir, r->subject,
                     below);
    bool there = n > 0 && n < (int)sizeof(path) && access(path, R_OK) == 0;
    jw_kv_string(&r->w, key, there ? path : NULL);
}

static void take_label(struct request *r, const struct table *t)
{
    jw_key(&r->w, "label");
    if (t->rows > 0)
        table_row_write(t, 0, &r->w);
    else
        jw_null(&r->w);
    write_path(r, "folder", "");
    write_path(r, "weights", "/best.safetensors");
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
