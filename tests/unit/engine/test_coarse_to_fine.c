#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/require.h"
#include "tests/unit/engine/support.h"

static double rate_of(const struct history *h, size_t i)
{
    return h->trials[i]->config->settings.v[SETTING_LEARNING_RATE];
}

static double optimizer_of(const struct history *h, size_t i)
{
    return h->trials[i]->config->settings.v[SETTING_OPTIMIZER];
}

static const char *const stage_names[] = {"coarse", "fine", "optimizers", "sgd"};

static size_t stage_index(const char *stage)
{
    for (size_t i = 0; i < 4; i++)
        if (strcmp(stage, stage_names[i]) == 0)
            return i;
    fail_msg("stage %s", stage);
    return 0;
}

/* 24 runs, then as many as there were, as long as as many are left; then all. */
static size_t round_end(size_t runs, size_t index)
{
    size_t end = 24;
    while (end <= index && end <= runs / 2)
        end *= 2;
    return end <= runs / 2 ? end : runs;
}

/* Stages in order, in each round; the outline says beforehand what each will get. */
static void check_stages(const struct history *h, const struct spec *s)
{
    struct search_outline o;
    method_outline(s, &o);
    int64_t total = 0;
    for (size_t i = 0; i < o.count; i++) {
        assert_true(o.stages[i].runs >= 1);
        assert_int_equal(history_count(h, o.stages[i].stage), o.stages[i].runs);
        total += o.stages[i].runs;
    }
    assert_int_equal(total, h->count);
    for (size_t i = 1; i < h->count; i++)
        assert_true(round_end(h->count, i - 1) == i ||
                    stage_index(h->trials[i - 1]->stage) <= stage_index(h->trials[i]->stage));
}

/* Each round is a whole search: by its end each stage has had its share of the runs so far. */
static void test_rounds(void **state)
{
    for (int64_t n = 4; n <= 400; n += 6) {
        struct spec s;
        struct history h;
        spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, n, 110);
        history_run(&h, &s, answer_landscape, NULL);
        size_t of[4] = {0};
        for (size_t i = 0; i < h.count; i++) {
            size_t by_now = i + 1;
            of[stage_index(h.trials[i]->stage)]++;
            if (round_end(h.count, i) != by_now)
                continue;
            assert_int_equal(of[0], 4 * by_now / 10);
            assert_int_equal(of[1], (by_now + 1) / 4);
            assert_int_equal(of[2], (by_now + 2) / 5);
        }
        history_finish(&h);
        spec_finish(&s);
    }
}

/* Earlier specifications go through each stage once. */
static void test_without_rounds(void **state)
{
    struct spec s;
    struct history h;
    spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, 200, 110);
    s.rounds = false;
    history_run(&h, &s, answer_landscape, NULL);
    assert_int_equal(h.count, 200);
    for (size_t i = 1; i < h.count; i++)
        assert_true(stage_index(h.trials[i - 1]->stage) <= stage_index(h.trials[i]->stage));
    history_finish(&h);
    spec_finish(&s);
}

static void test_budgets(void **state)
{
    for (int64_t n = 4; n <= 200; n++) {
        struct spec s;
        struct history h;
        spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, n, 110);
        assert_int_equal(method_check(&s, NULL), 0);
        history_run(&h, &s, answer_landscape, NULL);
        assert_int_equal(h.count, n);
        check_stages(&h, &s);
        assert_int_equal(history_count(&h, "coarse"), 4 * n / 10);
        assert_true(llabs((int64_t)history_count(&h, "fine") * 4 - n) <= 2);
        assert_true(llabs((int64_t)history_count(&h, "optimizers") * 5 - n) <= 2);
        assert_true(history_count(&h, "sgd") >= 1);
        /* what the three roundings leave */
        assert_true(fabs((double)history_count(&h, "sgd") - 0.15 * (double)n) < 1.75);
        assert_int_equal(history_duplicates(&h, &s), 0);
        assert_true(history_in_range(&h, &s));
        history_finish(&h);
        spec_finish(&s);
    }
}

