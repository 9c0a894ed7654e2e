/* The losses: central differences of each with each of its options, numbers that PyTorch gives,
 * and what must hold at the edges. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "worker/nn/loss.h"
#include "worker/nn/mixup.h"

_Static_assert(sizeof(real) == sizeof(double), "links the library in double");

#define ROWS 9
#define OUTPUTS_MAX 40
#define NUMBERS (ROWS * OUTPUTS_MAX)

struct sample {
    real z[NUMBERS], values[NUMBERS], weights[OUTPUTS_MAX];
    uint16_t labels[ROWS];
};

/* Outputs with a spread of 3: probabilities of both sides of the clip. */
static void draw_sample(struct sample *s, const struct loss *l, uint64_t number)
{
    struct rng r;
    rng_init(&r, 7, RNG_TEST, number);
    size_t classes = l->outputs == 1 ? 2 : l->outputs;
    for (size_t i = 0; i < ROWS * l->outputs; i++) {
        s->z[i] = 3 * rng_normal(&r);
        s->values[i] = rng_normal(&r);
    }
    for (size_t i = 0; i < ROWS; i++)
        s->labels[i] = (uint16_t)rng_below(&r, classes);
    for (size_t i = 0; i < classes; i++)
        s->weights[i] = 0.2 + 2 * rng_uniform(&r);
}

/* The loss whose gradient loss_compute gives. */
static double objective(const struct loss *l, const real *z, const struct targets *t)
{
    struct loss_sum sum = loss_compute(l, ROWS, z, t, NULL);
    return l->sum ? sum.loss : sum.loss / sum.weight;
}

static void check_gradient(const struct loss *l, struct sample *s, const struct targets *t)
{
    real dz[NUMBERS];
    loss_compute(l, ROWS, s->z, t, dz);
    const double h = 1e-5;
    for (size_t i = 0; i < ROWS * l->outputs; i++) {
        real kept = s->z[i];
        s->z[i] = kept + h;
        double above = objective(l, s->z, t);
        s->z[i] = kept - h;
        double below = objective(l, s->z, t);
        s->z[i] = kept;
        double want = (above - below) / (2 * h);
        if (!(fabs(dz[i] - want) <= 1e-8 * (1 + fabs(want))))
            fail_msg("loss %d, %zu outputs, sum %d, weights %d, clip %g, labels %d: element %zu "
                     "has slope %.12g, differences give %.12g",
                     (int)l->kind, l->outputs, l->sum, l->class_weights != NULL,
                     (double)l->probability_clip, t->labels != NULL, i, (double)dz[i], want);
    }
}

static void check_options(struct loss l, uint64_t number)
{
    struct sample s;
    draw_sample(&s, &l, number);
    for (int option = 0; option < 8; option++) {
        l.sum = option & 1;
        l.class_weights = option & 2 ? s.weights : NULL;
        l.probability_clip = option & 4 ? 0.05 : 0;
        check_gradient(&l, &s, &(struct targets){.labels = s.labels});
        bool takes_values = l.kind != LOSS_CROSS_ENTROPY && l.kind != LOSS_BINARY_CROSS_ENTROPY;
        if (takes_values)
            check_gradient(&l, &s, &(struct targets){.values = s.values});
    }
}

static void test_gradients(void **state)
{
    static const size_t outputs[] = {1, 2, 3, 10, OUTPUTS_MAX};
    for (int kind = LOSS_AUTO + 1; kind < LOSS_COUNT; kind++) {
        for (size_t i = 0; i < ARRAY_LEN(outputs); i++) {
            struct loss l = {.kind = (enum loss_kind)kind, .outputs = outputs[i]};
            l.huber_delta = 0.7;
            if (outputs[i] > 1 || kind != LOSS_CROSS_ENTROPY)
                check_options(l, (uint64_t)kind * 100 + i);
        }
    }
}

/* 3 rows × 3 outputs; the numbers are those of PyTorch 2 in double: cross_entropy(weight),
 * binary_cross_entropy_with_logits, mse_loss, l1_loss and huber_loss. */
static const real known_z[9] = {1, 2, -0.5, 0.25, -1.5, 3, 0, 0.7, 0.1};
static const real known_values[9] = {0.5, 2.5, -4, 0.25, 1, 3.1, 2, 0, 0};
static const uint16_t known_labels[3] = {1, 0, 2};
static const real known_weights[3] = {0.5, 2, 1.25};

