/* What a method that learns may see: exactly the runs below its number minus the lag, ranked. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/memo.h"
#include "daemon/plan/search/past.h"
#include "sweep/buf.h"
#include "tests/unit/engine/support.h"

#define DEPTHS "\"depth\":{\"min\":1,\"max\":100},\"optimizer\":{\"values\":[\"sgd\",\"adam\"]}"
#define TRIALS 12

/* A sweep over depth, whose run i has depth i + 1 and came to a loss of i, when nothing else is
 * said. */
struct setup {
    struct spec spec;
    struct study study;
    struct trial trials[TRIALS];
    const struct trial *list[TRIALS];
    struct rung rung;
    struct past past;
};

static void setup_init(struct setup *u, int64_t lag)
{
    char more[64];
    memset(u, 0, sizeof(*u));
    snprintf(more, sizeof(more), ",\"lag\":%d", (int)lag);
    spec_make_with(&u->spec, "tpe", DEPTHS, 100, 1, more);
    study_init(&u->study, &u->spec);
    for (size_t i = 0; i < TRIALS; i++) {
        u->trials[i] = (struct trial){.number = i, .status = RUN_COMPLETED, .has_metric = true,
                                      .metric_value = (double)i, .parent = TRIAL_NONE};
        u->trials[i].at.v[0] = (double)i + 1;
        u->list[i] = &u->trials[i];
    }
    u->study.all = u->study.trials = u->list;
    u->study.all_count = u->study.count = TRIALS;
    past_init(&u->past, &u->spec.space, false);
}

static void setup_finish(struct setup *u)
{
    past_finish(&u->past);
    spec_finish(&u->spec);
}

/* The depth of the configuration at that rank. */
static double ranked(const struct setup *u, size_t rank)
{
    double place = past_places(&u->past, u->past.ranking[rank])[0];
    return axis_value(&u->past.axes.items[0], place);
}

static void sees_what_is_below(void **state)
{
    struct setup u;
    setup_init(&u, 3);
    for (size_t n = 0; n <= TRIALS; n++) {
        assert_true(past_see(&u.past, &u.study, n));
        assert_int_equal(past_count(&u.past), n > 3 ? n - 3 : 0);
    }
    /* Run 15 is the last that needs no run to be proposed first. */
    assert_true(past_see(&u.past, &u.study, TRIALS + 3));
    assert_false(past_see(&u.past, &u.study, TRIALS + 4));
    /* Back to an earlier one: what was proposed has come to nothing. */
    assert_true(past_see(&u.past, &u.study, 7));
    assert_int_equal(past_count(&u.past), 4);
    assert_true(ranked(&u, 0) == 1 && ranked(&u, 3) == 4);
    setup_finish(&u);
}

static void waits_for_what_has_not_ended(void **state)
{
    struct setup u;
    setup_init(&u, 3);
    u.trials[4].status = RUN_RUNNING;
    assert_true(past_see(&u.past, &u.study, 7)); /* 0 … 3 */
    assert_false(past_see(&u.past, &u.study, 8));
    assert_int_equal(past_count(&u.past), 4);
    u.trials[4].status = RUN_PAUSED;
    assert_false(past_see(&u.past, &u.study, 8));
    u.trials[4].status = RUN_FAILED;
    assert_true(past_see(&u.past, &u.study, 8));
    assert_int_equal(past_count(&u.past), 5);
    setup_finish(&u);
}

