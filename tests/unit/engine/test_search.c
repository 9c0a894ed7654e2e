/* grid, random, and what the methods share: tried sets, steps, rates, designs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/coarse_to_fine.h"
#include "sweep/buf.h"
#include "tests/unit/engine/support.h"

#define PARAMETERS_FINITE                                                                         \
    "\"learning_rate\":{\"values\":[0.1,0.01]},\"batch_size\":{\"values\":[32,128,512]},"         \
    "\"depth\":{\"min\":1,\"max\":4}"

static void test_grid(void **state)
{
    struct spec s;
    struct history h;
    spec_make(&s, "grid", PARAMETERS_FINITE, 1000, 1);
    assert_int_equal(method_check(&s, NULL), 0);
    history_run(&h, &s, answer_landscape, NULL);
    assert_int_equal(h.count, 24);
    assert_int_equal(h.barrier_count, 1);
    assert_int_equal(history_duplicates(&h, &s), 0);
    const double rates[] = {0.1, 0.01}, batches[] = {32, 128, 512};
    for (size_t i = 0; i < 24; i++) { /* first parameter slowest */
        const double *v = h.trials[i]->config->settings.v;
        assert_true(v[SETTING_LEARNING_RATE] == rates[i / 12]);
        assert_true(v[SETTING_BATCH_SIZE] == batches[i / 4 % 3]);
        assert_true(v[SETTING_DEPTH] == (double)(i % 4 + 1));
    }
    history_finish(&h);
    s.run_cap = 7;
    history_run(&h, &s, answer_landscape, NULL);
    assert_int_equal(h.count, 7);
    history_finish(&h);
    spec_finish(&s);
}

static void test_grid_refuses_continuous(void **state)
{
    struct spec s;
    struct errbuf err = {0};
    spec_make(&s, "random", PARAMETERS_FULL, 10, 1);
    s.method = METHOD_GRID;
    assert_int_equal(method_check(&s, &err), ERR_VALUE);
    assert_string_equal(err.key, "$.parameters.learning_rate");
    assert_non_null(strstr(err.allowed, "values"));
    spec_finish(&s);
}

static void test_grid_in_batches(void **state)
{
    struct spec s;
    struct history h;
    spec_make(&s, "grid", "\"width\":{\"min\":1,\"max\":100},\"depth\":{\"min\":1,\"max\":100}",
              100000, 1);
    history_run(&h, &s, answer_landscape, NULL);
    assert_int_equal(h.count, 10000);
    assert_int_equal(h.barrier_count, 10);
    history_finish(&h);
    spec_finish(&s);
}

static void test_random(void **state)
{
    struct spec s;
    struct history a, b;
    spec_make(&s, "random", PARAMETERS_FULL, 300, 4);
    history_run(&a, &s, answer_landscape, NULL);
    assert_int_equal(a.count, 300);
    assert_true(history_in_range(&a, &s));
    assert_int_equal(history_duplicates(&a, &s), 0);
    s.run_cap = 200; /* a shorter one is its beginning: a run depends on its number */
    history_run(&b, &s, answer_landscape, NULL);
    assert_int_equal(b.count, 200);
    assert_true(history_same(&a, &b, 200));
    history_finish(&b);
    s.seed = 5;
    history_run(&b, &s, answer_landscape, NULL);
    assert_false(history_same(&a, &b, 200));
    history_finish(&a);
    history_finish(&b);
    spec_finish(&s);
}

/* 24 configurations, 60 runs wanted: each one once, and then no more. */
static void test_random_finite(void **state)
{
    struct spec s;
    struct history h;
    spec_make(&s, "random", PARAMETERS_FINITE, 60, 4);
    history_run(&h, &s, answer_landscape, NULL);
    assert_int_equal(h.count, 24);
    assert_int_equal(history_duplicates(&h, &s), 0);
    history_finish(&h);
    spec_finish(&s);
}

static void test_random_spreads(void **state)
{
    struct spec s;
    struct history h;
    size_t above = 0, depth[5] = {0};
    spec_make(&s, "random", PARAMETERS_FULL, 2000, 8);
    history_run(&h, &s, answer_landscape, NULL);
    for (size_t i = 0; i < h.count; i++) {
        const double *v = h.trials[i]->config->settings.v;
        above += v[SETTING_LEARNING_RATE] > 0.01; /* half of it, in log */
        depth[(int)v[SETTING_DEPTH]]++;
    }
    assert_in_range(above, 900, 1100);
    for (int i = 1; i <= 4; i++)
        assert_in_range(depth[i], 430, 570);
    history_finish(&h);
    spec_finish(&s);
}

