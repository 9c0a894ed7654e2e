/* Effects: rows are committed, then the actions happen. */
#include <stdlib.h>

#include "daemon/launch/hook.h"
#include "daemon/launch/pool.h"
#include "daemon/launch/rundir.h"
#include "daemon/serve/cmd/import.h"
#include "daemon/serve/cmd/wait.h"
#include "daemon/serve/events.h"
#include "daemon/serve/night_log.h"
#include "daemon/serve/request.h"
#include "daemon/sweepd.h"
#include "sweep/buf.h"
#include "sweep/require.h"

#define TURN_NS (5 * UINT64_C(1000000)) /* of actions within one turn of the loop */

static void act_start(struct sweepd *d, struct action *a)
{
    const struct pool_run run = {.id = a->run_id,
                                 .owner = a->owner,
                                 .limits = &a->limits,
                                 .whole_environment = a->whole_environment};
    pool_start(d->pool, a->launcher, &run, a->config);
}

static void act_term(struct sweepd *d, struct action *a)
{
    pool_term(d->pool, a->run_id);
}

static void act_drop_checkpoint(struct sweepd *d, struct action *a)
{
    rundir_drop_checkpoint(d->shared.runs_dir, a->run_id);
}

static void act_drop_weights(struct sweepd *d, struct action *a)
{
    rundir_drop_weights(d->shared.runs_dir, a->run_id);
}

static void act_delete_runs(struct sweepd *d, struct action *a)
{
    rundir_remove(&d->loop, &(struct rundir_removal){d->shared.runs_dir,
                                                     engine_database(d->shared.engine),
                                                     a->run_ids, a->run_id_count});
}

static void act_notify(struct sweepd *d, struct action *a)
{
    events_notify(d->shared.events, a->sweep_id, a->method, a->json);
}

static void act_reply(struct sweepd *d, struct action *a)
{
    struct request *r = request_of_token(d->shared.requests, a->token);
    if (!r)
        return; /* the client is gone */
    if (a->error)
        request_error(r, a->error);
    else
        request_result(r, a->json);
}

static void act_wake_waiters(struct sweepd *d, struct action *a)
{
    wait_wake(&d->shared, a->sweep_id);
}

static void act_imported(struct sweepd *d, struct action *a)
{
    import_committed(&d->shared);
}

static void (*const act[])(struct sweepd *d, struct action *a) = {
    [ACTION_START_RUN] = act_start,
    [ACTION_TERM_RUN] = act_term,
    [ACTION_DROP_CHECKPOINT] = act_drop_checkpoint,
    [ACTION_DROP_WEIGHTS] = act_drop_weights,
    [ACTION_DELETE_RUNS] = act_delete_runs,
    [ACTION_NOTIFY] = act_notify,
    [ACTION_REPLY] = act_reply,
    [ACTION_WAKE_WAITERS] = act_wake_waiters,
    [ACTION_IMPORTED] = act_imported,
};

/* Of one batch: the actions from `done` on wait for its commit, or for their turn. */
struct applied {
    struct sweepd *daemon;
    struct happened *happened;
    size_t rows;
    size_t count, done;
    struct action *actions;
    struct applied *next;
};

static void finish_applied(struct sweepd *d, struct applied *a)
{
    d->applying--;
    d->waiting_rows -= a->rows;
    d->shared.loop.dirty |= d->shared.stopping; /* it may have been the last */
    free(a->actions);
    free(a);
}

/* For a few milliseconds, in their order: five hundred slots may have begun at once, and clients
 * are not to wait for as many folders. The rest in the next turn of the loop. */
static void act_in_turn(struct sweepd *d)
{
    uint64_t end = uv_hrtime() + TURN_NS;
    while (d->due) {
        struct applied *a = d->due;
        if (a->done < a->count) {
            struct action *one = &a->actions[a->done++];
            act[one->type](d, one);
            action_finish(one);
            if (uv_hrtime() >= end)
                break;
            continue;
        }
        d->due = a->next;
        finish_applied(d, a);
    }
    if (!d->due)
        uv_idle_stop(&d->actor);
}

static void on_turn(uv_idle_t *idle)
{
    act_in_turn(idle->data);
}

static void on_durable(void *arg)
{
    struct applied *a = arg, **end;
    struct sweepd *d = a->daemon;
    bool first = d->due == NULL;
    happened_tell(a->happened, d->hook);
    for (end = &d->due; *end; end = &(*end)->next)
        continue;
    *end = a;
    if (!first)
        return; /* what came before is done before */
    uv_idle_start(&d->actor, on_turn);
    act_in_turn(d);
}

void sweepd_open_actions(struct sweepd *d)
{
    int rc = uv_idle_init(&d->loop, &d->actor);
    REQUIRE(rc == 0);
    d->actor.data = d;
}

void sweepd_close_actions(struct sweepd *d)
{
    uv_close((uv_handle_t *)&d->actor, NULL);
}

void sweepd_apply(struct sweepd *d, struct effects *fx)
{
    if (fx->batch.count == 0 && fx->action_count == 0)
        return;
    struct applied *a = xcalloc(1, sizeof(*a));
    a->daemon = d;
    a->happened = happened_in(&fx->batch);
    a->rows = store_batch_rows(&fx->batch) + fx->action_count;
    a->count = fx->action_count;
    a->actions = fx->actions;
    fx->actions = NULL;
    fx->action_count = fx->action_cap = 0;
    d->applying++;
    d->waiting_rows += a->rows;
    /* Also without rows: it keeps its place behind the batches before it. */
    store_submit(d->shared.store, &fx->batch, on_durable, a);
}
