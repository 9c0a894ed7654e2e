#include "common/label/trend.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/label/series.h"
#include "sweep/stats.h"
#include "sweep/buf.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define MANY 3000
#define assert_near(a, b, eps) assert_true(fabs((a) - (b)) <= (eps))

static const struct gates PLAIN = {1, 1, 1};

static int sign_of(const struct trend *t, bool training)
{
    return trend_sign(t, &RULES_DEFAULT, &PLAIN, training);
}

/* Heap blocks of exactly the promised sizes, so that a sanitizer sees every step beyond them. */
static void measure(const double *y, size_t n, struct trend *t, int *exponent)
{
    struct point *points = xcalloc(n, sizeof(*points));
    double *room = xmalloc(series_room(n) * sizeof(double));
    size_t words = trend_scratch(n) > n / SERIES_MAX + 2 ? trend_scratch(n) : n / SERIES_MAX + 2;
    double *scratch = xmalloc(words * sizeof(double));
    struct series s;

    for (size_t i = 0; i < n; i++) {
        points[i].epoch = (double)i + 1;
        point_set(&points[i], CURVE_VAL_LOSS, y[i]);
    }
    struct diagnosis_input in = {.points = points, .count = n};
    series_init(&s, &in, CURVE_VAL_LOSS, room, scratch);
    trend_measure(t, &s, scratch);
    *exponent = s.exponent;
    free(points);
    free(room);
    free(scratch);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void test_select_agrees_with_sorting(void **state)
{
    static double a[MANY], sorted[MANY];
    struct rng r;

    rng_init(&r, 1, RNG_TEST, 0);
    for (int round = 0; round < 200; round++) {
        size_t n = 1 + (size_t)rng_below(&r, round < 150 ? 60 : MANY);
        for (size_t i = 0; i < n; i++) /* many ties in every third round */
            a[i] = round % 3 == 0 ? (double)rng_below(&r, 5) : rng_normal(&r);
        if (round % 5 == 1)
            qsort(a, n, sizeof(*a), compare);
        memcpy(sorted, a, n * sizeof(*a));
        qsort(sorted, n, sizeof(*a), compare);
        size_t k = (size_t)rng_below(&r, n);
        assert_true(stats_select(a, n, k) == sorted[k]);
        for (size_t i = 0; i < n; i++)
            assert_true(i < k ? a[i] <= a[k] : a[i] >= a[k]);
    }
}

static void test_quantiles_interpolate(void **state)
{
    double a[] = {4, 1, 3, 2, 5}, b[] = {4, 1, 3, 2};

    assert_near(stats_quantile(a, 5, 0.95), 4.8, 1e-12);
    assert_near(stats_quantile(a, 5, 0.0), 1, 0);
    assert_near(stats_quantile(a, 5, 1.0), 5, 0);
    assert_near(stats_median(b, 4), 2.5, 0);
}

static void test_running_median_agrees_with_the_plain_one(void **state)
{
    double a[80], out[80], scratch[160], window[80];
    struct rng r;

    rng_init(&r, 2, RNG_TEST, 0);
    for (size_t n = 1; n <= 80; n++) {
        size_t half = n % 7;
        for (size_t i = 0; i < n; i++)
            a[i] = (double)rng_below(&r, 9);
        stats_running_median(a, n, half, out, scratch);
        for (size_t i = 0; i < n; i++) {
            size_t count = 0;
            for (size_t j = i > half ? i - half : 0; j < n && j <= i + half; j++)
                window[count++] = a[j];
            assert_true(out[i] == stats_median(window, count));
        }
    }
}

static void test_slope_of_a_line_is_exact(void **state)
{
    double y[40];
    struct trend t;
    int e;

    for (size_t i = 0; i < 40; i++)
        y[i] = 8 - 0.125 * (double)i;
    measure(y, 40, &t, &e);
    assert_int_equal(t.window, 16);
    assert_near(ldexp(t.change, e), -0.125 * 15, 1e-12);
    assert_near(t.sigma, 0, 1e-12);
    /* all 120 pairs fall: S = -120, VarS = 16*15*37/18 */
    assert_near(t.z, -119 / sqrt(16.0 * 15 * 37 / 18), 1e-12);
    assert_int_equal(sign_of(&t, false), -1);
}

/* By hand: y = 1 1 2 2 3 3, 12 pairs rise, 3 tie; VarS = (6*5*17 - 3*2*1*9)/18. */
static void test_ties_reduce_the_variance(void **state)
{
    const double y[] = {1, 1, 2, 2, 3, 3};
    struct trend t;
    int e;

    measure(y, 6, &t, &e);
    assert_near(t.z, 11 / sqrt((6.0 * 5 * 17 - 3 * 2 * 1 * 9) / 18), 1e-12);
}

static void test_a_constant_has_no_trend(void **state)
{
    double y[30];
    struct trend t;
    int e;

    for (size_t i = 0; i < 30; i++)
        y[i] = 0.7;
    measure(y, 30, &t, &e);
    assert_true(t.z == 0 && t.change == 0 && t.sigma == 0 && t.range == 0);
    assert_int_equal(sign_of(&t, true), 0);
}

static void test_noise_is_measured_as_sigma(void **state)
{
    static double y[MANY];
    struct trend t;
    struct rng r;
    int e;
    double sum = 0;

    for (uint64_t seed = 0; seed < 50; seed++) {
        rng_init(&r, seed, RNG_TEST, 1);
        for (size_t i = 0; i < 200; i++)
            y[i] = 5 - 0.01 * (double)i + 0.1 * rng_normal(&r);
        measure(y, 200, &t, &e);
        sum += ldexp(t.sigma, e) / 50;
    }
    assert_true(sum > 0.09 && sum < 0.12); /* the larger of two estimates: a little above 0.1 */
}

/* Turned up before the window and stays there: no slope, and yet it has risen. */
static void test_a_rise_before_the_window_is_seen(void **state)
{
    double y[50];
    struct trend t;
    int e;

    for (size_t i = 0; i < 50; i++)
        y[i] = i < 15 ? 2 - 0.1 * (double)i : i < 25 ? 0.6 + 0.04 * (double)(i - 15) : 1.0;
    measure(y, 50, &t, &e);
    assert_true(t.change == 0);
    assert_int_equal(sign_of(&t, false), 1);
    assert_true(t.best_at >= 13 && t.best_at <= 17);
}

/* A curve that comes down again keeps its fall, although it stands above its minimum. */
static void test_a_recovering_curve_falls(void **state)
{
    double y[50];
    struct trend t;
    int e;

    for (size_t i = 0; i < 50; i++)
        y[i] = i < 10 ? 1.0 : 3.0 - 0.03 * (double)i;
    measure(y, 50, &t, &e);
    assert_int_equal(sign_of(&t, false), -1);
}

static double false_trends(size_t n, double correlation)
{
    static double y[MANY];
    struct trend t;
    struct rng r;
    int e, found = 0;
    const int runs = 1000;

    for (int k = 0; k < runs; k++) {
        double x = 0;
        rng_init(&r, (uint64_t)k, RNG_TEST, n);
        for (size_t i = 0; i < n; i++) {
            x = correlation * x + sqrt(1 - correlation * correlation) * rng_normal(&r);
            y[i] = 1 + 0.05 * x;
        }
        measure(y, n, &t, &e);
        found += sign_of(&t, true) != 0;
    }
    return (double)found / runs;
}

/* White and correlated noise of 5 % without any descent: the worst case. */
static void test_noise_rarely_gives_a_trend(void **state)
{
    static const struct {
        size_t count;
        double white, correlated; /* bounds */
    } CASES[] = {{12, 0.15, 0.36}, {20, 0.13, 0.34}, {40, 0.10, 0.30}, {80, 0.05, 0.25}};

    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        double white = false_trends(CASES[i].count, 0);
        double correlated = false_trends(CASES[i].count, 0.5);
        print_message("# n=%zu: false trends %.1f %% on white noise, %.1f %% on AR(0.5)\n",
                      CASES[i].count, 100 * white, 100 * correlated);
        assert_true(white <= CASES[i].white);
        assert_true(correlated <= CASES[i].correlated);
    }
}

