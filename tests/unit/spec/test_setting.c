#include "expect.h"

#include <math.h>

#include "sweep/require.h"
#include "sweep/setting.h"

static void table_is_sound(void **state)
{
    char text[32];

    for (int i = 0; i < SETTING_COUNT; i++) {
        enum setting_id id = (enum setting_id)i;
        const struct setting *t = setting_get(id);

        assert_true(t->min <= t->fallback && t->fallback <= t->max);
        assert_int_equal(setting_find(t->path), i);
        assert_int_equal(setting_find(setting_label(id)), i);
        assert_true(strncmp(t->path, "model.", 6) == 0 || strncmp(t->path, "train.", 6) == 0 ||
                    strncmp(t->path, "data.", 5) == 0);
        assert_int_equal(t->choices != NULL, t->type == SETTING_CHOICE);
        if (!t->choices)
            continue;
        /* Exactly max+1 choices, none cut. */
        for (int c = 0; c <= (int)t->max; c++)
            assert_true(strlen(setting_choice_name(id, c, text)) > 0 && strlen(text) < 31);
        assert_string_equal(setting_choice_name(id, (int)t->max + 1, text), "");
        assert_string_equal(setting_choice_name(id, -1, text), "");
    }
    assert_int_equal(setting_find("depht"), -1);
    assert_int_equal(setting_find(""), -1);
}

static void enums_follow_the_choices(void **state)
{
    char text[32];

    assert_string_equal(setting_choice_name(SETTING_OPTIMIZER, OPTIMIZER_SGD, text), "sgd");
    assert_string_equal(setting_choice_name(SETTING_OPTIMIZER, OPTIMIZER_ADADELTA, text),
                        "adadelta");
    assert_string_equal(setting_choice_name(SETTING_OPTIMIZER, OPTIMIZER_ADAM, text), "adam");
    assert_string_equal(setting_choice_name(SETTING_ACTIVATION, ACTIVATION_ELU, text), "elu");
    assert_string_equal(setting_choice_name(SETTING_INIT, INIT_XAVIER, text), "xavier");
    assert_string_equal(setting_choice_name(SETTING_LOSS, LOSS_MSE, text), "mse");
    assert_string_equal(setting_choice_name(SETTING_LOSS, LOSS_COUNT - 1, text), "huber");
    assert_string_equal(setting_choice_name(SETTING_MODEL_TYPE, MODEL_LSTM, text), "lstm");
    assert_string_equal(setting_choice_name(SETTING_ON_NAN, ON_NAN_IMPUTE, text), "impute");
    assert_string_equal(setting_choice_name(SETTING_SCALE, SCALE_MIN_MAX, text), "min_max");
    assert_string_equal(setting_choice_name(SETTING_CLIP, CLIP_GLOBAL_NORM, text), "global_norm");
    assert_string_equal(setting_choice_name(SETTING_PRESET, PRESET_GUIDE_G3_2, text), "guide_g3_2");
    assert_string_equal(setting_choice_name(SETTING_SCHEDULE, SCHEDULE_PLATEAU, text), "plateau");
    assert_string_equal(setting_choice_name(SETTING_NORMALIZATION, NORMALIZATION_LAYER, text),
                        "layer");
    assert_string_equal(setting_choice_name(SETTING_DEPTH, 0, text), "");
}

static const struct {
    enum setting_id id;
    const char *json;
    double value;
    const char *text;
} good[] = {
    {SETTING_DEPTH, "3", 3, "3"},
    {SETTING_DEPTH, "3e0", 3, "3"},
    {SETTING_DEPTH, "0", 0, "0"},
    {SETTING_BATCH_SIZE, "1048576", 1048576, "1048576"},
    {SETTING_LEARNING_RATE, "0.1", 0.1, "0.1"},
    {SETTING_LEARNING_RATE, "1e-300", 1e-300, "1e-300"},
    {SETTING_MOMENTUM, "0", 0, "0"},
    {SETTING_MOMENTUM, "1", 1, "1"},
    {SETTING_SHUFFLE, "false", 0, "false"},
    {SETTING_SHUFFLE, "true", 1, "true"},
    {SETTING_OPTIMIZER, "\"adadelta\"", OPTIMIZER_ADADELTA, "adadelta"},
    {SETTING_MODEL_TYPE, "\"mlp\"", 0, "mlp"},
};

static void good_values_survive(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(good); i++) {
        struct json *v = parse_json(good[i].json), *back;
        struct buf out = {0};
        struct json_writer w;
        double value = NAN;
        char text[32];

        assert_int_equal(setting_from_json(good[i].id, v, "$", &value, NULL), 0);
        assert_true(value == good[i].value);
        setting_format(good[i].id, value, text);
        assert_string_equal(text, good[i].text);

        jw_init(&w, &out);
        setting_to_json(good[i].id, value, &w);
        back = parse_json(out.data);
        value = NAN;
        assert_int_equal(setting_from_json(good[i].id, back, "$", &value, NULL), 0);
        assert_true(value == good[i].value);
        json_destroy(back);
        json_destroy(v);
        buf_finish(&out);
    }
}

