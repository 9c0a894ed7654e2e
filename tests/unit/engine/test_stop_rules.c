/* Stopping rules by themselves; rungs and brackets; and each rule through the engine: the same runs
 * at any number of workers. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "daemon/plan/stop/stop.h"
#include "sweep/require.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

/* --- rungs ------------------------------------------------------------------------------------ */

static void expect_rungs(const struct stop_settings *s, size_t number, int64_t epochs,
                         const char *wanted)
{
    char got[256] = "";
    for (int64_t e = 0; (e = stop_next_rung(s, number, e, epochs)) > 0;)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%d ", (int)e);
    assert_string_equal(got, wanted);
}

static void test_schedules(void **state)
{
    struct stop_settings s = {.rule = STOP_MEDIAN, .min_iter = 2, .every = 3, .eta = 3};
    expect_rungs(&s, 0, 12, "2 5 8 11 ");
    s.every = 0;
    expect_rungs(&s, 0, 60, "2 6 18 54 ");
    expect_rungs(&s, 0, 54, "2 6 18 "); /* the last epoch is no rung */
    s.eta = 1.5;
    s.min_iter = 1;
    expect_rungs(&s, 0, 9, "1 2 3 4 6 "); /* no epoch twice */
    s.rule = STOP_NONE;
    expect_rungs(&s, 0, 10, "");
    s = (struct stop_settings){.rule = STOP_HYPERBAND, .eta = 3, .max_iter = 27, .brackets = 1};
    expect_rungs(&s, 0, 100, "1 3 9 ");
    s.rungs = 2;
    expect_rungs(&s, 0, 100, "3 9 "); /* as W&B has them */
    expect_rungs(&s, 0, 9, "3 ");
    s.max_iter = 50;
    s.rungs = 0;
    expect_rungs(&s, 0, 100, "1 5 16 ");
    s = (struct stop_settings){.rule = STOP_MEDIAN, .min_iter = 1000000, .eta = 1000};
    expect_rungs(&s, 0, 1000000, "");
}

/* Epochs that each bracket trains when the best 1 / eta go on: alike within a third. */
static void test_brackets(void **state)
{
    struct stop_settings s = {.rule = STOP_HYPERBAND, .eta = 3, .min_iter = 1};
    double trained[4] = {0};
    size_t runs[4] = {0};
    assert_int_equal(stop_brackets(&s, 27), 4);
    for (size_t n = 0; n < 4000; n++) {
        size_t b = stop_bracket(&s, n, 27);
        assert_true(b < 4);
        runs[b]++;
        double share = 1, from = 0;
        for (int64_t at = 0; at < 27; share /= at > 0 ? 3 : 1) {
            int64_t next = stop_next_rung(&s, n, at, 27);
            at = next > 0 ? next : 27;
            trained[b] += share * ((double)at - from);
            from = (double)at;
            if (next == 0)
                break;
        }
    }
    assert_true(runs[0] > runs[1] && runs[1] > runs[2] && runs[2] > runs[3] && runs[3] > 0);
    for (size_t b = 1; b < 4; b++)
        assert_true(trained[b] > 0.6 * trained[0] && trained[b] < 1.67 * trained[0]);
    for (size_t n = 0; n < 100; n++)
        if (stop_bracket(&s, n, 27) == 2)
            expect_rungs(&s, n, 27, "9 ");
        else if (stop_bracket(&s, n, 27) == 3)
            expect_rungs(&s, n, 27, "");
    s.brackets = 2;
    assert_int_equal(stop_brackets(&s, 27), 2);
    s.brackets = 9; /* no more than there are rungs */
    assert_int_equal(stop_brackets(&s, 27), 4);
    s.rule = STOP_SUCCESSIVE_HALVING;
    assert_int_equal(stop_brackets(&s, 27), 1);
}

/* --- rules ------------------------------------------------------------------------------------ */

#define RUNS 13

struct small_study {
    struct trial trials[RUNS];
    const struct trial *pointers[RUNS];
    struct rung rungs[RUNS];
    struct study st;
};

