/* Each remedy on each kind of model: it changes what it says and nothing else, what comes out is a
 * configuration that a worker takes, and where there is nothing to change it says so. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "daemon/causes/remedy.h"
#include "sweep/require.h"
#include "sweep/run_config.h"

static const struct data_facts data = {.train_samples = 900, .validation_samples = 100,
                                       .features = 20, .classes = 4};
static const struct remedy_context no_donor = {.data = &data}, donor = {.data = &data, .donor = 7};

static struct layer_list layers_of(const char *text)
{
    struct layer_list l;
    struct errbuf err = {0};
    struct json *root = json_parse(text, strlen(text), &err);
    if (!root || layer_list_parse(root, "$.model.layers", &l, &err) != 0)
        fail_msg("%s", err.message);
    json_destroy(root);
    return l;
}

static struct treatment plain(enum model_type type)
{
    struct treatment t = {.epochs = 20};
    settings_init(&t.settings);
    t.settings.v[SETTING_MODEL_TYPE] = type;
    t.settings.v[SETTING_VALIDATION] = 100;
    t.settings.v[SETTING_WIDTH] = 64;
    return t;
}

static struct treatment listed(const char *layers)
{
    struct treatment t = plain(MODEL_SEQUENTIAL);
    t.layers = layers_of(layers);
    return t;
}

/* The settings that differ, written "path=value path=value"; then epochs and start_from. */
static const char *changes(const struct treatment *a, const struct treatment *b)
{
    static char out[512];
    char text[32];
    size_t n = 0;
    out[0] = '\0';
    for (int i = 0; i < SETTING_COUNT; i++) {
        if (a->settings.v[i] == b->settings.v[i])
            continue;
        setting_format((enum setting_id)i, b->settings.v[i], text);
        n += (size_t)snprintf(out + n, sizeof out - n, "%s%s=%s", n ? " " : "",
                              setting_label((enum setting_id)i), text);
    }
    if (a->epochs != b->epochs)
        n += (size_t)snprintf(out + n, sizeof out - n, "%sepochs=%d", n ? " " : "", (int)b->epochs);
    if (a->start_from != b->start_from)
        snprintf(out + n, sizeof out - n, "%sstart_from=%d", n ? " " : "", (int)b->start_from);
    return out;
}

static void written_layers(const struct layer_list *l, struct buf *out)
{
    struct json_writer w;
    jw_init(&w, out);
    layer_list_write(l, &w);
}

/* A worker's configuration with it is read back as it was written. */
static void assert_a_worker_takes(const struct treatment *t, const char *what)
{
    struct run_config c = {.epochs = t->epochs, .settings = t->settings, .layers = t->layers,
                           .metric = METRIC_VAL_LOSS}, again;
    struct buf out = {0};
    struct json_writer w;
    struct errbuf err = {0};
    str_copy(c.data.path, sizeof c.data.path, "/data/some.csv");
    c.data.format = FORMAT_CSV;
    if (t->settings.v[SETTING_VALIDATION] == 0)
        str_copy(c.data.validation_path, sizeof c.data.validation_path, "/data/held.csv");
    jw_init(&w, &out);
    run_config_write(&c, &w);
    struct json *root = json_parse(out.data, out.len, &err);
    if (!root || run_config_parse(root, &again, &err) != 0)
        fail_msg("%s: %s", what, err.message);
    for (int i = 0; i < SETTING_COUNT; i++) {
        bool unsaid = i == SETTING_DEPTH && t->settings.v[SETTING_MODEL_TYPE] == MODEL_SEQUENTIAL;
        if (!unsaid)
            assert_true(again.settings.v[i] == t->settings.v[i]);
    }
    json_destroy(root);
    buf_finish(&out);
}

struct expected {
    enum remedy remedy;
    const char *changes; /* NULL: refused */
};

