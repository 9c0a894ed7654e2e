/* How much each parameter decided: from the sweep's specification and its runs, as they are by
 * now. */
#include "client/client.h"

#include <stdlib.h>

#include "client/influence.h"
#include "client/report.h"
#include "sweep/json.h"
#include "sweep/require.h"

static const struct field fields[] = {
    {"parameter", "parameter", CELL_TEXT, FIELD_PLAIN},
    {"importance", "importance", CELL_NUMBER, FIELD_PLAIN},
    {"raw", "raw", CELL_NUMBER, FIELD_PLAIN},
};

/* --- what is stored -------------------------------------------------------------------------- */

static int begin(struct client *c, struct influence *f, enum importance_method method)
{
    struct rpc_reply reply;
    struct errbuf err;
    char *params = c->opts.id > 0 ? xasprintf("{\"sweep\":%lld}", (long long)c->opts.id)
                                  : xstrdup("{}");
    int status = client_call(c, "show", params, &reply);
    free(params);
    if (status != CLIENT_DONE)
        return status;
    int rc = influence_init(f, json_get(reply.result, "sweep"), method, &err);
    rpc_reply_finish(&reply);
    return rc != 0 ? client_fail(c, CLIENT_REFUSED, &err) : CLIENT_DONE;
}

static int read_runs(struct client *c, struct influence *f)
{
    char *params = xasprintf("\"sweep\":%lld", (long long)f->sweep);
    int status =
        client_pages(c, &(struct client_paged){"runs", params, "runs"}, influence_take, f);
    free(params);
    return status;
}

/* --- the answer ------------------------------------------------------------------------------ */

static void print_answer(struct client *c, const struct influence *g, const struct json *answer)
{
    char *head = xasprintf("sweep %lld: %s, %s, by %zu runs", (long long)g->sweep,
                           importance_name(g->method), importance_says(g->method),
                           importance_used(&g->runs, g->method));
    client_print_wrapped(c, head, 2);
    fputc('\n', c->out);
    free(head);
    report_list(c, fields, ARRAY_LEN(fields), json_get(answer, "importances"));
    if (member_real(json_first(json_get(answer, "importances")), "raw", 0) == 0)
        fputs("\nno parameter shows an influence by these runs\n", c->out);
}

static int answer(struct client *c, const struct influence *f)
{
    struct errbuf err;
    struct buf text = {0};
    struct json_writer w;
    jw_init(&w, &text);
    if (influence_write(f, &w, &err) != 0)
        return client_fail(c, CLIENT_REFUSED, &err);
    struct json *v = json_parse(text.data, text.len, &err);
    REQUIRE(v != NULL);
    buf_finish(&text);
    if (c->json)
        client_print_json(c, v);
    else
        print_answer(c, f, v);
    json_destroy(v);
    return CLIENT_DONE;
}

int cmd_importance(struct client *c)
{
    struct influence f = {0};
    const char *name = c->opts.text[OPTION_METHOD];
    int method = opts_has(&c->opts, OPTION_METHOD) ? importance_find(name) : IMPORTANCE_PEDANOVA;
    if (method < 0)
        return client_usage(c, "--method: got %s; allowed: %s or %s", name,
                            importance_name(IMPORTANCE_PEDANOVA),
                            importance_name(IMPORTANCE_FANOVA));
    int status = begin(c, &f, (enum importance_method)method);
    if (status != CLIENT_DONE)
        return status;
    status = read_runs(c, &f);
    if (status == CLIENT_DONE)
        status = answer(c, &f);
    influence_finish(&f);
    return status;
}
