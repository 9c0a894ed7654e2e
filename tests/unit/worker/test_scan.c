/* Findings of small tables: what is listed, what is counted, and where people are sent. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "worker/data/scan.h"

#define ROWS 60
#define WIDTH 30

struct fixture {
    float values[ROWS * WIDTH];
    uint16_t labels[ROWS];
    struct samples samples;
    struct settings settings;
    struct split split;
    struct record_prepared prepared;
};

/* 40 rows to train on, 15 to validate with, 5 to test with; all different; classes 0, 1, 2 in
 * turn. */
static int setup(void **state)
{
    struct fixture *x = calloc(1, sizeof *x);
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        x->values[i] = (float)i;
    for (size_t i = 0; i < ROWS; i++)
        x->labels[i] = (uint16_t)(i % 3);
    x->samples = (struct samples){.type = SAMPLES_F32, .count = ROWS, .parts = {40, 15, 5},
                                  .shape = {.rank = 1, .dim = {WIDTH}}, .features = WIDTH,
                                  .classes = 3, .outputs = 1, .values = x->values,
                                  .labels = x->labels};
    *state = x;
    return 0;
}

static int teardown(void **state)
{
    free(*state);
    return 0;
}

static void scan(struct fixture *x)
{
    memset(&x->prepared, 0, sizeof x->prepared);
    scan_samples(&x->samples, &x->prepared);
    assert_int_equal(split_init(&x->split, &x->samples, &x->settings, 1, NULL), 0);
    scan_split(&x->samples, &x->split, &x->settings, &x->prepared);
    split_finish(&x->split);
}

static size_t listed(const struct fixture *x, const char *kind)
{
    size_t count = 0;
    for (size_t i = 0; i < x->prepared.finding_count; i++)
        count += strcmp(x->prepared.findings[i].kind, kind) == 0;
    return count;
}

/* The nth finding of a kind, from 0. */
static const struct record_finding *finding(const struct fixture *x, const char *kind, size_t n)
{
    for (size_t i = 0; i < x->prepared.finding_count; i++) {
        if (strcmp(x->prepared.findings[i].kind, kind) == 0 && n-- == 0)
            return &x->prepared.findings[i];
    }
    fail_msg("no %s", kind);
    return NULL;
}

static void expect(const struct fixture *x, const char *kind, size_t n, int64_t row,
                   int64_t column, int64_t count, const char *text)
{
    const struct record_finding *f = finding(x, kind, n);
    if (f->row != row || f->column != column || f->count != count || strcmp(f->text, text) != 0)
        fail_msg("row %d, column %d, count %d, \"%s\"", (int)f->row, (int)f->column,
                 (int)f->count, f->text);
}

#define CONSTANT " in every row of the training part"

static void test_nothing(void **state)
{
    struct fixture *x = *state;
    scan(x);
    assert_int_equal(x->prepared.finding_count, 0);
    x->settings.v[SETTING_SCALE] = SCALE_STANDARD;
    scan(x);
    assert_int_equal(x->prepared.finding_count, 0);
}

/* Rows are counted in their own file. */
static void test_raw(void **state)
{
    struct fixture *x = *state;
    x->values[7 * WIDTH + 2] = NAN;
    x->values[41 * WIDTH + 29] = -INFINITY;
    x->values[59 * WIDTH] = NAN;
    x->settings.v[SETTING_SCALE] = SCALE_MIN_MAX; /* they are not listed a second time */
    scan(x);
    assert_int_equal(x->prepared.finding_count, 3);
    expect(x, "nan_in_input", 0, 8, 3, 2, "not a number at row 8, column 3 of the training file");
    expect(x, "inf_in_input", 0, 2, 30, 1, "infinite at row 2, column 30 of the validation file");
    expect(x, "nan_in_input", 1, 5, 1, 2, "not a number at row 5, column 1 of the test file");
}

/* A constant column is 0 after scaling, and said. */
static void test_after_scaling(void **state)
{
    struct fixture *x = *state;
    for (size_t i = 0; i < 40; i++)
        x->values[i * WIDTH + 4] = 9;
    x->settings.v[SETTING_SCALE] = SCALE_STANDARD;
    scan(x);
    assert_int_equal(x->prepared.finding_count, 1);
    expect(x, "constant_column", 0, 0, 5, 1, "column 5 is 9" CONSTANT);
}

static void test_numbers_too_large_to_scale(void **state)
{
    struct fixture *x = *state;
    for (size_t i = 0; i < 40; i++)
        x->values[i * WIDTH] = i % 2 ? 1e-30f : 0;
    x->values[57 * WIDTH] = 1e30f;
    x->settings.v[SETTING_SCALE] = SCALE_MIN_MAX;
    scan(x);
    expect(x, "nan_after_scaling", 0, 3, 1, 1,
           "infinite after scaling: row 3, column 1 of the test file (too large)");
}

