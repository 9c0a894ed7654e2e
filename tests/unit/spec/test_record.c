#include "expect.h"

#include <math.h>
#include <stdio.h>

#include "sweep/record.h"
#include "sweep/require.h"
#include "sweep/rng.h"

/* Writes r, checks that it is one line, and reads it back. */
static void there_and_back(const struct record *r, struct record *back)
{
    struct errbuf err = {0};
    struct buf out = {0};

    buf_puts(&out, "before\n"); /* lines are appended */
    record_write(r, &out);
    assert_true(out.len > 7 && out.data[out.len - 1] == '\n');
    const char *line = out.data + 7;
    size_t len = out.len - 8;
    assert_null(memchr(line, '\n', len));
    assert_true(len <= RECORD_LINE_MAX);
    if (record_parse(line, len, back, &err))
        fail_msg("%s: %s", line, err.message);
    assert_int_equal(back->type, r->type);
    buf_finish(&out);
}

static void start_lines(void **state)
{
    struct record r = {.type = RECORD_START}, back;

    r.u.start = (struct record_start){.pid = 4242, .parameters = 101770, .flop = 610560,
                                         .resumed_point = 7, .anew = true};
    str_copy(r.u.start.core, sizeof(r.u.start.core), "Cooperlake");
    str_copy(r.u.start.blas, sizeof(r.u.start.blas), "OpenBLAS \"0.3.21\"");
    there_and_back(&r, &back);
    assert_memory_equal(&r.u.start, &back.u.start, sizeof(r.u.start));
}

static void point_lines(void **state)
{
    struct record r = {.type = RECORD_POINT}, back;

    r.u.point.point = 3;
    r.u.point.epoch = 1.5;
    point_set(&r.u.point, CURVE_TRAIN_LOSS, 0.1 + 0.2);
    point_set(&r.u.point, CURVE_VAL_LOSS, NAN);
    point_set(&r.u.point, CURVE_GRAD_NORM, INFINITY);
    point_set(&r.u.point, CURVE_PENALTY, -INFINITY);
    there_and_back(&r, &back);
    assert_true(point_same(&r.u.point, &back.u.point));
    assert_int_equal(back.u.point.measured, r.u.point.measured);
    assert_true(isnan(back.u.point.v[CURVE_VAL_LOSS]));
    assert_false(point_has(&back.u.point, CURVE_VAL_ACC));
}

static void metrics_come_with_their_point(void **state)
{
    struct record r = {.type = RECORD_POINT}, back;
    double value = 7;

    r.u.point = (struct point){.point = 2, .epoch = 2};
    point_set(&r.u.point, CURVE_VAL_LOSS, 0.25);
    r.metrics = metrics_create(&r.u.point, 3);
    str_copy(r.metrics->values[0].name, METRIC_NAME_MAX, "val/\"loss\"");
    r.metrics->values[0].value = 0.1 + 0.2;
    str_copy(r.metrics->values[1].name, METRIC_NAME_MAX, "perplexity");
    r.metrics->values[1].value = INFINITY;
    memset(r.metrics->values[2].name, '"', METRIC_NAME_MAX);
    r.metrics->values[2].value = NAN;
    there_and_back(&r, &back);
    assert_int_equal(back.metrics->count, 3);
    assert_true(point_same(&back.metrics->at, &r.u.point));
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(back.metrics->values[i].name, r.metrics->values[i].name);
    assert_true(back.metrics->values[0].value == 0.1 + 0.2);
    assert_true(isnan(back.metrics->values[2].value));

    assert_true(point_value(&back.u.point, back.metrics, "perplexity", &value) && isinf(value));
    assert_true(point_value(&back.u.point, back.metrics, "val_loss", &value) && value == 0.25);
    assert_true(point_value(&back.u.point, NULL, "val_loss", &value));
    assert_false(point_value(&back.u.point, NULL, "perplexity", &value));
    assert_false(point_value(&back.u.point, back.metrics, "val_acc", &value));
    assert_true(value == 0.25);
    record_finish(&back);
    record_finish(&r);
}