/* The last run came to `own` at epoch 3, the others before it to `others`. */
static struct rung_verdict decided(struct stop_settings stop, bool maximize, double own,
                                   const double *others, size_t count)
{
    struct small_study s = {0};
    struct rung_verdict v;
    assert_true(count < RUNS);
    for (size_t i = 0; i <= count; i++) {
        s.rungs[i] = (struct rung){3, i < count ? others[i] : own};
        s.trials[i] = (struct trial){.number = i, .status = RUN_PAUSED, .epochs = 27,
                                     .rungs = &s.rungs[i], .rung_count = 1};
        s.pointers[i] = &s.trials[i];
    }
    stop.lag = 0; /* the rule alone */
    s.st = (struct study){
        .stop = &stop, .maximize = maximize, .count = count + 1, .trials = s.pointers};
    stop_decide(&s.st, &s.trials[count], &v);
    return v;
}

static const double twelve[] = {0.9, 0.1, 0.5, 0.3, 0.7, 0.2, 0.4, 1.0, 0.6, 0.8, 1.1, NAN};

static void test_percentile(void **state)
{
    struct stop_settings s = {.rule = STOP_PERCENTILE, .percentile = 25};
    /* numpy.percentile of the first five, 25: 0.3 */
    struct rung_verdict v = decided(s, false, 0.31, twelve, 5);
    assert_int_equal(v.verdict, VERDICT_STOP);
    assert_true(v.cutoff == 0.3 && v.rank == 3 && v.of == 6);
    assert_string_equal(v.reason, "0.31 at epoch 3 is 3rd of 6, worse than 0.3, where the best 25 % "
                                  "of 5 earlier runs end");
    assert_int_equal(decided(s, false, 0.3, twelve, 5).verdict, VERDICT_GO_ON);
    assert_int_equal(decided(s, true, 0.6, twelve, 5).verdict, VERDICT_STOP);
    assert_int_equal(decided(s, true, 0.7, twelve, 5).verdict, VERDICT_GO_ON);
    /* numpy.percentile of all eleven that are finite and one that is worst, 25: 0.375 */
    v = decided(s, false, 0.3751, twelve, 12);
    assert_int_equal(v.verdict, VERDICT_STOP);
    assert_true(fabs(v.cutoff - 0.375) < 1e-12);
    s.percentile = 0;
    assert_int_equal(decided(s, false, 0.1, twelve, 12).verdict, VERDICT_GO_ON);
    assert_int_equal(decided(s, false, 0.11, twelve, 12).verdict, VERDICT_STOP);
    s.percentile = 100;
    assert_int_equal(decided(s, false, NAN, twelve, 12).verdict, VERDICT_GO_ON);
    assert_int_equal(decided(s, false, NAN, twelve, 11).verdict, VERDICT_STOP);
}

/* The same as the median rule, whatever the values. */
static void test_percentile_50_is_the_median(void **state)
{
    struct rng r;
    rng_init(&r, 1, RNG_TEST, 0);
    for (int i = 0; i < 2000; i++) {
        double values[RUNS];
        size_t count = 1 + rng_below(&r, RUNS - 2);
        for (size_t k = 0; k <= count; k++)
            values[k] = rng_below(&r, 8) == 0 ? NAN : (double)rng_below(&r, 12) / 8;
        struct stop_settings a = {.rule = STOP_MEDIAN};
        struct stop_settings b = {.rule = STOP_PERCENTILE, .percentile = 50};
        bool maximize = i % 2;
        assert_int_equal(decided(a, maximize, values[count], values, count).verdict,
                         decided(b, maximize, values[count], values, count).verdict);
    }
}

