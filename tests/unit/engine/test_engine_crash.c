/* The promise of synchronous sweeps: the same runs and curves at any number of workers, in any
 * order of ending, and through any kill -9. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

/* Some runs fail at once, some are killed twice and then go well. */
static enum run_error rough(const struct run_config *c, int64_t attempt, int64_t *after_points)
{
    double depth = c->settings.v[SETTING_DEPTH], batch = c->settings.v[SETTING_BATCH_SIZE];
    if (depth == 1 && batch == 512) {
        *after_points = 3;
        return RUN_ERROR_CRASHED;
    }
    if (depth == 3 && batch == 32 && attempt <= 2) {
        *after_points = attempt;
        return RUN_ERROR_KILLED;
    }
    return RUN_ERROR_NONE;
}

static const struct {
    const char *method, *parameters;
    int64_t run_cap;
} sweeps[] = {
    {"coarse_to_fine", PARAMETERS_FULL, 30},
    {"grid", "\"depth\":{\"min\":1,\"max\":4},\"batch_size\":{\"values\":[32,128,512]}", 100},
    {"random", PARAMETERS_FULL, 20},
};

static char *reference(size_t i)
{
    struct world w;
    world_init(&w, 1, 1);
    w.fate = rough;
    world_submit(&w, sweeps[i].method, sweeps[i].parameters, sweeps[i].run_cap, 110, "");
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(w.most_running, 1);
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void test_any_workers_any_order(void **state)
{
    for (size_t i = 0; i < sizeof(sweeps) / sizeof(*sweeps); i++) {
        char *expected = reference(i);
        for (uint64_t seed = 0; seed < 24; seed++) {
            struct world w;
            world_init(&w, 1 + seed % 8, seed);
            w.fate = rough;
            world_submit(&w, sweeps[i].method, sweeps[i].parameters, sweeps[i].run_cap, 110, "");
            world_run(&w);
            char *got = world_canonical(&w, 1);
            assert_string_equal(got, expected);
            assert_int_equal(w.store.nondeterminism, 0);
            assert_true(w.most_running <= 1 + seed % 8);
            free(got);
            world_finish(&w);
        }
        free(expected);
    }
}

/* Several sweeps at once do not change each other. */
static void test_together(void **state)
{
    struct world w;
    world_init(&w, 3, 5);
    w.fate = rough;
    for (size_t i = 0; i < 3; i++)
        world_submit(&w, sweeps[i].method, sweeps[i].parameters, sweeps[i].run_cap, 110, "");
    world_run(&w);
    for (size_t i = 0; i < 3; i++) {
        char *expected = reference(i), *got = world_canonical(&w, (int64_t)i + 1);
        assert_string_equal(got, expected);
        free(expected);
        free(got);
    }
    world_finish(&w);
}

/* One daemon's life with kills at random moments between events, commits and actions. */
static void live_and_die(struct world *w, size_t sweep, unsigned lose, int kills)
{
    world_submit(w, sweeps[sweep].method, sweeps[sweep].parameters, sweeps[sweep].run_cap, 110, "");
    world_flush(w);
    world_commit(w); /* accepted */
    for (int steps = 0; kills > 0; steps++) {
        uint64_t dice = rng_below(&w->rng, 64);
        if (dice == 0 || steps > 4000) {
            world_crash(w, 1 + rng_below(&w->rng, 8), lose);
            kills--;
        } else if (dice < 12) {
            world_flush(w);
        } else if (dice < 28) {
            world_commit(w);
        } else if (w->worker_count > 0) {
            world_work(w, rng_below(&w->rng, w->worker_count));
        }
    }
    world_run(w);
}

static void test_kill(void **state)
{
    for (size_t i = 0; i < sizeof(sweeps) / sizeof(*sweeps); i++) {
        char *expected = reference(i);
        for (uint64_t seed = 0; seed < 60; seed++) {
            struct world w;
            world_init(&w, 1 + seed % 4, 1000 + seed);
            /* Lost workers start once more, which `rough` would count as one of its attempts. */
            w.fate = rough;
            live_and_die(&w, i, seed % 3 * 128, 1 + (int)(seed % 9));
            char *got = world_canonical(&w, 1);
            assert_string_equal(got, expected);
            assert_int_equal(w.store.nondeterminism, 0);
            assert_int_equal(engine_running(w.engine), 0);
            assert_int_equal(engine_queued(w.engine), 0);
            free(got);
            world_finish(&w);
        }
        free(expected);
    }
}

/* Of so many runs a barrier compares each with some of the others only, and those that it has found
 * causes of among the same ones are not looked at again; a new daemon has found none. */
static void test_kill_of_many_runs(void **state)
{
    struct world undisturbed, w;
    world_init(&undisturbed, 4, 1);
    world_submit(&undisturbed, "coarse_to_fine", PARAMETERS_FULL, 700, 110, "");
    world_run(&undisturbed);
    char *expected = world_canonical(&undisturbed, 1);
    world_init(&w, 4, 2);
    world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, 700, 110, "");
    world_flush(&w);
    world_commit(&w);
    for (int i = 0; i < 4; i++)
        world_stumble(&w, 3, 3000, 128);
    world_run(&w);
    char *got = world_canonical(&w, 1);
    assert_non_null(strstr(expected, "learning_rate_too_large"));
    assert_string_equal(got, expected);
    free(got);
    free(expected);
    world_finish(&undisturbed);
    world_finish(&w);
}

