/* A sweep decided again from its rows, beside the loop: the first decision that differs. */
#include <stdlib.h>

#include "daemon/engine/replay.h"
#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"

/* The client may go meanwhile. */
struct asked {
    struct daemon *daemon;
    uint64_t request_id;
    int64_t sweep_id;
    struct replay_report report;
};

static int work(void *arg, const struct replay_source *in, struct errbuf *err)
{
    struct asked *a = arg;
    return engine_replay(in, &a->report, err);
}

static void write_difference(const struct replay_report *d, struct json_writer *w)
{
    jw_key(w, "difference");
    if (!d->differs) {
        jw_null(w);
        return;
    }
    jw_begin_object(w);
    jw_key(w, "decision");
    if (d->decision_id != 0)
        jw_int(w, d->decision_id);
    else
        jw_null(w);
    if (d->run_id != 0) {
        jw_kv_int(w, "run", d->run_id);
        jw_kv_int(w, "number", d->number);
    }
    jw_kv_string(w, "what", d->what);
    jw_kv_string(w, "stored", d->stored);
    jw_kv_string(w, "again", d->again);
    jw_end_object(w);
}

static void on_replayed(void *arg, const struct errbuf *err)
{
    struct asked *a = arg;
    struct request *r = request_find(a->daemon->requests, a->request_id);
    if (r && err) {
        request_error(r, err);
    } else if (r) {
        jw_begin_object(&r->w);
        jw_kv_int(&r->w, "sweep", a->sweep_id);
        jw_kv_int(&r->w, "runs", a->report.runs);
        jw_kv_int(&r->w, "decisions", a->report.decisions);
        write_difference(&a->report, &r->w);
        jw_end_object(&r->w);
        request_result_built(r);
    }
    replay_report_finish(&a->report);
    free(a);
}

static void begin(struct request *r)
{
    struct asked *a = xcalloc(1, sizeof(*a));
    a->daemon = r->daemon;
    a->request_id = r->id;
    a->sweep_id = r->subject;
    store_history(r->daemon->store, r->subject, work, on_replayed, a);
}

static void run(struct request *r)
{
    request_resolve_sweep(r, begin);
}

const struct command command_replay = {
    .name = "replay",
    .lasting = true,
    .params = {PARAM_SWEEP(true)},
    .run = run,
};
