/* Methods in spaces with conditions and constraints: only configurations that are complete and
 * allowed, none twice, the same whatever the batches, and all of a grid. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/space.h"
#include "sweep/buf.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "tests/unit/engine/support.h"

/* momentum only with two of the optimizers, and said before them; dropout only where it is deep. */
#define FINITE                                                                                     \
    "\"train.momentum\":{\"values\":[0.5,0.9],\"condition\":{\"optimizer\":[\"momentum\","         \
    "\"sgd\"]}},\"optimizer\":{\"values\":[\"adam\",\"momentum\",\"sgd\"]},"                       \
    "\"depth\":{\"min\":1,\"max\":4},\"width\":{\"values\":[64,128,256]},"                         \
    "\"dropout\":{\"values\":[0.1,0.2],\"condition\":{\"depth\":{\"min\":3}}}"
#define INFINITE                                                                                   \
    "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":\"log_uniform_values\"}," FINITE
#define CONSTRAINTS                                                                                \
    ",\"treat\":false,\"constraints\":[\"depth * width <= 512\",\"optimizer != 'sgd' or depth < 4\"]"
/* optimizers with momentum: 2 × 1 (adam), 2; per depth the widths with depth * width <= 512 and
 * dropouts: 1: 3, 2: 3, 3: 2 × 2, 4: 2 × 2 → adam 14, momentum 28, sgd without depth 4: 20 */
#define COUNT 62

static void must_be_sound(const struct history *h, const struct spec *s)
{
    for (size_t i = 0; i < h->count; i++) {
        struct assignment complete = h->trials[i]->at;
        space_complete(&s->space, &complete);
        if (!space_same(&s->space, &complete, &h->trials[i]->at) ||
            !space_allows(&s->space, &complete))
            fail_msg("run %zu (%s) is not allowed", i, h->reasons[i]);
        for (size_t k = 0; k < s->space.count; k++)
            assert_true(!space_has(&complete, k) ||
                        dimension_takes(&s->space.dimensions[k], complete.v[k]));
    }
    assert_int_equal(history_duplicates(h, s), 0);
}

static void each_method_keeps_to_the_space(void **state)
{
    static const struct {
        const char *method, *parameters;
        int64_t runs;
        size_t want;
    } cases[] = {
        {"random", FINITE, 40, 40},        {"random", FINITE, 100, COUNT},
        {"random", INFINITE, 200, 200},    {"sobol", FINITE, 40, 40},
        {"sobol", FINITE, 100, COUNT},     {"sobol", INFINITE, 200, 200},
        {"grid", FINITE, 100, COUNT},      {"grid", FINITE, 20, 20},
        {"tpe", INFINITE, 60, 60},         {"tpe", FINITE, 80, COUNT},
        {"gp", INFINITE, 40, 40},          {"gp", FINITE, 80, COUNT},
        {"cmaes", INFINITE, 80, 80},       {"cmaes", FINITE, 80, COUNT},
        {"bohb", INFINITE, 80, 80},        {"bohb", FINITE, 80, COUNT},
        {"dehb", INFINITE, 80, 80},        {"dehb", FINITE, 80, COUNT},
        {"coarse_to_fine", INFINITE, 60, 60}, {"coarse_to_fine", FINITE, 30, 30},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spec s;
        struct history h, again;
        spec_make_with(&s, cases[i].method, cases[i].parameters, cases[i].runs, 5, CONSTRAINTS);
        assert_int_equal(method_check(&s, NULL), 0);
        history_run(&h, &s, answer_landscape, NULL);
        if (h.count != cases[i].want)
            fail_msg("%s gives %zu runs of %lld", cases[i].method, h.count,
                     (long long)cases[i].runs);
        must_be_sound(&h, &s);
        history_run(&again, &s, answer_landscape, NULL);
        assert_true(history_same(&h, &again, h.count));
        history_finish(&again);
        history_finish(&h);
        spec_finish(&s);
    }
}

