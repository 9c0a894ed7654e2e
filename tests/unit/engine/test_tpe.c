/* tpe: in logical time, without doubles, away from what failed, and better than chance. */
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

/* Some fail, some are stopped, the others come to the landscape. */
static void answer_mixed(struct trial *t, size_t number, void *arg)
{
    answer_landscape(t, number, arg);
    if (t->at.v[0] > 0.05)
        t->metric_value = NAN;
    else if (number % 7 == 3)
        t->status = RUN_STOPPED;
    else if (number % 11 == 5)
        t->status = RUN_FAILED;
}

static void assert_same(const struct history *a, const struct history *b)
{
    assert_int_equal(a->count, b->count);
    for (size_t i = 0; i < a->count; i++) {
        assert_memory_equal(&a->trials[i]->at, &b->trials[i]->at, sizeof(struct assignment));
        assert_string_equal(a->reasons[i], b->reasons[i]);
    }
}

/* Any number of workers up to lag + 1, any order of their ends, any portions, with what is kept and
 * without. */
static void same_however_it_is_asked(void **state)
{
    static const struct shuffled ways[] = {
        {.workers = 1, .want = 1000, .answer = answer_mixed},
        {.workers = 1, .want = 1, .answer = answer_mixed},
        {.workers = 2, .want = 1000, .order = 1, .answer = answer_mixed},
        {.workers = 7, .want = 1000, .order = 2, .answer = answer_mixed},
        {.workers = 7, .want = 3, .order = 3, .answer = answer_mixed},
        {.workers = 9, .want = 1000, .order = 4, .forgets = true, .answer = answer_mixed},
        {.workers = 3, .want = 2, .order = 5, .forgets = true, .answer = answer_mixed},
    };
    struct spec s;
    struct history first, other;
    spec_make(&s, "tpe", PARAMETERS_ALL, 70, 4);
    shuffled_run(&first, &s, &ways[0]);
    assert_int_equal(first.count, 70);
    assert_true(history_in_range(&first, &s));
    for (size_t i = 1; i < sizeof(ways) / sizeof(*ways); i++) {
        shuffled_run(&other, &s, &ways[i]);
        assert_same(&first, &other);
        history_finish(&other);
    }
    s.seed = 5;
    shuffled_run(&other, &s, &ways[0]);
    assert_false(space_same(&s.space, &first.trials[0]->at, &other.trials[0]->at));
    history_finish(&other);
    history_finish(&first);
    spec_finish(&s);
}

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

/* 24 configurations, 60 runs wanted: each one once, and then no more. */
static void finite_spaces_once(void **state)
{
    static const struct shuffled how = {.workers = 3, .want = 1000, .answer = answer_landscape};
    struct spec s;
    struct history h;
    spec_make(&s, "tpe",
              "\"learning_rate\":{\"values\":[0.1,0.01]},\"batch_size\":{\"values\":[32,128,512]},"
              "\"depth\":{\"min\":1,\"max\":4}", 60, 4);
    shuffled_run(&h, &s, &how);
    assert_int_equal(h.count, 24);
    assert_int_equal(history_duplicates(&h, &s), 0);
    history_finish(&h);
    spec_finish(&s);
}

#define SQUARE                                                                                    \
    "\"train.momentum\":{\"min\":0.0,\"max\":1.0,\"distribution\":\"uniform\"},"                   \
    "\"train.l2\":{\"min\":0.0,\"max\":1.0,\"distribution\":\"uniform\"}"

/* The best place lies beside the half where every run fails. */
static void answer_cliff(struct trial *t, size_t number, void *arg)
{
    t->status = t->at.v[0] > 0.5 ? RUN_FAILED : RUN_COMPLETED;
    t->error = t->at.v[0] > 0.5 ? RUN_ERROR_OUT_OF_MEMORY : RUN_ERROR_NONE;
    t->has_metric = t->status == RUN_COMPLETED;
    t->metric_value = fabs(t->at.v[0] - 0.35) + fabs(t->at.v[1] - 0.5);
}

static void failures_are_avoided(void **state)
{
    static const struct shuffled how = {.workers = 2, .want = 1000, .answer = answer_cliff};
    size_t failed = 0;
    for (uint64_t seed = 0; seed < 10; seed++) {
        struct spec s;
        struct history h;
        spec_make(&s, "tpe", SQUARE, 80, seed);
        shuffled_run(&h, &s, &how);
        for (size_t i = 30; i < h.count; i++)
            failed += h.trials[i]->status == RUN_FAILED;
        history_finish(&h);
        spec_finish(&s);
    }
    assert_in_range(failed, 0, 10 * 50 / 4); /* half, by chance */
}

/* Nothing but failures: it goes on, and over the whole space. */
static void answer_failure(struct trial *t, size_t number, void *arg)
{
    t->status = RUN_FAILED;
    t->error = RUN_ERROR_CRASHED;
}

static void all_may_fail(void **state)
{
    static const struct shuffled how = {.workers = 2, .want = 1000, .answer = answer_failure};
    struct spec s;
    struct history h;
    size_t right = 0;
    spec_make(&s, "tpe", SQUARE, 60, 1);
    shuffled_run(&h, &s, &how);
    assert_int_equal(h.count, 60);
    for (size_t i = 0; i < h.count; i++)
        right += h.trials[i]->at.v[0] > 0.5;
    assert_in_range(right, 15, 45);
    history_finish(&h);
    spec_finish(&s);
}

static double best_of(const struct history *h)
{
    double best = INFINITY;
    for (size_t i = 0; i < h->count; i++)
        best = fmin(best, h->trials[i]->metric_value);
    return best;
}

static void better_than_chance_on_a_smooth_landscape(void **state)
{
    static const struct shuffled how = {.workers = 4, .want = 1000, .answer = answer_landscape};
    size_t won = 0;
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct spec s;
        struct history a, b;
        spec_make(&s, "tpe", PARAMETERS_FULL, 60, seed);
        shuffled_run(&a, &s, &how);
        s.method = METHOD_RANDOM;
        shuffled_run(&b, &s, &how);
        won += best_of(&a) < best_of(&b);
        history_finish(&a);
        history_finish(&b);
        spec_finish(&s);
    }
    assert_in_range(won, 17, 20);
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
        cmocka_unit_test(same_however_it_is_asked),
        cmocka_unit_test(lag_says_how_far_ahead),
        cmocka_unit_test(finite_spaces_once),
        cmocka_unit_test(failures_are_avoided),
        cmocka_unit_test(all_may_fail),
        cmocka_unit_test(better_than_chance_on_a_smooth_landscape),
        cmocka_unit_test(density_is_what_is_drawn),
        cmocka_unit_test(a_range_has_a_density),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
