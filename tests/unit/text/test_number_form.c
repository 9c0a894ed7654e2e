/* Numbers as people write them: one column a row, how it is settled, what its texts become. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/nothing.h"
#include "sweep/number_form.h"
#include "sweep/require.h"

#define ODD (-77.0) /* the text is no number of its column */
#define TEXTS 6

struct column {
    const char *texts[TEXTS];
    double values[TEXTS];
    bool semicolons;
    char decimal;
    const char *unit;
};

static const struct column columns[] = {
    {{"1.5", "2", "-3e2"}, {1.5, 2, -300}, false, '.', ""},
    {{"0,5", "12,25", "-3"}, {0.5, 12.25, -3}, false, ',', ""},
    {{"1,234", "12,345,678", "5"}, {1234, 12345678, 5}, false, '.', ""},
    {{"1,234.5", "1,234"}, {1234.5, 1234}, false, '.', ""},
    {{"1.234,5", "1.234", "7"}, {1234.5, 1234, 7}, false, ',', ""},
    {{"1.234", "2.500"}, {1.234, 2.5}, false, '.', ""},
    {{"1,234", "2,500"}, {1234, 2500}, false, '.', ""},
    {{"1,234", "2,500"}, {1.234, 2.5}, true, ',', ""},
    {{"0,123", "1,234"}, {0.123, 1.234}, false, ',', ""},
    {{"1 234", "12 345,5", "1"}, {1234, 12345.5, 1}, false, ',', ""},
    {{"1\u00a0234", "1\u202f234.5", "2\u2009000"}, {1234, 1234.5, 2000}, false, '.', ""},
    {{"1'234.5", "1\u2019234", "1_000_000"}, {1234.5, 1234, 1000000}, false, '.', ""},
    {{"\u22125", "\u20132.5", "+3", "-1"}, {-5, -2.5, 3, -1}, false, '.', ""},
    {{"0.802\u00a0", "\u00a01", " 2 "}, {0.802, 1, 2}, false, '.', ""},
    {{"12 km", "-3km", "0.5 km"}, {12, -3, 0.5}, false, '.', "km"},
    {{"12 km", "300 m", "5"}, {ODD, ODD, 5}, false, '.', ""},
    {{"3%", "-0.80 %"}, {3, -0.8}, false, '.', "%"},
    {{"3%", "0.03"}, {ODD, 0.03}, false, '.', ""},
    {{"$1,200", "-$5", "$-6.50", "7"}, {1200, -5, -6.5, 7}, false, '.', "$"},
    {{"1.200,50 €", "€ 3", "2,5€"}, {1200.5, 3, 2.5}, false, ',', "€"},
    {{"20 °C", "-1.5°C"}, {20, -1.5}, false, '.', "°C"},
    {{"5 m2", "7 m2"}, {5, 7}, false, '.', "m2"},
    {{"0,5", "1.5", "0,25"}, {0.5, ODD, 0.25}, false, ',', ""},
    {{"2441.", ".5", "1e5"}, {2441, 0.5, 1e5}, false, '.', ""},
    {{"inf", "-Infinity", "1"}, {INFINITY, -INFINITY, 1}, false, '.', ""},
    {{"(1,234.5)", "7", "(0.5)"}, {-1234.5, 7, -0.5}, false, '.', ""},
    {{"($5)", "$7", "$(1,200)"}, {-5, 7, -1200}, false, '.', "$"},
    {{"(1)", "(2)"}, {ODD, ODD}, false, '.', ""},
    {{"₹1,200", "₹ 5"}, {1200, 5}, false, '.', "₹"},
    {{"R$ 1.200,50", "R$ 7"}, {1200.5, 7}, false, ',', "R$"},
    {{"USD 5.50", "7 USD", "Rs. 3"}, {ODD, ODD, ODD}, false, '.', ""},
    {{"USD 5.50", "7 USD"}, {5.5, 7}, false, '.', "USD"},
    {{"\u200b1.5", "2\ufeff", "\u30003"}, {1.5, 2, 3}, false, '.', ""},
    {{"3a", "3b", "4"}, {ODD, ODD, 4}, false, '.', ""},
    /* without cents */
    {{"350.000,- €", "1.200,\u2013 €", "99,--€", "7,50 €"}, {350000, 1200, 99, 7.5}, true, ',', "€"},
    {{"CHF 326\u2019659.\u2013", "CHF 12.-", "CHF 0.50"}, {326659, 12, 0.5}, false, '.', "CHF"},
    {{"Fr. 1'200.-", "Fr. 5"}, {1200, 5}, false, '.', "Fr."},
    /* groups as in India */
    {{"₹ 3,26,659", "₹1,05,49,508.50", "₹ 12,345", "₹ 7"}, {326659, 10549508.5, 12345, 7}, false, '.', "₹"},
    /* a minus behind */
    {{"1.046,50-", "7,25", "12,00- "}, {-1046.5, 7.25, -12}, true, ',', ""},
    {{"1.50-", "2.50-"}, {ODD, ODD}, false, '.', ""},
};