static void test_demo_order(void **state)
{
    struct spec s;
    struct history h;
    spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, 40, 110);
    history_run(&h, &s, answer_landscape, NULL);
    assert_int_equal(h.barrier_count, 6);
    const double decades[] = {0.1, 0.01, 0.001};
    for (size_t i = 0; i < 3; i++) {
        assert_true(rate_of(&h, i) == decades[i]); /* exact decimals, large first */
        assert_int_equal(h.trials[i]->config->settings.v[SETTING_BATCH_SIZE], 128);
        assert_int_equal(h.trials[i]->config->settings.v[SETTING_DEPTH], 2);
        assert_non_null(strstr(h.reasons[i], "G2.1"));
    }
    assert_int_equal(h.barriers[1], 3);
    for (size_t i = 0; i < h.count; i++) { /* Adam first, SGD last (G2.2) */
        size_t stage = stage_index(h.trials[i]->stage);
        if (stage <= 1)
            assert_int_equal(optimizer_of(&h, i), OPTIMIZER_ADAM);
        else if (stage == 3)
            assert_int_equal(optimizer_of(&h, i), OPTIMIZER_SGD);
        else
            assert_true(optimizer_of(&h, i) != OPTIMIZER_ADAM &&
                        optimizer_of(&h, i) != OPTIMIZER_SGD);
        assert_true(h.reasons[i][0] != '\0');
    }
    history_finish(&h);
    spec_finish(&s);
}

/* Within each batch (each optimizer of it) the learning rate never rises; but in the design. */
static void test_large_to_small(void **state)
{
    for (int64_t n = 4; n <= 120; n += 3) {
        struct spec s;
        struct history h;
        spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, n, (uint64_t)n);
        history_run(&h, &s, answer_landscape, NULL);
        for (size_t b = 0; b < h.barrier_count; b++) {
            size_t end = b + 1 < h.barrier_count ? h.barriers[b + 1] : h.count;
            for (size_t i = h.barriers[b] + 1; i < end; i++) {
                bool design = b > 0 && strcmp(h.trials[i]->stage, "coarse") == 0;
                if (!design && optimizer_of(&h, i) == optimizer_of(&h, i - 1))
                    assert_true(rate_of(&h, i) <= rate_of(&h, i - 1));
            }
        }
        history_finish(&h);
        spec_finish(&s);
    }
}

/* At 40 runs the design holds 13: each of 3 batch sizes and 4 depths about equally often. */
static void test_balanced(void **state)
{
    for (uint64_t seed = 0; seed < 30; seed++) {
        struct spec s;
        struct history h;
        spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, 40, seed);
        history_run(&h, &s, answer_landscape, NULL);
        size_t batch[3] = {0}, depth[5] = {0}, first = 0;
        for (size_t i = h.barriers[1]; i < h.barriers[2]; i++) {
            double b = h.trials[i]->config->settings.v[SETTING_BATCH_SIZE];
            batch[b == 32 ? 0 : b == 128 ? 1 : 2]++;
            depth[(int)h.trials[i]->config->settings.v[SETTING_DEPTH]]++;
            first += rate_of(&h, i) == rate_of(&h, h.barriers[1]);
        }
        for (int i = 0; i < 3; i++)
            assert_in_range(batch[i], 2, 7);
        for (int i = 1; i <= 4; i++)
            assert_in_range(depth[i], 1, 6);
        assert_in_range(first, 5, 9); /* best and second best rate in turn */
        history_finish(&h);
        spec_finish(&s);
    }
}

static void test_fine_is_near_the_best(void **state)
{
    struct spec s;
    struct history h;
    spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, 40, 3);
    history_run(&h, &s, answer_landscape, NULL);
    size_t best = 0;
    for (size_t i = 1; i < h.barriers[2]; i++)
        if (h.trials[i]->metric_value < h.trials[best]->metric_value)
            best = i;
    for (size_t i = h.barriers[2]; i < h.barriers[3]; i++) {
        assert_string_equal(h.trials[i]->stage, "fine");
        assert_true(fabs(log10(rate_of(&h, i) / rate_of(&h, best))) <= 1.01);
        assert_true(h.trials[i]->config->settings.v[SETTING_DEPTH] ==
                    h.trials[best]->config->settings.v[SETTING_DEPTH]);
    }
    history_finish(&h);
    spec_finish(&s);
}

/* No run is spent on almost the rate of another one that is the same otherwise. */
static void test_no_near_duplicates(void **state)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct spec s;
        struct history h;
        spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, 60, seed);
        history_run(&h, &s, answer_landscape, NULL);
        for (size_t i = 0; i < h.count; i++) {
            for (size_t k = 0; k < i; k++) {
                struct assignment c = h.trials[i]->at;
                c.v[space_find_key(&s.space, SETTING_LEARNING_RATE)] = rate_of(&h, k);
                if (space_same(&s.space, &c, &h.trials[k]->at))
                    assert_true(fabs(rate_of(&h, i) / rate_of(&h, k) - 1) > 0.05);
            }
        }
        history_finish(&h);
        spec_finish(&s);
    }
}

