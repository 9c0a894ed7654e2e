#include "daemon/serve/request.h"
#include "daemon/state.h"

/* The reply before the end: the connection ends with the daemon. */
static void run(struct request *r)
{
    struct daemon *d = r->daemon;
    bool drain = r->arg[0] != 0;
    int64_t running = (int64_t)engine_running(d->engine);
    daemon_stop(d, drain);
    jw_begin_object(&r->w);
    jw_kv_bool(&r->w, "stopping", true);
    jw_kv_int(&r->w, "running", running);
    jw_kv_int(&r->w, "left", (int64_t)engine_left(d->engine));
    jw_end_object(&r->w);
    request_result_built(r);
}

const struct command command_shutdown = {
    .name = "shutdown",
    .params = {{"drain", PARAM_SWITCH, false, 0, 1, 0}},
    .run = run,
};