static void bad_metrics_are_refused(void **state)
{
    static const char head[] = "{\"type\":\"point\",\"point\":1,\"epoch\":1,\"metrics\":";
    static const struct refusal bad[] = {
        {"[]}", ERR_TYPE, "metrics", "an object"},
        {"{\"a\":\"x\"}}", ERR_TYPE, "metrics.a", "a number"},
        {"{\"a\":null}}", ERR_TYPE, "metrics.a", "a number"},
        {"{\"\":1}}", ERR_KEY, "metrics[\"\"]", "1 to 128 bytes"},
        {"{\"a\\nb\":1}}", ERR_KEY, "metrics[\"a?b\"]", "control characters"},
    };
    struct record r;

    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct errbuf err = {0};
        char *line = xasprintf("%s%s", head, bad[i].text);
        expect_refusal(&bad[i], record_parse(line, strlen(line), &r, &err), &err);
        free(line);
    }
    struct buf many = {0};
    struct errbuf err = {0};
    buf_printf(&many, "%s{\"m0\":0", head);
    for (int i = 1; i <= METRICS_MAX; i++)
        buf_printf(&many, ",\"m%d\":%d", i, i);
    buf_puts(&many, "}}");
    assert_int_equal(record_parse(many.data, many.len, &r, &err), ERR_LIMIT);
    buf_finish(&many);
}

static void result_lines(void **state)
{
    static const struct {
        enum run_status status;
        enum run_error error;
        const char *text;
        int64_t epoch;
    } cases[] = {
        {RUN_COMPLETED, RUN_ERROR_NONE, ""},
        {RUN_STOPPED, RUN_ERROR_NONE, "not a number since epoch 3"},
        {RUN_FAILED, RUN_ERROR_DATA, "hash differs\nsecond line"},
        {RUN_FAILED, RUN_ERROR_OUT_OF_MEMORY, "ä"},
        {RUN_PAUSED, RUN_ERROR_NONE, "", 1},
        {RUN_PAUSED, RUN_ERROR_NONE, "", 1000000},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct record r = {.type = RECORD_RESULT}, back;
        r.u.result = (struct record_result){
            .status = cases[i].status, .error = cases[i].error, .seconds = 0.1 * (double)i,
            .epoch = cases[i].epoch};
        str_copy(r.u.result.text, sizeof(r.u.result.text), cases[i].text);
        there_and_back(&r, &back);
        assert_int_equal(back.u.result.status, cases[i].status);
        assert_int_equal(back.u.result.error, cases[i].error);
        assert_string_equal(back.u.result.text, cases[i].text);
        assert_true(back.u.result.seconds == r.u.result.seconds);
        assert_int_equal(back.u.result.epoch, cases[i].epoch);
    }
}

/* Scores on the test set come with a result, or not; accuracy only when classifying. */
static void results_with_test_scores(void **state)
{
    for (int scores = 0; scores < 3; scores++) {
        struct record r = {.type = RECORD_RESULT}, back;
        r.u.result = (struct record_result){.status = RUN_COMPLETED, .seconds = 1};
        r.u.result.has_test = scores > 0;
        r.u.result.has_test_acc = scores > 1;
        r.u.result.test_loss = scores > 1 ? 0.1 + 0.2 : NAN;
        r.u.result.test_acc = 0.75;
        there_and_back(&r, &back);
        assert_int_equal(back.u.result.has_test, scores > 0);
        assert_int_equal(back.u.result.has_test_acc, scores > 1);
        if (scores == 1)
            assert_true(isnan(back.u.result.test_loss));
        if (scores == 2)
            assert_true(back.u.result.test_loss == 0.1 + 0.2 && back.u.result.test_acc == 0.75);
    }
}

