/* An open sweep is deleted by the engine alone. Of one that has ended it knows no runs any more:
 * their ids come from the store, for the run folders. */
#include <string.h>

#include "daemon/serve/cmd/change.h"
#include "daemon/serve/request.h"
#include "daemon/state.h"
#include "sweep/buf.h"

static void hand_over(struct request *r)
{
    struct daemon *d = r->daemon;
    struct effects *fx = loop_effects(&d->loop);
    engine_command(d->engine, COMMAND_DELETE, r->subject, request_token(r), loop_now(), fx);
    for (size_t i = 0; i < fx->action_count; i++) {
        struct action *a = &fx->actions[i];
        if (a->type != ACTION_DELETE_RUNS || a->sweep_id != r->subject || a->run_id_count > 0 ||
            r->ids.len == 0)
            continue;
        a->run_id_count = r->ids.len / sizeof(int64_t);
        a->run_ids = (int64_t *)(void *)buf_take(&r->ids);
    }
}

static void collect(struct request *r, const struct table *t);

static void ask(struct request *r, int64_t after_number)
{
    int64_t args[] = {r->subject, after_number, RPC_PAGE_MAX};
    request_query(r, STORE_QUERY_RUNS, args, 3, collect);
}

static void collect(struct request *r, const struct table *t)
{
    for (size_t i = 0; i < t->rows; i++) {
        int64_t id = table_cell(t, i, "run_id")->integer;
        buf_append(&r->ids, &id, sizeof(id));
    }
    if (t->rows == RPC_PAGE_MAX)
        ask(r, table_cell(t, t->rows - 1, "number")->integer);
    else
        hand_over(r);
}

static void delete_ended(struct request *r)
{
    ask(r, -1);
}

static void run(struct request *r)
{
    change_sweep(r, COMMAND_DELETE, delete_ended);
}

const struct command command_delete = {
    .name = "delete",
    .params = {PARAM_SWEEP(true)},
    .run = run,
};
