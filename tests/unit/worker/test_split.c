#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/err.h"
#include "worker/data/split.h"

#define COUNT 500

static uint16_t labels[COUNT];
static float values[COUNT * 2];
static const struct samples samples = {.type = SAMPLES_F32,
                                       .count = COUNT,
                                       .parts = {COUNT},
                                       .shape = {.rank = 1, .dim = {2}},
                                       .features = 2,
                                       .classes = 1,
                                       .outputs = 1,
                                       .values = values,
                                       .labels = labels};

static int fill(void **state)
{
    for (size_t i = 0; i < COUNT * 2; i++)
        values[i] = (float)(i % 2 ? 10 : i);
    return 0;
}

/* Defaults, with validation and limit. */
static struct settings settings_of(size_t validation, size_t limit)
{
    struct settings s = {0};
    s.v[SETTING_STRATIFY] = 1;
    s.v[SETTING_VALIDATION] = (double)validation;
    s.v[SETTING_LIMIT] = (double)limit;
    return s;
}

/* Each row once, in one of the two lists, both ascending, all below limit. */
static void check_partition(const struct split *p, size_t limit)
{
    unsigned char seen[COUNT] = {0};
    for (size_t i = 0; i < p->train_count; i++) {
        assert_true(p->train[i] < limit && !seen[p->train[i]]++);
        assert_true(i == 0 || p->train[i] > p->train[i - 1]);
    }
    for (size_t i = 0; i < p->validation_count; i++) {
        assert_true(p->validation[i] < limit && !seen[p->validation[i]]++);
        assert_true(i == 0 || p->validation[i] > p->validation[i - 1]);
    }
}

static void test_partition(void **state)
{
    struct settings d = settings_of(100, 0);
    struct split p, q;
    assert_int_equal(split_init(&p, &samples, &d, 110, NULL), 0);
    assert_int_equal(p.train_count, 400);
    assert_int_equal(p.validation_count, 100);
    assert_int_equal(p.test_count, 0);
    assert_null(p.scaling.shift);
    check_partition(&p, COUNT);
    /* Drawn from everywhere, not from one end. */
    assert_true(p.validation[0] < 50 && p.validation[99] > 450);
    assert_int_equal(split_init(&q, &samples, &d, 110, NULL), 0);
    assert_memory_equal(p.validation, q.validation, 100 * sizeof *p.validation);
    split_finish(&q);
    assert_int_equal(split_init(&q, &samples, &d, 111, NULL), 0);
    assert_memory_not_equal(p.validation, q.validation, 100 * sizeof *p.validation);
    split_finish(&q);
    split_finish(&p);
}

static void test_limit_comes_first(void **state)
{
    struct settings d = settings_of(20, 60);
    struct split p;
    assert_int_equal(split_init(&p, &samples, &d, 1, NULL), 0);
    assert_int_equal(p.train_count, 40);
    check_partition(&p, 60);
    split_finish(&p);
}

static void test_nothing_left(void **state)
{
    struct settings d = settings_of(60, 60);
    struct split p = {.train_count = 77};
    struct errbuf err = {0};
    assert_int_equal(split_init(&p, &samples, &d, 1, &err), ERR_DATA);
    assert_non_null(strstr(err.message, "nothing to train on"));
    d = settings_of(60, COUNT + 1);
    assert_int_equal(split_init(&p, &samples, &d, 1, &err), ERR_DATA);
    assert_int_equal(p.train_count, 77); /* untouched */
}

/* How many rows of each class are held out. */
static void held_of(const struct samples *s, const struct split *p, size_t *out)
{
    for (size_t i = 0; i < p->validation_count; i++)
        out[s->labels[p->validation[i]]]++;
}

/* Shares of 100 out of 500: exact ones 60.2, 39.4, 0.2 and 0.2; the largest remainder is .4. */
static void test_stratified(void **state)
{
    struct samples s = samples;
    struct settings d = settings_of(100, 0);
    struct split p;
    size_t held[4] = {0};
    s.classes = 4;
    for (size_t i = 0; i < COUNT; i++)
        labels[i] = i == 499 ? 3 : i == 498 ? 2 : i < 301 ? 0 : 1;
    assert_int_equal(split_init(&p, &s, &d, 110, NULL), 0);
    check_partition(&p, COUNT);
    held_of(&s, &p, held);
    assert_int_equal(held[0], 60);
    assert_int_equal(held[1], 40);
    assert_int_equal(held[2] + held[3], 0);
    split_finish(&p);

    /* Nearly all held out: one of each class stays. */
    d = settings_of(496, 0);
    memset(held, 0, sizeof held);
    assert_int_equal(split_init(&p, &s, &d, 110, NULL), 0);
    held_of(&s, &p, held);
    assert_true(held[0] == 300 && held[1] == 196 && held[2] == 0 && held[3] == 0);
    split_finish(&p);

    /* More than that can only be had by giving up classes. */
    d = settings_of(499, 0);
    assert_int_equal(split_init(&p, &s, &d, 110, NULL), 0);
    assert_int_equal(p.train_count, 1);
    check_partition(&p, COUNT);
    split_finish(&p);

    d = settings_of(100, 0);
    d.v[SETTING_STRATIFY] = 0;
    assert_int_equal(split_init(&p, &s, &d, 110, NULL), 0);
    check_partition(&p, COUNT);
    split_finish(&p);
    memset(labels, 0, sizeof labels);
}

