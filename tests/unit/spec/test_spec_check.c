/* What settings say together: held-out samples, layers, clipping, presets; fixed or swept. */
#include "expect.h"

#include "spec_text.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define LIST "\"layers\":[{\"type\":\"dense\",\"units\":\"width\",\"repeat\":\"depth\"}]"
#define FLAT "\"layers\":[{\"type\":\"dense\",\"units\":64}]"
#define SEQUENTIAL(layers) "\"model\":{\"type\":\"sequential\"," layers "}"
#define RATE "\"learning_rate\":{\"values\":[0.1,0.01]}"
#define SWEEP(data, parameters, more)                                                              \
    "{\"data\":{" data "},\"parameters\":{" parameters "}," CAP more "}"
#define NAMED "\"name\":\"m\",\"validation\":5"
#define GUIDE "\"train\":{\"preset\":\"guide_g3_2\"}"
#define P(name) "$.parameters[\"" name "\"]"

static const struct refusal bad[] = {
    /* held-out samples */
    {SWEEP("\"name\":\"m\"", "\"data.validation\":{\"values\":[5,0]}", ""), ERR_VALUE,
     P("data.validation"), "at least 1"},
    {SWEEP("\"name\":\"m\",\"limit\":20", "\"data.validation\":{\"values\":[5,20]}", ""), ERR_VALUE,
     "$.data.limit", "more than the 20 samples"},
    {SWEEP(NAMED, "\"data.limit\":{\"values\":[0,100,4]}", ""), ERR_VALUE, P("data.limit"),
     "more than the 5 samples"},
    {SWEEP(NAMED, "\"data.limit\":{\"min\":0,\"max\":100}", ""), ERR_VALUE, P("data.limit"),
     "more than the 5 samples"},
    {SWEEP("\"path\":\"/d\",\"format\":\"csv\",\"validation_path\":\"/v\"",
           "\"data.validation\":{\"values\":[5]}", ""),
     ERR_KEY, P("data.validation"), "nothing beside"},
    /* layers */
    {SWEEP(NAMED, RATE, ",\"model\":{\"type\":\"sequential\"}"), ERR_MISSING, "$.model.layers",
     "a list of layers"},
    {SWEEP(NAMED, RATE, ",\"model\":{" FLAT "}"), ERR_KEY, "$.model.layers",
     "only with model type"},
    {SWEEP(NAMED, "\"model.type\":{\"values\":[\"mlp\",\"sequential\"]}", ""), ERR_MISSING,
     "$.model.layers", "a list of layers"},
    {SWEEP(NAMED, RATE, ",\"model\":{\"type\":\"sequential\",\"depth\":2," FLAT "}"), ERR_VALUE,
     "$.model.depth", "\"repeat\": \"depth\""},
    {SWEEP(NAMED, "\"depth\":{\"values\":[1,2]}", "," SEQUENTIAL(FLAT)), ERR_VALUE,
     "$.parameters.depth", "\"repeat\": \"depth\""},
    {SWEEP(NAMED, "\"depth\":{\"value\":2}," RATE, "," SEQUENTIAL(FLAT)), ERR_VALUE,
     "$.model.depth", "\"repeat\": \"depth\""},
    {SWEEP(NAMED, "\"width\":{\"values\":[1,2]}", "," SEQUENTIAL(FLAT)), ERR_VALUE,
     "$.parameters.width", "no layer says \"width\""},
    {SWEEP(NAMED, "\"channels\":{\"values\":[1,2]}", "," SEQUENTIAL(FLAT)), ERR_VALUE,
     "$.parameters.channels", "no layer says \"channels\""},
    {SWEEP(NAMED, "\"model.pool_size\":{\"values\":[1,2]}", ""), ERR_VALUE,
     "$.parameters[\"model.pool_size\"]", "no layer says \"model.pool_size\""},
    {SWEEP(NAMED, "\"kernel\":{\"min\":1,\"max\":9},\"model.padding\":{\"values\":[0,63]}",
           "," SEQUENTIAL("\"layers\":[{\"type\":\"conv2d\",\"kernel\":\"kernel\"}]")),
     ERR_VALUE, "$.parameters[\"model.padding\"]", "no layer says \"model.padding\""},
    {SWEEP(NAMED, "\"width\":{\"min\":1,\"max\":100}",
           "," SEQUENTIAL("\"layers\":[{\"type\":\"conv2d\",\"kernel\":\"width\"}]")),
     ERR_VALUE, "$.model.layers", "1 to 64, as \"kernel\" of a conv2d layer"},
    {SWEEP(NAMED, "\"depth\":{\"min\":1,\"max\":100}",
           "," SEQUENTIAL("\"layers\":[{\"type\":\"residual\",\"repeat\":\"depth\",\"layers\":["
                          "{\"type\":\"dense\",\"repeat\":50}]}]")),
     ERR_VALUE, "$.model", "at most 4096 layers"},
    /* recurrent */
    {SWEEP(NAMED, RATE, ",\"model\":{\"type\":\"lstm\",\"depth\":0}"), ERR_VALUE, "$.model.depth",
     "1 to 256"},
    {SWEEP(NAMED, "\"depth\":{\"min\":0,\"max\":3},\"model.type\":{\"values\":[\"mlp\",\"gru\"]}",
           ""),
     ERR_VALUE, "$.parameters.depth", "1 to 256"},
    /* clipping */
    {SWEEP(NAMED, RATE, ",\"train\":{\"clip\":\"value\",\"clip_min\":2}"), ERR_VALUE,
     "$.train.clip_min", "at most train.clip_max"},
    {SWEEP(NAMED, "\"train.clip_max\":{\"values\":[1,-2]}", ",\"train\":{\"clip\":\"value\"}"),
     ERR_VALUE, "$.train.clip_min", "at most train.clip_max"},
    /* the preset */
    {SWEEP(NAMED, RATE, "," GUIDE), ERR_VALUE, "$.parameters.learning_rate", "fixes it to 0.001"},
    {SWEEP(NAMED, "\"train.clip\":{\"values\":[\"none\",\"value\"]}", "," GUIDE), ERR_VALUE,
     P("train.clip"), "fixes it to value"},
    {SWEEP(NAMED, RATE ",\"train.preset\":{\"values\":[\"none\",\"guide_g3_2\"]}", ""), ERR_VALUE,
     "$.parameters.learning_rate", "fixes it to 0.001"},
    {SWEEP(NAMED, "\"width\":{\"values\":[8]}",
           ",\"train\":{\"preset\":\"guide_g3_2\",\"momentum\":0.9}"),
     ERR_VALUE, "$.train.momentum", "fixes it to 0.5"},
};

