#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/weights_hash.h"
#include "worker/weights.h"

#include "folder.h"
#include "tiny_net.h"

#define DTYPE (sizeof(real) == 4 ? "F32" : "F64")

static void make_file(struct buf *out, const char *header, const void *data, size_t len)
{
    uint64_t header_len = strlen(header);
    buf_clear(out);
    for (int i = 0; i < 8; i++)
        buf_putc(out, (char)(unsigned char)(header_len >> 8 * i));
    buf_puts(out, header);
    buf_append(out, data, len);
}

/* Our file, in its header `from` replaced by `to`. */
static void edit_file(struct buf *out, const struct tiny_net *t, const char *from, const char *to)
{
    struct buf header = {0}, edited = {0};
    weights_header(&t->net, t->values, NULL, &header);
    const char *text = header.data + 8, *at = strstr(text, from);
    assert_non_null(at);
    buf_append(&edited, text, (size_t)(at - text));
    buf_puts(&edited, to);
    buf_puts(&edited, at + strlen(from));
    make_file(out, edited.data, t->values, sizeof t->values);
    buf_finish(&header);
    buf_finish(&edited);
}

/* Memory of exactly that size, so that a sanitizer sees a byte too far. */
static int decode(const struct buf *file, const struct tiny_net *t, bool skip_output,
                  real *values, struct errbuf *err)
{
    unsigned char *copy = xmalloc(file->len);
    memcpy(copy, file->data, file->len);
    int rc = weights_decode(copy, file->len, &t->net, skip_output, values, err);
    free(copy);
    return rc;
}

static void expect_refused(const struct buf *file, bool skip_output, const char *words)
{
    struct tiny_net t;
    real values[TINY_VALUES] = {77};
    struct errbuf err = {0};
    tiny_net_init(&t);
    assert_true(decode(file, &t, skip_output, values, &err) < 0);
    for (size_t i = 0; i < TINY_VALUES; i++)
        assert_true(values[i] == (i == 0 ? 77 : 0)); /* untouched */
    if (!strstr(err.message, words))
        fail_msg("message \"%s\" does not say \"%s\"", err.message, words);
}

static void write_tiny(const struct folder *f, char path[128], struct buf *file)
{
    struct tiny_net t;
    tiny_net_init(&t);
    snprintf(path, 128, "%s/best.safetensors", f->data);
    assert_int_equal(weights_write(path, &t.net, t.values, NULL, NULL), 0);
    assert_int_equal(buf_read_file(file, path, 1 << 20, NULL), 0);
}

/* Names, shapes and places, one after another to the end of the file. */
static void test_file_as_others_read_it(void **state)
{
    static const struct {
        const char *name;
        int64_t rows, columns;
        real first;
    } want[] = {
        {"0.weight", 2, 3, 1},        {"0.bias", 2, 0, 7},
        {"1.weight", 2, 0, 9},        {"1.bias", 2, 0, 11},
        {"1.running_mean", 2, 0, 24}, {"1.running_var", 2, 0, 26},
        {"2.body.0.weight", 2, 2, 13}, {"2.body.0.unused", 1, 0, 17},
        {"3.weight", 2, 2, 18},       {"3.bias", 2, 0, 22},
    };
    struct folder f;
    struct buf file = {0};
    char path[128];
    uint64_t header = 0;
    folder_init(&f);
    write_tiny(&f, path, &file);
    for (int i = 8; i-- > 0;)
        header = header << 8 | (unsigned char)file.data[i];
    assert_int_equal(header % 8, 0);
    struct json *root = json_parse(file.data + 8, header, NULL);
    assert_non_null(root);
    assert_int_equal(json_count(root), 1 + ARRAY_LEN(want)); /* and __metadata__ */
    double at = 0;
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct json *t = json_get(root, want[i].name), *shape = json_get(t, "shape");
        const struct json *begin = json_first(json_get(t, "data_offsets"));
        assert_string_equal(json_string(json_get(t, "dtype")), DTYPE);
        assert_int_equal(json_count(shape), want[i].columns ? 2 : 1);
        assert_true(json_number(json_first(shape)) == (double)want[i].rows);
        assert_true(json_number(begin) == at);
        assert_memory_equal(file.data + 8 + header + (size_t)at, &want[i].first, sizeof(real));
        at += (double)sizeof(real) * (double)want[i].rows *
              (want[i].columns ? (double)want[i].columns : 1);
        assert_true(json_number(json_next(begin)) == at);
    }
    assert_int_equal(file.len, 8 + header + (uint64_t)at);
    json_destroy(root);
    buf_finish(&file);
    folder_finish(&f);
}

