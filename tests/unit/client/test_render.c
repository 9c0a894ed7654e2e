#include "client/progress.h"
#include "client/render.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/json.h"
#include "sweep/require.h"

static void expect_text(const char *in, bool keep_lines, const char *want)
{
    struct buf out = {0};
    render_text(&out, in, keep_lines);
    assert_string_equal(out.data != NULL ? out.data : "", want);
    buf_finish(&out);
}

static void test_text_cannot_command_a_terminal(void **state)
{
    expect_text("plain", false, "plain");
    expect_text("\x1b[31mred", false, "?[31mred");
    expect_text("a\nb\tc", false, "a?b?c");
    expect_text("a\nb\tc\r", true, "a\nb\tc?");
    expect_text("\xc2\x9b" "31m", false, "?31m");          /* C1 control in UTF-8 */
    expect_text("\x9b\xff\xc0\xaf", false, "????");        /* not UTF-8 */
    expect_text("\xed\xa0\x80", false, "???");             /* surrogate */
    expect_text("caf\xc3\xa9 \xe6\xb7\xb1", false, "caf\xc3\xa9 \xe6\xb7\xb1");
    expect_text("\xe2\x80\xae" "evil", false, "?evil");    /* right-to-left override */
    expect_text("\xf0\x9f\x98", false, "???");             /* cut short */
}

/* Escaped it is the same JSON. */
static void test_json_cannot_command_a_terminal(void **state)
{
    static const char json[] = "{\"a\\u001b\":\"\xc2\x9b" "2J \xe2\x80\xae caf\xc3\xa9\x7f\"}\n";
    struct buf out = {0};
    render_document(&out, json, sizeof json - 1);
    assert_string_equal(out.data, "{\"a\\u001b\":\"\\u009b2J \\u202e caf\xc3\xa9\\u007f\"}\n");
    buf_finish(&out);
}

static void test_width_counts_columns(void **state)
{
    assert_int_equal(render_width("abc"), 3);
    assert_int_equal(render_width("caf\xc3\xa9"), 4);
    assert_int_equal(render_width("\xe6\xb7\xb1\xe5\xba\xa6"), 4); /* two wide characters */
    assert_int_equal(render_width("e\xcc\x81"), 1);                 /* combining accent */
}

static void expect_field(const char *text, size_t width, bool right, const char *want)
{
    struct buf out = {0};
    render_field(&out, text, width, right, render_tone(TONE_BAD, false));
    assert_string_equal(out.data, want);
    buf_finish(&out);
}

static void test_field_has_its_width(void **state)
{
    expect_field("ab", 4, false, "ab  ");
    expect_field("ab", 4, true, "  ab");
    expect_field("abcdef", 4, false, "abcd");
    expect_field("\xe6\xb7\xb1\xe5\xba\xa6", 3, false, "\xe6\xb7\xb1 "); /* no half character */
}

static void test_colour_only_when_asked(void **state)
{
    struct buf out = {0};
    render_field(&out, "failed", 6, false, render_tone(render_word_tone("failed"), true));
    assert_string_equal(out.data, "\x1b[31mfailed\x1b[0m");
    buf_finish(&out);
    assert_int_equal(render_word_tone("a pattern of the future"), TONE_PLAIN);
}

