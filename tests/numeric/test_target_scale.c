/* Training on scaled targets is training on targets that somebody scaled before, to the bit; what
 * is told of it is in the targets' own units. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/rng.h"
#include "worker/train.h"

#define COUNT 240
#define HELD 40
#define FEATURES 5
#define TARGETS_MAX 6
#define EPOCHS 12

/* Targets of a unit each: prices, shares, years. */
static const double centre[3] = {200000, 0.02, 1987}, spread[3] = {80000, 0.001, 9};

struct fixture {
    float values[COUNT * FEATURES];
    float targets[COUNT * TARGETS_MAX];
    struct samples samples;
    struct run_config config;
    struct point points[EPOCHS];
    size_t count;
    float best[4096];
};

static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);
    struct rng r;
    rng_init(&r, 3, RNG_TEST, 0);
    for (size_t i = 0; i < COUNT * FEATURES; i++)
        x->values[i] = (float)rng_below(&r, 1000) / 500 - 1;
    x->samples = (struct samples){.type = SAMPLES_F32,
                                  .count = COUNT,
                                  .parts = {COUNT},
                                  .shape = {1, {FEATURES}},
                                  .features = FEATURES,
                                  .outputs = 1,
                                  .values = x->values,
                                  .targets = x->targets};
    x->config = (struct run_config){.epochs = EPOCHS, .seed = 7, .split_seed = 7,
                                    .metric = METRIC_VAL_R2, .maximize = true,
                                    .weights = "kept"};
    settings_init(&x->config.settings);
    x->config.settings.v[SETTING_WIDTH] = 16;
    x->config.settings.v[SETTING_LEARNING_RATE] = 0.01;
    x->config.settings.v[SETTING_VALIDATION] = HELD;
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

/* outputs targets of each sample; the unit of target k is that of k % different. */
static void make_targets(struct fixture *x, size_t outputs, size_t different)
{
    x->samples.outputs = outputs;
    for (size_t i = 0; i < COUNT; i++) {
        const float *v = x->values + i * FEATURES;
        for (size_t k = 0; k < outputs; k++) {
            double z = (double)(v[k % FEATURES] - v[(k + 1) % FEATURES] * v[(k + 2) % FEATURES]);
            x->targets[i * outputs + k] =
                (float)(centre[k % different] + spread[k % different] * z);
        }
    }
}

static int take_point(void *context, const struct point *p)
{
    struct fixture *x = context;
    assert_true(x->count < EPOCHS);
    x->points[x->count++] = *p;
    return 0;
}

/* Trains; *unit, if asked for, are the units of the split. */
static void train(struct fixture *x, double *shift, double *unit)
{
    struct split split;
    size_t bytes = x->samples.outputs * sizeof *unit;
    x->count = 0;
    assert_int_equal(split_init(&split, &x->samples, &x->config.settings, 7, NULL), 0);
    if (unit) {
        memcpy(shift, split.scaling.target_shift, bytes);
        memcpy(unit, split.scaling.target_unit, bytes);
    } else {
        assert_null(split.scaling.target_unit);
    }
    struct train t = {.config = &x->config, .samples = &x->samples, .split = &split,
                      .report = take_point, .context = x};
    assert_int_equal(train_open(&t, NULL), 0);
    assert_int_equal(train_run(&t, NULL), 0);
    memcpy(x->best, train_best(&t), t.setup.step.net.value_count * sizeof(real));
    train_close(&t);
    split_finish(&split);
    assert_int_equal(x->count, EPOCHS);
}

static void near(double a, double b)
{
    if (!(fabs(a - b) <= 1e-12 * fabs(b)))
        fail_msg("%.17g is not %.17g", a, b);
}

/* With the scaling, then with targets that were scaled before. factor: of the losses. */
static void expect_same(struct fixture *x, enum loss_kind kind)
{
    static const enum curve_column losses[] = {
        CURVE_TRAIN_LOSS, CURVE_VAL_LOSS, CURVE_TRAIN_LOSS_MIN, CURVE_TRAIN_LOSS_MAX,
        CURVE_TRAIN_LOSS_EVAL, CURVE_PENALTY};
    double shift[TARGETS_MAX], unit[TARGETS_MAX];
    struct fixture *by_hand = malloc(sizeof *by_hand);
    x->config.settings.v[SETTING_LOSS] = kind;
    x->config.settings.v[SETTING_TRAIN_LOSS_EVAL] = 1;
    x->config.settings.v[SETTING_L2] = 1e-3;
    *by_hand = *x;
    by_hand->samples.values = by_hand->values;
    by_hand->samples.targets = by_hand->targets;
    by_hand->config.settings.v[SETTING_TARGET_SCALE] = TARGET_SCALE_NONE;
    train(x, shift, unit);
    size_t outputs = x->samples.outputs;
    for (size_t i = 0; i < COUNT * outputs; i++)
        by_hand->targets[i] =
            (float)(((double)x->targets[i] - shift[i % outputs]) / unit[i % outputs]);
    train(by_hand, NULL, NULL);
    assert_memory_equal(x->best, by_hand->best, sizeof x->best);
    for (size_t i = 0; i < EPOCHS; i++) {
        const struct point *own = &x->points[i], *scaled = &by_hand->points[i];
        assert_true(own->v[CURVE_GRAD_NORM] == scaled->v[CURVE_GRAD_NORM]);
        assert_true(own->v[CURVE_VAL_R2] == scaled->v[CURVE_VAL_R2]);
        for (size_t k = 0; outputs == 1 && k < sizeof losses / sizeof *losses; k++)
            near(own->v[losses[k]],
                 scaled->v[losses[k]] * (kind == LOSS_MAE ? unit[0] : unit[0] * unit[0]));
    }
    free(by_hand);
}