/* Any byte, but those of the hash's own name: without it the file is one of another program. */
static void test_damaged_file(void **state)
{
    struct folder f;
    struct tiny_net t;
    struct buf file = {0};
    struct errbuf err;
    char path[128];
    real values[TINY_VALUES];
    folder_init(&f);
    tiny_net_init(&t);
    write_tiny(&f, path, &file);
    size_t hash = weights_hash_place(file.data, file.len);
    assert_true(hash > 0 && weights_hash_fits(file.data, file.len));
    for (size_t at = hash; at < file.len; at++) {
        file.data[at] ^= 1;
        if (weights_hash_fits(file.data, file.len))
            fail_msg("byte %zu changed unnoticed", at);
        file.data[at] ^= 1;
    }
    int fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "damage", 6, (off_t)file.len - 6), 6);
    close(fd);
    assert_int_equal(weights_read(path, &t.net, false, values, &err), ERR_DATA);
    assert_non_null(strstr(err.message, "best.safetensors: damaged"));
    buf_finish(&file);
    folder_finish(&f);
}

static void test_round_trip(void **state)
{
    struct folder f;
    struct tiny_net t;
    struct buf file = {0};
    char path[128];
    real values[TINY_VALUES] = {0};
    folder_init(&f);
    tiny_net_init(&t);
    write_tiny(&f, path, &file);
    assert_int_equal(weights_read(path, &t.net, false, values, NULL), 0);
    assert_memory_equal(values, t.values, sizeof values);
    memset(values, 0, sizeof values);
    memmove(t.values, t.values + 1, sizeof t.values - sizeof *t.values); /* a second time */
    assert_int_equal(weights_write(path, &t.net, t.values, NULL, NULL), 0);
    assert_int_equal(weights_read(path, &t.net, false, values, NULL), 0);
    assert_memory_equal(values, t.values, sizeof values);
    buf_finish(&file);
    folder_finish(&f);
}

/* Tensors in another order, of the other type of number, and PyTorch's counter. */
static void test_file_of_others(void **state)
{
    static const char *const parts[TINY_TENSORS] = {
        "\"3.bias\":{\"shape\":[2],\"data_offsets\":[%zu,%zu],\"dtype\":\"%s\"}",
        "\"3.weight\":{\"shape\":[2,2],\"data_offsets\":[%zu,%zu],\"dtype\":\"%s\"}",
        "\"2.body.0.unused\":{\"shape\":[1],\"data_offsets\":[%zu,%zu],\"dtype\":\"%s\"}",
        "\"2.body.0.weight\":{\"shape\":[2,2],\"data_offsets\":[%zu,%zu],\"dtype\":\"%s\"}",
        "\"1.running_var\":{\"shape\":[2],\"data_offsets\":[%zu,%zu],\"dtype\":\"%s\"}",
        "\"1.running_mean\":{\"shape\":[2],\"data_offsets\":[%zu,%zu],\"dtype\":\"%s\"}",
        "\"1.bias\":{\"shape\":[2],\"data_offsets\":[%zu,%zu],\"dtype\":\"%s\"}",
        "\"1.weight\":{\"shape\":[2],\"data_offsets\":[%zu,%zu],\"dtype\":\"%s\"}",
        "\"0.bias\":{\"shape\":[2],\"data_offsets\":[%zu,%zu],\"dtype\":\"%s\"}",
        "\"0.weight\":{\"shape\":[2,3],\"data_offsets\":[%zu,%zu],\"dtype\":\"%s\"}",
    };
    static const size_t counts[TINY_TENSORS] = {2, 4, 1, 4, 2, 2, 2, 2, 2, 6};
    for (size_t bytes = 4; bytes <= 8; bytes += 4) {
        struct buf header = {0}, data = {0}, file = {0};
        struct tiny_net t;
        real values[TINY_VALUES];
        struct errbuf err = {0};
        size_t at = 0;
        buf_putc(&header, '{');
        for (size_t i = 0; i < TINY_TENSORS; i++) {
            char part[128];
            snprintf(part, sizeof part, parts[i], at, at + counts[i] * bytes,
                     bytes == 4 ? "F32" : "F64");
            buf_printf(&header, "%s,", part);
            at += counts[i] * bytes;
        }
        buf_printf(&header, "\"1.num_batches_tracked\":{\"dtype\":\"I64\",\"shape\":[],"
                            "\"data_offsets\":[%zu,%zu]}}", at, at + 8);
        for (size_t i = 0; i < TINY_VALUES; i++) {
            double d = 0.5 + (double)i;
            float single = (float)d;
            buf_append(&data, bytes == 4 ? (void *)&single : (void *)&d, bytes);
        }
        buf_append(&data, "\5\0\0\0\0\0\0\0", 8);
        make_file(&file, header.data, data.data, data.len);
        tiny_net_init(&t);
        if (decode(&file, &t, false, values, &err) != 0)
            fail_msg("%s", err.message);
        assert_true(values[0] == (real)21.5 && values[5] == (real)26.5); /* 0.weight */
        assert_true(values[21] == (real)0.5 && values[22] == (real)1.5);  /* 3.bias */
        assert_true(values[25] == (real)11.5 && values[23] == (real)13.5); /* running_var, _mean */
        buf_finish(&header);
        buf_finish(&data);
        buf_finish(&file);
    }
}

