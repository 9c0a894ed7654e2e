#include "daemon/serve/cmd/change.h"
#include "daemon/serve/request.h"

static void run(struct request *r)
{
    change_sweep(r, COMMAND_PAUSE, change_refuse_ended);
}

const struct command command_pause = {
    .name = "pause",
    .params = {PARAM_SWEEP(true)},
    .run = run,
};