static void check(const struct treatment *before, const struct remedy_context *c,
                  const struct expected *e)
{
    struct treatment t = *before;
    bool done = remedy_apply(e->remedy, c, &t);
    const char *name = remedy_name(e->remedy);
    if (done != (e->changes != NULL))
        fail_msg("%s: %s", name, done ? changes(before, &t) : "refused");
    if (!done)
        assert_memory_equal(&t, before, sizeof t);
    else if (strcmp(changes(before, &t), e->changes) != 0)
        fail_msg("%s: %s, not %s", name, changes(before, &t), e->changes);
    assert_a_worker_takes(&t, name);
}

static void check_all(const struct treatment *before, const struct remedy_context *c,
                      const struct expected *e, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check(before, c, &e[i]);
}
#define CHECK_ALL(before, c, list) check_all(before, c, list, ARRAY_LEN(list))

static void test_mlp(void **state)
{
    static const struct expected list[] = {
        {REMEDY_LEARNING_RATE_UP, "learning_rate=0.01"},
        {REMEDY_LEARNING_RATE_DOWN, "learning_rate=0.0001"},
        {REMEDY_OTHER_OPTIMIZER, "optimizer=momentum learning_rate=0.01"},
        {REMEDY_SGD_LAST, "optimizer=sgd learning_rate=0.05"},
        {REMEDY_BATCH_UP, "batch_size=128"},
        {REMEDY_BATCH_DOWN, "batch_size=8"},
        {REMEDY_SHUFFLE, NULL},
        {REMEDY_MORE_DENSE, "depth=3"},
        {REMEDY_ONE_LAYER_FEWER, "depth=1"},
        {REMEDY_SHALLOWER, NULL},
        {REMEDY_OTHER_ACTIVATION, "activation=elu"},
        {REMEDY_PRE_TRAIN, NULL},
        {REMEDY_CLIP_AND_L2, "train.l2=0.0001 train.clip=global_norm"},
        {REMEDY_BATCH_NORM, "model.normalization=batch"},
        {REMEDY_LSTM, NULL},
        {REMEDY_RESIDUAL, "model.residual=true"},
        {REMEDY_NO_DROPOUT, NULL},
        {REMEDY_LESS_DROPOUT, NULL},
        {REMEDY_MORE_DROPOUT, "dropout=0.3"},
        {REMEDY_L2, "train.l2=0.001"},
        {REMEDY_SMALLER_NET, "width=16"},
        {REMEDY_LARGER_NET, "width=256"},
        {REMEDY_EARLY_STOPPING, "train.patience=3"},
        {REMEDY_MORE_EPOCHS, "epochs=40"},
        {REMEDY_CLIP_BY_NORM, "train.clip=global_norm"},
        {REMEDY_SCALE_INPUT, "data.scale=standard"},
        {REMEDY_INITIALISATION, NULL},
        {REMEDY_LARGER_VALIDATION, "data.validation=200"},
        {REMEDY_EVAL_TRAIN, "train.train_loss_eval=true"},
        {REMEDY_COSINE, "train.schedule=cosine"},
        {REMEDY_IMPUTE, NULL},
        {REMEDY_LABEL_SMOOTHING, "train.label_smoothing=0.05"},
        {REMEDY_MIXUP, "train.mixup=0.2"},
        {REMEDY_EMA, "train.average=ema train.average_decay=0.9655172413793104"}, /* of 29 */
        {REMEDY_SWA, "train.average=swa"},
        {REMEDY_GRADIENT_NOISE, "train.gradient_noise=0.01"},
    };
    struct treatment t = plain(MODEL_MLP);
    assert_int_equal(ARRAY_LEN(list), REMEDY_COUNT);
    CHECK_ALL(&t, &no_donor, list);
}

