#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/npz.h"
#include "worker/data/table.h"
#include "worker/data/zip.h"

#include "array.h"
#include "folder.h"

static const unsigned char numbers[6] = {1, 2, 3, 4, 5, 6};
static const unsigned flags_of[] = {
    0,
    ARRAY_DEFLATED,
    ARRAY_DESCRIPTOR | ARRAY_DEFLATED,
    ARRAY_DESCRIPTOR | ARRAY_NO_SIGNATURE,
    ARRAY_ZIP64,
    ARRAY_ZIP64 | ARRAY_DEFLATED,
    ARRAY_ZIP64 | ARRAY_DEFLATED | ARRAY_DESCRIPTOR,
};

static void add_array(struct array_zip *z, const char *name, const char *shape, size_t len,
                      unsigned flags)
{
    struct buf npy = {0};
    array_npy(&npy, "|u1", false, shape, numbers, len);
    array_zip_add(z, name, npy.data, npy.len, flags);
    buf_finish(&npy);
}

/* x (2, 3) and y (2,). */
static void make_pair(struct array_zip *z, const char *x, const char *y, unsigned flags)
{
    *z = (struct array_zip){0};
    add_array(z, x, "(2, 3)", 6, flags);
    add_array(z, y, "(2,)", 2, flags);
    array_zip_end(z);
}

static int decode(const struct array_zip *z, const char *target, const char *part,
                  struct table *t, struct errbuf *err)
{
    /* Memory of exactly that size, so that a sanitizer sees a byte too far. */
    unsigned char *copy = xmalloc(z->bytes.len);
    memcpy(copy, z->bytes.data, z->bytes.len);
    const struct npz_names told = {"", target, false};
    int rc = npz_decode(copy, z->bytes.len, &told, part, t, err);
    free(copy);
    return rc;
}

static void expect_read(const struct array_zip *z, const char *target, const char *part)
{
    struct table t;
    struct errbuf err = {0};
    if (decode(z, target, part, &t, &err) != 0)
        fail_msg("%s", err.message);
    assert_true(t.type == SAMPLES_U8 && t.count == 2 && t.shape.dim[0] == 3 && t.outputs == 1);
    assert_memory_equal(t.values, numbers, 6);
    assert_true(t.targets[0] == 1 && t.targets[1] == 2);
    table_finish(&t);
}

static void expect_refused(const struct array_zip *z, const char *words)
{
    struct table t = {.count = 77};
    struct errbuf err = {0};
    int rc = decode(z, "", "train", &t, &err);
    assert_true(rc < 0 && t.count == 77);
    if (!strstr(err.message, words))
        fail_msg("message \"%s\" does not say \"%s\"", err.message, words);
}

static void test_every_kind_of_member(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(flags_of); i++) {
        struct array_zip z;
        make_pair(&z, "x.npy", "y.npy", flags_of[i]);
        expect_read(&z, "", "train");
        array_zip_finish(&z);
    }
}