/* Index and bit of the dimension of that setting. */
static size_t at(const struct spec *s, enum setting_id id)
{
    int i = space_find_key(&s->space, (int)id);
    assert_true(i >= 0);
    return (size_t)i;
}

static uint64_t bit_of(const struct spec *s, enum setting_id id)
{
    return UINT64_C(1) << at(s, id);
}

/* grid, random and by_hand: more while there is more, then WAIT as long as a run is live. */
static void test_wait_and_done(void **state)
{
    static const enum method methods[] = {METHOD_GRID, METHOD_RANDOM, METHOD_BY_HAND};
    for (size_t k = 0; k < 3; k++) {
        struct spec s;
        struct study st;
        struct trial *trials[24];
        size_t want = 10;
        spec_make(&s, "grid", PARAMETERS_FINITE, 24, 1);
        study_init(&st, &s);
        st.all = st.trials = (const struct trial *const *)trials;
        for (bool more = methods[k] != METHOD_BY_HAND; more; more = st.count < 24) {
            struct proposals p = {0};
            st.live = st.count; /* what is live does not keep them */
            assert_int_equal(search_method(methods[k])->ask(&st, want, &p), ANSWER_RUNS);
            assert_int_equal(p.count, st.count < 20 ? want : 4);
            for (size_t i = 0; i < p.count; i++) {
                trials[st.count] = xcalloc(1, sizeof(struct trial));
                trials[st.count++]->at = p.items[i].at;
            }
            st.all_count = st.count;
            proposals_finish(&p);
        }
        struct proposals none = {0};
        st.live = 1;
        assert_int_equal(search_method(methods[k])->ask(&st, want, &none), ANSWER_WAIT);
        st.live = 0;
        assert_int_equal(search_method(methods[k])->ask(&st, want, &none), ANSWER_DONE);
        assert_int_equal(none.count, 0);
        for (size_t i = 0; i < st.count; i++)
            free(trials[i]);
        spec_finish(&s);
    }
}

static void test_tried(void **state)
{
    struct spec s;
    struct tried t;
    struct assignment c;
    spec_make(&s, "random", "\"width\":{\"min\":1,\"max\":60},\"depth\":{\"min\":1,\"max\":60}", 4,
              1);
    tried_init(&t, &s.space);
    for (uint64_t i = 0; i < 3600; i++) {
        c = (struct assignment){{0}};
        space_nth(&s.space, 0, i, &c);
        assert_false(tried_has(&t, &c));
        assert_true(tried_add(&t, &c));
        assert_false(tried_add(&t, &c));
    }
    assert_int_equal(t.count, space_size(&s.space, 0));
    struct rng r;
    rng_init(&r, 1, RNG_TEST, 0);
    struct assignment other;
    assert_false(space_near(&s.space, &c, 0, &t, &r, &other)); /* all were tried */
    tried_finish(&t);
    spec_finish(&s);
}

/* From one configuration outwards until nothing is left: all of them, near ones first. */
static void test_near(void **state)
{
    struct spec s;
    struct tried t;
    struct rng r;
    struct assignment base, c;
    spec_make(&s, "random", PARAMETERS_FULL, 4, 1);
    struct dimension *rates = &s.space.dimensions[0];
    rates->distribution = DISTRIBUTION_INT_UNIFORM; /* 1 … 5: a finite space */
    rates->min = 1;
    rates->max = 5;
    size_t rate = at(&s, SETTING_LEARNING_RATE), batch = at(&s, SETTING_BATCH_SIZE);
    size_t depth = at(&s, SETTING_DEPTH);
    uint64_t optimizer = bit_of(&s, SETTING_OPTIMIZER);
    uint64_t size = space_size(&s.space, optimizer);
    assert_int_equal(size, 5 * 3 * 4);
    space_middle(&s.space, &base);
    tried_init(&t, &s.space);
    rng_init(&r, 1, RNG_TEST, 0);
    tried_add(&t, &base);
    for (uint64_t i = 1; i < size; i++) {
        assert_true(space_near(&s.space, &base, optimizer, &t, &r, &c));
        assert_true(c.v[at(&s, SETTING_OPTIMIZER)] == base.v[at(&s, SETTING_OPTIMIZER)]);
        assert_true(tried_add(&t, &c));
        if (i <= 6) /* the six direct neighbours */
            assert_true((c.v[rate] != base.v[rate]) + (c.v[batch] != base.v[batch]) +
                            (c.v[depth] != base.v[depth]) ==
                        1);
    }
    assert_false(space_near(&s.space, &base, optimizer, &t, &r, &c));
    tried_finish(&t);
    spec_finish(&s);
}