/* The search is worth something: it ends near the best place of the landscape. */
static void test_finds_the_best(void **state)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        struct spec s;
        struct history h;
        spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, 40, seed);
        history_run(&h, &s, answer_landscape, NULL);
        double best = INFINITY;
        for (size_t i = 0; i < h.count; i++)
            best = fmin(best, h.trials[i]->metric_value);
        assert_true(best < 0.33); /* 0.313 is the best that the space holds */
        history_finish(&h);
        spec_finish(&s);
    }
}

static void test_deterministic(void **state)
{
    struct spec s;
    struct history a, b;
    spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, 57, 9);
    history_run(&a, &s, answer_landscape, NULL);
    history_run(&b, &s, answer_landscape, NULL);
    assert_int_equal(a.count, b.count);
    assert_true(history_same(&a, &b, a.count));
    assert_memory_equal(a.reasons, b.reasons, a.count * sizeof(*a.reasons));
    history_finish(&b);
    s.seed = 10; /* another seed, another design; the rates before it are the guide's */
    history_run(&b, &s, answer_landscape, NULL);
    assert_true(history_same(&a, &b, 3));
    assert_false(history_same(&a, &b, a.barriers[2]));
    history_finish(&a);
    history_finish(&b);
    spec_finish(&s);
}

/* arg: every how many runs one is finite; 0: none is */
static void answer_mostly_nan(struct trial *t, size_t number, void *arg)
{
    size_t every = *(const size_t *)arg;
    answer_landscape(t, number, NULL);
    if (every != 0 && number % every == every - 1)
        return;
    switch (number % 5) {
    case 0:
        t->metric_value = NAN;
        break;
    case 1:
        t->metric_value = -INFINITY; /* not finite: never the best */
        break;
    case 2:
        t->status = RUN_FAILED;
        t->metric_value = -100; /* nor is what a failed run had */
        break;
    case 3:
        t->has_metric = false;
        t->metric_value = 0;
        break;
    default:
        t->status = RUN_CANCELLED;
        t->metric_value = -50;
    }
}

static void test_nan_trials(void **state)
{
    for (size_t every = 0; every <= 7; every++) {
        for (int64_t n = 4; n <= 60; n += 7) {
            struct spec s;
            struct history h;
            spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, n, 5);
            history_run(&h, &s, answer_mostly_nan, &every);
            assert_int_equal(h.count, n);
            check_stages(&h, &s);
            assert_int_equal(history_duplicates(&h, &s), 0);
            assert_true(history_in_range(&h, &s));
            history_finish(&h);
            spec_finish(&s);
        }
    }
}

/* Nothing finite: the fine stage goes to the smallest rates, at the middle of the rest. */
static void test_nothing_finite(void **state)
{
    struct spec s;
    struct history h;
    size_t none = 0;
    spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, 40, 5);
    history_run(&h, &s, answer_mostly_nan, &none);
    for (size_t i = h.barriers[2]; i < h.barriers[3]; i++) {
        assert_string_equal(h.trials[i]->stage, "fine");
        assert_true(rate_of(&h, i) <= 0.0101);
    }
    assert_non_null(strstr(h.reasons[h.barriers[2]], "no run has a finite metric"));
    history_finish(&h);
    spec_finish(&s);
}

