/* What is done about failures: who waits and how long, what fails a run, what holds a sweep. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/json.h"
#include "sweep/limits.h"
#include "tests/unit/engine/world.h"

#define SECOND ((utc_us)1000000)
#define MINUTE (60 * SECOND)
#define FORTY "\"depth\":{\"min\":1,\"max\":40}"

static size_t events(const struct world *w, const char *kind)
{
    size_t n = 0;
    for (size_t i = 0; i < w->store.event_count; i++)
        n += strcmp(w->store.events[i].kind, kind) == 0;
    return n;
}

/* --- killed from outside --------------------------------------------------------------------- */

static enum run_error killed_fifty_times(const struct run_config *c, int64_t attempt,
                                         int64_t *after)
{
    if (attempt > 50)
        return RUN_ERROR_NONE;
    *after = 0;
    return RUN_ERROR_KILLED;
}

/* However often: but the more often in a row, the longer it waits. */
static void test_kills_never_fail_a_run(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    w.fate = killed_fifty_times;
    world_grid(&w, ONE_RUN, "");
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(w.starts[1], 51);
    assert_true(w.now > 40 * MINUTE && w.now < 60 * MINUTE);
    world_finish(&w);
}

static enum run_error killed_at_each_point(const struct run_config *c, int64_t attempt,
                                           int64_t *after)
{
    *after = attempt < WORLD_POINTS ? attempt : WORLD_POINTS;
    return attempt < WORLD_POINTS ? RUN_ERROR_KILLED : RUN_ERROR_NONE;
}

/* Where there is progress nobody waits. */
static void test_kills_after_progress(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    w.fate = killed_at_each_point;
    world_grid(&w, SIX_DEPTHS, "");
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 6);
    assert_true(w.now < SECOND);
    world_finish(&w);
}

/* --- workers cannot be started --------------------------------------------------------------- */

/* Two seconds without the worker program: nothing fails, and few starts are tried. */
static void test_a_short_outage(void **state)
{
    struct world w;
    world_init(&w, 4, 1);
    w.starts_from = w.now + 2 * SECOND;
    world_grid(&w, FORTY, "");
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 40);
    assert_in_range(w.failed_starts, 1, 8);
    assert_true(w.now < MINUTE);
    world_finish(&w);
}

/* A long one: one start at a time is tried, once a minute in the end, and people are told. */
static void test_a_long_outage(void **state)
{
    struct world w;
    struct launch_trouble trouble;
    world_init(&w, 4, 1);
    w.starts_from = w.now + 8 * 60 * MINUTE;
    world_grid(&w, FORTY, "");
    world_settle(&w);
    assert_int_equal(w.failed_starts, 4);
    assert_true(engine_launch_trouble(w.engine, w.now, &trouble));
    assert_int_equal(trouble.failures, 4);
    assert_string_equal(trouble.why, "no such file");
    assert_true(trouble.seconds > 0);
    assert_int_equal(engine_delayed(w.engine, w.now), 4);
    assert_int_equal(events(&w, "launcher_held"), 1);
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 40);
    assert_in_range(w.failed_starts, 400, 500);
    assert_int_equal(events(&w, "launcher_released"), 1);
    assert_false(engine_launch_trouble(w.engine, w.now, &trouble));
    world_finish(&w);
}

/* Where others start it is the run's own fault: it fails, and hurts nobody. */
static void test_one_run_that_never_starts(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    w.never_starts = 1;
    world_grid(&w, FORTY, "");
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 39);
    assert_int_equal(world_run_row(&w, 1, 0)->error, RUN_ERROR_SPAWN);
    assert_int_equal(w.failed_starts, 4);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

/* --- the data is not there ------------------------------------------------------------------- */

static const struct world *seen; /* of a fate that looks at its clock */

static enum run_error without_data(const struct run_config *c, int64_t attempt, int64_t *after)
{
    if (seen->now >= 60 * MINUTE)
        return RUN_ERROR_NONE;
    *after = 0;
    return RUN_ERROR_DATA_MISSING;
}

/* The sweep waits, run by run it is tried; another sweep trains meanwhile. */
static void test_data_gone_for_an_hour(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    seen = &w;
    w.fate = without_data;
    world_grid(&w, FORTY, "");
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 40);
    size_t retries = events(&w, "run_retried");
    assert_in_range(retries, 55, 80);
    world_finish(&w);
}

/* --- waiting --------------------------------------------------------------------------------- */

