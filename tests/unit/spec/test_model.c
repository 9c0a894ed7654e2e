/* Lists of layers: reading, refusing, writing, and what they and the short forms mean. */
#include "expect.h"

#include <math.h>
#include <stdio.h>

#include "sweep/model.h"
#include "sweep/require.h"

static int parse_list(const char *text, struct layer_list *out, struct errbuf *err)
{
    struct json *v = parse_json(text);
    int rc = layer_list_parse(v, "$.model.layers", out, err);

    json_destroy(v);
    return rc;
}

static void must_parse(const char *text, struct layer_list *out)
{
    struct errbuf err = {0};

    if (parse_list(text, out, &err))
        fail_msg("%s: %s", text, err.message);
}

static char *written(const struct layer_list *l)
{
    struct buf out = {0};
    struct json_writer w;

    jw_init(&w, &out);
    layer_list_write(l, &w);
    return buf_take(&out);
}

/* --- plans as text: "dense 64, relu, residual(dense 64, tanh), output" ---------------------- */

static void put_layer(const struct plan_layer *l, struct buf *out)
{
    char name[32];

    if (l->is_output) {
        buf_puts(out, "output");
        return;
    }
    if (l->kind == LAYER_ACTIVATION) {
        int function = (int)l->value[LAYER_OPTION_FUNCTION];
        buf_puts(out, setting_choice_name(SETTING_ACTIVATION, function, name));
        return;
    }
    buf_puts(out, layer_kind_name(l->kind));
    for (int o = 0; o < LAYER_OPTION_COUNT; o++)
        if (!isnan(l->value[o]))
            buf_printf(out, " %g", l->value[o]);
}

static void put_layers(const struct plan_layer *l, size_t count, struct buf *out)
{
    for (size_t i = 0; i < count; i += 1 + l[i].inside) {
        if (i)
            buf_puts(out, ", ");
        put_layer(&l[i], out);
        if (l[i].kind != LAYER_RESIDUAL)
            continue;
        buf_puts(out, "(");
        put_layers(&l[i + 1], l[i].inside, out);
        buf_puts(out, ")");
    }
}

static void expect_plan(const struct settings *s, const struct layer_list *list, const char *want)
{
    struct errbuf err = {0};
    struct buf out = {0};
    struct model_plan p;

    if (model_plan_init(&p, s, list, &err))
        fail_msg("%s: %s", want, err.message);
    put_layers(p.layers, p.count, &out);
    assert_string_equal(out.data, want);
    assert_int_equal(p.flatten_input, s->v[SETTING_MODEL_TYPE] == MODEL_MLP);
    assert_true(p.layers[p.count - 1].is_output && p.layers[p.count - 1].kind == LAYER_DENSE);
    model_plan_finish(&p);
    assert_null(p.layers);
    buf_finish(&out);
}

static struct settings small(enum model_type type, double depth)
{
    struct settings s;

    settings_init(&s);
    s.v[SETTING_MODEL_TYPE] = type;
    s.v[SETTING_DEPTH] = depth;
    s.v[SETTING_WIDTH] = 8;
    return s;
}

/* --- short forms -------------------------------------------------------------------------- */

static void mlp_is_dense_and_activation(void **state)
{
    struct settings s = small(MODEL_MLP, 2);

    expect_plan(&s, NULL, "dense 8, relu, dense 8, relu, output");
    s.v[SETTING_DEPTH] = 0;
    expect_plan(&s, NULL, "output");
    s.v[SETTING_DEPTH] = 3;
    s.v[SETTING_ACTIVATION] = ACTIVATION_TANH;
    s.v[SETTING_NORMALIZATION] = NORMALIZATION_BATCH;
    s.v[SETTING_DROPOUT] = 0.25;
    s.v[SETTING_RESIDUAL] = 1;
    expect_plan(&s, NULL,
                "dense 8, batch_norm, tanh, dropout 0.25, "
                "residual(dense 8, batch_norm, tanh, dropout 0.25), "
                "residual(dense 8, batch_norm, tanh, dropout 0.25), output");
}

