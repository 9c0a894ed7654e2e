/* Roles of parameters, and the configurations of a space: what is stored, what a person gives. */
#include "expect.h"

#include "spec_text.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define RATE "\"learning_rate\":{\"min\":0.001,\"max\":0.1"

static void must_parse(const char *text, struct spec *s)
{
    struct errbuf err = {0};

    if (spec_parse_text(text, strlen(text), s, &err))
        fail_msg("%s: %s", err.message, text);
}

static char *parameters_of(const struct spec *s)
{
    struct buf out = {0};
    struct json_writer w;

    jw_init(&w, &out);
    spec_write(s, &w);
    char *begin = strstr(out.data, "\"parameters\":"), *end = strstr(out.data, ",\"epochs\":");
    assert_true(begin && end);
    *end = '\0';
    char *text = xstrdup(begin + strlen("\"parameters\":"));
    buf_finish(&out);
    return text;
}

/* --- roles -------------------------------------------------------------------------------- */

static void names_have_roles(void **state)
{
    static const struct {
        const char *name;
        enum role role;
    } cases[] = {
        {"learning_rate", ROLE_LEARNING_RATE},
        {"train.learning_rate", ROLE_LEARNING_RATE},
        {"lr", ROLE_LEARNING_RATE},
        {"learning-rate", ROLE_LEARNING_RATE},
        {"optimizer", ROLE_OPTIMIZER},
        {"train.optimizer", ROLE_OPTIMIZER},
        {"optim", ROLE_OPTIMIZER},
        {"", ROLE_NONE},
        {"none", ROLE_NONE},
        {"l", ROLE_NONE},
        {"lrs", ROLE_NONE},
        {"LR", ROLE_NONE},
        {"lr|learning-rate", ROLE_NONE},
        {"train.learning_rate|lr", ROLE_NONE},
        {"depth", ROLE_NONE},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        if (role_of_name(cases[i].name) != cases[i].role)
            fail_msg("%s has the role %s", cases[i].name, role_name(role_of_name(cases[i].name)));
    for (int i = ROLE_NONE + 1; i < ROLE_COUNT; i++)
        assert_int_equal(role_of_name(role_name((enum role)i)), i);
}

/* Written back only where the name does not say it. */
static void roles_are_read_and_written(void **state)
{
    static const struct {
        const char *given, *written;
        enum role role;
    } cases[] = {
        {"\"optimizer\":{\"values\":[\"sgd\"]}", "{\"optimizer\":{\"values\":[\"sgd\"]}}",
         ROLE_OPTIMIZER},
        {"\"optimizer\":{\"values\":[\"sgd\"],\"role\":\"optimizer\"}",
         "{\"optimizer\":{\"values\":[\"sgd\"]}}", ROLE_OPTIMIZER},
        {"\"optimizer\":{\"values\":[\"sgd\"],\"role\":\"none\"}",
         "{\"optimizer\":{\"values\":[\"sgd\"],\"role\":\"none\"}}", ROLE_NONE},
        {"\"depth\":{\"values\":[1],\"role\":\"none\"}", "{\"depth\":{\"values\":[1]}}", ROLE_NONE},
        {"\"activation\":{\"values\":[\"elu\"],\"role\":\"optimizer\"}",
         "{\"activation\":{\"values\":[\"elu\"],\"role\":\"optimizer\"}}", ROLE_OPTIMIZER},
        {"\"train.l2\":{\"role\":\"learning_rate\",\"min\":0.1,\"max\":0.5}",
         "{\"train.l2\":{\"min\":0.1,\"max\":0.5,\"distribution\":\"uniform\","
         "\"role\":\"learning_rate\"}}",
         ROLE_LEARNING_RATE},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = xasprintf(WITH_PARAMETERS("%s"), cases[i].given);
        struct spec s;

        must_parse(text, &s);
        assert_int_equal(s.space.dimensions[0].role, cases[i].role);
        assert_int_equal(space_find_role(&s.space, cases[i].role), 0);
        char *written = parameters_of(&s);
        assert_string_equal(written, cases[i].written);
        free(written);
        free(text);
        spec_finish(&s);
    }
}

static void dimensions_are_found(void **state)
{
    struct spec s;

    must_parse(WITH_PARAMETERS("\"depth\":{\"values\":[1]}," RATE "},\"width\":{\"value\":3}"), &s);
    assert_int_equal(space_find_role(&s.space, ROLE_LEARNING_RATE), 1);
    assert_int_equal(space_find_role(&s.space, ROLE_OPTIMIZER), -1);
    assert_int_equal(space_find_name(&s.space, "learning_rate"), 1);
    assert_int_equal(space_find_name(&s.space, "width"), -1);
    assert_int_equal(space_find_key(&s.space, SETTING_DEPTH), 0);
    assert_int_equal(space_find_key(&s.space, SETTING_WIDTH), -1);
    spec_finish(&s);
}

/* --- what is stored ----------------------------------------------------------------------- */

#define SPACE                                                                                      \
    WITH_PARAMETERS("\"train.momentum\":{\"min\":0.5,\"max\":0.9},"                                \
                    "\"optimizer\":{\"values\":[\"sgd\",\"adam\"]},\"width\":{\"value\":7}")

static void parameters_of_a_run(void **state)
{
    static const struct refusal bad[] = {
        {"[]", ERR_TYPE, "$", "an object"},
        {"{\"train.momentum\":0.5}", ERR_MISSING, "$.optimizer", "every swept parameter"},
        {"{\"optimiser\":\"sgd\",\"train.momentum\":0.5}", ERR_KEY, "$.optimiser",
         "did you mean optimizer?"},
        {"{\"optimizer\":\"adma\",\"train.momentum\":0.5}", ERR_VALUE, "$.optimizer",
         "did you mean adam? one of: sgd"},
        {"{\"optimizer\":1,\"train.momentum\":0.5}", ERR_TYPE, "$.optimizer", "one of: sgd"},
        {"{\"optimizer\":\"sgd\",\"train.momentum\":true}", ERR_TYPE, "$[\"train.momentum\"]",
         "a number"},
        {"{\"optimizer\":\"sgd\",\"train.momentum\":\"nan\"}", ERR_TYPE, "$[\"train.momentum\"]",
         "a number"},
        {"{\"optimizer\":\"sgd\",\"train.momentum\":0.5,\"width\":7}", ERR_KEY, "$.width",
         "one of: train.momentum, optimizer"},
    };
    struct assignment a = {{0}}, back;
    struct settings config, twin;
    struct buf out = {0};
    struct json_writer w;
    struct spec s;

    must_parse(SPACE, &s);
    a.v[0] = 0.1 + 0.2 + 0.4;
    a.v[1] = OPTIMIZER_SGD;
    jw_init(&w, &out);
    space_params_write(&s.space, &a, &w);
    assert_true(strncmp(out.data, "{\"train.momentum\":0.7", 21) == 0);
    assert_non_null(strstr(out.data, ",\"optimizer\":\"sgd\"}"));

    struct json *v = parse_json(out.data);
    assert_int_equal(space_params_parse(&s.space, v, &back, NULL), 0);
    assert_true(space_same(&s.space, &a, &back));
    assert_memory_equal(&a, &back, sizeof(a));
    json_destroy(v);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct errbuf err = {0};
        v = parse_json(bad[i].text);
        int rc = space_params_parse(&s.space, v, &back, &err);
        expect_refusal(&bad[i], rc, &err);
        assert_memory_equal(&a, &back, sizeof(a));
        json_destroy(v);
    }

    /* As settings: the swept ones over the fixed ones; and back. */
    config = s.trainer.fixed;
    config.v[SETTING_MOMENTUM] = a.v[0];
    config.v[SETTING_OPTIMIZER] = OPTIMIZER_SGD;
    trainer_settings(&s, &a, &twin);
    assert_memory_equal(&config, &twin, sizeof(twin));
    assert_true(twin.v[SETTING_WIDTH] == 7);
    trainer_assignment(&s, &twin, &back);
    assert_memory_equal(&a, &back, sizeof(a));
    buf_finish(&out);
    spec_finish(&s);
}