static void kill_first(struct world *w, int times)
{
    for (int i = 0; i < times; i++) {
        if (w->worker_count == 0)
            w->now = engine_wake_at(w->engine, w->now);
        world_settle(w);
        world_end(w, 1, (struct run_exit){.error = RUN_ERROR_KILLED, .signal = 9, .text = "gone"});
    }
}

static void test_what_waits_is_said(void **state)
{
    struct world w;
    struct buf text = {0};
    struct json_writer writer;
    world_init(&w, 1, 1);
    world_grid(&w, ONE_RUN, "");
    world_end(&w, 1, (struct run_exit){.error = RUN_ERROR_KILLED, .signal = 9, .text = "gone"});
    assert_int_equal(engine_delayed(w.engine, w.now), 0); /* the first time it goes on at once */
    world_settle(&w);
    world_end(&w, 1, (struct run_exit){.error = RUN_ERROR_KILLED, .signal = 9, .text = "gone"});
    world_settle(&w);
    assert_int_equal(engine_delayed(w.engine, w.now), 1);
    jw_init(&writer, &text);
    engine_write_delayed(w.engine, 1, w.now, &writer);
    assert_non_null(strstr(text.data,
                           "[{\"run\":1,\"number\":0,\"error\":\"killed\",\"failures\":2,"
                           "\"seconds\":0.99"));
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_QUEUED);
    buf_finish(&text);
    world_finish(&w);
}

/* A restart is no way around a wait, and none to begin to count anew. */
static void test_waits_outlive_a_restart(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    world_grid(&w, ONE_RUN, "");
    kill_first(&w, 4);
    world_settle(&w);
    utc_us until = engine_wake_at(w.engine, w.now);
    assert_true(until > w.now + 3 * SECOND);
    world_crash(&w, 1, 0);
    world_settle(&w);
    assert_int_equal(w.worker_count, 0);
    assert_int_equal(engine_delayed(w.engine, w.now), 1);
    assert_int_equal(engine_wake_at(w.engine, w.now), until);
    kill_first(&w, 1);
    assert_true(engine_wake_at(w.engine, w.now) > w.now + 7 * SECOND); /* twice as long */
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(world_run_row(&w, 1, 0)->status, RUN_COMPLETED);
    world_finish(&w);
}

static void test_a_sweep_waits_for_its_data_after_a_restart(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    seen = &w;
    w.fate = without_data;
    world_grid(&w, FORTY, "");
    for (int i = 0; events(&w, "run_retried") < 8; i++) {
        if (w.worker_count == 0)
            w.now = engine_wake_at(w.engine, w.now);
        world_settle(&w);
        if (w.worker_count > 0)
            world_work(&w, 0);
    }
    world_settle(&w);
    size_t tried = events(&w, "run_retried");
    world_crash(&w, 2, 0);
    world_settle(&w);
    assert_int_equal(w.worker_count, 0); /* though most of the forty have not failed yet */
    assert_int_equal(events(&w, "run_retried"), tried);
    world_run(&w);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 40);
    world_finish(&w);
}

/* A clock that is set back does not make it wait for years. */
static void test_a_clock_that_is_set_back(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    w.now = 50 * 365 * 24 * 60 * MINUTE;
    world_grid(&w, ONE_RUN, "");
    kill_first(&w, 4);
    assert_int_equal(engine_delayed(w.engine, w.now), 1);
    w.now = 1000;
    assert_int_equal(engine_wake_at(w.engine, w.now), 0);
    world_settle(&w);
    assert_int_equal(w.worker_count, 1);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

/* --- failures alike -------------------------------------------------------------------------- */

static enum run_error crashes(const struct run_config *c, int64_t attempt, int64_t *after)
{
    if (c->settings.v[SETTING_L2] > 0)
        return RUN_ERROR_NONE;
    *after = 0;
    return RUN_ERROR_CRASHED;
}

/* Only that sweep is held, with how many, what, and the last words. */
static void test_many_alike_hold_their_sweep(void **state)
{
    struct world w;
    world_init(&w, 4, 1);
    w.fate = crashes;
    world_submit(&w, "grid", FORTY, 40, 1, "");
    world_submit(&w, "grid", FORTY, 40, 1, ",\"train\":{\"l2\":0.001}");
    world_run(&w);
    const struct sweep_row *s = world_sweep(&w, 1);
    assert_int_equal(s->status, SWEEP_HELD);
    assert_non_null(
        strstr(s->reason, " runs in a row failed alike (worker_crash); the last, run "));
    assert_non_null(strstr(s->reason, ": gone: last"));
    assert_in_range(world_count(&w, 1, RUN_FAILED), LIMITS_FAILURES, LIMITS_FAILURES + 3);
    assert_int_equal(world_count(&w, 2, RUN_COMPLETED), 40);
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_run(&w); /* as many again, not one */
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_HELD);
    assert_in_range(world_count(&w, 1, RUN_FAILED), 2 * LIMITS_FAILURES, 2 * LIMITS_FAILURES + 6);
    world_finish(&w);
}

