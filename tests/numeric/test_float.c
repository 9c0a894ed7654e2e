/* The network as the worker runs it, in float: elementary functions, products, gradient norms,
 * initial weights. */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/err.h"
#include "sweep/rng.h"
#include "worker/nn/gemm.h"
#include "worker/nn/init.h"
#include "worker/nn/loss.h"
#include "worker/nn/net.h"
#include "worker/optim/optim.h"

_Static_assert(sizeof(real) == sizeof(float), "links the library in float");

static double relative(float got, double want)
{
    return fabs((double)got - want) / fabs(want);
}

static void test_functions_are_accurate(void **state)
{
    double worst_exp = 0, worst_expm1 = 0, worst_tanh = 0;
    for (float x = -86; x < 88; x += 0.0013f) {
        worst_exp = fmax(worst_exp, relative(real_exp(x), exp((double)x)));
        if (x != 0 && x < 0)
            worst_expm1 = fmax(worst_expm1, relative(real_expm1(x), expm1((double)x)));
    }
    for (float x = 1e-6f; x < 20; x *= 1.0007f) {
        worst_tanh = fmax(worst_tanh, relative(real_tanh(x), tanh((double)x)));
        worst_expm1 = fmax(worst_expm1, relative(real_expm1(-x), expm1(-(double)x)));
        assert_true(real_tanh(-x) == -real_tanh(x));
    }
    if (worst_exp > 1.5e-7 || worst_tanh > 2e-7 || worst_expm1 > 3e-7)
        fail_msg("exp %g tanh %g expm1 %g", worst_exp, worst_tanh, worst_expm1);
}

static void test_functions_at_the_edges(void **state)
{
    assert_true(isnan(real_exp(NAN)) && isnan(real_tanh(NAN)) && isnan(real_expm1(NAN)));
    assert_true(real_exp(-INFINITY) < 1e-37f && real_exp(INFINITY) > 1e38f);
    assert_true(real_tanh(INFINITY) == 1 && real_tanh(-INFINITY) == -1 && real_tanh(0) == 0);
    assert_true(real_expm1(-INFINITY) == -1 && real_expm1(0) == 0);
}

/* A rectifier that turned NaN into 0 would hide a broken run. */
static void test_activations_keep_nan(void **state)
{
    for (int a = ACTIVATION_RELU; a <= ACTIVATION_ELU; a++) {
        struct layer l = {.in = 3, .out = 3};
        real x[3] = {NAN, -2, 2};
        layer_activation((enum activation)a)->forward(&l, 1, x, x);
        assert_true(isnan(x[0]) && x[1] <= 0 && x[2] > 0);
    }
}

static void test_blas_agrees_with_plain_loops(void **state)
{
    assert_true(gemm_check() < GEMM_CHECK_LIMIT);
}

/* Squares of these leave the range of a float; the norm does not. */
static void test_norm_of_exploding_gradient(void **state)
{
    static real p[3000], g[3000];
    struct settings s;
    struct optim o;
    settings_init(&s);
    s.v[SETTING_OPTIMIZER] = OPTIMIZER_SGD;
    optim_init(&o, &s);
    for (size_t i = 0; i < 3000; i++)
        g[i] = 1e30f;
    double norm = sqrt(optim_step(&o, 3000, p, g));
    assert_true(fabs(norm / (1e30 * sqrt(3000)) - 1) < 1e-6);
    for (size_t i = 0; i < 3000; i++)
        g[i] = 1e-25f;
    norm = sqrt(optim_step(&o, 3000, p, g));
    assert_true(fabs(norm / (1e-25 * sqrt(3000)) - 1) < 1e-6);
    g[2999] = NAN;
    assert_true(isnan(optim_step(&o, 3000, p, g)));
}

/* Mean and variance within 5 standard errors, all within the bound, sign bit and order mixed. */
static void check_draw(double bound, uint64_t layer)
{
    enum { count = 100001 };
    real *w = malloc(count * sizeof *w);
    double sum = 0, squares = 0, neighbours = 0;
    init_weights(w, count, bound, 110, layer);
    for (size_t i = 0; i < count; i++) {
        assert_true(fabs((double)w[i]) <= bound);
        sum += (double)w[i];
        squares += (double)w[i] * (double)w[i];
        neighbours += i ? (double)w[i] * (double)w[i - 1] : 0;
    }
    double variance = bound * bound / 3;
    assert_true(fabs(sum / count) < 5 * sqrt(variance / count));
    assert_true(fabs(squares / count / variance - 1) < 5 * sqrt(0.8 / count));
    assert_true(fabs(neighbours / count / variance) < 5 / sqrt(count));
    free(w);
}

