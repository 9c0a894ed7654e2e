/* A spec is parsed and checked, its data prepared by a worker, and only then does it become a
 * sweep: nothing is half accepted. A dry run ends before the last step. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "daemon/daemon.h"
#include "daemon/estimate.h"
#include "daemon/prepare.h"
#include "daemon/request.h"
#include "daemon/search/search.h"
#include "sweep/buf.h"
#include "sweep/record.h"
#include "sweep/spec.h"

enum { SPEC_PARAM, DRY_RUN_PARAM };

/* What a dry run keeps while it asks for the speed of earlier runs. */
struct dry_run {
    struct search_outline outline;
    struct estimate estimate;
};

/* What waits for the worker. The request is known by its id: the client may go meanwhile, and
 * then nothing is submitted. */
struct submission {
    struct daemon *daemon;
    uint64_t request_id;
    struct spec spec;
};

static void submission_destroy(struct submission *s)
{
    spec_finish(&s->spec);
    free(s);
}

/* --- dry run -------------------------------------------------------------------------------- */

static void answer_plan(struct request *r, const struct table *rates)
{
    const struct dry_run *p = r->extra;
    struct json_writer *w = &r->w;
    int64_t runs = 0;
    jw_begin_object(w);
    jw_key(w, "stages");
    jw_begin_array(w);
    for (size_t i = 0; i < p->outline.count; i++) {
        jw_begin_object(w);
        jw_kv_string(w, "stage", p->outline.stages[i].stage);
        jw_kv_int(w, "runs", p->outline.stages[i].runs);
        jw_kv_string(w, "what", p->outline.stages[i].what);
        jw_end_object(w);
        runs += p->outline.stages[i].runs;
    }
    jw_end_array(w);
    jw_kv_int(w, "runs", runs);
    jw_kv_real(w, "estimated_seconds",
               estimate_seconds(&p->estimate, rates, runs, engine_workers(r->daemon->engine)));
    jw_end_object(w);
    request_result_built(r);
}

static void plan(struct request *r, const struct spec *spec, const struct record_prepared *data)
{
    struct dry_run *p = xcalloc(1, sizeof(*p));
    search_method(spec->method)->outline(spec, &p->outline);
    estimate_init(&p->estimate, spec, data);
    r->extra = p;
    request_query(r, STORE_QUERY_RUN_RATES, NULL, 0, answer_plan);
}

/* --- submit --------------------------------------------------------------------------------- */

/* What only the prepared data can tell. */
static int check_samples(const struct spec *spec, const struct record_prepared *p,
                         struct errbuf *err)
{
    char given[32];
    int64_t samples = p->samples;
    if (spec->data.limit > 0 && spec->data.limit < samples)
        samples = spec->data.limit;
    if (spec->data.validation < samples)
        return 0;
    snprintf(given, sizeof(given), "%" PRId64, spec->data.validation);
    return err_bad(err, ERR_VALUE, "$.data.validation", given,
                   "fewer than the %" PRId64 " samples", samples);
}

static void on_prepared(void *arg, const struct record_prepared *prepared,
                        const struct errbuf *failed)
{
    struct submission *s = arg;
    struct daemon *d = s->daemon;
    struct request *r = request_find(d->requests, s->request_id);
    struct errbuf err;
    if (r && !prepared)
        request_error(r, failed);
    else if (r && check_samples(&s->spec, prepared, &err) < 0)
        request_error(r, &err);
    else if (r && r->arg[DRY_RUN_PARAM])
        plan(r, &s->spec, prepared);
    else if (r)
        engine_submit(d->engine, &s->spec, prepared, request_token(r), daemon_now(),
                      daemon_effects(d));
    submission_destroy(s);
}

static void run(struct request *r)
{
    struct errbuf err;
    struct daemon *d = r->daemon;
    struct submission *s = xcalloc(1, sizeof(*s));
    s->daemon = d;
    s->request_id = r->id;
    if (d->stopping) {
        free(s);
        request_refuse(r, ERR_SHUTDOWN, "the daemon is ending: submit after its restart");
        return;
    }
    if (spec_parse(r->object, &s->spec, &err) < 0) {
        free(s);
        request_error(r, &err);
        return;
    }
    if (search_method(s->spec.method)->check(&s->spec, &err) < 0) {
        submission_destroy(s);
        request_error(r, &err);
        return;
    }
    prepare_data(d->prepare, &s->spec, on_prepared, s);
}

const struct command command_submit = {
    .name = "submit",
    .params = {{"spec", PARAM_OBJECT, true, 0, 0, 0}, {"dry_run", PARAM_SWITCH, false, 0, 1, 0}},
    .run = run,
};
