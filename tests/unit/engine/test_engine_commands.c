/* The engine: commands in every state, and shutdown. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/search.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

static const struct record_result completed = {.status = RUN_COMPLETED, .seconds = 2};

/* --- commands -------------------------------------------------------------------------------- */

/* Brings sweep 1 of six runs into a state; two workers. CANCELLED: workers still ending. */
static void into_state(struct world *w, enum sweep_status status)
{
    world_init(w, 2, 1);
    if (status == SWEEP_HELD) {
        world_submit_finding(w, "nan_in_input", "hold");
        return;
    }
    if (status == SWEEP_QUEUED) { /* behind another */
        world_grid(w, SIX_DEPTHS, ",\"priority\":9");
        world_grid(w, SIX_DEPTHS, "");
        return;
    }
    world_grid(w, SIX_DEPTHS, "");
    if (status == SWEEP_PAUSED)
        engine_command(w->engine, COMMAND_PAUSE, 1, NULL, w->now, &w->fx);
    if (status == SWEEP_CANCELLED)
        engine_command(w->engine, COMMAND_CANCEL, 1, NULL, w->now, &w->fx);
    if (status == SWEEP_COMPLETED)
        world_run(w);
    else
        world_settle(w);
}

static void test_commands_in_every_state(void **state)
{
    enum { NO_STATE = ERR_STATE, NO_SWEEP = ERR_NOT_FOUND };
    static const int expected[SWEEP_STATUS_COUNT][4] = {
        /*                    pause     resume    cancel    delete */
        [SWEEP_QUEUED] = {0, NO_STATE, 0, NO_STATE},
        [SWEEP_RUNNING] = {0, NO_STATE, 0, NO_STATE},
        [SWEEP_PAUSED] = {NO_STATE, 0, 0, NO_STATE /* its workers still train */},
        [SWEEP_HELD] = {NO_STATE, 0, 0, 0},
        [SWEEP_COMPLETED] = {NO_SWEEP, NO_SWEEP, NO_SWEEP, 0},
        [SWEEP_CANCELLED] = {NO_STATE, NO_STATE, NO_STATE, NO_STATE /* workers are ending */},
    };
    for (int status = 0; status < SWEEP_STATUS_COUNT; status++) {
        for (int c = COMMAND_PAUSE; c <= COMMAND_DELETE; c++) {
            struct world w;
            into_state(&w, (enum sweep_status)status);
            int64_t id = status == SWEEP_QUEUED ? 2 : 1;
            assert_int_equal(world_sweep(&w, id)->status, status);
            size_t replies = w.replies;
            engine_command(w.engine, (enum sweep_command)c, id, NULL, w.now, &w.fx);
            world_settle(&w);
            assert_int_equal(w.replies, replies + 1);
            assert_int_equal(w.refusals > 0 ? w.last_error.code : 0, expected[status][c]);
            if (expected[status][c] == NO_STATE) /* the message names the state */
                assert_non_null(strstr(w.last_error.message,
                                       sweep_status_name((enum sweep_status)status)));
            world_run(&w); /* whatever was said, the world comes to rest */
            assert_int_equal(engine_running(w.engine), 0);
            assert_int_equal(w.worker_count, 0);
            world_finish(&w);
        }
    }
}

static void test_pause_resume(void **state)
{
    struct world w;
    into_state(&w, SWEEP_PAUSED);
    while (w.worker_count > 0) /* running runs yield, none starts */
        world_work(&w, 0);
    world_settle(&w);
    assert_int_equal(world_count(&w, 1, RUN_PAUSED), 2);
    assert_int_equal(world_count(&w, 1, RUN_QUEUED), 4);
    assert_int_equal(w.worker_count, 0);
    assert_int_equal(engine_running(w.engine), 0);
    world_crash(&w, 2, 0);
    world_settle(&w);
    assert_int_equal(w.worker_count, 0); /* paused it stays */
    assert_int_equal(world_count(&w, 1, RUN_PAUSED), 2);
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_RUNNING);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

static void test_cancel(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    engine_command(w.engine, COMMAND_CANCEL, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_CANCELLED);
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), 6);
    assert_true(w.workers[0].termed && w.workers[1].termed);
    assert_int_equal(engine_running(w.engine), 2); /* slots are theirs until they are gone */
    assert_true(engine_sweep_open(w.engine, 1, NULL, NULL));
    world_grid(&w, ONE_RUN, "");
    assert_int_equal(w.worker_count, 2);
    world_work(&w, 0);
    world_work(&w, 0);
    world_settle(&w);
    assert_false(engine_sweep_open(w.engine, 1, NULL, NULL));
    const struct run_row *r = world_run_row(&w, 1, 0);
    assert_int_equal(r->error, RUN_ERROR_KILLED_BY_USER);
    assert_null(r->handle);
    assert_true(r->ended != 0);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 2)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

