/* The bytes of an ONNX file: protocol buffers, and a small network's nodes in their order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "client/onnx/onnx.h"
#include "client/proto.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/preprocessing.h"
#include "sweep/require.h"

/* As protoc writes them. */
static void fields_are_encoded(void **state)
{
    static const unsigned char asked[] = {
        0x08, 0x96, 0x01,                                                 /* 1: 150 */
        0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01, /* 2: -1 */
        0x1d, 0x00, 0x00, 0xc0, 0x3f,                                     /* 3: 1.5f */
        0x22, 0x02, 'h', 'i',                                             /* 4: "hi" */
        0x2a, 0x02, 0x08, 0x00,                                           /* 5: {1: 0} */
        0x82, 0x01, 0x03, 0x03, 0x8e, 0x02,                               /* 16: [3, 270] */
    };
    struct buf out = {0}, inner = {0};
    proto_int(&out, 1, 150);
    proto_int(&out, 2, -1);
    proto_float(&out, 3, 1.5f);
    proto_text(&out, 4, "hi");
    proto_int(&inner, 1, 0);
    proto_message(&out, 5, &inner);
    proto_ints(&out, 16, (const int64_t[]){3, 270}, 2);
    assert_int_equal(out.len, sizeof asked);
    assert_memory_equal(out.data, asked, sizeof asked);
    assert_int_equal(inner.len, 0);
    buf_finish(&out);
}

struct fixture {
    struct model_plan plan;
    struct json *header;
    float numbers[64];
    struct preprocessing p;
};

static void open_fixture(struct fixture *x, const char *model, const char *header,
                         const char *told, const struct shape *input)
{
    struct settings s;
    struct layer_list list = {0};
    struct errbuf err = {0};
    struct json *root = json_parse(model, strlen(model), &err);
    assert_non_null(root);
    const struct json *layers = json_get(json_get(root, "model"), "layers");
    *x = (struct fixture){.header = json_parse(header, strlen(header), &err)};
    assert_non_null(x->header);
    settings_init(&s);
    assert_int_equal(settings_from_json(&s, root, NULL, &err), 0);
    if (layers)
        assert_int_equal(layer_list_parse(layers, "$.model.layers", &list, &err), 0);
    assert_int_equal(model_plan_init(&x->plan, &s, layers ? &list : NULL, &err), 0);
    assert_int_equal(preprocessing_parse(told, input, &x->p, &err), 0);
    json_destroy(root);
}

static void close_fixture(struct fixture *x)
{
    json_destroy(x->header);
    preprocessing_finish(&x->p);
    model_plan_finish(&x->plan);
}

static int write_model(struct fixture *x, struct shape input, struct buf *out, struct errbuf *err)
{
    const struct onnx_model m = {.plan = &x->plan, .input = input, .outputs = 2,
                                 .preprocessing = &x->p, .preprocessing_text = "{}",
                                 .header = x->header, .data = (const char *)x->numbers,
                                 .data_len = sizeof x->numbers, .title = "Run 7"};
    return onnx_write(&m, out, err);
}

/* The kinds of the nodes, by their op_type fields (number 4 of NodeProto): 0x22, length, text. */
static void expect_kinds(const struct buf *out, const char *const *kinds, size_t count)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        char field[40] = {0x22, (char)strlen(kinds[i])};
        memcpy(field + 2, kinds[i], strlen(kinds[i]));
        const char *found = memmem(out->data + at, out->len - at, field, 2 + strlen(kinds[i]));
        if (!found)
            fail_msg("no node %s in its place (%zu)", kinds[i], i);
        at = (size_t)(found - out->data) + 2;
    }
}

#define TENSOR(name, shape, from, to)                                                              \
    "\"" name "\":{\"dtype\":\"F32\",\"shape\":" shape ",\"data_offsets\":[" #from "," #to "]}"

static void nodes_of_a_network(void **state)
{
    static const char *const kinds[] = {"Cast", "Mul", "Sub", "Mul", "Reshape", "Transpose",
                                        "MatMul", "Add", "Identity", "Softmax"};
    struct fixture x;
    struct buf out = {0};
    const struct shape input = {3, {1, 2, 2}};
    open_fixture(&x, "{\"model\":{\"depth\":0}}",
                 "{" TENSOR("0.weight", "[2,4]", 0, 32) "," TENSOR("0.bias", "[2]", 32, 40) "}",
                 "{\"version\":1,\"task\":\"classification\",\"input\":\"bytes\","
                 "\"missing\":\"refuse\",\"probabilities\":\"softmax\",\"shift\":[0.5],"
                 "\"factor\":[2]}", &input);
    assert_int_equal(write_model(&x, input, &out, NULL), 0);
    assert_memory_equal(out.data, "\x08\x08\x12\x06sweepd", 10); /* ir_version 8 */
    expect_kinds(&out, kinds, ARRAY_LEN(kinds));
    assert_non_null(memmem(out.data, out.len, "probabilities", 13));
    close_fixture(&x);
    buf_finish(&out);
}

static void weights_of_another_network_are_refused(void **state)
{
    static const char *const headers[] = {
        "{}",
        "{" TENSOR("0.weight", "[2,4]", 0, 32) "}",
        "{" TENSOR("0.weight", "[2,5]", 0, 40) "," TENSOR("0.bias", "[2]", 40, 48) "}",
        "{" TENSOR("0.weight", "[2,4]", 0, 32) "," TENSOR("0.bias", "[3]", 32, 44) "}",
        "{" TENSOR("0.weight", "[2,4]", 0, 36) "," TENSOR("0.bias", "[2]", 36, 44) "}",
        "{" TENSOR("0.weight", "[2,4]", 0, 32) "," TENSOR("0.bias", "[2]", 1000, 1008) "}",
        "{" TENSOR("0.weight", "[2,4]", 32, 0) "," TENSOR("0.bias", "[2]", 32, 40) "}",
        "{" TENSOR("0.weight", "[2,-4]", 0, 32) "," TENSOR("0.bias", "[2]", 32, 40) "}",
    };
    const struct shape input = {1, {4}};
    for (size_t i = 0; i < ARRAY_LEN(headers); i++) {
        struct fixture x;
        struct buf out = {0};
        struct errbuf err = {0};
        open_fixture(&x, "{\"model\":{\"depth\":0}}", headers[i],
                     "{\"version\":1,\"missing\":\"refuse\"}", &input);
        if (write_model(&x, input, &out, &err) != ERR_DATA || !err.message[0])
            fail_msg("taken: %s", headers[i]);
        assert_int_equal(out.len, 0);
        close_fixture(&x);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_encoded),
        cmocka_unit_test(nodes_of_a_network),
        cmocka_unit_test(weights_of_another_network_are_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
