/* What a run wrote to its stderr: the file's end, for people; or what came after an offset, for
 * those who follow it. */
#include "daemon/serve/request.h"
#include "daemon/launch/rundir.h"
#include "daemon/state.h"

#define LOG_TAIL_BYTES 65536

enum { RUN_ARG, OFFSET_ARG };

static void answer(struct request *r)
{
    struct buf tail = {0};
    struct rundir_reading reading = {.from = r->given[OFFSET_ARG] ? r->arg[OFFSET_ARG] : -1,
                                     .max = LOG_TAIL_BYTES};
    bool cut;
    rundir_stderr_read(r->daemon->runs_dir, r->subject, &reading, &tail);
    cut = reading.from > 0 && !r->given[OFFSET_ARG];
    jw_begin_object(&r->w);
    jw_kv_int(&r->w, "run", r->subject);
    jw_kv_string(&r->w, "text", tail.len ? tail.data : "");
    jw_kv_bool(&r->w, "truncated", cut);
    jw_kv_int(&r->w, "offset", reading.from);
    jw_kv_int(&r->w, "next", reading.next);
    jw_kv_int(&r->w, "size", reading.size);
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
    .params = {PARAM_RUN(true), {"offset", PARAM_INTEGER, false, 0, PARAM_ID_MAX, 0}},
    .run = run,
};
