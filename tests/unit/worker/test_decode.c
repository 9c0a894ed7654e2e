/* Tables of parts become samples: the task, classes, agreement between files. No file is read. */
#include <float.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/err.h"
#include "worker/data/decode.h"

#define TARGETS 16

struct fixture {
    struct source source;
    struct spec_data data;
    struct table tables[PART_COUNT];
    struct decoded out;
    struct errbuf err;
};

static int setup(void **state)
{
    static const char *const paths[] = {"/d/train.csv", "/d/valid.csv", "/d/test.csv"};
    struct fixture *x = calloc(1, sizeof *x);
    x->source.format = x->data.format = FORMAT_CSV;
    for (size_t i = 0; i < PART_COUNT; i++)
        strcpy(x->source.files[SOURCE_SAMPLES(i)].path, paths[i]);
    strcpy(x->data.path, paths[0]);
    strcpy(x->data.validation_path, paths[1]);
    strcpy(x->data.test_path, paths[2]);
    *state = x;
    return 0;
}

static void clear(struct fixture *x)
{
    for (size_t i = 0; i < PART_COUNT; i++)
        table_finish(&x->tables[i]);
    decode_finish(&x->out);
}

static int teardown(void **state)
{
    clear(*state);
    free(*state);
    return 0;
}

/* Samples of two features, numbered through, with these targets; `outputs` for each. */
static void put(struct fixture *x, enum samples_part part, size_t count, size_t outputs,
                const double *targets)
{
    struct table *t = &x->tables[part];
    table_finish(t);
    *t = (struct table){.type = SAMPLES_F32, .count = count, .outputs = outputs,
                        .shape = {.rank = 1, .dim = {2}}};
    float *values = malloc(2 * count * sizeof *values);
    for (size_t i = 0; i < 2 * count; i++)
        values[i] = (float)(100 * part + i);
    t->values = values;
    t->targets = malloc(count * outputs * sizeof *t->targets);
    memcpy(t->targets, targets, count * outputs * sizeof *targets);
}

static void put_bytes(struct fixture *x, enum samples_part part, const uint8_t *bytes)
{
    struct table *t = &x->tables[part];
    free(t->values);
    t->type = SAMPLES_U8;
    t->values = malloc(2 * t->count);
    memcpy(t->values, bytes, 2 * t->count);
}

static void put_names(struct fixture *x, enum samples_part part, size_t count,
                      const char *const *names)
{
    struct table *t = &x->tables[part];
    t->class_names = count;
    t->class_name = calloc(count, sizeof *t->class_name);
    for (size_t i = 0; i < count; i++)
        strcpy(t->class_name[i], names[i]);
}

static int decode(struct fixture *x)
{
    decode_finish(&x->out);
    memset(&x->err, 0, sizeof x->err);
    return decode_tables(&x->source, &x->data, x->tables, &x->out, &x->err);
}

static void expect_decoded(struct fixture *x, size_t classes)
{
    if (decode(x) != 0)
        fail_msg("refused: %s", x->err.message);
    assert_int_equal(x->out.samples.classes, classes);
    assert_true((x->out.samples.labels != NULL) == (classes > 0));
    assert_true((x->out.samples.targets != NULL) == (classes == 0));
}

static void expect_refused(struct fixture *x, int code, const char *key, const char *value,
                           const char *words)
{
    assert_int_equal(decode(x), code);
    assert_string_equal(x->err.key, key);
    assert_string_equal(x->err.value, value);
    assert_true(x->err.allowed[0]);
    if (!strstr(x->err.message, words))
        fail_msg("message \"%s\" does not say \"%s\"", x->err.message, words);
    assert_null(x->out.values);
}

static void test_parts_are_joined(void **state)
{
    struct fixture *x = *state;
    put(x, PART_TRAIN, 3, 1, (const double[]){0, 1, 2});
    put(x, PART_VALIDATION, 2, 1, (const double[]){2, 0});
    put(x, PART_TEST, 1, 1, (const double[]){1});
    expect_decoded(x, 3);
    const struct samples *s = &x->out.samples;
    static const float want[12] = {0, 1, 2, 3, 4, 5, 100, 101, 102, 103, 200, 201};
    static const uint16_t labels[6] = {0, 1, 2, 2, 0, 1};
    assert_true(s->count == 6 && s->features == 2 && s->outputs == 1 && s->shape.rank == 1);
    assert_true(s->parts[0] == 3 && s->parts[1] == 2 && s->parts[2] == 1);
    assert_memory_equal(s->values, want, sizeof want);
    assert_memory_equal(s->labels, labels, sizeof labels);
}

