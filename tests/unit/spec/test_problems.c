/* All that is wrong with a specification at once, and what is read though it is called otherwise. */
#include "expect.h"

#include <stdio.h>

#include "common/base/synonym.h"
#include "spec_text.h"
#include "sweep/require.h"
#include "sweep/spec.h"

static void expect_problems(const char *text, const char *const *keys, size_t count)
{
    struct errbuf found[SPEC_PROBLEMS_MAX];
    struct json *root = parse_json(text);
    size_t n = spec_problems(root, found, SPEC_PROBLEMS_MAX);

    for (size_t i = 0; i < n && i < count; i++)
        if (strcmp(found[i].key, keys[i]) != 0 || strncmp(found[i].message, keys[i], strlen(keys[i])))
            fail_msg("%s\n problem %zu is %s, not at %s", text, i, found[i].message, keys[i]);
    if (n != count)
        fail_msg("%s\n has %zu problems, not %zu; the last: %s", text, n, count,
                 n ? found[n - 1].message : "-");
    json_destroy(root);
}

#define EXPECT(text, ...)                                                     \
    do {                                                                      \
        static const char *const keys[] = {__VA_ARGS__};                      \
        expect_problems(text, keys, ARRAY_LEN(keys));                         \
    } while (0)

static void test_one_problem_is_told_alone(void **state)
{
    EXPECT(WITH("\"epoch\":3"), "$.epoch");
    EXPECT("[]", "$");
    expect_problems(WITH("\"epochs\":3"), NULL, 0);
}

static void test_each_section_is_read_to_its_end(void **state)
{
    EXPECT("{" DATA ",\"run_cap\":0,\"method\":\"gird\",\"seed\":-1,\"model\":{\"width\":0,"
           "\"activation\":\"x\"},\"train\":{\"optimizer\":\"x\",\"momentum\":3},"
           "\"parameters\":{\"depth\":{\"values\":[1,-2,3,999]}}}",
           "$.method", "$.model.width", "$.model.activation", "$.train.optimizer",
           "$.train.momentum", "$.parameters.depth.values[1]", "$.parameters.depth.values[3]",
           "$.run_cap", "$.seed");
}

static void test_what_is_missing_is_put_in(void **state)
{
    EXPECT("{}", "$.data");
    EXPECT("{\"method\":\"grid\"}", "$.data", "$.parameters");
    EXPECT("{\"data\":{\"path\":\"x\"},\"parameters\":{}}", "$.data.path", "$.data.format",
           "$.parameters", "$.data.validation", "$.run_cap");
}

/* The value of a misspelt key is read, and what it stands for is not missed. */
static void test_a_misspelt_key_is_read_as_it_was_meant(void **state)
{
    EXPECT("{\"data\":{\"name\":\"m\",\"validaton\":5}," DEPTH ",\"runcap\":4}", "$.runcap",
           "$.data.validaton");
    EXPECT("{" DATA "," CAP ",\"parameters\":{\"depht\":{\"values\":[1,0.5]}}}",
           "$.parameters.depht", "$.parameters.depht.values[1]");
    EXPECT(WITH("\"train\":{\"lr\":-1}"), "$.train.lr", "$.train.lr");
}

/* Nothing is told that comes only of what was taken out. */
static void test_no_problem_follows_from_another(void **state)
{
    EXPECT("{" DATA "," CAP ",\"parameters\":{\"depth\":{\"values\":[\"a\"]}}}",
           "$.parameters.depth.values[0]");
    EXPECT("{" DATA "," DEPTH ",\"run_cap\":\"4\"}", "$.run_cap");
    EXPECT(WITH("\"model\":{\"type\":\"cnn\",\"layers\":[{\"type\":\"flatten\"}]}"),
           "$.model.type");
    EXPECT("{\"data\":{\"path\":\"/x\",\"format\":\"parquet\",\"validation\":5}," CAP "," DEPTH "}",
           "$.data.format");
    EXPECT("{\"task\":{\"comand\":[\"x\"]},\"parameters\":{\"a\":{\"values\":[1]}}," CAP "}",
           "$.task.comand");
}

static void test_at_most_twenty_are_told(void **state)
{
    struct errbuf found[SPEC_PROBLEMS_MAX];
    struct buf text = {0};

    buf_puts(&text, "{" DATA "," CAP ",\"parameters\":{\"depth\":{\"values\":[0");
    for (int i = 0; i < 60; i++)
        buf_printf(&text, ",%d.5", i);
    buf_puts(&text, "]}}}");
    struct json *root = parse_json(text.data);
    assert_int_equal(spec_problems(root, found, SPEC_PROBLEMS_MAX), SPEC_PROBLEMS_MAX);
    assert_string_equal(found[19].key, "$.parameters.depth.values[20]");
    json_destroy(root);
    buf_finish(&text);
}

