/* The task "command": what a specification may say, what macros become, a run's config.json. */
#include "expect.h"

#include "sweep/command.h"
#include "sweep/require.h"

static int parse_task(const char *text, struct command_task *out, struct errbuf *err)
{
    struct json *v = parse_json(text);
    int rc = command_task_parse(v, out, err);

    json_destroy(v);
    return rc;
}

static char *task_text(const struct command_task *t)
{
    struct buf out = {0};
    struct json_writer w;

    jw_init(&w, &out);
    command_task_write(t, &w);
    return buf_take(&out);
}

static void a_task_is_written_as_it_was_read(void **state)
{
    static const char text[] =
        "{\"command\":[\"./train.sh\",\"${args}\",\"$HOME $${x}\",\"\"],\"directory\":\"/abs\","
        "\"curves\":{\"epoch\":\"trainer/epoch\",\"train_loss\":\"train/loss\","
        "\"val_loss\":\"val/loss\"}}";
    struct command_task t, back;

    assert_int_equal(parse_task(text, &t, NULL), 0);
    assert_int_equal(t.command.count, 4);
    assert_string_equal(t.command.words[3], "");
    assert_string_equal(t.manner.curves.column[CURVE_VAL_LOSS], "val/loss");
    char *written = task_text(&t);
    assert_string_equal(written, text);
    assert_int_equal(parse_task(written, &back, NULL), 0);
    command_task_finish(&back);
    command_task_finish(&t);
    free(written);
}

static void what_is_not_said_has_a_default(void **state)
{
    struct command_task t;

    assert_int_equal(parse_task("{\"command\":[\"x\"],\"directory\":\"\"}", &t, NULL), 0);
    char *written = task_text(&t);
    assert_string_equal(written, "{\"command\":[\"x\"],\"directory\":\"\",\"curves\":{}}");
    command_task_finish(&t);
    free(written);
}

#define X "\"command\":[\"x\"]"

static const struct refusal bad_tasks[] = {
    {"[]", ERR_TYPE, "$.task", "an object"},
    {"{}", ERR_MISSING, "$.task.command", "the program to run"},
    {"{\"comand\":[\"x\"]}", ERR_KEY, "$.task.comand", "did you mean command?"},
    {"{\"command\":\"./train.sh --lr\"}", ERR_TYPE, "$.task.command", "a list of strings"},
    {"{\"command\":[]}", ERR_VALUE, "$.task.command", "a program"},
    {"{\"command\":[\"\"]}", ERR_VALUE, "$.task.command[0]", "a program"},
    {"{\"command\":[\"x\",3]}", ERR_TYPE, "$.task.command[1]", "a string"},
    {"{\"command\":[\"x\",\"${arg}\"]}", ERR_VALUE, "$.task.command[1]", "did you mean ${args}?"},
    {"{\"command\":[\"x\",\"a ${args_jsno} b\"]}", ERR_VALUE, "$.task.command[1]",
     "did you mean ${args_json}?"},
    {"{\"command\":[\"x\",\"${HOME}\"]}", ERR_VALUE, "$.task.command[1]", "$${"},
    {"{\"command\":[\"x\",\"${args\"]}", ERR_VALUE, "$.task.command[1]", "a } after ${"},
    {"{" X ",\"directory\":\"train\"}", ERR_VALUE, "$.task.directory", "an absolute path"},
    {"{" X ",\"directory\":7}", ERR_TYPE, "$.task.directory", "a string"},
    {"{" X ",\"curves\":[]}", ERR_TYPE, "$.task.curves", "an object"},
    {"{" X ",\"literals\":[]}", ERR_TYPE, "$.task.literals", "an object"},
    {"{" X ",\"literals\":{\"a\":null}}", ERR_TYPE, "$.task.literals.a", "an object"},
    {"{" X ",\"curves\":{\"vall_loss\":\"a\"}}", ERR_KEY, "$.task.curves.vall_loss",
     "did you mean val_loss?"},
    {"{" X ",\"curves\":{\"seconds\":\"a\"}}", ERR_KEY, "$.task.curves.seconds", "one of: epoch"},
    {"{" X ",\"curves\":{\"val_loss\":\"\"}}", ERR_VALUE, "$.task.curves.val_loss", "1 to 128"},
    {"{" X ",\"curves\":{\"val_loss\":\"a\",\"train_loss\":\"a\"}}", ERR_VALUE,
     "$.task.curves.val_loss", "feeds nothing else"},
    {"{" X ",\"curves\":{\"val_loss\":\"a\",\"epoch\":\"a\"}}", ERR_VALUE, "$.task.curves.val_loss",
     "feeds nothing else"},
};