static void test_initial_weights(void **state)
{
    assert_true(fabs(init_bound(INIT_HE, 600, 10, false) - sqrt(6.0 / 600)) < 1e-15);
    assert_true(fabs(init_bound(INIT_HE, 600, 10, true) - sqrt(3.0 / 600)) < 1e-15);
    assert_true(fabs(init_bound(INIT_XAVIER, 20, 30, false) - sqrt(6.0 / 50)) < 1e-15);
    assert_int_equal(init_resolve(INIT_AUTO, ACTIVATION_TANH), INIT_XAVIER);
    assert_int_equal(init_resolve(INIT_AUTO, ACTIVATION_ELU), INIT_HE);
    assert_int_equal(init_resolve(INIT_HE, ACTIVATION_TANH), INIT_HE);
    check_draw(0.0875, 0);
    check_draw(0.5, 3);
}

/* Loss of a fresh net on noise of variance 1/3 is near that of guessing, ln K. */
static void test_loss_of_a_fresh_net(void **state)
{
    enum { rows = 256, features = 300, classes = 10 };
    uint16_t labels[rows];
    struct net_plan plan = {features, classes, 2, 128, ACTIVATION_RELU, INIT_AUTO, rows, 0, 0};
    for (int a = ACTIVATION_RELU; a <= ACTIVATION_ELU; a++) {
        struct net n;
        struct rng r;
        plan.activation = (enum activation)a;
        assert_int_equal(net_init(&n, &plan, 110, NULL), 0);
        rng_init(&r, 5, RNG_TEST, 0);
        for (size_t i = 0; i < rows * features; i++)
            n.input[i] = (real)(2 * rng_uniform(&r) - 1);
        for (size_t i = 0; i < rows; i++)
            labels[i] = (uint16_t)rng_below(&r, classes);
        loss_fn *loss = loss_function(LOSS_CROSS_ENTROPY);
        struct loss_sum sum = loss(rows, classes, net_forward(&n, rows), labels, n.output_grad);
        assert_true(fabs(sum.loss / rows - log(classes)) < 0.35);
        net_finish(&n);
    }
}

/* A smaller last batch gives what it would give alone. */
static void test_short_batch(void **state)
{
    struct net_plan plan = {3, 2, 1, 4, ACTIVATION_TANH, INIT_AUTO, 8, 0, 0};
    struct net a, b;
    assert_int_equal(net_init(&a, &plan, 9, NULL), 0);
    plan.train_rows = 2;
    assert_int_equal(net_init(&b, &plan, 9, NULL), 0);
    const uint16_t labels[8] = {0, 1, 1, 0, 1, 0, 0, 1};
    loss_fn *loss = loss_function(LOSS_CROSS_ENTROPY);
    for (size_t i = 0; i < 24; i++)
        a.input[i] = (real)(i % 7) - 3;
    loss(8, 2, net_forward(&a, 8), labels, a.output_grad);
    net_backward(&a, 8);
    for (size_t i = 0; i < 6; i++)
        b.input[i] = a.input[i];
    loss(2, 2, net_forward(&a, 2), labels, a.output_grad);
    net_backward(&a, 2);
    loss(2, 2, net_forward(&b, 2), labels, b.output_grad);
    net_backward(&b, 2);
    assert_memory_equal(a.gradients, b.gradients, a.parameter_count * sizeof(real));
    net_finish(&a);
    net_finish(&b);
}

static void test_network_too_large_for_the_machine(void **state)
{
    struct net_plan plan = {784, 10, 256, 65536, ACTIVATION_RELU, INIT_AUTO, 1 << 20, 512, 3};
    struct errbuf err = {0};
    struct net n;
    assert_int_equal(net_init(&n, &plan, 1, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "GiB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_are_accurate),
        cmocka_unit_test(test_functions_at_the_edges),
        cmocka_unit_test(test_activations_keep_nan),
        cmocka_unit_test(test_blas_agrees_with_plain_loops),
        cmocka_unit_test(test_norm_of_exploding_gradient),
        cmocka_unit_test(test_initial_weights),
        cmocka_unit_test(test_loss_of_a_fresh_net),
        cmocka_unit_test(test_short_batch),
        cmocka_unit_test(test_network_too_large_for_the_machine),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
