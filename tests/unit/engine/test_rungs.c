/* The engine: runs that pause at rungs, and what a rule does with them there. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define FIRST_RUNG 2
#define SECOND_RUNG 4
#define RULE "median: worse than half of the runs at epoch 4"

/* --- a rule in small ------------------------------------------------------------------------ */

static void give_budgets(struct world *w)
{
    struct sweep *s = engine_sweep(w->engine, 1);
    for (size_t i = 0; i < s->live_count; i++) {
        run_set_budget(s->live[i], FIRST_RUNG);
        run_put(s->live[i], &w->fx);
    }
}

static void submit_with_rungs(struct world *w, const char *parameters)
{
    world_submit(w, "grid", parameters, 100, 1, "");
    give_budgets(w);
}

static int depth_of(const struct run *r)
{
    struct settings own;
    trial_settings(sweep_spec(r->sweep), r->sweep->trials[r->index], &own);
    return (int)own.v[SETTING_DEPTH];
}

static void decide(struct world *w, struct run *r, bool stops)
{
    if (r->row->until_epoch == FIRST_RUNG)
        run_continue(r, SECOND_RUNG, w->now, &w->fx);
    else if (stops && depth_of(r) % 2 == 0)
        run_stop(w->engine, r, RULE, w->now, &w->fx);
    else
        run_continue(r, 0, w->now, &w->fx);
}

/* Every run that waits at its rung. True when there was one. */
static bool decide_all(struct world *w, bool stops)
{
    struct sweep *s = engine_sweep(w->engine, 1);
    bool any = false;
    for (size_t i = s != NULL ? s->live_count : 0; i-- > 0;) {
        if (!run_at_rung(s->live[i]))
            continue;
        decide(w, s->live[i], stops);
        any = true;
    }
    return any;
}

static void run_all(struct world *w, bool stops)
{
    do
        world_run(w);
    while (decide_all(w, stops));
    world_settle(w);
}

static struct run *live(const struct world *w, size_t i)
{
    struct sweep *s = engine_sweep(w->engine, 1);
    assert_true(s != NULL && i < s->live_count);
    return s->live[i];
}

static void to_the_rung(struct world *w)
{
    world_run(w);
    assert_true(run_at_rung(live(w, 0)));
}

static void one_run_at_its_rung(struct world *w)
{
    world_init(w, 1, 1);
    submit_with_rungs(w, ONE_RUN);
    to_the_rung(w);
}

/* --- what a rung is ------------------------------------------------------------------------- */

static void test_slot_is_free_and_points_are_known(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    submit_with_rungs(&w, SIX_DEPTHS);
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_PAUSED), 6); /* one worker took them in turn */
    assert_int_equal(engine_running(w.engine) + engine_queued(w.engine), 0);
    assert_int_equal(w.steps, 6 * FIRST_RUNG);
    for (int64_t n = 0; n < 6; n++) {
        const struct run_row *row = world_run_row(&w, 1, n);
        assert_int_equal(row->paused_by, RUN_PAUSER_RUNG);
        assert_int_equal(row->until_epoch, FIRST_RUNG);
        assert_true(row->has_metric && row->best_epoch == FIRST_RUNG && row->seconds == FIRST_RUNG);
        assert_true(row->attempts == 0 && row->handle == NULL && row->ended == 0);
        assert_int_equal(live(&w, (size_t)n)->kept.count, FIRST_RUNG);
    }
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_RUNNING);
    assert_non_null(strstr(w.methods.data, "run_paused"));
    world_finish(&w);
}

static void test_goes_on_from_its_rung(void **state)
{
    struct world w;
    one_run_at_its_rung(&w);
    run_continue(live(&w, 0), SECOND_RUNG, w.now, &w.fx);
    world_settle(&w);
    const struct run_row *row = world_run_row(&w, 1, 0);
    assert_int_equal(row->status, RUN_RUNNING);
    assert_true(row->until_epoch == SECOND_RUNG && row->paused_by == RUN_PAUSER_NONE);
    assert_true(row->has_metric && live(&w, 0)->kept.count == FIRST_RUNG); /* not a moment away */
    assert_int_equal(w.workers[0].config.until_epoch, SECOND_RUNG);
    assert_int_equal(w.workers[0].config.epochs, WORLD_POINTS);
    run_all(&w, false);
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_COMPLETED);
    assert_int_equal(w.steps, WORLD_POINTS); /* none was trained twice */
    world_finish(&w);
}

