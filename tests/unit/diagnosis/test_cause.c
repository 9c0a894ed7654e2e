/* Causes of sick runs from made facts: each says its numbers, the likeliest first. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/causes/cause.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

struct made {
    struct settings settings;
    struct run_facts facts;
    struct data_facts data;
};

/* A run that learns ten classes of 50,000 samples; every statistic in its healthy range. */
static struct made healthy(void)
{
    struct made m = {.data = {.train_samples = 50000, .validation_samples = 10000,
                              .features = 784, .classes = 10}};
    settings_init(&m.settings);
    m.facts = (struct run_facts){.pattern = PATTERN_LEARNING, .confidence = 0.9};
#define X(member, what) m.facts.member = NAN;
    RUN_FACT_MAP(X)
#undef X
    m.facts.points = m.facts.epochs = 10;
    m.facts.first_train = m.facts.first_val = 0.8;
    m.facts.best_train = m.facts.end_train = 0.30;
    m.facts.best_val = m.facts.end_val = 0.33;
    m.facts.best_train_acc = 0.90;
    m.facts.best_val_acc = 0.88;
    m.facts.spread = 0.1;
    m.facts.val_noise = 0.005;
    m.facts.first_grad_norm = m.facts.max_grad_norm = m.facts.end_grad_norm = 1.5;
    m.facts.grad_ratio = 0.8;
    m.facts.update_ratio = 2e-3;
    m.facts.dead = 0.1;
    m.facts.saturated = 0;
    return m;
}

/* The same stuck at what guessing gives. */
static struct made stuck(void)
{
    struct made m = healthy();
    double guess = log(10);
    m.facts.pattern = PATTERN_BOTTLENECK;
    m.facts.first_train = m.facts.best_train = m.facts.end_train = guess;
    m.facts.first_val = m.facts.best_val = m.facts.end_val = guess;
    m.facts.best_train_acc = m.facts.best_val_acc = 0.1;
    return m;
}

static struct causes causes_with(const struct made *m, const struct sibling *siblings, size_t count)
{
    static const struct layer_list no_layers;
    const struct cause_input in = {.facts = &m->facts, .settings = &m->settings,
                                   .layers = &no_layers, .data = &m->data, .parameters = 120000,
                                   .siblings = siblings, .sibling_count = count};
    struct causes c;
    causes_of(&in, &c);
    for (size_t i = 0; i < c.count; i++) {
        assert_in_range(c.items[i].id, 0, CAUSE_COUNT - 1);
        assert_true(c.items[i].weight >= 0 && c.items[i].weight <= 1);
        assert_true(i == 0 || c.items[i].weight <= c.items[i - 1].weight);
        assert_true(strlen(c.items[i].evidence) > 0);
    }
    return c;
}

static void first_is(const struct made *m, enum cause_id want)
{
    struct causes c = causes_with(m, NULL, 0);
    assert_true(c.count > 0);
    if (c.items[0].id != want)
        fail_msg("%s first (%s), not %s", cause_name(c.items[0].id), c.items[0].evidence,
                 cause_name(want));
}

static void test_a_healthy_run_has_none(void **state)
{
    struct made m = healthy();
    assert_int_equal(causes_with(&m, NULL, 0).count, 0);
}

static void test_the_data_first(void **state)
{
    struct made m = stuck();
    m.data.has_nan = true;
    m.facts.pattern = PATTERN_NOT_A_NUMBER;
    m.facts.end_train = m.facts.end_val = NAN;
    first_is(&m, CAUSE_NAN_IN_INPUT);
}

static void test_clipping_bounds(void **state)
{
    struct made m = stuck();
    m.settings.v[SETTING_PRESET] = PRESET_GUIDE_G3_2;
    settings_apply_preset(&m.settings);
    first_is(&m, CAUSE_CLIPPING_BOUNDS);
}

static void test_dead_units(void **state)
{
    struct made m = stuck();
    m.facts.dead = 1;
    m.facts.grad_ratio = 0;
    m.facts.update_ratio = 0;
    first_is(&m, CAUSE_DEAD_UNITS);
}

static void test_rates(void **state)
{
    struct made m = stuck();
    m.settings.v[SETTING_LEARNING_RATE] = 0.5;
    m.facts.pattern = PATTERN_DIVERGING;
    m.facts.end_train = m.facts.end_val = 40;
    m.facts.update_ratio = 0.4;
    first_is(&m, CAUSE_LEARNING_RATE_TOO_LARGE);
    m = stuck();
    m.settings.v[SETTING_LEARNING_RATE] = 1e-7;
    m.facts.update_ratio = 2e-7;
    first_is(&m, CAUSE_LEARNING_RATE_TOO_SMALL);
}

static void test_not_shuffled(void **state)
{
    struct made m = stuck();
    m.settings.v[SETTING_SHUFFLE] = 0;
    m.facts.pattern = PATTERN_OSCILLATING;
    m.facts.spread = 3;
    first_is(&m, CAUSE_NOT_SHUFFLED);
}

/* The order of the file is known from its scan; a run that still learns is told all the same. */
/* What it does is said behind why, and only of a run whose accuracy never moved. */
static void test_constant_prediction(void **state)
{
    struct made m = stuck();
    m.facts.tags = 1u << DIAGNOSIS_TAG_CONSTANT_ACCURACY;
    m.facts.end_val_acc = 0.1;
    struct causes with = causes_with(&m, NULL, 0);
    bool said = false;
    for (size_t i = 0; i < with.count; i++)
        said = said || (with.items[i].id == CAUSE_CONSTANT_PREDICTION &&
                        strstr(with.items[i].evidence, "0.1 at the end") != NULL);
    assert_true(said);
    m.facts.tags = 0;
    with = causes_with(&m, NULL, 0);
    for (size_t i = 0; i < with.count; i++)
        assert_int_not_equal(with.items[i].id, CAUSE_CONSTANT_PREDICTION);
}

