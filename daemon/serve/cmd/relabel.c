/* Stored labels are computed again by the rules of this version: a window of rows from the store,
 * the labelling beside the loop, and its results as one batch, window by window.
 *
 * One window is under way at a time, however many clients ask, and they take turns: so what a label
 * is computed from does not change before it is written, and the memory is that of one. */
#include <inttypes.h>
#include <stdlib.h>

#include <uv.h>

#include "daemon/causes/relabelling.h"
#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/require.h"

#define LOG_MODULE "relabel"

/* Goes on without the client: what was begun is finished. */
struct relabel_task {
    struct relabel_task *next;     /* whose turn is after this one's */
    struct daemon *daemon;
    uint64_t request_id;
    struct relabelling relabelling;
    uv_work_t work;
    struct relabel_window *window; /* owned by the labelling until it ends */
    utc_us now;
    struct store_batch batch;
};

/* --- the answer ------------------------------------------------------------------------------- */

static void write_moved(struct json_writer *w, const struct relabelling *r)
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
    const struct relabel_task *task = r->extra;
    struct json_writer *w = &r->w;
    jw_begin_object(w);
    jw_kv_int(w, "looked", task->relabelling.looked);
    jw_kv_int(w, "changed", task->relabelling.changed);
    jw_kv_int(w, "left_out", table_cell(t, 0, "runs")->integer);
    jw_kv_int(w, "classifier_version", DIAGNOSIS_VERSION);
    write_moved(w, &task->relabelling);
    jw_end_object(w);
    request_result_built(r);
}

static void answer(struct relabel_task *task)
{
    struct daemon *d = task->daemon;
    const struct relabelling *done = &task->relabelling;
    struct request *r = request_find(d->requests, task->request_id);
    store_batch_add_event(&loop_effects(&d->loop)->batch, done->only, 0, "relabelled", loop_now(),
                          "%" PRId64 " of %" PRId64 " labels changed", done->changed,
                          done->looked);
    if (!r) {
        free(task);
        return;
    }
    r->extra = task; /* freed with the request */
    request_query(r, STORE_QUERY_OPEN_LABELS, &task->relabelling.only, 1, take_left_out);
}

static void refuse(struct relabel_task *task, const struct errbuf *err)
{
    struct request *r = request_find(task->daemon->requests, task->request_id);
    log_error("relabelling ended at sweep %" PRId64 ": %s", task->relabelling.sweep_id,
              err->message);
    if (r)
        request_error(r, err);
    free(task);
}

/* --- turns ------------------------------------------------------------------------------------ */

static void begin_turn(struct daemon *d);

static struct relabel_task *take_first(struct daemon *d)
{
    struct relabel_task *task = d->relabelling;
    d->relabelling = task->next;
    task->next = NULL;
    return task;
}

static void append(struct daemon *d, struct relabel_task *task)
{
    struct relabel_task **at = &d->relabelling;
    while (*at)
        at = &(*at)->next;
    *at = task;
}

/* The first one has ended; err: without success. */
static void end_task(struct daemon *d, const struct errbuf *err)
{
    struct relabel_task *task = take_first(d);
    d->loop.dirty = true; /* the daemon may wait for the last one to end */
    if (err)
        refuse(task, err);
    else
        answer(task);
    begin_turn(d);
}

/* Its client waits for a commit, or not any more. */
static void note_commit(struct relabel_task *task, bool waits)
{
    struct request *r = request_find(task->daemon->requests, task->request_id);
    if (r)
        request_waits_for_commit(r, waits);
}

static void on_written(void *arg)
{
    struct daemon *d = arg;
    note_commit(d->relabelling, false);
    append(d, take_first(d));
    begin_turn(d);
}

static void relabel(uv_work_t *work)
{
    struct relabel_task *task = work->data;
    relabelling_step(&task->relabelling, task->window, task->now, &task->batch);
    relabel_window_destroy(task->window); /* milliseconds too */
    task->window = NULL;
}

static void on_relabelled(uv_work_t *work, int status)
{
    struct relabel_task *task = work->data;
    REQUIRE(status == 0); /* nobody cancels it */
    note_commit(task, true);
    store_submit(task->daemon->store, &task->batch, on_written, task->daemon);
}

static void on_window(void *arg, struct relabel_window *w, const struct errbuf *err)
{
    struct daemon *d = arg;
    struct relabel_task *task = d->relabelling;
    if (!w) {
        end_task(d, err);
        return;
    }
    task->window = w;
    task->now = loop_now();
    task->work.data = task;
    int rc = uv_queue_work(d->loop.uv, &task->work, relabel, on_relabelled);
    REQUIRE(rc == 0); /* refuses a missing function alone */
}

/* Of the first one the next window. A daemon that ends waits for the one under way, no more. */
static void begin_turn(struct daemon *d)
{
    const struct relabel_task *task = d->relabelling;
    if (!task)
        return;
    if (d->stopping) {
        struct errbuf err;
        err_set(&err, ERR_SHUTDOWN, "the daemon is shutting down");
        end_task(d, &err);
        return;
    }
    const struct store_window_query from = {.only = task->relabelling.only,
                                            .sweep_id = task->relabelling.sweep_id,
                                            .number = task->relabelling.number,
                                            .neighbours = RELABELLING_NEIGHBOURS};
    store_window(d->store, &from, on_window, d);
}

static void begin(struct request *r)
{
    struct daemon *d = r->daemon;
    struct relabel_task *task = xcalloc(1, sizeof(*task));
    task->daemon = d;
    task->request_id = r->id;
    if (r->given[0])
        task->relabelling.only = r->subject;
    append(d, task);
    if (d->relabelling == task)
        begin_turn(d);
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
    .lasting = true,
    .params = {PARAM_SWEEP(false)},
    .run = run,
};