static void test_stopped_at_its_rung(void **state)
{
    struct world w;
    one_run_at_its_rung(&w);
    assert_int_equal(w.folders[1].checkpoint, FIRST_RUNG);
    run_stop(w.engine, live(&w, 0), RULE, w.now, &w.fx);
    world_settle(&w);
    const struct run_row *row = world_run_row(&w, 1, 0);
    assert_int_equal(row->status, RUN_STOPPED);
    assert_string_equal(row->stop_reason, RULE);
    assert_true(row->ended != 0 && row->seconds == FIRST_RUNG && row->paused_by == RUN_PAUSER_NONE);
    assert_int_equal(w.folders[1].checkpoint, 0);
    assert_int_equal(w.store.label_count, 1);
    assert_non_null(w.store.labels[0]->row.facts_json);
    assert_non_null(strstr(w.methods.data, "run_ended"));
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_HELD); /* no run completed */
    world_finish(&w);
}

/* The worker's own rule may end a run before its rung, and its end may lie there. */
static void test_ends_before_its_rung(void **state)
{
    static const struct record_result stopped = {.status = RUN_STOPPED, .text = "early_stopping"};
    struct world w;
    world_init(&w, 1, 1);
    submit_with_rungs(&w, ONE_RUN);
    world_settle(&w);
    world_tell(&w, 1, 1, 0.5);
    world_end(&w, 1, (struct run_exit){.result = &stopped});
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_STOPPED);
    world_finish(&w);
}

static void test_scores_of_a_rung(void **state)
{
    static const struct record_result rung = {
        .status = RUN_PAUSED, .epoch = FIRST_RUNG, .has_test = true, .test_loss = 0.25};
    struct world w;
    world_init(&w, 1, 1);
    submit_with_rungs(&w, ONE_RUN);
    world_settle(&w);
    world_tell(&w, 1, 1, 0.5);
    world_tell(&w, 1, 2, 0.4);
    world_end(&w, 1, (struct run_exit){.result = &rung});
    const struct run_row *row = world_run_row(&w, 1, 0);
    assert_true(row->has_test_loss && row->test_loss == 0.25 && !row->has_test_acc);
    w.worker_count = 0;
    run_continue(live(&w, 0), 0, w.now, &w.fx);
    world_settle(&w);
    assert_false(world_run_row(&w, 1, 0)->has_test_loss); /* its weights are gone again */
    world_finish(&w);
}

/* --- what a worker may not say -------------------------------------------------------------- */

static void pauses_with(int64_t until, int64_t epoch, const char *text)
{
    struct record_result rung = {.status = RUN_PAUSED, .epoch = epoch};
    struct world w;
    world_init(&w, 1, 1);
    world_submit(&w, "grid", ONE_RUN, 100, 1, "");
    run_set_budget(live(&w, 0), until);
    world_settle(&w);
    while (world_run_row(&w, 1, 0)->status == RUN_RUNNING) { /* as often as it is tried */
        world_tell(&w, 1, 1, 0.5);
        world_end(&w, 1, (struct run_exit){.result = &rung});
    }
    const struct run_row *row = world_run_row(&w, 1, 0);
    assert_int_equal(row->status, RUN_FAILED);
    assert_int_equal(row->error, RUN_ERROR_PROTOCOL);
    assert_string_equal(row->error_text, text);
    world_finish(&w);
}

static void test_pauses_early(void **state)
{
    pauses_with(0, 1, "it paused at epoch 1, but was to go on to epoch 6");
    pauses_with(3, 2, "it paused at epoch 2, but was to go on to epoch 3");
}

/* --- a person's pause ----------------------------------------------------------------------- */

static void command(struct world *w, enum sweep_command c)
{
    engine_command(w->engine, c, 1, NULL, w->now, &w->fx);
    world_settle(w);
    assert_int_equal(w->refusals, 0);
}

