/* docs/spec.md, the schema and the examples agree with the tables in the code. The source tree
 * is found through SWEEPD_SOURCE_ROOT. */
#include "expect.h"

#include <stdio.h>

#include "settings_table.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define FILE_MAX (1024 * 1024)

/* A file of the source tree; the caller finishes it. */
static struct buf read_source(const char *name)
{
    const char *root = getenv("SWEEPD_SOURCE_ROOT");
    struct buf text = {0};
    struct errbuf err = {0};

    if (!root)
        fail_msg("%s", "SWEEPD_SOURCE_ROOT is not set");
    char *path = xasprintf("%s/%s", root, name);
    if (buf_read_file(&text, path, FILE_MAX, &err))
        fail_msg("%s", err.message);
    free(path);
    return text;
}

/* --- docs/spec.md ------------------------------------------------------------------------- */

static void expect_table(const char *first, const char *last, void (*table)(struct buf *out))
{
    struct buf doc = read_source("docs/spec.md"), want = {0};
    char *begin = strstr(doc.data, first), *end = strstr(doc.data, last);

    assert_non_null(begin);
    assert_non_null(end);
    *end = '\0';
    begin = strchr(begin, '\n') + 1;
    table(&want);
    assert_string_equal(begin, want.data); /* else: run print_settings */
    buf_finish(&want);
    buf_finish(&doc);
}

static void doc_has_the_settings_table(void **state)
{
    expect_table("<!-- settings:", "<!-- /settings -->", settings_table);
}

static void doc_has_the_layer_tables(void **state)
{
    expect_table("<!-- layers:", "<!-- /layers -->", layers_table);
}

static void assert_mentions(const struct buf *doc, const char *name)
{
    char quoted[64];

    snprintf(quoted, sizeof(quoted), "`%s`", name);
    if (!strstr(doc->data, quoted))
        fail_msg("docs/spec.md does not say %s", quoted);
}

static void assert_does_not_mention(const struct buf *doc, const char *name)
{
    if (strstr(doc->data, name))
        fail_msg("docs/spec.md says %s", name);
}

static const char *task_name(int i)
{
    return task_of(&(struct spec){.task = (enum task_id)i})->name;
}

static void doc_names_every_word(void **state)
{
    struct buf doc = read_source("docs/spec.md");

    for (int i = 0; i < METHOD_COUNT; i++)
        if (method_traits((enum method)i) & METHOD_INNER)
            assert_does_not_mention(&doc, method_name((enum method)i));
        else
            assert_mentions(&doc, method_name((enum method)i));
    assert_mentions(&doc, SPEC_METHOD_AUTO);
    for (int i = 0; i < ROLE_COUNT; i++)
        assert_mentions(&doc, role_name((enum role)i));
    for (int i = 0; i < STOP_RULE_COUNT; i++)
        assert_mentions(&doc, stop_name((enum stop_rule_id)i));
    for (int i = 0; i < TASK_ID_COUNT; i++)
        assert_mentions(&doc, task_name(i));
    for (int i = 0; i < DISTRIBUTION_COUNT; i++)
        assert_mentions(&doc, distribution_name((enum distribution)i));
    for (int i = 0; i < METRIC_COUNT; i++)
        assert_mentions(&doc, metric_name((enum metric)i));
    for (int i = 0; i < FORMAT_COUNT; i++)
        assert_mentions(&doc, format_name((enum format)i));
#define X(member, key, text) assert_mentions(&doc, key);
    DATA_FILE_MAP(X)
#undef X
    buf_finish(&doc);
}

/* --- schema/spec.schema.json -------------------------------------------------------------- */

static const struct json *schema_get(const struct json *v, const char *const *path, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        v = json_get(v, path[i]);
        if (!v)
            fail_msg("the schema lacks %s", path[i]);
    }
    return v;
}

#define GET(v, ...)                                                                                \
    schema_get(v, (const char *const[]){__VA_ARGS__},                                              \
               ARRAY_LEN(((const char *const[]){__VA_ARGS__})))