static void test_table_aligns_and_drops_empty_columns(void **state)
{
    static const struct table_column columns[] = {{"run", true}, {"remedy", false}, {"label", false}};
    static const char *const cells[] = {"1", "-", "learning", "200", "-", "x"};
    struct render_table t;
    struct buf out = {0};
    render_table_init(&t, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        render_table_add(&t, cells[i], TONE_PLAIN);
    render_table_print(&t, 0, false, &out);
    assert_string_equal(out.data, "run  label\n"
                                  "  1  learning\n"
                                  "200  x\n");
    render_table_finish(&t);
    buf_finish(&out);
}

/* A long name, then a reason: what does not fit into the terminal is cut, with a mark. */
static void test_table_cuts_a_long_text(void **state)
{
    static const struct table_column columns[] = {
        {"sweep", true, 0}, {"name", false, 0}, {"status", false, 0}, {"reason", false, 0}};
    static const char *const cells[] = {"1", "q",        "cancelled", "cancelled through sweepctl",
                                        "2", "深度 of a net, and a long story of it", "held", "-"};
    struct render_table t;
    struct buf out = {0};
    render_table_init(&t, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        render_table_add(&t, cells[i], TONE_PLAIN);
    render_table_print(&t, 60, false, &out);
    assert_string_equal(out.data, "sweep  name              status     reason\n"
                                  "    1  q                 cancelled  cancelled through\n"
                                  "                                    sweepctl\n"
                                  "    2  深度 of a net, …  held       -\n");
    render_table_finish(&t);
    buf_finish(&out);
}

static void expect_table(size_t max, const char *want)
{
    static const struct table_column columns[] = {
        {"run", true, 0}, {"batch", true, 2}, {"kind", false, 1}, {"says", false, 0}};
    static const char *const cells[] = {"1",   "32",  "search", "learning",
                                        "200", "128", "treatment",
                                        "overfitting that already hurts, since a while"};
    struct render_table t;
    struct buf out = {0};
    render_table_init(&t, columns, ARRAY_LEN(columns));
    for (size_t i = 0; i < ARRAY_LEN(cells); i++)
        render_table_add(&t, cells[i], TONE_PLAIN);
    render_table_print(&t, max, false, &out);
    assert_string_equal(out.data, want);
    render_table_finish(&t);
    buf_finish(&out);
}

/* As wide as it is; then the last column's text is broken; then columns go, as their rows say. */
static void test_table_fits_the_terminal(void **state)
{
    expect_table(0, "run  batch  kind       says\n"
                    "  1     32  search     learning\n"
                    "200    128  treatment  overfitting that already hurts, since a while\n");
    expect_table(60, "run  batch  kind       says\n"
                     "  1     32  search     learning\n"
                     "200    128  treatment  overfitting that already hurts, since\n"
                     "                       a while\n");
    expect_table(44, "run  kind       says\n"
                     "  1  search     learning\n"
                     "200  treatment  overfitting that already\n"
                     "                hurts, since a while\n");
    expect_table(30, "run  says\n"
                     "  1  learning\n"
                     "200  overfitting that already\n"
                     "     hurts, since a while\n");
}

static void test_text_is_broken_between_words(void **state)
{
    struct buf out = {0};
    render_wrapped(&out, "one two  three fourteen", 2, 9, TONE_PLAIN);
    assert_string_equal(out.data, "one two\n  three\n  fourteen");
    buf_finish(&out);
    render_wrapped(&out, "abcdefghijkl", 0, 5, TONE_PLAIN); /* no blank: where it must */
    assert_string_equal(out.data, "abcde\nfghij\nkl");
    buf_finish(&out);
    render_wrapped(&out, "", 0, 5, TONE_PLAIN);
    assert_string_equal(out.data != NULL ? out.data : "", "");
    buf_finish(&out);
}

static void expect_spark(const double *v, size_t count, size_t width, const char *want)
{
    struct buf out = {0};
    render_sparkline(&out, v, count, width);
    assert_string_equal(out.data != NULL ? out.data : "", want);
    buf_finish(&out);
}

static void test_sparkline(void **state)
{
    static const double falling[] = {8, 7, 6, 5, 4, 3, 2, 1};
    static const double broken[] = {1, NAN, 2, INFINITY};
    static const double huge[] = {-1.7e308, 1.7e308};
    static const double flat[] = {3, 3};
    expect_spark(falling, 8, 60, "█▇▆▅▄▃▂▁");
    expect_spark(falling, 8, 2, "█▁");
    expect_spark(broken, 4, 60, "▁×█×");
    expect_spark(huge, 2, 60, "▁█");
    expect_spark(flat, 2, 60, "▁▁");
    expect_spark(NULL, 0, 60, "");
}

static void test_members_of_any_type_are_shown(void **state)
{
    static const char text[] =
        "{\"name\":\"x\",\"loss\":0.31,\"nan\":\"nan\",\"inf\":\"+inf\",\"none\":null,\"list\":[1],"
        "\"count\":60000,\"huge\":1e300,\"flag\":true,\"when\":\"long ago\",\"share\":\"text\","
        "\"empty\":{},\"params\":{\"lr\":0.000123456,\"kind\":\"cnn\",\"say\":\"a b\",\"amp\":true}}";
    static const struct {
        const char *key;
        enum cell_format format;
        const char *want;
    } cases[] = {
        {"name", CELL_TEXT, "x"},        {"loss", CELL_LOSS, "0.3100"},
        {"nan", CELL_LOSS, "nan"},       {"inf", CELL_LOSS, "inf"},
        {"none", CELL_LOSS, "-"},        {"missing", CELL_TEXT, "-"},
        {"list", CELL_LOSS, "[1]"},      {"count", CELL_COUNT, "60,000"},
        {"huge", CELL_COUNT, "1e+300"},  {"flag", CELL_NUMBER, "true"},
        {"when", CELL_AGO, "long ago"},  {"share", CELL_PERCENT, "text"},
        {"loss", CELL_TEXT, "0.31"},     {"empty", CELL_PARAMS, "-"},
        {"params", CELL_PARAMS, "lr=0.0001235 kind=cnn say=\"a b\" amp=true"},
        {"list", CELL_PARAMS, "[1]"},    {"none", CELL_PARAMS, "-"},
    };
    struct json *root = json_parse(text, sizeof text - 1, NULL);
    assert_non_null(root);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *got = render_member(root, cases[i].key, cases[i].format);
        assert_string_equal(got, cases[i].want);
        free(got);
    }
    char *of_nothing = render_member(NULL, "x", CELL_TEXT);
    assert_string_equal(of_nothing, "-");
    free(of_nothing);
    assert_string_equal(member_string(root, "count", "fallback"), "fallback");
    assert_int_equal(member_int(root, "name", 7), 7);
    assert_int_equal(member_int(root, "huge", 7), 7);
    json_destroy(root);
}

static void test_progress_has_a_bar(void **state)
{
    struct buf out = {0};
    progress_line(&out, "writing", 0, 1000, 0);
    assert_string_equal(out.data, "writing [........................] 0 of 1,000");
    buf_clear(&out);
    progress_line(&out, "writing", 250, 1000, 5);
    assert_string_equal(out.data, "writing [######..................] 250 of 1,000, 15 s left");
    buf_clear(&out);
    progress_line(&out, "writing", 3, 3, 5);
    assert_string_equal(out.data, "writing [########################] 3 of 3");
    buf_clear(&out);
    progress_line(&out, "writing", 0, 0, 5);
    assert_string_equal(out.data, "writing [........................] 0 of 0");
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text_cannot_command_a_terminal),
        cmocka_unit_test(test_json_cannot_command_a_terminal),
        cmocka_unit_test(test_width_counts_columns),
        cmocka_unit_test(test_field_has_its_width),
        cmocka_unit_test(test_colour_only_when_asked),
        cmocka_unit_test(test_table_aligns_and_drops_empty_columns),
        cmocka_unit_test(test_table_fits_the_terminal),
        cmocka_unit_test(test_table_cuts_a_long_text),
        cmocka_unit_test(test_text_is_broken_between_words),
        cmocka_unit_test(test_sparkline),
        cmocka_unit_test(test_members_of_any_type_are_shown),
        cmocka_unit_test(test_progress_has_a_bar),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