static void test_columns(void **state)
{
    for (size_t c = 0; c < ARRAY_LEN(columns); c++) {
        const struct column *col = &columns[c];
        struct number_evidence e = {0};
        for (size_t i = 0; i < TEXTS && col->texts[i]; i++)
            assert_true(number_note(&e, col->texts[i], strlen(col->texts[i])));
        struct number_form f = number_form_settle(&e, &e, col->semicolons);
        if (f.decimal != col->decimal || strcmp(f.unit, col->unit) != 0)
            fail_msg("column %zu (%s): decimal %c, unit %s", c, col->texts[0], f.decimal, f.unit);
        for (size_t i = 0; i < TEXTS && col->texts[i]; i++) {
            double value = ODD;
            number_read(&f, col->texts[i], strlen(col->texts[i]), &value);
            if (value != col->values[i])
                fail_msg("column %zu: %s is %g", c, col->texts[i], value);
        }
    }
}

/* The others of the file decide where the column's own do not. */
static void test_file_decides(void **state)
{
    struct number_evidence column = {0}, other = {0}, file = {0};
    assert_true(number_note(&column, "1.234", 5));
    assert_true(number_note(&other, "0,5", 3));
    number_evidence_add(&file, &column);
    number_evidence_add(&file, &other);
    assert_int_equal(number_form_settle(&column, &file, false).decimal, ',');
    assert_true(number_note(&other, "0.5", 3));
    number_evidence_add(&file, &other);
    assert_int_equal(number_form_settle(&column, &file, false).decimal, '.');
}

static void test_no_numbers(void **state)
{
    static const char *const texts[] = {
        "", "-", "+", ".", "a", "1.2.3", "01.02.2021", "2021-01-01", "12:30", "1/2", "1-2",
        "192.168.0.1", "5f3a-77b2", "0x1F", "1,23,4567", "12,34", "--5", "$", "1 23", "nan", "km",
        "1234 5678 9012 3456", "$5 €", "1\t234", "3,", "CAD12", "(-5)", "()", "(a)", "12 2021",
        "1.-2", "350.- 3", "3,-5", "1,2,345", "12,34,56", "0,12,345", "2-", "1.50--"};
    for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
        struct number_evidence e = {0};
        bool is = number_note(&e, texts[i], strlen(texts[i]));
        if (is && strcmp(texts[i], "12,34") != 0)
            fail_msg("%s", texts[i]);
    }
}

static void test_long(void **state)
{
    char text[200];
    struct number_form f = {.decimal = '.'};
    double value = 0;
    memset(text, '1', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    /* The plain reader has no bound. */
    assert_true(number_read(&f, text, sizeof text - 1, &value));
    assert_true(value > 1e197);
    text[100] = ',';
    assert_false(number_read(&f, text, sizeof text - 1, &value));
}

static void test_nothing(void **state)
{
    static const char *const words[] = {"",    "None", "none", "NONE", "null", "NULL",  "NA",
                                        "n/a", "N/A",  "#N/A", "<NA>", "nan",  "NaN",   "NIL",
                                        "nil", "-",    "--",   "?",    ".",    "No log"};
    static const char *const values[] = {"0", "no", "x", "---", "n", "nothing", "No logs", "NAN1"};
    for (size_t i = 0; i < ARRAY_LEN(words); i++)
        assert_true(text_is_nothing(words[i], strlen(words[i])));
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        assert_false(text_is_nothing(values[i], strlen(values[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_columns), cmocka_unit_test(test_file_decides),
        cmocka_unit_test(test_no_numbers), cmocka_unit_test(test_long),
        cmocka_unit_test(test_nothing)};
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