static void test_one_target(void **state)
{
    for (int kind = LOSS_MSE; kind <= LOSS_HUBER; kind++) {
        make_targets(*state, 1, 1);
        expect_same(*state, (enum loss_kind)kind);
    }
}

static void test_several_targets(void **state)
{
    make_targets(*state, 3, 3);
    expect_same(*state, LOSS_MSE);
}

/* The mean squared error in the targets' own units, of predictions in them. */
static void test_loss_is_in_own_units(void **state)
{
    struct fixture *x = *state;
    struct split split;
    struct evaluation e;
    make_targets(x, 3, 3);
    assert_int_equal(split_init(&split, &x->samples, &x->config.settings, 7, NULL), 0);
    struct train t = {.config = &x->config, .samples = &x->samples, .split = &split,
                      .report = take_point, .context = x};
    assert_int_equal(train_open(&t, NULL), 0);
    e = evaluate(&t.evaluator, &t.setup.step, split.validation, HELD);
    evaluator_gather(&t.evaluator, &t.setup.step.net, split.validation, HELD);
    const real *z = net_forward(&t.setup.step.net, HELD, false, 0);
    double sum = 0;
    for (size_t i = 0; i < HELD; i++) {
        for (size_t k = 0; k < 3; k++) {
            double said = (double)z[i * 3 + k] * split.scaling.target_unit[k] +
                          split.scaling.target_shift[k];
            double error = said - (double)x->targets[split.validation[i] * 3 + k];
            sum += error * error / 3;
        }
    }
    assert_true(fabs(e.loss - sum / HELD) < 1e-6 * e.loss);
    train_close(&t);
    split_finish(&split);
}

/* Mean and population deviation of the training part, of a target of each step over all steps; a
 * constant one keeps its unit. */
static void test_what_is_fitted(void **state)
{
    struct fixture *x = *state;
    struct split split;
    make_targets(x, 6, 2);
    x->samples.shape = (struct shape){2, {3, 1}};
    x->samples.features = 3;
    assert_int_equal(split_init(&split, &x->samples, &x->config.settings, 7, NULL), 0);
    const struct scaling *g = &split.scaling;
    for (size_t k = 0; k < 2; k++) {
        double sum = 0, square = 0, n = 3 * (COUNT - HELD);
        for (size_t i = 0; i < split.train_count; i++)
            for (size_t j = k; j < 6; j += 2)
                sum += (double)x->targets[split.train[i] * 6 + j];
        for (size_t i = 0; i < split.train_count; i++)
            for (size_t j = k; j < 6; j += 2)
                square += pow((double)x->targets[split.train[i] * 6 + j] - sum / n, 2);
        for (size_t j = k; j < 6; j += 2) {
            near(g->target_shift[j], sum / n);
            near(g->target_unit[j], sqrt(square / n));
        }
    }
    split_finish(&split);
    for (size_t i = 0; i < COUNT * 6; i++)
        x->targets[i] = i % 2 ? 0.1f : 0;
    assert_int_equal(split_init(&split, &x->samples, &x->config.settings, 7, NULL), 0);
    assert_true(split.scaling.target_unit[0] == 1 && split.scaling.target_shift[0] == 0);
    assert_true(split.scaling.target_unit[1] == 1);
    assert_true(fabs(split.scaling.target_shift[1] - 0.1) < 1e-7);
    split_finish(&split);
}

/* What it is for: without it prices do not train at all. */
static void test_prices_train(void **state)
{
    struct fixture *x = *state;
    double shift[TARGETS_MAX], unit[TARGETS_MAX];
    make_targets(x, 1, 1);
    train(x, shift, unit);
    assert_true(x->points[EPOCHS - 1].v[CURVE_VAL_R2] > 0.9);
    assert_true(x->points[EPOCHS - 1].v[CURVE_VAL_LOSS] > 1e6); /* dollars, squared */
    x->config.settings.v[SETTING_TARGET_SCALE] = TARGET_SCALE_NONE;
    train(x, NULL, NULL);
    assert_true(x->points[EPOCHS - 1].v[CURVE_VAL_R2] < 0);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_one_target),     CASE(test_several_targets), CASE(test_loss_is_in_own_units),
        CASE(test_what_is_fitted), CASE(test_prices_train),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
