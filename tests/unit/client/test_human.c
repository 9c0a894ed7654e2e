#include "client/human.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>

#include "sweep/require.h"

struct number_case {
    double v;
    const char *text;
};

static void check(const char *(*format)(double, char *), const struct number_case *cases,
                  size_t count)
{
    for (size_t i = 0; i < count; i++) {
        char out[HUMAN_MAX];
        assert_string_equal(format(cases[i].v, out), cases[i].text);
    }
}

static void test_durations(void **state)
{
    static const struct number_case cases[] = {
        {0, "0 s"},           {0.034, "34 ms"},     {0.9996, "1.0 s"},    {1.24, "1.2 s"},
        {9.94, "9.9 s"},      {9.96, "10 s"},       {12.4, "12 s"},       {59.4, "59 s"},
        {59.6, "1 min 00 s"}, {185, "3 min 05 s"},  {3599.7, "1 h 00 min"},
        {7800, "2 h 10 min"}, {86399, "23 h 59 min"}, {273600, "3 d 04 h"},
        {-1, "-"},            {NAN, "-"},           {INFINITY, "-"},
    };
    check(human_duration, cases, ARRAY_LEN(cases));
}

static void test_energy(void **state)
{
    static const struct number_case cases[] = {
        {0, "0 mWh"},          {1.5, "0.417 mWh"}, {3598.1, "999 mWh"}, {3599.9, "1 Wh"},
        {45000, "12.5 Wh"},    {3.6e6, "1 kWh"},   {4.5e6, "1.25 kWh"}, {3.6e9, "1000 kWh"},
        {4.5e9, "1250 kWh"},   {-1, "-"},          {NAN, "-"},          {INFINITY, "-"},
    };
    check(human_energy, cases, ARRAY_LEN(cases));
}

static void test_losses_have_four_digits(void **state)
{
    static const struct number_case cases[] = {
        {0.3, "0.3000"},       {0.31234, "0.3123"}, {12.3456, "12.35"},   {999.96, "1000"},
        {1234.5, "1234"},      {123456, "123456"},  {1e6, "1.000e+06"},   {2.345e-5, "2.345e-05"},
        {0, "0.000"},          {-0.5, "-0.5000"},   {NAN, "nan"},         {INFINITY, "inf"},
        {-INFINITY, "-inf"},   {0.00123456, "0.001235"},
    };
    check(human_loss, cases, ARRAY_LEN(cases));
}

static void test_numbers_and_percent(void **state)
{
    static const struct number_case numbers[] = {
        {0.001, "0.001"}, {0.0316227, "0.03162"}, {128, "128"}, {1e300, "1e+300"}, {NAN, "nan"},
    };
    static const struct number_case shares[] = {
        {0.88123, "88.12 %"}, {0, "0.00 %"}, {1, "100.00 %"}, {NAN, "nan"},
    };
    check(human_number, numbers, ARRAY_LEN(numbers));
    check(human_percent, shares, ARRAY_LEN(shares));
}

static void test_counts(void **state)
{
    char out[HUMAN_MAX];
    assert_string_equal(human_count(0, out), "0");
    assert_string_equal(human_count(999, out), "999");
    assert_string_equal(human_count(1000, out), "1,000");
    assert_string_equal(human_count(60000, out), "60,000");
    assert_string_equal(human_count(-1234567, out), "-1,234,567");
    assert_string_equal(human_count(INT64_MIN, out), "-9,223,372,036,854,775,808");
}

static void test_ago(void **state)
{
    const int64_t now = INT64_C(1800000000000000), second = 1000000;
    char out[HUMAN_MAX];
    assert_string_equal(human_ago(now, now, out), "just now");
    assert_string_equal(human_ago(now - 4 * second - second / 2, now, out), "4 s ago");
    assert_string_equal(human_ago(now - 7800 * second, now, out), "2 h 10 min ago");
    assert_string_equal(human_ago(now + 3600 * second, now, out), "in the future");
    /* Hostile times must not overflow. */
    human_ago(INT64_MIN, INT64_MAX, out);
    human_ago(INT64_MAX, INT64_MIN, out);
}

static void test_utc_text(void **state)
{
    assert_true(human_parse_utc("1970-01-01 00:00:01.250") == 1250000);
    assert_true(human_parse_utc("2026-11-24 00:50:58") == INT64_C(1795481458000000));
    assert_true(human_parse_utc("yesterday") == 0);
    assert_true(human_parse_utc("2026-11-24") == 0);
    assert_true(human_parse_utc("") == 0);
}

static void test_no_double_overflows_its_text(void **state)
{
    static const double hard[] = {DBL_MAX, -DBL_MAX, DBL_MIN, 5e-324, 1e15, 1e17, NAN, INFINITY};
    for (size_t i = 0; i < ARRAY_LEN(hard); i++) {
        char out[HUMAN_MAX];
        human_loss(hard[i], out);
        human_number(hard[i], out);
        human_percent(hard[i], out);
        human_duration(hard[i], out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_energy),
        cmocka_unit_test(test_losses_have_four_digits),
        cmocka_unit_test(test_numbers_and_percent),
        cmocka_unit_test(test_counts),
        cmocka_unit_test(test_ago),
        cmocka_unit_test(test_utc_text),
        cmocka_unit_test(test_no_double_overflows_its_text),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
