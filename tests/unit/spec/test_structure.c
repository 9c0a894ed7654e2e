/* Conditions and constraints: what is read, what is refused, which configurations there are. */
#include "expect.h"

#include <math.h>

#include "spec_text.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "sweep/spec.h"

#define OPTIMIZER "\"optimizer\":{\"values\":[\"sgd\",\"momentum\",\"adam\"]}"
#define LAYERS "\"depth\":{\"min\":1,\"max\":4}"
#define WIDTH "\"width\":{\"values\":[64,128,256]}"

static char *spec_with(const char *parameters, const char *more)
{
    return xasprintf("{" DATA "," CAP ",\"method\":\"random\",\"parameters\":{%s}%s}", parameters,
                     more);
}

static void must_parse(const char *parameters, const char *more, struct spec *s)
{
    char *text = spec_with(parameters, more);
    struct errbuf err = {0};

    if (spec_parse_text(text, strlen(text), s, &err))
        fail_msg("%s: %s", err.message, text);
    free(text);
}

static char *canonical(const struct spec *s)
{
    struct buf out = {0};
    struct json_writer w;

    jw_init(&w, &out);
    spec_write(s, &w);
    return buf_take(&out);
}

static char *params_of(const struct spec *s, const struct assignment *a)
{
    struct buf out = {0};
    struct json_writer w;

    jw_init(&w, &out);
    space_params_write(&s->space, a, &w);
    return buf_take(&out);
}

/* Each configuration once, all of them complete and allowed, as their number says. */
static void must_be_counted(const struct spec *s, uint64_t want)
{
    uint64_t size = space_size(&s->space, 0), place = 0;
    struct buf all = {0};
    struct assignment a = {{0}}, by_number = {{0}};

    assert_int_equal(size, want);
    assert_int_equal(space_count(&s->space, 0, &a, 1000000), want);
    assert_int_equal(space_count(&s->space, 0, &a, 2), want < 2 ? want : 2);
    for (uint64_t i = 0; i < size; i++, place++) {
        place = space_next(&s->space, 0, place, &a, NULL);
        assert_true(place != UINT64_MAX && space_allows(&s->space, &a));
        struct assignment complete = a;
        space_complete(&s->space, &complete);
        assert_true(space_same(&s->space, &a, &complete));
        space_nth(&s->space, 0, i, &by_number);
        assert_true(space_same(&s->space, &a, &by_number));
        char *text = params_of(s, &a);
        buf_puts(&all, "\n");
        size_t before = all.len;
        buf_puts(&all, text);
        buf_puts(&all, "\n");
        assert_ptr_equal(strstr(all.data, all.data + before - 1), all.data + before - 1);
        free(text);
    }
    assert_true(space_next(&s->space, 0, place, &a, NULL) == UINT64_MAX);
    buf_finish(&all);
}

