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

#include "folder.h"
#include "table_text.h"

static void read_text(const char *text, struct table_columns **columns, struct table *out)
{
    struct text t;
    struct errbuf err = {0};
    assert_int_equal(text_decode("t.svm", text, strlen(text), &t, NULL), 0);
    if (libsvm_decode(&t, columns, out, &err) != 0)
        fail_msg("%s", err.message);
    text_finish(&t);
}

/* As a training file, or after one with two features. */
static void expect_refused(const char *text, bool follows, const char *words)
{
    struct text t;
    struct table out = {.count = 77};
    struct table_columns *columns = NULL, *before;
    struct errbuf err = {0};
    if (follows) {
        struct table first;
        read_text("1 2:1\n", &columns, &first);
        table_finish(&first);
    }
    before = columns;
    assert_int_equal(text_decode("t.svm", text, strlen(text), &t, NULL), 0);
    int rc = libsvm_decode(&t, &columns, &out, &err);
    assert_true(rc < 0 && rc == err.code && out.count == 77 && columns == before);
    expect_words(&err, words);
    text_finish(&t);
    table_columns_destroy(columns);
}

static void test_values(void **state)
{
    struct table_columns *columns = NULL;
    struct table t;
    read_text("# made by hand\n"
              "+1 1:0.5 3:-2e3 # the first\r\n"
              "\n"
              "-1\t2:nan   3:inf  \n"
              "  2.5\n"
              "3 1:1#2:5",
              &columns, &t);
    assert_true(t.type == SAMPLES_F32 && t.count == 4 && t.outputs == 1 && t.class_names == 0);
    assert_true(t.shape.rank == 1 && t.shape.dim[0] == 3);
    assert_true(t.targets[0] == 1 && t.targets[1] == -1 && t.targets[2] == 2.5 &&
                t.targets[3] == 3);
    assert_true(value_at(&t, 0, 0) == 0.5f && value_at(&t, 0, 1) == 0 &&
                value_at(&t, 0, 2) == -2e3f);
    assert_true(isnan(value_at(&t, 1, 1)) && value_at(&t, 1, 2) == INFINITY);
    assert_true(value_at(&t, 2, 0) == 0 && value_at(&t, 3, 0) == 1 && value_at(&t, 3, 1) == 0);
    table_finish(&t);
    table_columns_destroy(columns);
}

static void test_following_file(void **state)
{
    struct table_columns *columns = NULL;
    struct table t;
    read_text("1 5:1\n", &columns, &t);
    table_finish(&t);
    read_text("1 2:3\n0\n", &columns, &t);
    assert_true(t.count == 2 && t.shape.dim[0] == 5 && value_at(&t, 0, 1) == 3);
    table_finish(&t);
    table_columns_destroy(columns);
    expect_refused("1 2:1\n1 3:1\n", true, "t.svm, line 2: index 3; allowed: 1..2");
}

static void test_refusals(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"", "no samples"},
        {"# nothing\n\n", "no samples"},
        {"1\n2\n", "no features: none of 2 labels"},
        {"1 1:2\nx 1:2\n", "t.svm, line 2: \"x\" as label; allowed: a finite number"},
        {"nan 1:2\n", "\"nan\" as label"},
        {"1e999 1:2\n", "\"1e999\" as label"},
        {"1,2 1:2\n", "\"1,2\" as label; allowed: one number"},
        {"1:2 2:3\n", "\"1:2\" where the label is due"},
        {"1 qid:x 1:2\n", "\"qid:x\" whose query is no number"},
        {"1 1:2 qid:3\n", "index of \"qid:3\""},
        {"1 2\n", "\"2\" where INDEX:VALUE is due"},
        {"1 :2\n", "index of \":2\"; allowed: whole numbers from 0 or 1 to 16777216"},
        {"1 -1:2\n", "index of \"-1:2\""},
        {"1 :2\n", "index of \":2\""},
        {"1 16777217:2\n", "index of \"16777217:2\""},
        {"1 99999999999999999999999:2\n", "index of"},
        {"1 1:\n", "\"1:\" whose value is no number"},
        {"1 1:2:3\n", "\"1:2:3\" whose value is no number"},
        {"1 1:0x1\n", "\"1:0x1\" whose value"},
        {"1 1:a\x1b[31m\n", "\"1:a\\x1b[31m\" whose value"},
        {"1 3:1 2:1\n", "\"2:1\" behind a larger index"},
        {"1 3:1 3:1\n", "\"3:1\" repeats the index before it"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_refused(cases[i].text, false, cases[i].words);
}

/* 64 MiB a line when it is dense: refused before it is allocated. */
static void test_too_much_for_memory(void **state)
{
    static const char line[] = "1 16777216:1\n";
    struct buf b = {0};
    for (int i = 0; i < 5000; i++)
        buf_append(&b, line, sizeof line - 1);
    struct text t;
    struct table out = {0};
    struct table_columns *columns = NULL;
    struct errbuf err = {0};
    assert_int_equal(text_decode("t.svm", b.data, b.len, &t, NULL), 0);
    t.values_max_bytes = (size_t)8 << 30;
    assert_int_equal(libsvm_decode(&t, &columns, &out, &err), ERR_LIMIT);
    expect_words(&err, "5000 samples of 16777216 features need 313 GiB; allowed: 8 GiB");
    assert_true(!out.values && !columns);
    t.values_max_bytes = SIZE_MAX; /* however much memory there is */
    assert_int_equal(libsvm_decode(&t, &columns, &out, &err), ERR_LIMIT);
    text_finish(&t);
    buf_finish(&b);
}

static void test_gzip_file(void **state)
{
    static const char body[] = "1 1:2\n0 1:3\n";
    struct folder f;
    struct spec_data d = {.format = FORMAT_LIBSVM};
    struct table_columns *columns = NULL;
    struct table t;
    struct errbuf err = {0};
    char path[128];
    folder_init(&f);
    folder_write_gzip(&f, "a.svm.gz", body, sizeof body - 1);
    snprintf(path, sizeof path, "%s/a.svm.gz", f.data);
    assert_int_equal(libsvm_read(path, &d, &columns, &t, &err), 0);
    assert_true(t.count == 2 && value_at(&t, 1, 0) == 3);
    table_finish(&t);
    table_columns_destroy(columns);
    folder_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),    cmocka_unit_test(test_following_file),
        cmocka_unit_test(test_refusals),  cmocka_unit_test(test_too_much_for_memory),
        cmocka_unit_test(test_gzip_file),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
