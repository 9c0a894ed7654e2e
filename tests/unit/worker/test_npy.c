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
#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/npy.h"
#include "worker/data/table.h"

#include "array.h"
#include "folder.h"

static const unsigned char numbers[24] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12,
                                          13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24};

static struct table features_of(const char *descr, bool fortran, const char *shape,
                                const void *data, size_t len)
{
    struct buf file = {0};
    struct npy a;
    struct table t = {0};
    struct errbuf err = {0};
    array_npy(&file, descr, fortran, shape, data, len);
    if (npy_parse((unsigned char *)file.data, file.len, &a, &err) != 0 ||
        npy_features(&a, &t, &err) != 0)
        fail_msg("%s %s: %s", descr, shape, err.message);
    buf_finish(&file);
    return t;
}

/* The file as a whole is refused, in words that say why. */
static void expect_refused(const struct buf *file, const char *words)
{
    struct npy a = {.count = 77};
    struct table t = {.count = 77};
    struct errbuf err = {0};
    int rc = npy_parse((unsigned char *)file->data, file->len, &a, &err);
    if (rc == 0)
        rc = npy_features(&a, &t, &err);
    else
        assert_int_equal(a.count, 77); /* untouched */
    assert_true(rc < 0 && t.count == 77);
    if (!strstr(err.message, words))
        fail_msg("message \"%s\" does not say \"%s\"", err.message, words);
}

static void expect_header_refused(const char *header, const char *words)
{
    struct buf file = {0};
    array_npy_header(&file, 1, header);
    buf_append(&file, numbers, sizeof numbers);
    expect_refused(&file, words);
    buf_finish(&file);
}