static void refusals_name_key_and_value(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(bad_tasks); i++) {
        struct errbuf err = {0};
        struct command_task t;
        expect_refusal(&bad_tasks[i], parse_task(bad_tasks[i].text, &t, &err), &err);
    }
}

/* {"command":["x", word × count]} */
static int parse_many(size_t count, size_t length, struct errbuf *err)
{
    struct command_task t;
    struct buf text = {0};
    char *word = xcalloc(1, length + 1);

    memset(word, 'a', length);
    buf_puts(&text, "{\"command\":[\"x\"");
    for (size_t i = 0; i < count; i++)
        buf_printf(&text, ",\"%s\"", word);
    buf_puts(&text, "]}");
    int rc = parse_task(text.data, &t, err);
    if (!rc)
        command_task_finish(&t);
    buf_finish(&text);
    free(word);
    return rc;
}

static void lengths_have_limits(void **state)
{
    struct errbuf err = {0};

    assert_int_equal(parse_many(COMMAND_WORDS_MAX - 1, 200, &err), 0);
    assert_int_equal(parse_many(COMMAND_WORDS_MAX, 1, &err), ERR_LIMIT);
    assert_string_equal(err.key, "$.task.command");
    assert_int_equal(parse_many(1, COMMAND_WORD_BYTES_MAX, &err), 0);
    assert_int_equal(parse_many(1, COMMAND_WORD_BYTES_MAX + 1, &err), ERR_LIMIT);
    assert_string_equal(err.key, "$.task.command[1]");
    assert_int_equal(parse_many(3, COMMAND_WORD_BYTES_MAX - 10, &err), ERR_LIMIT);
    assert_string_equal(err.key, "$.task.command[3]");
}

/* --- macros --------------------------------------------------------------------------------- */

#define PARAMS "{\"lr\":0.1,\"n\":16,\"name\":\"a b $x\",\"flag\":true,\"tiny\":1e-30}"

static const struct {
    const char *template, *want; /* arguments after the program, by '|' */
} expansions[] = {
    {"${args}", "--lr=0.1|--n=16|--name=a b $x|--flag=true|--tiny=1e-30"},
    {"${args_no_hyphens}", "lr=0.1|n=16|name=a b $x|flag=true|tiny=1e-30"},
    {"${args_json}", PARAMS},
    {"run ${args}!", "run --lr=0.1 --n=16 --name=a b $x --flag=true --tiny=1e-30!"},
    {"--out=${run_dir}/x", "--out=/runs/7/x"},
    {"${epochs}${seed}", "1018446744073709551615"},
    {"$${args} $$ ${epochs}$", "${args} $$ 10$"},
    {"$$${epochs}", "$${epochs}"},
    {"", ""},
};

static char *expand_with(const char *template, const char *params, const char *literals)
{
    struct json *v = parse_json(params), *stand = literals ? parse_json(literals) : NULL;
    struct command_values values = {.params = v, .run_dir = "/runs/7", .literals = stand,
                                    .epochs = 10, .seed = UINT64_MAX};
    struct command_words words = {0}, out = {0};
    struct buf text = {0};

    command_words_add(&words, xstrdup("x"));
    command_words_add(&words, xstrdup(template));
    command_expand(&words, &values, &out);
    assert_string_equal(out.words[0], "x");
    for (size_t i = 1; i < out.count; i++)
        buf_printf(&text, "%s%s", i > 1 ? "|" : "", out.words[i]);
    command_words_finish(&words);
    command_words_finish(&out);
    json_destroy(v);
    json_destroy(stand);
    return buf_take(&text);
}

static char *expand(const char *template, const char *params)
{
    return expand_with(template, params, NULL);
}

static void macros_become_arguments(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(expansions); i++) {
        char *got = expand(expansions[i].template, PARAMS);
        assert_string_equal(got, expansions[i].want);
        free(got);
    }
    char *none = expand("${args}", "{}");
    assert_string_equal(none, "");
    free(none);
}

