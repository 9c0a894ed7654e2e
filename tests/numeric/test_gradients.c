/* Every gradient of composed networks against central differences, in double, over every trained
 * number, signed and per element. A rectifier within the step of its corner would show as a kink
 * between the one-sided differences, which is checked. Single layers have tests of their own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "worker/nn/loss.h"
#include "worker/nn/net.h"

_Static_assert(sizeof(real) == sizeof(double), "links the library in double");

#define ROWS 5
#define OUTPUTS 3
#define DIFFERENCE 1e-6
#define STEP 7 /* the dropout masks' */

static const struct net_case {
    const char *layers; /* of a sequential model */
    struct shape input;
} cases[] = {
    {"[{\"type\":\"dense\",\"units\":5,\"activation\":\"relu\"}]", {1, {4}}},
    {"[{\"type\":\"dense\",\"units\":5,\"activation\":\"leaky_relu\",\"repeat\":3}]", {1, {4}}},
    {"[{\"type\":\"dense\",\"units\":5,\"activation\":\"elu\"},{\"type\":\"dropout\",\"rate\":0.4},"
     "{\"type\":\"dense\",\"units\":4,\"activation\":\"sigmoid\"}]", {1, {4}}},
    {"[{\"type\":\"dense\",\"units\":5,\"activation\":\"gelu\"},{\"type\":\"batch_norm\"},"
     "{\"type\":\"dense\",\"units\":4,\"activation\":\"tanh\"},{\"type\":\"layer_norm\"}]", {1, {4}}},
    {"[{\"type\":\"dense\",\"units\":4},{\"type\":\"residual\",\"repeat\":2,\"layers\":["
     "{\"type\":\"activation\",\"function\":\"tanh\"},{\"type\":\"dense\",\"units\":4},"
     "{\"type\":\"dropout\",\"rate\":0.3}]}]", {1, {3}}},
    {"[{\"type\":\"residual\",\"layers\":[{\"type\":\"dense\",\"units\":4,\"activation\":\"elu\"},"
     "{\"type\":\"residual\",\"layers\":[{\"type\":\"dense\",\"units\":4,\"activation\":\"tanh\"}]}]}]",
     {1, {4}}},
    {"[{\"type\":\"conv2d\",\"channels\":3,\"kernel\":3,\"padding\":1,\"activation\":\"elu\"},"
     "{\"type\":\"max_pool\",\"size\":2},{\"type\":\"batch_norm\"},"
     "{\"type\":\"conv2d\",\"channels\":2,\"kernel\":2,\"activation\":\"gelu\"},"
     "{\"type\":\"avg_pool\",\"size\":2},{\"type\":\"flatten\"},"
     "{\"type\":\"dense\",\"units\":4,\"activation\":\"tanh\"}]", {2, {6, 7}}},
    {"[{\"type\":\"dense\",\"units\":4,\"activation\":\"tanh\"},{\"type\":\"lstm\",\"units\":3},"
     "{\"type\":\"dense\",\"units\":4,\"activation\":\"elu\"}]", {2, {4, 3}}},
    {"[{\"type\":\"gru\",\"units\":3,\"return\":\"sequence\",\"bidirectional\":true},"
     "{\"type\":\"dropout\",\"rate\":0.2},{\"type\":\"rnn\",\"units\":4,\"return\":\"sequence\"},"
     "{\"type\":\"layer_norm\"},{\"type\":\"flatten\"},{\"type\":\"activation\",\"function\":\"tanh\"}]",
     {2, {4, 2}}},
    /* answered step by step */
    {"[{\"type\":\"lstm\",\"units\":3,\"return\":\"sequence\"},{\"type\":\"residual\",\"layers\":["
     "{\"type\":\"rnn\",\"units\":3,\"return\":\"sequence\"}]}]", {2, {3, 2}}},
};

static void plan_layers(const char *text, struct model_plan *out)
{
    struct settings s;
    struct layer_list *list = test_calloc(1, sizeof *list);
    struct errbuf err = {0};
    struct json *v = json_parse(text, strlen(text), &err);
    assert_non_null(v);
    settings_init(&s);
    s.v[SETTING_MODEL_TYPE] = MODEL_SEQUENTIAL;
    if (layer_list_parse(v, "$", list, &err) != 0 || model_plan_init(out, &s, list, &err) != 0)
        fail_msg("%s: %s", text, err.message);
    json_destroy(v);
    test_free(list);
}

struct trial {
    struct net net;
    struct model_plan model;
    struct loss loss;
    size_t answers; /* rows of the loss */
    uint16_t labels[ROWS * 8];
    struct targets targets;
};

