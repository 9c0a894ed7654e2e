#include "sweep/err.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "sweep/require.h"

static void test_set_formats_and_returns(void **state)
{
    struct errbuf e;

    memset(&e, 'x', sizeof(e));
    assert_int_equal(err_set(&e, ERR_STATE, "sweep %d is %s", 7, "held"), ERR_STATE);
    assert_int_equal(e.code, ERR_STATE);
    assert_string_equal(e.message, "sweep 7 is held");
    assert_string_equal(e.key, "");
    assert_string_equal(e.value, "");
    assert_string_equal(e.allowed, "");
    assert_int_equal(err_set(NULL, ERR_IO, "nobody listens"), ERR_IO);
}

static void test_bad_leaves_out_empty_parts(void **state)
{
    static const struct {
        const char *key, *value, *allowed, *message;
    } cases[] = {
        {"$.epochs", "0", "1 to 9", "$.epochs: got 0; allowed: 1 to 9"},
        {"$.epochs", "0", "", "$.epochs: got 0"},
        {"$.epochs", NULL, "1 to 9", "$.epochs: allowed: 1 to 9"},
        {"$.epochs", "", "", "$.epochs"},
        {NULL, "0", "1 to 9", "got 0; allowed: 1 to 9"},
        {NULL, NULL, "1 to 9", "allowed: 1 to 9"},
        {NULL, NULL, "", ""},
    };
    struct errbuf e;

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        assert_int_equal(
            err_bad(&e, ERR_VALUE, cases[i].key, cases[i].value, "%s", cases[i].allowed),
            ERR_VALUE);
        assert_string_equal(e.message, cases[i].message);
    }
}

static void test_bad_takes_parts_of_itself(void **state)
{
    struct errbuf e;

    err_bad(&e, ERR_VALUE, "min", "3", "below max");
    err_bad(&e, ERR_DATA, e.value, e.key, "%s", e.allowed);
    assert_string_equal(e.message, "3: got min; allowed: below max");
}

/* Every part is as long as it may be and ends in the middle of a two-byte character. */
static void test_long_parts_are_cut_at_characters(void **state)
{
    char text[2001];
    struct errbuf e;

    for (size_t i = 0; i < sizeof(text) - 1; i += 2)
        memcpy(text + i, "é", 2);
    text[sizeof(text) - 1] = '\0';
    err_bad(&e, ERR_VALUE, text, text, "%s", text);
    assert_int_equal(strlen(e.key), sizeof(e.key) - 2);
    assert_int_equal(strlen(e.value), sizeof(e.value) - 2);
    assert_int_equal(strlen(e.allowed), sizeof(e.allowed) - 2);
    assert_in_range(strlen(e.message), sizeof(e.message) - 2, sizeof(e.message) - 1);
    assert_int_equal((unsigned char)e.message[strlen(e.message) - 1], 0xA9);
    err_set(&e, ERR_IO, "%s", text);
    assert_int_equal(strlen(e.message), sizeof(e.message) - 2);
}

static void test_codes_and_names_match_both_ways(void **state)
{
    for (int code = ERR_PERMISSION; code < 0; code++) {
        assert_int_equal(err_from_name(err_name(code)), code);
        assert_in_range(-err_rpc_code(code), 32001, 32700);
    }
    assert_string_equal(err_name(-99), "internal_error");
    assert_int_equal(err_rpc_code(-99), -32603);
    assert_int_equal(err_from_name("no such name"), ERR_INTERNAL);
}

static void test_nearest(void **state)
{
    static const char *const names[] = {"adam", "rmsprop", "momentum", "adadelta", "sgd"};
    static const struct {
        const char *word, *nearest;
    } cases[] = {
        {"adma", "adam"}, /* two neighbours swapped: one step */
        {"Adam", "adam"},
        {"MOMENTUM", "momentum"},
        {"rmsporp", "rmsprop"},
        {"momentun", "momentum"},
        {"adadelt", "adadelta"},
        {"sg", "sgd"},
        {"sdg", "sgd"},
        {"x", NULL},
        {"", NULL},
        {"xyz", NULL},
        {"nadam", "adam"},
        {"lbfgs", NULL},
    };
    char endless[5000];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const char *got = err_nearest(cases[i].word, names, ARRAY_LEN(names));

        if (cases[i].nearest) {
            assert_non_null(got);
            assert_string_equal(got, cases[i].nearest);
        } else {
            assert_null(got);
        }
    }
    memset(endless, 'a', sizeof(endless));
    endless[sizeof(endless) - 1] = '\0';
    assert_null(err_nearest(endless, names, ARRAY_LEN(names)));
    assert_null(err_nearest("adam", NULL, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_formats_and_returns),
        cmocka_unit_test(test_bad_leaves_out_empty_parts),
        cmocka_unit_test(test_bad_takes_parts_of_itself),
        cmocka_unit_test(test_long_parts_are_cut_at_characters),
        cmocka_unit_test(test_codes_and_names_match_both_ways),
        cmocka_unit_test(test_nearest),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("err", tests, NULL, NULL);
}