static void configurations_are_counted(void **state)
{
    static const struct {
        const char *parameters, *more;
        uint64_t count;
    } cases[] = {
        {OPTIMIZER "," LAYERS, "", 12},
        {OPTIMIZER ",\"train.momentum\":{\"values\":[0.5,0.9],\"condition\":{\"optimizer\":"
                   "\"momentum\"}}",
         "", 4},
        {OPTIMIZER ",\"train.momentum\":{\"values\":[0.5,0.9],\"condition\":{\"optimizer\":"
                   "[\"momentum\",\"nesterov\"]}}",
         "", 4}, /* none has nesterov */
        /* a condition on a parameter that comes later */
        {"\"train.momentum\":{\"values\":[0.5,0.9],\"condition\":{\"optimizer\":[\"momentum\","
         "\"sgd\"]}}," OPTIMIZER "," LAYERS,
         "", 20},
        /* a chain: beta1 rests on depth, which rests on optimizer */
        {"\"train.beta1\":{\"values\":[0.8,0.9],\"condition\":{\"depth\":{\"min\":3}}},"
         "\"depth\":{\"min\":1,\"max\":4,\"condition\":{\"optimizer\":\"adam\"}}," OPTIMIZER,
         "", 8},
        {LAYERS ",\"dropout\":{\"values\":[0.1,0.2],\"condition\":{\"depth\":{\"min\":2,"
               "\"max\":3}}}",
         "", 6},
        {"\"residual\":{\"values\":[true,false]},\"width\":{\"values\":[8,16],\"condition\":"
         "{\"residual\":true}}",
         "", 3},
        {LAYERS "," WIDTH, ",\"constraints\":[\"depth * width <= 256\"]", 7},
        {LAYERS "," WIDTH, ",\"constraints\":[\"depth * width <= 256\",\"depth != 2\"]", 5},
        {LAYERS "," WIDTH, ",\"constraints\":[\"depth == 2 and width == 128\"]", 1},
        /* with an absent value it holds */
        {OPTIMIZER ",\"width\":{\"values\":[64,128],\"condition\":{\"optimizer\":\"adam\"}}",
         ",\"constraints\":[\"width > 64\"]", 3},
        {OPTIMIZER "," LAYERS, ",\"constraints\":[\"optimizer != 'adam' or depth >= 3\"]", 10},
        {OPTIMIZER "," LAYERS, ",\"constraints\":[\"not (optimizer == \\\"sgd\\\") && depth<2\"]",
         2},
        /* of what is fixed: the default width is 128, shuffle is on */
        {LAYERS, ",\"constraints\":[\"depth * width <= 256 and train.shuffle\"]", 2},
        {LAYERS ",\"train.momentum\":{\"values\":[0.5,0.9],\"condition\":{\"optimizer\":\"adam\"}}",
         "", 8},
        /* their own name, a short one, and a program's order of things */
        {"\"lr\":{\"values\":[0.1,0.01,0.001]}," LAYERS,
         ",\"constraints\":[\"train.learning_rate * depth < 0.02\"]", 5},
        {LAYERS "," WIDTH, ",\"constraints\":[\"max(depth, 2, 3) <= 3 and min(1, depth) == 1\"]", 9},
        {LAYERS "," WIDTH, ",\"constraints\":[\"2 ** depth * 16 == width\"]", 3},
        {LAYERS "," WIDTH, ",\"constraints\":[\"log2(width) - 4 >= pow(depth, 1) + 0 * -1\"]", 9},
        {LAYERS, ",\"constraints\":[\"1 / (depth - 2) < 100\"]", 3}, /* 1/0 is not below */
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spec s, again;
        must_parse(cases[i].parameters, cases[i].more, &s);
        must_be_counted(&s, cases[i].count);
        char *text = canonical(&s);
        assert_int_equal(spec_parse_text(text, strlen(text), &again, NULL), 0);
        char *same = canonical(&again);
        assert_string_equal(text, same);
        free(text);
        free(same);
        spec_finish(&again);
        spec_finish(&s);
    }
}

#define CONSTRAIN(c) LAYERS "," OPTIMIZER "},\"constraints\":[" c "],\"limits\":{"
#define IN_CONSTRAINT(c, code, allowed) {CONSTRAIN("\"" c "\""), code, "$.constraints[0]", allowed}

