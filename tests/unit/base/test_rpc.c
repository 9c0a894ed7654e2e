#include "sweep/rpc.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"

static int parse(const char *line, struct rpc_request *r, struct errbuf *e)
{
    return rpc_request_parse(line, strlen(line), r, e);
}

static void test_a_request(void **state)
{
    struct rpc_request r;
    int64_t sweep;

    assert_int_equal(
        parse("{\"jsonrpc\":\"2.0\",\"id\":7,\"method\":\"show\",\"params\":{\"sweep\":3}}", &r,
              NULL),
        0);
    assert_true(r.id.present);
    assert_string_equal(r.id.text, "7");
    assert_string_equal(r.method, "show");
    assert_int_equal(json_get_int64(r.params, "sweep", &sweep, NULL), 0);
    assert_int_equal(sweep, 3);
    rpc_request_finish(&r);
}

static void test_notification_without_params(void **state)
{
    struct rpc_request r;

    assert_int_equal(parse("{\"jsonrpc\":\"2.0\",\"method\":\"list\"}", &r, NULL), 0);
    assert_false(r.id.present);
    assert_null(r.params);
    rpc_request_finish(&r);
}

/* The id goes back as it came, byte for byte: also a number that no double holds. */
static void test_ids(void **state)
{
    static const struct {
        const char *sent, *back;
    } cases[] = {
        {"null", "null"},
        {"0", "0"},
        {"-3", "-3"},
        {"1e15", "1e15"},
        {"9007199254740993", "9007199254740993"},
        {"18446744073709551616", "18446744073709551616"},
        {"1.50", "1.50"},
        {"1.5", "1.5"},
        {"\"\"", "\"\""},
        {"\"a\\\"\\u0001é\"", "\"a\\\"\\u0001é\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *line = xasprintf("{\"id\":%s,\"jsonrpc\":\"2.0\",\"method\":\"m\"}", cases[i].sent);
        struct rpc_request r;

        assert_int_equal(parse(line, &r, NULL), 0);
        assert_true(r.id.present);
        assert_string_equal(r.id.text, cases[i].back);
        rpc_request_finish(&r);
        free(line);
    }
}

static void test_refuses(void **state)
{
    static const struct {
        const char *line;
        int code;
        const char *id, *says;
    } cases[] = {
        {"", ERR_PARSE, "null", "end of the text"},
        {"{\"id\":1", ERR_PARSE, "null", "column 8"},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"id\":2,\"method\":\"m\"}", ERR_PARSE, "null",
         "duplicate"},
        {"[]", ERR_REQUEST, "null", "batch"},
        {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}]", ERR_REQUEST, "null", "batch"},
        {"3", ERR_REQUEST, "null", "one JSON object a line"},
        {"{}", ERR_REQUEST, "null", "jsonrpc"},
        {"{\"id\":5,\"method\":\"m\"}", ERR_REQUEST, "5", "\"2.0\""},
        {"{\"id\":5,\"method\":\"m\",\"jsonrpc\":2.0}", ERR_REQUEST, "5", "got 2"},
        {"{\"id\":5,\"method\":\"m\",\"jsonrpc\":\"1.0\"}", ERR_REQUEST, "5", "got \"1.0\""},
        {"{\"id\":\"x\",\"jsonrpc\":\"2.0\"}", ERR_REQUEST, "\"x\"", "method: got nothing"},
        {"{\"id\":5,\"jsonrpc\":\"2.0\",\"method\":4}", ERR_REQUEST, "5", "method: got 4"},
        {"{\"id\":5,\"jsonrpc\":\"2.0\",\"method\":\"\"}", ERR_REQUEST, "5", "method"},
        {"{\"id\":5,\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[1]}", ERR_TYPE, "5",
         "params: got [1]; allowed: an object"},
        {"{\"id\":5,\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":null}", ERR_TYPE, "5",
         "an object"},
        {"{\"id\":5,\"jsonrpc\":\"2.0\",\"method\":\"m\",\"parms\":{}}", ERR_REQUEST, "5",
         "did you mean \"params\"?"},
        {"{\"id\":{},\"jsonrpc\":\"2.0\",\"method\":\"m\"}", ERR_REQUEST, "null", "id: got {}"},
        {"{\"id\":true,\"jsonrpc\":\"2.0\",\"method\":\"m\"}", ERR_REQUEST, "null", "id: got true"},
        {"{\"i\\u0064\":1,\"jsonrpc\":\"2.0\",\"method\":\"m\"}", ERR_REQUEST, "null", "escapes"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct rpc_request r;
        struct errbuf e;

        assert_int_equal(parse(cases[i].line, &r, &e), cases[i].code);
        assert_int_equal(e.code, cases[i].code);
        assert_true(r.id.present); /* so it gets a reply */
        assert_string_equal(r.id.text, cases[i].id);
        if (!strstr(e.message, cases[i].says))
            fail_msg("%s: '%s' does not say '%s'", cases[i].line, e.message, cases[i].says);
        assert_null(r.root);
        rpc_request_finish(&r);
    }
}