/* What is there already, or as far as it goes, is not done again. */
static void test_nothing_left(void **state)
{
    static const struct expected list[] = {
        {REMEDY_BATCH_UP, NULL},        {REMEDY_ONE_LAYER_FEWER, NULL}, {REMEDY_CLIP_AND_L2, NULL},
        {REMEDY_BATCH_NORM, NULL},      {REMEDY_RESIDUAL, NULL},        {REMEDY_L2, NULL},
        {REMEDY_SMALLER_NET, NULL},     {REMEDY_EARLY_STOPPING, NULL},  {REMEDY_CLIP_BY_NORM, NULL},
        {REMEDY_MORE_EPOCHS, NULL},     {REMEDY_SCALE_INPUT, NULL},     {REMEDY_COSINE, NULL},
        {REMEDY_LARGER_VALIDATION, NULL}, {REMEDY_EVAL_TRAIN, NULL},    {REMEDY_SGD_LAST, NULL},
        {REMEDY_OTHER_OPTIMIZER, "optimizer=adam learning_rate=0.001"},
        {REMEDY_MORE_DROPOUT, "dropout=0.5"},
        {REMEDY_LESS_DROPOUT, "dropout=0.1875"},
        {REMEDY_NO_DROPOUT, "dropout=0"},
    };
    struct treatment t = plain(MODEL_MLP);
    double *v = t.settings.v;
    v[SETTING_BATCH_SIZE] = 512;
    v[SETTING_DEPTH] = 1;
    v[SETTING_CLIP] = CLIP_GLOBAL_NORM;
    v[SETTING_L2] = 1;
    v[SETTING_NORMALIZATION] = NORMALIZATION_BATCH;
    v[SETTING_WIDTH] = 8;
    v[SETTING_PATIENCE] = 2;
    v[SETTING_SCALE] = SCALE_STANDARD;
    v[SETTING_SCHEDULE] = SCHEDULE_STEP;
    v[SETTING_VALIDATION] = 300;
    v[SETTING_TRAIN_LOSS_EVAL] = 1;
    v[SETTING_OPTIMIZER] = OPTIMIZER_SGD;
    v[SETTING_LEARNING_RATE] = 0.1;
    v[SETTING_DROPOUT] = 0.375;
    t.epochs = SPEC_MAX_EPOCHS;
    CHECK_ALL(&t, &no_donor, list);
}

static void test_batches(void **state)
{
    struct treatment t = plain(MODEL_MLP);
    t.settings.v[SETTING_BATCH_SIZE] = 1;
    check(&t, &no_donor, &(struct expected){REMEDY_BATCH_UP, "batch_size=4"});
    check(&t, &no_donor, &(struct expected){REMEDY_BATCH_DOWN, NULL});
    check(&t, &no_donor, &(struct expected){REMEDY_BATCH_NORM, NULL});
}

static void test_activations(void **state)
{
    static const char *const instead[ACTIVATION_COUNT] = {
        "activation=elu", "activation=elu", NULL /* elu */,
        "activation=elu", "activation=elu", "activation=elu",
    };
    for (int a = 0; a < ACTIVATION_COUNT; a++) {
        struct treatment t = plain(MODEL_MLP);
        t.settings.v[SETTING_ACTIVATION] = a;
        check(&t, &no_donor, &(struct expected){REMEDY_OTHER_ACTIVATION, instead[a]});
    }
}

static void test_shallower(void **state)
{
    struct treatment t = plain(MODEL_MLP);
    t.settings.v[SETTING_DEPTH] = 25;
    check(&t, &no_donor, &(struct expected){REMEDY_SHALLOWER, "depth=6"});
    t.settings.v[SETTING_DEPTH] = 4;
    check(&t, &no_donor, &(struct expected){REMEDY_SHALLOWER, "depth=1"});
    t.settings.v[SETTING_DEPTH] = 3;
    check(&t, &no_donor, &(struct expected){REMEDY_SHALLOWER, NULL});
}