static void error_lines(void **state)
{
    struct record r = {.type = RECORD_ERROR}, back;

    err_bad(&r.u.error, ERR_DATA, "$.data.path", "/x", "a readable folder");
    there_and_back(&r, &back);
    assert_memory_equal(&r.u.error, &back.u.error, sizeof(r.u.error));
}

static struct record_prepared *some_prepared(void)
{
    struct record_prepared *p = xcalloc(1, sizeof(*p));

    memset(p->hash, 'a', 64);
    str_copy(p->cache, sizeof(p->cache), "/cache/aa.bin");
    p->samples = 60000;
    p->features = 784;
    p->classes = 10;
    p->validation_samples = 7;
    p->test_samples = 10000;
    p->rank = 3;
    p->dim[0] = 1;
    p->dim[1] = p->dim[2] = 28;
    p->outputs = 1;
    p->flop = 9000000000000000;
    p->source_count = 2;
    str_copy(p->sources[0].path, sizeof(p->sources[0].path), "/d/train-images.gz");
    p->sources[0].size_bytes = 26421880;
    p->sources[0].mtime_ns = 1700000000123456789;
    str_copy(p->sources[1].path, sizeof(p->sources[1].path), "/d/ä");
    str_copy(p->target, sizeof(p->target), "price of it");
    p->note_count = 1;
    str_copy(p->notes[0].key, sizeof(p->notes[0].key), "data.task");
    str_copy(p->notes[0].text, sizeof(p->notes[0].text), "regression: 599 \xe2\x80\xa6");
    p->finding_count = 1;
    str_copy(p->findings[0].kind, sizeof(p->findings[0].kind), "nan_in_input");
    str_copy(p->findings[0].text, sizeof(p->findings[0].text), "row 3, column 4");
    p->findings[0].row = 3;
    p->findings[0].column = 4;
    p->findings[0].count = 17;
    return p;
}

static void prepared_lines(void **state)
{
    struct record r = {.type = RECORD_PREPARED}, back;

    r.u.prepared = some_prepared();
    there_and_back(&r, &back);
    assert_memory_equal(r.u.prepared, back.u.prepared,
                        offsetof(struct record_prepared, findings) +
                            r.u.prepared->finding_count * sizeof(struct record_finding));
    record_finish(&back);
    assert_null(back.u.prepared);
    record_finish(&back); /* harmless */
    record_finish(&r);
}

/* Lines of a worker that knew vectors only. */
static void prepared_lines_without_shape(void **state)
{
    static const char line[] = "{\"type\":\"prepared\",\"hash\":\"0a\",\"cache\":\"/c\","
                               "\"samples\":9,\"features\":5,\"classes\":2,\"sources\":[],"
                               "\"findings\":[]}";
    struct record r;

    assert_int_equal(record_parse(line, sizeof(line) - 1, &r, NULL), 0);
    assert_true(r.u.prepared->rank == 1 && r.u.prepared->dim[0] == 5);
    assert_true(r.u.prepared->outputs == 1 && r.u.prepared->test_samples == 0);
    record_finish(&r);
}

/* As long as it can get, of bytes that JSON must escape. */
static void the_longest_prepared_line_fits(void **state)
{
    struct record r = {.type = RECORD_PREPARED}, back;
    struct record_prepared *p = some_prepared();

    r.u.prepared = p;
    memset(p->cache, 1, sizeof(p->cache) - 1);
    p->source_count = RECORD_SOURCES_MAX;
    for (size_t i = 0; i < RECORD_SOURCES_MAX; i++)
        memset(p->sources[i].path, 1, sizeof(p->sources[i].path) - 1);
    p->finding_count = RECORD_FINDINGS_MAX;
    for (size_t i = 0; i < RECORD_FINDINGS_MAX; i++) {
        memset(p->findings[i].kind, 1, sizeof(p->findings[i].kind) - 1);
        memset(p->findings[i].text, 1, sizeof(p->findings[i].text) - 1);
        p->findings[i].count = INT64_C(1) << 53;
    }
    there_and_back(&r, &back);
    assert_int_equal(back.u.prepared->source_count, RECORD_SOURCES_MAX);
    assert_int_equal(back.u.prepared->finding_count, RECORD_FINDINGS_MAX);
    record_finish(&back);
    record_finish(&r);
}

