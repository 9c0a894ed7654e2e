/* One more run of an open sweep, with values that a person chose. */
#include "daemon/serve/request.h"
#include "daemon/state.h"

static void refuse_ended(struct request *r)
{
    request_refuse(r, ERR_STATE,
                   "sweep %lld has ended; enqueue needs one that is queued, running, paused or "
                   "held", (long long)r->subject);
}

static void run(struct request *r)
{
    struct daemon *d = r->daemon;
    if (engine_sweep_open(d->engine, r->arg[0], NULL, NULL))
        engine_enqueue(d->engine, r->arg[0], r->object, request_token(r), loop_now(),
                       loop_effects(&d->loop));
    else
        request_resolve_sweep(r, refuse_ended);
}

const struct command command_enqueue = {
    .name = "enqueue",
    .params = {PARAM_SWEEP(true), {"params", PARAM_OBJECT, true, 0, 0, 0}},
    .run = run,
};