/* Spaces of all shapes. */
static void test_shapes(void **state)
{
    static const char *const shapes[] = {
        "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":\"log_uniform_values\"}",
        "\"learning_rate\":{\"min\":0.0001,\"max\":0.5}",
        "\"learning_rate\":{\"values\":[0.01,0.1,0.003,0.03,0.001]},\"width\":{\"min\":16,\"max\":"
        "512},\"optimizer\":{\"values\":[\"sgd\",\"momentum\"]}",
        "\"depth\":{\"min\":1,\"max\":200},\"width\":{\"min\":8,\"max\":1024}",
        "\"train.momentum\":{\"min\":0.1,\"max\":0.99},\"batch_size\":{\"values\":[8,16,32]}",
        "\"optimizer\":{\"values\":[\"sgd\"]},\"learning_rate\":{\"min\":0.01,\"max\":0.9}",
        "\"optimizer\":{\"values\":[\"rmsprop\",\"adam\",\"sgd\"]},\"width\":{\"min\":1,"
        "\"max\":900}",
        "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"q\":0.001,\"distribution\":\"q_uniform\"},"
        "\"activation\":{\"values\":[\"relu\",\"tanh\",\"elu\"]},\"depth\":{\"min\":1,\"max\":9},"
        "\"optimizer\":{\"values\":[\"adam\",\"adadelta\"]}",
        "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":\"log_uniform_values\"},"
        "\"train.shuffle\":{\"values\":[true,false]},\"train.loss\":{\"values\":[\"mse\","
        "\"cross_entropy\"]},\"train.epsilon\":{\"min\":1e-9,\"max\":1e-6,\"distribution\":"
        "\"log_uniform_values\"}",
    };
    for (size_t k = 0; k < sizeof(shapes) / sizeof(*shapes); k++) {
        for (int64_t n = 4; n <= 120; n += k == 2 ? 29 : 13) {
            struct spec s;
            struct history h;
            spec_make(&s, "coarse_to_fine", shapes[k], n, (uint64_t)n);
            history_run(&h, &s, answer_landscape, NULL);
            assert_int_equal(h.count, n);
            check_stages(&h, &s);
            assert_true(history_count(&h, "coarse") * 10 <= (size_t)n * 4);
            assert_int_equal(history_duplicates(&h, &s), 0);
            assert_true(history_in_range(&h, &s));
            history_finish(&h);
            spec_finish(&s);
        }
    }
}

/* A finite space smaller than run_cap: every configuration once, and the outline says so. */
static void test_exhausted(void **state)
{
    static const struct {
        const char *parameters;
        size_t size;
    } spaces[] = {
        {"\"depth\":{\"values\":[2]}", 1},
        {"\"depth\":{\"values\":[2,5]}", 2},
        {"\"depth\":{\"min\":1,\"max\":7}", 7},
        {"\"optimizer\":{\"values\":[\"adam\",\"sgd\"]}", 2},
        {"\"optimizer\":{\"values\":[\"adam\",\"sgd\",\"rmsprop\"]},\"depth\":{\"min\":1,"
         "\"max\":3}",
         9},
        {"\"learning_rate\":{\"values\":[0.1,0.01]},\"optimizer\":{\"values\":[\"momentum\","
         "\"sgd\"]},\"batch_size\":{\"values\":[8,16]}",
         8},
        {"\"learning_rate\":{\"values\":[0.1,0.01,0.001]},\"optimizer\":{\"values\":[\"adam\","
         "\"rmsprop\",\"momentum\",\"adadelta\",\"sgd\"]}",
         15},
    };
    for (size_t k = 0; k < sizeof(spaces) / sizeof(*spaces); k++) {
        for (int64_t n = 4; n <= 40; n++) {
            struct spec s;
            struct history h;
            spec_make(&s, "coarse_to_fine", spaces[k].parameters, n, 1);
            history_run(&h, &s, answer_landscape, NULL);
            size_t expected = spaces[k].size < (size_t)n ? spaces[k].size : (size_t)n;
            assert_int_equal(h.count, expected);
            check_stages(&h, &s);
            assert_int_equal(history_duplicates(&h, &s), 0);
            struct search_outline o;
            method_outline(&s, &o);
            assert_true((strstr(o.stages[0].what, "has only") != NULL) ==
                        (spaces[k].size < (size_t)n));
            history_finish(&h);
            spec_finish(&s);
        }
    }
}

/* The same through rounds: what fine gets early is no longer coarse's later. */
static void test_exhausted_in_rounds(void **state)
{
    static const struct {
        const char *parameters;
        size_t size;
    } spaces[] = {
        {"\"depth\":{\"min\":1,\"max\":60}", 60},
        {"\"depth\":{\"min\":1,\"max\":30},\"optimizer\":{\"values\":[\"adam\",\"sgd\"]}", 60},
        {"\"learning_rate\":{\"values\":[0.1,0.01,0.001]},\"optimizer\":{\"values\":[\"sgd\"]},"
         "\"depth\":{\"min\":1,\"max\":25}",
         75},
        {"\"depth\":{\"min\":1,\"max\":12},\"optimizer\":{\"values\":[\"adam\",\"rmsprop\","
         "\"momentum\",\"sgd\"]},\"batch_size\":{\"values\":[8,16,32]}",
         144},
    };
    for (size_t k = 0; k < ARRAY_LEN(spaces); k++) {
        for (int64_t n = 48; n <= 300; n += 7) {
            struct spec s;
            struct history h;
            struct search_outline o;
            spec_make(&s, "coarse_to_fine", spaces[k].parameters, n, 1);
            history_run(&h, &s, answer_landscape, NULL);
            assert_int_equal(h.count, spaces[k].size < (size_t)n ? spaces[k].size : (size_t)n);
            assert_int_equal(history_duplicates(&h, &s), 0);
            method_outline(&s, &o);
            for (size_t i = 0; i < o.count; i++)
                assert_int_equal(history_count(&h, o.stages[i].stage), o.stages[i].runs);
            assert_non_null(strstr(o.stages[0].what, "in rounds, the first of 24 runs"));
            history_finish(&h);
            spec_finish(&s);
        }
    }
}

