/* The network as the worker runs it, in float: elementary functions, products, gradient norms,
 * whole networks. */
#include <float.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
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

/* Its small values too: GELU's tail is x times them. */
static void test_normal_is_accurate(void **state)
{
    double worst_tail = 0, worst = 0;
    for (float x = -13; x < 0; x += 0.0003f) {
        double want = 0.5 * erfc(-(double)x * M_SQRT1_2);
        worst_tail = fmax(worst_tail, relative(real_normal(x), want) / (1 + (double)x * (double)x));
        worst = fmax(worst, fabs((double)real_normal(-x) - (1 - want)));
    }
    if (worst_tail > 4e-7 || worst > 2e-7)
        fail_msg("tail %g of 1 + x², elsewhere %g", worst_tail, worst);
    assert_true(isnan(real_normal(NAN)) && real_normal(INFINITY) == 1 &&
                real_normal(-INFINITY) < 1e-37f);
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
    const struct pass pass = {.rows = 1};
    for (int a = 0; a < ACTIVATION_COUNT; a++) {
        struct layer l = {.in_count = 3, .out_count = 3};
        real x[3] = {NAN, -2, 2}, y[3], dx[3];
        const real one[3] = {1, 1, 1};
        const struct layer_ops *ops = activation_ops((enum activation)a);
        ops->forward(&l, &pass, x, y);
        assert_true(isnan(y[0]) && y[1] <= (a == ACTIVATION_SIGMOID ? 0.5f : 0) && y[2] > 0);
        ops->backward(&l, &pass, &(struct layer_slope){x, y, one, dx});
        assert_true(dx[2] > 0 && (isnan(dx[0]) || a <= ACTIVATION_ELU));
    }
}

static void test_blas_agrees_with_plain_loops(void **state)
{
    assert_true(gemm_check() < GEMM_CHECK_LIMIT);
}

/* Squares of these leave the range of a float; the norm does not. Pieces of a few and pieces of
 * nothing lie beside ordinary ones. */
static void test_norm_of_exploding_gradient(void **state)
{
    static real p[3000], g[3000];
    struct net_span span = {0, 3000, true};
    struct net n = {.values = p, .gradients = g, .parameter_count = 3000, .value_count = 3000,
                    .spans = &span, .span_count = 1};
    struct settings s;
    struct optim o;
    settings_init(&s);
    s.v[SETTING_OPTIMIZER] = OPTIMIZER_SGD;
    optim_init(&o, &s);
    for (size_t i = 0; i < 3000; i++)
        g[i] = 1e30f;
    double norm = sqrt(optim_step(&o, &n));
    assert_true(fabs(norm / (1e30 * sqrt(3000)) - 1) < 1e-6);
    for (size_t i = 0; i < 3000; i++)
        g[i] = 1e-25f;
    norm = sqrt(optim_step(&o, &n));
    assert_true(fabs(norm / (1e-25 * sqrt(3000)) - 1) < 1e-6);
    double squares = 0;
    for (size_t i = 0; i < 3000; i++) {
        g[i] = i < 1024 ? (i == 77 ? 1e-35f : 0) : i < 2048 ? 1e-3f * (float)(i % 7) : 0;
        squares += (double)g[i] * (double)g[i];
    }
    assert_true(fabs(optim_step(&o, &n) / squares - 1) < 1e-6);
    memset(g, 0, sizeof g);
    assert_true(optim_step(&o, &n) == 0);
    g[77] = 1e-32f;
    assert_true(fabs(sqrt(optim_step(&o, &n)) / 1e-32 - 1) < 1e-6);
    g[2999] = NAN;
    assert_true(isnan(optim_step(&o, &n)));
}

/* A network of an mlp's settings. */
struct trial {
    struct settings settings;
    struct layer_list no_layers;
    struct model_plan model;
    struct net_plan plan;
    struct net net;
    struct loss loss;
};

