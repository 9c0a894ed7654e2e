/* Runs that a person asks for: they join an open sweep, count against its run_cap, and leave its
 * search as it is. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define OWN "{\"learning_rate\":0.05,\"batch_size\":32,\"optimizer\":\"sgd\",\"depth\":4}"

static void open_world(struct world *w, size_t workers, int64_t run_cap)
{
    world_init(w, workers, 1);
    world_submit(w, "coarse_to_fine", PARAMETERS_FULL, run_cap, 110, ",\"treat\":false");
    world_settle(w);
}

/* The last run of the sweep; NULL: there is none. */
static const struct run_row *last_run(const struct world *w, int64_t sweep_id)
{
    const struct run_row *r, *last = NULL;
    for (int64_t n = 0; (r = world_run_row(w, sweep_id, n)) != NULL; n++)
        last = r;
    return last;
}

static size_t count_runs(const struct world *w, int64_t sweep_id)
{
    const struct run_row *last = last_run(w, sweep_id);
    return last != NULL ? (size_t)last->number + 1 : 0;
}

static bool is_enqueued(const struct run_row *r)
{
    return r->kind == RUN_KIND_SEARCH && strcmp(r->stage, STAGE_ENQUEUED) == 0;
}

/* --- what is added --------------------------------------------------------------------------- */

static void adds_a_run_with_those_values(void **state)
{
    struct world w;
    char reply[64];
    open_world(&w, 1, 12);
    world_enqueue(&w, 1, OWN);
    size_t replies = w.replies;
    assert_int_equal(count_runs(&w, 1), 3); /* not before it is durable */
    world_settle(&w);
    const struct run_row *r = last_run(&w, 1);
    assert_int_equal(w.replies, replies + 1);
    snprintf(reply, sizeof(reply), "{\"sweep\":1,\"run\":%" PRId64 "}", r->id);
    assert_string_equal(w.last_reply, reply);
    assert_true(is_enqueued(r));
    assert_int_equal(r->kind, RUN_KIND_SEARCH);
    assert_int_equal(r->status, RUN_QUEUED);
    assert_string_equal(r->params_json, OWN);
    assert_true(r->config->settings.v[SETTING_LEARNING_RATE] == 0.05 &&
                r->config->settings.v[SETTING_BATCH_SIZE] == 32 &&
                r->config->settings.v[SETTING_OPTIMIZER] == OPTIMIZER_SGD &&
                r->config->settings.v[SETTING_DEPTH] == 4);
    assert_int_equal(r->epochs, 6);
    assert_int_equal(r->seed, world_run_row(&w, 1, 0)->seed);
    assert_int_equal(world_decisions(&w, 1, r->id, DECISION_ENQUEUED), 1);
    assert_int_equal(world_decisions(&w, 1, r->id, DECISION_PROPOSED), 0);
    world_run(&w);
    assert_int_equal(world_run_row(&w, 1, 3)->status, RUN_COMPLETED);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

/* Its stages are those of a sweep in which nobody asked for anything, as far as run_cap reaches. */
static void leaves_the_search_as_it_is(void **state)
{
    struct world plain, w;
    open_world(&plain, 2, 20);
    world_run(&plain);
    open_world(&w, 2, 20);
    for (int i = 0; i < 3; i++) {
        world_work(&w, 0);
        world_enqueue(&w, 1, OWN); /* the same one thrice: a person may */
    }
    world_run(&w);
    assert_int_equal(count_runs(&w, 1), 20);
    const struct run_row *r;
    int64_t own = 0, enqueued = 0;
    for (int64_t n = 0; (r = world_run_row(&w, 1, n)) != NULL; n++) {
        if (is_enqueued(r)) {
            enqueued++;
            continue;
        }
        const struct run_row *same = world_run_row(&plain, 1, own++);
        assert_string_equal(r->stage, same->stage);
        assert_string_equal(r->params_json, same->params_json);
    }
    assert_int_equal(enqueued, 3);
    assert_int_equal(own, 17);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&plain);
    world_finish(&w);
}