static void test_check(void **state)
{
    struct spec s;
    struct errbuf err = {0};
    spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, 4, 1);
    s.run_cap = 3;
    assert_int_equal(method_check(&s, &err), ERR_VALUE);
    assert_string_equal(err.key, "$.run_cap");
    assert_string_equal(err.value, "3");
    assert_non_null(strstr(err.allowed, "4 or more"));
    spec_finish(&s);
}

/* Wide ranges keep every decade they can, the largest always. */
static void test_wide_range(void **state)
{
    struct spec s;
    struct history h;
    const double expected[] = {1, 0.1, 0.01, 0.001, 0.0001, 0.00003};
    spec_make(&s, "coarse_to_fine",
              "\"learning_rate\":{\"min\":0.00003,\"max\":1,\"distribution\":"
              "\"log_uniform_values\"}",
              60, 1);
    history_run(&h, &s, answer_landscape, NULL);
    for (size_t i = 0; i < 6; i++)
        assert_true(rate_of(&h, i) == expected[i]);
    history_finish(&h);
    s.run_cap = 5; /* two coarse runs: the ends */
    history_run(&h, &s, answer_landscape, NULL);
    assert_true(rate_of(&h, 0) == 1 && rate_of(&h, 1) == 0.00003);
    history_finish(&h);
    spec_finish(&s);
}

/* Thousands of runs come in bounded batches. */
static void test_large(void **state)
{
    struct spec s;
    struct history h;
    spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, 20000, 1);
    history_run(&h, &s, answer_landscape, NULL);
    assert_int_equal(h.count, 20000);
    check_stages(&h, &s);
    for (size_t b = 1; b < h.barrier_count; b++)
        assert_true(h.barriers[b] - h.barriers[b - 1] <= 1000);
    assert_true(history_in_range(&h, &s));
    history_finish(&h);
    spec_finish(&s);
}

/* --- roles and waiting ----------------------------------------------------------------------- */

/* By the values alone, whatever they are called. */
static void answer_values(struct trial *t, size_t number, void *arg)
{
    (void)number;
    const struct spec *s = arg;
    t->status = RUN_COMPLETED;
    t->has_metric = true;
    t->metric_value = 1;
    for (size_t i = 0; i < s->space.count; i++)
        t->metric_value +=
            fabs(dimension_position(&s->space.dimensions[i], t->at.v[i]) - 0.4) * (double)(i + 1);
}

static void assert_same_values(struct spec *a, struct spec *b)
{
    struct history x, y;
    history_run(&x, a, answer_values, a);
    history_run(&y, b, answer_values, b);
    assert_int_equal(x.count, a->run_cap);
    assert_int_equal(x.count, y.count);
    for (size_t i = 0; i < x.count; i++) {
        assert_string_equal(x.trials[i]->stage, y.trials[i]->stage);
        assert_memory_equal(&x.trials[i]->at, &y.trials[i]->at, sizeof(x.trials[i]->at));
    }
    history_finish(&x);
    history_finish(&y);
}

#define DECADES "\"min\":0.0001,\"max\":0.1,\"distribution\":\"log_uniform_values\""
#define BATCHES ",\"batch_size\":{\"values\":[32,128,512]}"