static void assert_enum(const struct json *list, const char *(*name)(int), size_t count)
{
    const struct json *v = json_first(list);

    assert_int_equal(json_count(list), count);
    for (int i = 0; v; v = json_next(v), i++)
        assert_string_equal(json_string(v), name(i));
}

/* The i-th of those that can be submitted. */
static const char *method_at(int i)
{
    for (int m = 0; m < METHOD_COUNT; m++)
        if (!(method_traits((enum method)m) & METHOD_INNER) && i-- == 0)
            return method_name((enum method)m);
    return SPEC_METHOD_AUTO;
}

static size_t methods_to_submit(void)
{
    size_t count = 0;

    for (int m = 0; m < METHOD_COUNT; m++)
        count += !(method_traits((enum method)m) & METHOD_INNER);
    return count + 1; /* auto */
}

static const char *rule_at(int i)
{
    return stop_name((enum stop_rule_id)i);
}

static const char *role_at(int i)
{
    return role_name((enum role)i);
}

static const char *distribution_at(int i)
{
    return distribution_name((enum distribution)i);
}

static const char *metric_at(int i)
{
    return metric_name((enum metric)i);
}

static const char *format_at(int i)
{
    return format_name((enum format)i);
}

static const char *layer_at(int i)
{
    return layer_kind_name((enum layer_kind)i);
}

static void schema_has_the_same_words(void **state)
{
    struct buf text = read_source("schema/spec.schema.json");
    struct json *schema = parse_json(text.data);

    assert_enum(GET(schema, "properties", "method", "enum"), method_at, methods_to_submit());
    assert_enum(GET(schema, "$defs", "metric_name", "enum"), metric_at,
                METRIC_COUNT);
    assert_enum(GET(schema, "$defs", "role", "enum"), role_at, ROLE_COUNT);
    assert_enum(GET(schema, "properties", "early_terminate", "properties", "type", "enum"), rule_at,
                STOP_RULE_COUNT);
    (void)GET(schema, "$defs", "listed", "properties", "role");
    (void)GET(schema, "$defs", "ranged", "properties", "role");
    for (int i = 0; i < TASK_ID_COUNT; i++)
        (void)GET(schema, "properties", "task", "properties", task_name(i));
    assert_enum(GET(schema, "$defs", "distribution", "enum"), distribution_at, DISTRIBUTION_COUNT);
    assert_enum(GET(schema, "properties", "data", "properties", "format", "enum"), format_at,
                FORMAT_COUNT);
    assert_enum(GET(schema, "$defs", "layer", "properties", "type", "enum"), layer_at,
                LAYER_KIND_COUNT);
#define X(id, name, type, min, max, def, choices, doc)                                             \
    (void)GET(schema, "$defs", "layer", "properties", name);
    LAYER_OPTION_MAP(X)
#undef X
#define X(member, key, text) (void)GET(schema, "properties", "data", "properties", key);
    DATA_FILE_MAP(X)
#undef X
    assert_true(json_number(GET(schema, "properties", "epochs", "maximum")) == SPEC_MAX_EPOCHS);
    assert_true(json_number(GET(schema, "properties", "run_cap", "maximum")) == SPEC_MAX_RUNS);
    json_destroy(schema);
    buf_finish(&text);
}

static void assert_choices(enum setting_id id, const struct json *v)
{
    const struct json *choice = json_first(json_get(v, "enum"));
    char name[32];

    assert_int_equal(json_count(json_get(v, "enum")), (size_t)setting_get(id)->max + 1);
    for (int i = 0; choice; choice = json_next(choice), i++)
        assert_string_equal(json_string(choice), setting_choice_name(id, i, name));
}

static void assert_setting(enum setting_id id, const struct json *v)
{
    const struct setting *t = setting_get(id);
    double fallback;

    assert_string_equal(json_string(json_get(v, "description")), t->doc);
    assert_int_equal(setting_from_json(id, json_get(v, "default"), "$", &fallback, NULL), 0);
    assert_true(fallback == t->fallback);
    if (t->type == SETTING_CHOICE) {
        assert_choices(id, v);
    } else if (t->type != SETTING_SWITCH) {
        bool above = t->bound == SETTING_ABOVE;
        assert_string_equal(json_string(json_get(v, "type")),
                            t->type == SETTING_INTEGER ? "integer" : "number");
        assert_true(json_number(GET(v, above ? "exclusiveMinimum" : "minimum")) == t->min);
        assert_true(json_number(GET(v, "maximum")) == t->max);
    }
}