struct known {
    enum loss_kind kind;
    bool values, sum, weighted;
    real clip, delta;
    double loss; /* mean, or sum */
    double slope[9];
};

static const struct known known[] = {
    {LOSS_CROSS_ENTROPY,
     false,
     false,
     false,
     0,
     0,
     1.5031619508038903,
     {0.084572060545008404, -0.1034426379584988, 0.018870577413490425, -0.31351142033064622,
      0.0034445319892085959, 0.31006688834143759, 0.080927291602581497, 0.1629675525729512,
      -0.2438948441755327}},
    {LOSS_CROSS_ENTROPY,
     false,
     false,
     true,
     0,
     0,
     1.0129987677211796,
     {0.13531529687201346, -0.16550822073359808, 0.030192923861584682, -0.12540456813225848,
      0.0013778127956834384, 0.12402675533657505, 0.080927291602581497, 0.1629675525729512,
      -0.2438948441755327}},
    {LOSS_CROSS_ENTROPY,
     false,
     true,
     false,
     0.1,
     0,
     3.9897159981394794,
     {0.25371618163502524, -0.31032791387549646, 0.056611732240471294, 0, 0, 0, 0.24278187480774446,
      0.48890265771885366, -0.73168453252659815}},
    {LOSS_BINARY_CROSS_ENTROPY,
     false,
     false,
     false,
     0,
     0,
     0.90899295796617929,
     {0.081228730958889439, -0.013244769113568632, 0.041948963199793937, -0.048647055457133548,
      0.020269502645150705, 0.10584156964693704, 0.055555555555555552, 0.07424308579646291,
      -0.052780090280117778}},
    {LOSS_MSE,
     true,
     false,
     false,
     0,
     0,
     2.612222222222222,
     {1. / 9, -1. / 9, 7. / 9, 0, -5. / 9, -0.2 / 9, -4. / 9, 1.4 / 9, 0.2 / 9}},
    {LOSS_MAE,
     true,
     false,
     false,
     0,
     0,
     1.1,
     {1. / 9, -1. / 9, 1. / 9, 0, -1. / 9, -1. / 9, -1. / 9, 1. / 9, 1. / 9}},
    {LOSS_HUBER,
     true,
     false,
     false,
     0,
     0.75,
     0.62902777777777774,
     {0.5 / 9, -0.5 / 9, 0.75 / 9, 0, -0.75 / 9, -0.1 / 9, -0.75 / 9, 0.7 / 9, 0.1 / 9}},
    {LOSS_MSE,
     false,
     false,
     false,
     0,
     0,
     1.7069444444444446,
     {2. / 9, 2. / 9, -1. / 9, -1.5 / 9, -3. / 9, 6. / 9, 0, 1.4 / 9, -1.8 / 9}},
    {LOSS_MSE,
     false,
     true,
     false,
     0,
     0,
     5.1208333333333336,
     {2. / 3, 2. / 3, -1. / 3, -1.5 / 3, -3. / 3, 6. / 3, 0, 1.4 / 3, -1.8 / 3}},
    {LOSS_MSE,
     false,
     false,
     true,
     0,
     0,
     1.0694444444444444,
     {0.35555555555555557, 0.35555555555555557, -0.17777777777777778, -0.066666666666666666,
      -0.13333333333333333, 0.26666666666666666, 0, 0.15555555555555553, -0.2}},
    {LOSS_MAE,
     false,
     false,
     false,
     0,
     0,
     1.0388888888888888,
     {1. / 9, 1. / 9, -1. / 9, -1. / 9, -1. / 9, 1. / 9, 0, 1. / 9, -1. / 9}},
    {LOSS_HUBER,
     false,
     false,
     false,
     0,
     1,
     0.61736111111111114,
     {1. / 9, 1. / 9, -0.5 / 9, -0.75 / 9, -1. / 9, 1. / 9, 0, 0.7 / 9, -0.9 / 9}},
};

