/* schema/spec.schema.json takes the names of parameters that the daemon takes: a pattern for each
 * setting, of its names and the words of the field that can mean nothing else, whatever their case
 * and joints, behind whatever a program calls its parts. What is missing is printed as it must be. */
#include "expect.h"

#include <ctype.h>
#include <regex.h>
#include <stdio.h>

#include "common/base/synonym.h"
#include "sweep/require.h"
#include "sweep/spec.h"
#include "sweep/trainer.h"

#define FILE_MAX (1024 * 1024)
#define JOINTS "[-_./ :]*"
#define WHERE "#/$defs/trainer_parameters/properties/"

static struct buf pattern; /* of the setting in hand */

static struct json *read_schema(void)
{
    const char *root = getenv("SWEEPD_SOURCE_ROOT");
    struct buf text = {0};
    struct errbuf err = {0};

    if (!root)
        fail_msg("%s", "SWEEPD_SOURCE_ROOT is not set");
    char *path = xasprintf("%s/schema/spec.schema.json", root);
    if (buf_read_file(&text, path, FILE_MAX, &err))
        fail_msg("%s", err.message);
    struct json *schema = json_parse(text.data, text.len, &err);
    if (!schema)
        fail_msg("%s", err.message);
    buf_finish(&text);
    free(path);
    return schema;
}

/* Letters of either case, with anything that joins words between. */
static void add_word(const char *word, size_t len)
{
    bool first = true;

    buf_puts(&pattern, pattern.len > 0 && pattern.data[pattern.len - 1] != '(' ? "|" : "");
    for (size_t i = 0; i < len; i++) {
        if (!isalnum((unsigned char)word[i]))
            continue;
        buf_puts(&pattern, first ? "" : JOINTS);
        first = false;
        if (isalpha((unsigned char)word[i]))
            buf_printf(&pattern, "[%c%c]", tolower(word[i]), toupper(word[i]));
        else
            buf_putc(&pattern, word[i]);
    }
}

static void add_if_it_means(enum setting_id id, const char *word, size_t len)
{
    char *own = xasprintf("%.*s", (int)len, word);

    if (trainer_setting_alias(own) == (int)id)
        add_word(word, len);
    free(own);
}

static void add_words(enum setting_id id, const char *words)
{
    for (const char *at = words; at; at = strchr(at, '|') ? strchr(at, '|') + 1 : NULL)
        add_if_it_means(id, at, strcspn(at, "|"));
}

static const char *pattern_of(enum setting_id id)
{
    const struct setting *t = setting_get(id);
    const char *last = strchr(t->path, '.') + 1, *words, *targets;

    buf_finish(&pattern);
    buf_puts(&pattern, id == SETTING_MODEL_TYPE ? "^(" : "^(.*[.])?(");
    add_word(t->path, strlen(t->path));
    add_if_it_means(id, last, strlen(last));
    if (t->name && strcmp(t->name, last) != 0)
        add_word(t->name, strlen(t->name));
    for (size_t i = 0; synonym_row(i, &words, &targets); i++)
        add_words(id, words);
    buf_puts(&pattern, ")$");
    return pattern.data;
}

static char *target_of(enum setting_id id)
{
    const struct setting *t = setting_get(id);

    return xasprintf(WHERE "%s", t->name ? t->name : t->path);
}

static void schema_has_a_pattern_for_each_setting(void **state)
{
    struct json *schema = read_schema();
    const struct json *have = json_get(json_get(json_get(schema, "$defs"), "other_names"),
                                       "patternProperties");
    size_t missing = 0;

    for (int i = 0; i < SETTING_COUNT; i++) {
        char *target = target_of((enum setting_id)i);
        const char *wanted = pattern_of((enum setting_id)i);
        const struct json *v = have ? json_get(have, wanted) : NULL;
        const struct json *ref = v ? json_get(v, "$ref") : NULL;
        if (!ref || strcmp(json_string(ref), target) != 0) {
            missing++;
            printf("#         \"%s\": {\"$ref\": \"%s\"},\n", wanted, target);
        }
        free(target);
    }
    if (missing > 0)
        fail_msg("patternProperties lacks the lines above: %zu", missing);
    assert_int_equal(json_count(have), SETTING_COUNT);
    json_destroy(schema);
}

static regex_t patterns[SETTING_COUNT];

static int compile_patterns(void **state)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        assert_int_equal(
            regcomp(&patterns[i], pattern_of((enum setting_id)i), REG_EXTENDED | REG_NOSUB), 0);
    return 0;
}

static int forget_patterns(void **state)
{
    for (int i = 0; i < SETTING_COUNT; i++)
        regfree(&patterns[i]);
    return 0;
}

/* How many patterns take the name; setting: of the last of them. */
static int taken_by(const char *name, int *setting)
{
    int count = 0;

    for (int i = 0; i < SETTING_COUNT; i++) {
        if (regexec(&patterns[i], name, 0, NULL, 0) == 0) {
            *setting = i;
            count++;
        }
    }
    return count;
}

static void patterns_take_what_the_daemon_takes(void **state)
{
    static const char *const names[] = {
        "lr", "LR", "learningRate", "Learning-Rate", "optimizer.lr", "a.b.momentum", "weight_decay",
        "wd", "num_layers", "nLayers", "hidden-size", "optim", "optimizer.type", "beta_1", "bs",
        "train.beta2", "dropoutRate", "Model.Type", "type", "normalization", "validation",
    };

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int setting = -1, count = taken_by(names[i], &setting);
        if (count != 1 || setting != trainer_setting_alias(names[i]))
            fail_msg("%s: %d patterns, setting %d, the daemon takes it for %d", names[i], count,
                     setting, trainer_setting_alias(names[i]));
    }
}

static void patterns_take_nothing_else(void **state)
{
    static const char *const names[] = {"depht", "layer.type", "hidden", "foo", "lrx", "scheduler"};

    for (size_t i = 0; i < ARRAY_LEN(names); i++) {
        int setting, count = taken_by(names[i], &setting);
        if (count != 0 || trainer_setting_alias(names[i]) >= 0)
            fail_msg("%s: %d patterns, the daemon takes it for %d", names[i], count,
                     trainer_setting_alias(names[i]));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(schema_has_a_pattern_for_each_setting),
        cmocka_unit_test(patterns_take_what_the_daemon_takes),
        cmocka_unit_test(patterns_take_nothing_else),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, compile_patterns, forget_patterns);
}
