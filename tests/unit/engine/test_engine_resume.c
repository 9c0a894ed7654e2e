/* The engine: workers that go on from a checkpoint, pause, and the way back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define TWO_RUNS "\"depth\":{\"values\":[2,3]}"

static const struct record_result completed = {.status = RUN_COMPLETED, .seconds = 2};

/* One run of which the test itself is the worker; points 1..count are told. */
static void one_run(struct world *w, int64_t count)
{
    world_init(w, 1, 1);
    world_grid(w, ONE_RUN, "");
    for (int64_t i = 1; i <= count; i++)
        world_tell(w, 1, i, 1.0 / (double)i);
    world_settle(w);
}

static void start_line(struct world *w, int64_t resumed_point)
{
    struct record_start s = {.core = "Haswell", .resumed_point = resumed_point};
    engine_run_start_line(w->engine, 1, &s);
}

static size_t told(const struct world *w, const char *method)
{
    size_t n = 0;
    for (const char *p = w->methods.data; (p = strstr(p, method)) != NULL; p++)
        n++;
    return n;
}

static void command(struct world *w, enum sweep_command c)
{
    engine_command(w->engine, c, 1, NULL, w->now, &w->fx);
    world_settle(w);
    assert_int_equal(w->refusals, 0);
}

static void end_workers(struct world *w)
{
    while (w->worker_count > 0)
        world_work(w, 0);
    world_settle(w);
}

/* --- points that come again ------------------------------------------------------------------ */

static void test_rewind(void **state)
{
    struct world w;
    one_run(&w, 5);
    start_line(&w, 3);
    for (int64_t i = 4; i <= 5; i++)
        world_tell(&w, 1, i, 1.0 / (double)i);
    start_line(&w, 0); /* its checkpoint was no good: from the beginning */
    for (int64_t i = 1; i <= 6; i++)
        world_tell(&w, 1, i, 1.0 / (double)i);
    world_end(&w, 1, (struct run_exit){.result = &completed});
    const struct run_row *r = world_run_row(&w, 1, 0);
    assert_int_equal(r->status, RUN_COMPLETED);
    assert_true(r->best_epoch == 6);
    assert_int_equal(w.store.point_count, 6);
    assert_int_equal(w.store.nondeterminism, 0);
    assert_int_equal(told(&w, "point "), 6);
    world_finish(&w);
}

/* The label and the rank are of the points that are stored. */
static void test_rewind_to_other_bits(void **state)
{
    struct world w;
    one_run(&w, 5);
    start_line(&w, 3);
    world_tell(&w, 1, 4, 0.001);
    world_tell(&w, 1, 5, 1.0 / 5);
    world_end(&w, 1, (struct run_exit){.result = &completed});
    assert_int_equal(w.store.nondeterminism, 1);
    assert_true(world_run_row(&w, 1, 0)->best_epoch == 5);
    world_finish(&w);
}

/* What was read better later takes the place of what was there, worse as it may be. */
static void test_points_taken_back(void **state)
{
    struct world w;
    one_run(&w, 5);
    engine_run_anew(w.engine, 1, &w.fx);
    start_line(&w, 0);
    for (int64_t i = 1; i <= 3; i++)
        world_tell(&w, 1, i, 2.0 / (double)i);
    world_end(&w, 1, (struct run_exit){.result = &completed});
    const struct run_row *r = world_run_row(&w, 1, 0);
    assert_int_equal(r->status, RUN_COMPLETED);
    assert_true(r->best_epoch == 3);
    assert_int_equal(w.store.point_count, 3);
    assert_int_equal(w.store.nondeterminism, 0);
    world_finish(&w);
}