/* The guide's two models: one dense layer after the LSTM, and one more (G1.1). */
static void recurrent_models(void **state)
{
    struct settings s = small(MODEL_LSTM, 1);

    expect_plan(&s, NULL, "dense 8, relu, lstm 8 0 0, dense 8, relu, output");
    s.v[SETTING_DENSE_AFTER] = 2;
    expect_plan(&s, NULL, "dense 8, relu, lstm 8 0 0, dense 8, relu, dense 8, relu, output");

    s = small(MODEL_GRU, 3);
    s.v[SETTING_DENSE_BEFORE] = s.v[SETTING_DENSE_AFTER] = 0;
    s.v[SETTING_BIDIRECTIONAL] = 1;
    s.v[SETTING_RESIDUAL] = 1;
    s.v[SETTING_DROPOUT] = 0.5;
    expect_plan(&s, NULL,
                "gru 8 1 1, dropout 0.5, residual(gru 8 1 1, dropout 0.5), gru 8 1 0, "
                "dropout 0.5, output");
    s.v[SETTING_MODEL_TYPE] = MODEL_RNN;
    s.v[SETTING_DEPTH] = 1;
    s.v[SETTING_DROPOUT] = 0;
    expect_plan(&s, NULL, "rnn 8 1 0, output");
}

static void a_recurrent_model_needs_a_recurrent_layer(void **state)
{
    for (int type = MODEL_RNN; type <= MODEL_LSTM; type++) {
        struct settings s = small((enum model_type)type, 0);
        struct errbuf err = {0};
        struct model_plan p = {.count = 42};

        assert_int_equal(model_plan_init(&p, &s, NULL, &err), ERR_VALUE);
        assert_string_equal(err.key, "$.model.depth");
        assert_int_equal(p.count, 42);
    }
}

/* The deepest of every type fits. */
static void the_deepest_models_fit(void **state)
{
    for (int type = MODEL_MLP; type <= MODEL_LSTM; type++) {
        struct settings s = small((enum model_type)type, 256);
        struct model_plan p;

        s.v[SETTING_DENSE_BEFORE] = s.v[SETTING_DENSE_AFTER] = 64;
        s.v[SETTING_NORMALIZATION] = NORMALIZATION_LAYER;
        s.v[SETTING_DROPOUT] = 0.1;
        s.v[SETTING_RESIDUAL] = 1;
        assert_int_equal(model_plan_init(&p, &s, NULL, NULL), 0);
        model_plan_finish(&p);
    }
}

/* --- sequential --------------------------------------------------------------------------- */

static void lists_are_expanded(void **state)
{
    struct settings s = small(MODEL_SEQUENTIAL, 2);
    struct layer_list l;

    must_parse("[{\"type\":\"conv2d\",\"channels\":4,\"activation\":\"elu\"},"
               "{\"type\":\"max_pool\"},{\"type\":\"flatten\"},"
               "{\"type\":\"dense\",\"units\":\"width\",\"activation\":\"activation\","
               "\"repeat\":\"depth\"},{\"type\":\"dropout\",\"rate\":\"dropout\"},"
               "{\"type\":\"activation\",\"function\":\"gelu\"}]",
               &l);
    s.v[SETTING_DROPOUT] = 0.3;
    expect_plan(&s, &l,
                "conv2d 4 3 1 0, elu, max_pool 2, flatten, dense 8, relu, dense 8, relu, "
                "dropout 0.3, gelu, output");
    s.v[SETTING_DEPTH] = 0;
    expect_plan(&s, &l, "conv2d 4 3 1 0, elu, max_pool 2, flatten, dropout 0.3, gelu, output");
}

static void residuals_are_repeated_whole(void **state)
{
    struct settings s = small(MODEL_SEQUENTIAL, 2);
    struct layer_list l;

    must_parse("[{\"type\":\"residual\",\"repeat\":\"depth\",\"layers\":["
               "{\"type\":\"dense\",\"units\":4,\"repeat\":2},"
               "{\"type\":\"residual\",\"layers\":[{\"type\":\"layer_norm\"}]}]},"
               "{\"type\":\"lstm\",\"units\":5,\"bidirectional\":true,\"return\":\"sequence\"}]",
               &l);
    assert_true(l.count == 5 && l.entries[0].inside == 3 && l.entries[2].inside == 1);
    expect_plan(&s, &l,
                "residual(dense 4, dense 4, residual(layer_norm)), "
                "residual(dense 4, dense 4, residual(layer_norm)), lstm 5 1 1, output");
    /* Around nothing there is no residual: it would double its input. */
    must_parse("[{\"type\":\"residual\",\"repeat\":4096,\"layers\":[{\"type\":\"residual\","
               "\"repeat\":4096,\"layers\":[{\"type\":\"gru\",\"repeat\":\"depth\"}]}]}]",
               &l);
    s.v[SETTING_DEPTH] = 0;
    expect_plan(&s, &l, "output");
}

