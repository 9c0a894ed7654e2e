#include "sweep/json.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <locale.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/require.h"
#include "sweep/rng.h"

static struct json *parse(const char *text)
{
    return json_parse(text, strlen(text), NULL);
}

/* Parses and writes again. */
static char *rewrite(const char *text)
{
    struct json *v = parse(text);
    struct buf out = {0};
    struct json_writer w;

    if (!v)
        return NULL;
    jw_init(&w, &out);
    jw_value(&w, v);
    json_destroy(v);
    return buf_take(&out);
}

static void test_accepts(void **state)
{
    static const struct {
        const char *text, *written;
    } cases[] = {
        {"null", "null"},
        {" \t\r\n true ", "true"},
        {"[]", "[]"},
        {"{}", "{}"},
        {"[ 1 , -2.5e-3 , 0 , 1E2 ]", "[1,-0.0025,0,100.0]"},
        {"-0", "-0"},
        {"-0.0", "-0"},
        {"1e-999", "0.0"},
        {"9007199254740993e0", "9007199254740992.0"},
        {"1.7976931348623157e308", "1.7976931348623157e+308"},
        {"{\"a\":{\"a\":1},\"A\":2,\"\":3}", "{\"a\":{\"a\":1},\"A\":2,\"\":3}"},
        {"\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\\uD83D\\uDE00\\u001f\"",
         "\"\\\"\\\\/\\b\\f\\n\\r\\té😀\\u001f\""},
        {"\"\x7f\xC2\x80\xEF\xBF\xBF\xF4\x8F\xBF\xBF\"",
         "\"\x7f\xC2\x80\xEF\xBF\xBF\xF4\x8F\xBF\xBF\""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *written = rewrite(cases[i].text), *again;

        assert_non_null(written);
        assert_string_equal(written, cases[i].written);
        again = rewrite(written);
        assert_string_equal(written, again);
        free(written);
        free(again);
    }
}

/* Strings with digits and escapes lie between the numbers; the text ends with one, unterminated. */
static void test_keeps_how_a_number_is_written(void **state)
{
    static const char text[] =
        "{\"a\":0.0,\"1.5\":[1,1.0,\"2.0\\\"3.0\",-4,{\"b\\\\\":5e0,\"c\":6E+1}],\"d\":7}8";
    struct json *v = json_parse(text, strlen(text) - 1, NULL), *number = json_parse("10.0", 2, NULL);
    const struct json *list = json_get(v, "1.5"), *at = json_first(list);
    static const bool want[] = {false, true, false, false};

    assert_true(json_written_real(json_get(v, "a")));
    for (size_t i = 0; i < ARRAY_LEN(want); i++, at = json_next(at))
        assert_int_equal(json_written_real(at), want[i]);
    assert_true(json_written_real(json_get(at, "b\\")) && json_written_real(json_get(at, "c")));
    assert_false(json_written_real(json_get(v, "d")) || json_written_real(number));
    json_destroy(number);
    json_destroy(v);
}

/* Each case: text, place, and a word that the message must have. */
static void test_refuses_with_place_and_reason(void **state)
{
    static const struct {
        const char *text, *place, *says;
    } cases[] = {
        {"", "line 1, column 1", "the end of the text"},
        {"NaN", "line 1, column 1", "'NaN'"},
        {"[1, nan]", "line 1, column 5", "\"nan\""},
        {"{\"a\": Infinity}", "line 1, column 7", "'Infinity'"},
        {"{\"a\": -Infinity}", "line 1, column 7", "'-Infinity'"},
        {"{\"lr\":\n 1e999}", "line 2, column 2", "'1e999'"},
        {"-1e309", "line 1, column 1", "'-1e309'"},
        {"[1]]", "line 1, column 4", "nothing after"},
        {"{} {}", "line 1, column 4", "nothing after"},
        {"[1,]", "line 1, column 4", "']'"},
        {"{\"a\":1,}", "line 1, column 8", "a key in double quotes"},
        {"{a:1}", "line 1, column 2", "a key in double quotes"},
        {"{'a':1}", "line 1, column 2", "a key in double quotes"},
        {"{\"a\" 1}", "line 1, column 6", "':'"},
        {"[1 2]", "line 1, column 4", "',' or ']'"},
        {"[1}", "line 1, column 3", "',' or ']'"},
        {"{\"a\":1", "line 1, column 7", "',' or '}'"},
        {"01", "line 1, column 1", "leading zeros"},
        {"-", "line 1, column 1", "JSON value"},
        {"-x", "line 1, column 2", "a digit"},
        {"1.", "line 1, column 3", "a digit"},
        {".5", "line 1, column 1", "JSON value"},
        {"+1", "line 1, column 1", "JSON value"},
        {"1e", "line 1, column 3", "a digit"},
        {"1e+", "line 1, column 4", "a digit"},
        {"0x10", "line 1, column 2", "nothing after"},
        {"tru", "line 1, column 1", "'tru'"},
        {"nulll", "line 1, column 5", "nothing after"},
        {"\"abc", "line 1, column 5", "closing"},
        {"\"a\nb\"", "line 1, column 3", "control characters"},
        {"\"\\x41\"", "line 1, column 3", "after a backslash"},
        {"\"\\", "line 1, column 3", "after a backslash"},
        {"\"\\u12g4\"", "line 1, column 2", "hexadecimal"},
        {"\"\\u12", "line 1, column 2", "hexadecimal"},
        {"\"a\\u0000b\"", "line 1, column 3", "\\u0000"},
        {"\"\\ud800\"", "line 1, column 2", "surrogates"},
        {"\"\\ud800\\u0041\"", "line 1, column 2", "surrogates"},
        {"\"\\udc00\\ud800\"", "line 1, column 2", "surrogates"},
        {"\"\\ud800\\ud800\"", "line 1, column 2", "surrogates"},
        {"\"é\xFF\"", "line 1, column 3", "UTF-8"},
        {"\"\xC0\x80\"", "line 1, column 2", "UTF-8"},         /* overlong NUL */
        {"\"\xE0\x9F\xBF\"", "line 1, column 2", "UTF-8"},     /* overlong */
        {"\"\xED\xA0\x80\"", "line 1, column 2", "UTF-8"},     /* surrogate */
        {"\"\xF4\x90\x80\x80\"", "line 1, column 2", "UTF-8"}, /* above U+10FFFF */
        {"\"\xE2\x82\"", "line 1, column 2", "UTF-8"},         /* cut short */
        {"\xEF\xBB\xBF{}", "line 1, column 1", "0xEF"},        /* byte order mark */
        {"// x\n1", "line 1, column 1", "JSON value"},
        {"{\"a\":1,\n\"b\":{\"c\":1},\n \"a\":2}", "line 3, column 3", "duplicate"},
        {"{\"x\":{\"b\":[{\"k\":1,\"\\u006b\":2}]}}", "line 1, column 20", "duplicate"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct errbuf e;

        assert_null(json_parse(cases[i].text, strlen(cases[i].text), &e));
        assert_int_equal(e.code, ERR_PARSE);
        assert_string_equal(e.key, cases[i].place);
        if (!strstr(e.message, cases[i].says))
            fail_msg("%s: '%s' does not say '%s'", cases[i].text, e.message, cases[i].says);
    }
    assert_null(json_parse("[1]\0", 4, NULL));
    assert_null(json_parse("\"a\0b\"", 5, NULL));
}

/* The length counts, not a NUL: a text that ends in the middle of a page is never read past. */
static void test_reads_no_byte_too_far(void **state)
{
    static const char text[] =
        "{\"a\":[1.5e3,true,false,null,\"\\u00e9\\ud83d\\ude00é\"],\"b\":{}}";

    for (size_t len = 0; len < sizeof(text); len++) {
        char *copy = xmalloc(len);
        struct json *v;

        memcpy(copy, text, len);
        v = json_parse(copy, len, NULL);
        assert_int_equal(v != NULL, len == sizeof(text) - 1);
        json_destroy(v);
        free(copy);
    }
}

static struct json *parse_nested(int levels, char open, char close)
{
    struct buf b = {0};
    struct json *v;

    for (int i = 0; i < levels; i++)
        buf_puts(&b, open == '{' && i + 1 < levels ? "{\"a\":" : (char[]){open, 0});
    for (int i = 0; i < levels; i++)
        buf_putc(&b, close);
    v = json_parse(b.data, b.len, NULL);
    buf_finish(&b);
    return v;
}

static void test_depth(void **state)
{
    for (int i = 0; i < 2; i++) {
        char open = "[{"[i], close = "]}"[i];
        struct json *v = parse_nested(JSON_MAX_DEPTH, open, close);
        struct json_writer w;
        struct buf out = {0};

        assert_non_null(v);
        /* The deepest value there is may stand inside of one of ours. */
        jw_init(&w, &out);
        jw_begin_object(&w);
        jw_key(&w, "value");
        jw_value(&w, v);
        jw_kv_int(&w, "next", 1);
        jw_end_object(&w);
        assert_non_null(strstr(out.data, ",\"next\":1}"));
        buf_finish(&out);
        json_destroy(v);
        assert_null(parse_nested(JSON_MAX_DEPTH + 1, open, close));
        assert_null(parse_nested(10000, open, close));
        assert_null(parse_nested(500000, open, close));
    }
}

static double cpu_seconds(void)
{
    return (double)clock() / CLOCKS_PER_SEC;
}

/* A line of RPC_LINE_MAX with nothing but keys: 100,000 of them, the last a duplicate or not. A
 * comparison of all pairs takes minutes here. */
static void test_many_keys_are_not_quadratic(void **state)
{
    for (int duplicate = 0; duplicate < 2; duplicate++) {
        struct buf b = {0};
        struct errbuf e;
        struct json *v;
        double start;

        buf_putc(&b, '{');
        for (int i = 0; i < 100000; i++)
            buf_printf(&b, "\"%d\":0,", i);
        buf_puts(&b, duplicate ? "\"777\":0}" : "\"x\":0}");
        start = cpu_seconds();
        v = json_parse(b.data, b.len, &e);
        assert_true(cpu_seconds() - start < 5);
        assert_int_equal(v == NULL, duplicate);
        if (duplicate) {
            assert_non_null(strstr(e.message, "'777'"));
        }
        json_destroy(v);
        buf_finish(&b);
    }
}

static double bits_to_double(uint64_t bits)
{
    double v;

    memcpy(&v, &bits, sizeof(v));
    return v;
}

static void check_round_trip(double v)
{
    struct buf out = {0};
    struct json_writer w;
    struct json *parsed;
    double back;

    jw_init(&w, &out);
    jw_real(&w, v);
    parsed = json_parse(out.data, out.len, NULL);
    assert_non_null(parsed);
    assert_int_equal(json_real(parsed, &back), 0);
    if (isnan(v))
        assert_true(isnan(back));
    else
        assert_memory_equal(&v, &back, sizeof(v));
    json_destroy(parsed);
    buf_finish(&out);
}

static void test_doubles_survive_a_round_trip(void **state)
{
    static const double special[] = {0.0,
                                     -0.0,
                                     0.1,
                                     1e15,
                                     9007199254740993.0,
                                     5e-324,
                                     1e-310,
                                     1.7976931348623157e308,
                                     2.2250738585072014e-308,
                                     NAN,
                                     INFINITY,
                                     -INFINITY,
                                     1.0 / 3};
    struct rng r;

    for (size_t i = 0; i < ARRAY_LEN(special); i++)
        check_round_trip(special[i]);
    rng_init(&r, 1, RNG_TEST, 0);
    for (int i = 0; i < 100000; i++) {
        check_round_trip(bits_to_double(rng_next(&r))); /* every exponent, NaNs among them */
        check_round_trip(rng_normal(&r));
    }
}

static void test_format_real_is_short(void **state)
{
    static const struct {
        double v;
        const char *text;
    } cases[] = {{0.1, "0.1"},
                 {1, "1"},
                 {-2.5, "-2.5"},
                 {1e-3, "0.001"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {1e300, "1e+300"},
                 {NAN, "nan"},
                 {-NAN, "nan"},
                 {INFINITY, "+inf"},
                 {-INFINITY, "-inf"}};
    char out[32];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        json_format_real(cases[i].v, out);
        assert_string_equal(out, cases[i].text);
    }
}

/* Runs where a locale with a decimal comma is installed; the C locale is checked above. */
static void test_locale_does_not_matter(void **state)
{
    static const char *const names[] = {"de_DE.UTF-8", "de_DE.utf8", "de_DE", "fr_FR.UTF-8"};
    const char *set = NULL;
    char out[32];
    struct json *v;

    for (size_t i = 0; i < ARRAY_LEN(names) && !set; i++)
        set = setlocale(LC_NUMERIC, names[i]);
    if (!set) {
        print_message("# no locale with a decimal comma is installed\n");
        return;
    }
    json_format_real(0.5, out);
    v = parse("1.5");
    setlocale(LC_NUMERIC, "C");
    assert_string_equal(out, "0.5");
    assert_true(json_number(v) == 1.5);
    json_destroy(v);
}

static void test_numbers_of_63_characters(void **state)
{
    char text[80];
    struct json *v;

    memset(text, '9', sizeof(text));
    v = json_parse(text, 63, NULL);
    assert_non_null(v);
    assert_true(json_number(v) == 1e63);
    json_destroy(v);
    assert_null(json_parse(text, 64, NULL));
}

static void test_integers(void **state)
{
    static const struct {
        const char *text;
        int signed_rc;
        int64_t i;
        int unsigned_rc;
        uint64_t u;
    } cases[] = {
        {"0", 0, 0, 0, 0},
        {"-1", 0, -1, ERR_VALUE, 0},
        {"9007199254740992", 0, 1ll << 53, 0, 1ull << 53},
        {"9007199254740994", ERR_VALUE, 0, ERR_VALUE, 0},
        {"-9007199254740992", 0, -(1ll << 53), ERR_VALUE, 0},
        {"0.5", ERR_VALUE, 0, ERR_VALUE, 0},
        {"1e3", 0, 1000, 0, 1000},
        {"1e300", ERR_VALUE, 0, ERR_VALUE, 0},
        {"\"17\"", 0, 17, 0, 17},
        {"\"-17\"", 0, -17, ERR_TYPE, 0},
        {"\"9007199254740993\"", ERR_VALUE, 0, 0, 9007199254740993ull},
        {"\"18446744073709551615\"", ERR_VALUE, 0, 0, UINT64_MAX},
        {"\"18446744073709551616\"", ERR_VALUE, 0, ERR_VALUE, 0},
        {"\"99999999999999999999999\"", ERR_VALUE, 0, ERR_VALUE, 0},
        {"\"\"", ERR_TYPE, 0, ERR_TYPE, 0},
        {"\"-\"", ERR_TYPE, 0, ERR_TYPE, 0},
        {"\"007\"", ERR_TYPE, 0, ERR_TYPE, 0},
        {"\"+1\"", ERR_TYPE, 0, ERR_TYPE, 0},
        {"\" 1\"", ERR_TYPE, 0, ERR_TYPE, 0},
        {"\"1x\"", ERR_TYPE, 0, ERR_TYPE, 0},
        {"true", ERR_TYPE, 0, ERR_TYPE, 0},
        {"null", ERR_TYPE, 0, ERR_TYPE, 0},
        {"[1]", ERR_TYPE, 0, ERR_TYPE, 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json *v = parse(cases[i].text);
        int64_t s = 42;
        uint64_t u = 42;

        assert_int_equal(json_int64(v, &s), cases[i].signed_rc);
        assert_int_equal(json_uint64(v, &u), cases[i].unsigned_rc);
        assert_true(s == (cases[i].signed_rc == 0 ? cases[i].i : 42));
        assert_true(u == (cases[i].unsigned_rc == 0 ? cases[i].u : 42));
        json_destroy(v);
    }
}

static void test_typed_members(void **state)
{
    struct json *v =
        parse("{\"s\":\"text\",\"i\":3,\"r\":\"+inf\",\"b\":true,\"u\":\"5\",\"n\":null}");
    const char *s;
    int64_t i;
    uint64_t u;
    double r;
    bool b;
    struct errbuf e;

    assert_int_equal(json_get_string(v, "s", &s, &e), 0);
    assert_string_equal(s, "text");
    assert_int_equal(json_get_int64(v, "i", &i, &e), 0);
    assert_int_equal(i, 3);
    assert_int_equal(json_get_uint64(v, "u", &u, &e), 0);
    assert_int_equal(u, 5);
    assert_int_equal(json_get_real(v, "r", &r, &e), 0);
    assert_true(isinf(r) && r > 0);
    assert_int_equal(json_get_bool(v, "b", &b, &e), 0);
    assert_true(b);

    assert_int_equal(json_get_string(v, "S", &s, &e), ERR_MISSING);
    assert_string_equal(e.message, "S: missing; wanted: a string");
    assert_int_equal(json_get_string(v, "i", &s, &e), ERR_TYPE);
    assert_string_equal(e.message, "i: got 3; allowed: a string");
    assert_int_equal(json_get_real(v, "s", &r, &e), ERR_TYPE);
    assert_string_equal(e.value, "\"text\"");
    assert_int_equal(json_get_int64(v, "r", &i, &e), ERR_TYPE);
    assert_int_equal(json_get_uint64(v, "n", &u, &e), ERR_TYPE);
    assert_int_equal(json_get_bool(v, "i", &b, NULL), ERR_TYPE);
    assert_int_equal(json_get_bool(NULL, "i", &b, &e), ERR_MISSING);
    json_destroy(v);
}

static void test_walk(void **state)
{
    struct json *v = parse("{\"a\":[1,2],\"b\":null}");
    const struct json *a = json_first(v);

    assert_int_equal(json_count(v), 2);
    assert_string_equal(json_key(a), "a");
    assert_int_equal(json_count(a), 2);
    assert_null(json_key(json_first(a)));
    assert_null(json_next(json_next(a)));
    assert_ptr_equal(json_get(v, "a"), a);
    assert_null(json_get(v, "A"));
    assert_null(json_get(a, "a"));
    assert_null(json_get(NULL, "a"));
    assert_int_equal(json_type(json_get(v, "b")), JSON_NULL);
    json_destroy(v);
    json_destroy(NULL);
}

static void test_excerpt_is_cut_with_a_mark(void **state)
{
    struct json *v = parse("{\"key\":\"ééééééééé\"}");
    char out[16], all[64];

    json_excerpt(v, all, sizeof(all));
    assert_string_equal(all, "{\"key\":\"ééééééééé\"}");
    json_excerpt(v, out, sizeof(out));
    assert_string_equal(out, "{\"key\":\"éé…");
    json_destroy(v);
}

static void test_writer(void **state)
{
    struct buf out = {0};
    struct json_writer w;
    struct json *v;

    jw_init(&w, &out);
    jw_begin_object(&w);
    jw_kv_string(&w, "bad utf-8 \xff\xc3", "a\x80\"\\\x01\n");
    jw_kv_string(&w, "null", NULL);
    jw_key(&w, "list");
    jw_begin_array(&w);
    jw_begin_array(&w);
    jw_end_array(&w);
    jw_uint_string(&w, UINT64_MAX);
    jw_int(&w, INT64_MIN);
    jw_end_array(&w);
    jw_kv_real(&w, "nan", NAN);
    jw_kv_bool(&w, "yes", true);
    jw_kv_raw(&w, "raw", "{}");
    jw_end_object(&w);
    assert_string_equal(
        out.data, "{\"bad utf-8 \xEF\xBF\xBD\xEF\xBF\xBD\":\"a\xEF\xBF\xBD\\\"\\\\\\u0001\\n\","
                  "\"null\":null,\"list\":[[],\"18446744073709551615\",-9223372036854775808],"
                  "\"nan\":\"nan\",\"yes\":true,\"raw\":{}}");
    v = json_parse(out.data, out.len, NULL);
    assert_non_null(v);
    json_destroy(v);
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_accepts),
        cmocka_unit_test(test_keeps_how_a_number_is_written),
        cmocka_unit_test(test_refuses_with_place_and_reason),
        cmocka_unit_test(test_reads_no_byte_too_far),
        cmocka_unit_test(test_depth),
        cmocka_unit_test(test_many_keys_are_not_quadratic),
        cmocka_unit_test(test_doubles_survive_a_round_trip),
        cmocka_unit_test(test_format_real_is_short),
        cmocka_unit_test(test_locale_does_not_matter),
        cmocka_unit_test(test_numbers_of_63_characters),
        cmocka_unit_test(test_integers),
        cmocka_unit_test(test_typed_members),
        cmocka_unit_test(test_walk),
        cmocka_unit_test(test_excerpt_is_cut_with_a_mark),
        cmocka_unit_test(test_writer),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("json", tests, NULL, NULL);
}