static void test_resume_leaves_rungs_alone(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    w.checkpoint_every = 100;
    submit_with_rungs(&w, SIX_DEPTHS);
    world_settle(&w);
    world_work(&w, 0);
    world_work(&w, 0); /* the first is at its rung, the second has begun */
    world_work(&w, 0);
    command(&w, COMMAND_PAUSE);
    world_run(&w);
    assert_int_equal(world_run_row(&w, 1, 0)->paused_by, RUN_PAUSER_RUNG);
    assert_int_equal(world_run_row(&w, 1, 1)->paused_by, RUN_PAUSER_PERSON);
    world_crash(&w, 2, 0);
    world_settle(&w);
    assert_int_equal(w.worker_count, 0);
    assert_int_equal(world_run_row(&w, 1, 0)->paused_by, RUN_PAUSER_RUNG);
    command(&w, COMMAND_RESUME);
    assert_int_equal(w.worker_count, 2);
    assert_true(run_at_rung(live(&w, 0)) && !run_at_rung(live(&w, 1)));
    assert_int_equal(world_run_row(&w, 1, 1)->paused_by, RUN_PAUSER_NONE);
    run_all(&w, false);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 6);
    assert_int_equal(w.steps, 6 * WORLD_POINTS);
    world_finish(&w);
}

/* Told to end when it was there already. */
static void test_pause_at_the_rung(void **state)
{
    static const struct record_result rung = {.status = RUN_PAUSED, .epoch = FIRST_RUNG};
    struct world w;
    world_init(&w, 1, 1);
    submit_with_rungs(&w, ONE_RUN);
    world_settle(&w);
    world_tell(&w, 1, 1, 0.5);
    world_tell(&w, 1, 2, 0.4);
    command(&w, COMMAND_PAUSE);
    world_end(&w, 1, (struct run_exit){.result = &rung});
    assert_true(run_at_rung(live(&w, 0)));
    w.worker_count = 0;
    command(&w, COMMAND_RESUME);
    assert_int_equal(w.worker_count, 0);
    assert_true(run_at_rung(live(&w, 0)));
    world_finish(&w);
}

static void test_cancel_at_the_rung(void **state)
{
    struct world w;
    one_run_at_its_rung(&w);
    command(&w, COMMAND_CANCEL);
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), 1);
    assert_int_equal(w.folders[1].checkpoint, 0);
    assert_false(engine_sweep_open(w.engine, 1, NULL, NULL));
    world_finish(&w);
}

/* --- restarts ------------------------------------------------------------------------------- */

/* Its folder is read again: no start, no event, and all that it showed. */
static void test_restart_at_the_rung(void **state)
{
    struct world w;
    one_run_at_its_rung(&w);
    size_t notes = w.notes;
    world_crash(&w, 1, 0);
    world_run(&w);
    assert_int_equal(w.notes, notes + FIRST_RUNG); /* the points, as after any restart */
    assert_int_equal(w.starts[1], 1);
    assert_true(run_at_rung(live(&w, 0)));
    assert_true(live(&w, 0)->kept.count == FIRST_RUNG && live(&w, 0)->row->has_metric);
    run_all(&w, false);
    assert_int_equal(w.steps, WORLD_POINTS);
    assert_int_equal(w.store.nondeterminism, 0);
    world_finish(&w);
}

static void test_folder_is_gone(void **state)
{
    struct world w;
    one_run_at_its_rung(&w);
    w.folders[1].rung = w.folders[1].checkpoint = 0;
    w.folders[1].count = 0;
    world_crash(&w, 1, 0);
    world_run(&w);
    assert_true(run_at_rung(live(&w, 0))); /* trained there once more */
    assert_int_equal(w.steps, 2 * FIRST_RUNG);
    assert_int_equal(w.store.nondeterminism, 0);
    world_finish(&w);
}

/* The daemon died between the commit of the start and the worker: the folder still ends at the rung
 * before. */
static void test_dies_before_it_goes_on(void **state)
{
    struct world w;
    one_run_at_its_rung(&w);
    run_continue(live(&w, 0), SECOND_RUNG, w.now, &w.fx);
    world_settle(&w);
    w.worker_count = 0; /* as if it had never been */
    w.folders[1].rung = FIRST_RUNG;
    w.folders[1].count = FIRST_RUNG + 1;
    world_crash(&w, 1, 0);
    world_settle(&w);
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_RUNNING);
    assert_int_equal(w.worker_count, 1);
    run_all(&w, false);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 1);
    assert_int_equal(w.steps, WORLD_POINTS);
    world_finish(&w);
}

