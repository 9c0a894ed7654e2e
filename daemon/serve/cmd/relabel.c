/* Stored labels are judged again by the rules of this version, a chunk at a time. */
#include <inttypes.h>
#include <stdlib.h>

#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/log.h"

#define LOG_MODULE "relabel"

/* Goes on without the client: what was begun is finished. */
struct relabelling {
    struct daemon *daemon;
    uint64_t request_id;
    struct relabel relabel;
};

static void write_moved(struct json_writer *w, const struct relabel *r)
{
    jw_key(w, "moved");
    jw_begin_array(w);
    for (int from = 0; from < PATTERN_COUNT; from++) {
        for (int to = 0; to < PATTERN_COUNT; to++) {
            if (from == to || r->moved[from][to] == 0)
                continue;
            jw_begin_object(w);
            jw_kv_string(w, "from", pattern_name((enum pattern)from));
            jw_kv_string(w, "to", pattern_name((enum pattern)to));
            jw_kv_int(w, "runs", r->moved[from][to]);
            jw_end_object(w);
        }
    }
    jw_end_array(w);
}

static void take_left_out(struct request *r, const struct table *t)
{
    const struct relabelling *task = r->extra;
    struct json_writer *w = &r->w;
    jw_begin_object(w);
    jw_kv_int(w, "looked", task->relabel.looked);
    jw_kv_int(w, "changed", task->relabel.changed);
    jw_kv_int(w, "left_out", table_cell(t, 0, "runs")->integer);
    jw_kv_int(w, "classifier_version", DIAGNOSIS_VERSION);
    write_moved(w, &task->relabel);
    jw_end_object(w);
    request_result_built(r);
}

static void on_chunk(void *arg, const struct errbuf *err)
{
    struct relabelling *task = arg;
    struct daemon *d = task->daemon;
    struct request *r = request_find(d->requests, task->request_id);
    if (!err && !task->relabel.done) {
        store_relabel(d->store, &task->relabel, on_chunk, task);
        return;
    }
    if (err) {
        log_error("relabelling ended at sweep %" PRId64 ": %s", task->relabel.sweep_id,
                  err->message);
        if (r)
            request_error(r, err);
        free(task);
        return;
    }
    store_batch_add_event(&loop_effects(&d->loop)->batch, task->relabel.only, 0, "relabelled",
                          loop_now(), "%" PRId64 " of %" PRId64 " labels changed",
                          task->relabel.changed, task->relabel.looked);
    if (!r) {
        free(task);
        return;
    }
    r->extra = task; /* freed with the request */
    request_query(r, STORE_QUERY_OPEN_LABELS, &task->relabel.only, 1, take_left_out);
}

static void begin(struct request *r)
{
    struct relabelling *task = xcalloc(1, sizeof(*task));
    *task = (struct relabelling){.daemon = r->daemon, .request_id = r->id};
    if (r->given[0])
        task->relabel.only = r->subject;
    store_relabel(r->daemon->store, &task->relabel, on_chunk, task);
}

static void run(struct request *r)
{
    if (r->given[0])
        request_resolve_sweep(r, begin);
    else
        begin(r);
}

const struct command command_relabel = {
    .name = "relabel",
    .params = {PARAM_SWEEP(false)},
    .run = run,
};