/* The attempt is over; another follows, with the checkpoint or without. */
static void ends_with(struct world *w, const char *text, bool keeps_checkpoint)
{
    w->folders[1].checkpoint = 2;
    world_end(w, 1, (struct run_exit){.error = RUN_ERROR_PROTOCOL, .text = "x"});
    assert_int_equal(world_run_row(w, 1, 0)->status, RUN_RUNNING);
    assert_int_equal(world_events(w, 1, "run_lines_damaged", text), 1);
    assert_int_equal(w->folders[1].checkpoint, keeps_checkpoint ? 2 : 0);
    assert_int_equal(w->resumed, keeps_checkpoint);
}

static void test_resumed_beyond(void **state)
{
    struct world w;
    one_run(&w, 2);
    start_line(&w, 3);
    ends_with(&w, "goes on from point 3, but only 2 were reported", false);
    for (int attempt = 1; attempt <= 3; attempt++) {
        assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_RUNNING);
        start_line(&w, 3);
        world_end(&w, 1, (struct run_exit){.result = &completed});
    }
    const struct run_row *r = world_run_row(&w, 1, 0);
    assert_int_equal(r->status, RUN_FAILED);
    assert_int_equal(r->error, RUN_ERROR_PROTOCOL);
    assert_non_null(strstr(r->error_text, "only 0 were reported"));
    world_finish(&w);
}

/* Damage of the lines alone: on from the checkpoint, once. What was there before the attempt is not
 * held against it. */
static void test_damaged_lines(void **state)
{
    static const struct run_exit damage = {.error = RUN_ERROR_PROTOCOL, .text = "no JSON"};
    static const struct run_exit inherited = {
        .error = RUN_ERROR_PROTOCOL, .text = "no JSON", .inherited = true};
    struct world w;
    struct world_folder *f = &w.folders[1];
    one_run(&w, 4);
    f->lines = xrealloc(f->lines, 5 * sizeof(*f->lines));
    for (f->count = 0; f->count < 5; f->count++)
        f->lines[f->count] = (int64_t)f->count; /* as they were told */
    ends_with(&w, "x: it goes on from its checkpoint", true);
    for (int i = 0; i < 5; i++)
        world_end(&w, 1, inherited);
    assert_int_equal(world_run_row(&w, 1, 0)->attempts, 1);
    assert_int_equal(f->checkpoint, 2);
    world_end(&w, 1, damage);
    assert_int_equal(f->checkpoint, 2);
    world_end(&w, 1, damage);
    assert_int_equal(f->checkpoint, 0); /* a second one in a row: anew */
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_RUNNING);
    end_workers(&w);
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_COMPLETED);
    assert_int_equal(w.store.point_count, 6);
    world_finish(&w);
}

static void test_gap_behind_resumed(void **state)
{
    struct world w;
    one_run(&w, 4);
    start_line(&w, 2);
    world_tell(&w, 1, 4, 0.25);
    ends_with(&w, "point 4 of epoch 4 came after point 2", true);
    world_finish(&w);
}

/* Resumed in the last batch of its last epoch: nothing is left but the result. */
static void test_result_right_behind_the_start(void **state)
{
    struct world w;
    one_run(&w, 4);
    start_line(&w, 4);
    world_end(&w, 1, (struct run_exit){.result = &completed});
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_COMPLETED);
    world_finish(&w);
}

/* --- pause ----------------------------------------------------------------------------------- */

static void paused_world(struct world *w, int64_t trained)
{
    world_init(w, 2, 1);
    w->checkpoint_every = 100; /* when it is told to end, that is */
    world_grid(w, SIX_DEPTHS, "");
    for (int64_t i = 0; i < trained; i++) {
        world_work(w, 0);
        world_work(w, 1);
    }
    command(w, COMMAND_PAUSE);
    assert_true(w->workers[0].termed && w->workers[1].termed);
    assert_int_equal(world_count(w, 1, RUN_RUNNING), 2); /* slots are theirs until they are gone */
}

