/* The CSV reader and `label` over it. Argument 1: the folder of recorded curves. */
#include "client/curve_csv.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/label.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

static const char *folder;

static int parse(const char *text, struct curve *c, struct errbuf *err)
{
    return curve_csv_parse("x.csv", text, strlen(text), c, err);
}

static void test_columns_are_found_by_name(void **state)
{
    static const char *const TEXTS[] = {
        "epoch,train_loss,val_loss,val_acc\n1,2.5,3,0.5\n2,2,,nan\n",
        "\xef\xbb\xbf\"val_loss\", loss ,epoch,val_accuracy,note\r\n3,2.5,1,0.5,a\r\n\r\n"
        ",2,2,NaN,b",
    };
    struct errbuf err;
    struct curve c;

    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        assert_int_equal(parse(TEXTS[i], &c, &err), 0);
        assert_int_equal(c.count, 2);
        assert_true(c.points[0].v[CURVE_TRAIN_LOSS] == 2.5 && c.points[0].v[CURVE_VAL_LOSS] == 3);
        assert_true(c.points[1].epoch == 2 && c.points[1].point == 2);
        assert_false(point_has(&c.points[1], CURVE_VAL_LOSS));
        assert_true(point_has(&c.points[1], CURVE_VAL_ACC));
        assert_true(isnan(c.points[1].v[CURVE_VAL_ACC]));
        assert_false(point_has(&c.points[0], CURVE_TRAIN_ACC));
        curve_finish(&c);
    }
}

static void test_numbers_that_are_not_finite(void **state)
{
    struct errbuf err;
    struct curve c;

    assert_int_equal(parse("loss\nnan\ninf\n-inf\n+Infinity\n1e-320\n-2\n", &c, &err), 0);
    assert_int_equal(c.count, 6);
    assert_true(isnan(c.points[0].v[0]));
    assert_true(c.points[1].v[0] == INFINITY && c.points[2].v[0] == -INFINITY);
    assert_true(c.points[3].v[0] == INFINITY && c.points[4].v[0] > 0 && c.points[5].v[0] == -2);
    assert_true(c.points[5].epoch == 6); /* rows count where there is no epoch */
    curve_finish(&c);
}

static void test_what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *text;
        int code;
        const char *message;
    } CASES[] = {
        {"", ERR_MISSING, "x.csv: empty; the first line must name the columns "
                          "(epoch,train_loss,val_loss)"},
        {"epoch,acc\n1,2\n", ERR_MISSING,
         "x.csv: line 1: allowed: a header line with at least one of the columns train_loss (or "
         "loss), val_loss"},
        {"loss,train_loss\n", ERR_VALUE,
         "x.csv: line 1, column train_loss: got \"train_loss\"; allowed: each quantity in one "
         "column"},
        {"epoch,loss\n1,2\n2,2,3\n", ERR_PARSE,
         "x.csv: line 3: got \"3\"; allowed: 2 cells, as in the header"},
        {"epoch,loss\n1,2\n\n2,abc\n", ERR_VALUE,
         "x.csv: line 4, column loss: got \"abc\"; allowed: a number, nan, inf, -inf, or nothing "
         "(not measured)"},
        {"loss\n1e999\n", ERR_VALUE,
         "x.csv: line 2, column loss: got \"1e999\"; allowed: a number, nan, inf, -inf, or "
         "nothing (not measured)"},
        {"loss\n0x10\n", ERR_VALUE,
         "x.csv: line 2, column loss: got \"0x10\"; allowed: a number, nan, inf, -inf, or "
         "nothing (not measured)"},
        {"epoch,loss\n,1\n", ERR_VALUE,
         "x.csv: line 2, column epoch: got \"\"; allowed: a number"},
        {"epoch,loss\ninf,1\n", ERR_VALUE,
         "x.csv: line 2, column epoch: got \"inf\"; allowed: a finite number >= 0"},
        {"epoch,loss\n5,1\n5,1\n4,1\n", ERR_VALUE,
         "x.csv: line 4, column epoch: got \"4\"; allowed: epochs that do not go back (one run a "
         "file)"},
    };
    struct errbuf err;

    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct curve c = {.count = 77};
        assert_int_equal(parse(CASES[i].text, &c, &err), CASES[i].code);
        assert_string_equal(err.message, CASES[i].message);
        assert_int_equal(c.count, 77);
    }
}

static void test_too_much_is_refused(void **state)
{
    struct buf text = {0};
    struct errbuf err;
    struct curve c;

    for (int i = 0; i < CURVE_CSV_MAX_COLUMNS + 1; i++)
        buf_puts(&text, "loss,");
    assert_int_equal(curve_csv_parse("x", text.data, text.len, &c, &err), ERR_LIMIT);
    buf_clear(&text);
    buf_puts(&text, "loss\n");
    for (int i = 0; i < CURVE_CSV_MAX_ROWS; i++)
        buf_puts(&text, "1\n");
    assert_int_equal(curve_csv_parse("x", text.data, text.len, &c, &err), 0);
    assert_int_equal(c.count, CURVE_CSV_MAX_ROWS);
    curve_finish(&c);
    buf_puts(&text, "1\n");
    assert_int_equal(curve_csv_parse("x", text.data, text.len, &c, &err), ERR_LIMIT);
    buf_finish(&text);
}

static char *label_text(const char *path, bool json)
{
    char *text = NULL;
    size_t size = 0;
    struct errbuf err;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    if (label_file(path, json, out, &err) != 0)
        fail_msg("%s", err.message);
    fclose(out);
    return text;
}

static void test_label_is_one_document(void **state)
{
    char *path = xasprintf("%s/f0204.csv", folder), *text = label_text(path, true);
    struct errbuf err;
    struct json *v = json_parse(text, strlen(text), &err);

    assert_non_null(v);
    assert_string_equal(json_string(json_get(v, "pattern")), "slow_rise");
    assert_string_equal(json_string(json_get(v, "runner_up")), "diverging");
    assert_string_equal(json_string(json_get(v, "guide_ref")), "G4.8");
    assert_true(json_number(json_get(v, "confidence")) > 0);
    assert_int_equal(json_type(json_get(v, "evidence")), JSON_OBJECT);
    json_destroy(v);
    free(text);
    free(path);
}

static void test_label_for_people(void **state)
{
    char *path = xasprintf("%s/f0204.csv", folder), *text = label_text(path, false);

    assert_non_null(strstr(text, "pattern         slow_rise (confidence "));
    assert_non_null(strstr(text, "guide           G4.8\n"));
    assert_non_null(strstr(text, "guide's remedy  lower the learning rate"));
    assert_non_null(strstr(text, "Training loss rises"));
    assert_non_null(strstr(text, "validation  rises"));
    free(text);
    free(path);
}

static void test_a_missing_file_is_named(void **state)
{
    struct errbuf err;

    assert_int_equal(label_file("/nonexistent/x.csv", false, stdout, &err), ERR_IO);
    assert_non_null(strstr(err.message, "/nonexistent/x.csv"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_found_by_name),
        cmocka_unit_test(test_numbers_that_are_not_finite),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_too_much_is_refused),
        cmocka_unit_test(test_label_is_one_document),
        cmocka_unit_test(test_label_for_people),
        cmocka_unit_test(test_a_missing_file_is_named),
    };

    if (argc < 2) {
        fprintf(stderr, "usage: test_curve_csv FOLDER\n");
        return 2;
    }
    folder = argv[1];
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("curve_csv", tests, NULL, NULL);
}