static int trial_open(struct trial *t, size_t features, size_t classes, size_t rows,
                      struct errbuf *err)
{
    assert_int_equal(model_plan_init(&t->model, &t->settings, &t->no_layers, err), 0);
    t->plan = (struct net_plan){
        .model = &t->model,
        .input = {1, {features}},
        .outputs = classes,
        .init = init_resolve(INIT_AUTO, (enum activation)t->settings.v[SETTING_ACTIVATION]),
        .train_rows = rows,
        .eval_rows = rows,
        .copies = 3,
    };
    t->loss = (struct loss){.kind = LOSS_CROSS_ENTROPY, .outputs = classes};
    int rc = net_init(&t->net, &t->plan, 110, err);
    if (rc != 0)
        model_plan_finish(&t->model);
    return rc;
}

static void trial_close(struct trial *t)
{
    net_finish(&t->net);
    model_plan_finish(&t->model);
}

static struct loss_sum trial_pass(struct trial *t, size_t rows, const uint16_t *labels)
{
    struct targets targets = {.labels = labels};
    const real *z = net_forward(&t->net, rows, true, 0);
    struct loss_sum sum = loss_compute(&t->loss, rows, z, &targets, t->net.output_grad);
    net_backward(&t->net, rows, 0);
    return sum;
}

/* Loss of a fresh net on noise of variance 1/3 is near that of guessing, ln K. */
static void test_loss_of_a_fresh_net(void **state)
{
    enum { rows = 256, features = 300, classes = 10 };
    static struct trial t;
    uint16_t labels[rows];
    for (int a = 0; a < ACTIVATION_COUNT; a++) {
        struct rng r;
        settings_init(&t.settings);
        t.settings.v[SETTING_ACTIVATION] = a;
        assert_int_equal(trial_open(&t, features, classes, rows, NULL), 0);
        rng_init(&r, 5, RNG_TEST, 0);
        for (size_t i = 0; i < rows * features; i++)
            t.net.input[i] = (real)(2 * rng_uniform(&r) - 1);
        for (size_t i = 0; i < rows; i++)
            labels[i] = (uint16_t)rng_below(&r, classes);
        assert_true(fabs(trial_pass(&t, rows, labels).loss / rows - log(classes)) < 0.35);
        trial_close(&t);
    }
}

/* A smaller last batch gives what it would give alone. */
static void test_short_batch(void **state)
{
    static struct trial a, b;
    const uint16_t labels[8] = {0, 1, 1, 0, 1, 0, 0, 1};
    settings_init(&a.settings);
    settings_init(&b.settings);
    assert_int_equal(trial_open(&a, 3, 2, 8, NULL), 0);
    assert_int_equal(trial_open(&b, 3, 2, 2, NULL), 0);
    for (size_t i = 0; i < 24; i++)
        a.net.input[i] = (real)(i % 7) - 3;
    memcpy(b.net.input, a.net.input, 6 * sizeof(real));
    trial_pass(&a, 8, labels);
    trial_pass(&a, 2, labels);
    trial_pass(&b, 2, labels);
    assert_memory_equal(a.net.gradients, b.net.gradients, a.net.parameter_count * sizeof(real));
    trial_close(&a);
    trial_close(&b);
}

static void test_network_too_large_for_the_machine(void **state)
{
    static struct trial t;
    struct errbuf err = {0};
    settings_init(&t.settings);
    t.settings.v[SETTING_DEPTH] = 256;
    t.settings.v[SETTING_WIDTH] = 65536;
    assert_int_equal(trial_open(&t, 784, 10, 1 << 20, &err), ERR_LIMIT);
    assert_non_null(strstr(err.message, "GiB"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions_are_accurate),
        cmocka_unit_test(test_normal_is_accurate),
        cmocka_unit_test(test_functions_at_the_edges),
        cmocka_unit_test(test_activations_keep_nan),
        cmocka_unit_test(test_blas_agrees_with_plain_loops),
        cmocka_unit_test(test_norm_of_exploding_gradient),
        cmocka_unit_test(test_loss_of_a_fresh_net),
        cmocka_unit_test(test_short_batch),
        cmocka_unit_test(test_network_too_large_for_the_machine),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