static void trial_open(struct trial *t, const struct net_case *c)
{
    struct rng r;
    struct errbuf err;
    plan_layers(c->layers, &t->model);
    struct net_plan plan = {.model = &t->model, .input = c->input, .outputs = OUTPUTS,
                            .init = INIT_XAVIER, .train_rows = ROWS, .eval_rows = ROWS};
    if (net_init(&t->net, &plan, 110, &err) != 0)
        fail_msg("%s: %s", c->layers, err.message);
    rng_init(&r, 7, RNG_TEST, 0);
    for (size_t i = 0; i < ROWS * shape_count(&c->input); i++)
        t->net.input[i] = 2 * rng_uniform(&r) - 1;
    for (size_t i = 0; i < t->net.parameter_count; i++) /* biases too */
        t->net.values[i] += 0.2 * (2 * rng_uniform(&r) - 1);
    t->answers = ROWS * shape_count(&t->net.output) / OUTPUTS;
    assert_true(t->answers <= sizeof t->labels / sizeof *t->labels);
    for (size_t i = 0; i < t->answers; i++)
        t->labels[i] = (uint16_t)rng_below(&r, OUTPUTS);
    t->targets = (struct targets){.labels = t->labels};
    t->loss = (struct loss){.kind = LOSS_CROSS_ENTROPY, .outputs = OUTPUTS};
}

static void trial_close(struct trial *t)
{
    net_finish(&t->net);
    model_plan_finish(&t->model);
}

static double mean_loss(struct trial *t)
{
    const real *z = net_forward(&t->net, ROWS, true, STEP);
    struct loss_sum sum =
        loss_compute(&t->loss, t->answers, z, &t->targets, t->net.output_grad);
    return sum.loss / sum.weight;
}

static double difference(struct trial *t, size_t i, double *kink)
{
    double *w = &t->net.values[i], keep = *w, middle = mean_loss(t);
    *w = keep + DIFFERENCE;
    double above = mean_loss(t);
    *w = keep - DIFFERENCE;
    double below = mean_loss(t);
    *w = keep;
    *kink = fabs((above - middle) - (middle - below)) / DIFFERENCE;
    return (above - below) / (2 * DIFFERENCE);
}

/* Numbers of a dead rectifier have no gradient, but most must have one: a net of zeros would pass
 * the comparison as well. */
static void check_net(const struct net_case *c)
{
    struct trial t;
    trial_open(&t, c);
    mean_loss(&t);
    net_backward(&t.net, ROWS, STEP);
    size_t alive = 0;
    for (size_t i = 0; i < t.net.parameter_count; i++) {
        double got = t.net.gradients[i], kink, want = difference(&t, i, &kink);
        assert_true(kink < 1e-4);
        if (fabs(got - want) > 1e-8 + 1e-6 * fabs(want))
            fail_msg("%s: number %zu has gradient %.12g, central difference %.12g", c->layers, i,
                     got, want);
        alive += got != 0;
    }
    assert_true(alive * 2 > t.net.parameter_count);
    trial_close(&t);
}

static void test_every_parameter(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        check_net(&cases[i]);
}

/* The check itself: a gradient with one wrong sign must not pass for a right one. */
static void test_notices_wrong_sign(void **state)
{
    struct trial t;
    trial_open(&t, &cases[7]);
    mean_loss(&t);
    net_backward(&t.net, ROWS, STEP);
    double kink, want = difference(&t, 0, &kink);
    assert_true(fabs(t.net.gradients[0] - want) < 1e-8);
    assert_true(fabs(-t.net.gradients[0] - want) > 1e-5);
    trial_close(&t);
}

/* Evaluation neither drops out nor moves the running means. */
static void test_evaluation_is_repeatable(void **state)
{
    struct trial t;
    trial_open(&t, &cases[3]);
    mean_loss(&t);
    double before[64], first[ROWS * OUTPUTS];
    size_t buffers = t.net.value_count - t.net.parameter_count;
    assert_in_range(buffers, 1, 64);
    memcpy(before, t.net.values + t.net.parameter_count, buffers * sizeof *before);
    memcpy(first, net_forward(&t.net, ROWS, false, 1), sizeof first);
    const real *again = net_forward(&t.net, ROWS, false, 2);
    assert_memory_equal(first, again, sizeof first);
    assert_memory_equal(before, t.net.values + t.net.parameter_count, buffers * sizeof *before);
    mean_loss(&t);
    assert_memory_not_equal(before, t.net.values + t.net.parameter_count, buffers * sizeof *before);
    trial_close(&t);
}