static void test_other_networks_are_refused(void **state)
{
    static const char *const cases[][3] = {
        {"\"shape\":[2,3]", "\"shape\":[3,2]",
         "tensor '0.weight' is [3, 2] in it, but [2, 3] in the network"},
        {"\"shape\":[2,3]", "\"shape\":[6]", "tensor '0.weight' is [6] in it"},
        {"\"0.bias\"", "\"0.bios\"", "no tensor '0.bias' in it; the network has one of [2]"},
        {"\"2.body.0.weight\"", "\"2.weight\"", "no tensor '2.body.0.weight'"},
    };
    struct tiny_net t;
    struct buf file = {0};
    tiny_net_init(&t);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        edit_file(&file, &t, cases[i][0], cases[i][1]);
        expect_refused(&file, false, cases[i][2]);
    }
    edit_file(&file, &t, "", "");
    t.net.layer_count--; /* the same file against a network without its last layer */
    struct errbuf err = {0};
    real values[TINY_VALUES];
    assert_int_equal(decode(&file, &t, false, values, &err), ERR_DATA);
    assert_non_null(strstr(err.message, "tensor '3.bias' [2] is not in the network"));
    buf_finish(&file);
}

/* G3.2: fine-tuning for another task. The output layer is taken as a whole or not at all. */
static void test_output_layer_may_differ(void **state)
{
    char fits[80], differs[80];
    snprintf(fits, sizeof fits, "\"3.bias\":{\"dtype\":\"%s\",\"shape\":[2]", DTYPE);
    snprintf(differs, sizeof differs, "\"3.bias\":{\"dtype\":\"%s\",\"shape\":[1,2]", DTYPE);
    for (int same = 0; same < 2; same++) {
        struct tiny_net t;
        struct buf file = {0};
        real values[TINY_VALUES] = {0};
        struct errbuf err = {0};
        tiny_net_init(&t);
        edit_file(&file, &t, fits, same ? fits : differs);
        if (decode(&file, &t, true, values, &err) != 0)
            fail_msg("%s", err.message);
        assert_true(values[0] == 1 && values[TINY_VALUES - 1] != 0);
        for (size_t i = 17; i < TINY_BUFFERS; i++)
            assert_true((values[i] != 0) == same);
        if (!same)
            expect_refused(&file, false, "tensor '3.bias' is [1, 2] in it, but [2]");
        edit_file(&file, &t, "\"0.bias\"", "\"0.bios\"");
        expect_refused(&file, true, "no tensor '0.bias'");
        buf_finish(&file);
    }
}

#define TENSOR(name, dtype, shape, offsets)                                                       \
    "\"" name "\":{\"dtype\":" dtype ",\"shape\":" shape ",\"data_offsets\":" offsets "}"