static void contradictions_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct spec out, before;
        struct errbuf err = {0};

        memset(&out, 0x5a, sizeof(out));
        before = out;
        int rc = spec_parse_text(bad[i].text, strlen(bad[i].text), &out, &err);
        expect_refusal(&bad[i], rc, &err);
        assert_memory_equal(&out, &before, sizeof(out));
    }
}

static char *canonical(const struct spec *s)
{
    struct buf out = {0};
    struct json_writer w;

    jw_init(&w, &out);
    spec_write(s, &w);
    return buf_take(&out);
}

static const char *const good[] = {
    SWEEP(NAMED, "\"data.scale\":{\"values\":[\"none\",\"standard\"]}", ""),
    SWEEP("\"name\":\"m\"", "\"data.validation\":{\"values\":[5,10]}", ""),
    SWEEP("\"name\":\"m\",\"limit\":21", "\"data.validation\":{\"min\":5,\"max\":20}", ""),
    SWEEP(NAMED, "\"data.limit\":{\"values\":[0,6]}", ""),
    SWEEP("\"path\":\"/d\",\"format\":\"csv\",\"validation_path\":\"/v\",\"limit\":1", RATE, ""),
    SWEEP("\"path\":\"/d.npz\",\"format\":\"npz\"", RATE, ""), /* x_val may be in it */
    SWEEP(NAMED, RATE, "," SEQUENTIAL(FLAT)),
    SWEEP(NAMED, RATE, "," SEQUENTIAL(LIST)),
    SWEEP(NAMED, "\"depth\":{\"min\":0,\"max\":3},\"width\":{\"values\":[8,9]}",
          "," SEQUENTIAL(LIST)),
    SWEEP(NAMED, "\"model.type\":{\"values\":[\"mlp\",\"sequential\"]},\"width\":{\"values\":[8]}",
          ",\"model\":{" FLAT "}"),
    SWEEP(NAMED, "\"model.dense_after\":{\"values\":[1,2]}",
          ",\"model\":{\"type\":\"lstm\",\"width\":64,\"depth\":1}"),
    SWEEP(NAMED, "\"width\":{\"values\":[8]}", "," GUIDE),
    SWEEP(NAMED, "\"train.preset\":{\"values\":[\"none\",\"guide_g3_2\"]}",
          ",\"train\":{\"momentum\":0.9}"),
    SWEEP(NAMED, RATE, ",\"train\":{\"clip\":\"norm\",\"clip_min\":2}"),
};