static void test_task_of_its_own(void **state)
{
    static const struct {
        double targets[3];
        size_t classes;
    } cases[] = {
        {{0, 1, 999}, 0},   {{0, 1, 1}, 2},      {{0, 1.5, 1}, 0}, {{-1, 1, 1}, 2},
        {{-1, -1, -1}, 1},  {{-1, 0, 1}, 3},     {{-2, 2, 2}, 2},  {{1, 2, 3}, 3},
        {{5, 5, 5}, 1},     {{0, 1e30, 1}, 0},   {{-2, 0, 2}, 0},  {{1, 2, 4}, 3},
        {{70000, 80000, 70000}, 2},
    };
    struct fixture *x = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        put(x, PART_TRAIN, 3, 1, cases[i].targets);
        expect_decoded(x, cases[i].classes);
        for (size_t j = 0; cases[i].classes == 0 && j < 3; j++)
            assert_true(x->out.samples.targets[j] == (float)cases[i].targets[j]);
    }
}

/* rows targets, of which number i is of(i). */
static void expect_task(struct fixture *x, size_t rows, double (*of)(size_t i), size_t classes,
                        const char *words)
{
    double *targets = malloc(rows * sizeof *targets);
    for (size_t i = 0; i < rows; i++)
        targets[i] = of(i);
    put(x, PART_TRAIN, rows, 1, targets);
    free(targets);
    expect_decoded(x, classes);
    const struct notes *n = &x->out.notes;
    assert_int_equal(n->count, 1);
    assert_string_equal(n->note[0].key, "data.task");
    if (!strstr(n->note[0].text, words))
        fail_msg("\"%s\" does not say \"%s\"", n->note[0].text, words);
}

static double letters(size_t i) { return (double)(i * 7919 % 26 + 1); }
static double hundred(size_t i) { return (double)(i % 100); }
static double every(size_t i) { return (double)i; }
static double thousands(size_t i) { return 1000 * (double)(i * 31 % 599 + 50); }
static double ages(size_t i) { return (double)(17 + i % 60); }
static double ages_of_all(size_t i) { return i % 50 == 0 ? (double)(i / 50 % 99) : (double)(i % 40); }
static double counts(size_t i) { return (double)((i % 31) * (i % 31)); }
static double stars(size_t i) { return (double)(1 + i * i % 5); }
static double quality(size_t i) { return (double)(3 + i % 7); }
static double glass(size_t i) { return (double)(i % 6 < 3 ? i % 6 + 1 : i % 6 + 2); }
static double status(size_t i) { return (const double[]){200, 301, 404, 500}[i % 4]; }
static double years(size_t i) { return (double)(1990 + i % 30); }
static double below(size_t i) { return (double)(i % 9) - 4; }
static double noise(size_t i) { return (double)(i % 6) - 1; }
static double months(size_t i) { return (double)(1 + i % 12); }
static double tail(size_t i) { return i < 990 ? (double)(i % 9) : (double)(i - 981); }
static double rare(size_t i) { return i % 20 == 0 ? (double)(i / 20 % 15) : (double)(i % 3); }
static double deciles(size_t i) { return 10 * (double)(i % 15); }