/* --- other words ------------------------------------------------------------------------------ */

static const struct {
    const char *name, *value, *as;
} aliases[] = {
    {"lr", "[0.1]", "learning_rate"},
    {"learningRate", "[0.1]", "learning_rate"},
    {"learning-rate", "[0.1]", "learning_rate"},
    {"bs", "[32]", "batch_size"},
    {"batch", "[32]", "batch_size"},
    {"wd", "[0.1]", "train.weight_decay"},
    {"weight_decay", "[0.1]", "train.weight_decay"},
    {"num_layers", "[2]", "depth"},
    {"n_layers", "[2]", "depth"},
    {"hidden_size", "[2]", "width"},
    {"n_units", "[2]", "width"},
    {"dropout_rate", "[0.5]", "dropout"},
    {"optim", "[\"Adam\",\"SGD\"]", "optimizer"},
    {"optimizer.lr", "[0.1]", "learning_rate"},
    {"momentum", "[0.5]", "train.momentum"},
    {"beta_1", "[0.5]", "train.beta1"},
    {"train.momentum", "[0.5]", "train.momentum"},
};

static void parse_good(const char *text, struct spec *s)
{
    struct errbuf err = {0};

    if (spec_parse_text(text, strlen(text), s, &err) != 0)
        fail_msg("%s\n is refused: %s", text, err.message);
}

static void test_words_of_the_field_name_a_setting(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(aliases); i++) {
        char text[512];
        struct spec s;
        snprintf(text, sizeof(text), "{" DATA "," CAP ",\"parameters\":{\"%s\":{\"values\":%s}}}",
                 aliases[i].name, aliases[i].value);
        parse_good(text, &s);
        assert_string_equal(s.space.dimensions[0].name, aliases[i].as);
        spec_finish(&s);
    }
}

