/* "method": "auto": what is picked for which sweep, that it says why, and that it stays. */
#include "expect.h"

#include <stdio.h>
#include <stdlib.h>

#include "spec_text.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define AUTO "\"method\":\"auto\""
#define RANGES                                                                                    \
    "\"parameters\":{\"train.momentum\":{\"min\":0.0,\"max\":0.9},\"optimizer\":"                  \
    "{\"values\":[\"sgd\",\"adam\"]}}"

static void must_parse(const char *text, struct spec *s)
{
    struct errbuf err = {0};

    if (spec_parse_text(text, strlen(text), s, &err) != 0)
        fail_msg("%s: %s", text, err.message);
}

static char *canonical(const struct spec *s)
{
    struct buf b = {0};
    struct json_writer w;

    jw_init(&w, &b);
    spec_write(s, &w);
    return buf_take(&b);
}

static void picks_by_what_is_known(void **state)
{
    static const struct {
        const char *text;
        enum method method;
        const char *why;
    } cases[] = {
        {"{" DATA "," DEPTH "," CAP "," AUTO "}", METHOD_SOBOL, "all configurations"},
        {"{" DATA "," DEPTH ",\"run_cap\":1," AUTO "}", METHOD_GP, "1 run to search with"},
        {"{" DATA "," RANGES ",\"run_cap\":20," AUTO "}", METHOD_GP,
         "2 parameters, 1 of them without an order, 17 runs"},
        {"{" DATA "," RANGES ",\"run_cap\":30,\"repeat_share\":0,\"method\":\"Auto\"}", METHOD_GP,
         "30 runs"},
        {"{" DATA "," RANGES ",\"run_cap\":2000," AUTO "}", METHOD_TPE, "does not grow"},
        {"{" DATA "," RANGES ",\"run_cap\":20," AUTO ",\"early_terminate\":{\"type\":\"median\"}}",
         METHOD_TPE, "stopped early"},
        {"{" DATA "," RANGES ",\"run_cap\":20," AUTO ",\"early_terminate\":{\"type\":\"none\"}}",
         METHOD_GP, "few"},
        {"{" DATA ",\"parameters\":{\"train.momentum\":{\"min\":0.0,\"max\":0.9,\"condition\":"
         "{\"optimizer\":\"momentum\"}},\"optimizer\":{\"values\":[\"momentum\",\"adam\"]}},"
         "\"run_cap\":20," AUTO "}",
         METHOD_TPE, "not always there"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spec s;
        must_parse(cases[i].text, &s);
        if (s.method != cases[i].method || !strstr(s.picked, cases[i].why))
            fail_msg("%s: %s, %s", cases[i].text, method_name(s.method), s.picked);
        assert_int_equal(s.lag > 0, (method_traits(s.method) & METHOD_LEARNS) != 0);
        spec_finish(&s);
    }
}

/* What is stored names the method: another rule later does not change it. */
static void stays_what_it_was(void **state)
{
    struct spec s, again;
    must_parse("{" DATA "," RANGES ",\"run_cap\":20," AUTO "}", &s);
    char *text = canonical(&s);
    assert_non_null(strstr(text, "\"method\":\"gp\",\"picked\":\"2 parameters"));
    must_parse(text, &again);
    char *second = canonical(&again);
    assert_string_equal(text, second);
    free(text);
    free(second);
    spec_finish(&again);
    spec_finish(&s);
}

static void refusals(void **state)
{
    static const struct refusal cases[] = {
        {WITH(AUTO ",\"picked\":\"x\""), ERR_VALUE, "$.picked", "nothing with method auto"},
        {WITH("\"picked\":3"), ERR_TYPE, "$.picked", "string"},
        {"{" DATA "," DEPTH "," AUTO "}", ERR_MISSING, "$.run_cap", "number of runs"},
        {"{" DATA "," DEPTH ",\"run_cap\":0," AUTO "}", ERR_VALUE, "$.run_cap", "from 1"},
        {"{" DATA "," DEPTH "," CAP "," AUTO ",\"early_terminate\":3}", ERR_TYPE,
         "$.early_terminate", "object"},
        {"{" DATA "," DEPTH "," CAP "," AUTO ",\"repeat_share\":7}", ERR_VALUE, "$.repeat_share",
         "from 0"},
        {WITH("\"method\":\"autt\""), ERR_VALUE, "$.method", "did you mean auto"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct errbuf err = {0};
        struct spec s;
        int rc = spec_parse_text(cases[i].text, strlen(cases[i].text), &s, &err);
        expect_refusal(&cases[i], rc, &err);
    }
}

static void keep(void *arg, const char *sentence)
{
    str_copy(arg, 512, strstr(sentence, "$.method") ? sentence : arg);
}

static void it_is_said_at_submit(void **state)
{
    static const char text[] = "{" DATA "," RANGES "," CAP "," AUTO "}";
    struct errbuf err = {0};
    struct json *root = json_parse(text, strlen(text), &err);
    char said[512] = "";
    struct spec s;

    must_parse(text, &s);
    spec_notes(root, &s, keep, said);
    assert_non_null(strstr(said, "$.method: gp is picked (2 parameters"));
    json_destroy(root);
    spec_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(picks_by_what_is_known),
        cmocka_unit_test(stays_what_it_was),
        cmocka_unit_test(refusals),
        cmocka_unit_test(it_is_said_at_submit),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