static void what_cannot_be_is_refused(void **state)
{
    static const struct refusal cases[] = {
        {LAYERS ",\"width\":{\"min\":1,\"max\":9,\"condition\":{\"depht\":2}}", ERR_KEY,
         "$.parameters.width.condition.depht", "did you mean depth?"},
        {LAYERS ",\"width\":{\"min\":1,\"max\":9,\"condition\":{\"depth\":9}}", ERR_VALUE,
         "$.parameters.width.condition.depth", "can have"},
        {LAYERS ",\"width\":{\"min\":1,\"max\":9,\"condition\":{\"depth\":[9,8]}}", ERR_VALUE,
         "$.parameters.width.condition.depth", "can have"},
        {LAYERS ",\"width\":{\"min\":1,\"max\":9,\"condition\":{\"depth\":[]}}", ERR_VALUE,
         "$.parameters.width.condition.depth", "values"},
        {LAYERS ",\"width\":{\"min\":1,\"max\":9,\"condition\":{\"depth\":\"a\"}}", ERR_TYPE,
         "$.parameters.width.condition.depth", ""},
        {LAYERS ",\"width\":{\"min\":1,\"max\":9,\"condition\":{\"depth\":{\"min\":5}}}", ERR_VALUE,
         "$.parameters.width.condition", "no value of depth"},
        {LAYERS ",\"width\":{\"min\":1,\"max\":9,\"condition\":{\"depth\":{}}}", ERR_VALUE,
         "$.parameters.width.condition.depth", "\"min\""},
        {OPTIMIZER ",\"width\":{\"min\":1,\"max\":9,\"condition\":{\"optimizer\":{\"min\":1}}}",
         ERR_VALUE, "$.parameters.width.condition.optimizer", "a list"},
        {LAYERS ",\"width\":{\"min\":1,\"max\":9,\"condition\":\"depth\"}", ERR_TYPE,
         "$.parameters.width.condition", "an object"},
        {LAYERS ",\"width\":{\"min\":1,\"max\":9,\"condition\":{}}", ERR_TYPE,
         "$.parameters.width.condition", "an object"},
        {"\"width\":{\"min\":1,\"max\":9,\"condition\":{\"width\":2}}", ERR_VALUE,
         "$.parameters.width.condition.width", "another parameter"},
        {"\"depth\":{\"min\":1,\"max\":4,\"condition\":{\"width\":2}},"
         "\"width\":{\"min\":1,\"max\":9,\"condition\":{\"depth\":2}}",
         ERR_VALUE, "$.parameters.depth.condition", "in turn"},
        /* never: width needs sgd, and depth, which it needs, adam */
        {OPTIMIZER ",\"depth\":{\"min\":1,\"max\":4,\"condition\":{\"optimizer\":\"adam\"}},"
                   "\"width\":{\"min\":1,\"max\":9,\"condition\":{\"optimizer\":\"sgd\","
                   "\"depth\":1}}",
         ERR_VALUE, "$.parameters.width.condition", "no value of optimizer"},
        {LAYERS ",\"width\":{\"min\":1,\"max\":9,\"condition\":{\"optimizer\":\"sgd\"}}", ERR_VALUE,
         "$.parameters.width.condition.optimizer", "not swept"},
        {LAYERS ",\"width\":{\"value\":1,\"condition\":{\"depth\":1}}", ERR_KEY,
         "$.parameters.width.condition", "only of what is swept"},
        {LAYERS "},\"constraints\":\"depth < 2\",\"limits\":{", ERR_TYPE, "$.constraints", "a list"},
        {LAYERS "},\"constraints\":[1],\"limits\":{", ERR_TYPE, "$.constraints[0]", "a text"},
        IN_CONSTRAINT("", ERR_VALUE, "a number"),
        IN_CONSTRAINT("depth <", ERR_VALUE, "a number"),
        IN_CONSTRAINT("depth < )", ERR_VALUE, "a number"),
        IN_CONSTRAINT("(depth < 3", ERR_VALUE, "\")\""),
        IN_CONSTRAINT("depth < 3)", ERR_VALUE, "an operator"),
        IN_CONSTRAINT("depth", ERR_TYPE, "true or false"),
        IN_CONSTRAINT("3", ERR_TYPE, "true or false"),
        IN_CONSTRAINT("depth = 3", ERR_VALUE, "\"==\""),
        IN_CONSTRAINT("depth % 3 == 0", ERR_VALUE, "numbers"),
        IN_CONSTRAINT("1 < depth < 3", ERR_VALUE, "\"and\""),
        IN_CONSTRAINT("widht < 3", ERR_KEY, "the name of a parameter"),
        IN_CONSTRAINT("sqrt < 3", ERR_KEY, "the name of a parameter"),
        IN_CONSTRAINT("sqrt(depth, 3) < 3", ERR_VALUE, "1 to 1 arguments"),
        IN_CONSTRAINT("min(depth) < 3", ERR_VALUE, "2 to 16 arguments"),
        IN_CONSTRAINT("optimizer < 3", ERR_TYPE, "a number here"),
        IN_CONSTRAINT("optimizer == 3", ERR_TYPE, "of one kind"),
        IN_CONSTRAINT("optimizer == 'sdg'", ERR_VALUE, "a value of optimizer"),
        IN_CONSTRAINT("optimizer + 1 < 3", ERR_TYPE, "a number here"),
        IN_CONSTRAINT("(depth < 3) + 1 < 3", ERR_TYPE, "a number here"),
        IN_CONSTRAINT("depth and depth < 3", ERR_TYPE, "true or false"),
        IN_CONSTRAINT("not depth", ERR_TYPE, "true or false"),
        IN_CONSTRAINT("depth < 'x", ERR_VALUE, "marks"),
        IN_CONSTRAINT("depth < 3 ; 1", ERR_VALUE, "numbers"),
        /* contradictions */
        IN_CONSTRAINT("depth > 4", ERR_VALUE, "none of the 12 combinations"),
        IN_CONSTRAINT("1 > 2", ERR_VALUE, "none of the 12 combinations"),
        {"\"lr\":{\"min\":0.1,\"max\":0.5}},\"constraints\":[\"lr < 1\",\"lr > 0.5\"],\"limits\":{",
         ERR_VALUE, "$.constraints[1]", "drawn"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = spec_with(cases[i].text, "");
        struct errbuf err = {0};
        struct spec s;
        expect_refusal(&cases[i], spec_parse_text(text, strlen(text), &s, &err), &err);
        free(text);
    }
}

static void the_column_is_said(void **state)
{
    char *text = spec_with(CONSTRAIN("\"depth <= 3 and 2 * widht < 3\""), "");
    struct errbuf err = {0};
    struct spec s;

    assert_int_equal(spec_parse_text(text, strlen(text), &s, &err), ERR_KEY);
    assert_non_null(strstr(err.value, "column 20"));
    free(text);
}

/* Nesting, steps and length are bounded, and none of it overflows. */
static void long_constraints_are_refused(void **state)
{
    static const struct {
        const char *unit, *end;
        int times, code;
    } cases[] = {
        {"(", "1", 30, ERR_VALUE},   {"(", "1", 400, ERR_LIMIT},    {"-", "1 < 2", 30, 0},
        {"-", "1 < 2", 60, ERR_LIMIT}, {"not ", "1 < 2", 60, ERR_LIMIT}, {"2**", "1 < 2", 60, ERR_LIMIT},
        {"abs(", "1", 60, ERR_LIMIT}, {"1+", "1 < 2", 100, ERR_VALUE}, {"1+", "1 < 2", 240, ERR_LIMIT},
        {"1 ", "", 300, ERR_LIMIT},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct buf b = {0};
        struct errbuf err = {0};
        struct spec s;
        for (int k = 0; k < cases[i].times; k++)
            buf_puts(&b, cases[i].unit);
        buf_puts(&b, cases[i].end);
        char *more = xasprintf(",\"constraints\":[\"%s\"]", b.data);
        char *text = spec_with(LAYERS, more);
        int rc = spec_parse_text(text, strlen(text), &s, &err);
        if (rc != cases[i].code)
            fail_msg("%d × %s: %d (%s)", cases[i].times, cases[i].unit, rc, err.message);
        if (!rc)
            spec_finish(&s);
        free(text);
        free(more);
        buf_finish(&b);
    }
}

/* --- configurations -------------------------------------------------------------------------- */

#define CONDITIONAL                                                                                \
    OPTIMIZER ",\"train.momentum\":{\"values\":[0.5,0.9],\"condition\":{\"optimizer\":"            \
              "\"momentum\"}}," LAYERS

static void given_values_are_checked(void **state)
{
    static const struct {
        const char *params;
        int code;
        const char *key;
    } cases[] = {
        {"{\"optimizer\":\"momentum\",\"train.momentum\":0.5,\"depth\":2}", 0, ""},
        {"{\"optimizer\":\"adam\",\"depth\":2}", 0, ""},
        {"{\"optimizer\":\"adam\",\"train.momentum\":0.5,\"depth\":2}", ERR_VALUE,
         "$[\"train.momentum\"]"},
        {"{\"optimizer\":\"momentum\",\"depth\":2}", ERR_MISSING, "$[\"train.momentum\"]"},
        {"{\"depth\":2}", ERR_MISSING, "$.optimizer"},
        {"{\"optimizer\":\"adam\",\"depth\":4}", ERR_VALUE, "$"},
    };
    struct spec s;

    must_parse(CONDITIONAL, ",\"constraints\":[\"depth < 4\"]", &s);
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct json *v = parse_json(cases[i].params);
        struct assignment a = {{0}};
        struct errbuf err = {0};
        int rc = space_check(&s.space, v, &a, &err);
        if (rc != cases[i].code || strcmp(err.key, cases[i].key) != 0)
            fail_msg("%s: %d at %s", cases[i].params, rc, err.key);
        if (!rc) {
            char *text = params_of(&s, &a);
            assert_string_equal(text, cases[i].params);
            free(text);
        }
        json_destroy(v);
    }
    spec_finish(&s);
}