static void waits_with_its_sweep(void **state)
{
    struct world w;
    open_world(&w, 2, 12);
    engine_command(w.engine, COMMAND_PAUSE, 1, NULL, w.now, &w.fx);
    while (w.worker_count > 0)
        world_work(&w, 0);
    world_settle(&w);
    while (w.worker_count > 0)
        world_work(&w, 0);
    world_enqueue(&w, 1, OWN);
    world_settle(&w);
    assert_int_equal(w.refusals, 0);
    assert_int_equal(w.worker_count, 0);
    assert_int_equal(last_run(&w, 1)->status, RUN_QUEUED);
    world_crash(&w, 2, 0);
    world_settle(&w);
    assert_int_equal(w.worker_count, 0);
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_run(&w);
    assert_int_equal(count_runs(&w, 1), 12);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 12);
    world_finish(&w);
}

/* Nothing was left to run, and so nothing to resume; with a run to do there is. */
static void gives_a_held_sweep_something_to_do(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_submit(&w, "grid", "\"depth\":{\"min\":1,\"max\":3}", 5, 1, "");
    world_settle(&w);
    for (int64_t id = 1; id <= 3; id++)
        engine_cancel_run(w.engine, id, NULL, w.now, &w.fx);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_HELD);
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(w.refusals, 1);
    world_enqueue(&w, 1, "{\"depth\":2}");
    world_settle(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_HELD);
    assert_int_equal(w.worker_count, 0);
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_run(&w);
    assert_int_equal(w.refusals, 1);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 1);
    world_finish(&w);
}

/* --- what is refused ------------------------------------------------------------------------- */

static void refused_with(struct world *w, int64_t sweep_id, const char *params, int code)
{
    size_t refusals = w->refusals, runs = w->store.run_count, decisions = w->store.decision_count;
    world_enqueue(w, sweep_id, params);
    assert_int_equal(w->fx.batch.count, 0);
    world_settle(w);
    assert_int_equal(w->refusals, refusals + 1);
    assert_int_equal(w->last_error.code, code);
    assert_int_equal(w->store.run_count, runs);
    assert_int_equal(w->store.decision_count, decisions);
}

static void refuses_what_the_space_has_not(void **state)
{
    static const struct {
        const char *params;
        int code;
        const char *key, *value, *allowed;
    } cases[] = {
        {"{\"learning_rate\":0.5,\"batch_size\":32,\"optimizer\":\"sgd\",\"depth\":4}", ERR_VALUE,
         "$.learning_rate", "0.5", "from 0.001 to 0.1"},
        {"{\"learning_rate\":\"nan\",\"batch_size\":32,\"optimizer\":\"sgd\",\"depth\":4}",
         ERR_TYPE, "$.learning_rate", "nan", "a number"},
        {"{\"learning_rate\":0.05,\"batch_size\":33,\"optimizer\":\"sgd\",\"depth\":4}", ERR_VALUE,
         "$.batch_size", "33", "one of 32, 128, 512"},
        {"{\"learning_rate\":0.05,\"batch_size\":32,\"optimizer\":\"adamw\",\"depth\":4}",
         ERR_VALUE, "$.optimizer", "adamw", "one of adam, rmsprop, momentum, adadelta, sgd"},
        {"{\"learning_rate\":0.05,\"batch_size\":32,\"optimizer\":\"sgd\",\"depth\":0}", ERR_VALUE,
         "$.depth", "0", "from 1 to 4"},
        {"{\"learning_rate\":0.05,\"batch_size\":32,\"optimizer\":\"sgd\",\"depth\":1.5}",
         ERR_TYPE, "$.depth", "1.5", "an integer"},
        {"{\"learning_rate\":0.05,\"batch_size\":32,\"optimizer\":7,\"depth\":4}", ERR_TYPE,
         "$.optimizer", "7", "one of: sgd"},
        {"{\"learning_rate\":0.05,\"batch_size\":32,\"depth\":4}", ERR_MISSING, "$.optimizer",
         "nothing", "a value of every swept parameter"},
        {"{\"learning_rate\":0.05,\"batch_size\":32,\"optimizer\":\"sgd\",\"depht\":4}", ERR_KEY,
         "$.depht", "4", "depth"},
        {"{}", ERR_MISSING, "$.learning_rate", "nothing", "a value of every swept parameter"},
    };
    struct world w;
    open_world(&w, 1, 12);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        world_enqueue(&w, 1, cases[i].params);
        world_settle(&w);
        const struct errbuf *e = &w.last_error;
        assert_int_equal(w.refusals, i + 1);
        assert_int_equal(e->code, cases[i].code);
        if (strcmp(e->key, cases[i].key) != 0 || strstr(e->value, cases[i].value) == NULL ||
            strstr(e->allowed, cases[i].allowed) == NULL)
            fail_msg("%zu: %s: %s is not %s: %s", i, e->key, e->value, e->allowed, e->message);
    }
    assert_int_equal(w.store.run_count, 3);
    refused_with(&w, 1, "[1,2]", ERR_TYPE);
    world_finish(&w);
}