/* What the range does not hold is read all the same, a value without the type is not. */
static void types_alone_are_checked(void **state)
{
    static const struct refusal bad[] = {
        {"{\"depth\":1.5,\"train.shuffle\":true}", ERR_TYPE, "$.depth", "an integer"},
        {"{\"depth\":1e300,\"train.shuffle\":true}", ERR_TYPE, "$.depth", "an integer"},
        {"{\"depth\":\"+inf\",\"train.shuffle\":true}", ERR_TYPE, "$.depth", "an integer"},
        {"{\"depth\":1,\"train.shuffle\":1}", ERR_TYPE, "$[\"train.shuffle\"]", "true or false"},
    };
    struct assignment a;
    struct spec s;

    must_parse(WITH_PARAMETERS("\"depth\":{\"min\":1,\"max\":3},"
                               "\"train.shuffle\":{\"values\":[true]}"),
               &s);
    struct json *v = parse_json("{\"depth\":200,\"train.shuffle\":false}");
    assert_int_equal(space_params_parse(&s.space, v, &a, NULL), 0);
    assert_true(a.v[0] == 200 && a.v[1] == 0);
    json_destroy(v);
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct errbuf err = {0};
        v = parse_json(bad[i].text);
        int rc = space_params_parse(&s.space, v, &a, &err);
        expect_refusal(&bad[i], rc, &err);
        json_destroy(v);
    }
    spec_finish(&s);
}

/* --- what a person gives ------------------------------------------------------------------ */

static void space_of(const char *parameter, struct spec *s)
{
    char *text = xasprintf(WITH_PARAMETERS("%s"), parameter);

    must_parse(text, s);
    free(text);
}

#define MOMENTUM(range) "\"train.momentum\":{" range "}"
#define AT_MOMENTUM "$[\"train.momentum\"]"
#define TENTHS "\"min\":0.25,\"max\":0.7,\"q\":0.1,\"distribution\":\"q_uniform\""