/* An acknowledged submit, command or cancel holds through a kill right behind the commit. */
static void test_kill_after_command(void **state)
{
    for (int command = COMMAND_PAUSE; command <= COMMAND_DELETE; command++) {
        struct world w;
        world_init(&w, 2, 3);
        world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, 12, 1, "");
        world_settle(&w);
        world_work(&w, 0);
        if (command == COMMAND_RESUME || command == COMMAND_DELETE) {
            engine_command(w.engine, COMMAND_PAUSE, 1, NULL, w.now, &w.fx);
            while (w.worker_count > 0)
                world_work(&w, 0);
        }
        engine_command(w.engine, (enum sweep_command)command, 1, NULL, w.now, &w.fx);
        world_flush(&w);
        while (w.batch_count > 1)
            world_commit(&w);
        world_commit(&w);
        assert_int_equal(w.refusals, 0);
        world_crash(&w, 2, 128);
        world_run(&w);
        static const enum sweep_status expected[] = {SWEEP_PAUSED, SWEEP_COMPLETED,
                                                     SWEEP_CANCELLED};
        if (command == COMMAND_DELETE) {
            assert_null(world_sweep(&w, 1));
            assert_int_equal(w.store.run_count, 0);
        } else {
            assert_int_equal(world_sweep(&w, 1)->status, expected[command]);
            assert_int_equal(world_count(&w, 1, RUN_RUNNING), 0);
        }
        world_finish(&w);
    }
}

/* A kill between the cancel of the last run of a batch and its worker's end: nobody will end any
 * more, and still the sweep goes on. */
static void test_kill_at_barrier(void **state)
{
    struct world w;
    world_init(&w, 4, 3);
    world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, 12, 1, "");
    world_settle(&w);
    assert_int_equal(w.worker_count, 3);
    for (int64_t i = 1; i <= 3; i++)
        engine_cancel_run(w.engine, i, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), 3);
    assert_int_equal(w.store.run_count, 3); /* the workers are still there */
    world_crash(&w, 4, 0);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 9);
    world_finish(&w);
}

/* Ids are never given twice, also not those of deleted rows. */
static void test_ids_rise(void **state)
{
    struct world w;
    world_init(&w, 1, 3);
    world_submit(&w, "grid", "\"depth\":{\"min\":1,\"max\":3}", 10, 1, "");
    engine_command(w.engine, COMMAND_PAUSE, 1, NULL, w.now, &w.fx);
    engine_command(w.engine, COMMAND_DELETE, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(w.deleted_sweep, 1);
    assert_int_equal(w.deleted_runs, 3);
    world_crash(&w, 1, 0);
    world_submit(&w, "grid", "\"depth\":{\"min\":1,\"max\":3}", 10, 1, "");
    world_settle(&w);
    assert_int_equal(strncmp(w.last_reply, "{\"sweep\":2,", 11), 0);
    assert_int_equal(world_run_row(&w, 2, 0)->id, 4);
    world_finish(&w);
}

/* Restores one sweep with that run, and settings if it may have some; returns the row that was
 * put, if any. */
static struct sweep_row *restore_run(const char *spec_json, struct run_row run, bool settings)
{
    run.id = 3;
    run.sweep_id = 7;
    run.config = settings ? xcalloc(1, sizeof(*run.config)) : NULL;
    if (settings)
        settings_init(&run.config->settings);
    struct sweep_row sweep = {.id = 7, .spec_json = (char *)spec_json};
    struct store_restored r = {
        .sweep_count = 1, .sweeps = &sweep, .run_count = 1, .runs = &run};
    struct effects fx = {0};
    struct engine *e = engine_create("/runs");
    engine_set_capacity(e, 0, 1);
    engine_restore(e, &r, 5, &fx);
    struct sweep_row *put = NULL;
    for (size_t i = 0; i < fx.batch.count; i++)
        if (fx.batch.ops[i].type == STORE_PUT_SWEEP)
            put = sweep_row_copy(fx.batch.ops[i].u.sweep);
    assert_int_equal(engine_sweep_open(e, 7, NULL, NULL), put == NULL);
    effects_finish(&fx);
    engine_destroy(e);
    run_row_finish(&run); /* what was not taken over */
    return put;
}

static struct sweep_row *restore_one(const char *spec_json, int64_t number)
{
    return restore_run(spec_json, (struct run_row){.number = number}, true);
}

/* A sweep whose rows cannot be read is held with the reason; the daemon starts all the same. */
static void test_damaged_rows(void **state)
{
    static const char good[] =
        "{\"method\":\"random\",\"run_cap\":3,\"data\":{\"name\":\"x\",\"validation\":1},"
        "\"parameters\":{\"depth\":{\"min\":1,\"max\":3}}}";
    assert_null(restore_one(good, 0));
    struct sweep_row *held = restore_one("{\"name\":", 0);
    assert_int_equal(held->status, SWEEP_HELD);
    assert_non_null(strstr(held->reason, "cannot be read"));
    sweep_row_destroy(held);
    held = restore_one(good, 1);
    assert_int_equal(held->status, SWEEP_HELD);
    assert_non_null(strstr(held->reason, "run 3"));
    sweep_row_destroy(held);
    held = restore_one(NULL, 0);
    assert_int_equal(held->status, SWEEP_HELD);
    sweep_row_destroy(held);
    held = restore_run(good, (struct run_row){.number = 0}, false);
    assert_int_equal(held->status, SWEEP_HELD);
    assert_non_null(strstr(held->reason, "run 3 has no settings"));
    sweep_row_destroy(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_any_workers_any_order), cmocka_unit_test(test_together),
        cmocka_unit_test(test_kill),
        cmocka_unit_test(test_kill_of_many_runs),                  cmocka_unit_test(test_kill_after_command),
        cmocka_unit_test(test_kill_at_barrier),       cmocka_unit_test(test_ids_rise),
        cmocka_unit_test(test_damaged_rows),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
