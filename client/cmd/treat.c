#include "client/client.h"

#include <stdlib.h>

#include "client/outlook.h"
#include "client/watch.h"
#include "sweep/json.h"

static char *treat_params(const struct client *c)
{
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    jw_begin_object(&w);
    jw_kv_int(&w, "run", c->opts.id);
    if (opts_has(&c->opts, OPTION_REMEDY))
        jw_kv_string(&w, "remedy", c->opts.text[OPTION_REMEDY]);
    jw_end_object(&w);
    return buf_take(&text);
}

/* "run 57, in sweep 4: learning rate / 10 (G4.4)" */
static void print_treatment(struct client *c, const struct json *reply)
{
    const char *ref = member_string(reply, "guide_ref", "");
    struct buf text = {0};
    buf_printf(&text, "run %lld, in sweep %lld: ", (long long)member_int(reply, "run", 0),
               (long long)member_int(reply, "sweep", 0));
    render_text(&text, member_string(reply, "does", ""), false);
    buf_puts(&text, *ref ? " (" : "");
    render_text(&text, ref, false);
    buf_printf(&text, "%s; `sweepctl explain %lld` says what comes of it\n", *ref ? ")" : "",
               (long long)c->opts.id);
    client_print(c, &text);
}

int cmd_treat(struct client *c)
{
    struct rpc_reply reply;
    char *params = treat_params(c);
    int status = client_call(c, "treat", params, &reply);
    free(params);
    if (status != CLIENT_DONE)
        return status;
    int64_t sweep = member_int(reply.result, "sweep", 0);
    if (c->json)
        client_print_json(c, reply.result);
    else
        print_treatment(c, reply.result);
    rpc_reply_finish(&reply);
    fflush(c->out);
    if (opts_has(&c->opts, OPTION_WATCH))
        return watch_sweep(c, sweep);
    outlook_say_waiting(c);
    return CLIENT_DONE;
}
