#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "worker/weights.h"

#include "folder.h"

static const struct json *offsets_of(const struct json *root, const char *name, int64_t rows,
                                     int64_t columns)
{
    const struct json *t = json_get(root, name), *shape = json_get(t, "shape");
    assert_non_null(t);
    assert_string_equal(json_string(json_get(t, "dtype")), "F32");
    assert_int_equal(json_count(shape), columns ? 2 : 1);
    assert_true(json_number(json_first(shape)) == (double)rows);
    if (columns)
        assert_true(json_number(json_next(json_first(shape))) == (double)columns);
    return json_first(json_get(t, "data_offsets"));
}

/* Tensors follow one another without gaps to the end of the file. */
static void check_file(const struct buf *file, const struct net *n)
{
    static const struct {
        const char *name;
        int64_t rows, columns;
    } tensors[] = {{"0.weight", 4, 3}, {"0.bias", 4, 0}, {"2.weight", 4, 4},
                   {"2.bias", 4, 0},   {"4.weight", 2, 4}, {"4.bias", 2, 0}};
    uint64_t header = 0;
    for (int i = 8; i-- > 0;)
        header = header << 8 | (unsigned char)file->data[i];
    assert_int_equal(header % 8, 0);
    struct json *root = json_parse(file->data + 8, header, NULL);
    assert_non_null(root);
    assert_int_equal(json_count(root), 1 + 6); /* and __metadata__ */
    double at = 0;
    for (size_t i = 0; i < 6; i++) {
        const struct json *begin =
            offsets_of(root, tensors[i].name, tensors[i].rows, tensors[i].columns);
        assert_true(json_number(begin) == at);
        int64_t count = tensors[i].rows * (tensors[i].columns ? tensors[i].columns : 1);
        at += 4 * (double)count;
        assert_true(json_number(json_next(begin)) == at);
    }
    assert_int_equal(file->len, 8 + header + (uint64_t)at);
    assert_memory_equal(file->data + 8 + header, n->parameters, (size_t)at);
    json_destroy(root);
}

static void test_file(void **state)
{
    struct net_plan plan = {3, 2, 2, 4, ACTIVATION_RELU, INIT_AUTO, 1, 0, 0};
    struct folder f;
    struct net n;
    struct buf file = {0};
    char path[128];
    folder_init(&f);
    assert_int_equal(net_init(&n, &plan, 1, NULL), 0);
    snprintf(path, sizeof path, "%s/best.safetensors", f.data);
    for (int again = 0; again < 2; again++) { /* the second replaces the first */
        buf_clear(&file);
        n.parameters[1] = (real)again;
        assert_int_equal(weights_write(path, &n, n.parameters, NULL), 0);
        assert_int_equal(buf_read_file(&file, path, 1 << 20, NULL), 0);
        check_file(&file, &n);
    }
    buf_finish(&file);
    net_finish(&n);
    folder_finish(&f);
}

static void test_no_place(void **state)
{
    struct net_plan plan = {3, 2, 0, 4, ACTIVATION_RELU, INIT_AUTO, 1, 0, 0};
    struct net n;
    struct errbuf err = {0};
    assert_int_equal(net_init(&n, &plan, 1, NULL), 0);
    assert_int_equal(weights_write("/proc/no/such.safetensors", &n, n.parameters, &err), ERR_IO);
    assert_non_null(strstr(err.message, "/proc/no"));
    net_finish(&n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_file),
        cmocka_unit_test(test_no_place),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
