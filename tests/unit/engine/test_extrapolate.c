/* Curves of known families, carried on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "daemon/plan/stop/extrapolate.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define EPOCHS 27

struct family {
    const char *name;
    double a, b, shape;
    bool power;
};

static const struct family families[] = {
    {"power", 0.3, 1.2, 0.7, true},     {"slow power", 0.1, 2, 0.25, true},
    {"exponential", 0.4, 1, 0.2, false}, {"fast exponential", 0.2, 2, 0.8, false},
    {"flat", 0.7, 0, 1, true},
};

static double value(const struct family *f, double x)
{
    return f->a + f->b * (f->power ? pow(x, -f->shape) : exp(-f->shape * x));
}

/* What is said at `seen` epochs of the last one. */
static struct extrapolation said(const struct family *f, size_t seen, double noise, struct rng *r,
                                 double level)
{
    double x[EPOCHS], y[EPOCHS];
    struct extrapolation e;
    for (size_t i = 0; i < seen; i++) {
        x[i] = (double)i + 1;
        y[i] = value(f, x[i]) + noise * rng_normal(r);
    }
    assert_true(extrapolate(x, y, seen, EPOCHS, level, &e));
    return e;
}

/* Without noise a third of the curve is enough. */
static void test_finds_the_end(void **state)
{
    struct rng r;
    rng_init(&r, 1, RNG_TEST, 0);
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        const struct family *f = &families[i];
        double end = value(f, EPOCHS), fall = value(f, 9) - end + 1e-3;
        struct extrapolation e = said(f, 9, 0, &r, end);
        if (fabs(e.mean - end) > 0.15 * fall + 4e-3)
            fail_msg("%s: %g, and it came to %g from %g", f->name, e.mean, end, value(f, 9));
        if (!(e.low <= end + 3e-3 && e.high >= end - 3e-3 && e.low <= e.mean && e.mean <= e.high))
            fail_msg("%s: %g to %g", f->name, e.low, e.high);
        assert_true(said(f, 9, 0, &r, end - 0.1).below < 0.05);
        assert_true(said(f, 9, 0, &r, value(f, 9) + 0.05).below > 0.95);
    }
}

/* Of a quarter of the curve the middle nine tenths have the end in three of four cases, and grow with what is not seen. */
static void test_says_how_sure_it_is(void **state)
{
    struct rng r;
    rng_init(&r, 2, RNG_TEST, 0);
    for (size_t i = 0; i < ARRAY_LEN(families); i++) {
        size_t within = 0;
        double width[2] = {0};
        for (int k = 0; k < 200; k++) {
            struct extrapolation early = said(&families[i], 6, 0.01, &r, 0);
            struct extrapolation late = said(&families[i], 20, 0.01, &r, 0);
            double end = value(&families[i], EPOCHS);
            within += early.low <= end && end <= early.high;
            width[0] += early.high - early.low;
            width[1] += late.high - late.low;
        }
        if (within < 150 || width[0] <= width[1])
            fail_msg("%s: %zu of 200, widths %g and %g", families[i].name, within, width[0],
                     width[1]);
    }
}

/* A chance of 0.05 may be wrong in one case of twenty, and not in more. */
static void test_chance_is_what_it_says(void **state)
{
    struct rng r;
    rng_init(&r, 3, RNG_TEST, 0);
    size_t wrong = 0, stopped = 0, all = 0;
    for (int k = 0; k < 3000; k++) {
        struct family f = {"any", rng_uniform(&r), 0.2 + 2 * rng_uniform(&r), 0, k % 2};
        f.shape = f.power ? 0.2 + rng_uniform(&r) : 0.05 + 0.5 * rng_uniform(&r);
        double level = value(&f, EPOCHS) + 0.2 * (rng_uniform(&r) - 0.5);
        bool stops = said(&f, 9, 0.005, &r, level).below < 0.05;
        stopped += stops;
        wrong += stops && value(&f, EPOCHS) < level;
        all += value(&f, EPOCHS) < level;
    }
    printf("# %zu of 3000 end below, %zu are given up, %zu of them wrongly\n", all, stopped, wrong);
    assert_true(stopped > 500);
    assert_true(wrong * 20 <= stopped);
}

static void test_bad_input(void **state)
{
    static const double x[] = {1, 2, 3, 4, 5, 6};
    static const double same[] = {0, 0, 0, 0, 0, 0}, huge[] = {1e300, 1e299, 1e298, 1, 1, 1};
    static const double rising[] = {1, 2, 3, 4, 5, 6};
    struct extrapolation e;
    assert_false(extrapolate(x, same, EXTRAPOLATE_LEAST - 1, 27, 0, &e));
    assert_true(extrapolate(x, same, 6, 27, -1, &e) && e.mean == 0 && e.below < 1e-6);
    assert_true(extrapolate(x, huge, 6, 27, 0, &e) && !isnan(e.below));
    assert_true(extrapolate(x, rising, 6, 27, 0, &e));
    assert_true(fabs(e.mean - 3.5) < 1e-9); /* it does not fall: the mean, with its spread */
    assert_true(extrapolate(x, rising, 6, 6, 0, &e) && !isnan(e.below)); /* at its end already */
}

/* A curve of 100,000 points costs as much as one of 128. */
static void test_long_curves(void **state)
{
    enum { LONG = 100000 };
    static double x[LONG], y[LONG];
    struct extrapolation e;
    for (size_t i = 0; i < LONG; i++) {
        x[i] = (double)(i + 1) / 1000;
        y[i] = 0.3 + pow(x[i], -0.5);
    }
    assert_true(extrapolate(x, y, LONG, 300, 0, &e));
    assert_true(fabs(e.mean - (0.3 + pow(300, -0.5))) < 0.02);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_finds_the_end),
        cmocka_unit_test(test_says_how_sure_it_is),
        cmocka_unit_test(test_chance_is_what_it_says),
        cmocka_unit_test(test_bad_input),
        cmocka_unit_test(test_long_curves),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