static void test_how_many_alike_is_said(void **state)
{
    static const struct {
        const char *more;
        size_t least, most;
    } cases[] = {{",\"limits\":{\"failures\":3}", 3, 3}, {",\"limits\":{\"failures\":0}", 40, 40}};
    for (size_t i = 0; i < 2; i++) {
        struct world w;
        world_init(&w, 1, 1);
        w.fate = crashes;
        world_submit(&w, "grid", FORTY, 40, 1, cases[i].more);
        world_run(&w);
        assert_int_equal(world_sweep(&w, 1)->status, SWEEP_HELD);
        assert_in_range(world_count(&w, 1, RUN_FAILED), cases[i].least, cases[i].most);
        world_finish(&w);
    }
}

static enum run_error deep_crashes(const struct run_config *c, int64_t attempt, int64_t *after)
{
    if (c->settings.v[SETTING_DEPTH] <= 2)
        return RUN_ERROR_NONE;
    *after = 2;
    return RUN_ERROR_CRASHED;
}

/* Four of six: that is no result, unless a person says so; nor after a restart. */
static void test_most_alike_is_not_completed(void **state)
{
    for (int restart = 0; restart < 2; restart++) {
        struct world w;
        world_init(&w, 2, 1);
        w.fate = deep_crashes;
        world_grid(&w, SIX_DEPTHS, "");
        world_run(&w);
        assert_int_equal(world_sweep(&w, 1)->status, SWEEP_HELD);
        assert_string_equal(world_sweep(&w, 1)->reason,
                            "4 of 6 runs failed alike (worker_crash), 2 completed; resume takes it "
                            "as completed");
        if (restart)
            world_crash(&w, 2, 0);
        engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
        world_settle(&w);
        assert_int_equal(w.refusals, 0);
        assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
        world_finish(&w);
    }
}

/* --- limits ---------------------------------------------------------------------------------- */

static void test_limits_of_a_run(void **state)
{
    const struct run_limits usual = {.memory_mib = 1000, .seconds = 60, .quiet_seconds = 30};
    struct world w;
    world_init(&w, 2, 1);
    engine_set_limits(w.engine, &usual);
    world_submit(&w, "grid", ONE_RUN, 1, 1, "");
    world_submit(&w, "grid", ONE_RUN, 1, 1, ",\"limits\":{\"memory_mib\":5,\"idle_seconds\":2.5}");
    world_settle(&w);
    struct run_limits l = engine_run_limits(w.engine, 1);
    assert_int_equal(l.memory_mib, 1000);
    assert_true(l.seconds == 60 && l.idle_seconds == 0 && l.quiet_seconds == 30);
    l = engine_run_limits(w.engine, 2);
    assert_int_equal(l.memory_mib, 5);
    assert_true(l.seconds == 60 && l.idle_seconds == 2.5 && l.quiet_seconds == 0);
    assert_int_equal(engine_run_limits(w.engine, 99).memory_mib, 0);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kills_never_fail_a_run),
        cmocka_unit_test(test_kills_after_progress),
        cmocka_unit_test(test_a_short_outage),
        cmocka_unit_test(test_a_long_outage),
        cmocka_unit_test(test_one_run_that_never_starts),
        cmocka_unit_test(test_data_gone_for_an_hour),
        cmocka_unit_test(test_what_waits_is_said),
        cmocka_unit_test(test_waits_outlive_a_restart),
        cmocka_unit_test(test_a_sweep_waits_for_its_data_after_a_restart),
        cmocka_unit_test(test_a_clock_that_is_set_back),
        cmocka_unit_test(test_many_alike_hold_their_sweep),
        cmocka_unit_test(test_how_many_alike_is_said),
        cmocka_unit_test(test_most_alike_is_not_completed),
        cmocka_unit_test(test_limits_of_a_run),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
