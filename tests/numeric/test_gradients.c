/* Every gradient against central differences, in double, over every parameter of small nets:
 * signed and per element. Inputs are dense and weights random, so that no rectifier sits within
 * the step of its corner (checked). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "sweep/require.h"
#include "sweep/rng.h"
#include "worker/nn/loss.h"
#include "worker/nn/net.h"

_Static_assert(sizeof(real) == sizeof(double), "links the library in double");

#define ROWS 5
#define FEATURES 4
#define CLASSES 3
#define WIDTH 5
#define STEP 1e-6

static const uint16_t labels[ROWS] = {2, 0, 1, 1, 2};

static void fill_inputs(struct net *n)
{
    struct rng r;
    rng_init(&r, 7, RNG_TEST, 0);
    for (size_t i = 0; i < ROWS * FEATURES; i++)
        n->input[i] = 2 * rng_uniform(&r) - 1;
    for (size_t i = 0; i < n->parameter_count; i++) /* biases too */
        n->parameters[i] += 0.2 * (2 * rng_uniform(&r) - 1);
}

static double mean_loss(struct net *n, loss_fn *loss)
{
    return loss(ROWS, CLASSES, net_forward(n, ROWS), labels, n->output_grad).loss / ROWS;
}

/* Smallest distance of a rectifier's input from its corner is its output's distance from 0
 * where it is positive; where it is cut off the output is 0 and tells nothing, so the dense
 * layer's parameters are nudged instead: a corner within the step shows as a kink between the
 * one-sided differences. */
static double difference(struct net *n, loss_fn *loss, size_t i, double *kink)
{
    double keep = n->parameters[i], middle = mean_loss(n, loss);
    n->parameters[i] = keep + STEP;
    double above = mean_loss(n, loss);
    n->parameters[i] = keep - STEP;
    double below = mean_loss(n, loss);
    n->parameters[i] = keep;
    *kink = fabs((above - middle) - (middle - below)) / STEP;
    return (above - below) / (2 * STEP);
}

static void check_net(enum activation activation, enum loss kind, size_t depth)
{
    struct net_plan plan = {.features = FEATURES,
                            .classes = CLASSES,
                            .depth = depth,
                            .width = WIDTH,
                            .activation = activation,
                            .init = INIT_AUTO,
                            .train_rows = ROWS};
    struct net n;
    loss_fn *loss = loss_function(kind);
    assert_int_equal(net_init(&n, &plan, 110 + depth, NULL), 0);
    fill_inputs(&n);
    mean_loss(&n, loss);
    net_backward(&n, ROWS);
    size_t alive = 0;
    for (size_t i = 0; i < n.parameter_count; i++) {
        double got = n.gradients[i], kink;
        double want = difference(&n, loss, i, &kink);
        assert_true(kink < 1e-4);
        double error = fabs(got - want);
        if (error > 1e-8 + 1e-6 * fabs(want))
            fail_msg("activation %d loss %d depth %zu: parameter %zu has gradient %.12g, central "
                     "difference %.12g", activation, kind, depth, i, got, want);
        alive += got != 0;
    }
    /* A net of zeros would pass as well. */
    assert_true(alive * 2 > n.parameter_count);
    net_finish(&n);
}

static void test_every_parameter(void **state)
{
    for (int activation = ACTIVATION_RELU; activation <= ACTIVATION_ELU; activation++) {
        for (int loss = LOSS_CROSS_ENTROPY; loss <= LOSS_MSE; loss++) {
            for (size_t depth = 0; depth <= 3; depth++)
                check_net((enum activation)activation, (enum loss)loss, depth);
        }
    }
}

/* The check itself: a gradient with one wrong sign must not pass for a right one. */
static void test_notices_wrong_sign(void **state)
{
    struct net_plan plan = {FEATURES, CLASSES, 1, WIDTH, ACTIVATION_TANH, INIT_AUTO, ROWS, 0, 0};
    struct net n;
    loss_fn *loss = loss_function(LOSS_CROSS_ENTROPY);
    assert_int_equal(net_init(&n, &plan, 1, NULL), 0);
    fill_inputs(&n);
    mean_loss(&n, loss);
    net_backward(&n, ROWS);
    double kink, want = difference(&n, loss, 0, &kink);
    assert_true(fabs(-n.gradients[0] - want) > 1e-4);
    net_finish(&n);
}

/* loss = log Σ exp z - z_label, where exp z alone overflows or vanishes. */
static void test_cross_entropy_of_huge_logits(void **state)
{
    const real z[2 * 3] = {1000, 0, -1000, -3000, -3001, -3002};
    const uint16_t y[2] = {1, 0};
    real dz[6];
    struct loss_sum sum = loss_function(LOSS_CROSS_ENTROPY)(2, 3, z, y, dz);
    double second = log(1 + exp(-1) + exp(-2));
    assert_true(fabs(sum.loss - (1000 + second)) < 1e-9);
    assert_int_equal(sum.correct, 1);
    const double want[6] = {0.5, -0.5, 0, 0.5 * (exp(-second) - 1), 0.5 * exp(-1 - second),
                            0.5 * exp(-2 - second)};
    for (size_t i = 0; i < 6; i++)
        assert_true(fabs(dz[i] - want[i]) < 1e-12);
}

/* torch.nn.MSELoss()(z, onehot) worked out by hand: (0.25 + 1 + 4 + 0) / 4 */
static void test_mse_is_the_mean_over_all(void **state)
{
    const real z[4] = {0.5, 1, 2, 1};
    const uint16_t y[2] = {0, 1};
    real dz[4];
    struct loss_sum sum = loss_function(LOSS_MSE)(2, 2, z, y, dz);
    assert_true(fabs(sum.loss / 2 - 5.25 / 4) < 1e-15);
    const double want[4] = {2 * -0.5 / 4, 2 * 1.0 / 4, 2 * 2.0 / 4, 0};
    for (size_t i = 0; i < 4; i++)
        assert_true(fabs(dz[i] - want[i]) < 1e-15);
    assert_int_equal(sum.correct, 0);
}

static void test_nan_is_never_correct(void **state)
{
    const real z[4] = {NAN, 1, 1, NAN};
    const uint16_t y[2] = {0, 0};
    real dz[4];
    for (int kind = LOSS_CROSS_ENTROPY; kind <= LOSS_MSE; kind++) {
        struct loss_sum sum = loss_function((enum loss)kind)(2, 2, z, y, dz);
        assert_int_equal(sum.correct, 0);
        assert_true(isnan(sum.loss));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_parameter),
        cmocka_unit_test(test_notices_wrong_sign),
        cmocka_unit_test(test_cross_entropy_of_huge_logits),
        cmocka_unit_test(test_mse_is_the_mean_over_all),
        cmocka_unit_test(test_nan_is_never_correct),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