static const struct {
    const char *parameter; /* of the space */
    struct refusal refusal;
} impossible[] = {
    {"\"depth\":{\"values\":[1,2,4]}", {"{\"depth\":3}", ERR_VALUE, "$.depth", "one of 1, 2, 4"}},
    {"\"optimizer\":{\"values\":[\"sgd\",\"adam\"]}",
     {"{\"optimizer\":\"rmsprop\"}", ERR_VALUE, "$.optimizer", "one of sgd, adam"}},
    {"\"train.shuffle\":{\"values\":[true]}",
     {"{\"train.shuffle\":false}", ERR_VALUE, "$[\"train.shuffle\"]", "one of true"}},
    {"\"depth\":{\"min\":1,\"max\":4}",
     {"{\"depth\":5}", ERR_VALUE, "$.depth", "an integer from 1 to 4"}},
    {"\"depth\":{\"min\":1,\"max\":4}", {"{\"depth\":2.5}", ERR_TYPE, "$.depth", "an integer"}},
    {MOMENTUM("\"min\":0.5,\"max\":0.9"),
     {"{\"train.momentum\":0.91}", ERR_VALUE, AT_MOMENTUM, "from 0.5 to 0.9"}},
    {MOMENTUM("\"min\":0.5,\"max\":0.9"),
     {"{\"train.momentum\":0.4}", ERR_VALUE, AT_MOMENTUM, "from 0.5 to 0.9"}},
    {MOMENTUM("\"min\":0.5,\"max\":0.9"),
     {"{\"train.momentum\":\"nan\"}", ERR_TYPE, AT_MOMENTUM, "a number"}},
    {MOMENTUM("\"min\":0,\"max\":1"), /* whole numbers, as both ends are */
     {"{\"train.momentum\":0.5}", ERR_VALUE, AT_MOMENTUM, "an integer from 0 to 1"}},
    {MOMENTUM(TENTHS),
     {"{\"train.momentum\":0.35}", ERR_VALUE, AT_MOMENTUM, "0.25 to 0.7: a multiple of 0.1"}},
    {MOMENTUM(TENTHS), /* in the range, but no multiple */
     {"{\"train.momentum\":0.25}", ERR_VALUE, AT_MOMENTUM, "0.25 to 0.7: a multiple of 0.1"}},
    {"\"depth\":{\"min\":1,\"max\":4}", {"{\"dept\":2}", ERR_KEY, "$.dept", "did you mean depth?"}},
    {"\"depth\":{\"min\":1,\"max\":4}", {"{}", ERR_MISSING, "$.depth", "every swept parameter"}},
};

static void impossible_values_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(impossible); i++) {
        struct assignment out, before;
        struct errbuf err = {0};
        struct spec s;

        space_of(impossible[i].parameter, &s);
        memset(&out, 0x5a, sizeof(out));
        before = out;
        struct json *v = parse_json(impossible[i].refusal.text);
        int rc = space_check(&s.space, v, &out, &err);
        expect_refusal(&impossible[i].refusal, rc, &err);
        assert_memory_equal(&out, &before, sizeof(out));
        json_destroy(v);
        spec_finish(&s);
    }
}

static void possible_values_are_taken(void **state)
{
    static const struct {
        const char *parameter, *given;
        double want;
    } cases[] = {
        {"\"depth\":{\"values\":[1,2,4]}", "{\"depth\":4}", 4},
        {"\"optimizer\":{\"values\":[\"adam\",\"sgd\"]}", "{\"optimizer\":\"sgd\"}", OPTIMIZER_SGD},
        {"\"train.shuffle\":{\"values\":[false]}", "{\"train.shuffle\":false}", 0},
        {"\"depth\":{\"min\":1,\"max\":4}", "{\"depth\":4}", 4},
        {RATE "}", "{\"learning_rate\":0.001}", 0.001},
        {RATE ",\"distribution\":\"log_uniform_values\"}", "{\"learning_rate\":0.1}", 0.1},
        {RATE ",\"distribution\":\"log_uniform_values\"}", "{\"learning_rate\":0.0123}", 0.0123},
        {MOMENTUM(TENTHS), "{\"train.momentum\":0.3}", 0.3},
        {MOMENTUM(TENTHS), "{\"train.momentum\":0.7}", 0.7},
        {"\"width\":{\"min\":10,\"max\":1000,\"q\":32,\"distribution\":\"q_log_uniform_values\"}",
         "{\"width\":992}", 992},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct assignment a;
        struct errbuf err = {0};
        struct spec s;

        space_of(cases[i].parameter, &s);
        struct json *v = parse_json(cases[i].given);
        if (space_check(&s.space, v, &a, &err))
            fail_msg("%s", err.message);
        assert_true(a.v[0] == cases[i].want);
        json_destroy(v);
        spec_finish(&s);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_roles),
        cmocka_unit_test(roles_are_read_and_written),
        cmocka_unit_test(dimensions_are_found),
        cmocka_unit_test(parameters_of_a_run),
        cmocka_unit_test(types_alone_are_checked),
        cmocka_unit_test(impossible_values_are_refused),
        cmocka_unit_test(possible_values_are_taken),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
