#include "client/opts.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <string.h>

#include "client/client.h"
#include "sweep/require.h"

#define WORDS_MAX 12

/* Splits the line at blanks and parses it as arguments behind the program's name. */
static int parse(const char *line, struct opts *o, struct errbuf *err)
{
    static char text[256];
    char *argv[WORDS_MAX] = {"sweepctl"};
    int argc = 1;
    const struct verb_table verbs = {client_verbs, client_verb_count};
    str_copy(text, sizeof text, line);
    for (char *p = text; *p != '\0' && argc < WORDS_MAX;) {
        argv[argc++] = p;
        p += strcspn(p, " ");
        if (*p == ' ')
            *p++ = '\0';
    }
    return opts_parse(argc, argv, &verbs, o, err);
}

static void test_global_options_before_and_behind_the_verb(void **state)
{
    static const char *const lines[] = {
        "--socket /s --json show 3", "show 3 --socket /s --json", "show --json 3 --socket=/s",
        "--json show --socket /s -- 3",
    };
    for (size_t i = 0; i < ARRAY_LEN(lines); i++) {
        struct opts o;
        struct errbuf err;
        assert_int_equal(parse(lines[i], &o, &err), 0);
        assert_string_equal(o.verb->name, "show");
        assert_string_equal(o.text[OPTION_SOCKET], "/s");
        assert_true(opts_has(&o, OPTION_JSON));
        assert_int_equal(o.id, 3);
    }
}

static void test_options_of_verbs(void **state)
{
    struct opts o;
    assert_int_equal(parse("submit - --watch", &o, NULL), 0);
    assert_string_equal(o.arg, "-");
    assert_true(opts_has(&o, OPTION_WATCH));
    assert_false(opts_has(&o, OPTION_DRY_RUN));
    assert_int_equal(parse("best -n 25", &o, NULL), 0);
    assert_int_equal(o.number[OPTION_LIMIT], 25);
    assert_int_equal(o.id, 0);
    assert_int_equal(parse("best 4 --limit=7", &o, NULL), 0);
    assert_int_equal(o.number[OPTION_LIMIT], 7);
    assert_int_equal(o.id, 4);
    assert_int_equal(parse("cancel --run 9", &o, NULL), 0);
    assert_int_equal(o.number[OPTION_RUN], 9);
    assert_null(o.arg);
    assert_int_equal(parse("--version", &o, NULL), 0);
    assert_int_equal(parse("submit --help", &o, NULL), 0);
}

static void test_values_behind_an_id(void **state)
{
    struct opts o;
    struct errbuf err;
    assert_int_equal(parse("enqueue 3 lr=-0.5 --json -- -kind=--json =", &o, &err), 0);
    assert_int_equal(o.id, 3);
    assert_int_equal(o.value_count, 3);
    assert_string_equal(o.values[0], "lr=-0.5");
    assert_string_equal(o.values[1], "-kind=--json");
    assert_string_equal(o.values[2], "=");
    assert_int_equal(parse("enqueue 3", &o, &err), 0);
    assert_int_equal(o.value_count, 0);
    enum { MOST = 3 + OPTS_VALUES_MAX };
    const struct verb_table verbs = {client_verbs, client_verb_count};
    char *argv[MOST + 1] = {"sweepctl", "enqueue", "3"};
    for (int i = 3; i <= MOST; i++)
        argv[i] = "x=1";
    assert_int_equal(opts_parse(MOST, argv, &verbs, &o, &err), 0);
    assert_int_equal(o.value_count, OPTS_VALUES_MAX);
    int rc = opts_parse(MOST + 1, argv, &verbs, &o, &err);
    assert_int_not_equal(rc, 0);
    assert_non_null(strstr(err.message, "64 values"));
}

static void test_wrong_usage_is_named(void **state)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"", "a verb is missing"},
        {"sumbit s.json", "did you mean 'submit'?"},
        {"frobnicate", "unknown verb 'frobnicate'"},
        {"show", "show needs SWEEP"},
        {"show abc", "abc"},
        {"show 0", "from 1"},
        {"show -1", "unknown option '-1'"},
        {"show 1.5", "1.5"},
        {"show 99999999999999999999", "99999999999999999999"},
        {"show 1 2", "unexpected argument '2'"},
        {"list 1", "unexpected argument '1'"},
        {"enqueue", "enqueue needs SWEEP"},
        {"enqueue lr=1", "SWEEP: got lr=1"},
        {"explain lr=1", "RUN: got lr=1"},
        {"enqueue 3 -lr=1", "unknown option '-lr=1'"},
        {"best -n", "needs a value"},
        {"best -n zero", "zero"},
        {"best -n 0", "an integer from 1"},
        {"status --drain", "status has no option --drain"},
        {"status --jsno", "did you mean '--json'?"},
        {"status --json=yes", "takes no value"},
        {"start --db=", "is empty"},
        {"--socket", "needs a value"},
        {"-- --json", "unknown verb '--json'"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct opts o;
        struct errbuf err;
        if (parse(cases[i].line, &o, &err) == 0)
            fail_msg("accepted: %s", cases[i].line);
        if (strstr(err.message, cases[i].says) == NULL)
            fail_msg("%s: '%s' does not say '%s'", cases[i].line, err.message, cases[i].says);
    }
}

static void test_json_is_known_even_when_the_rest_is_wrong(void **state)
{
    struct opts o;
    struct errbuf err;
    assert_int_not_equal(parse("--json frobnicate", &o, &err), 0);
    assert_true(opts_has(&o, OPTION_JSON));
}

static void test_positive(void **state)
{
    int64_t v = -7;
    assert_int_equal(opts_positive("9007199254740992", &v), 0);
    assert_true(v == INT64_C(9007199254740992));
    v = -7;
    assert_int_not_equal(opts_positive("9007199254740993", &v), 0);
    assert_int_not_equal(opts_positive("", &v), 0);
    assert_int_not_equal(opts_positive("+1", &v), 0);
    assert_int_not_equal(opts_positive(" 1", &v), 0);
    assert_int_not_equal(opts_positive("0x10", &v), 0);
    assert_int_equal(v, -7);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_global_options_before_and_behind_the_verb),
        cmocka_unit_test(test_options_of_verbs),
        cmocka_unit_test(test_values_behind_an_id),
        cmocka_unit_test(test_wrong_usage_is_named),
        cmocka_unit_test(test_json_is_known_even_when_the_rest_is_wrong),
        cmocka_unit_test(test_positive),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
