#include <string.h>

#include "daemon/serve/cmd/change.h"
#include "daemon/serve/request.h"
#include "daemon/state.h"

enum { SWEEP_PARAM, RUN_PARAM };

static void run(struct request *r)
{
    struct errbuf err;
    struct daemon *d = r->daemon;
    if (r->given[SWEEP_PARAM] == r->given[RUN_PARAM]) {
        err_bad(&err, ERR_MISSING, "$.sweep", r->given[RUN_PARAM] ? "both" : "nothing",
                "either sweep or run");
        request_error(r, &err);
    } else if (r->given[RUN_PARAM]) {
        engine_cancel_run(d->engine, r->arg[RUN_PARAM], request_token(r), loop_now(),
                          loop_effects(&d->loop));
    } else {
        change_sweep(r, COMMAND_CANCEL, change_refuse_ended);
    }
}

const struct command command_cancel = {
    .name = "cancel",
    .params = {PARAM_SWEEP(false), PARAM_RUN(false)},
    .run = run,
};