static void test_recurrent(void **state)
{
    static const struct expected list[] = {
        {REMEDY_MORE_DENSE, "model.dense_after=2"},
        {REMEDY_ONE_LAYER_FEWER, "model.dense_after=0"},
        {REMEDY_OTHER_ACTIVATION, NULL},
        {REMEDY_BATCH_NORM, NULL}, /* its gradient is lost between the steps */
        {REMEDY_LSTM, "model.type=lstm"},
        {REMEDY_RESIDUAL, "model.residual=true"}, /* around the dense one behind */
        {REMEDY_MORE_DROPOUT, "dropout=0.3"},
        {REMEDY_LARGER_NET, "width=256"},
    };
    static const struct expected gated[] = {{REMEDY_LSTM, NULL},
                                            {REMEDY_BATCH_NORM, "model.normalization=layer"}};
    static const struct expected bare[] = {
        {REMEDY_BATCH_NORM, NULL}, {REMEDY_ONE_LAYER_FEWER, NULL}, {REMEDY_RESIDUAL, NULL}};
    struct treatment t = plain(MODEL_RNN);
    t.settings.v[SETTING_DEPTH] = 1;
    t.settings.v[SETTING_DENSE_BEFORE] = 0;
    CHECK_ALL(&t, &no_donor, list);
    t.settings.v[SETTING_MODEL_TYPE] = MODEL_GRU;
    CHECK_ALL(&t, &no_donor, gated);
    t.settings.v[SETTING_DENSE_AFTER] = 0;
    CHECK_ALL(&t, &no_donor, bare);
    t.settings.v[SETTING_DEPTH] = 3;
    check(&t, &no_donor, &(struct expected){REMEDY_ONE_LAYER_FEWER, "depth=2"});
    check(&t, &no_donor, &(struct expected){REMEDY_RESIDUAL, "model.residual=true"});
}

/* From weights that are all 0 only other weights lead on. */
static void test_zeros(void **state)
{
    static const struct expected list[] = {
        {REMEDY_INITIALISATION, "model.init=he"},
        {REMEDY_OTHER_ACTIVATION, NULL},
        {REMEDY_BATCH_NORM, NULL},
        {REMEDY_RESIDUAL, NULL},
        {REMEDY_LARGER_NET, NULL},
        {REMEDY_MORE_DENSE, NULL},
    };
    struct treatment t = plain(MODEL_MLP);
    t.settings.v[SETTING_INIT] = INIT_ZEROS;
    CHECK_ALL(&t, &no_donor, list);
    t.settings.v[SETTING_ACTIVATION] = ACTIVATION_TANH;
    check(&t, &no_donor, &(struct expected){REMEDY_INITIALISATION, "model.init=xavier"});
}

/* Weights of another run fit its own network only. */
static void test_start_weights(void **state)
{
    static const struct expected list[] = {
        {REMEDY_PRE_TRAIN, "learning_rate=0.0001 start_from=7"},
        {REMEDY_SGD_LAST, "optimizer=sgd learning_rate=0.05 start_from=7"},
    };
    static const struct expected begun[] = {
        {REMEDY_PRE_TRAIN, NULL},  {REMEDY_LARGER_NET, NULL},
        {REMEDY_BATCH_NORM, NULL}, {REMEDY_MORE_DENSE, NULL},
        {REMEDY_LEARNING_RATE_UP, "learning_rate=0.01"},
        {REMEDY_MORE_DROPOUT, "dropout=0.3"},
    };
    struct treatment t = plain(MODEL_MLP);
    CHECK_ALL(&t, &donor, list);
    t.start_from = 7;
    CHECK_ALL(&t, &donor, begun);
}

/* G3.3: bounds on one side. The snippet's summed loss keeps its meaning. */
static void test_preset(void **state)
{
    struct treatment t = plain(MODEL_MLP);
    t.settings.v[SETTING_PRESET] = PRESET_GUIDE_G3_2;
    settings_apply_preset(&t.settings);
    static const struct expected list[] = {
        {REMEDY_CLIP_BY_NORM, "train.clip=global_norm train.clip_norm=32 train.preset=none"},
        {REMEDY_LEARNING_RATE_UP, "learning_rate=0.01 train.preset=none"},
        {REMEDY_L2, "train.l2_gradient=true train.preset=none"},
        {REMEDY_BATCH_UP, "batch_size=128"},
    };
    CHECK_ALL(&t, &no_donor, list);
}