static void test_names(void **state)
{
    static const struct {
        const char *x, *y, *target, *part;
    } cases[] = {
        {"data.npy", "target.npy", "", "train"},       {"x.npy", "labels.npy", "labels", "train"},
        {"x_train.npy", "y_train.npy", "", "train"},   {"x_val.npy", "y_val.npy", "", "val"},
        {"x_test.npy", "speed_test.npy", "speed", "test"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct array_zip z;
        make_pair(&z, cases[i].x, cases[i].y, 0);
        expect_read(&z, cases[i].target, cases[i].part);
        array_zip_finish(&z);
    }
}

static void test_names_that_are_not_there(void **state)
{
    struct array_zip z;
    struct table t = {.count = 77};
    struct errbuf err = {0};
    make_pair(&z, "x.npy", "labels.npy", 0);
    assert_int_equal(decode(&z, "", "val", &t, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.message, "labels.npy, x.npy; allowed: x_val and y_val"));
    assert_int_equal(decode(&z, "", "train", &t, &err), ERR_DATA);
    assert_non_null(strstr(err.message, "no array 'y' (the targets of 'x'); it has labels.npy"));
    array_zip_finish(&z);
    make_pair(&z, "a.npy", "b\n.npy", 0);
    expect_refused(&z, "no features in it; it has a.npy, b?.npy; allowed: x_train");
    array_zip_finish(&z);
    array_zip_end(&z);
    expect_refused(&z, "it has nothing");
    array_zip_finish(&z);
}

static void test_array_is_named(void **state)
{
    struct array_zip z = {0};
    add_array(&z, "x.npy", "(1000000, 1000000)", 6, ARRAY_DEFLATED);
    add_array(&z, "y.npy", "(2,)", 2, 0);
    array_zip_end(&z);
    expect_refused(&z, "array 'x': shape (1000000, 1000000) of type u1 claims more than the 6");
    array_zip_finish(&z);
    add_array(&z, "x.npy", "(2, 3)", 6, 0);
    add_array(&z, "y.npy", "(3,)", 3, 0);
    array_zip_end(&z);
    expect_refused(&z, "array 'y': targets of shape (3,) for 2 samples");
    array_zip_finish(&z);
}

static void test_every_truncation_is_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(flags_of); i++) {
        struct array_zip z;
        make_pair(&z, "x.npy", "y.npy", flags_of[i]);
        size_t whole = z.bytes.len;
        for (z.bytes.len = 0; z.bytes.len < whole; z.bytes.len++)
            expect_refused(&z, "zip");
        z.bytes.len = 60;
        expect_refused(&z, "cut short: its directory is missing");
        z.bytes.len = whole;
        buf_putc(&z.bytes, 'x');
        expect_refused(&z, "cut short");
        array_zip_finish(&z);
    }
}

/* Every number of the last directory row, of its local header and of the end, made too large. */
static void test_numbers_of_the_directory(void **state)
{
    static const struct {
        int from; /* 0: directory row, 1: local header, 2: end record */
        size_t at, size;
    } fields[] = {
        {0, 0, 4}, {0, 20, 4}, {0, 24, 4}, {0, 28, 2}, {0, 30, 2}, {0, 32, 2}, {0, 42, 4},
        {1, 0, 4}, {1, 8, 2}, {1, 14, 4}, {1, 18, 4}, {1, 22, 4}, {1, 26, 2}, {1, 28, 2},
        {2, 4, 2}, {2, 8, 2}, {2, 10, 2}, {2, 12, 4}, {2, 16, 4},
    };
    static const uint64_t values[] = {0xfffffffe, 0xffffffff, 0x7fffffff, 0x8001};
    for (size_t i = 0; i < ARRAY_LEN(fields) * ARRAY_LEN(values); i++) {
        size_t f = i % ARRAY_LEN(fields);
        struct array_zip z;
        make_pair(&z, "x.npy", "y.npy", 0);
        size_t end = z.bytes.len - 22, directory = end - z.directory.len;
        size_t base[] = {directory + z.central, z.local, end};
        array_put(z.bytes.data + base[fields[f].from] + fields[f].at,
                  values[i / ARRAY_LEN(fields)], fields[f].size);
        expect_refused(&z, "");
        array_zip_finish(&z);
    }
}

static void test_zip64_numbers(void **state)
{
    /* end record: count, size, offset; locator: where the end record is */
    static const size_t from_end[] = {22 + 20 + 24, 22 + 20 + 16, 22 + 20 + 8, 22 + 12};
    static const uint64_t values[] = {UINT64_MAX, (uint64_t)1 << 63, 1000};
    for (size_t i = 0; i < ARRAY_LEN(from_end) * ARRAY_LEN(values); i++) {
        struct array_zip z;
        make_pair(&z, "x.npy", "y.npy", ARRAY_ZIP64);
        array_put(z.bytes.data + z.bytes.len - from_end[i % ARRAY_LEN(from_end)],
                  values[i / ARRAY_LEN(from_end)], 8);
        expect_refused(&z, "zip archive");
        array_zip_finish(&z);
    }
    /* a member of 10^13 bytes in a few deflated ones */
    struct array_zip z = {0};
    add_array(&z, "x.npy", "(2, 3)", 6, ARRAY_ZIP64 | ARRAY_DEFLATED | ARRAY_DESCRIPTOR);
    array_put(z.directory.data + 46 + 5 + 4, 10000000000000, 8);
    add_array(&z, "y.npy", "(2,)", 2, ARRAY_ZIP64);
    array_zip_end(&z);
    expect_refused(&z, "array 'x': it claims to unpack to 10000000000000 bytes");
    array_zip_finish(&z);
}