/* Accepted, and their canonical form is a fixed point. */
static void what_agrees_survives_a_round_trip(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct spec s, back;
        struct errbuf err = {0};

        if (spec_parse_text(good[i], strlen(good[i]), &s, &err))
            fail_msg("%s: %s", good[i], err.message);
        char *text = canonical(&s);
        if (spec_parse_text(text, strlen(text), &back, &err))
            fail_msg("%s: %s", text, err.message);
        char *again = canonical(&back);
        assert_string_equal(text, again);
        assert_memory_equal(&s.trainer.fixed, &back.trainer.fixed, sizeof(s.trainer.fixed));
        assert_int_equal(s.trainer.layers.count, back.trainer.layers.count);
        free(text);
        free(again);
        spec_finish(&s);
        spec_finish(&back);
    }
}

static void ranges_of_settings(void **state)
{
    static const char text[] =
        SWEEP(NAMED,
              "\"depth\":{\"min\":1,\"max\":4},\"width\":{\"values\":[64,8,16]},"
              "\"optimizer\":{\"values\":[\"adam\",\"sgd\"]}",
              "");
    struct spec s;
    double low, high;

    assert_int_equal(spec_parse_text(text, sizeof(text) - 1, &s, NULL), 0);
    spec_setting_range(&s, SETTING_DEPTH, &low, &high);
    assert_true(low == 1 && high == 4);
    spec_setting_range(&s, SETTING_WIDTH, &low, &high);
    assert_true(low == 8 && high == 64);
    spec_setting_range(&s, SETTING_VALIDATION, &low, &high);
    assert_true(low == 5 && high == 5);
    assert_true(spec_may_be(&s, SETTING_OPTIMIZER, OPTIMIZER_SGD));
    assert_false(spec_may_be(&s, SETTING_OPTIMIZER, OPTIMIZER_ADAGRAD));
    assert_true(spec_may_be(&s, SETTING_ON_NAN, ON_NAN_HOLD));
    assert_false(spec_may_be(&s, SETTING_ON_NAN, ON_NAN_DROP));
    spec_finish(&s);
}

static void preset_is_written_out(void **state)
{
    static const char text[] = SWEEP(NAMED, "\"width\":{\"values\":[8]}", "," GUIDE);
    struct spec s;

    assert_int_equal(spec_parse_text(text, sizeof(text) - 1, &s, NULL), 0);
    char *out = canonical(&s);
    assert_non_null(strstr(out, "\"optimizer\":\"momentum\""));
    assert_non_null(strstr(out, "\"clip_min\":0.1,\"clip_max\":5"));
    assert_non_null(strstr(out, "\"loss_reduction\":\"sum\""));
    free(out);
    spec_finish(&s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(contradictions_are_refused),
        cmocka_unit_test(what_agrees_survives_a_round_trip),
        cmocka_unit_test(ranges_of_settings),
        cmocka_unit_test(preset_is_written_out),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
