/* What the tests of the table must tell apart, on short curves written out by hand. */
#include "sweep/diagnosis.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>

#include "sweep/require.h"

#define POINTS_MAX 64

static enum pattern label(const double *train, const double *val, size_t n, bool running)
{
    struct point p[POINTS_MAX] = {0};
    struct diagnosis d;

    REQUIRE(n <= POINTS_MAX);
    for (size_t i = 0; i < n; i++) {
        p[i].point = (int64_t)i + 1;
        p[i].epoch = (double)i + 1;
        point_set(&p[i], CURVE_TRAIN_LOSS, train[i]);
        point_set(&p[i], CURVE_VAL_LOSS, val[i]);
    }
    void *workspace = malloc(diagnosis_workspace_bytes(n));
    diagnose(&(struct diagnosis_input){.points = p, .count = n, .running = running}, workspace,
             &d);
    free(workspace);
    return d.pattern;
}

static void test_jumped_once_and_stayed(void **state)
{
    double train[20], val[20];

    for (size_t i = 0; i < 20; i++) {
        train[i] = i == 0 ? 31 : 1750 + 20 * sin(7.0 * (double)i);
        val[i] = i == 0 ? 30 : 3357;
    }
    assert_int_equal(label(train, val, 20, false), PATTERN_DIVERGING);
    train[0] = 1760; /* without the low start it is a wall */
    val[0] = 3357;
    assert_int_not_equal(label(train, val, 20, false), PATTERN_DIVERGING);
}

static void test_leaps_with_the_last_value(void **state)
{
    double train[] = {2.3, 1.9, 1.7, 1.6, 1.5, 1.45, 1.4, 1.38, 1.36, 9.0};
    double val[] = {2.2, 1.9, 1.8, 1.7, 1.6, 1.58, 1.5, 1.49, 1.46, 8.0};

    assert_int_equal(label(train, val, 10, false), PATTERN_DIVERGING);
    assert_int_not_equal(label(train, val, 10, true), PATTERN_DIVERGING); /* the next one tells */
    val[9] = 1.45; /* one loss alone */
    assert_int_not_equal(label(train, val, 10, false), PATTERN_DIVERGING);
}

/* A loss a thousandth of the first may double: nothing that was learned is lost. */
static void test_a_tiny_loss_may_double(void **state)
{
    double train[20], val[20];

    for (size_t i = 0; i < 20; i++) {
        train[i] = 3 * exp(-0.9 * (double)i) + (i > 16 ? 0.004 : 0.001);
        val[i] = train[i] * 1.1;
    }
    assert_int_not_equal(label(train, val, 20, false), PATTERN_DIVERGING);
}

static double exponential(size_t i, double rate)
{
    return 0.34 + 2 * exp(-rate * (double)i);
}

static void test_fades_to_its_floor(void **state)
{
    double slow[40], stops[40];

    for (size_t i = 0; i < 40; i++) {
        slow[i] = exponential(i, 0.05);
        stops[i] = exponential(i < 30 ? i : 30, 0.1);
    }
    assert_int_equal(label(slow, slow, 40, false), PATTERN_LEARNING);
    assert_int_equal(label(stops, stops, 40, false), PATTERN_CONVERGED);
}

/* One unit of the last digit that was printed is no slope. */
static void test_rounding_is_no_slope(void **state)
{
    double train[18], val[18];

    for (size_t i = 0; i < 18; i++) {
        train[i] = i < 3 ? 0.0086 - 0.0025 * (double)i : i < 15 ? 0.0026 : 0.0025;
        val[i] = i < 2 ? 0.0043 : 0.0024;
    }
    assert_int_equal(label(train, val, 18, false), PATTERN_CONVERGED);
}

/* What matters is told against the level and against all that the run moved. */
static void test_small_drifts(void **state)
{
    double drift[30], settled[30];

    for (size_t i = 0; i < 30; i++) {
        drift[i] = 2.34 + 0.0008 * (double)i; /* 1 % of the level, but all that happened */
        settled[i] = 0.5 + 30 * exp(-2.0 * (double)i) - 0.0005 * (double)i;
    }
    assert_int_equal(label(drift, drift, 30, false), PATTERN_SLOW_RISE);
    assert_int_equal(label(settled, settled, 30, false), PATTERN_CONVERGED);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_jumped_once_and_stayed),
        cmocka_unit_test(test_leaps_with_the_last_value),
        cmocka_unit_test(test_a_tiny_loss_may_double),
        cmocka_unit_test(test_fades_to_its_floor),
        cmocka_unit_test(test_rounding_is_no_slope),
        cmocka_unit_test(test_small_drifts),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("classify", tests, NULL, NULL);
}