static void minus_zero_becomes_zero(void **state)
{
    struct json *v = parse_json("-0.0");
    double value = 1;

    assert_int_equal(setting_from_json(SETTING_MOMENTUM, v, "$", &value, NULL), 0);
    assert_true(value == 0 && !signbit(value));
    json_destroy(v);
}

static const struct {
    enum setting_id id;
    struct refusal r;
} bad[] = {
    {SETTING_DEPTH, {"2.5", ERR_VALUE, "$.k", "an integer from 0 to 256"}},
    {SETTING_DEPTH, {"-1", ERR_VALUE, "$.k", "an integer from 0 to 256"}},
    {SETTING_DEPTH, {"257", ERR_VALUE, "$.k", "an integer from 0 to 256"}},
    {SETTING_DEPTH, {"1e300", ERR_VALUE, "$.k", "an integer from 0 to 256"}},
    {SETTING_DEPTH, {"\"3\"", ERR_TYPE, "$.k", "an integer from 0 to 256"}},
    {SETTING_DEPTH, {"null", ERR_TYPE, "$.k", "an integer"}},
    {SETTING_DEPTH, {"true", ERR_TYPE, "$.k", "an integer"}},
    {SETTING_LEARNING_RATE, {"0", ERR_VALUE, "$.k", "a number above 0, up to 1000000"}},
    {SETTING_LEARNING_RATE, {"-0.1", ERR_VALUE, "$.k", "above 0"}},
    {SETTING_LEARNING_RATE, {"1000001", ERR_VALUE, "$.k", "up to 1000000"}},
    {SETTING_LEARNING_RATE, {"\"nan\"", ERR_TYPE, "$.k", "a number"}},
    {SETTING_LEARNING_RATE, {"\"0.1\"", ERR_TYPE, "$.k", "a number"}},
    {SETTING_EPSILON, {"0", ERR_VALUE, "$.k", "above 0, up to 1"}},
    {SETTING_MOMENTUM, {"1.5", ERR_VALUE, "$.k", "a number from 0 to 1"}},
    {SETTING_SHUFFLE, {"1", ERR_TYPE, "$.k", "true or false"}},
    {SETTING_SHUFFLE, {"\"true\"", ERR_TYPE, "$.k", "true or false"}},
    {SETTING_OPTIMIZER,
     {"\"adm\"", ERR_VALUE, "$.k",
      "did you mean adam? one of: sgd, momentum, nesterov, rmsprop, adam, adamw, adagrad, "
      "adadelta"}},
    {SETTING_OPTIMIZER, {"\"Adan\"", ERR_VALUE, "$.k", "did you mean adam?"}},
    {SETTING_OPTIMIZER, {"\"\"", ERR_VALUE, "$.k", "one of: sgd"}},
    {SETTING_OPTIMIZER, {"3", ERR_TYPE, "$.k", "one of: sgd"}},
    {SETTING_OPTIMIZER, {"[\"adam\"]", ERR_TYPE, "$.k", "one of: sgd"}},
};

static void bad_values_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct json *v = parse_json(bad[i].r.text);
        struct errbuf err = {0};
        double value = -7;

        int rc = setting_from_json(bad[i].id, v, "$.k", &value, &err);
        expect_refusal(&bad[i].r, rc, &err);
        assert_true(value == -7);
        assert_true(strlen(err.value) > 0);
        json_destroy(v);
    }
}

static void objects_set_what_they_name(void **state)
{
    struct json *v = parse_json("{\"train\":{\"learning_rate\":0.5,\"shuffle\":false},"
                                "\"model\":{\"depth\":7,\"layers\":3},"
                                "\"data\":{\"path\":\"/d\",\"target\":1},\"other\":1}");
    bool seen[SETTING_COUNT] = {false};
    struct settings s, defaults;

    settings_init(&s);
    settings_init(&defaults);
    assert_int_equal(settings_from_json(&s, v, seen, NULL), 0);
    for (int i = 0; i < SETTING_COUNT; i++) {
        bool given = i == SETTING_LEARNING_RATE || i == SETTING_SHUFFLE || i == SETTING_DEPTH;
        assert_int_equal(seen[i], given);
        if (!given)
            assert_true(s.v[i] == defaults.v[i]);
    }
    assert_true(s.v[SETTING_LEARNING_RATE] == 0.5 && s.v[SETTING_SHUFFLE] == 0);
    assert_true(s.v[SETTING_DEPTH] == 7);
    json_destroy(v);
}

static void write_section(const struct settings *s, const char *section, struct json_writer *w)
{
    jw_key(w, section);
    jw_begin_object(w);
    settings_to_json(s, section, w);
    jw_end_object(w);
}