static void test_successive_halving(void **state)
{
    struct stop_settings s = {.rule = STOP_SUCCESSIVE_HALVING, .eta = 3};
    /* thirteen with its own: the best four */
    struct rung_verdict v = decided(s, false, 0.45, twelve, 12);
    assert_int_equal(v.verdict, VERDICT_STOP);
    assert_true(v.rank == 5 && v.of == 13 && v.cutoff == 0.4);
    assert_string_equal(v.reason, "0.45 at epoch 3 is 5th of 13; the best 4 go on");
    v = decided(s, false, 0.35, twelve, 12);
    assert_int_equal(v.verdict, VERDICT_GO_ON);
    assert_true(v.rank == 4 && v.cutoff == 0.35);
    assert_int_equal(decided(s, false, 0.4, twelve, 12).verdict, VERDICT_GO_ON); /* as good as it */
    assert_int_equal(decided(s, true, 0.85, twelve, 12).verdict, VERDICT_GO_ON);
    assert_int_equal(decided(s, true, 0.75, twelve, 12).verdict, VERDICT_STOP);
    assert_int_equal(decided(s, false, NAN, twelve, 12).verdict, VERDICT_STOP);
    assert_int_equal(decided(s, false, 0.05, twelve, 1).verdict, VERDICT_GO_ON); /* at least one */
    v = decided(s, false, 0.95, twelve, 1);
    assert_string_equal(v.reason, "0.95 at epoch 3 is 2nd of 2; the best 1 goes on");
    s.startup = 2;
    assert_int_equal(decided(s, false, 0.95, twelve, 1).verdict, VERDICT_GO_ON);
    assert_int_equal(decided(s, false, 0.95, twelve, 2).verdict, VERDICT_STOP);
}

/* Only those of its own bracket count. */
static void test_hyperband(void **state)
{
    struct stop_settings s = {.rule = STOP_HYPERBAND, .eta = 3, .min_iter = 1};
    size_t own = stop_bracket(&s, 12, 27), same = 0, better = 0;
    struct rung_verdict v = decided(s, false, 0.65, twelve, 12);
    for (size_t i = 0; i < 12; i++) {
        same += stop_bracket(&s, i, 27) == own;
        better += stop_bracket(&s, i, 27) == own && twelve[i] < 0.65;
    }
    assert_true(same > 0 && same < 12);
    assert_true(v.of == same + 1 && v.rank == better + 1);
    assert_non_null(strstr(v.reason, " of 4)"));
    s.brackets = 1;
    assert_int_equal(decided(s, false, 0.65, twelve, 12).of, 13);
}

/* A view as the engine makes it, of a run that came to `own` among the twelve. */
static struct rung_verdict judged(const struct stop_settings *s, struct rung_view v, double own)
{
    struct rung_verdict out;
    v.settings = s;
    v.epoch = 9;
    v.epochs = 27;
    v.value = own;
    v.count = 12;
    v.values = (double *)(uintptr_t)twelve;
    stop_judge(&v, &out);
    return out;
}

static void test_label(void **state)
{
    struct stop_settings s = {.rule = STOP_LABEL};
    struct rung_view v = {.label = PATTERN_BOTTLENECK, .confidence = 0.9};
    struct rung_verdict out = judged(&s, v, 0.15);
    assert_int_equal(out.verdict, VERDICT_STOP);
    assert_string_equal(out.reason, "bottleneck (0.90) at epoch 9, which stays; 0.15 is 2nd of 13, "
                                    "the best 1 always goes on");
    assert_int_equal(judged(&s, v, 0.1).verdict, VERDICT_GO_ON); /* the best tenth */
    v.confidence = 0.3;
    assert_int_equal(judged(&s, v, 0.9).verdict, VERDICT_GO_ON); /* not sure */
    v = (struct rung_view){.label = PATTERN_LEARNING, .confidence = 1};
    assert_int_equal(judged(&s, v, 0.9).verdict, VERDICT_GO_ON);
    v.label = PATTERN_NONE;
    assert_string_equal(judged(&s, v, 0.9).reason, "no label by epoch 9");
    v.label = PATTERN_NOT_A_NUMBER;
    v.confidence = 0;
    assert_int_equal(judged(&s, v, NAN).verdict, VERDICT_STOP);
}

