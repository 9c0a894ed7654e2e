#include "client/client.h"

#include "client/screen/screen.h"
#include "client/watch.h"
#include "sweep/run.h"

/* The newest sweep that is still open, else the newest. */
struct choice {
    int64_t newest, newest_open;
};

static void choose(void *arg, const struct json *sweep)
{
    struct choice *c = arg;
    int64_t id = member_int(sweep, "id", 0);
    int status = sweep_status_find(member_string(sweep, "status", ""));
    if (id > c->newest)
        c->newest = id;
    if (id > c->newest_open && status >= 0 && !sweep_status_terminal((enum sweep_status)status))
        c->newest_open = id;
}

int cmd_watch(struct client *c)
{
    struct choice choice = {0};
    if (c->opts.arg != NULL)
        return watch_sweep(c, c->opts.id);
    int status = client_pages(c, &(struct client_paged){"list", "", "sweeps"}, choose, &choice);
    if (status != CLIENT_DONE)
        return status;
    if (choice.newest == 0) {
        struct errbuf err;
        err_set(&err, ERR_NOT_FOUND, "there is no sweep to watch: `sweepctl submit SPEC.json`");
        return client_fail(c, CLIENT_REFUSED, &err);
    }
    int64_t first = choice.newest_open != 0 ? choice.newest_open : choice.newest;
    return screen_serves(c) ? watch_all(c, first) : watch_sweep(c, first);
}
