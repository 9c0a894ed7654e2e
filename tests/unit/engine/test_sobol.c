/* Sobol: the published sequence, its strata under scrambling, and the search over a space. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/sobol.h"
#include "sweep/buf.h"
#include "tests/unit/engine/support.h"

/* The first eight points in eight dimensions, times 8 (Joe and Kuo's generator gives them). */
static void test_published_points(void **state)
{
    static const unsigned points[8][8] = {
        {0, 0, 0, 0, 0, 0, 0, 0}, {4, 4, 4, 4, 4, 4, 4, 4}, {6, 2, 2, 2, 6, 6, 2, 6},
        {2, 6, 6, 6, 2, 2, 6, 2}, {3, 3, 5, 7, 3, 1, 3, 7}, {7, 7, 1, 3, 7, 5, 7, 3},
        {5, 1, 7, 5, 5, 7, 1, 1}, {1, 5, 3, 1, 1, 3, 5, 5},
    };
    for (uint32_t i = 0; i < 8; i++)
        for (size_t d = 0; d < 8; d++)
            assert_int_equal(sobol_number(d, i), points[i][d] << 29);
}

/* Any 2^k points in a row from a multiple of 2^k on: one in each of 2^k strata, in any dimension. */
static void test_strata_of_every_dimension(void **state)
{
    for (size_t d = 0; d < SPACE_MAX_DIMENSIONS; d++) {
        for (uint32_t begin = 0; begin < 1024; begin += 256) {
            bool seen[256] = {false};
            for (uint32_t i = begin; i < begin + 256; i++) {
                uint32_t stratum = sobol_number(d, i) >> 24;
                assert_false(seen[stratum]);
                seen[stratum] = true;
            }
        }
    }
}

#define TWO_REALS                                                                                 \
    "\"train.momentum\":{\"min\":0.0,\"max\":1.0,\"distribution\":\"uniform\"},"                   \
    "\"train.l2\":{\"min\":0.0,\"max\":1.0,\"distribution\":\"uniform\"}"

/* The first two dimensions are a (0, m, 2)-net, and scrambling keeps that: each box of area 2^-m
 * whose sides are powers of two holds one of 2^m points. */
static void test_a_net_in_two_dimensions(void **state)
{
    struct spec s;
    struct history h;
    for (uint64_t seed = 0; seed < 5; seed++) {
        spec_make(&s, "sobol", TWO_REALS, 64, seed);
        history_run(&h, &s, answer_landscape, NULL);
        assert_int_equal(h.count, 64);
        for (unsigned split = 0; split <= 6; split++) {
            bool seen[64] = {false};
            for (size_t i = 0; i < 64; i++) {
                unsigned x = (unsigned)ldexp(h.trials[i]->at.v[0], (int)split);
                unsigned y = (unsigned)ldexp(h.trials[i]->at.v[1], 6 - (int)split);
                unsigned box = x << (6 - split) | y;
                assert_true(box < 64 && !seen[box]);
                seen[box] = true;
            }
        }
        history_finish(&h);
        spec_finish(&s);
    }
}

/* The mean of x over n points: far nearer to a half than n independent draws would have it. */
static void test_more_even_than_chance(void **state)
{
    double error[2] = {0, 0};
    const char *const methods[] = {"sobol", "random"};
    for (int m = 0; m < 2; m++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            struct spec s;
            struct history h;
            double sum = 0;
            spec_make(&s, methods[m], TWO_REALS, 100, seed);
            history_run(&h, &s, answer_landscape, NULL);
            for (size_t i = 0; i < h.count; i++)
                sum += h.trials[i]->at.v[0] * h.trials[i]->at.v[1];
            error[m] += fabs(sum / 100 - 0.25);
            history_finish(&h);
            spec_finish(&s);
        }
    }
    assert_true(error[0] < error[1] / 4);
}

static void test_follows_from_seed_and_number(void **state)
{
    struct spec s;
    struct history a, b;
    spec_make(&s, "sobol", PARAMETERS_FULL, 120, 4);
    history_run(&a, &s, answer_landscape, NULL);
    assert_int_equal(a.count, 120);
    assert_true(history_in_range(&a, &s));
    assert_int_equal(history_duplicates(&a, &s), 0);
    s.run_cap = 70; /* a shorter one is its beginning */
    history_run(&b, &s, answer_landscape, NULL);
    for (size_t i = 0; i < 70; i++)
        assert_true(space_same(&s.space, &a.trials[i]->at, &b.trials[i]->at));
    history_finish(&b);
    s.seed = 5;
    history_run(&b, &s, answer_landscape, NULL);
    assert_false(space_same(&s.space, &a.trials[0]->at, &b.trials[0]->at));
    history_finish(&a);
    history_finish(&b);
    spec_finish(&s);
}

/* 24 configurations, 60 runs wanted: each one once, and then no more. */
static void test_finite_space(void **state)
{
    struct spec s;
    struct history h;
    spec_make(&s, "sobol",
              "\"learning_rate\":{\"values\":[0.1,0.01]},\"batch_size\":{\"values\":[32,128,512]},"
              "\"depth\":{\"min\":1,\"max\":4}", 60, 4);
    history_run(&h, &s, answer_landscape, NULL);
    assert_int_equal(h.count, 24);
    assert_int_equal(history_duplicates(&h, &s), 0);
    history_finish(&h);
    spec_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_published_points),
        cmocka_unit_test(test_strata_of_every_dimension),
        cmocka_unit_test(test_a_net_in_two_dimensions),
        cmocka_unit_test(test_more_even_than_chance),
        cmocka_unit_test(test_follows_from_seed_and_number),
        cmocka_unit_test(test_finite_space),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
