#include "sweep/rng.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/require.h"

/* The authors' first outputs for the state 1, 2, 3, 4 (also the vector of Rust's rand_xoshiro). */
static void test_generator_matches_the_reference(void **state)
{
    static const uint64_t expected[] = {
        11520ull,
        0ull,
        1509978240ull,
        1215971899390074240ull,
        1216172134540287360ull,
        607988272756665600ull,
        16172922978634559625ull,
        8476171486693032832ull,
        10595114339597558777ull,
        2904607092377533576ull,
    };
    struct rng r = {{1, 2, 3, 4}};

    for (size_t i = 0; i < ARRAY_LEN(expected); i++)
        assert_true(rng_next(&r) == expected[i]);
}

/* Frozen: stored sweeps must give the same runs with every later version. */
static void test_streams_are_frozen(void **state)
{
    struct rng r;

    rng_init(&r, 110, RNG_SHUFFLE, 3);
    assert_true(rng_next(&r) == 7112495165124958152ull);
    rng_init(&r, 0, RNG_SPLIT, 0);
    assert_true(rng_next(&r) == 5044030531196906702ull);
    assert_true(rng_run_seed(110, 1) == 2638384920639950ull);
}

static void test_same_seed_same_numbers(void **state)
{
    struct rng a, b;

    rng_init(&a, 7, RNG_INIT, 1);
    rng_init(&b, 7, RNG_INIT, 1);
    for (int i = 0; i < 1000; i++)
        assert_true(rng_next(&a) == rng_next(&b));
}

/* Neighbours in seed, stream and index share no first number. */
static void test_streams_are_apart(void **state)
{
    enum { SEEDS = 8, STREAMS = 6, INDICES = 20, ALL = SEEDS * STREAMS * INDICES };
    uint64_t first[ALL];
    size_t count = 0;

    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        for (int stream = 0; stream < STREAMS; stream++) {
            for (uint64_t index = 0; index < INDICES; index++) {
                struct rng r;

                rng_init(&r, seed, (enum rng_stream)stream, index);
                first[count++] = rng_next(&r);
            }
        }
    }
    for (size_t i = 0; i < count; i++)
        for (size_t j = i + 1; j < count; j++)
            assert_true(first[i] != first[j]);
}

static void test_uniform(void **state)
{
    const int count = 200000;
    double sum = 0, squares = 0;
    struct rng r;

    rng_init(&r, 1, RNG_TEST, 0);
    for (int i = 0; i < count; i++) {
        double u = rng_uniform(&r);

        assert_true(u >= 0 && u < 1);
        sum += u;
        squares += u * u;
    }
    /* Five standard errors: 1/sqrt(12 n), and sqrt(4/45 / n) of u². */
    assert_true(fabs(sum / count - 0.5) < 5 * sqrt(1.0 / 12 / count));
    assert_true(fabs(squares / count - 1.0 / 3) < 5 * sqrt(4.0 / 45 / count));
}

static void test_below_is_even(void **state)
{
    const int count = 70000;
    int seen[7] = {0};
    struct rng r;

    rng_init(&r, 2, RNG_TEST, 0);
    for (int i = 0; i < count; i++)
        seen[rng_below(&r, ARRAY_LEN(seen))]++;
    for (size_t i = 0; i < ARRAY_LEN(seen); i++)
        assert_true(abs(seen[i] - 10000) < 500); /* sd 93 */
    for (int i = 0; i < 1000; i++) {
        assert_true(rng_below(&r, 1) == 0);
        assert_true(rng_below(&r, UINT64_MAX) < UINT64_MAX);
    }
}

/* With 3 * 2^62 values, x % bound alone would give the lowest third twice as often. */
static void test_below_has_no_bias(void **state)
{
    const uint64_t bound = 3ull << 62;
    const int count = 30000;
    int low = 0;
    struct rng r;

    rng_init(&r, 3, RNG_TEST, 0);
    for (int i = 0; i < count; i++)
        low += rng_below(&r, bound) < bound / 3;
    assert_true(abs(low - count / 3) < 500);
}

static void test_normal(void **state)
{
    const int count = 200000;
    double sum = 0, squares = 0, cubes = 0, fourths = 0;
    int inside = 0;
    struct rng r;

    rng_init(&r, 4, RNG_TEST, 0);
    for (int i = 0; i < count; i++) {
        double v = rng_normal(&r);

        assert_true(isfinite(v));
        sum += v;
        squares += v * v;
        cubes += v * v * v;
        fourths += v * v * v * v;
        inside += fabs(v) < 1;
    }
    assert_true(fabs(sum / count) < 5 / sqrt(count));
    assert_true(fabs(squares / count - 1) < 5 * sqrt(2.0 / count));
    assert_true(fabs(cubes / count) < 5 * sqrt(15.0 / count));
    assert_true(fabs(fourths / count - 3) < 5 * sqrt(96.0 / count));
    assert_true(fabs((double)inside / count - 0.682689) < 0.01);
}

static void test_shuffle_is_a_permutation(void **state)
{
    uint32_t items[100];
    bool seen[ARRAY_LEN(items)] = {0};
    struct rng r;

    for (uint32_t i = 0; i < ARRAY_LEN(items); i++)
        items[i] = i;
    rng_init(&r, 5, RNG_SHUFFLE, 0);
    rng_shuffle(&r, items, ARRAY_LEN(items));
    for (size_t i = 0; i < ARRAY_LEN(items); i++) {
        assert_true(items[i] < ARRAY_LEN(items) && !seen[items[i]]);
        seen[items[i]] = true;
    }
    rng_shuffle(&r, items, 1);
    rng_shuffle(&r, NULL, 0);
}

/* Each of the six orders of three items about equally often. */
static void test_shuffle_is_even(void **state)
{
    int seen[27] = {0}, orders = 0;
    struct rng r;

    rng_init(&r, 6, RNG_SHUFFLE, 0);
    for (int i = 0; i < 60000; i++) {
        uint32_t items[3] = {0, 1, 2};

        rng_shuffle(&r, items, 3);
        seen[items[0] * 9 + items[1] * 3 + items[2]]++;
    }
    for (size_t i = 0; i < ARRAY_LEN(seen); i++) {
        if (seen[i] == 0)
            continue;
        orders++;
        assert_true(abs(seen[i] - 10000) < 500); /* sd 91 */
    }
    assert_int_equal(orders, 6);
}

static void test_run_seeds(void **state)
{
    assert_true(rng_run_seed(UINT64_MAX, 0) == UINT64_MAX);
    for (uint64_t repetition = 1; repetition < 100; repetition++) {
        uint64_t seed = rng_run_seed(110, repetition);

        assert_true(seed < 1ull << 53);
        assert_true(seed != rng_run_seed(110, repetition - 1));
        assert_true(seed != rng_run_seed(111, repetition));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_generator_matches_the_reference),
        cmocka_unit_test(test_streams_are_frozen),
        cmocka_unit_test(test_same_seed_same_numbers),
        cmocka_unit_test(test_streams_are_apart),
        cmocka_unit_test(test_uniform),
        cmocka_unit_test(test_below_is_even),
        cmocka_unit_test(test_below_has_no_bias),
        cmocka_unit_test(test_normal),
        cmocka_unit_test(test_shuffle_is_a_permutation),
        cmocka_unit_test(test_shuffle_is_even),
        cmocka_unit_test(test_run_seeds),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("rng", tests, NULL, NULL);
}
