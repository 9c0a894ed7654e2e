/* Initial weights: spread, streams, and matrices that are orthogonal. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/require.h"
#include "sweep/rng.h"
#include "worker/nn/init.h"
#include "worker/nn/layer.h"

_Static_assert(sizeof(real) == sizeof(double), "links the library in double");

#define COUNT_MAX 60000

static struct tensor matrix(size_t rows, size_t columns, real *value)
{
    return (struct tensor){.role = TENSOR_WEIGHT,
                           .rank = 2,
                           .dim = {rows, columns},
                           .fan_in = columns,
                           .fan_out = rows,
                           .value = value};
}

static void test_resolve(void **state)
{
    static const enum init want[ACTIVATION_COUNT] = {
        [ACTIVATION_RELU] = INIT_HE,        [ACTIVATION_LEAKY_RELU] = INIT_HE,
        [ACTIVATION_ELU] = INIT_HE,         [ACTIVATION_TANH] = INIT_XAVIER,
        [ACTIVATION_SIGMOID] = INIT_XAVIER, [ACTIVATION_GELU] = INIT_HE,
    };
    for (int a = 0; a < ACTIVATION_COUNT; a++) {
        assert_int_equal(init_resolve(INIT_AUTO, (enum activation)a), want[a]);
        assert_int_equal(init_resolve(INIT_LECUN, (enum activation)a), INIT_LECUN);
    }
}

/* Within the bound, up to it, and of the wanted variance: 300 × 200, so ±1 % is 5 deviations. */
static void test_variance(void **state)
{
    static real value[COUNT_MAX];
    static const struct {
        enum init init;
        bool output_layer;
        double variance;
    } rows[] = {
        {INIT_HE, false, 2. / 200},     {INIT_HE, true, 1. / 200},
        {INIT_XAVIER, false, 2. / 500}, {INIT_XAVIER, true, 2. / 500},
        {INIT_LECUN, false, 1. / 200},  {INIT_LECUN, true, 1. / 200},
        {INIT_ZEROS, false, 0},         {INIT_ORTHOGONAL, false, 1. / 300},
    };
    for (size_t k = 0; k < ARRAY_LEN(rows); k++) {
        struct tensor t = matrix(300, 200, value);
        init_tensor(&t, rows[k].init, rows[k].output_layer, 5, 0);
        double sum = 0, squares = 0, largest = 0, bound = sqrt(3 * rows[k].variance);
        for (size_t i = 0; i < 300 * 200; i++) {
            sum += value[i];
            squares += value[i] * value[i];
            largest = fmax(largest, fabs(value[i]));
        }
        assert_true(fabs(squares / 60000 - rows[k].variance) <= 0.011 * rows[k].variance);
        assert_true(fabs(sum) <= 5 * sqrt(60000 * rows[k].variance));
        if (rows[k].init != INIT_ORTHOGONAL)
            assert_true(largest <= bound && largest >= 0.999 * bound);
    }
}

/* Two numbers from each draw of the stream that is the weight's own. */
static void test_stream(void **state)
{
    real value[15], again[15], other[15];
    struct tensor t = matrix(3, 5, value), u = matrix(3, 5, again), v = matrix(3, 5, other);
    init_tensor(&t, INIT_HE, false, 42, 7);
    init_tensor(&u, INIT_HE, false, 42, 7);
    init_tensor(&v, INIT_HE, false, 42, 8);
    assert_memory_equal(value, again, sizeof value);
    struct rng r;
    rng_init(&r, 42, RNG_INIT, 7);
    for (size_t i = 0; i < 15; i += 2) {
        uint64_t bits = rng_next(&r);
        double bound = sqrt(3 * 2. / 5);
        assert_true(fabs(value[i] - (int32_t)(bits >> 32) * 0x1p-31 * bound) < 1e-15);
        if (i < 14)
            assert_true(fabs(value[i + 1] - (int32_t)bits * 0x1p-31 * bound) < 1e-15);
        assert_true(value[i] != other[i]);
    }
}

/* The shorter side is orthonormal, and nothing is written behind the tensor. */
static void check_orthogonal(const struct tensor *t)
{
    size_t rows = t->dim[0], columns = tensor_count(t) / rows;
    bool tall = rows > columns;
    size_t count = tall ? columns : rows, n = tall ? rows : columns;
    size_t step = tall ? columns : 1, apart = tall ? 1 : columns;
    for (size_t a = 0; a < count; a++) {
        for (size_t b = 0; b <= a; b++) {
            double product = 0;
            for (size_t k = 0; k < n; k++)
                product += t->value[a * apart + k * step] * t->value[b * apart + k * step];
            if (!(fabs(product - (a == b)) <= 1e-11))
                fail_msg("%zu x %zu: %zu·%zu is %.17g", rows, columns, a, b, product);
        }
    }
}

static void test_orthogonal(void **state)
{
    static real value[COUNT_MAX + 1], again[COUNT_MAX + 1];
    static const size_t dims[][4] = {{1, 1},  {1, 7},    {7, 1},    {64, 64},
                                     {5, 37}, {256, 64}, {64, 784}, {16, 8, 3, 3}};
    for (size_t i = 0; i < ARRAY_LEN(dims); i++) {
        struct tensor t = {.role = TENSOR_WEIGHT, .value = value};
        while (t.rank < 4 && dims[i][t.rank])
            t.rank++;
        memcpy(t.dim, dims[i], sizeof t.dim);
        size_t count = tensor_count(&t);
        value[count] = 77;
        init_tensor(&t, INIT_ORTHOGONAL, false, 42, i);
        assert_true(value[count] == 77);
        check_orthogonal(&t);
        t.value = again;
        init_tensor(&t, INIT_ORTHOGONAL, true, 42, i);
        assert_memory_equal(value, again, count * sizeof *value);
    }
}

/* Evenly distributed: both signs on the diagonal, which R's decides when it is not made positive.
 */
static void test_orthogonal_signs(void **state)
{
    enum { N = 6, DRAWS = 400 };
    real value[N * N];
    int positive[N] = {0};
    for (uint64_t k = 0; k < DRAWS; k++) {
        struct tensor t = matrix(N, N, value);
        init_tensor(&t, INIT_ORTHOGONAL, false, 3, k);
        for (size_t i = 0; i < N; i++)
            positive[i] += value[i * N + i] > 0;
    }
    for (size_t i = 0; i < N; i++)
        assert_in_range(positive[i], DRAWS / 2 - 50, DRAWS / 2 + 50); /* 5 deviations */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_resolve),          cmocka_unit_test(test_variance),
        cmocka_unit_test(test_stream),           cmocka_unit_test(test_orthogonal),
        cmocka_unit_test(test_orthogonal_signs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