/* Codes of classes begin at 0 or 1, leave nothing out and have their rows each. */
static void test_task_of_whole_numbers(void **state)
{
    static const struct {
        size_t rows;
        double (*of)(size_t i);
        size_t classes;
        const char *words;
    } cases[] = {
        {2600, letters, 26, "classification: 26 whole numbers from 1 to 26"},
        {5000, hundred, 100, "classification: 100"},
        {200, hundred, 0, "few rows for each"},
        {600, every, 0, "regression: 600 different whole numbers from 0 to 599 in 600 rows"},
        {600, thousands, 0, "regression: 599 different"},
        {4000, ages, 0, "or not from 0 or 1"},
        {6000, ages_of_all, 0, "rarer than others"},
        {4000, counts, 0, "with gaps"},
        {500, stars, 3, "classification: 3"},
        {1600, quality, 7, "classification: 7"},
        {214, glass, 6, "classification: 6"},
        {400, status, 4, "classification: 4"},
        {40, status, 0, "far apart"},
        {3000, years, 0, "with gaps"},
        {3000, below, 0, "below -1"},
        {600, noise, 6, "classification: 6"},
        {600, months, 12, "classification: 12"},
        {1000, tail, 0, "rarer than others"},
        {6000, rare, 15, "classification: 15"},
        {1500, deciles, 0, "with gaps"},
        {10, every, 0, "few rows for each"},
        {1500, every, 0, "more than 1000"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        expect_task(*state, cases[i].rows, cases[i].of, cases[i].classes, cases[i].words);
}

/* A 1 among zeros in every row is a class each, also one that no row of a part has. */
static void test_one_hot_targets(void **state)
{
    struct fixture *x = *state;
    const double hot[] = {0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0}, not_hot[] = {0, 1, 1, 0};
    put(x, PART_TRAIN, 3, 4, hot);
    put(x, PART_TEST, 1, 4, (const double[]){0, 0, 0, 1});
    expect_decoded(x, 4);
    static const uint16_t labels[] = {1, 1, 2, 3};
    assert_int_equal(x->out.samples.outputs, 1);
    assert_memory_equal(x->out.samples.labels, labels, sizeof labels);
    assert_string_equal(x->out.notes.note[0].text, "classification: 4 one-hot targets");
    put(x, PART_TRAIN, 3, 4, hot);
    put(x, PART_TEST, 1, 4, not_hot);
    expect_refused(x, ERR_DATA, "$.data.test_path", "/d/test.csv", "some targets are not one-hot");
    x->data.task = TASK_REGRESSION;
    put(x, PART_TRAIN, 3, 4, hot);
    expect_decoded(x, 0);
    assert_int_equal(x->out.samples.outputs, 4);
    x->data.task = TASK_AUTO;
    table_finish(&x->tables[PART_TEST]);
    put(x, PART_TRAIN, 3, 4, hot);
    x->tables[PART_TRAIN].targets[0] = 0.5;
    expect_decoded(x, 0);
}

static void test_task_as_told(void **state)
{
    struct fixture *x = *state;
    x->data.task = TASK_REGRESSION;
    put(x, PART_TRAIN, 3, 1, (const double[]){0, 1, 2});
    expect_decoded(x, 0);
    x->data.task = TASK_CLASSIFICATION;
    put(x, PART_TRAIN, 4, 1, (const double[]){70000, -3, 12, -3});
    expect_decoded(x, 3);
    static const uint16_t labels[4] = {2, 0, 1, 0};
    assert_memory_equal(x->out.samples.labels, labels, sizeof labels);
    put(x, PART_TRAIN, 3, 1, (const double[]){0, 1, 0.5});
    expect_refused(x, ERR_DATA, "$.data.task", "classification", "/d/train.csv: sample 3 has 0.5");

    double many[SAMPLES_CLASSES_MAX + 1];
    for (size_t i = 0; i <= SAMPLES_CLASSES_MAX; i++)
        many[i] = (double)i;
    put(x, PART_TRAIN, SAMPLES_CLASSES_MAX, 1, many);
    expect_decoded(x, SAMPLES_CLASSES_MAX);
    put(x, PART_TRAIN, SAMPLES_CLASSES_MAX + 1, 1, many);
    expect_refused(x, ERR_LIMIT, "$.data.task", "classification", "at most 1000 classes");
}

static void test_label_of_no_class(void **state)
{
    struct fixture *x = *state;
    put(x, PART_TRAIN, 3, 1, (const double[]){1, 2, 4});
    put(x, PART_VALIDATION, 2, 1, (const double[]){2, 3});
    expect_refused(x, ERR_DATA, "$.data.validation_path", "/d/valid.csv",
                   "/d/valid.csv: sample 2 has the label 3; the classes of /d/train.csv are 1, 2, 4");
    put(x, PART_VALIDATION, 2, 1, (const double[]){2, 4});
    put(x, PART_TEST, 1, 1, (const double[]){2.5});
    expect_refused(x, ERR_DATA, "$.data.test_path", "/d/test.csv", "label 2.5");

    /* Labels of IDX files keep their numbers; one beyond them has no output. */
    x->source.format = FORMAT_IDX;
    put(x, PART_TEST, 1, 1, (const double[]){0});
    expect_decoded(x, 5);
    assert_int_equal(x->out.samples.labels[2], 4);
    /* … and if they cannot be places, they are codes as any. */
    put(x, PART_TRAIN, 3, 1, (const double[]){-5, 70000, -5});
    put(x, PART_VALIDATION, 1, 1, (const double[]){70000});
    put(x, PART_TEST, 1, 1, (const double[]){-5});
    expect_decoded(x, 2);
    put(x, PART_TEST, 1, 1, (const double[]){0});
    put(x, PART_TRAIN, 3, 1, (const double[]){1, 20, 4});
    put(x, PART_VALIDATION, 1, 1, (const double[]){21});
    expect_refused(x, ERR_DATA, "$.data.validation_path", "/d/valid.csv", "(21 in all)");

    /* A part that lies in the training part's file. */
    x->source.format = FORMAT_NPZ;
    x->data.task = TASK_CLASSIFICATION;
    x->source.files[SOURCE_SAMPLES(PART_VALIDATION)].path[0] = '\0';
    expect_refused(x, ERR_DATA, "$.data.path", "/d/train.csv",
                   "/d/train.csv (validation part): sample 1 has the label 21; the classes of "
                   "/d/train.csv are");
}

static void test_names(void **state)
{
    static const char *const animals[] = {"cat", "dog", "eel"}, *const others[] = {"cat", "cow"};
    struct fixture *x = *state;
    put(x, PART_TRAIN, 3, 1, (const double[]){2, 1, 0});
    put_names(x, PART_TRAIN, 3, animals);
    put(x, PART_TEST, 1, 1, (const double[]){2});
    put_names(x, PART_TEST, 3, animals);
    expect_decoded(x, 3);
    assert_int_equal(x->out.samples.labels[3], 2);
    put(x, PART_TRAIN, 3, 1, (const double[]){2, 1, 0});
    put_names(x, PART_TRAIN, 3, animals);
    put(x, PART_TEST, 1, 1, (const double[]){1});
    put_names(x, PART_TEST, 2, others);
    expect_refused(x, ERR_DATA, "$.data.test_path", "/d/test.csv", "other classes");
    put(x, PART_TEST, 1, 1, (const double[]){1});
    expect_refused(x, ERR_DATA, "$.data.test_path", "/d/test.csv", "targets are numbers, but");
    x->data.task = TASK_REGRESSION;
    table_finish(&x->tables[PART_TEST]);
    expect_refused(x, ERR_DATA, "$.data.task", "regression", "/d/train.csv has names: cat");
}

static void test_files_must_agree(void **state)
{
    struct fixture *x = *state;
    put(x, PART_TRAIN, 2, 1, (const double[]){0, 1});
    put(x, PART_VALIDATION, 2, 1, (const double[]){0, 1});
    x->tables[PART_VALIDATION].shape = (struct shape){.rank = 2, .dim = {1, 2}};
    expect_refused(x, ERR_DATA, "$.data.validation_path", "/d/valid.csv",
                   "samples of shape [1, 2], but those of /d/train.csv are [2]");
    put(x, PART_VALIDATION, 1, 2, (const double[]){0, 1});
    expect_refused(x, ERR_DATA, "$.data.validation_path", "/d/valid.csv", "2 targets a sample");
    x->tables[PART_VALIDATION].outputs = 0;
    expect_refused(x, ERR_MISSING, "$.data.validation_path", "/d/valid.csv", "no targets");
}

static void test_targets_must_be_numbers(void **state)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY, 1e39};
    struct fixture *x = *state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        put(x, PART_TRAIN, 3, 1, (const double[]){0, 1, bad[i]});
        expect_refused(x, ERR_DATA, "$.data.path", "/d/train.csv", "the target of sample 3 is");
    }
    put(x, PART_TRAIN, 2, 1, (const double[]){-(double)FLT_MAX, 0.5});
    expect_decoded(x, 0);
}