/* An absent setting is the trainer's default, and comes back as absent. */
static void absent_is_the_default(void **state)
{
    struct spec s;
    struct settings own;
    struct assignment a = {{0}}, back;
    int momentum;

    must_parse(CONDITIONAL, "", &s);
    momentum = space_find_key(&s.space, SETTING_MOMENTUM);
    for (size_t i = 0; i < s.space.count; i++)
        a.v[i] = dimension_value(&s.space.dimensions[i], 0);
    space_complete(&s.space, &a); /* sgd */
    assert_true(!space_has(&a, (size_t)momentum) &&
                !space_is_present(&s.space, &a, (size_t)momentum));
    trainer_settings(&s, &a, &own);
    assert_true(own.v[SETTING_MOMENTUM] == setting_get(SETTING_MOMENTUM)->fallback);
    trainer_assignment(&s, &own, &back);
    assert_true(space_same(&s.space, &a, &back));
    /* where its condition comes to hold it has its middle */
    a.v[0] = OPTIMIZER_MOMENTUM;
    space_complete(&s.space, &a);
    assert_true(a.v[momentum] == 0.5 && !space_same(&s.space, &a, &back));
    spec_finish(&s);
}

/* What is not allowed is brought near to what was meant; what is stays as it is. */
static void the_nearest_is_allowed(void **state)
{
    struct spec s;
    struct rng r;

    must_parse("\"lr\":{\"min\":0.001,\"max\":1,\"distribution\":\"log_uniform_values\"},"
               "\"dropout\":{\"min\":0.01,\"max\":0.9}," CONDITIONAL,
               ",\"constraints\":[\"lr <= dropout / 10\",\"depth <= 2 or optimizer == 'adam'\"]",
               &s);
    rng_init(&r, 1, RNG_TEST, 0);
    for (int i = 0; i < 2000; i++) {
        struct assignment a, near, again;
        double u[SPACE_MAX_DIMENSIONS];
        for (size_t k = 0; k < s.space.count; k++)
            u[k] = rng_uniform(&r);
        space_at(&s.space, u, &a);
        near = again = a;
        space_nearest(&s.space, &near);
        space_nearest(&s.space, &again);
        assert_true(space_allows(&s.space, &near) && space_same(&s.space, &near, &again));
        if (space_allows(&s.space, &a))
            assert_true(space_same(&s.space, &near, &a));
        for (size_t k = 0; k < s.space.count; k++)
            assert_true(!space_has(&near, k) || dimension_takes(&s.space.dimensions[k], near.v[k]));
        space_complete(&s.space, &again);
        assert_true(space_same(&s.space, &near, &again));
    }
    spec_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(configurations_are_counted),
        cmocka_unit_test(what_cannot_be_is_refused),
        cmocka_unit_test(the_column_is_said),
        cmocka_unit_test(long_constraints_are_refused),
        cmocka_unit_test(given_values_are_checked),
        cmocka_unit_test(absent_is_the_default),
        cmocka_unit_test(the_nearest_is_allowed),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
