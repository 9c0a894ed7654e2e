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
         "loss, Value), val_loss"},
        {"loss,train_loss\n", ERR_VALUE,
         "x.csv: line 1, column train_loss: got \"train_loss\"; allowed: each quantity in one "
         "column (one run a file)"},
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

/* --- what other programs write -------------------------------------------------------------- */

static void test_lightning_rows_of_one_epoch_are_one_point(void **state)
{
    static const char TEXT[] = "epoch,lr-Adam,step,train_loss_epoch,train_loss_step,val_loss\n"
                               ",0.01,0,,,\n" /* LearningRateMonitor */
                               "0,,49,,2.1,\n"
                               "0,,99,,,1.5\n"
                               "0,,99,1.75,,\n"
                               "1,,199,,,1.25\n"
                               "1,,199,1.5,,\n";
    struct errbuf err;
    struct curve c;

    assert_int_equal(parse(TEXT, &c, &err), 0);
    assert_int_equal(c.count, 2);
    for (int i = 0; i < 2; i++) {
        assert_true(c.points[i].point == i + 1 && c.points[i].epoch == i);
        assert_true(c.points[i].v[CURVE_TRAIN_LOSS] == 1.75 - 0.25 * i);
        assert_true(c.points[i].v[CURVE_VAL_LOSS] == 1.5 - 0.25 * i);
    }
    curve_finish(&c);
}

static void test_exports_of_other_programs(void **state)
{
    static const struct {
        const char *name, *text;
        double train, val; /* of the first point; NaN: not measured */
    } CASES[] = {
        {"keras.csv", "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.5,2,0.4,3\n", 2, 3},
        {"keras.csv", "epoch;acc;loss;val_acc;val_loss\n0;0.5;2;0.4;3\n", 2, 3},
        {"steps.csv", "epoch,step,train_loss_step\n0,9,2\n", 2, NAN},
        {"run-train-tag-epoch_loss.csv", "Wall time,Step,Value\n1700000000.1,0,2\n", 2, NAN},
        {"run_validation-tag-epoch_loss.csv", "Wall time,Step,Value\n1.7e9,0,3\n", NAN, 3},
        {"wandb.csv",
         "\"Step\",\"a, b - train/loss\",\"a, b - train/loss__MIN\",\"a, b - train/loss__MAX\","
         "\"a, b - val/loss\"\n\"1\",\"2\",\"2\",\"2\",\"3\"\n",
         2, 3},
        {"wandb.csv",
         "\"Step\",\"a - _step\",\"a - _step__MIN\",\"a - _step__MAX\",\"a - loss\"\n"
         "\"4\",\"4\",\"4\",\"4\",\"2\"\n",
         2, NAN},
        {"history.csv", "_step,_runtime,trainer/global_step,train/loss,val/loss\n1,9,1,2,3\n", 2, 3},
        {"writer.csv", "step,Loss/train,Loss/val,Accuracy/val\n1,2,3,0.5\n", 2, 3},
        {"means.csv", "epoch,avg_train_loss,avg_valid_loss\n1,2,3\n", 2, 3},
        {"hf.tsv", "step\tTraining Loss\tValidation Loss\n500\t2\t3\n", 2, 3},
        {"skorch.csv", "epoch,train_loss,valid_loss\n1,2,3\n", 2, 3},
        {"none.csv", "epoch,loss,eval_loss\n1,2,None\n", 2, NAN},
    };

    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        const double wanted[] = {CASES[i].train, CASES[i].val};
        struct errbuf err;
        struct curve c;
        if (curve_csv_parse(CASES[i].name, CASES[i].text, strlen(CASES[i].text), &c, &err) != 0)
            fail_msg("%s: %s", CASES[i].name, err.message);
        assert_int_equal(c.count, 1);
        for (int k = 0; k < 2; k++) {
            assert_int_equal(point_has(&c.points[0], k), !isnan(wanted[k]));
            assert_true(isnan(wanted[k]) || c.points[0].v[k] == wanted[k]);
        }
        curve_finish(&c);
    }
}

static void test_ways_of_spreadsheets(void **state)
{
    static const char *const TEXTS[] = {
        "sep=;\r\nepoch;loss;val_loss\r\n1;2,5;3\r\n2;1,5e-1;\r\n;;\r\n",
        "\xef\xbb\xbfsep=,\nepoch,loss,val_loss\n1,2.5,3\n2,0.15,\n,,,,\n",
        "epoch,loss,val_loss\r1,2.5,3\r2,0.15,\r",
        "sep=|\repoch|loss|val_loss\r1|2.5|3\r2|0.15|",
    };
    struct errbuf err;
    struct curve c;

    for (size_t i = 0; i < ARRAY_LEN(TEXTS); i++) {
        if (parse(TEXTS[i], &c, &err) != 0)
            fail_msg("%zu: %s", i, err.message);
        assert_int_equal(c.count, 2);
        assert_true(c.points[0].v[CURVE_TRAIN_LOSS] == 2.5 && c.points[0].v[CURVE_VAL_LOSS] == 3);
        assert_true(c.points[1].v[CURVE_TRAIN_LOSS] == 0.15);
        curve_finish(&c);
    }
    assert_int_equal(parse("epoch,loss\n1,\"2,5\"\n", &c, &err), ERR_VALUE);
    assert_int_equal(parse("epoch;loss\n1;2,500,1\n", &c, &err), ERR_VALUE);
    assert_int_equal(parse("\xff\xfe" "e", &c, &err), ERR_PARSE);
    assert_string_equal(err.message, "x.csv: is UTF-16; allowed: UTF-8");
}

