#include "client/client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "client/import/source.h"
#include "client/progress.h"
#include "sweep/require.h"

static const struct import_source *const sources[] = {
#define X(name) &import_source_##name,
    IMPORT_SOURCE_MAP(X)
#undef X
};

static int read_file(const struct client *c, struct history *out, struct errbuf *err)
{
    const struct import_wish wish = {.path = c->opts.arg,
                                     .study = c->opts.text[OPTION_STUDY],
                                     .metric = c->opts.text[OPTION_METRIC],
                                     .goal = c->opts.text[OPTION_GOAL],
                                     .parameters = c->opts.text[OPTION_PARAMETERS]};
    struct stat there;
    size_t i = 0;
    int rc = 0;
    if (stat(wish.path, &there) != 0)
        rc = err_set(err, ERR_IO, "cannot read %s: %s", wish.path, strerror(errno));
    else if (!S_ISREG(there.st_mode))
        rc = err_set(err, ERR_DATA, "%s: no file", wish.path);
    while (rc == 0 && i + 1 < ARRAY_LEN(sources) && !sources[i]->is(wish.path))
        i++;
    return rc == 0 ? sources[i]->read(&wish, out, err) : rc;
}

static int send(struct client *c, const char *id, const char *part, struct rpc_reply *reply)
{
    char *params = xasprintf("{\"id\":\"%s\",%s}", id, part);
    int status = client_call(c, "import", params, reply);
    free(params);
    return status;
}

/* Until the end, or until the daemon says that it has it. The reply says which sweep it is. */
static int send_parts(struct client *c, const struct history_parts *p, struct rpc_reply *reply)
{
    for (size_t i = 0; i < p->count; i++) {
        int status = send(c, p->id, p->parts[i], reply);
        if (status != CLIENT_DONE || json_get(reply->result, "sweep") != NULL)
            return status;
        rpc_reply_finish(reply);
    }
    return send(c, p->id, "\"end\":true", reply);
}

static void print_done(struct client *c, const struct history *h, const struct json *result)
{
    const struct json *existing = json_get(result, "existing");
    bool was_there = existing != NULL && json_type(existing) == JSON_BOOL && json_bool(existing);
    struct buf text = {0};
    if (c->json) {
        client_print_json(c, result);
        return;
    }
    buf_printf(&text, "sweep %lld: %zu runs of ", (long long)member_int(result, "sweep", 0),
               h->run_count);
    render_text(&text, h->source, false);
    buf_puts(&text, was_there ? ", imported before\n" : "\n");
    render_text(&text, h->notes.len > 0 ? h->notes.data : "", true);
    client_print(c, &text);
}

int cmd_import(struct client *c)
{
    struct history h = {0};
    struct history_parts parts = {0};
    struct errbuf err;
    struct rpc_reply reply;
    struct progress progress;
    int rc = read_file(c, &h, &err);
    if (rc == 0)
        rc = history_pack(&h, &parts, &err);
    int status = rc == 0 ? CLIENT_DONE : client_fail(c, CLIENT_REFUSED, &err);
    if (status == CLIENT_DONE) {
        progress_begin(&progress, c, "the daemon takes the runs");
        status = send_parts(c, &parts, &reply);
        progress_end(&progress);
    }
    if (status == CLIENT_DONE) {
        print_done(c, &h, reply.result);
        rpc_reply_finish(&reply);
    }
    history_parts_finish(&parts);
    history_finish(&h);
    return status;
}
