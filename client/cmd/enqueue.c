#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "client/outlook.h"
#include "client/values.h"

static char *enqueue_params(const struct opts *o)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_int(&w, "sweep", o->id);
    jw_key(&w, "params");
    jw_begin_object(&w);
    for (size_t i = 0; i < o->value_count; i++) {
        const char *value = values_key(o, i, &w);
        values_write(value, strlen(value), &w);
    }
    jw_end_object(&w);
    jw_end_object(&w);
    return buf_take(&text);
}

int cmd_enqueue(struct client *c)
{
    struct rpc_reply reply;
    struct errbuf err;
    if (values_check(&c->opts, "NAME=VALUE", &err) != 0)
        return client_fail(c, CLIENT_USAGE, &err);
    char *params = enqueue_params(&c->opts);
    int status = client_call(c, "enqueue", params, &reply);
    free(params);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        fprintf(c->out, "run %lld, in sweep %lld\n", (long long)member_int(reply.result, "run", 0),
                (long long)member_int(reply.result, "sweep", 0));
    rpc_reply_finish(&reply);
    outlook_say_waiting(c);
    return CLIENT_DONE;
}