/* One label for each step, or several values; nothing else. */
static void test_several_targets(void **state)
{
    struct fixture *x = *state;
    put(x, PART_TRAIN, 2, 2, (const double[]){0, 1, 2, 0});
    expect_decoded(x, 0);
    assert_int_equal(x->out.samples.outputs, 2);
    assert_true(x->out.samples.targets[2] == 2);
    put(x, PART_TRAIN, 2, 2, (const double[]){0, 1, 2, 0});
    x->data.task = TASK_CLASSIFICATION;
    expect_refused(x, ERR_DATA, "$.data.task", "classification", "one for each of its steps");
    x->tables[PART_TRAIN].shape = (struct shape){.rank = 2, .dim = {2, 1}};
    expect_decoded(x, 3);
    static const uint16_t labels[4] = {0, 1, 2, 0};
    assert_memory_equal(x->out.samples.labels, labels, sizeof labels);
}

/* Bytes beside floats stand for 0..1, as they do alone. */
static void test_types_are_unified(void **state)
{
    static const uint8_t bytes[4] = {0, 51, 102, 255};
    struct fixture *x = *state;
    put(x, PART_TRAIN, 2, 1, (const double[]){0, 1});
    put(x, PART_TEST, 2, 1, (const double[]){0, 1});
    put_bytes(x, PART_TRAIN, bytes);
    put_bytes(x, PART_TEST, bytes);
    expect_decoded(x, 2);
    assert_int_equal(x->out.samples.type, SAMPLES_U8);
    assert_memory_equal((const char *)x->out.samples.values + 4, bytes, 4);
    put(x, PART_TRAIN, 2, 1, (const double[]){0, 1});
    put(x, PART_TEST, 2, 1, (const double[]){0, 1});
    put_bytes(x, PART_TRAIN, bytes);
    expect_decoded(x, 2);
    assert_int_equal(x->out.samples.type, SAMPLES_F32);
    const float *values = x->out.samples.values;
    assert_true(values[0] == 0 && fabsf(values[1] - 0.2f) < 1e-7f && values[3] == 1);
    assert_true(values[4] == 200);
}

