/* How much each parameter decided: from the sweep's specification and its runs, as they are by
 * now. */
#include "client/client.h"

#include <stdlib.h>
#include <string.h>

#include "client/report.h"
#include "sweep/importance.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

static const struct field fields[] = {
    {"parameter", "parameter", CELL_TEXT, FIELD_PLAIN},
    {"importance", "importance", CELL_NUMBER, FIELD_PLAIN},
    {"raw", "raw", CELL_NUMBER, FIELD_PLAIN},
};

struct gathered {
    int64_t sweep; /* the newest, where none was asked for */
    enum importance_method method;
    struct spec spec;
    struct importance_runs runs;
};

/* --- what is stored -------------------------------------------------------------------------- */

static int read_spec(struct client *c, struct gathered *g)
{
    struct rpc_reply reply;
    struct errbuf err;
    char *params = c->opts.id > 0 ? xasprintf("{\"sweep\":%lld}", (long long)c->opts.id)
                                  : xstrdup("{}");
    int status = client_call(c, "show", params, &reply);
    free(params);
    if (status != CLIENT_DONE)
        return status;
    const struct json *sweep = json_get(reply.result, "sweep");
    g->sweep = member_int(sweep, "id", 0);
    int rc = spec_parse(json_get(sweep, "spec"), &g->spec, &err);
    rpc_reply_finish(&reply);
    return rc != 0 ? client_fail(c, CLIENT_REFUSED, &err) : CLIENT_DONE;
}

/* Of what the run has: a value that is not there, or that the space does not know, is absent. */
static void read_values(const struct space *s, const struct json *params, struct assignment *out)
{
    struct errbuf why;
    for (size_t i = 0; i < s->count; i++) {
        const struct dimension *d = &s->dimensions[i];
        const struct json *v = json_get(params, d->name);
        if (v == NULL || dimension_from_json(d, v, d->name, &out->v[i], &why) != 0)
            out->v[i] = NAN;
    }
}

static void take(void *arg, const struct json *run)
{
    struct gathered *g = arg;
    struct assignment at = {{0}};
    const struct json *metric = json_get(run, "metric_value");
    int kind = run_kind_find(member_string(run, "kind", ""));
    int status = run_status_find(member_string(run, "status", ""));
    int error = run_error_find(member_string(run, "error_class", ""));
    if (kind < 0 || status < 0)
        return;
    read_values(&g->spec.space, json_get(run, "params"), &at);
    const struct importance_given given = {
        .kind = (enum run_kind)kind,
        .status = (enum run_status)status,
        .error = error < 0 ? RUN_ERROR_EXITED : (enum run_error)error,
        .has_metric = metric != NULL && json_type(metric) != JSON_NULL,
        .metric = member_real(run, "metric_value", NAN),
        .at = &at,
    };
    importance_take(&g->runs, &given);
}

static int read_runs(struct client *c, struct gathered *g)
{
    char *params = xasprintf("\"sweep\":%lld", (long long)g->sweep);
    importance_init(&g->runs, &g->spec.space, g->spec.maximize);
    int status = client_pages(c, &(struct client_paged){"runs", params, "runs"}, take, g);
    free(params);
    return status;
}

/* --- the answer ------------------------------------------------------------------------------ */

static void write_answer(const struct gathered *g, const double *raw, struct json_writer *w)
{
    jw_begin_object(w);
    jw_kv_int(w, "sweep", g->sweep);
    jw_kv_string(w, "method", importance_name(g->method));
    jw_kv_string(w, "metric", spec_metric_name(&g->spec));
    jw_kv_int(w, "runs", (int64_t)importance_used(&g->runs, g->method));
    jw_key(w, "importances");
    importance_write(&g->spec.space, raw, w);
    jw_end_object(w);
}

static void print_answer(struct client *c, const struct gathered *g, const struct json *answer)
{
    fprintf(c->out, "sweep %lld: %s, %s, by %zu runs\n\n", (long long)g->sweep,
            importance_name(g->method), importance_says(g->method),
            importance_used(&g->runs, g->method));
    report_list(c, fields, ARRAY_LEN(fields), json_get(answer, "importances"));
    if (member_real(json_first(json_get(answer, "importances")), "raw", 0) == 0)
        fputs("\nno parameter shows an influence by these runs\n", c->out);
}

static int answer(struct client *c, const struct gathered *g)
{
    double raw[SPACE_MAX_DIMENSIONS];
    struct errbuf err;
    struct buf text = {0};
    struct json_writer w;
    if (importance_compute(&g->runs, g->method, g->spec.seed, raw, &err) != 0)
        return client_fail(c, CLIENT_REFUSED, &err);
    jw_init(&w, &text);
    write_answer(g, raw, &w);
    struct json *v = json_parse(text.data, text.len, &err);
    REQUIRE(v != NULL);
    buf_finish(&text);
    if (c->json)
        client_print_json(c, v);
    else
        print_answer(c, g, v);
    json_destroy(v);
    return CLIENT_DONE;
}

int cmd_importance(struct client *c)
{
    struct gathered g = {.method = IMPORTANCE_PEDANOVA};
    const char *name = c->opts.text[OPTION_METHOD];
    int method = opts_has(&c->opts, OPTION_METHOD) ? importance_find(name) : IMPORTANCE_PEDANOVA;
    if (method < 0)
        return client_usage(c, "--method: got %s; allowed: %s or %s", name,
                            importance_name(IMPORTANCE_PEDANOVA),
                            importance_name(IMPORTANCE_FANOVA));
    g.method = (enum importance_method)method;
    int status = read_spec(c, &g);
    if (status != CLIENT_DONE)
        return status;
    status = read_runs(c, &g);
    if (status == CLIENT_DONE)
        status = answer(c, &g);
    importance_finish(&g.runs);
    spec_finish(&g.spec);
    return status;
}