static void ranks_by_how_far_then_by_cost(void **state)
{
    /* depth 1 is the worst of those that completed; 2 and 3 were stopped, 2 further on and so
     * before 3, though it was worse there; 4 … 7 failed, each in its way */
    static const double expected[] = {8, 9, 10, 11, 12, 1, 2, 3, 4, 5, 6, 7};
    struct setup u;
    struct rung far = {.epoch = 9, .value = 1}, near = {.epoch = 3, .value = 0.1};
    setup_init(&u, 1);
    u.trials[0].metric_value = 50;
    u.trials[1].status = u.trials[2].status = RUN_STOPPED;
    u.trials[1].rungs = &far;
    u.trials[2].rungs = &near;
    u.trials[1].rung_count = u.trials[2].rung_count = 1;
    u.trials[2].metric_value = 0.5;
    u.trials[3].status = RUN_FAILED;
    u.trials[3].error = RUN_ERROR_OUT_OF_MEMORY;
    u.trials[4].metric_value = NAN;
    u.trials[5].metric_value = INFINITY;
    u.trials[6].has_metric = false;
    assert_true(past_see(&u.past, &u.study, TRIALS + 1));
    assert_int_equal(past_count(&u.past), TRIALS);
    for (size_t i = 0; i < TRIALS; i++)
        assert_true(ranked(&u, i) == expected[i]);
    assert_int_equal(u.past.items[u.past.ranking[7]].outcome, OUTCOME_STOPPED);
    assert_int_equal(u.past.items[u.past.ranking[8]].outcome, OUTCOME_FAILED);
    setup_finish(&u);
}

static void more_may_be_better(void **state)
{
    struct setup u;
    setup_init(&u, 1);
    past_finish(&u.past);
    past_init(&u.past, &u.spec.space, true);
    assert_true(past_see(&u.past, &u.study, TRIALS + 1));
    assert_true(ranked(&u, 0) == TRIALS && ranked(&u, TRIALS - 1) == 1);
    setup_finish(&u);
}

/* A person's cancel, a machine's fault and another configuration say nothing of this one. */
static void leaves_out_what_says_nothing(void **state)
{
    struct setup u;
    setup_init(&u, 1);
    u.trials[0].status = RUN_CANCELLED;
    u.trials[1].status = u.trials[2].status = RUN_FAILED;
    u.trials[1].error = RUN_ERROR_SPAWN;
    u.trials[2].error = RUN_ERROR_DATA;
    u.trials[3].kind = RUN_KIND_TREATMENT;
    u.trials[3].ground = 17;
    u.trials[4].kind = RUN_KIND_TREATMENT; /* of what is swept alone, within the range */
    u.trials[5].kind = RUN_KIND_TREATMENT;
    u.trials[5].at.v[0] = 500;             /* and beyond it */
    assert_true(past_see(&u.past, &u.study, TRIALS + 1));
    assert_int_equal(past_count(&u.past), TRIALS - 5);
    assert_true(ranked(&u, 0) == 5);
    setup_finish(&u);
}

/* Depth 1 comes to 0, 30 and 30, depth 2 to 1 and once to nothing, depth 3 to 2 and twice to
 * nothing. */
static void repeats_make_a_mean(void **state)
{
    struct setup u;
    setup_init(&u, 1);
    for (size_t i = 7; i < TRIALS; i++) {
        u.trials[i].kind = RUN_KIND_REPEAT;
        u.trials[i].parent = i < 9 ? 0 : i < 10 ? 1 : 2;
        u.trials[i].at = u.trials[u.trials[i].parent].at;
        u.trials[i].metric_value = 30;
        u.trials[i].status = i < 9 ? RUN_COMPLETED : RUN_FAILED;
    }
    assert_true(past_see(&u.past, &u.study, TRIALS + 1));
    assert_int_equal(past_count(&u.past), 7);
    static const double expected[] = {2, 4, 5, 6, 7, 1, 3};
    for (size_t i = 0; i < 7; i++)
        assert_true(ranked(&u, i) == expected[i]);
    assert_true(u.past.items[u.past.ranking[5]].cost == 20);
    setup_finish(&u);
}

static void pending_are_the_configurations_between(void **state)
{
    struct setup u;
    struct proposals asked = {0};
    struct assignment a = {{77}};
    double places[2 * 3];
    setup_init(&u, 3);
    proposals_add(&asked, &a, "t", "one");
    assert_true(past_see(&u.past, &u.study, TRIALS + 1));
    assert_int_equal(past_pending(&u.past, &u.study, &asked, places), 3);
    assert_true(axis_value(&u.past.axes.items[0], places[0]) == 11);
    assert_true(axis_value(&u.past.axes.items[0], places[2]) == 12);
    assert_true(axis_value(&u.past.axes.items[0], places[4]) == 77);
    proposals_finish(&asked);
    setup_finish(&u);
}