static void test_known_values(void **state)
{
    for (size_t k = 0; k < ARRAY_LEN(known); k++) {
        const struct known *want = &known[k];
        struct loss l = {.kind = want->kind, .outputs = 3, .sum = want->sum};
        l.probability_clip = want->clip;
        l.huber_delta = want->delta;
        l.class_weights = want->weighted ? known_weights : NULL;
        struct targets t = {.labels = want->values ? NULL : known_labels};
        t.values = want->values ? known_values : NULL;
        real dz[9];
        struct loss_sum sum = loss_compute(&l, 3, known_z, &t, dz);
        double loss = want->sum ? sum.loss : sum.loss / sum.weight;
        if (!(fabs(loss - want->loss) <= 1e-14))
            fail_msg("row %zu: loss %.17g, not %.17g", k, loss, want->loss);
        for (size_t i = 0; i < 9; i++) {
            if (!(fabs(dz[i] - want->slope[i]) <= 1e-15))
                fail_msg("row %zu: slope %zu is %.17g, not %.17g", k, i, dz[i], want->slope[i]);
        }
        assert_int_equal(sum.correct, want->values ? 0 : 1);
    }
}

static void test_binary(void **state)
{
    struct loss l = {.kind = LOSS_BINARY_CROSS_ENTROPY, .outputs = 1};
    const real z[4] = {1.5, -0.3, -2, 0.8};
    const uint16_t labels[4] = {1, 1, 0, 0};
    static const double slope[4] = {-0.04560638095158909, -0.14361062920291473,
                                    0.029800730505529387, 0.17249362028190313};
    struct targets t = {.labels = labels};
    real dz[4];
    struct loss_sum sum = loss_compute(&l, 4, z, &t, dz);
    assert_true(fabs(sum.loss / sum.weight - 0.58844929986050754) < 1e-15);
    for (size_t i = 0; i < 4; i++)
        assert_true(fabs(dz[i] - slope[i]) < 1e-15);
    assert_int_equal(sum.correct, 2);
    assert_int_equal(loss_class(&l, &z[0]), 1);
    assert_int_equal(loss_class(&l, &z[1]), 0);
}

/* Confident answers: a right one costs exp(-z) to every digit, a wrong one z. */
static void test_binary_extremes(void **state)
{
    struct loss l = {.kind = LOSS_BINARY_CROSS_ENTROPY, .outputs = 1};
    const uint16_t yes = 1;
    struct targets t = {.labels = &yes};
    for (double z = 1; z < 700; z *= 1.3) {
        real right = z, wrong = -z, dz = 0;
        double loss = loss_compute(&l, 1, &right, &t, NULL).loss;
        assert_true(fabs(loss - log1p(exp(-z))) <= 1e-12 * log1p(exp(-z)));
        loss = loss_compute(&l, 1, &wrong, &t, &dz).loss;
        assert_true(fabs(loss - z - log1p(exp(-z))) <= 1e-12 * z);
        assert_true(fabs(dz + 1 / (1 + exp(-z))) <= 1e-12);
    }
}

/* Wider than the scratch, and many rows: with and without the gradient, the same bits. */
static void test_without_gradient(void **state)
{
    enum { WIDE = 1500, MANY = 700 };
    static real z[WIDE * 4], dz[WIDE * 4];
    static uint16_t labels[MANY];
    struct rng r;
    rng_init(&r, 7, RNG_TEST, 1);
    for (size_t i = 0; i < ARRAY_LEN(z); i++)
        z[i] = rng_normal(&r);
    static const size_t shapes[][2] = {{4, WIDE}, {MANY, 7}, {3, 1024}, {3, 1025}, {MANY, 2}};
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        size_t rows = shapes[i][0], n = shapes[i][1];
        for (size_t k = 0; k < rows; k++)
            labels[k] = (uint16_t)rng_below(&r, n);
        struct loss l = {.kind = LOSS_CROSS_ENTROPY, .outputs = n};
        struct targets t = {.labels = labels};
        struct loss_sum with = loss_compute(&l, rows, z, &t, dz);
        struct loss_sum without = loss_compute(&l, rows, z, &t, NULL);
        assert_memory_equal(&with, &without, sizeof with);
        double plain = 0;
        size_t correct = 0;
        for (size_t k = 0; k < rows; k++) {
            double total = 0;
            for (size_t j = 0; j < n; j++)
                total += exp(z[k * n + j]);
            plain += log(total) - z[k * n + labels[k]];
            correct += loss_class(&l, z + k * n) == labels[k];
        }
        assert_true(fabs(with.loss - plain) <= 1e-12 * plain);
        assert_int_equal(with.correct, correct);
    }
}

