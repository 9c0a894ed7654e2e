/* What changes something: the daemon is asked, and the page of what was changed is where one goes
 * then. */
#include <stdlib.h>
#include <string.h>

#include "client/serve/frame.h"
#include "client/values.h"

#define VALUE_PREFIX "value."

/* {"KEY": id} to the method; `to` takes its reply where the daemon does it. */
static void change(struct desk *d, const struct request *r, const char *method, const char *key,
                   struct answer *a)
{
    struct rpc_reply reply;
    if (client_call_id(&d->client, method, key, r->id, &reply) != CLIENT_DONE) {
        frame_failed(d, a);
        return;
    }
    rpc_reply_finish(&reply);
    answer_see(a, "/%s/%lld", key, (long long)r->id);
}

void change_pause(struct desk *d, const struct request *r, struct answer *a)
{
    change(d, r, "pause", "sweep", a);
}

void change_resume(struct desk *d, const struct request *r, struct answer *a)
{
    change(d, r, "resume", "sweep", a);
}

void change_cancel(struct desk *d, const struct request *r, struct answer *a)
{
    change(d, r, "cancel", "sweep", a);
}

void change_cancel_run(struct desk *d, const struct request *r, struct answer *a)
{
    change(d, r, "cancel", "run", a);
}

/* To the run that it made. */
static void make_run(struct desk *d, const char *method, char *params, struct answer *a)
{
    struct rpc_reply reply;
    int status = client_call(&d->client, method, params, &reply);
    free(params);
    if (status != CLIENT_DONE) {
        frame_failed(d, a);
        return;
    }
    answer_see(a, "/run/%lld", (long long)member_int(reply.result, "run", 0));
    rpc_reply_finish(&reply);
}

void change_treat(struct desk *d, const struct request *r, struct answer *a)
{
    const char *remedy = form_get(&r->fields, "remedy");
    struct buf params = {0};
    struct json_writer w;
    jw_init(&w, &params);
    jw_begin_object(&w);
    jw_kv_int(&w, "run", r->id);
    if (remedy != NULL && *remedy != '\0')
        jw_kv_string(&w, "remedy", remedy);
    jw_end_object(&w);
    make_run(d, "treat", buf_take(&params), a);
}

/* A name that comes twice is the daemon's to refuse: JSON with a key twice is none. */
void change_enqueue(struct desk *d, const struct request *r, struct answer *a)
{
    static const size_t prefix = sizeof VALUE_PREFIX - 1;
    struct buf params = {0};
    struct json_writer w;
    jw_init(&w, &params);
    jw_begin_object(&w);
    jw_kv_int(&w, "sweep", r->id);
    jw_key(&w, "params");
    jw_begin_object(&w);
    for (size_t i = 0; i < r->fields.count; i++) {
        const struct form_field *f = &r->fields.fields[i];
        if (strncmp(f->name, VALUE_PREFIX, prefix) != 0 || *f->value == '\0')
            continue;
        jw_key(&w, f->name + prefix);
        values_write(f->value, strlen(f->value), &w);
    }
    jw_end_object(&w);
    jw_end_object(&w);
    make_run(d, "enqueue", buf_take(&params), a);
}
