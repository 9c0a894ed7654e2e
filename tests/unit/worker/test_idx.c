#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/err.h"
#include "sweep/require.h"
#include "worker/data/idx.h"

#include "folder.h"

static const unsigned dims[] = {3, 2, 2, 0};
static const unsigned char body[12] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 254, 255};

static void expect_refused(const unsigned char *bytes, size_t len, const char *words)
{
    struct idx x = {.count = 77};
    struct errbuf err = {0};
    int rc = idx_decode(bytes, len, &x, &err);
    assert_true(rc < 0 && x.count == 77); /* untouched */
    if (!strstr(err.message, words))
        fail_msg("message \"%s\" does not say \"%s\"", err.message, words);
}

static void expect_body(const struct idx *x)
{
    assert_int_equal(x->type, IDX_U8);
    assert_int_equal(x->rank, 3);
    assert_int_equal(x->dims[0], 3);
    assert_int_equal(x->count, 12);
    assert_memory_equal(x->data, body, 12);
}

static void test_plain_and_gzip(void **state)
{
    unsigned char file[64], packed[256];
    size_t len = folder_idx(file, IDX_U8, dims, body, sizeof body);
    size_t packed_len = folder_gzip(file, len, packed, sizeof packed);
    struct idx x;
    assert_int_equal(idx_decode(file, len, &x, NULL), 0);
    expect_body(&x);
    idx_finish(&x);
    assert_int_equal(idx_decode(packed, packed_len, &x, NULL), 0);
    expect_body(&x);
    idx_finish(&x);
}

/* gzip files may be joined; the reader must go on with the next member. */
static void test_two_gzip_members(void **state)
{
    unsigned char file[64], packed[256];
    size_t len = folder_idx(file, IDX_U8, dims, body, sizeof body);
    size_t first = folder_gzip(file, 20, packed, sizeof packed);
    size_t second = folder_gzip(file + 20, len - 20, packed + first, sizeof packed - first);
    struct idx x;
    assert_int_equal(idx_decode(packed, first + second, &x, NULL), 0);
    expect_body(&x);
    idx_finish(&x);
    expect_refused(packed, first, "ends within");
}

static void test_every_truncation_is_refused(void **state)
{
    unsigned char file[64], packed[256];
    size_t len = folder_idx(file, IDX_U8, dims, body, sizeof body);
    size_t packed_len = folder_gzip(file, len, packed, sizeof packed);
    for (size_t i = 0; i < len; i++)
        expect_refused(file, i, "");
    expect_refused(file, 3, "ends within the IDX header");
    expect_refused(file, 0, "ends within the IDX header");
    for (size_t i = 2; i < packed_len; i++)
        expect_refused(packed, i, "truncated");
}

static void test_damage_is_refused(void **state)
{
    unsigned char file[64], packed[256];
    size_t len = folder_idx(file, IDX_U8, dims, body, sizeof body);
    size_t packed_len = folder_gzip(file, len, packed, sizeof packed);
    packed[packed_len - 6] ^= 1; /* checksum */
    expect_refused(packed, packed_len, "damaged gzip");
    packed[packed_len - 6] ^= 1;
    memset(packed + packed_len, 'x', 3);
    expect_refused(packed, packed_len + 3, "3 bytes after the end");
    expect_refused(file, len + 1, "longer than its header");
    size_t longer = folder_gzip(file, len + 1, packed, sizeof packed);
    expect_refused(packed, longer, "longer than its header");
}

static void test_wrong_header(void **state)
{
    unsigned char file[64];
    size_t len = folder_idx(file, IDX_U8, dims, body, sizeof body);
    static const unsigned char zip[] = "PK\3\4 and more";
    expect_refused(zip, sizeof zip, "not an IDX file: its magic number is 50");
    file[2] = 0x0c;
    expect_refused(file, len, "IDX type 0x0c; allowed: 0x08");
    file[2] = IDX_U8;
    file[3] = 0;
    expect_refused(file, len, "0 dimensions; allowed: 1..4");
    file[3] = 5;
    expect_refused(file, len, "5 dimensions");
    file[3] = 3;
    memset(file + 8, 0, 4);
    expect_refused(file, len, "dimension 2 of the IDX header is 0");
}

/* 2^32-1 to the fourth wraps a size_t many times; nothing may be allocated for it. */
static void test_claims_beyond_the_file(void **state)
{
    const unsigned all[] = {0xffffffffu, 0xffffffffu, 0xffffffffu, 0xffffffffu, 0};
    const unsigned wraps[] = {0x10000u, 0x10000u, 0x10000u, 0x10000u, 0}; /* product 2^64 */
    const unsigned four_gib[] = {0xffffffffu, 0};
    const unsigned *const claims[] = {all, wraps, four_gib};
    unsigned char file[64], packed[256];
    for (size_t i = 0; i < ARRAY_LEN(claims); i++) {
        size_t len = folder_idx(file, IDX_F64, claims[i], body, sizeof body);
        expect_refused(file, len, "claims more data than");
        expect_refused(packed, folder_gzip(file, len, packed, sizeof packed),
                       "claims more data than");
    }
}

static void test_floats(void **state)
{
    const unsigned line[] = {3, 0};
    const unsigned char f32[12] = {0x3f, 0xc0, 0, 0, 0xff, 0xc0, 0, 0, 0x7f, 0x80, 0, 0};
    const unsigned char f64[24] = {0xbf, 0xe0, 0, 0, 0, 0, 0, 0, 0x40, 0x08};
    unsigned char file[64];
    float got[3];
    struct idx x;
    assert_int_equal(idx_decode(file, folder_idx(file, IDX_F32, line, f32, 12), &x, NULL), 0);
    idx_floats(&x, 0, 3, got);
    assert_true(got[0] == 1.5f && isnan(got[1]) && isinf(got[2]));
    idx_finish(&x);
    assert_int_equal(idx_decode(file, folder_idx(file, IDX_F64, line, f64, 24), &x, NULL), 0);
    idx_floats(&x, 0, 2, got);
    assert_true(got[0] == -0.5f && got[1] == 3.0f);
    idx_finish(&x);
}

static void test_file_is_named(void **state)
{
    struct folder f;
    struct idx x;
    struct errbuf err = {0};
    char path[128];
    folder_init(&f);
    folder_write(&f, "a", "hello", 5);
    snprintf(path, sizeof path, "%s/a", f.data);
    assert_int_equal(idx_read(path, &x, &err), ERR_DATA);
    assert_true(strncmp(err.message, path, strlen(path)) == 0);
    snprintf(path, sizeof path, "%s/absent", f.data);
    assert_int_equal(idx_read(path, &x, &err), ERR_IO);
    assert_non_null(strstr(err.message, path));
    folder_finish(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_and_gzip),
        cmocka_unit_test(test_two_gzip_members),
        cmocka_unit_test(test_every_truncation_is_refused),
        cmocka_unit_test(test_damage_is_refused),
        cmocka_unit_test(test_wrong_header),
        cmocka_unit_test(test_claims_beyond_the_file),
        cmocka_unit_test(test_floats),
        cmocka_unit_test(test_file_is_named),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
