/* What every method that learns must do: the same however it is asked, no configuration twice, away
 * from what failed, and better than chance. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "tests/unit/engine/recorded_table.h"
#include "tests/unit/engine/shuffled.h"

static const char *const learners[] = {"tpe", "cmaes", "gp", "bohb", "dehb"};
#define LEARNERS (sizeof(learners) / sizeof(*learners))

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
static void check_same(const char *method)
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
    spec_make(&s, method, PARAMETERS_ALL, 70, 4);
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
    assert_false(space_same(&s.space, &first.trials[1]->at, &other.trials[1]->at));
    history_finish(&other);
    history_finish(&first);
    spec_finish(&s);
}

static void same_however_it_is_asked(void **state)
{
    for (size_t i = 0; i < LEARNERS; i++)
        check_same(learners[i]);
}

/* 24 configurations, 60 runs wanted: each one once, and then no more. */
static void finite_spaces_once(void **state)
{
    static const struct shuffled how = {.workers = 3, .want = 1000, .answer = answer_landscape};
    for (size_t i = 0; i < LEARNERS; i++) {
        struct spec s;
        struct history h;
        spec_make(&s, learners[i],
                  "\"learning_rate\":{\"values\":[0.1,0.01]},\"depth\":{\"min\":1,\"max\":4},"
                  "\"optimizer\":{\"values\":[\"sgd\",\"adam\",\"adamw\"]}", 60, 4);
        shuffled_run(&h, &s, &how);
        assert_int_equal(h.count, 24);
        assert_int_equal(history_duplicates(&h, &s), 0);
        history_finish(&h);
        spec_finish(&s);
    }
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
    for (uint64_t seed = 0; seed < 10 * LEARNERS; seed++) {
        struct spec s;
        struct history h;
        spec_make(&s, learners[seed / 10], SQUARE, 80, seed);
        shuffled_run(&h, &s, &how);
        for (size_t i = 30; i < h.count; i++)
            failed += h.trials[i]->status == RUN_FAILED;
        history_finish(&h);
        spec_finish(&s);
        if (seed % 10 == 9) {
            assert_in_range(failed, 0, 10 * 50 / 4); /* half, by chance */
            failed = 0;
        }
    }
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
    for (size_t k = 0; k < LEARNERS; k++) {
        struct spec s;
        struct history h;
        size_t right = 0;
        spec_make(&s, learners[k], SQUARE, 60, 1);
        shuffled_run(&h, &s, &how);
        assert_int_equal(h.count, 60);
        for (size_t i = 0; i < h.count; i++)
            right += h.trials[i]->at.v[0] > 0.5;
        assert_in_range(right, 12, 48);
        history_finish(&h);
        spec_finish(&s);
    }
}

/* A third of bohb's runs goes by no model. */
static int64_t runs_of(size_t learner)
{
    return strcmp(learners[learner], "bohb") == 0 ? 120 : 60;
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
    size_t won[LEARNERS] = {0};
    for (uint64_t seed = 0; seed < 20 * LEARNERS; seed++) {
        struct spec s;
        struct history a, b;
        spec_make(&s, learners[seed / 20], PARAMETERS_FULL, runs_of(seed / 20), seed);
        shuffled_run(&a, &s, &how);
        s.method = METHOD_RANDOM;
        shuffled_run(&b, &s, &how);
        won[seed / 20] += best_of(&a) < best_of(&b);
        history_finish(&a);
        history_finish(&b);
        spec_finish(&s);
    }
    for (size_t k = 0; k < LEARNERS; k++)
        assert_in_range(won[k], 16, 20);
}

/* --- on a recorded table --------------------------------------------------------------------- */

static size_t cell_of(const struct spec *s, const struct assignment *at)
{
    size_t cell = 0;
    for (size_t i = 0; i < s->space.count; i++) {
        const struct dimension *d = &s->space.dimensions[i];
        size_t k = 0;
        while (d->values[k] != at->v[i])
            k++;
        cell = cell * d->value_count + k;
    }
    return cell;
}

/* The best of the whole search, run by run, from one seed of the table. (Whether that is the seed's
 * luck is asked by repeats, whatever the method.) */
static double best_recorded(const char *method, uint64_t seed)
{
    struct spec s;
    struct history h = {0};
    spec_make(&s, method, RECORDED_PARAMETERS, 30, seed);
    for (;;) {
        struct proposals p = {0};
        struct study st;
        study_init(&st, &s);
        st.budget = st.run_cap;
        st.count = st.all_count = h.count;
        st.all = st.trials = (const struct trial *const *)h.trials;
        if (search_method(s.method)->ask(&st, 1000, &p) != ANSWER_RUNS)
            break;
        for (size_t i = 0; i < p.count; i++) {
            struct trial *t = history_add(&h, &s, &p.items[i]);
            t->status = RUN_COMPLETED;
            t->has_metric = true;
            t->metric_value = recorded[cell_of(&s, &t->at)][seed % RECORDED_SEEDS];
        }
        proposals_finish(&p);
    }
    double best = best_of(&h);
    history_finish(&h);
    spec_finish(&s);
    return best;
}

#define TABLE_SEEDS 60

/* Over 60 seeds: a better mean, and more often the better one than the worse. */
static void better_than_chance_on_a_recorded_table(void **state)
{
    for (size_t i = 0; i < LEARNERS; i++) {
        double own = 0, random = 0;
        int won = 0;
        for (uint64_t seed = 0; seed < TABLE_SEEDS; seed++) {
            double a = best_recorded(learners[i], seed), b = best_recorded("random", seed);
            own += a;
            random += b;
            won += (a < b) - (a > b);
        }
        print_message("# %s %.4f, random %.4f, net wins %d\n", learners[i], own / TABLE_SEEDS,
                      random / TABLE_SEEDS, won);
        assert_true(own < random);
        assert_true(won >= 15); /* by chance once in 40 */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(same_however_it_is_asked),
        cmocka_unit_test(finite_spaces_once),
        cmocka_unit_test(failures_are_avoided),
        cmocka_unit_test(all_may_fail),
        cmocka_unit_test(better_than_chance_on_a_smooth_landscape),
        cmocka_unit_test(better_than_chance_on_a_recorded_table),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