/* Files of their own: nothing is drawn, limit is of the training file. */
static void test_files_of_their_own(void **state)
{
    struct samples s = samples;
    struct settings d = settings_of(0, 200);
    struct split p;
    struct errbuf err = {0};
    s.parts[PART_TRAIN] = 300;
    s.parts[PART_VALIDATION] = 150;
    s.parts[PART_TEST] = 50;
    assert_int_equal(split_init(&p, &s, &d, 1, NULL), 0);
    assert_true(p.train_count == 200 && p.validation_count == 150 && p.test_count == 50);
    assert_true(p.train[199] == 199 && p.validation[0] == 300 && p.validation[149] == 449);
    assert_true(p.test[0] == 450 && p.test[49] == 499);
    split_finish(&p);

    d.v[SETTING_ON_NAN] = ON_NAN_DROP;
    values[2 * 300] = values[2 * 460 + 1] = NAN;
    assert_int_equal(split_init(&p, &s, &d, 1, NULL), 0);
    assert_true(p.validation_count == 149 && p.validation[0] == 301 && p.test_count == 49);
    split_finish(&p);

    for (size_t i = 300; i < 450; i++)
        values[2 * i] = INFINITY;
    assert_int_equal(split_init(&p, &s, &d, 1, &err), ERR_DATA);
    assert_non_null(strstr(err.message, "nothing to validate with"));
    for (size_t i = 0; i < 300; i++)
        values[2 * i] = NAN;
    assert_int_equal(split_init(&p, &s, &d, 1, &err), ERR_DATA);
    assert_non_null(strstr(err.message, "nothing to train on"));
    fill(NULL);
}

static void test_drop_and_impute(void **state)
{
    struct settings d = settings_of(1, 5);
    struct split p;
    d.v[SETTING_ON_NAN] = ON_NAN_DROP;
    values[2 * 2] = NAN;
    values[2 * 3 + 1] = INFINITY;
    assert_int_equal(split_init(&p, &samples, &d, 1, NULL), 0);
    assert_int_equal(p.train_count, 2); /* rows 0, 1, 4 less one held out */
    assert_null(p.scaling.fill);
    split_finish(&p);

    d.v[SETTING_ON_NAN] = ON_NAN_IMPUTE;
    assert_int_equal(split_init(&p, &samples, &d, 1, NULL), 0);
    assert_int_equal(p.train_count, 4);
    const float *mean = p.scaling.fill;
    double sum = 0, count = 0;
    for (size_t i = 0; i < 4; i++) {
        if (p.train[i] != 2) {
            sum += (double)values[2 * p.train[i]];
            count++;
        }
    }
    assert_true(fabs((double)mean[0] - sum / count) < 1e-6);
    assert_true(mean[1] == 10);
    const uint32_t rows[3] = {2, 3, 4};
    uint16_t y[3];
    float x[6];
    samples_gather(&samples, rows, 3, &p.scaling, x, y, NULL);
    assert_true(x[0] == mean[0] && x[1] == 10 && x[2] == 6 && x[3] == 10 && x[4] == 8);
    samples_gather(&samples, rows, 3, NULL, x, y, NULL);
    assert_true(isnan(x[0]) && isinf(x[3]));
    split_finish(&p);
    fill(NULL);
}

/* --- scaling: every row but the last is trained on, which no scaling may look at -------------- */

#define ROWS 7
#define WIDTH 12

static float table[ROWS * WIDTH];
static uint16_t table_labels[ROWS];

static struct samples shaped(size_t rank, size_t a, size_t b, size_t c)
{
    for (size_t i = 0; i < ROWS * WIDTH; i++)
        table[i] = (float)sin((double)i) * 3 + (float)(i % WIDTH) * 1000;
    for (size_t j = 0; j < WIDTH; j++)
        table[(ROWS - 1) * WIDTH + j] = 1e6f;
    return (struct samples){.type = SAMPLES_F32, .count = ROWS, .parts = {ROWS - 1, 1},
                            .shape = {.rank = rank, .dim = {a, b, c}}, .features = WIDTH,
                            .classes = 1, .outputs = 1, .values = table, .labels = table_labels};
}