/* What is not sure is asked, with the right name. */
static void test_words_that_may_mean_it_are_suggested(void **state)
{
    static const struct refusal cases[] = {
        {WITH("\"method\":\"bayes\""), ERR_VALUE, "$.method", "did you mean gp (a Gaussian process"},
        {WITH("\"method\":\"smac\""), ERR_VALUE, "$.method", "did you mean tpe (the method that"},
        {WITH("\"method\":\"cma\""), ERR_VALUE, "$.method", "did you mean cmaes?"},
        {WITH("\"method\":\"genetic\""), ERR_VALUE, "$.method", "did you mean coarse_to_fine (this"},
        {WITH("\"model\":{\"type\":\"cnn\"}"), ERR_VALUE, "$.model.type",
         "did you mean sequential (with conv2d"},
        {WITH("\"model\":{\"type\":\"transformer\"}"), ERR_VALUE, "$.model.type",
         "there are no attention"},
        {WITH("\"model\":{\"num_layers\":2}"), ERR_KEY, "$.model.num_layers", "did you mean depth?"},
        {WITH("\"train\":{\"lr\":0.1}"), ERR_KEY, "$.train.lr", "did you mean learning_rate?"},
        {WITH("\"train\":{\"wd\":0.1}"), ERR_KEY, "$.train.wd", "did you mean weight_decay?"},
        {WITH("\"train\":{\"loss\":\"ce\"}"), ERR_VALUE, "$.train.loss", "mean cross_entropy?"},
        {WITH("\"train\":{\"schedule\":\"reduce_on_plateau\"}"), ERR_VALUE, "$.train.schedule",
         "did you mean plateau?"},
        {WITH("\"model\":{\"init\":\"kaiming\"}"), ERR_VALUE, "$.model.init", "did you mean he?"},
        {WITH("\"metric\":{\"name\":\"accuracy\"}"), ERR_VALUE, "$.metric.name", "mean val_acc?"},
        {WITH("\"metric\":{\"name\":\"val_loss\",\"goal\":\"min\"}"), ERR_VALUE, "$.metric.goal",
         "did you mean minimize?"},
        {WITH("\"max_epochs\":3"), ERR_KEY, "$.max_epochs", "did you mean epochs?"},
        {WITH("\"n_trials\":3"), ERR_KEY, "$.n_trials", "did you mean run_cap?"},
        {WITH("\"random_state\":3"), ERR_KEY, "$.random_state", "did you mean seed?"},
        {WITH("\"early_terminate\":{\"type\":\"asha\"}"), ERR_VALUE, "$.early_terminate.type",
         "did you mean successive_halving?"},
        {WITH("\"early_terminate\":{\"type\":\"hyperband\",\"reduction_factor\":3}"), ERR_KEY,
         "$.early_terminate.reduction_factor", "did you mean eta?"},
        {"{" DATA "," CAP ",\"parameters\":{\"learning_rate\":{\"min\":1,\"max\":2,"
         "\"distribution\":\"reciprocal\"}}}",
         ERR_VALUE, "$.parameters.learning_rate.distribution", "did you mean log_uniform_values ("},
        {"{" DATA "," CAP ",\"parameters\":{\"learning_rate\":{\"values\":[1,2],"
         "\"probs\":[0.5,0.5]}}}",
         ERR_KEY, "$.parameters.learning_rate.probs", "did you mean probabilities?"},
        {"{" DATA "," CAP ",\"parameters\":{\"learning_rate\":{\"min\":\"0.1\",\"max\":2}}}",
         ERR_TYPE, "$.parameters.learning_rate.min", "without the quotes"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct errbuf err = {0};
        struct spec s;
        int rc = spec_parse_text(cases[i].text, strlen(cases[i].text), &s, &err);
        expect_refusal(&cases[i], rc, &err);
    }
}

static void test_case_and_joints_do_not_matter(void **state)
{
    struct spec s;

    parse_good("{" DATA "," CAP "," DEPTH ",\"method\":\"Coarse-To-Fine\",\"metric\":{\"name\":"
               "\"val/loss\"},\"model\":{\"activation\":\"LeakyReLU\"},\"train\":{\"optimizer\":"
               "\"AdamW\",\"loss\":\"CrossEntropy\"}}",
               &s);
    assert_int_equal(s.method, METHOD_COARSE_TO_FINE);
    assert_int_equal(s.metric, METRIC_VAL_LOSS);
    assert_int_equal(s.trainer.fixed.v[SETTING_ACTIVATION], ACTIVATION_LEAKY_RELU);
    assert_int_equal(s.trainer.fixed.v[SETTING_OPTIMIZER], OPTIMIZER_ADAMW);
    spec_finish(&s);
    assert_true(synonym_same_word("val/loss", "ValLoss"));
    assert_false(synonym_same_word("val", "valid"));
    assert_false(synonym_same_word("-", "_"));
}

static void test_nested_parameters_are_named_with_dots(void **state)
{
    static const char nested[] =
        "\"parameters\":{\"optimizer\":{\"parameters\":{\"lr\":{\"values\":[0.1,0.2]},"
        "\"type\":{\"values\":[\"sgd\",\"adam\"]},\"momentum\":{\"value\":0.5}}}}";
    char text[512];
    struct spec s;

    snprintf(text, sizeof(text), "{" DATA "," CAP ",%s}", nested);
    parse_good(text, &s);
    assert_int_equal(s.space.count, 2);
    assert_string_equal(s.space.dimensions[0].name, "learning_rate");
    assert_string_equal(s.space.dimensions[1].name, "optimizer");
    assert_true(s.trainer.fixed.v[SETTING_MOMENTUM] == 0.5);
    spec_finish(&s);
    snprintf(text, sizeof(text),
             "{\"task\":{\"command\":[\"x\"]},\"metric\":{\"name\":\"m\",\"goal\":\"minimize\"}," CAP
             ",%s}", nested);
    parse_good(text, &s);
    assert_string_equal(s.space.dimensions[0].name, "optimizer.lr");
    spec_finish(&s);
}

/* --- what is said of it ----------------------------------------------------------------------- */

static void add_note(void *arg, const char *sentence)
{
    buf_printf(arg, "%s\n", sentence);
}

static void expect_notes(const char *text, const char *want)
{
    struct buf notes = {0};
    struct json *root = parse_json(text);
    struct errbuf err = {0};
    struct spec s;

    if (spec_parse(root, &s, &err) != 0)
        fail_msg("%s: %s", text, err.message);
    spec_notes(root, &s, add_note, &notes);
    const char *got = notes.data ? notes.data : "";
    if (*want ? !strstr(got, want) : *got)
        fail_msg("%s\n says '%s', not '%s'", text, got, want);
    buf_finish(&notes);
    spec_finish(&s);
    json_destroy(root);
}

#define PROGRAM "\"task\":{\"command\":[\"x\"]},\"method\":\"random\"," CAP ","

static void test_what_was_inferred_is_said(void **state)
{
    expect_notes("{" DATA "," CAP "," DEPTH "}", "");
    expect_notes("{" DATA "," CAP ",\"parameters\":{\"train.momentum\":{\"values\":[0.5]}}}", "");
    expect_notes("{" DATA "," CAP ",\"parameters\":{\"lr\":{\"values\":[0.1]}}}",
                 "$.parameters.lr is read as learning_rate");
    expect_notes("{" DATA "," CAP ",\"parameters\":{\"o\":{\"parameters\":{\"bs\":{\"values\":[1]}}}"
                 "}}",
                 "$.parameters.o.parameters.bs is read as batch_size");
    expect_notes("{" PROGRAM "\"metric\":{\"name\":\"acc\",\"goal\":\"minimize\"},"
                 "\"parameters\":{\"a\":{\"values\":[1]}}}",
                 "smallest acc");
    expect_notes("{" PROGRAM "\"metric\":{\"name\":\"acc\",\"goal\":\"maximize\"},"
                 "\"parameters\":{\"lr\":{\"values\":[1]}}}",
                 "");
    expect_notes(WITH("\"epochs\":3,\"early_terminate\":{\"type\":\"median\",\"min_iter\":3}"),
                 "no rung lies before the last epoch, 3");
    expect_notes(WITH("\"epochs\":4,\"early_terminate\":{\"type\":\"median\",\"min_iter\":3}"), "");
}

/* A table's columns are scaled unless something else is said; what is stored says. */
static void test_scaling_by_default_is_said(void **state)
{
    static const struct {
        const char *format, *beside;
        bool table;
    } cases[] = {{"csv", "", true},
                 {"tsv", "", true},
                 {"libsvm", "", true},
                 {"idx", "", false},
                 {"npz", "", false},
                 {"npy", ",\"target_path\":\"/t\"", false}};
    char text[256];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        snprintf(text, sizeof(text),
                 "{\"data\":{\"path\":\"/d\",\"format\":\"%s\",\"validation\":9%s}," CAP "," DEPTH "}",
                 cases[i].format, cases[i].beside);
        expect_notes(text, cases[i].table ? "data.scale none" : "");
    }
    expect_notes("{\"data\":{\"path\":\"/d\",\"format\":\"csv\",\"validation\":9,"
                 "\"scale\":\"standard\"}," CAP "," DEPTH "}",
                 "");
    expect_notes("{\"data\":{\"path\":\"/d\",\"format\":\"csv\",\"validation\":9}," CAP
                 ",\"parameters\":{\"data.scale\":{\"values\":[\"none\",\"min_max\"]}}}",
                 "");
}