static void plans_that_cannot_be(void **state)
{
    struct settings s = small(MODEL_SEQUENTIAL, 2);
    struct layer_list l = {0};
    struct model_plan p;
    struct errbuf err = {0};

    assert_int_equal(model_plan_init(&p, &s, &l, &err), ERR_VALUE);
    assert_string_equal(err.key, "$.model.layers");
    assert_int_equal(model_plan_init(&p, &s, NULL, &err), ERR_VALUE);

    must_parse("[{\"type\":\"dense\",\"units\":\"batch_size\"}]", &l);
    s.v[SETTING_BATCH_SIZE] = 65537;
    assert_int_equal(model_plan_init(&p, &s, &l, &err), ERR_VALUE);
    assert_string_equal(err.value, "batch_size = 65537");
    assert_non_null(strstr(err.allowed, "1 to 65536, as \"units\" of a dense layer"));

    must_parse("[{\"type\":\"dense\",\"repeat\":4096}]", &l);
    assert_int_equal(model_plan_init(&p, &s, &l, &err), ERR_VALUE);
    assert_non_null(strstr(err.allowed, "at most 4096 layers"));
    must_parse("[{\"type\":\"dense\",\"repeat\":4095}]", &l);
    assert_int_equal(model_plan_init(&p, &s, &l, &err), 0);
    assert_int_equal(p.count, 4096);
    model_plan_finish(&p);
}

/* --- the form ----------------------------------------------------------------------------- */

