/* Encodings and line ends → UTF-8 with LF. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/encoding.h"
#include "sweep/require.h"

#define BYTES(s) s, sizeof(s) - 1

static const struct {
    const char *in;
    size_t in_len;
    const char *out;
    size_t out_len;
    enum encoding encoding;
    bool cr;
} samples[] = {
    {BYTES(""), BYTES(""), ENCODING_UTF_8, false},
    {BYTES("a,b\r\n1,2\r\n"), BYTES("a,b\r\n1,2\r\n"), ENCODING_UTF_8, false},
    {BYTES("a,b\r\r\n1,2\r\r\n"), BYTES("a,b\n1,2\n"), ENCODING_UTF_8, false},
    {BYTES("\xEF\xBB\xBFgr\xC3\xBC\xC3\x9F"), BYTES("gr\xC3\xBC\xC3\x9F"), ENCODING_UTF_8, false},
    {BYTES("a,b\r1,2\r"), BYTES("a,b\n1,2\n"), ENCODING_UTF_8, true},
    {BYTES("gr\xFC\xDF 5 \x80\n"), BYTES("gr\xC3\xBC\xC3\x9F 5 \xE2\x82\xAC\n"),
     ENCODING_WINDOWS_1252, false},
    {BYTES("\xC3\xBC and \xFF, damaged"), BYTES("\xC3\xBC and \xFF, damaged"), ENCODING_UTF_8,
     false},
    {BYTES("\xFF\xFE"
           "a\0,\0\xAC\x20\n\0"),
     BYTES("a,\xE2\x82\xAC\n"), ENCODING_UTF_16LE, false},
    {BYTES("\xFE\xFF\0a\0\r\xD8\x3D\xDE\0\xD8\0\0b"),
     BYTES("a\n\xF0\x9F\x98\x80\xEF\xBF\xBD"
           "b"),
     ENCODING_UTF_16BE, true},
    {BYTES("a\0,\0b\0\n\0"), BYTES("a,b\n"), ENCODING_UTF_16LE, false},
    {BYTES("\0a\0,\0b\0\n"), BYTES("a,b\n"), ENCODING_UTF_16BE, false},
    {BYTES("\xFF\xFE"
           "a\0b"),
     BYTES("a"), ENCODING_UTF_16LE, false},
};

static void test_samples(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        size_t len = samples[i].in_len;
        char *bytes = xmalloc(len + 1);
        memcpy(bytes, samples[i].in, len);
        struct text_origin o = text_to_utf8(&bytes, &len);
        if (o.encoding != samples[i].encoding || o.cr_lines != samples[i].cr ||
            len != samples[i].out_len || memcmp(bytes, samples[i].out, len) != 0)
            fail_msg("%zu: %s, %zu bytes", i, encoding_name(o.encoding), len);
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