/* Each type with numbers whose every byte counts, in both orders of bytes. */
static void test_every_type(void **state)
{
    static const struct {
        const char *descr;
        unsigned char bytes[8];
        double want;
    } cases[] = {
        {"|i1", {0xfe}, -2},
        {"|b1", {1}, 1},
        {"<i2", {0xff, 0xfe}, -257},
        {">i2", {0xfe, 0xff}, -257},
        {"=u2", {0x02, 0x01}, 258},
        {"<u2", {0xff, 0xfe}, 65279},
        {"<i4", {0, 0, 0, 0x80}, -2147483648.0},
        {">i4", {0xff, 0xff, 0xff, 0xfd}, -3},
        {"<u4", {0, 0, 0, 0x80}, 2147483648.0},
        {"<i8", {0, 0, 0, 0, 0, 0, 0, 0x80}, -9223372036854775808.0},
        {">i8", {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, -1},
        {">u8", {0x80, 0, 0, 0, 0, 0, 0, 0}, 9223372036854775808.0},
        {"<f2", {0x00, 0xbe}, -1.5},
        {">f2", {0x00, 0x01}, 0x1p-24},     /* the smallest subnormal */
        {"<f2", {0xff, 0x7b}, 65504},       /* the largest */
        {"<f2", {0x00, 0xfc}, -INFINITY},
        {"<f4", {0, 0, 0xc0, 0x3f}, 1.5},
        {">f4", {0x7f, 0x80, 0, 0}, INFINITY},
        {"<f8", {0, 0, 0, 0, 0, 0, 0xe0, 0xbf}, -0.5},
        {">f8", {0x40, 0x08, 0, 0, 0, 0, 0, 0}, 3},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t bytes = (size_t)(cases[i].descr[2] - '0');
        struct table t = features_of(cases[i].descr, false, "(1,)", cases[i].bytes, bytes);
        assert_int_equal(t.type, SAMPLES_F32);
        assert_true(t.count == 1 && t.shape.rank == 1 && t.shape.dim[0] == 1);
        if (*(float *)t.values != (float)cases[i].want)
            fail_msg("%s: %g instead of %g", cases[i].descr, *(float *)t.values, cases[i].want);
        table_finish(&t);
    }
}

static void test_nan_stays_nan(void **state)
{
    static const unsigned char nans[][8] = {
        {0x01, 0x7c}, {0, 0, 0xc0, 0x7f}, {0, 0, 0, 0, 0, 0, 0xf8, 0xff}};
    static const char *const descrs[] = {"<f2", "<f4", "<f8"};
    for (size_t i = 0; i < ARRAY_LEN(descrs); i++) {
        struct table t = features_of(descrs[i], false, "(1,)", nans[i], (size_t)2 << i);
        assert_true(isnan(*(float *)t.values));
        table_finish(&t);
    }
}

/* Bytes stay bytes; their shape decides whether they are images. */
static void test_shapes(void **state)
{
    static const struct {
        const char *descr, *shape;
        size_t len, count;
        struct shape want;
    } cases[] = {
        {"|u1", "(24,)", 24, 24, {1, {1}}},
        {"|u1", "(2, 12)", 24, 2, {1, {12}}},
        {"|u1", "(2, 3, 4)", 24, 2, {3, {1, 3, 4}}},
        {"<u2", "(2, 3, 2)", 24, 2, {2, {3, 2}}},
        {"|i1", "(2, 3, 4,)", 24, 2, {2, {3, 4}}},
        {"|u1", "(2, 3, 2, 2)", 24, 2, {3, {3, 2, 2}}},
        {"<i2", "( 1,3,2,2 )", 24, 1, {3, {3, 2, 2}}},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct table t = features_of(cases[i].descr, false, cases[i].shape, numbers, cases[i].len);
        bool bytes = cases[i].descr[1] == 'u' && cases[i].descr[2] == '1';
        assert_int_equal(t.type, bytes ? SAMPLES_U8 : SAMPLES_F32);
        assert_int_equal(t.count, cases[i].count);
        assert_int_equal(t.shape.rank, cases[i].want.rank);
        assert_memory_equal(t.shape.dim, cases[i].want.dim,
                            cases[i].want.rank * sizeof *t.shape.dim);
        assert_true(t.outputs == 0 && !t.targets);
        if (bytes)
            assert_memory_equal(t.values, numbers, 24);
        else
            assert_true(*(float *)t.values == (cases[i].descr[2] == '1' ? 1 : 0x0201));
        table_finish(&t);
    }
}

/* Fortran order: the first index is the fastest. a[i][j][k][l] holds its own C-order number. */
static void test_fortran_order(void **state)
{
    enum { N = 70, A = 3, B = 2, C = 2, COUNT = N * A * B * C };
    static uint16_t raw[COUNT];
    for (size_t place = 0; place < COUNT; place++) {
        size_t i = place % N, j = place / N % A, k = place / (N * A) % B, l = place / (N * A * B);
        raw[place] = (uint16_t)(((i * A + j) * B + k) * C + l);
    }
    struct table t = features_of("<u2", true, "(70, 3, 2, 2)", raw, sizeof raw);
    for (size_t i = 0; i < COUNT; i++)
        assert_true(((float *)t.values)[i] == (float)i);
    table_finish(&t);
    static const unsigned char bytes[6] = {1, 4, 2, 5, 3, 6};
    static const unsigned char rows[6] = {1, 2, 3, 4, 5, 6};
    t = features_of("|u1", true, "(2, 3)", bytes, sizeof bytes);
    assert_memory_equal(t.values, rows, 6);
    table_finish(&t);
}

static void test_versions(void **state)
{
    for (int version = 1; version <= 3; version++) {
        struct buf file = {0};
        struct npy a;
        array_npy_header(&file, version,
                         "{\"shape\":(2,3), 'fortran_order':False,'descr':'>f8'}  \n");
        for (int i = 0; i < 6; i++)
            buf_append(&file, "\x3f\xf0\0\0\0\0\0\0", 8);
        assert_int_equal(npy_parse((unsigned char *)file.data, file.len, &a, NULL), 0);
        assert_true(a.rank == 2 && a.dims[0] == 2 && a.dims[1] == 3 && a.count == 6 && !a.fortran);
        buf_finish(&file);
    }
}

static void test_damaged_headers(void **state)
{
    static const char *const cases[][2] = {
        {"", "no dict"},
        {"{}", "a key is missing"},
        {"{'descr': '|u1', 'fortran_order': False}", "a key is missing"},
        {"{'descr': '|u1', 'descr': '|u1', 'fortran_order': False, 'shape': (24,)}", "twice"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (24,), 'x': 1}", "an unknown key"},
        {"{'descr': '|u1' 'fortran_order': False, 'shape': (24,)}", "no comma"},
        {"{'descr': '|u1', 'fortran_order': 0, 'shape': (24,)}", "neither True nor False"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (24)}", "no tuple"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': [24]}", "no tuple"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (-24,)}", "whole numbers"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (2 12,)}", "whole numbers"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (24,)} x", "more after"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (24,)", "no comma"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (1, 1, 2, 3, 4)}", "4 dimensions"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (0, 24)}", "dimension 1 is 0"},
        {"{'descr': '|O', 'fortran_order': False, 'shape': (24,)}", "type '|O'; allowed: |u1"},
        {"{'descr': '<c8', 'fortran_order': False, 'shape': (3,)}", "type '<c8'"},
        {"{'descr': '|i4', 'fortran_order': False, 'shape': (6,)}", "type '|i4'"},
        {"{'descr': 'f4', 'fortran_order': False, 'shape': (6,)}", "type 'f4'"},
        {"{'descr': '', 'fortran_order': False, 'shape': (6,)}", "type ''"},
        {"{'descr': [('a', '<f4')], 'fortran_order': False, 'shape': (6,)}", "structured"},
        {"{'descr': '|u1', 'fortran_order': False, 'shape': ()}", "24 bytes of data"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        expect_header_refused(cases[i][0], cases[i][1]);
}