static void canonical_lists(void **state)
{
    static const struct {
        const char *given, *canonical;
    } cases[] = {
        {"[{\"type\":\"dense\"}]", "[{\"type\":\"dense\",\"units\":128}]"},
        {"[{\"units\":3,\"type\":\"rnn\",\"repeat\":1}]",
         "[{\"type\":\"rnn\",\"units\":3,\"bidirectional\":false,\"return\":\"last\"}]"},
        {"[{\"type\":\"gru\",\"bidirectional\":\"model.bidirectional\",\"units\":\"model.width\"}]",
         "[{\"type\":\"gru\",\"units\":\"width\",\"bidirectional\":\"model.bidirectional\","
         "\"return\":\"last\"}]"},
        {"[{\"type\":\"residual\",\"repeat\":2,\"layers\":[{\"type\":\"batch_norm\",\"activation\":"
         "\"relu\"},{\"type\":\"activation\",\"function\":\"activation\"}]},{\"type\":\"flatten\"}"
         "]",
         "[{\"type\":\"residual\",\"repeat\":2,\"layers\":[{\"type\":\"batch_norm\",\"activation\":"
         "\"relu\"},{\"type\":\"activation\",\"function\":\"activation\"}]},{\"type\":\"flatten\"}"
         "]"},
        {"[{\"type\":\"avg_pool\",\"size\":3,\"repeat\":\"depth\"}]",
         "[{\"type\":\"avg_pool\",\"size\":3,\"repeat\":\"depth\"}]"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct layer_list l, back;
        must_parse(cases[i].given, &l);
        char *text = written(&l);
        assert_string_equal(text, cases[i].canonical);
        must_parse(text, &back);
        char *again = written(&back);
        assert_string_equal(again, text);
        free(again);
        free(text);
    }
}

#define AT(key) "$.model.layers" key

static const struct refusal bad[] = {
    {"3", ERR_TYPE, AT(""), "a list of layers"},
    {"[]", ERR_VALUE, AT(""), "at least one layer"},
    {"[\"dense\"]", ERR_TYPE, AT("[0]"), "such as {\"type\": \"dense\""},
    {"[{\"units\":3}]", ERR_MISSING, AT("[0].type"), "the kind of layer"},
    {"[{\"type\":\"dence\"}]", ERR_VALUE, AT("[0].type"), "did you mean dense?"},
    {"[{\"type\":\"dense\",\"unit\":3}]", ERR_KEY, AT("[0].unit"), "did you mean units?"},
    {"[{\"type\":\"flatten\",\"units\":3}]", ERR_KEY, AT("[0].units"),
     "one of: type, repeat, activation"},
    {"[{\"type\":\"dense\"},{\"type\":\"dense\",\"units\":0}]", ERR_VALUE, AT("[1].units"),
     "from 1 to 65536"},
    {"[{\"type\":\"dense\",\"units\":true}]", ERR_TYPE, AT("[0].units"), "from 1 to 65536"},
    {"[{\"type\":\"dense\",\"units\":\"widht\"}]", ERR_VALUE, AT("[0].units"),
     "of the same type: did you mean width?"},
    {"[{\"type\":\"dense\",\"units\":\"dropout\"}]", ERR_VALUE, AT("[0].units"),
     "one of: data.limit"},
    {"[{\"type\":\"dropout\",\"rate\":1}]", ERR_VALUE, AT("[0].rate"), "from 0 to 0.999"},
    {"[{\"type\":\"lstm\",\"return\":\"all\"}]", ERR_VALUE, AT("[0].return"), "last, sequence"},
    {"[{\"type\":\"lstm\",\"bidirectional\":1}]", ERR_TYPE, AT("[0].bidirectional"), "true or"},
    {"[{\"type\":\"activation\",\"function\":\"optimizer\"}]", ERR_VALUE, AT("[0].function"),
     "one of: relu"},
    {"[{\"type\":\"dense\",\"activation\":\"rleu\"}]", ERR_VALUE, AT("[0].activation"),
     "mean relu?"},
    {"[{\"type\":\"activation\",\"activation\":\"relu\"}]", ERR_KEY, AT("[0].activation"),
     "one of: type, repeat, function"},
    {"[{\"type\":\"dense\",\"repeat\":0}]", ERR_VALUE, AT("[0].repeat"), "from 1 to 4096"},
    {"[{\"type\":\"dense\",\"repeat\":\"width\"}]", ERR_VALUE, AT("[0].repeat"), "or \"depth\""},
    {"[{\"type\":\"dense\",\"repeat\":\"depth\"},{\"type\":\"residual\",\"layers\":"
     "[{\"type\":\"dense\",\"repeat\":\"depth\"}]}]",
     ERR_VALUE, AT("[1].layers[0].repeat"), "at one layer only"},
    {"[{\"type\":\"residual\"}]", ERR_MISSING, AT("[0].layers"), "a list of the layers"},
    {"[{\"type\":\"residual\",\"layers\":[]}]", ERR_VALUE, AT("[0].layers"), "at least one"},
    {"[{\"type\":\"residual\",\"activation\":\"relu\",\"layers\":[]}]", ERR_KEY,
     AT("[0].activation"), "one of: type, repeat, layers"},
    {"[{\"type\":\"dense\",\"layers\":[]}]", ERR_KEY, AT("[0].layers"), "one of: type"},
};

static void bad_lists_are_refused(void **state)
{
    for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
        struct layer_list out, before;
        struct errbuf err = {0};

        memset(&out, 0x5a, sizeof(out));
        before = out;
        int rc = parse_list(bad[i].text, &out, &err);
        expect_refusal(&bad[i], rc, &err);
        assert_memory_equal(&out, &before, sizeof(out));
    }
}

static void too_many_layers_are_refused(void **state)
{
    struct buf text = {0};
    struct layer_list l;
    struct errbuf err = {0};

    buf_puts(&text, "[{\"type\":\"dense\"}");
    for (int i = 1; i < MODEL_LAYERS_MAX; i++)
        buf_puts(&text, ",{\"type\":\"dense\"}");
    buf_puts(&text, "]");
    must_parse(text.data, &l);
    assert_int_equal(l.count, MODEL_LAYERS_MAX);
    text.data[--text.len] = '\0';
    buf_puts(&text, ",{\"type\":\"flatten\"}]");
    assert_int_equal(parse_list(text.data, &l, &err), ERR_LIMIT);
    assert_string_equal(err.key, AT("[64]"));
    buf_finish(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(mlp_is_dense_and_activation),
        cmocka_unit_test(recurrent_models),
        cmocka_unit_test(a_recurrent_model_needs_a_recurrent_layer),
        cmocka_unit_test(the_deepest_models_fit),
        cmocka_unit_test(lists_are_expanded),
        cmocka_unit_test(residuals_are_repeated_whole),
        cmocka_unit_test(plans_that_cannot_be),
        cmocka_unit_test(canonical_lists),
        cmocka_unit_test(bad_lists_are_refused),
        cmocka_unit_test(too_many_layers_are_refused),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