/* --- hostile lines ------------------------------------------------------------------------ */

#define PREPARED(sources, findings)                                                                \
    "{\"type\":\"prepared\",\"hash\":\"0a\",\"cache\":\"/c\",\"samples\":1,\"features\":1,"        \
    "\"classes\":0,\"sources\":" sources ",\"findings\":" findings "}"
#define SHAPE(shape)                                                                               \
    "{\"type\":\"prepared\",\"hash\":\"0a\",\"cache\":\"/c\",\"samples\":1,\"features\":6,"        \
    "\"classes\":0,\"shape\":" shape "}"
#define RESULT(status, error, seconds)                                                             \
    "{\"type\":\"result\",\"status\":\"" status "\",\"error\":\"" error "\",\"seconds\":" seconds  \
    "}"

static const struct refusal bad[] = {
    {"[]", ERR_TYPE, "line", "an object"},
    {"null", ERR_TYPE, "line", "an object"},
    {"{}", ERR_MISSING, "type", ""},
    {"{\"type\":3}", ERR_TYPE, "type", "a string"},
    {"{\"type\":\"pint\"}", ERR_VALUE, "type", "start, point"},
    {"{\"type\":\"start\"}", ERR_MISSING, "version", ""},
    {"{\"type\":\"start\",\"version\":2,\"pid\":1,\"parameters\":1}", ERR_VALUE, "version", "1"},
    {"{\"type\":\"start\",\"version\":1,\"parameters\":1}", ERR_MISSING, "pid", ""},
    {"{\"type\":\"start\",\"version\":1,\"pid\":-1,\"parameters\":1}", ERR_VALUE, "pid", "0 or"},
    {"{\"type\":\"start\",\"version\":1,\"pid\":1,\"core\":7,\"parameters\":1}", ERR_TYPE, "core",
     "a string"},
    {"{\"type\":\"start\",\"version\":1,\"pid\":1,\"parameters\":1.5}", ERR_VALUE, "parameters",
     ""},
    {"{\"type\":\"point\",\"epoch\":1}", ERR_MISSING, "point", ""},
    {"{\"type\":\"point\",\"point\":0,\"epoch\":1}", ERR_VALUE, "point", ""},
    {"{\"type\":\"point\",\"point\":1,\"epoch\":\"nan\"}", ERR_VALUE, "epoch", ""},
    {"{\"type\":\"point\",\"point\":1,\"epoch\":1,\"val_loss\":[]}", ERR_TYPE, "val_loss", ""},
    {"{\"type\":\"result\",\"seconds\":1}", ERR_MISSING, "status", ""},
    {RESULT("running", "", "1"), ERR_VALUE, "status", "completed, stopped, failed or paused"},
    {RESULT("nonsense", "", "1"), ERR_VALUE, "status", "completed"},
    {RESULT("failed", "", "1"), ERR_VALUE, "error", "class of a failed run"},
    {RESULT("paused", "", "1"), ERR_MISSING, "epoch", ""},
    {RESULT("paused", "", "1,\"epoch\":0"), ERR_VALUE, "epoch", "1 or more"},
    {RESULT("paused", "", "1,\"epoch\":-2"), ERR_VALUE, "epoch", "0 or more"},
    {RESULT("paused", "", "1,\"epoch\":true"), ERR_TYPE, "epoch", ""},
    {RESULT("paused", "killed", "1,\"epoch\":2"), ERR_VALUE, "error", "unless failed"},
    {RESULT("failed", "nonsense", "1"), ERR_VALUE, "error", "class of a failed run"},
    {RESULT("completed", "data_error", "1"), ERR_VALUE, "error", "unless failed"},
    {RESULT("completed", "", "-1"), ERR_VALUE, "seconds", "0 or more"},
    {RESULT("completed", "", "\"nan\""), ERR_VALUE, "seconds", "finite"},
    {RESULT("completed", "", "\"+inf\""), ERR_VALUE, "seconds", "finite"},
    {RESULT("completed", "", "null"), ERR_TYPE, "seconds", ""},
    {"{\"type\":\"result\",\"status\":\"failed\",\"seconds\":1}", ERR_VALUE, "error", "class"},
    {"{\"type\":\"error\",\"message\":\"m\"}", ERR_MISSING, "error", ""},
    {"{\"type\":\"error\",\"error\":\"data_error\"}", ERR_MISSING, "message", ""},
    {"{\"type\":\"error\",\"error\":\"data_error\",\"message\":\"\"}", ERR_VALUE, "message",
     "1 to"},
    {"{\"type\":\"prepared\",\"hash\":\"0A\"}", ERR_VALUE, "hash", "hexadecimal"},
    {"{\"type\":\"prepared\",\"hash\":\"\"}", ERR_VALUE, "hash", "1 to 64 bytes"},
    {"{\"type\":\"prepared\",\"hash\":\"0a\",\"cache\":\"/c\",\"samples\":-1}", ERR_VALUE,
     "samples", "0 or more"},
    {SHAPE("[]"), ERR_VALUE, "shape", "1 to 3 numbers"},
    {SHAPE("[1,1,1,6]"), ERR_VALUE, "shape", "1 to 3 numbers"},
    {SHAPE("6"), ERR_VALUE, "shape", "1 to 3 numbers"},
    {SHAPE("[2,0]"), ERR_VALUE, "shape", "an integer from 1"},
    {SHAPE("[2,2]"), ERR_VALUE, "shape", "\"features\""},
    {SHAPE("[2147483647,2147483647,2147483647]"), ERR_VALUE, "shape", "below 2^63"},
    {PREPARED("{}", "[]"), ERR_TYPE, "sources", "a list"},
    {PREPARED("[3]", "[]"), ERR_TYPE, "sources", "a list of objects"},
    {PREPARED("[{}]", "[]"), ERR_MISSING, "path", ""},
    {PREPARED("[{\"path\":\"/p\",\"size_bytes\":1,\"mtime_ns\":\"9223372036854775808\"}]", "[]"),
     ERR_VALUE, "mtime_ns", "2^63-1"},
    {PREPARED("[{},{},{},{},{},{},{},{},{}]", "[]"), ERR_LIMIT, "sources", "at most 8"},
    {PREPARED("[]", "null"), ERR_TYPE, "findings", "a list"},
    {PREPARED("[]", "[{\"kind\":\"\"}]"), ERR_VALUE, "kind", "1 to 31 bytes"},
    {PREPARED("[]", "[{\"kind\":\"k\",\"row\":-1}]"), ERR_VALUE, "row", "0 or more"},
};