static void test_hostile_headers(void **state)
{
    static const char *const cases[][2] = {
        {"", "header"},
        {"[]", "no object"},
        {"{\"a\":1}", "tensor 'a': it has not dtype, shape"},
        {"{\"a\":{\"dtype\":\"F32\",\"shape\":[],\"offsets\":[0,4]}}", "a member is missing"},
        {"{" TENSOR("a", "\"X9\"", "[1]", "[0,4]") "}", "its dtype is unknown"},
        {"{" TENSOR("a", "3", "[1]", "[0,4]") "}", "its dtype is unknown"},
        {"{" TENSOR("a", "\"F32\"", "[-1]", "[0,4]") "}", "no list of at most 8"},
        {"{" TENSOR("a", "\"F32\"", "[\"1\"]", "[0,4]") "}", "no list of at most 8"},
        {"{" TENSOR("a", "\"F32\"", "[1,1,1,1,1,1,1,1,1]", "[0,4]") "}", "no list of at most 8"},
        {"{" TENSOR("a", "\"F32\"", "[1]", "[4,0]") "}", "no [begin, end]"},
        {"{" TENSOR("a", "\"F32\"", "[1]", "[0]") "}", "no [begin, end]"},
        {"{" TENSOR("a", "\"F32\"", "[1]", "[0,0.5]") "}", "no [begin, end]"},
        {"{" TENSOR("a", "\"F32\"", "[2]", "[0,4]") "}", "shape and its data_offsets disagree"},
        {"{" TENSOR("a", "\"F32\"", "[4294967296,4294967296]", "[0,0]") "}", "disagree"},
        {"{" TENSOR("a", "\"F64\"", "[2097152,2097152,2097152,2]", "[0,8]") "}", "disagree"},
        {"{" TENSOR("a", "\"F32\"", "[4]", "[0,16]") "}", "ends at byte 16 of 8: the file is cut"},
        {"{" TENSOR("a", "\"F32\"", "[1]", "[0,4]") "," TENSOR("b", "\"F32\"", "[2]", "[0,8]") "}",
         "tensor 'b': it overlaps another"},
        {"{" TENSOR("a", "\"F32\"", "[1]", "[0,4]") "," TENSOR("b", "\"U8\"", "[1]", "[7,8]") "}",
         "tensor 'b': a gap before it"},
        {"{" TENSOR("a", "\"F32\"", "[1]", "[0,4]") "}", "4 bytes after the last tensor"},
        {"{" TENSOR("a", "\"F32\"", "[1]", "[0,4]") "," TENSOR("a", "\"F32\"", "[1]", "[4,8]") "}",
         "damaged safetensors header"},
        {"{\"a\":1e999}", "damaged safetensors header"},
        {"{} x", "damaged safetensors header"},
    };
    struct buf file = {0};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        make_file(&file, cases[i][0], "12345678", 8);
        expect_refused(&file, false, cases[i][1]);
    }
    buf_clear(&file);
    for (int i = 0; i < 100; i++)
        buf_puts(&file, "{\"a\":");
    char *deep = buf_take(&file);
    make_file(&file, deep, "", 0);
    expect_refused(&file, false, "damaged safetensors header");
    free(deep);
    buf_finish(&file);
}

static void test_every_truncation_is_refused(void **state)
{
    struct tiny_net t;
    struct buf file = {0};
    tiny_net_init(&t);
    edit_file(&file, &t, "", "");
    size_t whole = file.len;
    for (file.len = 0; file.len < whole; file.len++)
        expect_refused(&file, true, "");
    file.len = whole;
    for (size_t i = 2; i < 8; i++) { /* a header of up to 2^64 bytes */
        file.data[i] = (char)0xff;
        expect_refused(&file, false, "of which the header claims");
    }
    buf_finish(&file);
}

static void test_file_is_named(void **state)
{
    struct tiny_net t;
    struct folder f;
    struct errbuf err = {0};
    char path[128];
    folder_init(&f);
    tiny_net_init(&t);
    assert_int_equal(weights_write("/proc/no/such.safetensors", &t.net, t.values, NULL, &err), ERR_IO);
    assert_non_null(strstr(err.message, "/proc/no"));
    snprintf(path, sizeof path, "%s/a", f.data);
    assert_int_equal(weights_read(path, &t.net, false, t.values, &err), ERR_IO);
    assert_non_null(strstr(err.message, path));
    folder_write(&f, "a", "hello", 5);
    assert_int_equal(weights_read(path, &t.net, false, t.values, &err), ERR_DATA);
    assert_true(strncmp(err.message, path, strlen(path)) == 0);
    folder_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file_as_others_read_it),
        cmocka_unit_test(test_damaged_file),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_file_of_others),
        cmocka_unit_test(test_other_networks_are_refused),
        cmocka_unit_test(test_output_layer_may_differ),
        cmocka_unit_test(test_hostile_headers),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_file_is_named),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