static struct settings scaled(enum scale scale, enum on_nan on_nan)
{
    struct settings d = settings_of(0, 0);
    d.v[SETTING_SCALE] = scale;
    d.v[SETTING_ON_NAN] = on_nan;
    return d;
}

/* Of the finite numbers of columns first, first + stride, … in two passes in long double. */
static void naive(size_t first, size_t stride, size_t count, double *mean, double *sd, double *low,
                  double *high)
{
    long double sum = 0, square = 0, n = 0;
    *low = INFINITY;
    *high = -INFINITY;
    for (int pass = 0; pass < 2; pass++) {
        for (size_t i = 0; i < (ROWS - 1) * count; i++) {
            double x = (double)table[i / count * WIDTH + first + i % count * stride];
            if (!isfinite(x))
                continue;
            if (pass == 0) {
                sum += x;
                n++;
                *low = fmin(*low, x);
                *high = fmax(*high, x);
            } else {
                square += (x - sum / n) * (x - sum / n);
            }
        }
    }
    *mean = (double)(sum / n);
    *sd = (double)sqrtl(square / n);
}

static void expect_near(double got, double want)
{
    if (!(fabs(got - want) <= 2e-7 * fabs(want) + 1e-30))
        fail_msg("%.9g, expected %.9g", got, want);
}

static void check_scaling(const struct scaling *g, enum scale kind, size_t first, size_t stride,
                          size_t count)
{
    double mean, sd, low, high;
    naive(first, stride, count, &mean, &sd, &low, &high);
    for (size_t i = 0; i < count; i++) {
        size_t j = first + i * stride;
        expect_near((double)g->shift[j], kind == SCALE_STANDARD ? mean : low);
        expect_near((double)g->scale[j], 1 / (kind == SCALE_STANDARD ? sd : high - low));
    }
}

static void test_scaling(void **state)
{
    for (int kind = SCALE_STANDARD; kind <= SCALE_MIN_MAX; kind++) {
        struct settings d = scaled((enum scale)kind, ON_NAN_HOLD);
        struct split p;
        struct samples s = shaped(1, WIDTH, 0, 0);
        table[3] = NAN;
        table[2 * WIDTH + 3] = -INFINITY;
        table[0] = 1e20f; /* the first row is the origin of the sums */
        assert_int_equal(split_init(&p, &s, &d, 1, NULL), 0);
        assert_null(p.scaling.fill);
        for (size_t j = 0; j < WIDTH; j++)
            check_scaling(&p.scaling, (enum scale)kind, j, 1, 1);
        split_finish(&p);

        s = shaped(2, 4, 3, 0); /* features over the 4 steps */
        table[1] = NAN;
        assert_int_equal(split_init(&p, &s, &d, 1, NULL), 0);
        for (size_t k = 0; k < 3; k++)
            check_scaling(&p.scaling, (enum scale)kind, k, 3, 4);
        split_finish(&p);

        s = shaped(3, 2, 3, 2); /* channels */
        assert_int_equal(split_init(&p, &s, &d, 1, NULL), 0);
        for (size_t k = 0; k < 2; k++)
            check_scaling(&p.scaling, (enum scale)kind, 6 * k, 1, 6);
        const uint32_t row = 2;
        float x[WIDTH];
        samples_gather(&s, &row, 1, &p.scaling, x, table_labels, NULL);
        for (size_t j = 0; j < WIDTH; j++)
            assert_true(x[j] == (table[2 * WIDTH + j] - p.scaling.shift[j]) * p.scaling.scale[j]);
        split_finish(&p);
    }
}

/* 0/0 when a person is to look (G3.1), else 0; a column without any number likewise. */
static void test_constant_column(void **state)
{
    static const uint32_t rows[2] = {0, ROWS - 1};
    for (int on_nan = ON_NAN_HOLD; on_nan <= ON_NAN_IMPUTE; on_nan++) {
        struct settings d = scaled(SCALE_STANDARD, (enum on_nan)on_nan);
        struct samples s = shaped(1, WIDTH, 0, 0);
        struct split p;
        float x[2 * WIDTH];
        for (size_t i = 0; i < ROWS - 1; i++) {
            table[i * WIDTH + 5] = 0.1f;
            if (on_nan == ON_NAN_IMPUTE)
                table[i * WIDTH + 7] = NAN;
        }
        assert_int_equal(split_init(&p, &s, &d, 1, NULL), 0);
        samples_gather(&s, rows, 2, &p.scaling, x, table_labels, NULL);
        assert_true(x[5] == 0 && x[WIDTH + 5] == 0);
        if (on_nan == ON_NAN_IMPUTE)
            assert_true(p.scaling.fill[7] == 0 && x[7] == 0 && x[WIDTH + 7] == 0);
        assert_true(isfinite(x[4]) && isfinite(x[WIDTH + 4]));
        split_finish(&p);
    }
}