static void test_curve(void **state)
{
    static const double epochs[] = {1, 2, 3, 4, 5, 6, 7, 8, 9};
    static const double falling[] = {1, 0.7, 0.58, 0.5, 0.45, 0.41, 0.38, 0.354, 0.333}; /* x^-0.5 */
    static const double flat[] = {1, 0.6, 0.45, 0.41, 0.4, 0.4, 0.401, 0.4, 0.4};
    struct stop_settings s = {.rule = STOP_CURVE, .threshold = 0.05};
    struct rung_view v = {
        .has_best = true, .best = 0.25, .curve = {ARRAY_LEN(epochs), epochs, falling}};
    struct rung_verdict out = judged(&s, v, 0.333);
    assert_int_equal(out.verdict, VERDICT_GO_ON); /* 27^-0.5 is 0.19 */
    assert_true(out.probability > 0.5 && out.cutoff == 0.25);
    v.best = 0.05;
    out = judged(&s, v, 0.333);
    assert_int_equal(out.verdict, VERDICT_STOP);
    assert_non_null(strstr(out.reason, "0.333 at epoch 9 heads for 0."));
    assert_non_null(strstr(out.reason, "to beat 0.05, under 0.05"));
    v.best = 0.25;
    v.curve.values = flat;
    assert_int_equal(judged(&s, v, 0.4).verdict, VERDICT_STOP);
    assert_int_equal(judged(&s, v, 0.2).verdict, VERDICT_GO_ON); /* better than it already */
    v.curve.count = 4;
    assert_string_equal(judged(&s, v, 0.4).reason, "only 4 points by epoch 9; 5 say where it heads");
    v.has_best = false;
    assert_int_equal(judged(&s, v, 0.4).verdict, VERDICT_GO_ON);
}

/* However long the sweep, a decision looks at so many runs. */
static void test_sees_the_last_of_many(void **state)
{
    enum { MANY = STOP_RUNS_SEEN + 1000 };
    static struct trial trials[MANY];
    static const struct trial *pointers[MANY];
    static struct rung rungs[MANY];
    struct stop_settings stop = {.rule = STOP_MEDIAN, .lag = 1, .startup = 5};
    struct rung_verdict v;
    for (size_t i = 0; i < MANY; i++) {
        rungs[i] = (struct rung){3, i < 999 ? 0 : 1};
        trials[i] = (struct trial){.number = i, .status = RUN_PAUSED, .epochs = 27,
                                   .rungs = &rungs[i], .rung_count = 1};
        pointers[i] = &trials[i];
    }
    struct study st = {.stop = &stop, .count = MANY, .trials = pointers};
    stop_decide(&st, &trials[MANY - 1], &v);
    assert_int_equal(v.of, STOP_RUNS_SEEN + 1);
    assert_int_equal(v.rank, 2); /* one of the zeros is seen */
}

/* --- through the engine ----------------------------------------------------------------------- */

#define EARLY(type, more) ",\"early_terminate\":{\"type\":\"" type "\"," more "}"
#define PROMOTE "\"promote\":true"

static const struct {
    const char *method, *more;
} cases[] = {
    {"random", EARLY("percentile", "\"min_iter\":2,\"every\":2,\"lag\":7")},
    {"random", EARLY("median", "\"eta\":2,\"lag\":7")},
    {"random", EARLY("successive_halving", "\"eta\":2,\"lag\":7")},
    {"random", EARLY("hyperband", "\"eta\":2,\"max_iter\":6,\"s\":2,\"strict\":true,\"lag\":7")},
    {"random", EARLY("curve", "\"min_iter\":5,\"lag\":7")},
    {"random", EARLY("label", "\"min_iter\":5,\"lag\":7")},
    {"random", EARLY("median", "\"lag\":7,\"audit\":0.5")},
    {"random", EARLY("successive_halving", "\"eta\":2,\"lag\":7," PROMOTE)},
    {"random", EARLY("hyperband", "\"eta\":2,\"lag\":3," PROMOTE)},
    {"random", EARLY("successive_halving", "\"eta\":3,\"lag\":7,\"audit\":0.2," PROMOTE)},
    /* what proposes waits for the same runs as what promotes */
    {"tpe", ",\"lag\":6" EARLY("successive_halving", "\"eta\":2,\"lag\":7," PROMOTE)},
    {"tpe", ",\"lag\":7" EARLY("successive_halving", "\"eta\":3,\"lag\":3,\"audit\":0.2," PROMOTE)},
    {"tpe", ",\"lag\":6" EARLY("hyperband", "\"eta\":2,\"lag\":7," PROMOTE)},
    {"bohb", ",\"lag\":6" EARLY("hyperband", "\"eta\":2,\"lag\":7," PROMOTE)},
};