/* name, path, format, target, features, task, the other files, and how a table is written */
#define X(member, key, doc) +1
#define Y(key, formats) +1
#define DATA_KEYS (6 DATA_FILE_MAP(X) DATA_TABLE_MAP(Y))

static void schema_has_every_setting(void **state)
{
    struct buf text = read_source("schema/spec.schema.json");
    struct json *schema = parse_json(text.data);
    const struct json *swept = GET(schema, "$defs", "trainer_parameters", "properties");
    size_t names = 0;

    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *t = setting_get((enum setting_id)i);
        char section[16];
        snprintf(section, sizeof(section), "%.*s", (int)strcspn(t->path, "."), t->path);
        assert_setting((enum setting_id)i,
                       GET(schema, "properties", section, "properties", strchr(t->path, '.') + 1));
        GET(swept, t->path);
        assert_true((t->part == SETTING_OF_MODEL) == (strcmp(section, "model") == 0));
        assert_true((t->part == SETTING_OF_TRAIN) == (strcmp(section, "train") == 0));
        names += 1 + (t->name != NULL);
        if (t->name)
            GET(swept, t->name);
    }
    assert_int_equal(json_count(swept), names);
    /* Beside the settings: layers; and the source of the data. */
    assert_int_equal(json_count(GET(schema, "properties", "data", "properties")) +
                         json_count(GET(schema, "properties", "model", "properties")) +
                         json_count(GET(schema, "properties", "train", "properties")),
                     SETTING_COUNT + 1 + DATA_KEYS);
    json_destroy(schema);
    buf_finish(&text);
}
#undef X
#undef Y

/* --- examples ----------------------------------------------------------------------------- */

static void parse_example(const char *name, struct spec *s)
{
    struct buf text = read_source(name);
    struct errbuf err = {0};

    if (spec_parse_text(text.data, text.len, s, &err))
        fail_msg("%s: %s", name, err.message);
    buf_finish(&text);
}

static void examples_are_accepted(void **state)
{
    struct spec s;

    parse_example("docs/examples/fashion.json", &s);
    assert_int_equal(s.method, METHOD_COARSE_TO_FINE);
    assert_int_equal(s.space.count, 4);
    assert_true(s.run_cap == 40 && s.epochs == 10 && s.seed == 110);
    assert_true(s.trainer.fixed.v[SETTING_VALIDATION] == 10000 && s.trainer.fixed.v[SETTING_LIMIT] == 0);
    spec_finish(&s);

    parse_example("docs/examples/quick.json", &s);
    assert_int_equal(s.method, METHOD_GRID);
    assert_true(s.run_cap == 4 && s.epochs == 3);
    assert_true(s.trainer.fixed.v[SETTING_LIMIT] == 2000 && s.trainer.fixed.v[SETTING_VALIDATION] == 500);
    spec_finish(&s);

    parse_example("docs/examples/conv.json", &s);
    assert_true(s.trainer.layers.count == 7 && s.trainer.layers.entries[6].repeat_is_depth);
    spec_finish(&s);

    parse_example("docs/examples/lstm.json", &s);
    assert_true(s.trainer.fixed.v[SETTING_MODEL_TYPE] == MODEL_LSTM && s.trainer.data.format == FORMAT_NPZ);
    spec_finish(&s);

    parse_example("docs/examples/table.json", &s);
    assert_string_equal(s.trainer.data.target, "price");
    assert_int_equal(s.metric, METRIC_VAL_R2);
    spec_finish(&s);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(doc_has_the_settings_table), cmocka_unit_test(doc_has_the_layer_tables),
        cmocka_unit_test(doc_names_every_word),
        cmocka_unit_test(schema_has_the_same_words),  cmocka_unit_test(schema_has_every_setting),
        cmocka_unit_test(examples_are_accepted),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
