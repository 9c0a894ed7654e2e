#include "sweep/curve.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"

static int parse(const char *text, struct point *p, struct errbuf *e)
{
    struct json *v = json_parse(text, strlen(text), NULL);
    int rc;

    assert_non_null(v);
    rc = point_parse(v, p, e);
    json_destroy(v);
    return rc;
}

static char *write(const struct point *p)
{
    struct buf out = {0};
    struct json_writer w;

    jw_init(&w, &out);
    jw_begin_object(&w);
    point_write(p, &w);
    jw_end_object(&w);
    return buf_take(&out);
}

static void test_text_of_a_point(void **state)
{
    struct point p = {.point = 3, .epoch = 1.5};
    char *text;

    point_set(&p, CURVE_TRAIN_LOSS, NAN);
    point_set(&p, CURVE_VAL_LOSS, -INFINITY);
    point_set(&p, CURVE_GRAD_NORM, INFINITY);
    point_set(&p, CURVE_SECONDS, 0.25);
    text = write(&p);
    assert_string_equal(text,
                        "{\"point\":3,\"epoch\":1.5,\"train_loss\":\"nan\",\"val_loss\":\"-inf\","
                        "\"train_acc\":null,\"val_acc\":null,\"train_loss_min\":null,"
                        "\"train_loss_max\":null,\"train_loss_sd\":null,"
                        "\"learning_rate\":null,\"grad_norm\":\"+inf\",\"penalty\":null,"
                        "\"train_loss_eval\":null,\"val_f1\":null,\"val_r2\":null,"
                        "\"seconds\":0.25}");
    free(text);
}

/* Any bits in any columns: NaN, infinities and "not measured" stay what they are. */
static void test_points_survive_a_round_trip(void **state)
{
    struct rng r;

    rng_init(&r, 1, RNG_TEST, 0);
    for (int i = 0; i < 5000; i++) {
        struct point p = {.point = 1 + (int64_t)rng_below(&r, 1ull << 53),
                          .epoch = 1e-9 + rng_uniform(&r) * 1e6};
        struct point back;
        char *text;

        for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
            const double special[] = {NAN, INFINITY, -INFINITY, -0.0, rng_normal(&r)};
            uint64_t pick = rng_below(&r, ARRAY_LEN(special) + 1);

            if (pick < ARRAY_LEN(special))
                point_set(&p, (enum curve_column)c, special[pick]);
        }
        text = write(&p);
        assert_int_equal(parse(text, &back, NULL), 0);
        assert_int_equal(back.measured, p.measured);
        assert_true(point_same(&p, &back));
        free(text);
    }
}

static void test_refuses(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *key;
    } cases[] = {
        {"{}", ERR_MISSING, "point"},
        {"{\"point\":0,\"epoch\":1}", ERR_VALUE, "point"},
        {"{\"point\":1.5,\"epoch\":1}", ERR_VALUE, "point"},
        {"{\"point\":1e300,\"epoch\":1}", ERR_VALUE, "point"},
        {"{\"point\":1}", ERR_MISSING, "epoch"},
        {"{\"point\":1,\"epoch\":0}", ERR_VALUE, "epoch"},
        {"{\"point\":1,\"epoch\":-1}", ERR_VALUE, "epoch"},
        {"{\"point\":1,\"epoch\":\"nan\"}", ERR_VALUE, "epoch"},
        {"{\"point\":1,\"epoch\":\"+inf\"}", ERR_VALUE, "epoch"},
        {"{\"point\":1,\"epoch\":1,\"val_loss\":\"low\"}", ERR_TYPE, "val_loss"},
        {"{\"point\":1,\"epoch\":1,\"seconds\":true}", ERR_TYPE, "seconds"},
        {"{\"point\":1,\"epoch\":1,\"val_acc\":[]}", ERR_TYPE, "val_acc"},
        {"[]", ERR_MISSING, "point"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct point p = {.point = 42};
        struct errbuf e;

        assert_int_equal(parse(cases[i].text, &p, &e), cases[i].code);
        assert_string_equal(e.key, cases[i].key);
        assert_int_equal(p.point, 42);
    }
}

static void test_unknown_members_are_ignored(void **state)
{
    struct point p;

    assert_int_equal(parse("{\"point\":1,\"epoch\":1,\"later\":{},\"val_loss\":null}", &p, NULL),
                     0);
    assert_int_equal(p.measured, 0);
}

static void test_same(void **state)
{
    struct point a = {.point = 1, .epoch = 1}, b = a;

    assert_true(point_same(&a, &b));
    point_set(&a, CURVE_SECONDS, 1); /* not canonical */
    assert_true(point_same(&a, &b));
    point_set(&a, CURVE_VAL_LOSS, NAN);
    assert_false(point_same(&a, &b));
    point_set(&b, CURVE_VAL_LOSS, -NAN);
    assert_true(point_same(&a, &b));
    b.v[CURVE_TRAIN_LOSS] = 5; /* not measured: no value */
    assert_true(point_same(&a, &b));
    point_set(&a, CURVE_VAL_LOSS, 0.0);
    point_set(&b, CURVE_VAL_LOSS, -0.0);
    assert_false(point_same(&a, &b));
    b = a;
    b.epoch = 1.5;
    assert_false(point_same(&a, &b));
    b = a;
    b.point = 2;
    assert_false(point_same(&a, &b));
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
        b = a;
        point_set(&a, (enum curve_column)c, 1);
        point_set(&b, (enum curve_column)c, nextafter(1, 2));
        assert_int_equal(point_same(&a, &b), !curve_column_canonical((enum curve_column)c));
        b = a;
    }
}

static void test_better(void **state)
{
    static const double bad[] = {NAN, INFINITY, -INFINITY};

    assert_true(metric_better(1, 2, false));
    assert_false(metric_better(2, 1, false));
    assert_true(metric_better(2, 1, true));
    assert_false(metric_better(1, 1, true));
    assert_false(metric_better(1, 1, false));
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        for (int maximize = 0; maximize < 2; maximize++) {
            assert_true(metric_better(1e308, bad[i], maximize));
            assert_true(metric_better(-1e308, bad[i], maximize));
            assert_false(metric_better(bad[i], 0, maximize));
            for (size_t k = 0; k < ARRAY_LEN(bad); k++)
                assert_false(metric_better(bad[i], bad[k], maximize));
        }
    }
}

static void test_metrics_are_columns_of_that_name(void **state)
{
    for (int m = 0; m < METRIC_COUNT; m++)
        assert_string_equal(metric_name((enum metric)m),
                            curve_column_name(metric_column((enum metric)m)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_of_a_point),
        cmocka_unit_test(test_points_survive_a_round_trip),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_unknown_members_are_ignored),
        cmocka_unit_test(test_same),
        cmocka_unit_test(test_better),
        cmocka_unit_test(test_metrics_are_columns_of_that_name),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("curve", tests, NULL, NULL);
}
