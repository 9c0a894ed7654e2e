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
                                       .features = 2,
                                       .classes = 1,
                                       .values = values,
                                       .labels = labels};

static int fill(void **state)
{
    for (size_t i = 0; i < COUNT * 2; i++)
        values[i] = (float)(i % 2 ? 10 : i);
    return 0;
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
    struct spec_data d = {.validation = 100};
    struct split p, q;
    assert_int_equal(split_init(&p, &samples, &d, 110, NULL), 0);
    assert_int_equal(p.train_count, 400);
    assert_int_equal(p.validation_count, 100);
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
    struct spec_data d = {.validation = 20, .limit = 60};
    struct split p;
    assert_int_equal(split_init(&p, &samples, &d, 1, NULL), 0);
    assert_int_equal(p.train_count, 40);
    check_partition(&p, 60);
    split_finish(&p);
}

static void test_nothing_left(void **state)
{
    struct spec_data d = {.validation = 60, .limit = 60};
    struct split p;
    struct errbuf err = {0};
    assert_int_equal(split_init(&p, &samples, &d, 1, &err), ERR_DATA);
    assert_non_null(strstr(err.message, "nothing to train on"));
    d.limit = COUNT + 1;
    assert_int_equal(split_init(&p, &samples, &d, 1, &err), ERR_DATA);
}

static void test_drop_and_impute(void **state)
{
    struct spec_data d = {.validation = 1, .limit = 5, .on_nan = ON_NAN_DROP};
    struct split p;
    values[2 * 2] = NAN;
    values[2 * 3 + 1] = INFINITY;
    assert_int_equal(split_init(&p, &samples, &d, 1, NULL), 0);
    assert_int_equal(p.train_count, 2); /* rows 0, 1, 4 less one held out */
    assert_null(p.fill);
    split_finish(&p);

    d.on_nan = ON_NAN_IMPUTE;
    assert_int_equal(split_init(&p, &samples, &d, 1, NULL), 0);
    assert_int_equal(p.train_count, 4);
    double sum = 0, count = 0;
    for (size_t i = 0; i < 4; i++) {
        if (p.train[i] != 2) {
            sum += (double)values[2 * p.train[i]];
            count++;
        }
    }
    assert_true(fabs((double)p.fill[0] - sum / count) < 1e-6);
    assert_true(p.fill[1] == 10);
    const uint32_t rows[3] = {2, 3, 4};
    uint16_t y[3];
    float x[6];
    samples_gather(&samples, rows, 3, p.fill, x, y);
    assert_true(x[0] == p.fill[0] && x[1] == 10 && x[2] == 6 && x[3] == 10 && x[4] == 8);
    samples_gather(&samples, rows, 3, NULL, x, y);
    assert_true(isnan(x[0]) && isinf(x[3]));
    split_finish(&p);
    fill(NULL);
}

/* Bytes stand for 0..1. */
static void test_gather_of_bytes(void **state)
{
    static const uint8_t bytes[6] = {0, 255, 51, 102, 153, 204};
    static const uint16_t y[3] = {7, 8, 9};
    const struct samples s = {.type = SAMPLES_U8, .count = 3, .features = 2, .classes = 10,
                              .values = bytes, .labels = y};
    const uint32_t rows[2] = {2, 0};
    const float want[4] = {0.6f, 0.8f, 0, 1};
    float x[4];
    uint16_t got[2];
    samples_gather(&s, rows, 2, NULL, x, got);
    for (size_t i = 0; i < 4; i++)
        assert_true(fabsf(x[i] - want[i]) < 1e-7f);
    assert_true(got[0] == 9 && got[1] == 7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_partition),
        cmocka_unit_test(test_limit_comes_first),
        cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_drop_and_impute),
        cmocka_unit_test(test_gather_of_bytes),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, fill, NULL);
}