static void expect_nothing_lost(struct world *w)
{
    world_run(w);
    assert_int_equal(world_sweep(w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(world_count(w, 1, RUN_COMPLETED), 6);
    assert_int_equal(w->steps, 6 * WORLD_POINTS);
    assert_int_equal(w->store.nondeterminism, 0);
    for (int64_t id = 1; id <= 6; id++)
        assert_int_equal(w->folders[id].checkpoint, 0); /* removed as each ended */
    world_finish(w);
}

static void test_pause(void **state)
{
    struct world w;
    paused_world(&w, 3);
    end_workers(&w);
    assert_int_equal(world_count(&w, 1, RUN_PAUSED), 2);
    assert_null(world_run_row(&w, 1, 0)->handle);
    assert_int_equal(told(&w, "run_paused "), 2);
    world_grid(&w, ONE_RUN, ""); /* has the slots meanwhile */
    assert_int_equal(w.worker_count, 1);
    end_workers(&w);
    w.steps = 6;
    command(&w, COMMAND_RESUME);
    assert_int_equal(w.workers[0].run_id, 1); /* first in the queue */
    assert_int_equal(w.workers[1].run_id, 2);
    assert_int_equal(w.resumed, 2);
    expect_nothing_lost(&w);
}

static void test_resume_before_they_ended(void **state)
{
    struct world w;
    paused_world(&w, 2);
    command(&w, COMMAND_RESUME);
    assert_int_equal(w.worker_count, 2);
    world_work(&w, 0);
    world_work(&w, 0);
    world_settle(&w);
    assert_int_equal(world_count(&w, 1, RUN_PAUSED), 0);
    expect_nothing_lost(&w);
}

static void test_pause_through_restarts(void **state)
{
    struct world w;
    paused_world(&w, 2);
    w.workers[0].termed = w.workers[1].termed = false; /* the signals went with the daemon */
    world_crash(&w, 2, 0);
    world_settle(&w);
    assert_true(w.workers[0].termed && w.workers[1].termed);
    world_work(&w, 0); /* this one is seen to end; the other is gone at the next start */
    world_settle(&w);
    w.folders[w.workers[0].run_id].checkpoint = 2;
    world_crash(&w, 2, 256);
    world_settle(&w);
    assert_int_equal(world_count(&w, 1, RUN_PAUSED), 2);
    world_crash(&w, 2, 0);
    world_settle(&w);
    assert_int_equal(w.worker_count, 0);
    command(&w, COMMAND_RESUME);
    expect_nothing_lost(&w);
}

/* Its result was written before it saw the signal. */
static void test_ends_by_itself(void **state)
{
    static const struct record_result stopped = {.status = RUN_STOPPED, .text = "early_stopping"};
    struct world w;
    paused_world(&w, 3);
    int64_t first = w.workers[0].run_id, second = w.workers[1].run_id;
    world_end(&w, first, (struct run_exit){.result = &completed});
    world_end(&w, second, (struct run_exit){.result = &stopped});
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 1);
    assert_int_equal(world_count(&w, 1, RUN_STOPPED), 1);
    assert_int_equal(world_count(&w, 1, RUN_PAUSED), 0);
    world_finish(&w);
}

static void test_cancel_paused(void **state)
{
    struct world w;
    paused_world(&w, 3);
    end_workers(&w);
    engine_cancel_run(w.engine, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), 1);
    assert_int_equal(w.folders[1].checkpoint, 0);
    assert_true(w.folders[2].checkpoint > 0);
    command(&w, COMMAND_CANCEL);
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), 6);
    assert_int_equal(w.folders[2].checkpoint, 0);
    assert_false(engine_sweep_open(w.engine, 1, NULL, NULL));
    world_finish(&w);
}

/* --- shutdown, deaths and attempts ----------------------------------------------------------- */