/* A hole takes its column's mean; a column that has none, that of its feature. */
static void test_impute_of_sequences(void **state)
{
    struct settings d = scaled(SCALE_NONE, ON_NAN_IMPUTE);
    struct samples s = shaped(2, 4, 3, 0);
    struct split p;
    double mean, sd, low, high;
    for (size_t i = 0; i < ROWS - 1; i++)
        table[i * WIDTH + 4] = NAN; /* feature 1 of step 1 */
    assert_int_equal(split_init(&p, &s, &d, 1, NULL), 0);
    assert_null(p.scaling.shift);
    naive(1, 3, 4, &mean, &sd, &low, &high);
    expect_near((double)p.scaling.fill[4], mean);
    naive(7, 1, 1, &mean, &sd, &low, &high);
    expect_near((double)p.scaling.fill[7], mean);
    split_finish(&p);
}

static void test_scaling_of_bytes(void **state)
{
    static const uint8_t bytes[8] = {0, 10, 51, 10, 102, 10, 153, 10};
    static const uint16_t y[4] = {0};
    const struct samples s = {.type = SAMPLES_U8, .count = 4, .parts = {4}, .features = 2,
                              .shape = {.rank = 1, .dim = {2}}, .classes = 1, .outputs = 1,
                              .values = bytes, .labels = y};
    struct settings d = scaled(SCALE_MIN_MAX, ON_NAN_HOLD);
    struct split p;
    const uint32_t rows[4] = {0, 1, 2, 3};
    float x[8];
    uint16_t got[4];
    assert_int_equal(split_init(&p, &s, &d, 1, NULL), 0);
    assert_int_equal(p.validation_count, 0);
    samples_gather(&s, rows, 4, &p.scaling, x, got, NULL);
    for (size_t i = 0; i < 4; i++) {
        expect_near((double)x[2 * i], (double)i / 3);
        assert_true(x[2 * i + 1] == 0);
    }
    split_finish(&p);
}

/* Bytes stand for 0..1. */
static void test_gather_of_bytes(void **state)
{
    static const uint8_t bytes[6] = {0, 255, 51, 102, 153, 204};
    static const uint16_t y[3] = {7, 8, 9};
    const struct samples s = {.type = SAMPLES_U8, .count = 3, .features = 2, .classes = 10,
                              .outputs = 1, .values = bytes, .labels = y};
    const uint32_t rows[2] = {2, 0};
    const float want[4] = {0.6f, 0.8f, 0, 1};
    float x[4];
    uint16_t got[2];
    samples_gather(&s, rows, 2, NULL, x, got, NULL);
    for (size_t i = 0; i < 4; i++)
        assert_true(fabsf(x[i] - want[i]) < 1e-7f);
    assert_true(got[0] == 9 && got[1] == 7);
}

/* Several targets a sample, of either kind. */
static void test_gather_of_targets(void **state)
{
    static const float targets[6] = {1, 2, 3, 4, 5, 6};
    static const uint16_t steps[6] = {0, 1, 2, 3, 4, 5};
    struct samples s = {.type = SAMPLES_F32, .count = 3, .features = 1, .outputs = 2,
                        .values = targets, .targets = targets};
    const uint32_t rows[2] = {2, 0};
    float x[2], y[4];
    uint16_t label[4];
    samples_gather(&s, rows, 2, NULL, x, NULL, y);
    assert_true(y[0] == 5 && y[1] == 6 && y[2] == 1 && y[3] == 2 && x[0] == 3);
    s.targets = NULL;
    s.labels = steps;
    samples_gather(&s, rows, 2, NULL, x, label, NULL);
    assert_true(label[0] == 4 && label[1] == 5 && label[2] == 0 && label[3] == 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partition),
        cmocka_unit_test(test_limit_comes_first),
        cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_stratified),
        cmocka_unit_test(test_files_of_their_own),
        cmocka_unit_test(test_drop_and_impute),
        cmocka_unit_test(test_scaling),
        cmocka_unit_test(test_constant_column),
        cmocka_unit_test(test_impute_of_sequences),
        cmocka_unit_test(test_scaling_of_bytes),
        cmocka_unit_test(test_gather_of_bytes),
        cmocka_unit_test(test_gather_of_targets),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, fill, NULL);
}