/* Softer targets and means: each once, and only where it means something. */
static void test_noise_and_means(void **state)
{
    static const struct expected none[] = {
        {REMEDY_LABEL_SMOOTHING, NULL}, {REMEDY_MIXUP, NULL},          {REMEDY_EMA, NULL},
        {REMEDY_SWA, NULL},             {REMEDY_GRADIENT_NOISE, NULL},
    };
    static const struct data_facts numbers = {.train_samples = 900}, unknown = {.classes = 4};
    struct treatment t = plain(MODEL_MLP);
    double *v = t.settings.v;
    check(&t, &(struct remedy_context){.data = &numbers},
          &(struct expected){REMEDY_LABEL_SMOOTHING, NULL}); /* a regression */
    check(&t, &(struct remedy_context){.data = &unknown}, &(struct expected){REMEDY_EMA, NULL});
    v[SETTING_LOSS] = LOSS_MSE; /* of one-hot targets */
    check(&t, &no_donor, &(struct expected){REMEDY_LABEL_SMOOTHING, NULL});
    v[SETTING_LOSS] = LOSS_AUTO;
    t.epochs = 1; /* no time for a mean */
    check(&t, &no_donor, &(struct expected){REMEDY_EMA, NULL});
    check(&t, &no_donor, &(struct expected){REMEDY_SWA, NULL});
    t.epochs = 20;
    v[SETTING_LABEL_SMOOTHING] = 0.02;
    v[SETTING_MIXUP] = 1;
    v[SETTING_AVERAGE] = AVERAGE_SWA;
    v[SETTING_GRADIENT_NOISE] = 0.1;
    CHECK_ALL(&t, &no_donor, none);
    v[SETTING_MIXUP] = 0;
    v[SETTING_BATCH_SIZE] = 1;
    check(&t, &no_donor, &(struct expected){REMEDY_MIXUP, NULL});
}

static void test_data(void **state)
{
    static const struct data_facts holes = {.train_samples = 900, .has_nan = true};
    struct treatment t = plain(MODEL_MLP);
    const struct remedy_context c = {.data = &holes};
    check(&t, &c, &(struct expected){REMEDY_IMPUTE, "data.on_nan=impute"});
    t.settings.v[SETTING_ON_NAN] = ON_NAN_DROP;
    check(&t, &c, &(struct expected){REMEDY_IMPUTE, NULL});
    t.settings.v[SETTING_VALIDATION] = 0; /* a file of its own */
    check(&t, &c, &(struct expected){REMEDY_LARGER_VALIDATION, NULL});
}

/* --- written lists -------------------------------------------------------------------------- */

static void becomes(const char *before, enum remedy r, const char *after)
{
    struct treatment t = listed(before), untouched = t;
    struct buf got = {0}, want = {0};
    bool done = remedy_apply(r, &no_donor, &t);
    if (done != (after != NULL))
        fail_msg("%s of %s: %s", remedy_name(r), before, done ? "done" : "refused");
    if (done) {
        struct layer_list wanted = layers_of(after);
        written_layers(&t.layers, &got);
        written_layers(&wanted, &want);
        assert_string_equal(got.data, want.data);
        assert_string_equal(changes(&untouched, &t), "");
    } else {
        assert_memory_equal(&t, &untouched, sizeof t);
    }
    assert_a_worker_takes(&t, remedy_name(r));
    buf_finish(&got);
    buf_finish(&want);
}

#define CONV "{\"type\":\"conv2d\",\"channels\":8,\"padding\":1,\"activation\":\"relu\"}"
#define DENSE(units) "{\"type\":\"dense\",\"units\":" #units ",\"activation\":\"relu\"}"
#define FLAT "{\"type\":\"flatten\"}"
#define NORM "{\"type\":\"batch_norm\",\"activation\":\"relu\"}"