/* Step by step, or anew from all of it: the same. */
static void what_is_kept_is_what_comes_of_all(void **state)
{
    struct setup u;
    struct rng r;
    setup_init(&u, 2);
    struct memo *memo = memo_create();
    u.study.memo = memo;
    rng_init(&r, 3, RNG_TEST, 0);
    for (size_t i = 0; i < TRIALS; i++) {
        u.trials[i].metric_value = rng_normal(&r);
        u.trials[i].at.v[0] = (double)rng_below(&r, 5) + 1; /* often the same */
    }
    for (size_t n = 0; n <= TRIALS + 2; n++) {
        struct past fresh, unused, *kept = past_open(&u.study, &unused);
        assert_ptr_not_equal(kept, &unused);
        past_init(&fresh, &u.spec.space, false);
        assert_true(past_see(kept, &u.study, n) && past_see(&fresh, &u.study, n));
        assert_int_equal(past_count(kept), past_count(&fresh));
        assert_memory_equal(kept->ranking, fresh.ranking,
                            past_count(kept) * sizeof(*kept->ranking));
        assert_memory_equal(kept->items, fresh.items, past_count(kept) * sizeof(*kept->items));
        past_finish(&fresh);
        past_close(kept, &unused);
    }
    memo_destroy(memo);
    setup_finish(&u);
}

static void axes_go_to_and_fro(void **state)
{
    struct spec s;
    struct axes axes;
    spec_make(&s, "tpe",
              "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":"
              "\"log_uniform_values\"},\"batch_size\":{\"values\":[512,32,128]},"
              "\"optimizer\":{\"values\":[\"sgd\",\"adam\"]},\"depth\":{\"min\":1,\"max\":4},"
              "\"width\":{\"min\":1,\"max\":512,\"distribution\":\"log_uniform_values\"},"
              "\"train.momentum\":{\"min\":0.1,\"max\":0.9,\"q\":0.1,\"distribution\":"
              "\"q_uniform\"}", 10, 1);
    axes_init(&axes, &s.space);
    static const enum axis_kind kinds[] = {AXIS_RANGE, AXIS_CELLS, AXIS_CHOICES,
                                           AXIS_CELLS, AXIS_RANGE, AXIS_CELLS};
    for (size_t i = 0; i < axes.count; i++) {
        const struct axis *x = &axes.items[i];
        assert_int_equal(x->kind, kinds[i]);
        assert_true(isnan(axis_place(x, NAN)));
        for (uint64_t k = 0; k < dimension_cardinality(x->dimension); k++) {
            double value = dimension_nth(x->dimension, k);
            assert_true(axis_value(x, axis_place(x, value)) == value);
        }
    }
    assert_true(axis_place(&axes.items[1], 32) == 0 && axis_place(&axes.items[1], 512) == 2);
    assert_true(fabs(axis_place(&axes.items[0], 0.01) - 0.5) < 1e-12);
    assert_int_equal(axis_cell(&axes.items[3], 0.49), 1);
    assert_int_equal(axis_cell(&axes.items[3], 1), 3);
    axes_finish(&axes);
    spec_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sees_what_is_below),
        cmocka_unit_test(waits_for_what_has_not_ended),
        cmocka_unit_test(ranks_by_how_far_then_by_cost),
        cmocka_unit_test(more_may_be_better),
        cmocka_unit_test(leaves_out_what_says_nothing),
        cmocka_unit_test(repeats_make_a_mean),
        cmocka_unit_test(pending_are_the_configurations_between),
        cmocka_unit_test(what_is_kept_is_what_comes_of_all),
        cmocka_unit_test(axes_go_to_and_fro),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