static void texts_stand_for_other_values(void **state)
{
    static const char params[] = "{\"layers\":\"[64, 64]\",\"act\":\"None\",\"name\":\"None\","
                                 "\"amp\":\"False\",\"fp\":\"True\"}";
    static const char literals[] = "{\"layers\":{\"[64, 64]\":[64,64]},\"act\":{\"None\":null},"
                                   "\"amp\":{\"False\":false},\"fp\":{\"True\":true}}";
    static const char *const cases[][2] = {
        {"${args_json}", "{\"layers\":[64,64],\"act\":null,\"name\":\"None\",\"amp\":false,"
                         "\"fp\":true}"},
        {"${args}", "--layers=[64, 64]|--act=None|--name=None|--amp=False|--fp=True"},
        {"${args_no_boolean_flags}", "--layers=[64, 64]|--act=None|--name=None|--fp"},
        {"${args_override_hydra}", "++layers=[64, 64]|++act=None|++name=None|++amp=False|++fp=True"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *got = expand_with(cases[i][0], params, literals);
        assert_string_equal(got, cases[i][1]);
        free(got);
    }
}

/* --- config.json ------------------------------------------------------------------------------ */

static int parse_config(const char *text, struct command_config *out, struct errbuf *err)
{
    struct json *v = parse_json(text);
    int rc = command_config_parse(v, out, err);

    json_destroy(v);
    return rc;
}

static void a_config_survives_a_round_trip(void **state)
{
    static const char text[] =
        "{\"version\":1,\"task\":\"command\",\"command\":[\"./t\",\"--lr=0.1\",\"${x\"],"
        "\"directory\":\"/abs\",\"curves\":{\"val_loss\":\"val/loss\"},"
        "\"params\":{\"lr\":0.1,\"who\":\"me\"},"
        "\"metric\":{\"name\":\"val/loss\",\"goal\":\"maximize\"},\"epochs\":20,"
        "\"until_epoch\":5,\"seed\":\"18446744073709551615\",\"run_id\":9}";
    struct command_config c;
    struct buf out = {0};
    struct json_writer w;

    assert_int_equal(parse_config(text, &c, NULL), 0);
    assert_string_equal(c.params, "{\"lr\":0.1,\"who\":\"me\"}");
    assert_true(c.maximize && c.epochs == 20 && c.until_epoch == 5 && c.seed == UINT64_MAX);
    jw_init(&w, &out);
    command_config_write(&c, &w);
    assert_string_equal(out.data, text);
    command_config_finish(&c);
    buf_finish(&out);
}

#define Y "\"task\":\"command\",\"command\":[\"x\"],\"metric\":{\"name\":\"a\"}"

static void by_hand_little_is_needed(void **state)
{
    struct command_config c;

    assert_int_equal(parse_config("{" Y "}", &c, NULL), 0);
    assert_true(c.epochs == 1 && c.until_epoch == 1 && c.seed == 0 && c.run_id == 0);
    assert_true(!c.maximize && c.manner.directory[0] == '\0');
    assert_string_equal(c.params, "{}");
    command_config_finish(&c);
}

/* A run's configuration as the daemon makes it and its worker reads it. */
static int make_and_read(const char *task, const char *params, struct command_config *back,
                         struct errbuf *err)
{
    struct json *v = parse_json(params);
    struct command_values values = {.params = v, .run_dir = "/runs/7", .epochs = 10, .seed = 3};
    struct command_task t;
    struct command_config c;
    struct buf text = {0};
    struct json_writer w;

    assert_int_equal(parse_task(task, &t, NULL), 0);
    command_config_init(&c, &t, &values);
    str_copy(c.metric, sizeof(c.metric), "loss");
    jw_init(&w, &text);
    command_config_write(&c, &w);
    int rc = parse_config(text.data, back, err);
    buf_finish(&text);
    command_config_finish(&c);
    command_task_finish(&t);
    json_destroy(v);
    return rc;
}

static void a_task_becomes_a_config(void **state)
{
    struct command_config c;

    assert_int_equal(make_and_read("{\"command\":[\"x\",\"${args}\",\"${epochs}\"],"
                                   "\"directory\":\"/abs\",\"curves\":{\"val_loss\":\"v\"}}",
                                   PARAMS, &c, NULL),
                     0);
    assert_int_equal(c.command.count, 7);
    assert_string_equal(c.command.words[1], "--lr=0.1");
    assert_string_equal(c.command.words[6], "10");
    assert_string_equal(c.params, PARAMS);
    assert_string_equal(c.manner.directory, "/abs");
    assert_string_equal(c.manner.curves.column[CURVE_VAL_LOSS], "v");
    assert_true(c.epochs == 10 && c.until_epoch == 10 && c.seed == 3);
    command_config_finish(&c);
}

/* A value of 9000 bytes 30 times: the daemon writes it down, the worker says what is wrong. */
static void what_is_too_long_for_a_program_is_refused(void **state)
{
    struct errbuf err = {0};
    struct command_config c;
    struct buf task = {0}, params = {0};

    buf_puts(&params, "{\"p\":\"");
    for (int i = 0; i < 9000; i++)
        buf_putc(&params, 'p');
    buf_puts(&params, "\"}");
    buf_puts(&task, "{\"command\":[\"x\"");
    for (int i = 0; i < 30; i++)
        buf_puts(&task, ",\"${args}\"");
    buf_puts(&task, "]}");
    assert_int_equal(make_and_read(task.data, params.data, &c, &err), ERR_LIMIT);
    assert_string_equal(err.key, "$.command[30]");
    assert_non_null(strstr(err.allowed, "262144 bytes in all words"));
    buf_finish(&task);
    buf_finish(&params);
}

static void macros_have_a_limit(void **state)
{
    struct errbuf err = {0};
    struct command_task t;
    struct buf text = {0};

    buf_puts(&text, "{\"command\":[\"x\",\"");
    for (int i = 0; i < COMMAND_MACROS_MAX; i++)
        buf_puts(&text, "${seed} $${");
    char *most = xasprintf("%s\"]}", text.data), *more = xasprintf("%s${seed}\"]}", text.data);
    assert_int_equal(parse_task(most, &t, NULL), 0);
    command_task_finish(&t);
    assert_int_equal(parse_task(more, &t, &err), ERR_LIMIT);
    assert_string_equal(err.key, "$.task.command[1]");
    free(most);
    free(more);
    buf_finish(&text);
}

static const struct refusal bad_configs[] = {
    {"[]", ERR_TYPE, "$", "an object"},
    {"{\"task\":\"comand\"}", ERR_VALUE, "$.task", "did you mean command?"},
    {"{\"task\":\"command\",\"command\":[\"x\"]}", ERR_MISSING, "$.metric", "ranked by"},
    {"{\"task\":\"command\",\"metric\":{\"name\":\"a\"}}", ERR_MISSING, "$.command", "the program"},
    {"{\"task\":\"command\",\"metric\":{}}", ERR_MISSING, "$.metric.name", "reports it"},
    {"{" Y ",\"metrics\":1}", ERR_KEY, "$.metrics", "did you mean metric?"},
    {"{" Y ",\"epochs\":0}", ERR_VALUE, "$.epochs", "from 1"},
    {"{" Y ",\"epochs\":5,\"until_epoch\":6}", ERR_VALUE, "$.until_epoch", "from 1 to 5"},
    {"{" Y ",\"params\":[]}", ERR_TYPE, "$.params", "an object"},
    {"{" Y ",\"seed\":-1}", ERR_VALUE, "$.seed", "an integer from 0"},
    {"{" Y ",\"version\":2}", ERR_VALUE, "$.version", "from 1 to 1"},
};

static void bad_configs_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(bad_configs); i++) {
        struct errbuf err = {0};
        struct command_config c;
        expect_refusal(&bad_configs[i], parse_config(bad_configs[i].text, &c, &err), &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_task_is_written_as_it_was_read),
        cmocka_unit_test(what_is_not_said_has_a_default),
        cmocka_unit_test(refusals_name_key_and_value),
        cmocka_unit_test(lengths_have_limits),
        cmocka_unit_test(macros_become_arguments),
        cmocka_unit_test(texts_stand_for_other_values),
        cmocka_unit_test(a_task_becomes_a_config),
        cmocka_unit_test(what_is_too_long_for_a_program_is_refused),
        cmocka_unit_test(macros_have_a_limit),
        cmocka_unit_test(a_config_survives_a_round_trip),
        cmocka_unit_test(by_hand_little_is_needed),
        cmocka_unit_test(bad_configs_are_refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