static void bad_lines_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct record out, before;
        struct errbuf err = {0};

        memset(&out, 0x5a, sizeof(out));
        before = out;
        int rc = record_parse(bad[i].text, strlen(bad[i].text), &out, &err);
        expect_refusal(&bad[i], rc, &err);
        assert_memory_equal(&out, &before, sizeof(out));
        assert_int_equal(record_parse(bad[i].text, strlen(bad[i].text), &out, NULL), rc);
    }
}

static void too_many_findings_are_refused(void **state)
{
    struct buf line = {0};
    struct errbuf err = {0};
    struct record out;

    buf_puts(&line, "{\"type\":\"prepared\",\"hash\":\"0a\",\"cache\":\"/c\",\"samples\":1,"
                    "\"features\":1,\"classes\":0,\"sources\":[],\"findings\":[{}");
    for (int i = 0; i < RECORD_FINDINGS_MAX; i++)
        buf_puts(&line, ",{}");
    buf_puts(&line, "]}");
    assert_int_equal(record_parse(line.data, line.len, &out, &err), ERR_LIMIT);
    assert_string_equal(err.key, "findings");
    buf_finish(&line);
}

static void broken_lines_are_refused(void **state)
{
    static const char whole[] = "{\"type\":\"point\",\"point\":1,\"epoch\":1,\"val_loss\":0.5}";
    struct errbuf err = {0};
    struct record out;

    /* Cut anywhere, as a crash of the machine may leave it. */
    for (size_t len = 0; len < sizeof(whole) - 1; len++)
        assert_int_equal(record_parse(whole, len, &out, NULL), ERR_PARSE);
    assert_int_equal(record_parse(whole, sizeof(whole) - 1, &out, NULL), 0);
    assert_int_equal(record_parse(whole, sizeof(whole), &out, NULL), ERR_PARSE); /* NUL */

    char *lots = xmalloc(RECORD_LINE_MAX + 1);
    memset(lots, ' ', RECORD_LINE_MAX + 1);
    assert_int_equal(record_parse(lots, RECORD_LINE_MAX + 1, &out, &err), ERR_LIMIT);
    assert_int_equal(record_parse(lots, RECORD_LINE_MAX, &out, &err), ERR_PARSE);
    free(lots);
}

