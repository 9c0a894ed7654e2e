/* A copy of the database, made beside the training. */
#include <stdlib.h>
#include <string.h>

#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/paths.h"

/* The client may go meanwhile: then the copy is made for nobody. */
struct asked {
    struct daemon *daemon;
    uint64_t request_id;
    char *file;
};

static void on_copied(void *arg, int64_t bytes, const struct errbuf *err)
{
    struct asked *a = arg;
    struct request *r = request_find(a->daemon->requests, a->request_id);
    if (r && err) {
        request_error(r, err);
    } else if (r) {
        jw_begin_object(&r->w);
        jw_kv_string(&r->w, "file", a->file);
        jw_kv_int(&r->w, "bytes", bytes);
        jw_end_object(&r->w);
        request_result_built(r);
    }
    free(a->file);
    free(a);
}

static void run(struct request *r)
{
    struct errbuf err;
    if (r->string[0] != '/' || strlen(r->string) >= PATHS_MAX - 16) {
        err_bad(&err, ERR_VALUE, "$.file", r->string, "an absolute path");
        request_error(r, &err);
        return;
    }
    struct asked *a = xmalloc(sizeof(*a));
    *a = (struct asked){r->daemon, r->id, xstrdup(r->string)};
    store_backup(r->daemon->store, a->file, on_copied, a);
}

const struct command command_backup = {
    .name = "backup",
    .params = {{"file", PARAM_TEXT, true, 0, 0, 0}},
    .run = run,
};