/* All that can be wrong at once: each kind keeps its room, counts are of all. */
static void test_room_for_all(void **state)
{
    struct fixture *x = *state;
    for (size_t i = 0; i < 40; i++) {
        for (size_t j = 0; j < WIDTH; j++)
            x->values[i * WIDTH + j] = j < 4 ? NAN : j < 8 ? INFINITY : 3;
    }
    for (size_t j = 0; j < WIDTH; j++)
        x->values[44 * WIDTH + j] = x->values[45 * WIDTH + j] = x->values[46 * WIDTH + j] =
            x->values[j];
    for (size_t i = 0; i < 40; i++)
        x->labels[i] = i == 7;
    x->settings.v[SETTING_SCALE] = SCALE_STANDARD;
    scan(x);
    assert_true(x->prepared.finding_count < RECORD_FINDINGS_MAX);
    assert_int_equal(listed(x, "nan_in_input"), 100);
    assert_int_equal(finding(x, "nan_in_input", 0)->count, 43 * 4);
    assert_int_equal(listed(x, "inf_in_input"), 100);
    assert_int_equal(listed(x, "nan_after_scaling"), 0);
    assert_int_equal(listed(x, "constant_column"), 20);
    assert_int_equal(finding(x, "constant_column", 0)->count, 22);
    expect(x, "class_only_in_validation", 0, 0, 0, 1,
           "class 2: 5 in the validation part, none in the training part");
    expect(x, "class_imbalance", 0, 0, 0, 1,
           "class 0 has 39 in the training part, class 1 only 1");
    expect(x, "duplicate_rows", 0, 5, 0, 3,
           "row 5 of the validation file, held out, is the same as row 1 of the training file, "
           "trained on");
}

/* The file has one class after the other (G1.3). */
static void test_order_of_the_classes(void **state)
{
    struct fixture *x = *state;
    for (size_t i = 0; i < 40; i++)
        x->labels[i] = (uint8_t)(i * 3 / 40);
    scan(x);
    expect(x, "sorted_targets", 0, 0, 0, 1,
           "the training part is in the order of its classes: shuffle it (G1.3)");
    for (size_t i = 0; i < 40; i++)
        x->labels[i] = (uint8_t)(i % 3); /* never the same twice running: mixed well enough */
    scan(x);
    assert_int_equal(x->prepared.finding_count, 0);
}

static void test_constant_columns_look_past_holes(void **state)
{
    struct fixture *x = *state;
    for (size_t i = 0; i < 40; i++)
        x->values[i * WIDTH + 1] = i < 39 ? NAN : 5; /* one number: constant */
    for (size_t i = 0; i < 40; i++)
        x->values[i * WIDTH + 2] = NAN;              /* none: listed as holes */
    x->settings.v[SETTING_ON_NAN] = ON_NAN_IMPUTE;
    scan(x);
    assert_int_equal(listed(x, "constant_column"), 1);
    expect(x, "constant_column", 0, 0, 2, 1, "column 2 is 5" CONSTANT);
}

static void test_duplicates(void **state)
{
    struct fixture *x = *state;
    x->samples.features = WIDTH - 1; /* rows end within a word of the hash */
    x->samples.shape.dim[0] = WIDTH - 1;
    size_t width = x->samples.features;
    memcpy(x->values + 54 * width, x->values + 12 * width, width * sizeof *x->values);
    memcpy(x->values + 55 * width, x->values + 13 * width, width * sizeof *x->values); /* test */
    memcpy(x->values + 3 * width, x->values + 2 * width, width * sizeof *x->values); /* training */
    scan(x);
    assert_int_equal(x->prepared.finding_count, 1);
    expect(x, "duplicate_rows", 0, 15, 0, 1,
           "row 15 of the validation file, held out, is the same as row 13 of the training file, "
           "trained on");
    x->values[54 * width + width - 1] += 1;
    scan(x);
    assert_int_equal(x->prepared.finding_count, 0);
    /* All rows the same: no probe goes on and on. */
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        x->values[i] = 1;
    scan(x);
    assert_int_equal(finding(x, "duplicate_rows", 0)->count, 15);
}

/* Bytes, drawn validation rows, labels of steps. */
static void test_drawn_part_of_bytes(void **state)
{
    struct fixture *x = *state;
    uint8_t bytes[40 * 2];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(i % 2 ? 200 : i);
    memset(x->labels, 0, sizeof x->labels);
    x->labels[1] = 1;
    x->samples = (struct samples){.type = SAMPLES_U8, .count = 40, .parts = {40},
                                  .shape = {.rank = 2, .dim = {2, 1}}, .features = 2, .classes = 2,
                                  .outputs = 1, .values = bytes, .labels = x->labels};
    x->settings.v[SETTING_VALIDATION] = 10;
    x->settings.v[SETTING_STRATIFY] = 1;
    scan(x);
    assert_int_equal(x->prepared.finding_count, 2);
    expect(x, "constant_column", 0, 0, 2, 1, "column 2 is 200" CONSTANT);
    expect(x, "class_imbalance", 0, 0, 0, 1,
           "class 0 has 29 in the training part, class 1 only 1");
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_nothing),
        CASE(test_raw),
        CASE(test_after_scaling),
        CASE(test_numbers_too_large_to_scale),
        CASE(test_room_for_all),
        CASE(test_order_of_the_classes),
        CASE(test_constant_columns_look_past_holes),
        CASE(test_duplicates),
        CASE(test_drawn_part_of_bytes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