/* A probability below the clip costs -log(clip) and has no slope, in float and double alike; a
 * logit of thousands overflows nothing. */
static void test_clip(void **state)
{
    const real z[6] = {2000, 0, -2000, 0, 3, 1};
    const uint16_t labels[2] = {1, 1};
    struct loss l = {.kind = LOSS_CROSS_ENTROPY, .outputs = 3, .sum = true};
    struct targets t = {.labels = labels};
    real dz[6];
    double free_loss = loss_compute(&l, 2, z, &t, dz).loss;
    double second = log(1 + exp(-3.) + exp(-2.));
    assert_true(fabs(free_loss - 2000 - second) < 1e-12);
    assert_true(dz[0] == 1 && dz[1] == -1 && dz[2] == 0);
    l.probability_clip = 1e-10;
    double clipped = loss_compute(&l, 2, z, &t, dz).loss;
    assert_true(fabs(clipped + log(1e-10) - second) < 1e-12);
    assert_true(dz[0] == 0 && dz[1] == 0 && dz[2] == 0);
    assert_true(dz[4] < 0 && dz[3] > 0 && dz[5] > 0);
}

static void test_not_finite(void **state)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};
    for (int kind = LOSS_AUTO + 1; kind < LOSS_COUNT; kind++) {
        for (size_t b = 0; b < ARRAY_LEN(bad); b++) {
            for (size_t at = 0; at < 3; at++) {
                real z[3] = {1, 2, 3}, dz[3] = {0, 0, 0};
                const uint16_t label = 2;
                z[at] = bad[b];
                struct loss l = {.kind = (enum loss_kind)kind, .outputs = 3, .huber_delta = 1};
                struct loss_sum sum = loss_compute(&l, 1, z, &(struct targets){&label, NULL}, dz);
                assert_false(isfinite(sum.loss));
                if (isnan(bad[b]) || kind == LOSS_CROSS_ENTROPY)
                    assert_true(isnan(sum.loss) && isnan(dz[at]));
                assert_int_equal(sum.correct, 0);
                assert_int_equal(loss_class(&l, z), 3);
            }
        }
    }
    struct loss l = {.kind = LOSS_BINARY_CROSS_ENTROPY, .outputs = 1};
    const real z = NAN;
    const uint16_t label = 0;
    struct loss_sum sum = loss_compute(&l, 1, &z, &(struct targets){&label, NULL}, NULL);
    assert_true(isnan(sum.loss) && sum.correct == 0);
    assert_int_equal(loss_class(&l, &z), 2);
}

/* The first of equal outputs is the answer. */
static void test_ties(void **state)
{
    const real z[8] = {1, 3, 3, -1, 0, 0, 0, 0};
    const uint16_t first[2] = {1, 0}, later[2] = {2, 3};
    for (int kind = LOSS_CROSS_ENTROPY; kind < LOSS_COUNT; kind++) {
        struct loss l = {.kind = (enum loss_kind)kind, .outputs = 4, .huber_delta = 1};
        assert_int_equal(loss_class(&l, z), 1);
        assert_int_equal(loss_class(&l, z + 4), 0);
        assert_int_equal(loss_compute(&l, 2, z, &(struct targets){first, NULL}, NULL).correct, 2);
        assert_int_equal(loss_compute(&l, 2, z, &(struct targets){later, NULL}, NULL).correct, 0);
    }
}

static void test_outputs(void **state)
{
    struct errbuf err = {0};
    size_t n = 77;
    assert_int_equal(loss_resolve(LOSS_AUTO, true), LOSS_CROSS_ENTROPY);
    assert_int_equal(loss_resolve(LOSS_AUTO, false), LOSS_MSE);
    assert_int_equal(loss_resolve(LOSS_HUBER, true), LOSS_HUBER);
    assert_int_equal(loss_outputs(LOSS_CROSS_ENTROPY, 0, 3, &n, &err), ERR_VALUE);
    assert_string_equal(err.value, "cross_entropy");
    assert_int_equal(loss_outputs(LOSS_BINARY_CROSS_ENTROPY, 0, 3, &n, &err), ERR_VALUE);
    assert_int_equal(n, 77);
    assert_int_equal(loss_outputs(LOSS_MAE, 0, 3, &n, &err), 0);
    assert_int_equal(n, 3);
    assert_int_equal(loss_outputs(LOSS_BINARY_CROSS_ENTROPY, 2, 0, &n, &err), 0);
    assert_int_equal(n, 1);
    assert_int_equal(loss_outputs(LOSS_BINARY_CROSS_ENTROPY, 5, 0, &n, &err), 0);
    assert_int_equal(n, 5);
    assert_int_equal(loss_outputs(LOSS_CROSS_ENTROPY, 2, 0, &n, &err), 0);
    assert_int_equal(n, 2);
}