static void test_limits(void **state)
{
    struct buf line = {0};
    struct rpc_request r;
    struct errbuf e;

    for (int len = 125; len <= 126; len++) {
        buf_clear(&line);
        buf_printf(&line, "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"id\":\"%0*d\"}", len, 0);
        assert_int_equal(parse(line.data, &r, &e), len == 125 ? 0 : ERR_REQUEST);
        assert_string_equal(e.key, len == 125 ? e.key : "id");
        rpc_request_finish(&r);
    }
    for (int len = 63; len <= 64; len++) {
        buf_clear(&line);
        buf_printf(&line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%0*d\"}", len, 0);
        assert_int_equal(parse(line.data, &r, &e), len == 63 ? 0 : ERR_REQUEST);
        rpc_request_finish(&r);
    }
    buf_clear(&line);
    buf_printf(&line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"m\"}%*s", RPC_LINE_MAX, "");
    assert_int_equal(rpc_request_parse(line.data, RPC_LINE_MAX, &r, &e), 0);
    rpc_request_finish(&r);
    assert_int_equal(rpc_request_parse(line.data, RPC_LINE_MAX + 1, &r, &e), ERR_REQUEST);
    buf_finish(&line);
}

static void test_lines_written(void **state)
{
    struct rpc_id id = {.present = true, .text = "\"a\""}, none = {0};
    struct buf out = {0};
    struct errbuf e;

    rpc_write_request(&out, 3, "list", NULL);
    rpc_write_request(&out, 4, "show", "{\"sweep\":1}");
    rpc_write_result(&out, &id, "[]");
    rpc_write_notification(&out, "point", "{}");
    err_bad(&e, ERR_KEY, "$.epoch", "3", "epochs");
    rpc_write_error(&out, &none, &e);
    assert_string_equal(
        out.data, "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"list\"}\n"
                  "{\"jsonrpc\":\"2.0\",\"id\":4,\"method\":\"show\",\"params\":{\"sweep\":1}}\n"
                  "{\"jsonrpc\":\"2.0\",\"id\":\"a\",\"result\":[]}\n"
                  "{\"jsonrpc\":\"2.0\",\"method\":\"point\",\"params\":{}}\n"
                  "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32602,\"message\":"
                  "\"$.epoch: got 3; allowed: epochs\",\"data\":{\"error\":\"unknown_key\","
                  "\"key\":\"$.epoch\",\"value\":\"3\",\"allowed\":\"epochs\"}}}\n");
    buf_finish(&out);
}

static int parse_reply(struct buf *line, struct rpc_reply *r, struct errbuf *e)
{
    int rc = rpc_reply_parse(line->data, line->len, r, e);

    buf_clear(line);
    return rc;
}

/* What one end writes, the other end reads. */
static void test_replies_come_back(void **state)
{
    struct rpc_id id = {.present = true, .text = "12"};
    struct buf line = {0};
    struct rpc_reply r;
    struct errbuf e;

    rpc_write_result(&line, &id, "{\"sweep\":1}");
    assert_int_equal(parse_reply(&line, &r, &e), 0);
    assert_false(r.notification);
    assert_int_equal(r.id, 12);
    assert_int_equal(json_count(r.result), 1);
    assert_int_equal(r.error.code, 0);
    rpc_reply_finish(&r);

    rpc_write_result(&line, &id, "null");
    assert_int_equal(parse_reply(&line, &r, &e), 0);
    assert_int_equal(json_type(r.result), JSON_NULL);
    rpc_reply_finish(&r);

    rpc_write_notification(&line, "point", "{\"run\":1}");
    assert_int_equal(parse_reply(&line, &r, &e), 0);
    assert_true(r.notification);
    assert_string_equal(r.method, "point");
    assert_int_equal(json_count(r.result), 1);
    rpc_reply_finish(&r);

    for (int code = ERR_PERMISSION; code < 0; code++) {
        err_bad(&e, code, "$.data.name", "\"x\"\n", "a name");
        rpc_write_error(&line, &id, &e);
        assert_int_equal(parse_reply(&line, &r, NULL), 0);
        assert_null(r.result);
        assert_int_equal(r.error.code, code);
        assert_string_equal(r.error.message, e.message);
        assert_string_equal(r.error.key, e.key);
        assert_string_equal(r.error.value, e.value);
        assert_string_equal(r.error.allowed, e.allowed);
        rpc_reply_finish(&r);
    }
    buf_finish(&line);
}

static void test_replies_refused(void **state)
{
    static const char *const lines[] = {
        "x",
        "[]",
        "{\"jsonrpc\":\"2.0\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":1,\"error\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":3}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"one\",\"result\":1}",
        "{\"jsonrpc\":\"2.0\",\"result\":1}",
        "{\"id\":1,\"result\":1}",
        "{\"jsonrpc\":\"2.0\",\"method\":1}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"m\",\"params\":[]}",
    };
    static const char foreign[] =
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-1,\"message\":\"no\"}}";
    struct rpc_reply r = {.id = 42};
    struct errbuf e;

    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        assert_true(rpc_reply_parse(lines[i], strlen(lines[i]), &r, &e) < 0);
        assert_true(e.code < 0 && *e.message);
        assert_int_equal(r.id, 42);
    }
    assert_int_equal(rpc_reply_parse(foreign, strlen(foreign), &r, &e), 0);
    assert_int_equal(r.id, 0);
    assert_int_equal(r.error.code, ERR_INTERNAL);
    assert_string_equal(r.error.message, "no");
    rpc_reply_finish(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_request),
        cmocka_unit_test(test_notification_without_params),
        cmocka_unit_test(test_ids),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_lines_written),
        cmocka_unit_test(test_replies_come_back),
        cmocka_unit_test(test_replies_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("rpc", tests, NULL, NULL);
}