/* Nothing may be allocated for what is not there. */
static void test_claims_beyond_the_file(void **state)
{
    static const char *const shapes[] = {
        "(1000000000000,)", "(1000000, 1000000)", "(4294967296, 4294967296)",
        "(65536, 65536, 65536, 65536)", "(18446744073709551615,)", "(25,)", "(5, 5)",
    };
    char header[160];
    for (size_t i = 0; i < ARRAY_LEN(shapes); i++) {
        snprintf(header, sizeof header, "{'descr': '|u1', 'fortran_order': False, 'shape': %s, }",
                 shapes[i]);
        expect_header_refused(header, "");
    }
    expect_header_refused("{'descr': '<f8', 'fortran_order': False, 'shape': (1000000, 1000000)}",
                          "shape (1000000, 1000000) of type f8 claims more than the 24 bytes");
    expect_header_refused("{'descr': '|u1', 'fortran_order': False, 'shape': (99999999999999999999,)}",
                          "whole numbers");
    expect_header_refused("{'descr': '|u1', 'fortran_order': False, 'shape': (23,)}",
                          "24 bytes of data; shape (23,) of type u1 has 23");
}

static void test_every_truncation_is_refused(void **state)
{
    struct buf file = {0};
    array_npy(&file, "|u1", false, "(24,)", numbers, sizeof numbers);
    size_t whole = file.len;
    for (file.len = 0; file.len < whole; file.len++)
        expect_refused(&file, "");
    file.len = 3;
    expect_refused(&file, "not an NPY array");
    file.len = 40;
    expect_refused(&file, "cut short");
    file.len = whole;
    file.data[6] = 4;
    expect_refused(&file, "version 4.0; allowed: 1.0, 2.0, 3.0");
    buf_finish(&file);
}

static void write_npy(const struct folder *f, const char *name, const char *descr, bool fortran,
                      const char *shape, const void *data, size_t len)
{
    struct buf file = {0};
    array_npy(&file, descr, fortran, shape, data, len);
    folder_write(f, name, file.data, file.len);
    buf_finish(&file);
}

static void test_files_with_targets(void **state)
{
    static const int64_t large[2] = {9007199254740991, -5}; /* 2^53 - 1: no float has it */
    static const float pairs[6] = {1, 2, 3, 4, 5, 6};
    struct folder f;
    struct table t = {0};
    char x[128], y[128];
    folder_init(&f);
    snprintf(x, sizeof x, "%s/x.npy", f.data);
    snprintf(y, sizeof y, "%s/y.npy", f.data);
    write_npy(&f, "x.npy", "|u1", false, "(2, 12)", numbers, 24);
    write_npy(&f, "y.npy", "<i8", false, "(2, 1)", large, sizeof large);
    assert_int_equal(npy_read(x, y, &t, NULL), 0);
    assert_true(t.count == 2 && t.outputs == 1 && t.class_names == 0);
    assert_true(t.targets[0] == 9007199254740991.0 && t.targets[1] == -5);
    table_finish(&t);
    write_npy(&f, "y.npy", "<f4", true, "(2, 3)", pairs, sizeof pairs);
    assert_int_equal(npy_read(x, y, &t, NULL), 0);
    assert_true(t.outputs == 3 && t.targets[0] == 1 && t.targets[1] == 3 && t.targets[3] == 2);
    table_finish(&t);
    assert_int_equal(npy_read(x, "", &t, NULL), 0);
    assert_true(t.count == 2 && t.outputs == 0 && !t.targets);
    table_finish(&t);
    folder_finish(&f);
}

static void test_files_that_do_not_fit(void **state)
{
    struct folder f;
    struct table t = {.count = 77};
    struct errbuf err = {0};
    char x[128], y[128];
    folder_init(&f);
    snprintf(x, sizeof x, "%s/x.npy", f.data);
    snprintf(y, sizeof y, "%s/y.npy", f.data);
    write_npy(&f, "x.npy", "|u1", false, "(2, 12)", numbers, 24);
    assert_int_equal(npy_read(x, y, &t, &err), ERR_IO);
    assert_non_null(strstr(err.message, y));
    write_npy(&f, "y.npy", "|u1", false, "(3,)", numbers, 3);
    assert_int_equal(npy_read(x, y, &t, &err), ERR_DATA);
    assert_true(strncmp(err.message, y, strlen(y)) == 0);
    assert_non_null(strstr(err.message, "shape (3,) for 2 samples; allowed: (2,)"));
    write_npy(&f, "y.npy", "|u1", false, "(2, 1, 2, 1)", numbers, 4);
    assert_int_equal(npy_read(x, y, &t, &err), ERR_DATA);
    assert_non_null(strstr(err.message, "(2, 1, 2, 1); allowed: (samples,)"));
    write_npy(&f, "x.npy", "|u1", false, "()", numbers, 1);
    assert_int_equal(npy_read(x, y, &t, &err), ERR_DATA);
    assert_non_null(strstr(err.message, "one number; allowed"));
    assert_int_equal(t.count, 77);
    folder_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_type),
        cmocka_unit_test(test_nan_stays_nan),
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_fortran_order),
        cmocka_unit_test(test_versions),
        cmocka_unit_test(test_damaged_headers),
        cmocka_unit_test(test_claims_beyond_the_file),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_files_with_targets),
        cmocka_unit_test(test_files_that_do_not_fit),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
