#include "daemon/serve/events.h"
#include "daemon/serve/request.h"
#include "daemon/state.h"

static void run(struct request *r)
{
    events_unsubscribe(r->daemon->events, r->conn);
    request_result(r, "{\"watching\":false}");
}

const struct command command_unwatch = {
    .name = "unwatch",
    .run = run,
};
