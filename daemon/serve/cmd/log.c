/* What a run wrote to its stderr: the file's end, for people. */
#include "daemon/serve/request.h"
#include "daemon/launch/rundir.h"
#include "daemon/state.h"

#define LOG_TAIL_BYTES 65536

static void answer(struct request *r)
{
    struct buf tail = {0};
    bool cut;
    rundir_stderr_tail(r->daemon->runs_dir, r->subject, LOG_TAIL_BYTES, &tail, &cut);
    jw_begin_object(&r->w);
    jw_kv_int(&r->w, "run", r->subject);
    jw_kv_string(&r->w, "text", tail.len ? tail.data : "");
    jw_kv_bool(&r->w, "truncated", cut);
    jw_end_object(&r->w);
    buf_finish(&tail);
    request_result_built(r);
}

static void run(struct request *r)
{
    request_resolve_run(r, answer);
}

const struct command command_log = {
    .name = "log",
    .params = {PARAM_RUN(true)},
    .run = run,
};