static void test_lists(void **state)
{
    becomes("[" CONV "," FLAT "," DENSE(32) "]", REMEDY_MORE_DENSE,
            "[" CONV "," FLAT "," DENSE(32) "," DENSE(32) "]");
    becomes("[" CONV "," FLAT "," DENSE(32) "]", REMEDY_ONE_LAYER_FEWER, "[" CONV "," FLAT "]");
    becomes("[" DENSE(32) "]", REMEDY_ONE_LAYER_FEWER, NULL);
    becomes("[" FLAT "," DENSE(32) "]", REMEDY_LARGER_NET, "[" FLAT "," DENSE(128) "]");
    becomes("[" FLAT "," DENSE(32) "]", REMEDY_SMALLER_NET, "[" FLAT "," DENSE(8) "]");
    becomes("[" FLAT "," DENSE(8) "]", REMEDY_SMALLER_NET, NULL);
    becomes("[" DENSE(32) "]", REMEDY_MORE_DROPOUT,
            "[" DENSE(32) ",{\"type\":\"dropout\",\"rate\":0.3}]");
    becomes("[" DENSE(32) ",{\"type\":\"dropout\",\"rate\":0.9}]", REMEDY_NO_DROPOUT,
            "[" DENSE(32) ",{\"type\":\"dropout\",\"rate\":0}]");
    becomes("[" DENSE(32) ",{\"type\":\"dropout\",\"rate\":0.9}]", REMEDY_LESS_DROPOUT,
            "[" DENSE(32) ",{\"type\":\"dropout\",\"rate\":0.45}]");
    becomes("[" DENSE(32) "]", REMEDY_NO_DROPOUT, NULL);
    becomes("[{\"type\":\"dense\",\"units\":9},{\"type\":\"activation\",\"function\":\"sigmoid\"}]",
            REMEDY_OTHER_ACTIVATION,
            "[{\"type\":\"dense\",\"units\":9},{\"type\":\"activation\",\"function\":\"elu\"}]");
    becomes("[{\"type\":\"dense\",\"units\":9,\"repeat\":20}]", REMEDY_SHALLOWER,
            "[{\"type\":\"dense\",\"units\":9,\"repeat\":5}]");
    becomes("[{\"type\":\"dense\",\"units\":9,\"repeat\":3}]", REMEDY_SHALLOWER, NULL);
    becomes("[{\"type\":\"rnn\",\"units\":9}]", REMEDY_LSTM, "[{\"type\":\"lstm\",\"units\":9}]");
    becomes("[" DENSE(32) "]", REMEDY_LSTM, NULL);
}

static void test_list_normalised(void **state)
{
    becomes("[" CONV "," FLAT "," DENSE(32) "]", REMEDY_BATCH_NORM,
            "[{\"type\":\"conv2d\",\"channels\":8,\"padding\":1}," NORM "," FLAT
            ",{\"type\":\"dense\",\"units\":32}," NORM "]");
    becomes("[{\"type\":\"dense\",\"units\":32,\"activation\":\"relu\",\"repeat\":2}]",
            REMEDY_BATCH_NORM,
            "[{\"type\":\"dense\",\"units\":32}," NORM ",{\"type\":\"dense\",\"units\":32}," NORM
            "]");
    becomes("[{\"type\":\"dense\",\"units\":32}," NORM "]", REMEDY_BATCH_NORM, NULL);
    becomes("[" DENSE(32) ",{\"type\":\"residual\",\"repeat\":3,\"layers\":[" DENSE(32) "]}]",
            REMEDY_BATCH_NORM,
            "[{\"type\":\"dense\",\"units\":32}," NORM
            ",{\"type\":\"residual\",\"repeat\":3,\"layers\":[{\"type\":\"dense\",\"units\":32}," NORM
            "]}]");
    becomes("[{\"type\":\"dense\",\"units\":32,\"repeat\":40}]", REMEDY_BATCH_NORM, NULL);
}

static void test_list_residual(void **state)
{
    becomes("[" DENSE(32) "," DENSE(32) "]", REMEDY_RESIDUAL,
            "[" DENSE(32) ",{\"type\":\"residual\",\"layers\":[" DENSE(32) "]}]");
    becomes("[{\"type\":\"dense\",\"units\":32,\"activation\":\"relu\",\"repeat\":5}]",
            REMEDY_RESIDUAL,
            "[" DENSE(32) ",{\"type\":\"residual\",\"repeat\":4,\"layers\":[" DENSE(32) "]}]");
    becomes("[" DENSE(32) "," DENSE(16) "]", REMEDY_RESIDUAL, NULL);
    becomes("[" CONV "," CONV "," FLAT "," DENSE(8) "]", REMEDY_RESIDUAL,
            "[" CONV ",{\"type\":\"residual\",\"layers\":[" CONV "]}," FLAT "," DENSE(8) "]");
}

