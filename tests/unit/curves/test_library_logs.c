/* Logs as the libraries themselves wrote them: what is read is what the library says it measured.
 * Argument 1: the folder of tests/logs. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log_text.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "worker/command/database_log.h"

#define FILE_MAX ((size_t)1 << 20)

static const char *folder;

static bool is_database(const struct buf *b)
{
    return b->len >= 16 && memcmp(b->data, "SQLite format 3", 16) == 0;
}

/* The bytes of a log, a database's as the worker's lines. */
static void load(const char *name, struct buf *out)
{
    struct errbuf err = {0};
    char *path = xasprintf("%s/%s", folder, name);
    if (buf_read_file(out, path, FILE_MAX, &err) != 0)
        fail_msg("%s", err.message);
    if (is_database(out)) {
        char *lines = NULL;
        size_t len = 0;
        FILE *f = open_memstream(&lines, &len);
        if (database_log(path, f, &err) != 0)
            fail_msg("%s", err.message);
        fclose(f);
        buf_clear(out);
        buf_append(out, lines, len);
        free(lines);
    }
    free(path);
}

static size_t column_of(const struct training_log *l, const char *title)
{
    size_t c = 0;
    while (c < training_log_columns(l) && strcmp(training_log_title(l, c), title) != 0)
        c++;
    return c;
}

static bool near(double a, double b)
{
    return (isnan(a) && isnan(b)) || a == b || fabs(a - b) <= 1e-6 * fmax(fabs(a), fabs(b));
}

/* The column's numbers, one after the other, are the list's. */
static void check_column(const char *file, const struct training_log *l, const struct json *list)
{
    const char *title = json_key(list);
    size_t column = column_of(l, title), row = 0;
    if (column == training_log_columns(l))
        fail_msg("%s: no column %s", file, title);
    for (const struct json *v = json_first(list); v; v = json_next(v)) {
        double wanted = 0, got = 0;
        assert_int_equal(json_real(v, &wanted), 0);
        while (row < training_log_rows(l) &&
               training_log_cell(l, row, column, &got, NULL) != LOG_NUMBER)
            row++;
        if (row == training_log_rows(l))
            fail_msg("%s: %s ends before %.9g", file, title, wanted);
        if (!near(got, wanted))
            fail_msg("%s: %s, row %zu: %.9g, not %.9g", file, title, row, got, wanted);
        row++;
    }
    for (; row < training_log_rows(l); row++)
        if (training_log_cell(l, row, column, NULL, NULL) != LOG_NOTHING)
            fail_msg("%s: %s has more than %zu values", file, title, json_count(list));
}

static void check_file(const char *file, const struct json *titles)
{
    struct buf bytes = {0};
    struct errbuf err = {0};
    load(file, &bytes);
    struct curve_bytes in = {file, bytes.data, bytes.len};
    const struct curve_format *format = format_of(bytes.data, bytes.len);
    struct training_log *l = training_log_create();
    if (!format || format->read(&in, l, &err) != 0)
        fail_msg("%s: %s", file, err.message);
    for (const struct json *list = json_first(titles); list; list = json_next(list))
        check_column(file, l, list);
    training_log_destroy(l);
    buf_finish(&bytes);
}

static void test_every_log(void **state)
{
    struct errbuf err = {0};
    struct json *expected = NULL;
    size_t files = 0;
    char *path = xasprintf("%s/expected.json", folder);
    if (json_read_file(path, FILE_MAX, &expected, &err) != 0)
        fail_msg("%s", err.message);
    for (const struct json *f = json_first(expected); f; f = json_next(f)) {
        if (strcmp(json_key(f), "versions") == 0)
            continue;
        check_file(json_key(f), f);
        files++;
    }
    assert_true(files >= 22);
    json_destroy(expected);
    free(path);
}

static void expect_format(const char *name, const char *format)
{
    struct buf bytes = {0};
    load(name, &bytes);
    if (strcmp(format_name(format_of(bytes.data, bytes.len)), format) != 0)
        fail_msg("%s: %s", name, format_name(format_of(bytes.data, bytes.len)));
    buf_finish(&bytes);
}

static void test_each_is_known_for_what_it_is(void **state)
{
    static const char *const files[][2] = {
        {"keras/history.json", "json_history"},      {"keras/train.tfevents", "tensorboard"},
        {"keras/stdout.txt", "plain_lines"},         {"tensorflow/one.tfevents", "tensorboard"},
        {"tensorflow/two.tfevents", "tensorboard"},  {"torch/writer.tfevents", "tensorboard"},
        {"lightning/board.tfevents", "tensorboard"}, {"lightning/stdout.txt", "plain_lines"},
        {"transformers/trainer_state.json", "trainer_state"},
        {"transformers/stdout.txt", "plain_lines"},  {"trackio/lines.jsonl", "json_lines"},
        {"trackio/project.db", "json_lines"},        {"xgboost/evals_result.json", "json_history"},
        {"xgboost/stdout.txt", "plain_lines"},       {"lightgbm/stdout.txt", "plain_lines"},
        {"catboost/catboost_training.json", "catboost_training"},
        {"catboost/stdout.txt", "catboost_lines"},      {"wandb/run.wandb", "wandb"},
        {"mlflow/mlflow.db", "json_lines"},
    };
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
        expect_format(files[i][0], files[i][1]);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_log),
        cmocka_unit_test(test_each_is_known_for_what_it_is),
    };
    folder = argc > 1 ? argv[1] : ".";
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
