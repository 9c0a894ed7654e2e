#include "daemon/serve/cmd/change.h"
#include "daemon/serve/request.h"

static void run(struct request *r)
{
    change_sweep(r, COMMAND_RESUME, change_refuse_ended);
}

const struct command command_resume = {
    .name = "resume",
    .params = {PARAM_SWEEP(true)},
    .run = run,
};
