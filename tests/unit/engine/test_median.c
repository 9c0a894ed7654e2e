/* The median rule: by itself, in logical time, and through the engine. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "daemon/plan/stop/stop.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

/* --- the rule --------------------------------------------------------------------------------- */

static void test_worse_than_the_median(void **state)
{
    static const struct {
        double own;
        bool maximize;
        size_t count;
        double values[5];
        enum verdict verdict;
    } cases[] = {
        {0.5, false, 3, {0.1, 0.4, 0.9}, VERDICT_STOP},
        {0.4, false, 3, {0.1, 0.4, 0.9}, VERDICT_GO_ON}, /* the median itself is not worse */
        {0.3, false, 3, {0.9, 0.1, 0.4}, VERDICT_GO_ON},
        {0.3, true, 3, {0.9, 0.1, 0.4}, VERDICT_STOP},
        {0.5, true, 3, {0.9, 0.1, 0.4}, VERDICT_GO_ON},
        {0.25, false, 4, {0.1, 0.2, 0.3, 0.4}, VERDICT_GO_ON}, /* between the middle two */
        {0.26, false, 4, {0.1, 0.2, 0.3, 0.4}, VERDICT_STOP},
        {NAN, false, 3, {0.1, 0.2, 0.3}, VERDICT_STOP},
        {INFINITY, true, 3, {0.1, 0.2, 0.3}, VERDICT_STOP},
        {NAN, false, 3, {NAN, INFINITY, 0.3}, VERDICT_GO_ON}, /* as bad as most */
        {0.5, false, 3, {NAN, INFINITY, 0.3}, VERDICT_GO_ON},
        {0.5, false, 4, {NAN, INFINITY, 0.3, 0.4}, VERDICT_STOP},
        {1, false, 1, {0.5}, VERDICT_STOP},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        double values[5];
        memcpy(values, cases[i].values, sizeof(values));
        struct rung_view v = {.maximize = cases[i].maximize,
                              .epoch = 3,
                              .value = cases[i].own,
                              .count = cases[i].count,
                              .values = values};
        struct rung_verdict out = {.cutoff = NAN};
        stop_median.decide(&v, &out);
        if (out.verdict != cases[i].verdict)
            fail_msg("case %zu: %s", i, out.reason);
        assert_non_null(strstr(out.reason, "at epoch 3 is "));
    }
}

/* --- logical time ----------------------------------------------------------------------------- */

#define RUNS 6

struct small_study {
    struct trial trials[RUNS];
    const struct trial *pointers[RUNS];
    struct rung rungs[RUNS];
    struct stop_settings stop;
    struct study st;
};

/* All runs have been at epoch 2 with value 0.1 × (number + 1). */
static void study_make(struct small_study *s, int64_t startup, int64_t lag)
{
    memset(s, 0, sizeof(*s));
    s->stop = (struct stop_settings){
        .rule = STOP_MEDIAN, .min_iter = 2, .every = 2, .startup = startup, .lag = lag};
    for (size_t i = 0; i < RUNS; i++) {
        s->rungs[i] = (struct rung){2, 0.1 * (double)(i + 1)};
        s->trials[i] = (struct trial){
            .number = i, .status = RUN_PAUSED, .rungs = &s->rungs[i], .rung_count = 1};
        s->pointers[i] = &s->trials[i];
    }
    s->st = (struct study){.stop = &s->stop, .count = RUNS, .trials = s->pointers};
}

static enum verdict decided(const struct small_study *s, size_t number, struct rung_verdict *v)
{
    stop_decide(&s->st, &s->trials[number], v);
    return v->verdict;
}

static void test_sees_those_before_its_lag(void **state)
{
    struct small_study s;
    struct rung_verdict v;
    study_make(&s, 2, 2);
    s.rungs[5].value = 0.15; /* better than the median 0.2 of runs 0 to 2, worse than 0.25's */
    assert_int_equal(decided(&s, 5, &v), VERDICT_GO_ON);
    assert_non_null(strstr(v.reason, "of 3 earlier runs"));
    assert_true(v.rank == 2 && v.of == 4 && v.cutoff == 0.2);
    s.rungs[3].value = s.rungs[4].value = 0; /* within the lag: not seen */
    assert_int_equal(decided(&s, 5, &v), VERDICT_GO_ON);
    s.stop.lag = 1;
    s.rungs[3].value = 0.01;
    assert_int_equal(decided(&s, 5, &v), VERDICT_GO_ON);
    s.rungs[5].value = 0.16; /* the median of 0.1, 0.2, 0.3, 0.01 is 0.15 */
    assert_int_equal(decided(&s, 5, &v), VERDICT_STOP);
}