#define BY_SETTING "[{\"type\":\"dense\",\"units\":\"width\",\"activation\":\"activation\"," \
                   "\"repeat\":\"depth\"},{\"type\":\"dropout\",\"rate\":\"dropout\"}]"

/* What the list leaves to a setting is changed there. */
static void test_list_of_settings(void **state)
{
    static const struct expected list[] = {
        {REMEDY_MORE_DENSE, "depth=3"},        {REMEDY_ONE_LAYER_FEWER, "depth=1"},
        {REMEDY_LARGER_NET, "width=256"},      {REMEDY_OTHER_ACTIVATION, "activation=elu"},
        {REMEDY_MORE_DROPOUT, "dropout=0.3"},  {REMEDY_NO_DROPOUT, NULL},
        {REMEDY_BATCH_NORM, ""},               {REMEDY_RESIDUAL, ""}, /* in the list */
    };
    struct treatment t = listed(BY_SETTING);
    CHECK_ALL(&t, &no_donor, list);
}

static void test_list_initialisation(void **state)
{
    struct treatment t =
        listed("[{\"type\":\"dense\",\"units\":9,\"activation\":\"tanh\"}]"); /* auto says he */
    check(&t, &no_donor, &(struct expected){REMEDY_INITIALISATION, "model.init=xavier"});
    t = listed("[" DENSE(9) "]");
    check(&t, &no_donor, &(struct expected){REMEDY_INITIALISATION, NULL});
}

/* Again and again, every remedy stays valid on every kind of model, until it has no more to do. */
static void test_chains(void **state)
{
    static const char *const lists[] = {
        BY_SETTING, "[" CONV "," CONV "," FLAT "," DENSE(32) "]",
        "[{\"type\":\"lstm\",\"units\":8,\"return\":\"sequence\",\"repeat\":2},"
        "{\"type\":\"rnn\",\"units\":8}]",
    };
    for (size_t kind = 0; kind < MODEL_SEQUENTIAL + ARRAY_LEN(lists); kind++) {
        for (int r = 0; r < REMEDY_COUNT; r++) {
            struct treatment t = kind < MODEL_SEQUENTIAL ? plain((enum model_type)kind)
                                                         : listed(lists[kind - MODEL_SEQUENTIAL]);
            for (int i = 0; i < 70 && remedy_apply((enum remedy)r, &donor, &t); i++)
                assert_a_worker_takes(&t, remedy_name((enum remedy)r));
        }
    }
}

static void test_names(void **state)
{
    for (int i = 0; i < REMEDY_COUNT; i++) {
        assert_int_equal(remedy_find(remedy_name((enum remedy)i)), i);
        assert_true(strlen(remedy_does((enum remedy)i)) > 0);
    }
    assert_int_equal(remedy_find("prayer"), -1);
    assert_null(remedy_guide_ref(REMEDY_COSINE));
    assert_string_equal(remedy_guide_ref(REMEDY_SHUFFLE), "G1.3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mlp),
        cmocka_unit_test(test_nothing_left),
        cmocka_unit_test(test_batches),
        cmocka_unit_test(test_activations),
        cmocka_unit_test(test_shallower),
        cmocka_unit_test(test_recurrent),
        cmocka_unit_test(test_zeros),
        cmocka_unit_test(test_start_weights),
        cmocka_unit_test(test_preset),
        cmocka_unit_test(test_noise_and_means),
        cmocka_unit_test(test_data),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_list_normalised),
        cmocka_unit_test(test_list_residual),
        cmocka_unit_test(test_list_of_settings),
        cmocka_unit_test(test_list_initialisation),
        cmocka_unit_test(test_chains),
        cmocka_unit_test(test_names),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
