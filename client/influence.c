#include "client/influence.h"

#include <math.h>
#include <string.h>

#include "client/render.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/run.h"

int influence_init(struct influence *f, const struct json *sweep, enum importance_method method,
                   struct errbuf *err)
{
    int rc = spec_parse(json_get(sweep, "spec"), &f->spec, err);
    if (rc != 0)
        return rc;
    f->sweep = member_int(sweep, "id", 0);
    f->method = method;
    importance_init(&f->runs, &f->spec.space, f->spec.maximize);
    return 0;
}

void influence_finish(struct influence *f)
{
    importance_finish(&f->runs);
    spec_finish(&f->spec);
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

void influence_take(void *arg, const struct json *run)
{
    struct influence *f = arg;
    struct assignment at = {{0}};
    const struct json *metric = json_get(run, "metric_value");
    int kind = run_kind_find(member_string(run, "kind", ""));
    int status = run_status_find(member_string(run, "status", ""));
    int error = run_error_find(member_string(run, "error_class", ""));
    if (kind < 0 || status < 0)
        return;
    read_values(&f->spec.space, json_get(run, "params"), &at);
    const struct importance_given given = {
        .kind = (enum run_kind)kind,
        .status = (enum run_status)status,
        .error = error < 0 ? RUN_ERROR_EXITED : (enum run_error)error,
        .has_metric = metric != NULL && json_type(metric) != JSON_NULL,
        .metric = member_real(run, "metric_value", NAN),
        .at = &at,
    };
    importance_take(&f->runs, &given);
}

int influence_write(const struct influence *f, struct json_writer *w, struct errbuf *err)
{
    double raw[SPACE_MAX_DIMENSIONS];
    int rc = importance_compute(&f->runs, f->method, f->spec.seed, raw, err);
    if (rc != 0)
        return rc;
    jw_begin_object(w);
    jw_kv_int(w, "sweep", f->sweep);
    jw_kv_string(w, "method", importance_name(f->method));
    jw_kv_string(w, "metric", spec_metric_name(&f->spec));
    jw_kv_int(w, "runs", (int64_t)importance_used(&f->runs, f->method));
    jw_key(w, "importances");
    importance_write(&f->spec.space, raw, w);
    jw_end_object(w);
    return 0;
}