static void test_shapes_that_do_not_fit(void **state)
{
    static const struct {
        const char *layers;
        struct shape input;
        const char *message;
    } wrong[] = {
        {"[{\"type\":\"lstm\"}]", {1, {4}}, "layer 0 (lstm) takes "},
        {"[{\"type\":\"conv2d\",\"kernel\":5}]", {2, {4, 4}}, "layer 0 (conv2d) takes "},
        {"[{\"type\":\"conv2d\"}]", {2, {6, 6}}, "layer 1 (dense) takes [features] or [steps, "
         "features] (put a flatten layer before it); its input is [16, 4, 4]"},
        {"[{\"type\":\"residual\",\"layers\":[{\"type\":\"dense\",\"units\":5}]}]", {1, {4}},
         "layer 0 (residual) takes layers that end with the shape they begin with, [4]; its input "
         "is [5]"},
    };
    for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
        struct model_plan model;
        struct errbuf err = {0};
        struct net_size size;
        plan_layers(wrong[i].layers, &model);
        struct net_plan plan = {.model = &model, .input = wrong[i].input, .outputs = 2,
                                .init = INIT_HE, .train_rows = 2, .eval_rows = 2};
        assert_int_not_equal(net_check(&plan, &size, &err), 0);
        if (strncmp(err.message, wrong[i].message, strlen(wrong[i].message)) != 0)
            fail_msg("\nseen  %s\nasked %s", err.message, wrong[i].message);
        model_plan_finish(&model);
    }
}

/* Six operations for each product of a forward pass: of dense layers at each step, of each gate with
 * inputs and state in both directions, of each window of a convolution. */
static void test_operations(void **state)
{
    static const struct {
        const char *layers;
        struct shape input;
        double products; /* the output layer has two units */
    } nets[] = {
        {"[{\"type\":\"dense\",\"units\":64},{\"type\":\"batch_norm\"}]", {1, {784}},
         784 * 64 + 64 * 2},
        {"[{\"type\":\"dense\",\"units\":64},{\"type\":\"lstm\",\"units\":32}]", {2, {300, 3}},
         300 * 3 * 64 + 300 * 4 * (64 + 32) * 32 + 32 * 2},
        {"[{\"type\":\"gru\",\"units\":5,\"bidirectional\":true,\"return\":\"sequence\"}]",
         {2, {7, 3}}, 2 * 7 * 3 * (3 + 5) * 5 + 7 * 10 * 2},
        {"[{\"type\":\"residual\",\"layers\":[{\"type\":\"rnn\",\"units\":4,\"return\":"
         "\"sequence\"}]},{\"type\":\"flatten\"}]", {2, {6, 4}},
         6 * (4 + 4) * 4 + 24 * 2},
        {"[{\"type\":\"conv2d\",\"channels\":16},{\"type\":\"max_pool\"},{\"type\":\"flatten\"}]",
         {3, {1, 28, 28}}, 9 * 16 * 26 * 26 + 16 * 13 * 13 * 2},
    };
    for (size_t i = 0; i < ARRAY_LEN(nets); i++) {
        struct model_plan model;
        struct net_size size;
        plan_layers(nets[i].layers, &model);
        struct net_plan plan = {.model = &model, .input = nets[i].input, .outputs = 2,
                                .init = INIT_HE, .train_rows = 2, .eval_rows = 2};
        assert_int_equal(net_check(&plan, &size, NULL), 0);
        if (size.flop != 6 * nets[i].products)
            fail_msg("%s: %.0f, not %.0f", nets[i].layers, size.flop, 6 * nets[i].products);
        model_plan_finish(&model);
    }
}

/* Frozen layers get no gradient and are not among what the optimizer walks over. */
static void test_freeze(void **state)
{
    struct model_plan model;
    struct net n;
    plan_layers("[{\"type\":\"dense\",\"units\":5,\"activation\":\"tanh\"},"
                "{\"type\":\"dense\",\"units\":4,\"activation\":\"tanh\"}]", &model);
    struct net_plan plan = {.model = &model, .input = {1, {3}}, .outputs = 2, .init = INIT_HE,
                            .train_rows = 1, .eval_rows = 1, .freeze = 2};
    assert_int_equal(net_init(&n, &plan, 1, NULL), 0);
    assert_int_equal(n.first_trained, 3 * 5 + 5 + 5 * 4 + 4);
    assert_int_equal(n.span_count, 2);
    assert_int_equal(n.spans[0].first, n.first_trained);
    n.input[0] = n.input[1] = n.input[2] = 1;
    net_forward(&n, 1, true, 0);
    n.output_grad[0] = n.output_grad[1] = 1;
    net_backward(&n, 1, 0);
    for (size_t i = 0; i < n.parameter_count; i++)
        assert_true((n.gradients[i] != 0) == (i >= n.first_trained));
    net_finish(&n);
    model_plan_finish(&model);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_parameter),
        cmocka_unit_test(test_notices_wrong_sign),
        cmocka_unit_test(test_evaluation_is_repeatable),
        cmocka_unit_test(test_shapes_that_do_not_fit),
        cmocka_unit_test(test_operations),
        cmocka_unit_test(test_freeze),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