/* Input and loss of a batch and of its mirror image, in the shares of the step. */
static void test_mixup(void **state)
{
    static struct sample s, flipped;
    real input[ROWS * 2], dz[NUMBERS], a[NUMBERS], b[NUMBERS], room[NUMBERS];
    uint16_t labels[ROWS];
    struct mixup m = {.alpha = 0.4, .seed = 3, .labels = labels, .values = room, .gradient = b};
    double mean = 0, spread = 0;
    for (int i = 0; i < 2000; i++) {
        double share = mixup_share(&m, (uint64_t)i);
        assert_true(share >= 0 && share <= 1 && share == mixup_share(&m, (uint64_t)i));
        mean += share / 2000;
        spread += (share - 0.5) * (share - 0.5) / 2000;
    }
    assert_true(fabs(mean - 0.5) < 0.05 && fabs(spread - 0.25 / 1.8) < 0.01); /* Beta(0.4, 0.4) */
    for (size_t i = 0; i < ROWS * 2; i++)
        input[i] = (real)i;
    mixup_input(0.75, ROWS, 2, input);
    for (size_t i = 0; i < ROWS * 2; i++) {
        size_t other = (ROWS - 1 - i / 2) * 2 + i % 2;
        assert_true(fabs(input[i] - (0.75 * (double)i + 0.25 * (double)other)) < 1e-12);
    }
    struct loss l = {.kind = LOSS_CROSS_ENTROPY, .outputs = 4};
    draw_sample(&s, &l, 1);
    for (size_t i = 0; i < ROWS; i++)
        flipped.labels[i] = s.labels[ROWS - 1 - i];
    struct targets t = {.labels = s.labels}, f = {.labels = flipped.labels};
    struct loss_sum one = loss_compute(&l, ROWS, s.z, &t, a);
    struct loss_sum two = loss_compute(&l, ROWS, s.z, &f, room);
    memcpy(flipped.z, room, sizeof room);
    struct mixup_batch batch = {ROWS, 1, s.z, &t, dz};
    struct loss_sum got = mixup_loss(&m, &l, 0.75, &batch);
    assert_true(fabs(got.loss - (0.75 * one.loss + 0.25 * two.loss)) < 1e-12);
    assert_true(got.weight == one.weight && got.correct == one.correct);
    for (size_t i = 0; i < ROWS * l.outputs; i++)
        assert_true(fabs(dz[i] - (0.75 * a[i] + 0.25 * flipped.z[i])) < 1e-12);
    struct loss r = {.kind = LOSS_MSE, .outputs = 3};
    draw_sample(&s, &r, 2);
    for (size_t i = 0; i < ROWS * 3; i++)
        flipped.values[i] = s.values[(ROWS - 1 - i / 3) * 3 + i % 3];
    struct targets v = {.values = s.values}, w = {.values = flipped.values};
    one = loss_compute(&r, ROWS, s.z, &v, NULL);
    two = loss_compute(&r, ROWS, s.z, &w, NULL);
    batch.targets = &v;
    got = mixup_loss(&m, &r, 0.25, &batch);
    assert_true(fabs(got.loss - (0.25 * one.loss + 0.75 * two.loss)) < 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gradients),        cmocka_unit_test(test_known_values),
        cmocka_unit_test(test_binary),           cmocka_unit_test(test_binary_extremes),
        cmocka_unit_test(test_without_gradient), cmocka_unit_test(test_clip),
        cmocka_unit_test(test_not_finite),       cmocka_unit_test(test_ties),
        cmocka_unit_test(test_outputs),          cmocka_unit_test(test_mixup),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
