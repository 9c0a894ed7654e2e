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
#include "sweep/err.h"
#include "sweep/require.h"

#define BYTES(s) s, sizeof(s) - 1

static const struct {
    const char *in;
    size_t in_len;
    const char *out;
    size_t out_len;
    const char *encoding;
    bool cr;
} samples[] = {
    {BYTES(""), BYTES(""), "UTF-8", false},
    {BYTES("a,b\r\n1,2\r\n"), BYTES("a,b\r\n1,2\r\n"), "UTF-8", false},
    {BYTES("a,b\r\r\n1,2\r\r\n"), BYTES("a,b\n1,2\n"), "UTF-8", false},
    {BYTES("\xEF\xBB\xBFgr\xC3\xBC\xC3\x9F"), BYTES("gr\xC3\xBC\xC3\x9F"), "UTF-8", false},
    {BYTES("a,b\r1,2\r"), BYTES("a,b\n1,2\n"), "UTF-8", true},
    {BYTES("gr\xFC\xDF 5 \x80\n"), BYTES("gr\xC3\xBC\xC3\x9F 5 \xE2\x82\xAC\n"),
     "Windows-1252", false},
    {BYTES("\xC3\xBC and \xFF, damaged"), BYTES("\xC3\xBC and \xFF, damaged"), "UTF-8",
     false},
    {BYTES("\xFF\xFE"
           "a\0,\0\xAC\x20\n\0"),
     BYTES("a,\xE2\x82\xAC\n"), "UTF-16 (little-endian)", false},
    {BYTES("\xFE\xFF\0a\0\r\xD8\x3D\xDE\0\xD8\0\0b"),
     BYTES("a\n\xF0\x9F\x98\x80\xEF\xBF\xBD"
           "b"),
     "UTF-16 (big-endian)", true},
    {BYTES("a\0,\0b\0\n\0"), BYTES("a,b\n"), "UTF-16 (little-endian)", false},
    {BYTES("\0a\0,\0b\0\n"), BYTES("a,b\n"), "UTF-16 (big-endian)", false},
    {BYTES("\xFF\xFE"
           "a\0b"),
     BYTES("a"), "UTF-16 (little-endian)", false},
    {BYTES("\xB1\xE0\xBA\xC5,\xC3\xE6\xBB\xFD,\xBC\xDB\xB8\xF1\n1,2,3\n"),
     BYTES("\xE7\xBC\x96\xE5\x8F\xB7,\xE9\x9D\xA2\xE7\xA7\xAF,\xE4\xBB\xB7\xE6\xA0\xBC\n1,2,3\n"),
     "GB18030", false},
    {BYTES("\xC0\xCC\xB8\xA7,\xB3\xAA\xC0\xCC,\xB8\xF6\xB9\xAB\xB0\xD4,\xC5\xB0\n"),
     BYTES("\xEC\x9D\xB4\xEB\xA6\x84,\xEB\x82\x98\xEC\x9D\xB4,\xEB\xAA\xB8\xEB\xAC\xB4\xEA\xB2\x8C,\xED\x82\xA4\n"),
     "CP949", false},
    {BYTES("\x82\xC8\x82\xDC\x82\xA6,\x82\xC6\x82\xB5,\x91\xCC\x8F"
           "d\n1,2,3\n"),
     BYTES("\xE3\x81\xAA\xE3\x81\xBE\xE3\x81\x88,\xE3\x81\xA8\xE3\x81\x97,\xE4\xBD\x93\xE9\x87\x8D\n1,2,3\n"),
     "CP932", false},
    {BYTES("Gr\xF6\xDF"
           "e,H\xF6he,S\xFC\xDFstoff,\xC4\xD6\xDC\n"),
     BYTES("Gr\xC3\xB6\xC3\x9F"
           "e,H\xC3\xB6he,S\xC3\xBC\xC3\x9Fstoff,\xC3\x84\xC3\x96\xC3\x9C\n"),
     "Windows-1252", false},
    {BYTES("\x93"
           "a\x94,b\x92s,c\x96"
           "d\n"),
     BYTES("\xE2\x80\x9C"
           "a\xE2\x80\x9D,b\xE2\x80\x99s,c\xE2\x80\x93"
           "d\n"),
     "Windows-1252", false},
    {BYTES("temp\xE9rature,\xE9t\xE9,No\xEBl\n"),
     BYTES("temp\xC3\xA9rature,\xC3\xA9t\xC3\xA9,No\xC3\xABl\n"),
     "Windows-1252", false},
};

static void test_samples(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(samples); i++) {
        size_t len = samples[i].in_len;
        char *bytes = xmalloc(len + 1);
        memcpy(bytes, samples[i].in, len);
        struct text_origin o = text_to_utf8(&bytes, &len);
        if (strcmp(o.encoding, samples[i].encoding) != 0 || o.cr_lines != samples[i].cr ||
            len != samples[i].out_len || memcmp(bytes, samples[i].out, len) != 0)
            fail_msg("%zu: %s, %zu bytes", i, o.encoding, len);
        free(bytes);
    }
}

static void test_told(void **state)
{
    static const struct {
        const char *name, *in, *out; /* NULL: refused */
        int rc;
        const char *why;
    } cases[] = {
        {"KOI8-R", "\xD7\xC5\xD3\n", "\xD0\xB2\xD0\xB5\xD1\x81\n", 0, ""},
        {"ISO-8859-2", "\xB1\n", "\xC4\x85\n", 0, ""},
        {"KOI8-R", "gr\xC3\xBC\xC3\x9F\n", "gr\xC3\xBC\xC3\x9F\n", 0, ""}, /* UTF-8 stays that */
        {"SHIFT_JIS", "a\nb\xFF\n", NULL, ERR_DATA, "line 2: a byte 0xFF that SHIFT_JIS"},
        {"SHIFT_JIS", "a\x81", NULL, ERR_DATA, "line 1: a byte 0x81"}, /* cut off */
        {"martian", "\xFC\n", NULL, ERR_VALUE, "martian"},
        {"", "\xFC\n", "\xC3\xBC\n", 0, ""},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        size_t len = strlen(cases[i].in);
        char *bytes = xstrdup(cases[i].in);
        struct text_origin o;
        struct errbuf err = {0};
        assert_int_equal(text_from_encoding(cases[i].name, &bytes, &len, &o, &err), cases[i].rc);
        const char *now = cases[i].out ? cases[i].out : cases[i].in;
        assert_int_equal(len, strlen(now));
        assert_memory_equal(bytes, now, len);
        assert_non_null(strstr(err.message, cases[i].why));
        free(bytes);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_samples), cmocka_unit_test(test_told)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
