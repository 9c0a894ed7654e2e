#include "expect.h"

#include <math.h>

#include "sweep/require.h"
#include "sweep/rng.h"
#include "sweep/spec.h"

static double listed_rates[] = {0.1, 0.001, 0.01, 0.5};
static double listed_optimizers[] = {OPTIMIZER_ADAM, OPTIMIZER_SGD, OPTIMIZER_RMSPROP};

static const struct dimension lr = {.name = "learning_rate",
                                    .type = VALUE_REAL,
                                    .distribution = DISTRIBUTION_LOG_UNIFORM_VALUES,
                                    .min = 1e-3,
                                    .max = 0.1};
static const struct dimension momentum = {.name = "momentum",
                                          .type = VALUE_REAL,
                                          .distribution = DISTRIBUTION_UNIFORM,
                                          .min = 0.5,
                                          .max = 0.9};
static const struct dimension depth = {.name = "depth",
                                       .type = VALUE_INTEGER,
                                       .distribution = DISTRIBUTION_INT_UNIFORM,
                                       .min = 1,
                                       .max = 4};
static const struct dimension batch = {.name = "batch_size",
                                       .type = VALUE_INTEGER,
                                       .distribution = DISTRIBUTION_LOG_UNIFORM_VALUES,
                                       .min = 16,
                                       .max = 512};
static const struct dimension beta = {.name = "beta1",
                                      .type = VALUE_REAL,
                                      .distribution = DISTRIBUTION_Q_UNIFORM,
                                      .min = 0.25,
                                      .max = 0.7,
                                      .q = 0.1};
static const struct dimension width = {.name = "width",
                                       .type = VALUE_INTEGER,
                                       .distribution = DISTRIBUTION_Q_LOG_UNIFORM_VALUES,
                                       .min = 10,
                                       .max = 1000,
                                       .q = 32};
static const struct dimension rates = {.name = "learning_rate",
                                       .type = VALUE_REAL,
                                       .distribution = DISTRIBUTION_CATEGORICAL,
                                       .value_count = ARRAY_LEN(listed_rates),
                                       .values = listed_rates};
static const struct dimension optimizers = {.name = "optimizer",
                                            .type = VALUE_CHOICE,
                                            .distribution = DISTRIBUTION_CATEGORICAL,
                                            .value_count = ARRAY_LEN(listed_optimizers),
                                            .values = listed_optimizers};

static const struct dimension *const all[] = {&lr,   &momentum, &depth, &batch,
                                              &beta, &width,    &rates, &optimizers};

static void ends_are_exact(void **state)
{
    assert_true(dimension_value(&lr, 0) == 1e-3);
    assert_true(dimension_value(&lr, 1) == 0.1);
    assert_true(dimension_value(&lr, 1 - 0x1p-53) <= 0.1);
    assert_true(dimension_value(&lr, 0x1p-60) >= 1e-3);
    assert_true(dimension_value(&momentum, 0) == 0.5 && dimension_value(&momentum, 1) == 0.9);
    assert_true(dimension_value(&depth, 0) == 1 && dimension_value(&depth, 1) == 4);
    assert_true(dimension_value(&batch, 0) == 16 && dimension_value(&batch, 1) == 512);
    /* The multiples of 0.1 within 0.25 … 0.7: 0.7 is one, though 0.7/0.1 < 7. */
    assert_true(dimension_value(&beta, 0) == 0.3 && dimension_value(&beta, 1) == 0.7);
    assert_true(dimension_value(&width, 0) == 32 && dimension_value(&width, 1) == 992);
    assert_true(dimension_value(&rates, 0) == 0.1 && dimension_value(&rates, 1) == 0.5);
}

static void positions_outside_are_clamped(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        assert_true(dimension_value(all[i], -3) == dimension_value(all[i], 0));
        assert_true(dimension_value(all[i], 7) == dimension_value(all[i], 1));
        assert_true(dimension_value(all[i], NAN) == dimension_value(all[i], 0));
        assert_true(dimension_position(all[i], -1e9) >= 0);
        assert_true(dimension_position(all[i], 1e9) <= 1);
    }
}

static void scales_are_followed(void **state)
{
    assert_true(fabs(dimension_value(&lr, 0.5) - 0.01) < 1e-15);
    assert_true(fabs(dimension_value(&momentum, 0.25) - 0.6) < 1e-15);
    assert_true(fabs(dimension_position(&lr, 0.01) - 0.5) < 1e-15);
    /* Equal cells: a quarter each, the border belongs to the upper one. */
    assert_true(dimension_value(&depth, 0.24999) == 1 && dimension_value(&depth, 0.25) == 2);
    assert_true(dimension_value(&depth, 0.75) == 4 && dimension_position(&depth, 1) == 0.125);
    assert_true(dimension_value(&batch, 0.5) == round(sqrt(16 * 512)));
    assert_true(dimension_value(&optimizers, 0.34) == OPTIMIZER_SGD);
    assert_true(dimension_position(&rates, 0.0101) == 2.5 / 4); /* nearest listed */
}

static void values_stay_inside_and_rise(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        const struct dimension *d = all[i];
        double last = -INFINITY;

        for (int k = 0; k <= 5000 && d->distribution != DISTRIBUTION_CATEGORICAL; k++) {
            double x = dimension_value(d, k / 5000.0);
            assert_true(x >= d->min && x <= d->max && x >= last);
            if (d->type == VALUE_INTEGER)
                assert_true(x == floor(x));
            last = x;
        }
    }
}

