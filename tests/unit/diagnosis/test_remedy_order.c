/* Which remedies answer which label, and in which order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/causes/remedy.h"
#include "sweep/require.h"

static const char *names_of(enum pattern p, enum cause_id cause)
{
    static char out[512];
    enum remedy list[REMEDIES_MAX];
    size_t count = remedies_of(p, cause, list), n = 0;
    out[0] = '\0';
    assert_true(count <= REMEDIES_MAX);
    for (size_t i = 0; i < count; i++)
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%s", i ? " " : "", remedy_name(list[i]));
    return out;
}

/* docs/patterns.md, row by row: the guide's, then ours. */
static void test_patterns(void **state)
{
    static const struct {
        enum pattern pattern;
        const char *remedies;
    } rows[] = {
        {PATTERN_LEARNING, "more_epochs"},
        {PATTERN_OVERFITTING, "l2 more_dropout early_stopping ema mixup"},
        {PATTERN_OVERFITTING_RISING, "early_stopping l2 more_dropout smaller_net ema mixup"},
        {PATTERN_DATASET_PROBLEM, "larger_validation"},
        {PATTERN_BOTTLENECK, "learning_rate_up other_optimizer learning_rate_down batch_down "
                             "initialisation batch_norm"},
        {PATTERN_CONVERGED, "sgd_last cosine learning_rate_down"},
        {PATTERN_TRAIN_ABOVE_VAL, "eval_train larger_validation"},
        {PATTERN_DROPOUT_TOO_STRONG, "no_dropout less_dropout"},
        {PATTERN_TRAIN_RISING, "cosine learning_rate_down early_stopping"},
        {PATTERN_DIVERGING, "one_layer_fewer learning_rate_down clip_by_norm scale_input"},
        {PATTERN_SLOW_RISE, "learning_rate_down early_stopping"},
        {PATTERN_OSCILLATING,
         "more_dense batch_up shuffle learning_rate_down larger_validation mixup ema"},
        {PATTERN_NOT_A_NUMBER, "impute pre_train clip_and_l2 other_activation batch_norm lstm "
                               "residual one_layer_fewer learning_rate_down"},
        {PATTERN_TOO_SHORT, "more_epochs"},
    };
    assert_int_equal(ARRAY_LEN(rows), PATTERN_COUNT);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        assert_string_equal(names_of(rows[i].pattern, CAUSE_UNKNOWN), rows[i].remedies);
        assert_string_equal(names_of(rows[i].pattern, CAUSE_COUNT), rows[i].remedies);
    }
}

static void test_the_cause_first(void **state)
{
    assert_string_equal(names_of(PATTERN_DIVERGING, CAUSE_EXPLODING_GRADIENT),
                        "pre_train clip_and_l2 other_activation batch_norm lstm residual "
                        "one_layer_fewer learning_rate_down clip_by_norm scale_input");
    assert_string_equal(names_of(PATTERN_NONE, CAUSE_NOT_SHUFFLED), "shuffle");
    assert_string_equal(names_of(PATTERN_NONE, CAUSE_UNKNOWN), "");
}

/* What a cause says is not undone for the pattern's sake. */
static void test_no_opposites(void **state)
{
    enum remedy list[REMEDIES_MAX];
    for (int p = PATTERN_NONE; p < PATTERN_COUNT; p++) {
        size_t count = remedies_of((enum pattern)p, CAUSE_LEARNING_RATE_TOO_SMALL, list);
        assert_int_equal(list[0], REMEDY_LEARNING_RATE_UP);
        for (size_t i = 1; i < count; i++)
            assert_int_not_equal(list[i], REMEDY_LEARNING_RATE_DOWN);
        count = remedies_of((enum pattern)p, CAUSE_OVERCAPACITY, list);
        for (size_t i = 0; i < count; i++)
            assert_true(list[i] != REMEDY_MORE_DENSE && list[i] != REMEDY_LARGER_NET);
    }
}

/* A treatment that helped: its step once more where that is one, then the parent's other remedies. */
static void test_after_a_treatment(void **state)
{
    enum remedy list[REMEDIES_MAX];
    struct remedy_past past = {REMEDY_LEARNING_RATE_UP, CAUSE_LEARNING_RATE_TOO_SMALL, true};
    assert_true(remedies_next(PATTERN_LEARNING, CAUSE_UNKNOWN, &past, list) > 1);
    assert_int_equal(list[0], REMEDY_LEARNING_RATE_UP);
    past.helped = false;
    remedies_next(PATTERN_LEARNING, CAUSE_UNKNOWN, &past, list);
    assert_int_equal(list[0], REMEDY_MORE_EPOCHS); /* the pattern's own */
    past.helped = true; /* it has a cause of its own now: that comes first */
    remedies_next(PATTERN_LEARNING, CAUSE_NOT_SHUFFLED, &past, list);
    assert_int_equal(list[0], REMEDY_SHUFFLE);
    past = (struct remedy_past){REMEDY_BATCH_NORM, CAUSE_TOO_DEEP, true}; /* is no step */
    remedies_next(PATTERN_LEARNING, CAUSE_UNKNOWN, &past, list);
    assert_int_equal(list[0], REMEDY_OTHER_ACTIVATION);
}

/* Whatever the label: something can be tried, and nothing is named twice. */
static void test_every_label(void **state)
{
    enum remedy list[REMEDIES_MAX];
    for (int p = 0; p < PATTERN_COUNT; p++) {
        for (int c = 0; c <= CAUSE_COUNT; c++) {
            bool seen[REMEDY_COUNT] = {false};
            size_t count = remedies_of((enum pattern)p, (enum cause_id)c, list);
            assert_true(count > 0 && count <= REMEDIES_MAX);
            for (size_t i = 0; i < count; i++) {
                assert_false(seen[list[i]]);
                seen[list[i]] = true;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_patterns),
        cmocka_unit_test(test_after_a_treatment),
        cmocka_unit_test(test_the_cause_first),
        cmocka_unit_test(test_no_opposites),
        cmocka_unit_test(test_every_label),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