/* However few are asked for at a time. */
static void portions_do_not_matter(void **state)
{
    static const char *const methods[] = {"grid", "random", "sobol"};

    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        struct spec s;
        struct history h;
        struct proposals one = {0};
        spec_make_with(&s, methods[m], FINITE, COUNT, 5, CONSTRAINTS);
        history_run(&h, &s, answer_landscape, NULL);
        for (size_t i = 0; i < h.count; i++) {
            struct study st;
            study_init(&st, &s);
            st.count = st.all_count = i;
            st.all = st.trials = (const struct trial *const *)h.trials;
            assert_int_equal(search_method(s.method)->ask(&st, 1, &one), ANSWER_RUNS);
            assert_int_equal(one.count, 1);
            assert_true(space_same(&s.space, &one.items[0].at, &h.trials[i]->at));
            proposals_finish(&one);
        }
        history_finish(&h);
        spec_finish(&s);
    }
}

/* What is allowed is drawn as the distributions say: of two optimizers each half of the time,
 * though one has ten values of momentum. */
static void draws_follow_the_distributions(void **state)
{
    struct spec s;
    struct history h;
    size_t adam = 0;

    spec_make(&s, "random",
              "\"optimizer\":{\"values\":[\"adam\",\"momentum\"]},"
              "\"learning_rate\":{\"min\":0.001,\"max\":0.1},"
              "\"train.momentum\":{\"min\":0,\"max\":0.9,\"q\":0.1,\"distribution\":\"q_uniform\","
              "\"condition\":{\"optimizer\":\"momentum\"}}",
              2000, 3);
    history_run(&h, &s, answer_landscape, NULL);
    for (size_t i = 0; i < h.count; i++)
        adam += h.trials[i]->at.v[0] == OPTIMIZER_ADAM;
    assert_in_range(adam, 920, 1080);
    history_finish(&h);
    spec_finish(&s);
}

/* A branch of one configuration in an infinite space is not drawn again and again. */
static void small_branches_are_left_alone(void **state)
{
    struct spec s;
    struct history h;

    spec_make(&s, "random",
              "\"optimizer\":{\"values\":[\"adam\",\"momentum\"]},"
              "\"train.momentum\":{\"min\":0.5,\"max\":0.9,\"distribution\":\"uniform\","
              "\"condition\":{\"optimizer\":\"momentum\"}}",
              50, 3);
    history_run(&h, &s, answer_landscape, NULL);
    assert_int_equal(h.count, 50);
    assert_int_equal(history_duplicates(&h, &s), 0);
    history_finish(&h);
    spec_finish(&s);
}

/* The set of tried configurations knows absent values. */
static void absent_values_are_equal(void **state)
{
    struct spec s;
    struct tried t;
    struct assignment a = {{0}}, b;

    spec_make(&s, "random", FINITE, 10, 1);
    space_middle(&s.space, &a);
    a.v[0] = NAN;
    b = a;
    b.v[0] = -NAN;
    tried_init(&t, &s.space);
    assert_true(tried_add(&t, &a));
    assert_true(tried_has(&t, &b) && !tried_add(&t, &b));
    b.v[0] = 0.5;
    assert_true(tried_add(&t, &b));
    tried_finish(&t);
    spec_finish(&s);
}

/* Few of many combinations are allowed: they are found all the same, and proposals stay quick. */
static void narrow_spaces_are_found(void **state)
{
    static const char *const methods[] = {"random", "sobol", "tpe", "gp", "cmaes"};
    struct spec s;
    struct history h;

    for (size_t i = 0; i < ARRAY_LEN(methods); i++) {
        spec_make_with(&s, methods[i],
                       "\"depth\":{\"min\":1,\"max\":200},\"width\":{\"min\":1,\"max\":1000},"
                       "\"batch_size\":{\"min\":1,\"max\":1000}",
                       50, 3, ",\"treat\":false,\"constraints\":[\"width == 2 * batch_size\"]");
        history_run(&h, &s, answer_landscape, NULL);
        assert_int_equal(h.count, 50);
        must_be_sound(&h, &s);
        history_finish(&h);
        spec_finish(&s);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_method_keeps_to_the_space),
        cmocka_unit_test(portions_do_not_matter),
        cmocka_unit_test(draws_follow_the_distributions),
        cmocka_unit_test(small_branches_are_left_alone),
        cmocka_unit_test(absent_values_are_equal),
        cmocka_unit_test(narrow_spaces_are_found),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