/* A switch, a quantized range and a list of integers, with what is none of their values. */
static void refuses_other_types(void **state)
{
    static const char *const wrong[] = {
        "{\"train.shuffle\":3,\"width\":16,\"data.limit\":100}",
        "{\"train.shuffle\":\"yes\",\"width\":16,\"data.limit\":100}",
        "{\"train.shuffle\":null,\"width\":16,\"data.limit\":100}",
        "{\"train.shuffle\":true,\"width\":17,\"data.limit\":100}",
        "{\"train.shuffle\":true,\"width\":16,\"data.limit\":150}",
        "{\"train.shuffle\":true,\"width\":true,\"data.limit\":100}",
    };
    struct world w;
    world_init(&w, 1, 1);
    world_submit(&w, "coarse_to_fine",
                 "\"train.shuffle\":{\"values\":[true,false]},\"width\":{\"min\":16,\"max\":64,"
                 "\"q\":16,\"distribution\":\"q_uniform\"},\"data.limit\":{\"values\":[100,200]}",
                 12, 1, ",\"treat\":false");
    world_settle(&w);
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++)
        world_enqueue(&w, 1, wrong[i]);
    world_settle(&w);
    assert_int_equal(w.refusals, sizeof(wrong) / sizeof(*wrong));
    world_enqueue(&w, 1, "{\"data.limit\":200,\"train.shuffle\":false,\"width\":48}");
    world_settle(&w);
    assert_int_equal(w.refusals, sizeof(wrong) / sizeof(*wrong));
    assert_string_equal(last_run(&w, 1)->params_json,
                        "{\"train.shuffle\":false,\"width\":48,\"data.limit\":200}");
    world_finish(&w);
}