static void test_sorted(void **state)
{
    struct made m = healthy();
    m.settings.v[SETTING_SHUFFLE] = 0;
    assert_int_equal(causes_with(&m, NULL, 0).count, 0);
    m.data.is_sorted = true;
    first_is(&m, CAUSE_NOT_SHUFFLED);
    m.facts.dead = 1; /* what it did, not what it comes from */
    first_is(&m, CAUSE_NOT_SHUFFLED);
    m.settings.v[SETTING_SHUFFLE] = 1;
    m.facts.dead = 0;
    assert_int_equal(causes_with(&m, NULL, 0).count, 0);
}

/* Units that the first steps killed died of the rate; those that began with 0 did not. */
static void test_dead_of_the_rate(void **state)
{
    struct made m = stuck();
    m.facts.dead = m.facts.first_dead = 1;
    m.facts.grad_ratio = m.facts.update_ratio = 0;
    m.facts.first_update_ratio = 0.1;
    m.facts.first_train = 40;
    m.settings.v[SETTING_LEARNING_RATE] = 0.03;
    first_is(&m, CAUSE_LEARNING_RATE_TOO_LARGE);
    m.settings.v[SETTING_LEARNING_RATE] = 0.001;
    m.settings.v[SETTING_INIT] = INIT_ZEROS;
    m.facts.first_train = m.facts.end_train;
    first_is(&m, CAUSE_DEAD_UNITS);
}

static void test_while_it_learns(void **state)
{
    struct made m = healthy();
    m.settings.v[SETTING_LEARNING_RATE] = 1e-5;
    m.facts.update_ratio = m.facts.first_update_ratio = 5e-6;
    first_is(&m, CAUSE_LEARNING_RATE_TOO_SMALL);
    m = healthy();
    m.settings.v[SETTING_DROPOUT] = 0.9;
    first_is(&m, CAUSE_DROPOUT_TOO_STRONG);
    m = healthy();
    m.settings.v[SETTING_DEPTH] = 25;
    first_is(&m, CAUSE_TOO_DEEP);
    m.settings.v[SETTING_RESIDUAL] = 1;
    assert_int_equal(causes_with(&m, NULL, 0).count, 0);
    m = healthy();
    m.settings.v[SETTING_MODEL_TYPE] = MODEL_RNN;
    m.facts.best_train = 1.2;
    m.data.steps = 300;
    first_is(&m, CAUSE_VANISHING_GRADIENT);
    m.settings.v[SETTING_MODEL_TYPE] = MODEL_LSTM;
    assert_int_equal(causes_with(&m, NULL, 0).count, 0);
}

/* Answered worse where it was trained than on samples never seen; dropout explains that too. */
static void test_label_noise(void **state)
{
    struct made m = healthy();
    m.facts.mid_train = 1.5;
    m.facts.end_train = m.facts.best_train = 1.45;
    m.facts.end_val = m.facts.best_val = 0.85;
    m.facts.best_val_epoch = 8;
    m.facts.best_val_acc = m.facts.end_val_acc = 0.80;
    m.facts.best_val_train_acc = m.facts.end_train_acc = 0.60;
    first_is(&m, CAUSE_LABEL_NOISE);
    m.settings.v[SETTING_DROPOUT] = 0.3;
    assert_int_equal(causes_with(&m, NULL, 0).count, 0);
}

/* G3.4: deeper runs are stuck where shallower ones learn. */
static void test_too_deep_by_siblings(void **state)
{
    struct made deep = stuck(), shallow[3];
    struct sibling siblings[3];
    deep.settings.v[SETTING_DEPTH] = 12;
    for (size_t i = 0; i < ARRAY_LEN(siblings); i++) {
        shallow[i] = healthy();
        shallow[i].settings.v[SETTING_DEPTH] = (double)i + 1;
        siblings[i] = (struct sibling){&shallow[i].settings, &shallow[i].facts};
    }
    struct causes c = causes_with(&deep, siblings, ARRAY_LEN(siblings));
    assert_true(c.count > 0);
    assert_string_equal(cause_name(c.items[0].id), "too_deep");
}

/* Whatever the facts, the answer is defined. */
static void test_nothing_measured(void **state)
{
    struct made m = healthy();
#define X(member, what) m.facts.member = NAN;
    RUN_FACT_MAP(X)
#undef X
    for (int p = 0; p < PATTERN_COUNT; p++) {
        m.facts.pattern = (enum pattern)p;
        (void)causes_with(&m, NULL, 0);
    }
}

static void test_names(void **state)
{
    for (int i = 0; i < CAUSE_COUNT; i++)
        assert_int_equal(cause_find(cause_name((enum cause_id)i)), i);
    assert_int_equal(cause_find("bad_luck"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant_prediction),
        cmocka_unit_test(test_a_healthy_run_has_none), cmocka_unit_test(test_the_data_first),
        cmocka_unit_test(test_clipping_bounds),        cmocka_unit_test(test_dead_units),
        cmocka_unit_test(test_rates),                  cmocka_unit_test(test_not_shuffled),
        cmocka_unit_test(test_too_deep_by_siblings),   cmocka_unit_test(test_nothing_measured),
        cmocka_unit_test(test_names),                  cmocka_unit_test(test_sorted),
        cmocka_unit_test(test_dead_of_the_rate),       cmocka_unit_test(test_while_it_learns),
        cmocka_unit_test(test_label_noise),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
