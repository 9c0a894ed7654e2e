#include "daemon/cmd/change.h"
#include "daemon/request.h"

static void run(struct request *r)
{
    change_sweep(r, COMMAND_RESUME, change_refuse_ended);
}

const struct command command_resume = {
    .name = "resume",
    .params = {PARAM_SWEEP(true)},
    .run = run,
};