/* A parameter of another name that the spec calls the learning rate is searched as one is. */
static void test_role_of_the_spec(void **state)
{
    for (int64_t n = 4; n <= 64; n += 12) {
        struct spec own, other, plain;
        struct history h;
        spec_make(&own, "coarse_to_fine", "\"learning_rate\":{" DECADES "}" BATCHES, n, 3);
        spec_make(&other, "coarse_to_fine",
                  "\"train.epsilon\":{" DECADES ",\"role\":\"learning_rate\"}" BATCHES, n, 3);
        spec_make(&plain, "coarse_to_fine", "\"train.epsilon\":{" DECADES "}" BATCHES, n, 3);
        assert_int_equal(other.space.dimensions[0].role, ROLE_LEARNING_RATE);
        assert_int_equal(plain.space.dimensions[0].role, ROLE_NONE);
        assert_same_values(&own, &other);
        history_run(&h, &plain, answer_values, &plain); /* the role is what does it */
        assert_true(h.trials[0]->at.v[0] != 0.1);
        history_finish(&h);
        spec_finish(&own);
        spec_finish(&other);
        spec_finish(&plain);
    }
}

/* What can be 0 is no learning rate, whatever the spec calls it: it is searched as any other. */
static void test_rates_above_zero(void **state)
{
    static const char *const forms[] = {"\"min\":0,\"max\":0.9", "\"values\":[0.9,0,0.5,0.09]",
                                        "\"min\":0,\"max\":0.9,\"distribution\":\"q_uniform\","
                                        "\"q\":0.09"};
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++) {
        struct spec called, plain;
        char *role = xasprintf("\"train.momentum\":{%s,\"role\":\"learning_rate\"}" BATCHES
                               ",\"width\":{\"min\":16,\"max\":512}", forms[i]);
        char *none = xasprintf("\"train.momentum\":{%s}" BATCHES
                               ",\"width\":{\"min\":16,\"max\":512}", forms[i]);
        spec_make(&called, "coarse_to_fine", role, 40, 3);
        spec_make(&plain, "coarse_to_fine", none, 40, 3);
        assert_int_equal(called.space.dimensions[0].role, ROLE_LEARNING_RATE);
        assert_same_values(&called, &plain);
        spec_finish(&called);
        spec_finish(&plain);
        free(role);
        free(none);
    }
}

/* All roles at once, and names that say nothing. */
static void test_roles_without_names(void **state)
{
    struct spec own, other;
    spec_make(&own, "coarse_to_fine", PARAMETERS_FULL, 40, 110);
    spec_make(&other, "coarse_to_fine", PARAMETERS_FULL, 40, 110);
    for (size_t i = 0; i < other.space.count; i++)
        snprintf(other.space.dimensions[i].name, SPACE_NAME_MAX, "p%zu", i);
    assert_same_values(&own, &other);
    spec_finish(&own);
    spec_finish(&other);
}

/* While any run is live there is nothing to say: each stage builds on all before it. */
static void test_waits_for_live_runs(void **state)
{
    struct spec s;
    struct history h;
    spec_make(&s, "coarse_to_fine", PARAMETERS_FULL, 40, 110);
    history_run(&h, &s, answer_landscape, NULL);
    for (size_t count = 0; count <= h.count; count++) {
        struct proposals p = {0};
        struct study st;
        study_init(&st, &s);
        st.count = count;
        st.trials = (const struct trial *const *)h.trials;
        st.live = 1;
        assert_int_equal(search_method(s.method)->ask(&st, HISTORY_WANT, &p), ANSWER_WAIT);
        assert_int_equal(p.count, 0);
        st.live = 0;
        enum answer now = search_method(s.method)->ask(&st, HISTORY_WANT, &p);
        assert_int_equal(now, count < h.count ? ANSWER_RUNS : ANSWER_DONE);
        proposals_finish(&p);
    }
    history_finish(&h);
    spec_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_budgets),
        cmocka_unit_test(test_demo_order),
        cmocka_unit_test(test_large_to_small),
        cmocka_unit_test(test_balanced),
        cmocka_unit_test(test_fine_is_near_the_best),
        cmocka_unit_test(test_finds_the_best),
        cmocka_unit_test(test_no_near_duplicates),
        cmocka_unit_test(test_rounds),
        cmocka_unit_test(test_without_rounds),
        cmocka_unit_test(test_deterministic),
        cmocka_unit_test(test_nan_trials),
        cmocka_unit_test(test_nothing_finite),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_exhausted),
        cmocka_unit_test(test_exhausted_in_rounds),
        cmocka_unit_test(test_check),
        cmocka_unit_test(test_wide_range),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_role_of_the_spec),
        cmocka_unit_test(test_rates_above_zero),
        cmocka_unit_test(test_roles_without_names),
        cmocka_unit_test(test_waits_for_live_runs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