static void refuses_sweeps_that_have_ended(void **state)
{
    struct world w;
    open_world(&w, 2, 12);
    refused_with(&w, 2, OWN, ERR_NOT_FOUND);
    assert_non_null(strstr(w.last_error.message, "sweep 2 is not open"));
    engine_command(w.engine, COMMAND_CANCEL, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_true(w.worker_count > 0);
    refused_with(&w, 1, OWN, ERR_STATE); /* its workers are still ending */
    assert_string_equal(w.last_error.value, "cancelled");
    world_run(&w);
    refused_with(&w, 1, OWN, ERR_NOT_FOUND);
    world_finish(&w);
    open_world(&w, 2, 12);
    world_run(&w);
    refused_with(&w, 1, OWN, ERR_NOT_FOUND); /* completed */
    world_finish(&w);
    open_world(&w, 2, 12);
    engine_shutdown(w.engine, true, w.now, &w.fx);
    world_settle(&w);
    refused_with(&w, 1, OWN, ERR_SHUTDOWN);
    world_finish(&w);
}

/* --- run_cap --------------------------------------------------------------------------------- */

static void counts_against_run_cap(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_submit(&w, "random", PARAMETERS_FULL, 6, 1, ""); /* all are planned at once */
    world_settle(&w);
    refused_with(&w, 1, OWN, ERR_STATE);
    assert_non_null(strstr(w.last_error.message, "all 6 runs of its run_cap"));
    world_finish(&w);

    open_world(&w, 2, 12);
    for (int i = 0; i < 9; i++)
        world_enqueue(&w, 1, OWN);
    world_settle(&w);
    assert_int_equal(w.refusals, 0);
    assert_int_equal(w.store.run_count, 12);
    refused_with(&w, 1, OWN, ERR_STATE);
    world_run(&w);
    assert_int_equal(w.store.run_count, 12);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

/* The world itself refuses a run beyond run_cap. Here as many ask for runs as may, at any time,
 * beside a search and treatments. */
static void never_more_than_run_cap(void **state)
{
    for (uint64_t seed = 0; seed < 40; seed++) {
        struct world w;
        size_t enqueued = 0, treated = 0;
        world_init(&w, 1 + seed % 4, seed);
        w.overfit = true;
        w.checkpoint_every = 2;
        world_submit(&w, seed % 2 ? "random" : "coarse_to_fine", PARAMETERS_FULL, 20, seed,
                     ",\"treat\":true,\"treat_share\":0.3");
        world_settle(&w);
        for (int step = 0; step < 300 && world_sweep(&w, 1)->status != SWEEP_COMPLETED; step++) {
            uint64_t dice = rng_below(&w.rng, 64);
            if (dice < seed % 5)
                world_enqueue(&w, 1, OWN);
            else if (dice < 16)
                world_settle(&w);
            else if (dice == 63)
                world_crash(&w, 1 + seed % 4, 64);
            else if (w.worker_count > 0)
                world_work(&w, rng_below(&w.rng, w.worker_count));
        }
        world_run(&w);
        const struct run_row *r;
        for (int64_t n = 0; (r = world_run_row(&w, 1, n)) != NULL; n++) {
            enqueued += is_enqueued(r);
            treated += r->kind == RUN_KIND_TREATMENT;
        }
        assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
        assert_int_equal(w.store.run_count, 20);
        assert_true(treated <= 6);
        assert_true(seed % 5 > 0 || enqueued == 0);
        assert_int_equal(world_decisions(&w, 1, 0, DECISION_ENQUEUED), enqueued);
        assert_int_equal(world_decisions(&w, 1, 0, DECISION_TREATED), treated);
        assert_int_equal(world_decisions(&w, 1, 0, DECISION_PROPOSED), 20 - enqueued - treated);
        world_finish(&w);
    }
}

/* --- kill -9 --------------------------------------------------------------------------------- */

/* One step of the world, by a die. */
static void step(struct world *w)
{
    uint64_t dice = rng_below(&w->rng, 4);
    if (dice == 0)
        world_flush(w);
    else if (dice == 1)
        (void)world_commit(w);
    else if (w->worker_count > 0)
        world_work(w, rng_below(&w->rng, w->worker_count));
}

/* Killed k steps after the request: what was acknowledged is there, once, and runs to its end. */
static void survives_a_kill_at_every_event(void **state)
{
    size_t lost = 0, kept = 0;
    for (int k = 0; k < 160; k++) {
        struct world w;
        size_t enqueued = 0;
        open_world(&w, 2, 12);
        for (int i = 0; i < k / 8; i++)
            step(&w);
        size_t replies = w.replies;
        world_enqueue(&w, 1, OWN);
        for (int i = 0; i < k; i++)
            step(&w);
        bool acknowledged = w.replies > replies;
        world_crash(&w, 1 + (size_t)k % 3, k % 2 ? 128 : 0);
        world_run(&w);
        const struct run_row *r;
        for (int64_t n = 0; (r = world_run_row(&w, 1, n)) != NULL; n++) {
            enqueued += is_enqueued(r);
            assert_int_equal(r->status, RUN_COMPLETED);
            assert_int_equal(world_decisions(&w, 1, r->id, DECISION_ENQUEUED), is_enqueued(r));
            assert_int_equal(world_decisions(&w, 1, r->id, DECISION_PROPOSED), !is_enqueued(r));
        }
        assert_int_equal(enqueued, acknowledged ? 1 : 0);
        assert_int_equal(w.store.run_count, 12);
        assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
        lost += !acknowledged;
        kept += acknowledged;
        world_finish(&w);
    }
    assert_true(lost > 0 && kept > 0); /* both were seen */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(adds_a_run_with_those_values),
        cmocka_unit_test(leaves_the_search_as_it_is),
        cmocka_unit_test(waits_with_its_sweep),
        cmocka_unit_test(gives_a_held_sweep_something_to_do),
        cmocka_unit_test(refuses_what_the_space_has_not),
        cmocka_unit_test(refuses_other_types),
        cmocka_unit_test(refuses_sweeps_that_have_ended),
        cmocka_unit_test(counts_against_run_cap),
        cmocka_unit_test(never_more_than_run_cap),
        cmocka_unit_test(survives_a_kill_at_every_event),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
