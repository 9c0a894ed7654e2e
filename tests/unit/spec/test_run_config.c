#include "expect.h"

#include "sweep/require.h"
#include "sweep/run_config.h"

#define DATA "\"data\":{\"path\":\"/d\",\"format\":\"idx\",\"validation\":10}"

static int parse(const char *text, struct run_config *out, struct errbuf *err)
{
    struct json *v = parse_json(text);
    int rc = run_config_parse(v, out, err);

    json_destroy(v);
    return rc;
}

static void only_data_is_required(void **state)
{
    struct settings defaults;
    struct run_config c;

    settings_init(&defaults);
    assert_int_equal(parse("{" DATA "}", &c, NULL), 0);
    assert_string_equal(c.data.path, "/d");
    defaults.v[SETTING_VALIDATION] = 10;
    assert_memory_equal(&c.settings, &defaults, sizeof(defaults));
    assert_true(c.checkpoint_seconds == 30 && c.layers.count == 0);
    assert_true(c.epochs == 10 && c.until_epoch == 0 && c.seed == 0 && c.split_seed == 0);
    assert_true(c.metric == METRIC_VAL_LOSS && !c.maximize);
    assert_string_equal(c.data_hash, "");
    assert_string_equal(c.weights, "");
}

static void split_seed_is_the_seed_unless_given(void **state)
{
    struct run_config c;

    assert_int_equal(parse("{" DATA ",\"seed\":\"18446744073709551615\"}", &c, NULL), 0);
    assert_true(c.seed == UINT64_MAX && c.split_seed == UINT64_MAX);
    assert_int_equal(parse("{" DATA ",\"seed\":5,\"split_seed\":\"0\"}", &c, NULL), 0);
    assert_true(c.seed == 5 && c.split_seed == 0);
}

static void everything_survives_a_round_trip(void **state)
{
    struct run_config c, back;
    struct buf out = {0};
    struct json_writer w;

    memset(&c, 0, sizeof(c));
    str_copy(c.data.name, sizeof(c.data.name), "fashion-mnist");
    settings_init(&c.settings);
    c.settings.v[SETTING_LIMIT] = 2000;
    c.settings.v[SETTING_VALIDATION] = 500;
    c.settings.v[SETTING_ON_NAN] = ON_NAN_DROP;
    c.settings.v[SETTING_LEARNING_RATE] = 1.0 / 3;
    c.settings.v[SETTING_OPTIMIZER] = OPTIMIZER_ADADELTA;
    c.epochs = 77;
    c.until_epoch = 76;
    c.seed = UINT64_MAX - 1;
    c.split_seed = 12;
    c.metric = METRIC_VAL_ACC;
    c.maximize = true;
    memset(c.data_hash, 'f', 64);
    str_copy(c.weights, sizeof(c.weights), "/runs/1/best.safetensors");
    str_copy(c.start_weights, sizeof(c.start_weights), "/runs/0/best.safetensors");
    str_copy(c.checkpoint, sizeof(c.checkpoint), "/runs/1/checkpoint");
    c.checkpoint_seconds = 0.5;

    jw_init(&w, &out);
    run_config_write(&c, &w);
    assert_true(strncmp(out.data, "{\"version\":1,\"data\":{", 21) == 0);
    assert_non_null(strstr(out.data, "\"seed\":\"18446744073709551614\",\"split_seed\":\"12\""));
    assert_int_equal(parse(out.data, &back, NULL), 0);
    /* Fields, as padding need not be equal. */
    assert_string_equal(back.data.name, c.data.name);
    assert_string_equal(back.start_weights, c.start_weights);
    assert_string_equal(back.checkpoint, c.checkpoint);
    assert_true(back.checkpoint_seconds == 0.5);
    assert_memory_equal(&back.settings, &c.settings, sizeof(c.settings));
    assert_true(back.epochs == 77 && back.until_epoch == 76 && back.seed == c.seed && back.split_seed == 12);
    assert_true(back.metric == METRIC_VAL_ACC && back.maximize);
    assert_string_equal(back.data_hash, c.data_hash);
    assert_string_equal(back.weights, c.weights);
    buf_finish(&out);
}

/* What the worker's checkpoints know of a configuration: a run without a budget reads as it did
 * before there were any. */
static void the_budget_is_beside_the_horizon(void **state)
{
    struct run_config c;
    struct buf out = {0};
    struct json_writer w;

    assert_int_equal(parse("{" DATA ",\"epochs\":9,\"until_epoch\":9}", &c, NULL), 0);
    assert_true(c.epochs == 9 && c.until_epoch == 9);
    assert_int_equal(parse("{" DATA ",\"until_epoch\":10}", &c, NULL), 0); /* of the default */
    assert_true(c.epochs == 10 && c.until_epoch == 10);
    c.until_epoch = 0;
    jw_init(&w, &out);
    run_config_write(&c, &w);
    assert_null(strstr(out.data, "until_epoch"));
    buf_finish(&out);
}

