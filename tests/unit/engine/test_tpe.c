/* tpe: how far ahead it proposes, and the estimator it rests on. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/parzen.h"
#include "sweep/buf.h"
#include "tests/unit/engine/shuffled.h"

/* Every kind of dimension. */
#define PARAMETERS_ALL                                                                            \
    PARAMETERS_FULL ",\"train.momentum\":{\"min\":0.0,\"max\":0.9,\"q\":0.1,\"distribution\":"     \
                    "\"q_uniform\"},\"width\":{\"min\":8,\"max\":512,\"distribution\":"            \
                    "\"log_uniform_values\"},\"model.residual\":{\"values\":[true,false]},"        \
                    "\"train.l2\":{\"min\":0.0,\"max\":0.1,\"distribution\":\"uniform\"}"

/* lag + 1 runs are proposed before the first has ended, and no more; all differ. */
static void lag_says_how_far_ahead(void **state)
{
    for (int64_t lag = 1; lag <= 40; lag += 13) {
        struct spec s;
        struct history h = {0};
        spec_make(&s, "tpe", PARAMETERS_ALL, 100, 4);
        s.lag = lag;
        for (size_t done = 0; done < 50; done++) {
            struct proposals p = {0};
            struct study st;
            study_init(&st, &s);
            st.count = st.all_count = h.count;
            st.all = st.trials = (const struct trial *const *)h.trials;
            st.live = h.count - done;
            enum answer answer = search_method(METHOD_TPE)->ask(&st, 1000, &p);
            assert_int_equal(answer, ANSWER_RUNS);
            assert_int_equal(p.count, done == 0 ? (size_t)lag + 1 : 1);
            for (size_t i = 0; i < p.count; i++)
                history_add(&h, &s, &p.items[i])->status = RUN_QUEUED;
            proposals_finish(&p);
            assert_int_equal(search_method(METHOD_TPE)->ask(
                                 &(struct study){.space = &s.space, .run_cap = 100, .budget = 100,
                                                 .lag = (size_t)lag, .live = h.count - done,
                                                 .count = h.count, .all_count = h.count,
                                                 .trials = st.trials = (void *)h.trials,
                                                 .all = (void *)h.trials}, 1000, &p), ANSWER_WAIT);
            assert_int_equal(p.count, 0);
            answer_landscape(h.trials[done], done, NULL);
        }
        assert_int_equal(history_duplicates(&h, &s), 0);
        history_finish(&h);
        spec_finish(&s);
    }
}

/* --- the estimator --------------------------------------------------------------------------- */

/* Its densities sum to 1 over all there is, and what it draws is spread like them. */
static void density_is_what_is_drawn(void **state)
{
    struct spec s;
    struct axes axes;
    struct parzen p;
    struct rng r;
    spec_make(&s, "tpe",
              "\"batch_size\":{\"values\":[512,32,128]},\"optimizer\":{\"values\":[\"sgd\","
              "\"adam\",\"adamw\"]},\"depth\":{\"min\":1,\"max\":9,\"distribution\":"
              "\"log_uniform_values\"}", 10, 1);
    axes_init(&axes, &s.space);
    const double first[] = {0, 2, 8}, second[] = {2, 0, NAN}; /* NAN: the second has no depth */
    const double *const places[] = {first, second};
    const double weights[] = {2, 1, 1}, width[] = {0.2, 0.3, 0.1};
    double sum = 0, drawn[81] = {0};
    parzen_init(&p, &axes, places, 2, weights, width);
    rng_init(&r, 1, RNG_TEST, 0);
    for (int i = 0; i < 200000; i++) {
        double at[3];
        parzen_sample(&p, &r, at);
        drawn[(size_t)(at[0] * 27 + at[1] * 9 + at[2])] += 1 / 200000.0;
    }
    for (size_t i = 0; i < 81; i++) {
        const double at[] = {(double)(i / 27), (double)(i / 9 % 3), (double)(i % 9)};
        double density = exp(parzen_log_density(&p, at));
        sum += density;
        assert_true(fabs(density - drawn[i]) < 5 * sqrt(density / 200000) + 1e-5);
    }
    assert_true(fabs(sum - 1) < 1e-12);
    const double without[] = {0, 2, NAN}; /* a dimension that is absent does not count */
    double marginal = 0;
    for (int i = 0; i < 9; i++)
        marginal += exp(parzen_log_density(&p, (const double[]){0, 2, i}));
    assert_true(fabs(exp(parzen_log_density(&p, without)) - marginal) < 1e-12);
    parzen_finish(&p);
    axes_finish(&axes);
    spec_finish(&s);
}

/* Of a range: the integral over it is 1, also where a kernel's centre lies at its end. */
static void a_range_has_a_density(void **state)
{
    struct spec s;
    struct axes axes;
    struct parzen p;
    spec_make(&s, "tpe", "\"train.l2\":{\"min\":0.0,\"max\":1.0,\"distribution\":\"uniform\"}", 10,
              1);
    axes_init(&axes, &s.space);
    const double first[] = {0}, second[] = {0.4};
    const double *const places[] = {first, second};
    const double weights[] = {1, 1, 0.5}, width[] = {0.2};
    double sum = 0;
    parzen_init(&p, &axes, places, 2, weights, width);
    for (int i = 0; i < 10000; i++) {
        const double at[] = {(i + 0.5) / 10000};
        sum += exp(parzen_log_density(&p, at)) / 10000;
    }
    assert_true(fabs(sum - 1) < 1e-7);
    parzen_finish(&p);
    axes_finish(&axes);
    spec_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lag_says_how_far_ahead),
        cmocka_unit_test(density_is_what_is_drawn),
        cmocka_unit_test(a_range_has_a_density),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
