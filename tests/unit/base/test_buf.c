#include "sweep/buf.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sweep/err.h"

static void test_an_empty_buffer_is_valid(void **state)
{
    struct buf b = {0};
    char *text;

    buf_clear(&b);
    buf_consume(&b, 0);
    buf_append(&b, NULL, 0);
    assert_int_equal(b.len, 0);
    assert_string_equal(b.data, "");
    text = buf_take(&b);
    assert_string_equal(text, "");
    assert_null(b.data);
    free(text);
    buf_finish(&b);
}

static void test_grows_and_stays_terminated(void **state)
{
    struct buf b = {0};

    for (int i = 0; i < 10000; i++) {
        buf_putc(&b, (char)('a' + i % 26));
        assert_int_equal(b.data[b.len], '\0');
    }
    assert_int_equal(b.len, 10000);
    assert_int_equal(b.data[9999], 'a' + 9999 % 26);
    buf_consume(&b, 9998);
    assert_int_equal(b.len, 2);
    assert_int_equal(strlen(b.data), 2);
    buf_finish(&b);
}

/* Lengths around the capacity: what is printed never depends on how much room there was. */
static void test_printf_at_every_boundary(void **state)
{
    char expected[300];

    for (int len = 0; len < 260; len++) {
        struct buf b = {0};

        buf_puts(&b, "0123456789");
        buf_printf(&b, "%*d%%", len, 7);
        snprintf(expected, sizeof(expected), "0123456789%*d%%", len, 7);
        assert_string_equal(b.data, expected);
        assert_int_equal(b.len, strlen(expected));
        assert_true(b.cap > b.len);
        buf_finish(&b);
    }
}

static void test_str_copy_cuts_at_characters(void **state)
{
    char out[8];

    str_copy(out, sizeof(out), "1234567");
    assert_string_equal(out, "1234567");
    str_copy(out, sizeof(out), "12345678");
    assert_string_equal(out, "1234567");
    str_copy(out, sizeof(out), "123456é");
    assert_string_equal(out, "123456");
    str_copy(out, sizeof(out), "12345😀");
    assert_string_equal(out, "12345");
    str_copy(out, sizeof(out), "123😀");
    assert_string_equal(out, "123😀");
    str_copy(out, 1, "x");
    assert_string_equal(out, "");
    /* Not UTF-8 at all: still cut and terminated. */
    str_copy(out, sizeof(out), "\x80\x80\x80\x80\x80\x80\x80\x80\x80");
    assert_int_equal(strlen(out), 4);
}

static void test_xasprintf(void **state)
{
    char *text = xasprintf("%s/%d", "runs", 12);

    assert_string_equal(text, "runs/12");
    free(text);
}

static void write_file(const char *path, size_t bytes)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    for (size_t i = 0; i < bytes; i++)
        fputc('a' + (int)(i % 26), f);
    assert_int_equal(fclose(f), 0);
}

static void test_read_file(void **state)
{
    char path[] = "/tmp/sweep-buf-XXXXXX";
    struct buf b = {0};
    struct errbuf e;

    close(mkstemp(path));
    write_file(path, 200000);
    buf_puts(&b, "head:");
    assert_int_equal(buf_read_file(&b, path, 199999, &e), ERR_LIMIT);
    assert_string_equal(b.data, "head:");
    assert_non_null(strstr(e.message, path));
    assert_int_equal(buf_read_file(&b, path, 200000, &e), 0);
    assert_int_equal(b.len, 200005);
    assert_memory_equal(b.data, "head:abc", 8);
    assert_int_equal(buf_read_file(&b, "/tmp", 10, &e), ERR_IO);
    assert_int_equal(b.len, 200005);
    unlink(path);
    assert_int_equal(buf_read_file(&b, path, 10, &e), ERR_IO);
    assert_non_null(strstr(e.message, "No such file"));
    buf_finish(&b);
}

/* What is in it stays through every move, and a full one doubles. */
static void test_array_grows(void **state)
{
    size_t *items = NULL, cap = 0, moves = 0;

    for (size_t i = 0; i < 1000; i++) {
        size_t before = cap;
        items = array_room(items, &cap, i, sizeof(*items));
        assert_true(cap > i);
        moves += cap != before;
        items[i] = 3 * i;
    }
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(items[i], 3 * i);
    assert_int_equal(moves, 8); /* 8, 16, … 1024 */
    assert_int_equal(cap, 1024);
    free(items);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_an_empty_buffer_is_valid),
        cmocka_unit_test(test_grows_and_stays_terminated),
        cmocka_unit_test(test_printf_at_every_boundary),
        cmocka_unit_test(test_str_copy_cuts_at_characters),
        cmocka_unit_test(test_xasprintf),
        cmocka_unit_test(test_read_file),
        cmocka_unit_test(test_array_grows),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("buf", tests, NULL, NULL);
}