static size_t epochs_reached(const struct world *w)
{
    size_t sum = 0;
    for (int64_t n = 0; n < 40; n++) {
        const struct run_row *r = world_run_row(w, 1, n);
        sum += (size_t)(r->status == RUN_STOPPED ? r->until_epoch : WORLD_POINTS);
    }
    return sum;
}

static char *swept(size_t i, size_t workers, uint64_t seed, bool kills)
{
    const char *block = cases[i].more;
    struct world w;
    world_init(&w, workers, seed);
    w.checkpoint_every = (int64_t)(seed % 3);
    w.overfit = strstr(block, "label") != NULL; /* something to diagnose */
    world_submit(&w, cases[i].method, PARAMETERS_FULL, 40, 1, block);
    world_flush(&w);
    world_commit(&w);
    for (int step = 0; step < 900 && kills; step++) {
        uint64_t dice = rng_below(&w.rng, 64);
        if (dice == 0)
            world_crash(&w, 1 + rng_below(&w.rng, 7), (unsigned)(seed % 3 * 100));
        else if (dice < 24)
            world_flush(&w);
        else if (dice < 42)
            world_commit(&w);
        else if (w.worker_count > 0)
            world_work(&w, rng_below(&w.rng, w.worker_count));
    }
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    size_t stopped = world_count(&w, 1, RUN_STOPPED);
    if (stopped < 5 || stopped > 35)
        fail_msg("%s%s: %zu are stopped", cases[i].method, block, stopped);
    assert_int_equal(stopped + world_count(&w, 1, RUN_COMPLETED), 40); /* run_cap, exactly */
    assert_int_equal(world_decisions(&w, 1, 0, DECISION_STOPPED), stopped);
    assert_true((world_decisions(&w, 1, 0, DECISION_AUDITED) > 0) == (strstr(block, "audit") != 0));
    assert_int_equal(w.store.nondeterminism, 0);
    if (!kills) /* no epoch was trained twice */
        assert_int_equal(w.steps, epochs_reached(&w));
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void test_same_at_any_number_of_workers(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *expected = swept(i, 1, 3, false);
        for (size_t k = 0; k < 8; k++) {
            static const size_t workers[] = {2, 7};
            char *got = swept(i, workers[k % 2], 40 + k, k >= 2);
            assert_string_equal(got, expected);
            free(got);
        }
        free(expected);
    }
}

/* Runs that live on for an audit change nothing for the others: they are judged as if those had
 * been stopped. */
static void test_an_audit_changes_nothing_else(void **state)
{
    struct world plain, audited;
    size_t lived = 0, stopped = 0;
    world_init(&plain, 3, 1);
    world_submit(&plain, "random", PARAMETERS_FULL, 60, 1,
                 ",\"early_terminate\":{\"type\":\"median\",\"lag\":3}");
    world_run(&plain);
    world_init(&audited, 2, 1);
    world_submit(&audited, "random", PARAMETERS_FULL, 60, 1,
                 ",\"early_terminate\":{\"type\":\"median\",\"lag\":3,\"audit\":0.3}");
    world_run(&audited);
    for (int64_t n = 0; n < 60; n++) {
        const struct run_row *a = world_run_row(&plain, 1, n), *b = world_run_row(&audited, 1, n);
        bool lives = world_decisions(&audited, 1, b->id, DECISION_AUDITED) > 0;
        if (a->status == RUN_COMPLETED || !lives)
            assert_int_equal(a->status, b->status);
        else
            assert_true(a->status == RUN_STOPPED && b->status == RUN_COMPLETED);
        assert_int_equal(b->kind, RUN_KIND_SEARCH);
        lived += lives;
        stopped += b->status == RUN_STOPPED;
    }
    assert_in_range(lived, 3, stopped);
    world_finish(&plain);
    world_finish(&audited);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_schedules),
        cmocka_unit_test(test_brackets),
        cmocka_unit_test(test_percentile),
        cmocka_unit_test(test_percentile_50_is_the_median),
        cmocka_unit_test(test_successive_halving),
        cmocka_unit_test(test_hyperband),
        cmocka_unit_test(test_label),
        cmocka_unit_test(test_curve),
        cmocka_unit_test(test_sees_the_last_of_many),
        cmocka_unit_test(test_an_audit_changes_nothing_else),
        cmocka_unit_test(test_same_at_any_number_of_workers),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