static void test_long_curves_are_condensed(void **state)
{
    enum { N = 20000 };
    double *y = xmalloc(N * sizeof(*y));
    struct trend t;
    struct rng r;
    int e;

    rng_init(&r, 3, RNG_TEST, 0);
    for (size_t i = 0; i < N; i++)
        y[i] = 2 - 1.5 * (double)i / N + 0.2 * rng_normal(&r);
    measure(y, N, &t, &e);
    assert_int_equal(t.count, SERIES_MAX);
    assert_int_equal(t.window, TAIL_MAX);
    assert_true(fabs(ldexp(t.change, e) + 0.6) < 0.05);
    free(y);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_select_agrees_with_sorting),
        cmocka_unit_test(test_quantiles_interpolate),
        cmocka_unit_test(test_running_median_agrees_with_the_plain_one),
        cmocka_unit_test(test_slope_of_a_line_is_exact),
        cmocka_unit_test(test_ties_reduce_the_variance),
        cmocka_unit_test(test_a_constant_has_no_trend),
        cmocka_unit_test(test_noise_is_measured_as_sigma),
        cmocka_unit_test(test_a_rise_before_the_window_is_seen),
        cmocka_unit_test(test_a_recovering_curve_falls),
        cmocka_unit_test(test_noise_rarely_gives_a_trend),
        cmocka_unit_test(test_long_curves_are_condensed),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("trend", tests, NULL, NULL);
}