static void test_damage_is_refused(void **state)
{
    struct array_zip z;
    make_pair(&z, "x.npy", "y.npy", 0);
    z.bytes.data[z.local - 1] ^= 1; /* the last byte of x */
    expect_refused(&z, "array 'x': damaged: its CRC-32 is");
    array_zip_finish(&z);
    make_pair(&z, "x.npy", "y.npy", ARRAY_DEFLATED);
    z.bytes.data[z.local + 30 + 5] ^= 7; /* the first byte of y: an impossible block */
    expect_refused(&z, "array 'y': damaged deflated data");
    array_zip_finish(&z);
    make_pair(&z, "x.npy", "y.npy", 0);
    z.bytes.data[z.bytes.len - 22 - z.directory.len + 8] = 1;
    expect_refused(&z, "array 'x': it is encrypted");
    array_zip_finish(&z);
    make_pair(&z, "x.npy", "y.npy", 0);
    z.bytes.data[8] = 12; /* bzip2, in both places */
    z.bytes.data[z.bytes.len - 22 - z.directory.len + 10] = 12;
    expect_refused(&z, "array 'x': compression method 12; allowed: 0 (stored), 8 (deflated)");
    array_zip_finish(&z);
    make_pair(&z, "x.npy", "x.npy", 0);
    expect_refused(&z, "two members 'x.npy'");
    array_zip_finish(&z);
}

/* The size that the directory claims is neither exceeded nor filled up. */
static void test_wrong_size_of_deflated(void **state)
{
    static const struct {
        int more;
        const char *words;
    } cases[] = {{-1, "unpacks to more than"}, {1, "has not the length"}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct array_zip z = {0};
        add_array(&z, "x.npy", "(2, 3)", 6, ARRAY_DEFLATED | ARRAY_DESCRIPTOR);
        unsigned char size = (unsigned char)z.directory.data[24];
        z.directory.data[24] = (char)(unsigned char)(size + cases[i].more);
        add_array(&z, "y.npy", "(2,)", 2, 0);
        array_zip_end(&z);
        expect_refused(&z, cases[i].words);
        array_zip_finish(&z);
    }
}

static void test_file_is_named(void **state)
{
    struct folder f;
    struct array_zip z;
    struct spec_data d = {0};
    struct table t;
    struct errbuf err = {0};
    char path[128];
    folder_init(&f);
    make_pair(&z, "x.npy", "y.npy", ARRAY_DEFLATED);
    folder_write(&f, "a.npz", z.bytes.data, z.bytes.len);
    snprintf(path, sizeof path, "%s/a.npz", f.data);
    assert_int_equal(npz_read(path, &d, "train", &t, &err), 0);
    assert_int_equal(t.count, 2);
    table_finish(&t);
    assert_int_equal(npz_read(path, &d, "test", &t, &err), ERR_NOT_FOUND);
    assert_true(strncmp(err.message, path, strlen(path)) == 0);
    array_zip_finish(&z);
    folder_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_kind_of_member),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_names_that_are_not_there),
        cmocka_unit_test(test_array_is_named),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_numbers_of_the_directory),
        cmocka_unit_test(test_zip64_numbers),
        cmocka_unit_test(test_damage_is_refused),
        cmocka_unit_test(test_wrong_size_of_deflated),
        cmocka_unit_test(test_file_is_named),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