/* The network of a sequential model, and the preset's values. */
static void layers_and_preset_come_along(void **state)
{
    struct run_config c, back;
    struct buf out = {0};
    struct json_writer w;

    assert_int_equal(parse("{" DATA ",\"model\":{\"type\":\"sequential\",\"layers\":[{\"type\":"
                           "\"dense\",\"units\":\"width\"}]},\"train\":{\"preset\":"
                           "\"guide_g3_2\"}}",
                           &c, NULL),
                     0);
    assert_int_equal(c.layers.count, 1);
    assert_true(c.settings.v[SETTING_MOMENTUM] == 0.5);
    jw_init(&w, &out);
    run_config_write(&c, &w);
    assert_int_equal(parse(out.data, &back, NULL), 0);
    assert_int_equal(back.layers.count, 1);
    assert_memory_equal(&back.settings, &c.settings, sizeof(c.settings));
    buf_finish(&out);
}

static const struct refusal bad[] = {
    {"[]", ERR_TYPE, "$", "an object"},
    {"{}", ERR_MISSING, "$.data", "the data to train on"},
    {"{\"data\":{\"name\":\"x\"}}", ERR_MISSING, "$.data.validation", "at least 1"},
    {"{" DATA ",\"splitseed\":1}", ERR_KEY, "$.splitseed", "did you mean split_seed?"},
    {"{" DATA ",\"parameters\":{}}", ERR_KEY, "$.parameters", "one of: version"},
    {"{" DATA ",\"version\":2}", ERR_VALUE, "$.version", "from 1 to 1"},
    {"{" DATA ",\"version\":\"1\"}", ERR_TYPE, "$.version", "an integer"},
    {"{" DATA ",\"model\":{\"depht\":1}}", ERR_KEY, "$.model.depht", "did you mean depth?"},
    {"{" DATA ",\"train\":{\"batch_size\":0}}", ERR_VALUE, "$.train.batch_size", "from 1"},
    {"{" DATA ",\"epochs\":0}", ERR_VALUE, "$.epochs", "from 1"},
    {"{" DATA ",\"epochs\":4,\"until_epoch\":5}", ERR_VALUE, "$.until_epoch", "from 1 to 4"},
    {"{" DATA ",\"until_epoch\":0}", ERR_VALUE, "$.until_epoch", "from 1 to 10"},
    {"{" DATA ",\"until_epoch\":2.5}", ERR_VALUE, "$.until_epoch", "an integer"},
    {"{" DATA ",\"seed\":\"x\"}", ERR_TYPE, "$.seed", "an integer from 0"},
    {"{" DATA ",\"split_seed\":-1}", ERR_VALUE, "$.split_seed", "an integer from 0"},
    {"{" DATA ",\"metric\":{\"name\":\"loss\"}}", ERR_VALUE, "$.metric.name", "val_loss"},
    {"{" DATA ",\"data_hash\":\"xyz\"}", ERR_VALUE, "$.data_hash", "hexadecimal"},
    {"{" DATA ",\"data_hash\":\"\"}", ERR_VALUE, "$.data_hash", "1 to 64"},
    {"{" DATA ",\"weights\":3}", ERR_TYPE, "$.weights", "a string"},
    {"{" DATA ",\"start_weights\":3}", ERR_TYPE, "$.start_weights", "a string"},
    {"{" DATA ",\"checkpoint_seconds\":-1}", ERR_VALUE, "$.checkpoint_seconds", "0 or more"},
    {"{" DATA ",\"model\":{\"type\":\"sequential\"}}", ERR_MISSING, "$.model.layers", "a list"},
    {"{" DATA ",\"model\":{\"type\":\"gru\",\"depth\":0}}", ERR_VALUE, "$.model.depth", "1 to 256"},
};

static void bad_configurations_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct run_config out, before;
        struct errbuf err = {0};

        memset(&out, 0x5a, sizeof(out));
        before = out;
        int rc = parse(bad[i].text, &out, &err);
        expect_refusal(&bad[i], rc, &err);
        assert_memory_equal(&out, &before, sizeof(out));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_data_is_required),
        cmocka_unit_test(split_seed_is_the_seed_unless_given),
        cmocka_unit_test(everything_survives_a_round_trip),
        cmocka_unit_test(the_budget_is_beside_the_horizon),
        cmocka_unit_test(layers_and_preset_come_along),
        cmocka_unit_test(bad_configurations_are_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
