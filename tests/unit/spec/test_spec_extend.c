/* A specification that gets more: what may be asked for, what stays as it was. */
#include "expect.h"

#include <stdio.h>
#include <stdlib.h>

#include "spec_text.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define SPACE                                                                                     \
    "\"parameters\":{\"depth\":{\"min\":2,\"max\":4},\"optimizer\":{\"values\":[\"adam\",\"sgd\"]},"  \
    "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":\"log_uniform_values\"},"          \
    "\"train.momentum\":{\"values\":[0.5,0.9],\"condition\":{\"optimizer\":\"sgd\"}}}"
#define SWEEP "{" DATA "," SPACE "," CAP ",\"method\":\"random\",\"constraints\":[\"depth < 9\"]}"

static void must_parse(const char *text, struct spec *s)
{
    struct errbuf err = {0};

    if (spec_parse_text(text, strlen(text), s, &err) != 0)
        fail_msg("%s: %s", text, err.message);
}

static int extend(const char *spec, const char *parameters, int64_t run_cap, int64_t runs,
                  struct spec *out, struct errbuf *err)
{
    struct spec s;
    struct json *p = parameters ? json_parse(parameters, strlen(parameters), err) : NULL;

    assert_true(!parameters || p);
    must_parse(spec, &s);
    int rc = spec_extend(
        &s, &(struct spec_extension){.run_cap = run_cap, .runs = runs, .parameters = p}, out, err);
    json_destroy(p);
    spec_finish(&s);
    return rc;
}

static void must_extend(const char *spec, const char *parameters, int64_t run_cap, int64_t runs,
                        struct spec *out)
{
    struct errbuf err = {0};

    if (extend(spec, parameters, run_cap, runs, out, &err) != 0)
        fail_msg("%s: %s", parameters ? parameters : "", err.message);
}

static void more_runs(void **state)
{
    struct spec s;

    must_extend(SWEEP, NULL, 20, 0, &s);
    assert_int_equal(s.run_cap, 20);
    assert_int_equal(s.space.count, 4);
    spec_finish(&s);
    must_extend(SWEEP, NULL, 0, 5, &s);
    assert_int_equal(s.run_cap, 17);
    spec_finish(&s);
}

static void wider_ranges(void **state)
{
    struct spec s;

    must_extend(SWEEP,
                "{\"depth\":{\"max\":6},\"learning_rate\":{\"min\":0.0001},"
                "\"optimizer\":{\"values\":[\"rmsprop\",\"sgd\"]},"
                "\"train.momentum\":{\"values\":[0.99]}}",
                0, 0, &s);
    assert_int_equal(s.run_cap, 12);
    assert_true(s.space.dimensions[0].min == 2 && s.space.dimensions[0].max == 6);
    assert_true(s.space.dimensions[2].min == 0.0001 && s.space.dimensions[2].max == 0.1);
    assert_int_equal(s.space.dimensions[1].value_count, 3);
    /* those that there were come first, with their numbers */
    char text[SPACE_TEXT_MAX];
    dimension_format(&s.space.dimensions[1], s.space.dimensions[1].values[0], text);
    assert_string_equal(text, "adam");
    dimension_format(&s.space.dimensions[1], s.space.dimensions[1].values[2], text);
    assert_string_equal(text, "rmsprop");
    assert_int_equal(s.space.dimensions[3].value_count, 3);
    assert_int_equal(s.space.dimensions[3].condition_count, 1);
    assert_int_equal(s.space.constraint_count, 1);
    spec_finish(&s);
}

/* A whole grid has as many runs as it has combinations then; one that was cut off stays so. */
static void grids(void **state)
{
    struct spec s;

    must_extend("{" DATA "," DEPTH ",\"method\":\"grid\"}", "{\"depth\":{\"values\":[3,4]}}", 0, 0,
                &s);
    assert_int_equal(s.run_cap, 4);
    spec_finish(&s);
    must_extend("{" DATA "," DEPTH ",\"method\":\"grid\",\"run_cap\":1}",
                "{\"depth\":{\"values\":[3,4]}}", 0, 0, &s);
    assert_int_equal(s.run_cap, 1);
    spec_finish(&s);
}

static void what_cannot_be(void **state)
{
    static const struct {
        const char *parameters;
        int64_t run_cap, runs;
        int code;
        const char *key, *part;
    } cases[] = {
        {NULL, 0, 0, ERR_VALUE, "", "nothing is asked for"},
        {"{}", 0, 0, ERR_VALUE, "", "nothing is asked for"},
        {"{\"depth\":{\"max\":4}}", 0, 0, ERR_VALUE, "", "nothing is asked for"},
        {"{\"optimizer\":{\"values\":[\"sgd\"]}}", 0, 0, ERR_VALUE, "", "nothing is asked for"},
        {NULL, 12, 0, ERR_VALUE, "$.run_cap", "above 12"},
        {NULL, 20, 8, ERR_VALUE, "$.runs", "run_cap"},
        {NULL, 0, 1000000, ERR_VALUE, "$.runs", "999988"},
        {"{\"depth\":{\"min\":3}}", 0, 0, ERR_VALUE, "$.parameters.depth.min", "at most 2"},
        {"{\"depth\":{\"max\":3}}", 0, 0, ERR_VALUE, "$.parameters.depth.max", "at least 4"},
        {"{\"depht\":{\"max\":6}}", 0, 0, ERR_KEY, "$.parameters.depht", "depth"},
        {"{\"lr\":{\"max\":1}}", 0, 0, ERR_KEY, "$.parameters.lr", "learning_rate"},
        {"{\"depth\":6}", 0, 0, ERR_TYPE, "$.parameters.depth", "an object"},
        {"{\"depth\":{}}", 0, 0, ERR_TYPE, "$.parameters.depth", "an object"},
        {"{\"depth\":{\"values\":[6]}}", 0, 0, ERR_KEY, "$.parameters.depth.values", "min"},
        {"{\"optimizer\":{\"max\":6}}", 0, 0, ERR_KEY, "$.parameters.optimizer.max", "values"},
        {"{\"optimizer\":{\"values\":\"adamw\"}}", 0, 0, ERR_TYPE,
         "$.parameters.optimizer.values", "a list"},
        {"{\"optimizer\":{\"values\":[\"adamx\"]}}", 0, 0, ERR_VALUE,
         "$.parameters.optimizer.values[2]", ""},
        {"{\"depth\":{\"max\":1e9}}", 0, 0, ERR_VALUE, "$.parameters.depth.max", ""},
        {"{\"depth\":{\"max\":\"6\"}}", 0, 0, ERR_TYPE, "$.parameters.depth.max", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spec s;
        struct errbuf err = {0};
        memset(&s, 0x5a, sizeof(s));
        int rc = extend(SWEEP, cases[i].parameters, cases[i].run_cap, cases[i].runs, &s, &err);
        if (rc != cases[i].code || strcmp(err.key, cases[i].key) != 0 ||
            !strstr(err.message, cases[i].part))
            fail_msg("case %zu: %d, %s: %s", i, rc, err.key, err.message);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_runs),
        cmocka_unit_test(wider_ranges),
        cmocka_unit_test(grids),
        cmocka_unit_test(what_cannot_be),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