static void test_optimizer_rates(void **state)
{
    struct spec s;
    double v[RATES_MAX];
    char name[32];
    spec_make(&s, "random", PARAMETERS_FULL, 4, 1);
    const struct dimension *d = spec_dimension(&s, SETTING_LEARNING_RATE);
    assert_int_equal(rates_of_optimizer(d, "rmsprop", 2, v), 2);
    assert_true(v[0] == 0.01 && fabs(v[1] - 0.00316) < 1e-9); /* its window within the range */
    assert_int_equal(rates_of_optimizer(d, "momentum", 3, v), 3);
    assert_true(v[0] == 0.1 && v[1] == 0.01 && v[2] == 0.001);
    assert_int_equal(rates_of_optimizer(d, "sgd", 1, v), 1);
    assert_true(fabs(v[0] - 0.0316) < 1e-9);
    for (int o = 0; o <= OPTIMIZER_ADADELTA; o++) {
        for (size_t wanted = 1; wanted <= 20; wanted++) {
            const char *optimizer = setting_choice_name(SETTING_OPTIMIZER, o, name);
            size_t n = rates_of_optimizer(d, optimizer, wanted, v);
            assert_in_range(n, 1, wanted);
            for (size_t i = 0; i < n; i++)
                assert_true(v[i] >= 0.001 && v[i] <= 0.1 && (i == 0 || v[i] < v[i - 1]));
        }
    }
    struct dimension narrow = *d; /* where the window does not reach: the range */
    narrow.min = 2;
    narrow.max = 8;
    assert_int_equal(rates_of_optimizer(&narrow, "adam", 2, v), 2);
    assert_true(v[0] == 8 && v[1] == 4);
    spec_finish(&s);
}

/* Levels equally often (±1), for any number of runs; pairs spread. */
static void test_design(void **state)
{
    struct spec s;
    spec_make(&s, "random", PARAMETERS_FULL, 4, 1);
    size_t rate = at(&s, SETTING_LEARNING_RATE);
    uint64_t frozen = bit_of(&s, SETTING_LEARNING_RATE) | bit_of(&s, SETTING_OPTIMIZER);
    for (size_t count = 1; count <= 40; count++) {
        struct assignment *c = xcalloc(count, sizeof(*c)), base;
        struct rng r;
        rng_init(&r, count, RNG_TEST, 0);
        space_middle(&s.space, &base);
        design_balanced(&s.space, &base, frozen, count, &r, c);
        size_t depth[5] = {0}, pair[5][513] = {{0}};
        for (size_t i = 0; i < count; i++) {
            int k = (int)c[i].v[at(&s, SETTING_DEPTH)];
            depth[k]++;
            pair[k][(int)c[i].v[at(&s, SETTING_BATCH_SIZE)]]++;
            assert_true(c[i].v[rate] == base.v[rate]);
        }
        for (int k = 1; k <= 4; k++) {
            assert_in_range(depth[k], count / 4, (count + 3) / 4);
            assert_true(pair[k][32] <= 1 + (count + 3) / 6);
        }
        free(c);
    }
    spec_finish(&s);
}

/* A continuous dimension: one value in each of count equal cells. */
static void test_design_continuous(void **state)
{
    struct spec s;
    struct assignment base, c[10];
    struct rng r;
    bool cell[10] = {false};
    spec_make(&s, "random", "\"train.momentum\":{\"min\":0.0,\"max\":0.5}", 4, 1);
    rng_init(&r, 3, RNG_TEST, 0);
    space_middle(&s.space, &base);
    design_balanced(&s.space, &base, 0, 10, &r, c);
    for (size_t i = 0; i < 10; i++) {
        bool found = false; /* rounding to three digits may cross the cell's edge by 0.0005 */
        for (int k = 0; k < 10 && !found; k++) {
            double v = c[i].v[at(&s, SETTING_MOMENTUM)];
            found = !cell[k] && v >= k * 0.05 - 0.0005 && v < (k + 1) * 0.05 + 0.0005;
            cell[k] = cell[k] || found;
        }
        assert_true(found);
    }
    spec_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_grid),          cmocka_unit_test(test_grid_refuses_continuous),
        cmocka_unit_test(test_grid_in_batches), cmocka_unit_test(test_random),
        cmocka_unit_test(test_random_finite), cmocka_unit_test(test_random_spreads),
        cmocka_unit_test(test_wait_and_done),
        cmocka_unit_test(test_tried),         cmocka_unit_test(test_near),
        cmocka_unit_test(test_optimizer_rates), cmocka_unit_test(test_design),
        cmocka_unit_test(test_design_continuous),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