static void position_leads_back_to_the_value(void **state)
{
    struct rng r;

    rng_init(&r, 1, RNG_TEST, 0);
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        bool countable = dimension_cardinality(all[i]) > 0;
        for (int k = 0; k < 2000; k++) {
            double x = dimension_value(all[i], rng_uniform(&r));
            double u = dimension_position(all[i], x), back = dimension_value(all[i], u);
            assert_true(u >= 0 && u <= 1);
            assert_true(countable ? back == x : fabs(back - x) <= 1e-14 * fabs(x));
        }
    }
}

static void values_are_counted(void **state)
{
    static const double tenths[] = {0.3, 0.4, 0.5, 0.6, 0.7};

    assert_int_equal(dimension_cardinality(&lr), 0);
    assert_int_equal(dimension_cardinality(&momentum), 0);
    assert_int_equal(dimension_cardinality(&depth), 4);
    assert_int_equal(dimension_cardinality(&batch), 497);
    assert_int_equal(dimension_cardinality(&beta), 5);
    assert_int_equal(dimension_cardinality(&width), 31);
    assert_int_equal(dimension_cardinality(&rates), 4);
    assert_true(dimension_nth(&rates, 1) == 0.001);
    assert_true(dimension_nth(&width, 30) == 992 && dimension_nth(&batch, 496) == 512);
    for (uint64_t k = 0; k < ARRAY_LEN(tenths); k++)
        assert_true(dimension_nth(&beta, k) == tenths[k]);
}

static void every_value_can_be_drawn(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        uint64_t count = dimension_cardinality(all[i]);
        for (uint64_t k = 0; k < count; k++) {
            double x = dimension_nth(all[i], k);
            assert_true(dimension_value(all[i], dimension_position(all[i], x)) == x);
            for (uint64_t j = 0; j < k; j++)
                assert_true(dimension_nth(all[i], j) != x);
        }
    }
}

static void middles(void **state)
{
    struct dimension three = rates, one = rates;

    three.value_count = 3;
    one.value_count = 1;
    assert_true(fabs(dimension_middle(&lr) - 0.01) < 1e-15);
    assert_true(fabs(dimension_middle(&momentum) - 0.7) < 1e-15);
    assert_true(dimension_middle(&depth) == 2);  /* the lower of 2 and 3 */
    assert_true(dimension_middle(&batch) == 91); /* sqrt(16·512) = 90.5 */
    assert_true(dimension_middle(&beta) == 0.5);
    assert_true(dimension_middle(&rates) == 0.01); /* of 0.001 0.01 0.1 0.5 */
    assert_true(dimension_middle(&three) == 0.01);
    assert_true(dimension_middle(&one) == 0.1);
    assert_true(dimension_middle(&optimizers) == OPTIMIZER_SGD); /* as listed */
}

/* The first, the last and one between, also of more multiples than positions tell apart; not what
 * lies between two of them or outside. */
static void what_a_dimension_takes(void **state)
{
    const struct dimension many = {.name = "l2",
                                   .type = VALUE_REAL,
                                   .distribution = DISTRIBUTION_Q_LOG_UNIFORM_VALUES,
                                   .min = 1,
                                   .max = 0x1p52,
                                   .q = 1};

    for (size_t i = 0; i < ARRAY_LEN(all); i++) {
        uint64_t count = dimension_cardinality(all[i]);
        for (uint64_t k = 0; k < count; k++)
            assert_true(dimension_takes(all[i], dimension_nth(all[i], k)));
        assert_false(dimension_takes(all[i], -1));
        assert_false(dimension_takes(all[i], 1e9));
        assert_false(dimension_takes(all[i], NAN));
    }
    assert_true(dimension_takes(&momentum, 0.7) && dimension_takes(&lr, 0.00123));
    assert_false(dimension_takes(&depth, 2.5) || dimension_takes(&batch, 16.5));
    assert_false(dimension_takes(&beta, 0.35) || dimension_takes(&beta, 0.25));
    assert_false(dimension_takes(&width, 33) || dimension_takes(&rates, 0.05));
    assert_false(dimension_takes(&rates, 0.2) || dimension_takes(&optimizers, OPTIMIZER_ADAGRAD));
    assert_true(dimension_takes(&many, 0x1p51 + 1) && dimension_takes(&many, 0x1p52 - 1));
}

static void a_multiple_below_the_step_is_none(void **state)
{
    /* 0 is below min, however small min is against q. */
    const struct dimension tiny = {.name = "learning_rate",
                                   .type = VALUE_REAL,
                                   .distribution = DISTRIBUTION_Q_UNIFORM,
                                   .min = 1e-14,
                                   .max = 0.25,
                                   .q = 0.1};

    assert_int_equal(dimension_cardinality(&tiny), 2);
    assert_true(dimension_nth(&tiny, 0) == 0.1 && dimension_nth(&tiny, 1) == 0.2);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(ends_are_exact),
        cmocka_unit_test(positions_outside_are_clamped),
        cmocka_unit_test(scales_are_followed),
        cmocka_unit_test(values_stay_inside_and_rise),
        cmocka_unit_test(position_leads_back_to_the_value),
        cmocka_unit_test(values_are_counted),
        cmocka_unit_test(every_value_can_be_drawn),
        cmocka_unit_test(middles),
        cmocka_unit_test(what_a_dimension_takes),
        cmocka_unit_test(a_multiple_below_the_step_is_none),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