/* Sizes that no machine has, in tables that have no memory of that size. */
static void test_limits(void **state)
{
    struct fixture *x = *state;
    put(x, PART_TRAIN, 1, 1, (const double[]){0});
    x->tables[PART_TRAIN].count = SAMPLES_MAX + 1;
    expect_refused(x, ERR_LIMIT, "$.data.path", "/d/train.csv", "/d/train.csv: 4294967296 samples");
    x->tables[PART_TRAIN].count = SAMPLES_MAX;
    x->tables[PART_TRAIN].shape.dim[0] = SAMPLES_FEATURES_MAX;
    expect_refused(x, ERR_LIMIT, "$.data.path", "/d/train.csv", "numbers in all");
    x->tables[PART_TRAIN].count = 1;
    x->tables[PART_TRAIN].shape.dim[0] = SAMPLES_FEATURES_MAX + 1;
    expect_refused(x, ERR_LIMIT, "$.data.path", "/d/train.csv", "allowed: 4294967295 of 16777216");
    x->tables[PART_TRAIN].count = 0;
    expect_refused(x, ERR_DATA, "$.data.path", "/d/train.csv", "no samples");
}

/* Each thing that training sees is in the hash. */
static void test_hash(void **state)
{
    struct fixture *x = *state;
    char hashes[5][65];
    for (size_t i = 0; i < 5; i++) {
        put(x, PART_TRAIN, 2, 1, (const double[]){0, i == 1 ? 0 : 1});
        put(x, PART_TEST, 2, 1, (const double[]){0, 0});
        if (i == 2)
            ((float *)x->tables[PART_TEST].values)[3] = 7;
        x->data.task = i == 3 ? TASK_REGRESSION : TASK_AUTO;
        for (size_t part = 0; i == 4 && part < PART_COUNT; part++)
            x->tables[part].shape = (struct shape){.rank = 2, .dim = {2, 1}};
        assert_int_equal(decode(x), 0);
        memcpy(hashes[i], x->out.samples.hash, sizeof hashes[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(hashes[i], hashes[j]);
    }
    x->data.task = TASK_AUTO;
    put(x, PART_TRAIN, 2, 1, (const double[]){0, 1});
    put(x, PART_TEST, 2, 1, (const double[]){0, 0});
    assert_int_equal(decode(x), 0);
    assert_string_equal(x->out.samples.hash, hashes[0]);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(test_parts_are_joined),   CASE(test_task_of_its_own),
        CASE(test_task_of_whole_numbers), CASE(test_one_hot_targets),
        CASE(test_task_as_told),       CASE(test_label_of_no_class),
        CASE(test_names),              CASE(test_files_must_agree),
        CASE(test_targets_must_be_numbers), CASE(test_several_targets),
        CASE(test_types_are_unified),  CASE(test_limits),
        CASE(test_hash),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