static void free_text_is_cut_and_names_are_not(void **state)
{
    struct buf line = {0};
    struct record out;
    struct errbuf err = {0};

    buf_puts(&line, "{\"type\":\"result\",\"status\":\"stopped\",\"seconds\":1,\"text\":\"");
    for (int i = 0; i < 2000; i++)
        buf_puts(&line, "ä");
    buf_puts(&line, "\",\"more\":{}}"); /* what newer workers may add */
    assert_int_equal(record_parse(line.data, line.len, &out, NULL), 0);
    assert_int_equal(strlen(out.u.result.text), 510);
    buf_clear(&line);

    buf_puts(&line, "{\"type\":\"prepared\",\"hash\":\"0a\",\"cache\":\"/");
    for (int i = 0; i < 1023; i++)
        buf_putc(&line, 'c');
    buf_puts(&line, "\"}");
    assert_int_equal(record_parse(line.data, line.len, &out, &err), ERR_VALUE);
    assert_string_equal(err.key, "cache");
    buf_finish(&line);
}

/* Any byte of a good line changed: an answer, never a crash (under the sanitizers too). */
static void damaged_lines_are_answered(void **state)
{
    struct record r = {.type = RECORD_PREPARED}, out;
    struct buf line = {0};
    struct rng rng;

    r.u.prepared = some_prepared();
    record_write(&r, &line);
    rng_init(&rng, 3, RNG_TEST, 0);
    for (int i = 0; i < 20000; i++) {
        size_t at = rng_below(&rng, line.len - 1);
        char old = line.data[at];
        line.data[at] = (char)rng_below(&rng, 256);
        if (record_parse(line.data, line.len - 1, &out, NULL) == 0)
            record_finish(&out);
        line.data[at] = old;
    }
    buf_finish(&line);
    record_finish(&r);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(start_lines),
        cmocka_unit_test(point_lines),
        cmocka_unit_test(metrics_come_with_their_point),
        cmocka_unit_test(bad_metrics_are_refused),
        cmocka_unit_test(result_lines),
        cmocka_unit_test(results_with_test_scores),
        cmocka_unit_test(error_lines),
        cmocka_unit_test(prepared_lines),
        cmocka_unit_test(prepared_lines_without_shape),
        cmocka_unit_test(the_longest_prepared_line_fits),
        cmocka_unit_test(bad_lines_are_refused),
        cmocka_unit_test(too_many_findings_are_refused),
        cmocka_unit_test(broken_lines_are_refused),
        cmocka_unit_test(free_text_is_cut_and_names_are_not),
        cmocka_unit_test(damaged_lines_are_answered),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