static void objects_survive_a_round_trip(void **state)
{
    struct settings s, back;
    struct buf out = {0};
    struct json_writer w;

    settings_init(&s);
    s.v[SETTING_LEARNING_RATE] = 1.0 / 3;
    s.v[SETTING_ACTIVATION] = ACTIVATION_ELU;
    s.v[SETTING_SHUFFLE] = 0;
    s.v[SETTING_SCALE] = SCALE_MIN_MAX;
    jw_init(&w, &out);
    jw_begin_object(&w);
    write_section(&s, "data", &w);
    write_section(&s, "model", &w);
    write_section(&s, "train", &w);
    jw_end_object(&w);

    struct json *v = parse_json(out.data);
    settings_init(&back);
    assert_int_equal(settings_from_json(&back, v, NULL, NULL), 0);
    assert_memory_equal(&s, &back, sizeof(s));
    json_destroy(v);
    buf_finish(&out);
}

static void bad_objects_leave_all_untouched(void **state)
{
    static const struct refusal cases[] = {
        {"{\"model\":{\"width\":9,\"depht\":3}}", ERR_KEY, "$.model.depht",
         "did you mean depth? one of: layers, type, depth, width, activation, init"},
        {"{\"data\":{\"valdation\":9}}", ERR_KEY, "$.data.valdation", "did you mean validation?"},
        {"{\"data\":{\"formt\":9}}", ERR_KEY, "$.data.formt", "did you mean format?"},
        {"{\"model\":{\"layrs\":9}}", ERR_KEY, "$.model.layrs", "did you mean layers?"},
        {"{\"train\":{\"layers\":9}}", ERR_KEY, "$.train.layers", "one of: dropout"},
        {"{\"model\":{\"width\":9},\"train\":{\"lerning_rate\":3}}", ERR_KEY,
         "$.train.lerning_rate", "did you mean learning_rate?"},
        {"{\"train\":{\"shuffle\":false,\"depth\":3}}", ERR_KEY, "$.train.depth",
         "did you mean model.depth?"},
        {"{\"model\":{\"zzzzzz\":3}}", ERR_KEY, "$.model.zzzzzz", "one of: layers, type"},
        {"{\"model\":{\"\":3}}", ERR_KEY, "$.model[\"\"]", "one of: layers, type"},
        {"{\"model\":{\"a b\\n\\\"\":3}}", ERR_KEY, "$.model[\"a b??\"]", "one of: layers, type"},
        {"{\"model\":3}", ERR_TYPE, "$.model", "an object"},
        {"{\"train\":null}", ERR_TYPE, "$.train", "an object"},
        {"{\"model\":{\"width\":9,\"depth\":-3}}", ERR_VALUE, "$.model.depth", "0 to 256"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json *v = parse_json(cases[i].text);
        bool seen[SETTING_COUNT] = {false}, none[SETTING_COUNT] = {false};
        struct settings s, before;
        struct errbuf err = {0};

        settings_init(&s);
        before = s;
        int rc = settings_from_json(&s, v, seen, &err);
        expect_refusal(&cases[i], rc, &err);
        assert_memory_equal(&s, &before, sizeof(s));
        assert_memory_equal(seen, none, sizeof(seen));
        json_destroy(v);
    }
}

/* The guide's snippet, number by number (G3.2). */
static void preset_is_the_guides_snippet(void **state)
{
    struct settings s, before;

    settings_init(&s);
    s.v[SETTING_LEARNING_RATE] = 0.7;
    before = s;
    settings_apply_preset(&s);
    assert_memory_equal(&s, &before, sizeof(s)); /* preset none */
    s.v[SETTING_PRESET] = PRESET_GUIDE_G3_2;
    settings_apply_preset(&s);
    assert_true(s.v[SETTING_OPTIMIZER] == OPTIMIZER_MOMENTUM);
    assert_true(s.v[SETTING_LEARNING_RATE] == 0.001 && s.v[SETTING_MOMENTUM] == 0.5);
    assert_true(s.v[SETTING_LOSS] == LOSS_CROSS_ENTROPY);
    assert_true(s.v[SETTING_LOSS_REDUCTION] == REDUCTION_SUM);
    assert_true(s.v[SETTING_PROBABILITY_CLIP] == 1e-10);
    assert_true(s.v[SETTING_L2] == 0.01 && s.v[SETTING_L2_GRADIENT] == 0);
    assert_true(s.v[SETTING_CLIP] == CLIP_VALUE);
    assert_true(s.v[SETTING_CLIP_MIN] == 0.1 && s.v[SETTING_CLIP_MAX] == 5);
    assert_true(s.v[SETTING_BATCH_SIZE] == before.v[SETTING_BATCH_SIZE]);
    before = s;
    settings_apply_preset(&s);
    assert_memory_equal(&s, &before, sizeof(s));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(table_is_sound),
        cmocka_unit_test(enums_follow_the_choices),
        cmocka_unit_test(good_values_survive),
        cmocka_unit_test(minus_zero_becomes_zero),
        cmocka_unit_test(bad_values_are_refused),
        cmocka_unit_test(objects_set_what_they_name),
        cmocka_unit_test(objects_survive_a_round_trip),
        cmocka_unit_test(bad_objects_leave_all_untouched),
        cmocka_unit_test(preset_is_the_guides_snippet),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
