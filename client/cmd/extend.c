/* extend SWEEP: so many runs more, and per parameter new ends of its range or values beside those
 * that it has. */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "client/outlook.h"
#include "client/values.h"

/* "0.001..0.5", "..8", "0.001..": the ends that it gives. */
static void write_range(struct json_writer *w, const char *text, const char *dots)
{
    jw_begin_object(w);
    if (dots > text) {
        jw_key(w, "min");
        values_write(text, (size_t)(dots - text), w);
    }
    if (dots[2] != '\0') {
        jw_key(w, "max");
        values_write(dots + 2, strlen(dots + 2), w);
    }
    jw_end_object(w);
}

/* "adam,rmsprop" */
static void write_list(struct json_writer *w, const char *text)
{
    jw_begin_object(w);
    jw_key(w, "values");
    jw_begin_array(w);
    for (size_t len; *text != '\0'; text += len + (text[len] == ',')) {
        len = strcspn(text, ",");
        values_write(text, len, w);
    }
    jw_end_array(w);
    jw_end_object(w);
}

static void write_parameters(struct json_writer *w, const struct opts *o)
{
    jw_key(w, "parameters");
    jw_begin_object(w);
    for (size_t i = 0; i < o->value_count; i++) {
        const char *value = values_key(o, i, w);
        const char *dots = strstr(value, "..");
        if (dots != NULL)
            write_range(w, value, dots);
        else
            write_list(w, value);
    }
    jw_end_object(w);
}

static char *extend_params(const struct opts *o)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_int(&w, "sweep", o->id);
    if (opts_has(o, OPTION_RUNS))
        jw_kv_int(&w, "runs", o->number[OPTION_RUNS]);
    if (o->value_count > 0)
        write_parameters(&w, o);
    jw_end_object(&w);
    return buf_take(&text);
}

int cmd_extend(struct client *c)
{
    struct rpc_reply reply;
    struct errbuf err;
    if (values_check(&c->opts, "NAME=MIN..MAX or NAME=VALUE,VALUE", &err) != 0)
        return client_fail(c, CLIENT_USAGE, &err);
    if (c->opts.value_count == 0 && !opts_has(&c->opts, OPTION_RUNS))
        return client_usage(c, "nothing to extend by: --runs N, NAME=MIN..MAX or NAME=VALUE,…");
    char *params = extend_params(&c->opts);
    int status = client_call(c, "extend", params, &reply);
    free(params);
    if (status != CLIENT_DONE)
        return status;
    if (c->json)
        client_print_json(c, reply.result);
    else
        fprintf(c->out, "sweep %lld: %s, %lld of %lld runs\n",
                (long long)member_int(reply.result, "sweep", 0),
                member_string(reply.result, "status", ""),
                (long long)member_int(reply.result, "runs", 0),
                (long long)member_int(reply.result, "run_cap", 0));
    rpc_reply_finish(&reply);
    outlook_say_waiting(c);
    return CLIENT_DONE;
}
