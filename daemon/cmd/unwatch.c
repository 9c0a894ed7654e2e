#include "daemon/daemon.h"
#include "daemon/events.h"
#include "daemon/request.h"

static void run(struct request *r)
{
    events_unsubscribe(r->daemon->events, r->conn);
    request_result(r, "{\"watching\":false}");
}

const struct command command_unwatch = {
    .name = "unwatch",
    .run = run,
};