/* Bytes of the database are not trusted. */
static void test_damaged_budget(void **state)
{
    static const struct {
        int64_t until;
        bool held;
    } cases[] = {{0, 0}, {6, 0}, {7, 1}, {-1, 1}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct world w;
        world_init(&w, 1, 1);
        world_submit(&w, "grid", ONE_RUN, 100, 1, "");
        world_settle(&w);
        w.store.runs[0]->until_epoch = cases[i].until;
        w.store.runs[0]->status = RUN_QUEUED;
        w.worker_count = 0;
        engine_destroy(w.engine);
        w.engine = engine_create("/runs");
        struct store_restored r = {
            .sweep_count = 1, .sweeps = w.store.sweeps[0], .run_count = 1, .runs = w.store.runs[0]};
        engine_restore(w.engine, &r, w.now, &w.fx);
        assert_int_equal(engine_sweep_open(w.engine, 1, NULL, NULL), !cases[i].held);
        world_finish(&w);
    }
}

/* --- the same content ----------------------------------------------------------------------- */

#define TWELVE "\"depth\":{\"min\":1,\"max\":4},\"batch_size\":{\"values\":[32,128,512]}"

static char *undisturbed(bool rungs, bool stops)
{
    struct world w;
    world_init(&w, 1, 1);
    if (rungs)
        submit_with_rungs(&w, TWELVE);
    else
        world_submit(&w, "grid", TWELVE, 100, 1, "");
    run_all(&w, stops);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(world_count(&w, 1, RUN_STOPPED), stops ? 6 : 0);
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void test_rungs_change_nothing(void **state)
{
    char *expected = undisturbed(false, false), *got = undisturbed(true, false);
    assert_string_equal(got, expected);
    free(expected);
    free(got);
}

/* One thing that happens to a daemon, at random. */
static void happen(struct world *w, unsigned lose)
{
    uint64_t dice = rng_below(&w->rng, 64);
    if (dice == 0)
        world_crash(w, 1 + rng_below(&w->rng, 4), lose);
    else if (dice < 3)
        engine_command(w->engine, dice == 1 ? COMMAND_PAUSE : COMMAND_RESUME, 1, NULL, w->now,
                       &w->fx);
    else if (dice < 6)
        decide_all(w, true);
    else if (dice < 24)
        world_flush(w);
    else if (dice < 40)
        world_commit(w);
    else if (w->worker_count > 0)
        world_work(w, rng_below(&w->rng, w->worker_count));
}

/* Kills between any two events, pauses and lost workers: curves, labels and ends are the same. */
static void test_any_disturbance(void **state)
{
    char *expected = undisturbed(true, true);
    for (uint64_t seed = 0; seed < 80; seed++) {
        struct world w;
        world_init(&w, 1 + seed % 4, 300 + seed);
        w.checkpoint_every = (int64_t)(seed % 3);
        submit_with_rungs(&w, TWELVE);
        world_flush(&w);
        world_commit(&w);
        for (int step = 0; step < 600; step++)
            happen(&w, seed % 3 * 100);
        world_settle(&w);
        enum sweep_status status;
        if (engine_sweep_open(w.engine, 1, &status, NULL) && status == SWEEP_PAUSED)
            engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
        run_all(&w, true);
        char *got = world_canonical(&w, 1);
        assert_string_equal(got, expected);
        assert_int_equal(w.store.nondeterminism, 0);
        assert_int_equal(engine_running(w.engine) + engine_queued(w.engine), 0);
        for (int64_t id = 1; id <= 12; id++)
            assert_int_equal(w.folders[id].checkpoint, 0);
        free(got);
        world_finish(&w);
    }
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_slot_is_free_and_points_are_known),
        cmocka_unit_test(test_goes_on_from_its_rung),
        cmocka_unit_test(test_stopped_at_its_rung),
        cmocka_unit_test(test_ends_before_its_rung),
        cmocka_unit_test(test_scores_of_a_rung),
        cmocka_unit_test(test_pauses_early),
        cmocka_unit_test(test_resume_leaves_rungs_alone),
        cmocka_unit_test(test_pause_at_the_rung),
        cmocka_unit_test(test_cancel_at_the_rung),
        cmocka_unit_test(test_restart_at_the_rung),
        cmocka_unit_test(test_folder_is_gone),
        cmocka_unit_test(test_dies_before_it_goes_on),
        cmocka_unit_test(test_damaged_budget),
        cmocka_unit_test(test_rungs_change_nothing),
        cmocka_unit_test(test_any_disturbance),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