static void test_the_wrong_goal_is_questioned(void **state)
{
    static const struct {
        const char *metric;
        int rc;
    } cases[] = {{"{\"name\":\"val_acc\",\"goal\":\"minimize\"}", ERR_VALUE},
                 {"{\"name\":\"val_loss\",\"goal\":\"maximize\"}", ERR_VALUE},
                 {"{\"name\":\"val_acc\",\"goal\":\"maximize\"}", 0},
                 {"{\"name\":\"val_acc\"}", 0}};

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char text[256];
        struct errbuf err = {0};
        struct spec s;
        snprintf(text, sizeof(text), "{" DATA "," CAP "," DEPTH ",\"metric\":%s}", cases[i].metric);
        struct json *root = parse_json(text);
        assert_int_equal(spec_parse(root, &s, &err), 0);
        assert_int_equal(spec_question(root, &s, &err), cases[i].rc);
        spec_finish(&s);
        json_destroy(root);
    }
}

static void test_a_place_is_that_of_the_key(void **state)
{
    static const char text[] = "{\n  \"a\": 1,\n  \"b\": [ {\n \"c\": 2 }, 7, {} ],\n\"d\": {}}";
    static const struct {
        const char *path;
        size_t line, column;
    } cases[] = {{"$.a", 2, 4},    {"$.b", 3, 4},    {"$.b[0]", 4, 3},     {"$.b[0].c", 4, 3},
                 {"$.b[1]", 4, 3}, {"$.b[2]", 4, 3}, {"$.d.missing", 5, 2}, {"$", 2, 4}};
    struct json *root = parse_json(text);

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json_place at;
        assert_true(json_place(text, strlen(text), root, json_at_path(root, cases[i].path), &at));
        if (at.line != cases[i].line || at.column != cases[i].column)
            fail_msg("%s is at %zu:%zu", cases[i].path, at.line, at.column);
    }
    json_destroy(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_problem_is_told_alone),
        cmocka_unit_test(test_each_section_is_read_to_its_end),
        cmocka_unit_test(test_what_is_missing_is_put_in),
        cmocka_unit_test(test_a_misspelt_key_is_read_as_it_was_meant),
        cmocka_unit_test(test_no_problem_follows_from_another),
        cmocka_unit_test(test_at_most_twenty_are_told),
        cmocka_unit_test(test_words_of_the_field_name_a_setting),
        cmocka_unit_test(test_words_that_may_mean_it_are_suggested),
        cmocka_unit_test(test_case_and_joints_do_not_matter),
        cmocka_unit_test(test_nested_parameters_are_named_with_dots),
        cmocka_unit_test(test_what_was_inferred_is_said),
        cmocka_unit_test(test_scaling_by_default_is_said),
        cmocka_unit_test(test_the_wrong_goal_is_questioned),
        cmocka_unit_test(test_a_place_is_that_of_the_key),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
