/* Numbers in text: the same bits as strtod, nothing else taken for a number. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/require.h"
#include "sweep/rng.h"
#include "sweep/number.h"

static void expect_same(const char *text)
{
    double got = 77, want = strtod(text, NULL);
    assert_true(number_is(text, strlen(text)));
    assert_true(number_parse(text, strlen(text), &got));
    if (memcmp(&got, &want, sizeof got) != 0 && !(isnan(got) && isnan(want)))
        fail_msg("%s: %a, strtod %a", text, got, want);
    static char within[512];
    double same = 77;
    snprintf(within, sizeof within, "%s,", text);
    assert_true(number_parse_in(within, strlen(text), within + sizeof within, &same));
    assert_memory_equal(&got, &same, sizeof got);
}

static void test_forms(void **state)
{
    static const char *const numbers[] = {
        "0",
        "-0",
        "+1",
        "1.",
        ".5",
        "-.5",
        "00012.500",
        "1e5",
        "1E+5",
        "1e-5",
        "1.5e3",
        "nan",
        "NaN",
        "-nan",
        "inf",
        "+Inf",
        "-INF",
        "Infinity",
        "-infinity",
        "1e400",
        "-1e400",
        "1e-400",
        "0e999999999999",
        "9007199254740993",
        "9007199254740992.5",
        "18446744073709551615",
        "18446744073709551616",
        "9999999999999999999",
        "99999999999999999999",
        "0.1",
        "1e22",
        "1e23",
        "123456789012345678e-19",
        "0.00000000000000000000000000012345678901234567890123",
        "2.2250738585072011e-308",
        "4.9e-324",
        "1.7976931348623159e308",
        "8.5e-19",
        "1e19",
        "1e-19",
        "9223372036854775807.5",
        "36028797018963969e-1",
        "4503599627370497.5",
        "9007199254740993.0",
    };
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
        expect_same(numbers[i]);
}

static void test_what_is_no_number(void **state)
{
    static const char *const texts[] = {
        "",    "+",       "-",     ".",  "e5", "1e",    "1e+",    "1.2.3",
        "1,5", "0x10",    "1_000", " 1", "1 ", "--1",   "nan(1)", "nane",
        "in",  "infinit", "+",     "1f", "١",  "1e5.0", "-e",     ".e1",
    };
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        double value = 77;
        if (number_is(texts[i], strlen(texts[i])) ||
            number_parse(texts[i], strlen(texts[i]), &value) || value != 77)
            fail_msg("\"%s\" is taken for a number", texts[i]);
    }
}

/* Only the bytes that belong to it. */
static void test_length_counts(void **state)
{
    double value;
    assert_true(number_parse("12,5", 2, &value) && value == 12);
    assert_false(number_parse("1e5", 1, &value)); /* the text goes on with a number */
    assert_true(number_parse("-3\"", 2, &value) && value == -3);
    assert_true(number_parse("nanx", 3, &value) && isnan(value));
}

/* Within a longer text, at each distance from its end, a number is what it is by itself. */
static void test_within_a_text(void **state)
{
    static const char *const numbers[] = {
        "0", "-1.25", "12345678", "123456789.5", "-0.00001", "99999999e3", ".12345678", "7.",
        "1.234567890123e-7", "+00000000000000000000012.50000000000000000"};
    static const char *const others[] = {"", ",", ",123456789", "\n-1.5,2", ":;<=>?@/",
                                         "\xff\xfa\x30"};
    for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
        for (size_t k = 0; k < ARRAY_LEN(others); k++) {
            char text[100];
            size_t len = strlen(numbers[i]);
            int all = snprintf(text, sizeof text, "%s%s", numbers[i], others[k]);
            double alone = 0, within = 1;
            assert_true(number_parse(numbers[i], len, &alone));
            assert_true(number_parse_in(text, len, text + all, &within));
            assert_memory_equal(&alone, &within, sizeof alone);
        }
    }
}

/* All ways of writing doubles, and decimals on and beside the middle between two doubles. */
static void test_random_doubles(void **state)
{
    struct rng r;
    char text[400];
    rng_init(&r, 1, RNG_TEST, 0);
    for (int i = 0; i < 200000; i++) {
        uint64_t bits = rng_next(&r);
        double x;
        memcpy(&x, &bits, sizeof x);
        snprintf(text, sizeof text, "%.*g", 1 + (int)rng_below(&r, 20), x);
        expect_same(text);
        x = ldexp((double)(int64_t)bits, -(int)rng_below(&r, 90));
        snprintf(text, sizeof text, "%.*g", 1 + (int)rng_below(&r, 19), x);
        expect_same(text);
        snprintf(text, sizeof text, "%.*f", (int)rng_below(&r, 19), x);
        expect_same(text);
        snprintf(text, sizeof text, "%llue%d", (unsigned long long)(bits >> rng_below(&r, 64)),
                 (int)rng_below(&r, 50) - 25);
        expect_same(text);
        snprintf(text, sizeof text, "%lluE-%d",
                 (unsigned long long)((bits >> 11 << 1 | 1) + (1ull << 54)),
                 (int)rng_below(&r, 20));
        expect_same(text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_forms),
        cmocka_unit_test(test_what_is_no_number),
        cmocka_unit_test(test_length_counts),
        cmocka_unit_test(test_within_a_text),
        cmocka_unit_test(test_random_doubles),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