static void test_waits_for_those_it_sees(void **state)
{
    struct small_study s;
    struct rung_verdict v;
    study_make(&s, 2, 2);
    s.trials[1].rung_count = 0;
    assert_int_equal(decided(&s, 5, &v), VERDICT_WAIT);
    assert_int_equal(decided(&s, 2, &v), VERDICT_GO_ON); /* sees none of it */
    s.trials[1].status = RUN_FAILED; /* it will never get there */
    assert_int_equal(decided(&s, 5, &v), VERDICT_STOP);
    s.trials[4].rung_count = 0; /* within the lag: not waited for */
    assert_int_equal(decided(&s, 5, &v), VERDICT_STOP);
}

static void test_begins_with_enough_runs(void **state)
{
    struct small_study s;
    struct rung_verdict v;
    study_make(&s, 4, 2);
    assert_int_equal(decided(&s, 5, &v), VERDICT_GO_ON);
    assert_string_equal(v.reason, "only 3 of 4 earlier runs are known at epoch 2");
}

static void test_rungs_of_a_run(void **state)
{
    struct stop_settings s = {.rule = STOP_MEDIAN, .min_iter = 3, .every = 2};
    assert_int_equal(stop_next_rung(&s, 0, 0, 10), 3);
    assert_int_equal(stop_next_rung(&s, 0, 3, 10), 5);
    assert_int_equal(stop_next_rung(&s, 0, 4, 10), 5);
    assert_int_equal(stop_next_rung(&s, 0, 9, 10), 0);
    assert_int_equal(stop_next_rung(&s, 0, 0, 3), 0); /* the last epoch is no rung */
    s.rule = STOP_NONE;
    assert_int_equal(stop_next_rung(&s, 0, 0, 10), 0);
}

/* --- through the engine ----------------------------------------------------------------------- */

#define EARLY ",\"early_terminate\":{\"type\":\"median\",\"min_iter\":2,\"every\":2," \
              "\"startup\":2,\"lag\":2}"

static char *undisturbed(void)
{
    struct world w;
    world_init(&w, 1, 1);
    world_submit(&w, "random", PARAMETERS_FULL, 16, 1, EARLY);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    size_t stopped = world_count(&w, 1, RUN_STOPPED);
    assert_in_range(stopped, 3, 11);
    assert_int_equal(world_count(&w, 1, RUN_COMPLETED), 16 - stopped);
    for (int64_t n = 0; n < 16; n++) {
        const struct run_row *row = world_run_row(&w, 1, n);
        size_t paused = world_decisions(&w, 1, row->id, DECISION_PAUSED);
        size_t decided = world_decisions(&w, 1, row->id, DECISION_PROMOTED) +
                         world_decisions(&w, 1, row->id, DECISION_STOPPED);
        assert_in_range(paused, 1, 2); /* rungs at epochs 2 and 4 of 6 */
        assert_int_equal(decided, paused);
        if (row->status == RUN_STOPPED)
            assert_non_null(strstr(row->stop_reason, "worse than the median"));
    }
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void test_same_at_any_number_of_workers(void **state)
{
    char *expected = undisturbed();
    for (size_t workers = 1; workers <= 9; workers++) {
        struct world w;
        world_init(&w, workers, 40 + workers);
        world_submit(&w, "random", PARAMETERS_FULL, 16, 1, EARLY);
        world_run(&w);
        char *got = world_canonical(&w, 1);
        assert_string_equal(got, expected);
        free(got);
        world_finish(&w);
    }
    free(expected);
}

static void test_same_through_kills(void **state)
{
    char *expected = undisturbed();
    for (uint64_t seed = 0; seed < 60; seed++) {
        struct world w;
        world_init(&w, 1 + seed % 4, 900 + seed);
        w.checkpoint_every = (int64_t)(seed % 3);
        world_submit(&w, "random", PARAMETERS_FULL, 16, 1, EARLY);
        world_flush(&w);
        world_commit(&w);
        for (int step = 0; step < 500; step++) {
            uint64_t dice = rng_below(&w.rng, 48);
            if (dice == 0)
                world_crash(&w, 1 + rng_below(&w.rng, 4), (unsigned)(seed % 3 * 100));
            else if (dice < 20)
                world_flush(&w);
            else if (dice < 34)
                world_commit(&w);
            else if (w.worker_count > 0)
                world_work(&w, rng_below(&w.rng, w.worker_count));
        }
        world_run(&w);
        char *got = world_canonical(&w, 1);
        assert_string_equal(got, expected);
        assert_int_equal(w.store.nondeterminism, 0);
        free(got);
        world_finish(&w);
    }
    free(expected);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_worse_than_the_median),
        cmocka_unit_test(test_sees_those_before_its_lag),
        cmocka_unit_test(test_waits_for_those_it_sees),
        cmocka_unit_test(test_begins_with_enough_runs),
        cmocka_unit_test(test_rungs_of_a_run),
        cmocka_unit_test(test_same_at_any_number_of_workers),
        cmocka_unit_test(test_same_through_kills),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