static void test_shutdown_goes_on(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    w.checkpoint_every = 100;
    world_grid(&w, SIX_DEPTHS, "");
    for (int i = 0; i < 6; i++)
        world_work(&w, (size_t)i % 2);
    engine_shutdown(w.engine, false, w.now, &w.fx);
    world_settle(&w);
    end_workers(&w);
    assert_int_equal(world_count(&w, 1, RUN_QUEUED), 6);
    world_crash(&w, 2, 0);
    world_settle(&w);
    assert_int_equal(w.resumed, 2);
    expect_nothing_lost(&w);
}

/* Every attempt gets two points further, and so none counts. */
static enum run_error dies_after_two(const struct run_config *c, int64_t attempt,
                                     int64_t *after_points)
{
    *after_points = 2 * attempt < WORLD_POINTS ? 2 * attempt : WORLD_POINTS;
    return attempt < 3 ? RUN_ERROR_KILLED : RUN_ERROR_NONE;
}

static void test_killed_with_checkpoints(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    w.fate = dies_after_two;
    w.checkpoint_every = 2;
    world_grid(&w, TWO_RUNS, "");
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 2);
    assert_int_equal(w.steps, 2 * WORLD_POINTS); /* no point was trained twice */
    assert_int_equal(w.resumed, 4);
    world_finish(&w);
}

static enum run_error stuck(const struct run_config *c, int64_t attempt, int64_t *after_points)
{
    *after_points = 2;
    return RUN_ERROR_HUNG;
}

/* A checkpoint that the worker dies of is no progress. */
static void test_stuck_at_its_checkpoint(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    w.fate = stuck;
    w.checkpoint_every = 2;
    world_grid(&w, ONE_RUN, "");
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_FAILED), 1);
    assert_int_equal(w.starts[1], 4); /* the first brought points, three more did not */
    world_finish(&w);
}

/* Pauses, kills of the daemon and of workers at random: what is stored is the same. */
static void test_any_disturbance(void **state)
{
    char *expected = NULL;
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct world w;
        world_init(&w, 1 + seed % 3, seed);
        w.checkpoint_every = seed == 0 ? 0 : 1 + (int64_t)(seed % 4);
        world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, 20, 110, "");
        world_flush(&w);
        world_commit(&w);
        for (int step = 0; seed > 0 && step < 400; step++) {
            uint64_t dice = rng_below(&w.rng, 64);
            if (dice == 0)
                world_crash(&w, 1 + rng_below(&w.rng, 3), 100);
            else if (dice < 3)
                engine_command(w.engine, dice == 1 ? COMMAND_PAUSE : COMMAND_RESUME, 1, NULL, w.now,
                               &w.fx);
            else if (dice < 24)
                world_flush(&w);
            else if (dice < 40)
                world_commit(&w);
            else if (w.worker_count > 0)
                world_work(&w, rng_below(&w.rng, w.worker_count));
        }
        world_run(&w);
        if (world_sweep(&w, 1)->status == SWEEP_PAUSED)
            engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
        world_run(&w);
        char *got = world_canonical(&w, 1);
        assert_int_equal(w.store.nondeterminism, 0);
        if (expected != NULL)
            assert_string_equal(got, expected);
        else
            expected = xstrdup(got);
        free(got);
        world_finish(&w);
    }
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rewind),
        cmocka_unit_test(test_rewind_to_other_bits),
        cmocka_unit_test(test_points_taken_back),
        cmocka_unit_test(test_resumed_beyond),
        cmocka_unit_test(test_damaged_lines),
        cmocka_unit_test(test_gap_behind_resumed),
        cmocka_unit_test(test_result_right_behind_the_start),
        cmocka_unit_test(test_pause),
        cmocka_unit_test(test_resume_before_they_ended),
        cmocka_unit_test(test_pause_through_restarts),
        cmocka_unit_test(test_ends_by_itself),
        cmocka_unit_test(test_cancel_paused),
        cmocka_unit_test(test_shutdown_goes_on),
        cmocka_unit_test(test_killed_with_checkpoints),
        cmocka_unit_test(test_stuck_at_its_checkpoint),
        cmocka_unit_test(test_any_disturbance),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