static void test_two_runs_in_one_file_are_refused(void **state)
{
    struct errbuf err;
    struct curve c;

    assert_int_equal(parse("Step,a - loss,b - loss\n1,2,3\n", &c, &err), ERR_VALUE);
    assert_non_null(strstr(err.message, "column b - loss"));
    assert_non_null(strstr(err.message, "one run a file"));
}

static void test_a_second_file_joins_by_epoch(void **state)
{
    struct errbuf err;
    struct curve train, val;

    assert_int_equal(parse("Wall time,Step,Value\n9,0,5\n9,1,4\n9,3,3\n", &train, &err), 0);
    assert_int_equal(parse("Wall time,Step,Value\n9,1,7\n9,2,6\n9,3,nan\n", &val, &err), 0);
    curve_join_val(&train, &val);
    assert_int_equal(train.count, 4);
    for (int i = 0; i < 4; i++) {
        const struct point *p = &train.points[i];
        assert_true(p->point == i + 1 && p->epoch == i);
        assert_int_equal(point_has(p, CURVE_TRAIN_LOSS), i != 2);
        assert_int_equal(point_has(p, CURVE_VAL_LOSS), i != 0);
    }
    assert_true(train.points[2].v[CURVE_VAL_LOSS] == 6 && isnan(train.points[3].v[CURVE_VAL_LOSS]));
    curve_finish(&train);
    curve_finish(&val);
}

static char *label_text(const struct label_request *q)
{
    char *text = NULL;
    size_t size = 0;
    struct errbuf err;
    FILE *out = open_memstream(&text, &size);

    assert_non_null(out);
    if (label_file(q, out, &err) != 0)
        fail_msg("%s", err.message);
    fclose(out);
    return text;
}

static void test_label_as_of_a_point(void **state)
{
    char *path = xasprintf("%s/f0204.csv", folder);
    struct label_request q = {.path = path, .at = 4, .json = true};
    char *text = label_text(&q);
    struct errbuf err;

    assert_non_null(strstr(text, "\"pattern\":\"too_short\""));
    assert_non_null(strstr(text, "\"points\":4"));
    q.at = 1000;
    assert_int_equal(label_file(&q, stdout, &err), ERR_VALUE);
    assert_non_null(strstr(err.message, "--at: got 1000; "));
    assert_non_null(strstr(err.message, "has 40 points"));
    free(text);
    free(path);
}

static void test_label_is_one_document(void **state)
{
    char *path = xasprintf("%s/f0204.csv", folder), *text = label_text(&(struct label_request){.path = path, .json = true});
    struct errbuf err;
    struct json *v = json_parse(text, strlen(text), &err);

    assert_non_null(v);
    assert_string_equal(json_string(json_get(v, "pattern")), "slow_rise");
    assert_string_equal(json_string(json_get(v, "runner_up")), "diverging");
    assert_string_equal(json_string(json_get(v, "guide_ref")), "G4.8");
    assert_true(json_number(json_get(v, "confidence")) > 0);
    assert_int_equal(json_type(json_get(v, "evidence")), JSON_OBJECT);
    assert_int_equal(json_type(json_get(v, "tags")), JSON_ARRAY);
    assert_int_equal(json_type(json_get(v, "timeline")), JSON_ARRAY);
    json_destroy(v);
    free(text);
    free(path);
}

static void test_label_for_people(void **state)
{
    char *path = xasprintf("%s/f0204.csv", folder), *text = label_text(&(struct label_request){.path = path});

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

    assert_int_equal(label_file(&(struct label_request){.path = "/nonexistent/x.csv"}, stdout, &err), ERR_IO);
    assert_non_null(strstr(err.message, "/nonexistent/x.csv"));
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns_are_found_by_name),
        cmocka_unit_test(test_numbers_that_are_not_finite),
        cmocka_unit_test(test_what_is_wrong_is_named),
        cmocka_unit_test(test_too_much_is_refused),
        cmocka_unit_test(test_lightning_rows_of_one_epoch_are_one_point),
        cmocka_unit_test(test_exports_of_other_programs),
        cmocka_unit_test(test_ways_of_spreadsheets),
        cmocka_unit_test(test_two_runs_in_one_file_are_refused),
        cmocka_unit_test(test_a_second_file_joins_by_epoch),
        cmocka_unit_test(test_label_as_of_a_point),
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
