#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/progress.h"

/* As the daemon, which runs in another folder, must be told it. NULL: there is no such folder. */
static char *absolute(const char *file)
{
    if (file[0] == '/')
        return xstrdup(file);
    char *folder = getcwd(NULL, 0);
    char *path = folder != NULL ? xasprintf("%s/%s", folder, file) : NULL;
    free(folder);
    return path;
}

static char *params_of(const char *path)
{
    struct buf params = {0};
    struct json_writer w;
    jw_init(&w, &params);
    jw_begin_object(&w);
    jw_kv_string(&w, "file", path);
    jw_end_object(&w);
    return buf_take(&params);
}

int cmd_backup(struct client *c)
{
    struct rpc_reply reply;
    struct progress progress;
    struct errbuf err;
    char *path = absolute(c->opts.arg);
    if (path == NULL) {
        err_set(&err, ERR_IO, "%s: no working directory: %s", c->opts.arg, strerror(errno));
        return client_fail(c, CLIENT_USAGE, &err);
    }
    char *params = params_of(path);
    progress_begin(&progress, c, "the daemon copies the database");
    int status = client_call(c, "backup", params, &reply);
    progress_end(&progress);
    free(params);
    free(path);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        fprintf(c->out, "%s: %lld bytes, checked\n", member_string(reply.result, "file", ""),
                (long long)member_int(reply.result, "bytes", 0));
    rpc_reply_finish(&reply);
    return client_flush(c);
}