static void test_cancel_run(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    engine_cancel_run(w.engine, 1, NULL, w.now, &w.fx); /* running */
    engine_cancel_run(w.engine, 4, NULL, w.now, &w.fx); /* queued */
    world_settle(&w);
    assert_int_equal(w.refusals, 0);
    engine_cancel_run(w.engine, 1, NULL, w.now, &w.fx); /* again */
    world_settle(&w);
    assert_int_equal(w.last_error.code, ERR_STATE);
    assert_non_null(strstr(w.last_error.message, "cancelled"));
    engine_cancel_run(w.engine, 77, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(w.last_error.code, ERR_NOT_FOUND);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), 2);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 4);
    assert_int_equal(world_run_row(&w, 1, 3)->error, RUN_ERROR_KILLED_BY_USER);
    world_finish(&w);
}

/* An adopted worker's exit status is unknown: when it ends after a cancel, the pool says lost. */
static void test_cancel_adopted(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    world_crash(&w, 2, 0);
    engine_command(w.engine, COMMAND_CANCEL, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    engine_run_lost(w.engine, 1, w.now, &w.fx);
    engine_run_lost(w.engine, 2, w.now, &w.fx);
    w.worker_count = 0;
    world_settle(&w);
    assert_int_equal(engine_running(w.engine), 0);
    assert_false(engine_sweep_open(w.engine, 1, NULL, NULL));
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), 6);
    world_finish(&w);
}

/* Every run cancelled one by one: nothing completed, a person is asked; resuming cannot help. */
static void test_cancel_every_run(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    for (int64_t i = 1; i <= 6; i++)
        engine_cancel_run(w.engine, i, NULL, w.now, &w.fx);
    world_run(&w);
    const struct sweep_row *s = world_sweep(&w, 1);
    assert_int_equal(s->status, SWEEP_HELD);
    assert_string_equal(s->reason, "no run completed: 6 cancelled");
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(w.last_error.code, ERR_STATE);
    assert_non_null(strstr(w.last_error.message, "nothing left to run"));
    world_crash(&w, 2, 0); /* held it stays */
    world_settle(&w);
    engine_command(w.engine, COMMAND_DELETE, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(w.store.sweep_count, 0);
    assert_int_equal(w.deleted_runs, 6);
    world_finish(&w);
}

/* --- shutdown -------------------------------------------------------------------------------- */

static void test_shutdown(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    engine_shutdown(w.engine, false, w.now, &w.fx);
    engine_shutdown(w.engine, false, w.now, &w.fx);
    world_settle(&w);
    assert_true(w.workers[0].termed && w.workers[1].termed);
    world_work(&w, 0);
    /* this one's end was already written when TERM came: it counts */
    world_tell(&w, w.workers[0].run_id, 1, 0.3);
    world_end(&w, w.workers[0].run_id, (struct run_exit){.result = &completed});
    assert_int_equal(w.worker_count, 0);
    assert_int_equal(engine_running(w.engine), 0);
    assert_int_equal(world_count(&w, 1, RUN_QUEUED), 5);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 1);
    for (int64_t n = 0; n < 6; n++)
        if (world_run_row(&w, 1, n)->status == RUN_QUEUED)
            assert_int_equal(world_run_row(&w, 1, n)->attempts, 0);
    world_crash(&w, 2, 0);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

static void test_drain(void **state)
{
    struct world w;
    into_state(&w, SWEEP_RUNNING);
    engine_shutdown(w.engine, true, w.now, &w.fx);
    world_settle(&w);
    assert_false(w.workers[0].termed);
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 2);
    assert_int_equal(world_count(&w, 1, RUN_QUEUED), 4);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_commands_in_every_state),
        cmocka_unit_test(test_pause_resume),
        cmocka_unit_test(test_cancel),
        cmocka_unit_test(test_cancel_run),
        cmocka_unit_test(test_cancel_adopted),
        cmocka_unit_test(test_cancel_every_run),
        cmocka_unit_test(test_shutdown),
        cmocka_unit_test(test_drain),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
