#include "client/client.h"

#include <stdlib.h>
#include <string.h>

/* A JSON number, string, true or false as it stands; anything else is a text. */
static void write_value(struct json_writer *w, const char *text)
{
    struct errbuf err;
    struct json *v = json_parse(text, strlen(text), &err);
    enum json_type type = v != NULL ? json_type(v) : JSON_NULL;
    if (type == JSON_NUMBER || type == JSON_STRING || type == JSON_BOOL)
        jw_value(w, v);
    else
        jw_string(w, text);
    json_destroy(v);
}

/* What stands before the "=". */
static bool same_name(const char *a, const char *b)
{
    size_t len = strcspn(a, "=");
    return strcspn(b, "=") == len && strncmp(a, b, len) == 0;
}

static int check_given(const struct opts *o, struct errbuf *err)
{
    for (size_t i = 0; i < o->value_count; i++) {
        const char *given = o->values[i];
        if (*given == '=' || strchr(given, '=') == NULL)
            return err_bad(err, ERR_VALUE, o->verb->name, given, "NAME=VALUE");
        for (size_t k = 0; k < i; k++)
            if (same_name(given, o->values[k]))
                return err_bad(err, ERR_VALUE, o->verb->name, given,
                               "one value of a parameter, and %s stands before it", o->values[k]);
    }
    return 0;
}

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
        const char *value = strchr(o->values[i], '=');
        char *name = xasprintf("%.*s", (int)(value - o->values[i]), o->values[i]);
        jw_key(&w, name);
        write_value(&w, value + 1);
        free(name);
    }
    jw_end_object(&w);
    jw_end_object(&w);
    return buf_take(&text);
}

int cmd_enqueue(struct client *c)
{
    struct rpc_reply reply;
    struct errbuf err;
    if (check_given(&c->opts, &err) != 0)
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
    return CLIENT_DONE;
}
