#include "expect.h"

#include <inttypes.h>
#include <stdio.h>

#include "spec_text.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "sweep/spec.h"

/* Every form of a parameter. */
#define DIMENSIONS                                                                                 \
    "{\"activation\":{\"value\":\"elu\",\"distribution\":\"constant\"},"                           \
    "\"train.alpha\":{\"min\":0.5,\"max\":0.9},\"depth\":{\"min\":1,\"max\":4},"                   \
    "\"learning_rate\":{\"distribution\":\"log_uniform_values\",\"min\":1e-3,\"max\":1},"          \
    "\"train.beta1\":{\"distribution\":\"q_uniform\",\"min\":0.5,\"max\":0.9,\"q\":0.1},"          \
    "\"batch_size\":{\"distribution\":\"q_log_uniform_values\",\"min\":1,\"max\":64},"             \
    "\"train.momentum\":{\"min\":0,\"max\":1},\"width\":{\"values\":[64,32]}}"

static void must_parse(const char *text, struct spec *s)
{
    struct errbuf err = {0};

    if (spec_parse_text(text, strlen(text), s, &err))
        fail_msg("%s: %.1500s", err.message, text);
}

static char *canonical(const struct spec *s)
{
    struct buf out = {0};
    struct json_writer w;

    jw_init(&w, &out);
    spec_write(s, &w);
    return buf_take(&out);
}

/* --- what is accepted --------------------------------------------------------------------- */

static void least_spec_gets_the_defaults(void **state)
{
    struct settings defaults;
    struct spec s;

    must_parse("{" DATA "," DEPTH "," CAP "}", &s);
    settings_init(&defaults);
    assert_string_equal(s.name, "sweep");
    assert_int_equal(s.method, METHOD_COARSE_TO_FINE);
    assert_int_equal(s.metric, METRIC_VAL_LOSS);
    assert_false(s.maximize);
    assert_string_equal(s.trainer.data.name, "fashion-mnist");
    assert_string_equal(s.trainer.data.path, "");
    assert_true(s.trainer.data.task == TASK_AUTO && s.trainer.data.header == HEADER_AUTO);
    defaults.v[SETTING_VALIDATION] = 10;
    assert_memory_equal(&s.trainer.fixed, &defaults, sizeof(defaults));
    assert_int_equal(s.epochs, 10);
    assert_int_equal(s.run_cap, 12);
    assert_true(s.seed == 0 && s.priority == 0 && s.after == 0 && s.trainer.start_from == 0);
    spec_finish(&s);
}

/* What is fixed, or taken up by no layer of the network, is not swept. */
static void nothing_but_data_is_a_sweep(void **state)
{
    static const struct {
        const char *more, *swept;
    } cases[] = {
        {"", "learning_rate optimizer batch_size dropout depth "},
        {",\"train\":{\"optimizer\":\"adam\",\"dropout\":0.1}",
         "learning_rate batch_size depth "},
        {",\"model\":{\"type\":\"sequential\",\"layers\":[{\"type\":\"dense\",\"units\":4}]}",
         "learning_rate optimizer batch_size "},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spec s, again;
        struct buf text = {0}, names = {0};
        buf_printf(&text, "{" DATA "%s}", cases[i].more);
        must_parse(text.data, &s);
        assert_int_equal(s.run_cap, SPEC_USUAL_RUNS);
        for (size_t k = 0; k < s.space.count; k++)
            buf_printf(&names, "%s ", s.space.dimensions[k].name);
        assert_string_equal(names.data, cases[i].swept);
        char *stored = canonical(&s); /* says all of it */
        must_parse(stored, &again);
        assert_int_equal(again.space.count, s.space.count);
        free(stored);
        spec_finish(&again);
        spec_finish(&s);
        buf_finish(&names);
        buf_finish(&text);
    }
}

/* Of a setting, and of a program's own parameter; what is stored says the distribution. */
static void real_ends_make_a_real_range(void **state)
{
    static const struct {
        const char *range;
        enum distribution want;
    } cases[] = {{"{\"min\":0,\"max\":1}", DISTRIBUTION_INT_UNIFORM},
                 {"{\"min\":0.0,\"max\":1.0}", DISTRIBUTION_UNIFORM},
                 {"{\"min\":0,\"max\":1.0}", DISTRIBUTION_UNIFORM},
                 {"{\"min\":0,\"max\":1e0}", DISTRIBUTION_UNIFORM},
                 {"{\"min\":0.0,\"max\":1.0,\"distribution\":\"int_uniform\"}",
                  DISTRIBUTION_INT_UNIFORM}};
    static const char *const heads[] = {"{" DATA "," CAP ",\"parameters\":{\"train.momentum\":",
                                        "{\"task\":{\"command\":[\"x\"]},\"method\":\"random\"," CAP
                                        ",\"metric\":{\"name\":\"a\",\"goal\":\"minimize\"},\"parameters\":{\"p\":"};

    for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(heads); i++) {
        struct spec s, again;
        char text[512];
        snprintf(text, sizeof(text), "%s%s%s", heads[i % 2], cases[i / 2].range, "}}");
        must_parse(text, &s);
        char *stored = canonical(&s);
        must_parse(stored, &again);
        assert_int_equal(s.space.dimensions[0].distribution, cases[i / 2].want);
        assert_int_equal(again.space.dimensions[0].distribution, cases[i / 2].want);
        spec_finish(&again);
        spec_finish(&s);
        free(stored);
    }
    struct spec s;
    must_parse("{" DATA "," CAP ",\"parameters\":{\"depth\":{\"min\":1.0,\"max\":4.0}}}", &s);
    assert_int_equal(s.space.dimensions[0].distribution, DISTRIBUTION_INT_UNIFORM);
    spec_finish(&s);
}

/* Stored as it was meant then, also when the default becomes another; only where it has a meaning. */
static void lag_is_of_methods_that_learn(void **state)
{
    struct spec s;

    must_parse("{" DATA "," DEPTH "," CAP ",\"method\":\"TPE\"}", &s);
    assert_int_equal(s.lag, 1); /* a tenth of run_cap … */
    spec_finish(&s);
    must_parse("{" DATA "," DEPTH ",\"run_cap\":50,\"method\":\"tpe\"}", &s);
    assert_int_equal(s.lag, 5);
    spec_finish(&s);
    must_parse("{" DATA "," DEPTH ",\"run_cap\":5000,\"method\":\"tpe\"}", &s);
    assert_int_equal(s.lag, SPEC_LAG); /* … as far as this */
    char *text = canonical(&s);
    assert_non_null(strstr(text, "\"lag\":"));
    free(text);
    spec_finish(&s);
    must_parse("{" DATA "," DEPTH "," CAP ",\"method\":\"tpe\",\"lag\":1000}", &s);
    assert_int_equal(s.lag, 1000);
    spec_finish(&s);
    must_parse("{" DATA "," DEPTH "," CAP ",\"early_terminate\":{\"type\":\"none\"}}", &s);
    assert_int_equal(s.lag, 0);
    text = canonical(&s);
    assert_null(strstr(text, "lag"));
    free(text);
    spec_finish(&s);
}

/* Rounds of halving come to pairs soon: more seeds of the same two would be of no use. A deadline
 * may leave a small part of run_cap, of which it is a share. */
static void of_very_many_runs_few_repeat_the_best(void **state)
{
    static const struct {
        int64_t run_cap, last;
        const char *more;
    } cases[] = {
        {13, 0, ""},       {14, 2, ""},      {400, 60, ""},  {401, 60, ""},
        {1000000, 60, ""}, {777777, 60, ""}, {5003, 60, ""}, {100000, 15000, ",\"max_hours\":8"},
        {100000, 15000, ",\"until\":\"07:30\""}, {100000, 20000, ",\"repeat_share\":0.2"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spec s, again;
        char *text = xasprintf("{" DATA "," DEPTH ",\"run_cap\":%" PRId64 "%s}", cases[i].run_cap,
                               cases[i].more);
        must_parse(text, &s);
        assert_int_equal(spec_repeat_cap(&s), cases[i].last);
        char *stored = canonical(&s);
        must_parse(stored, &again);
        assert_int_equal(spec_repeat_cap(&again), cases[i].last);
        free(stored);
        free(text);
        spec_finish(&s);
        spec_finish(&again);
    }
}

/* max_hours alone, or until: as many as fit. Not where the number is the size of a population. */
static void a_deadline_says_how_many_runs(void **state)
{
    static const char *const ends[] = {"\"max_hours\":0.5", "\"until\":\"07:30\""};
    struct errbuf err;
    struct spec s;

    for (size_t i = 0; i < ARRAY_LEN(ends); i++) {
        char *text = xasprintf("{" DATA "," DEPTH ",%s,\"method\":\"auto\"}", ends[i]);
        must_parse(text, &s);
        assert_int_equal(s.run_cap, SPEC_DEADLINE_RUNS);
        assert_int_equal(spec_repeat_cap(&s), SPEC_DEADLINE_RUNS * 15 / 100);
        free(text);
        spec_finish(&s);
    }
    const char *pbt = "{" DATA ",\"parameters\":{\"train.momentum\":{\"min\":0,\"max\":0.9,"
                      "\"distribution\":\"uniform\"}},\"method\":\"pbt\",\"max_hours\":1}";
    assert_int_equal(spec_parse_text(pbt, strlen(pbt), &s, &err), ERR_MISSING);
    must_parse("{" DATA ",\"max_hours\":1}", &s);
    assert_int_equal(s.run_cap, SPEC_DEADLINE_RUNS);
    spec_finish(&s);
}

#define AS_TABLE(rest) "\"data\":{\"path\":\"/d\",\"format\":\"csv\",\"validation\":9" rest "}"

/* What is stored says it in so many words, and is read as it says. */
static void columns_of_a_table_are_scaled_by_default(void **state)
{
    static const struct {
        const char *text;
        int scale;
    } cases[] = {
        {"{" AS_TABLE("") "," DEPTH "," CAP "}", SCALE_STANDARD},
        {"{" AS_TABLE(",\"scale\":\"none\"") "," DEPTH "," CAP "}", SCALE_NONE},
        {"{" AS_TABLE(",\"scale\":\"min_max\"") "," DEPTH "," CAP "}", SCALE_MIN_MAX},
        {"{" AS_TABLE("") ",\"parameters\":{\"depth\":{\"values\":[1,2]},"
         "\"data.scale\":{\"value\":\"none\"}}," CAP "}", SCALE_NONE},
        {"{" DATA "," DEPTH "," CAP "}", SCALE_NONE},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spec s, again;
        must_parse(cases[i].text, &s);
        assert_true(s.trainer.fixed.v[SETTING_SCALE] == cases[i].scale);
        char *text = canonical(&s);
        assert_non_null(strstr(text, "\"scale\":"));
        must_parse(text, &again);
        assert_true(again.trainer.fixed.v[SETTING_SCALE] == cases[i].scale);
        free(text);
        spec_finish(&again);
        spec_finish(&s);
    }
}

static void every_key_is_read(void **state)
{
    struct spec s;

    must_parse("{\"name\":\"näme\",\"method\":\"random\",\"metric\":{\"name\":\"val_acc\"},"
               "\"data\":{\"path\":\"/d\",\"format\":\"csv\",\"limit\":20,\"validation\":19,"
               "\"on_nan\":\"impute\",\"target\":3,\"header\":false,\"task\":\"regression\","
               "\"test_path\":\"/t\"},\"model\":{\"type\":\"mlp\"},\"train\":{\"shuffle\":false},"
               "\"parameters\":" DIMENSIONS ",\"epochs\":3,\"run_cap\":7,"
               "\"seed\":\"18446744073709551615\",\"priority\":-4,\"after\":9,\"start_from\":5}",
               &s);
    assert_string_equal(s.name, "näme");
    assert_int_equal(s.method, METHOD_RANDOM);
    assert_int_equal(s.metric, METRIC_VAL_ACC);
    assert_true(s.maximize);
    assert_string_equal(s.trainer.data.path, "/d");
    assert_int_equal(s.trainer.data.format, FORMAT_CSV);
    assert_string_equal(s.trainer.data.target, "3");
    assert_string_equal(s.trainer.data.test_path, "/t");
    assert_true(s.trainer.data.header == HEADER_NO && s.trainer.data.task == TASK_REGRESSION);
    assert_true(s.trainer.fixed.v[SETTING_LIMIT] == 20 &&
                s.trainer.fixed.v[SETTING_VALIDATION] == 19);
    assert_true(s.trainer.fixed.v[SETTING_ON_NAN] == ON_NAN_IMPUTE);
    assert_true(s.trainer.fixed.v[SETTING_SHUFFLE] == 0);
    assert_true(s.trainer.fixed.v[SETTING_ACTIVATION] == ACTIVATION_ELU);
    assert_true(s.epochs == 3 && s.run_cap == 7 && s.seed == UINT64_MAX);
    assert_true(s.priority == -4 && s.after == 9 && s.trainer.start_from == 5);
    spec_finish(&s);
}

static void dimensions_are_read(void **state)
{
    static const struct {
        enum setting_id setting;
        enum distribution distribution;
        double min, max, q;
    } want[] = {
        {SETTING_ALPHA, DISTRIBUTION_UNIFORM, 0.5, 0.9, 0},
        {SETTING_DEPTH, DISTRIBUTION_INT_UNIFORM, 1, 4, 0},
        {SETTING_LEARNING_RATE, DISTRIBUTION_LOG_UNIFORM_VALUES, 1e-3, 1, 0},
        {SETTING_BETA1, DISTRIBUTION_Q_UNIFORM, 0.5, 0.9, 0.1},
        {SETTING_BATCH_SIZE, DISTRIBUTION_Q_LOG_UNIFORM_VALUES, 1, 64, 1},
        /* Both ends are written whole: whole numbers, whatever the setting. */
        {SETTING_MOMENTUM, DISTRIBUTION_INT_UNIFORM, 0, 1, 0},
        {SETTING_WIDTH, DISTRIBUTION_CATEGORICAL, 0, 0, 0},
    };
    struct spec s;

    must_parse("{" DATA "," CAP ",\"parameters\":" DIMENSIONS "}", &s);
    assert_int_equal(s.space.count, ARRAY_LEN(want));
    for (size_t i = 0; i < ARRAY_LEN(want); i++) {
        const struct dimension *d = &s.space.dimensions[i];
        assert_int_equal(dimension_setting(d), want[i].setting);
        assert_int_equal(d->distribution, want[i].distribution);
        assert_true(d->min == want[i].min && d->max == want[i].max && d->q == want[i].q);
        assert_ptr_equal(spec_dimension(&s, want[i].setting), d);
    }
    assert_string_equal(s.space.dimensions[0].name, "train.alpha");
    const struct dimension *width = &s.space.dimensions[6];
    assert_int_equal(width->value_count, 2);
    assert_true(width->values[0] == 64 && width->values[1] == 32);
    assert_null(spec_dimension(&s, SETTING_ACTIVATION));
    spec_finish(&s);
}

/* --- grids, seeds, the canonical form ------------------------------------------------------- */

static void grid_without_cap_is_its_size(void **state)
{
    struct spec s;

    must_parse("{" DATA ",\"method\":\"grid\",\"parameters\":{\"depth\":{\"min\":1,\"max\":4},"
               "\"optimizer\":{\"values\":[\"sgd\",\"adam\"]},\"train.momentum\":"
               "{\"min\":0,\"max\":0.7,\"q\":0.1,\"distribution\":\"q_uniform\"}}}",
               &s);
    assert_int_equal(s.run_cap, 4 * 2 * 8);
    spec_finish(&s);
    must_parse("{" DATA ",\"method\":\"grid\"," DEPTH "," CAP "}", &s);
    assert_int_equal(s.run_cap, 12);
    spec_finish(&s);
}

static void seeds_are_written_canonically(void **state)
{
    static const struct {
        const char *given, *written;
        uint64_t seed;
    } cases[] = {
        {"0", "\"seed\":0,", 0},
        {"\"110\"", "\"seed\":110,", 110},
        {"9007199254740992", "\"seed\":9007199254740992,", 9007199254740992u},
        {"\"9007199254740993\"", "\"seed\":\"9007199254740993\",", 9007199254740993u},
        {"\"18446744073709551615\"", "\"seed\":\"18446744073709551615\",", UINT64_MAX},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = xasprintf("{" DATA "," DEPTH "," CAP ",\"seed\":%s}", cases[i].given);
        struct spec s;

        must_parse(text, &s);
        assert_true(s.seed == cases[i].seed);
        char *out = canonical(&s);
        assert_non_null(strstr(out, cases[i].written));
        free(out);
        free(text);
        spec_finish(&s);
    }
}

static void canonical_form_is_this(void **state)
{
    struct spec s;

    must_parse("{\"metric\":{\"name\":\"val_acc\"}," DATA "," CAP ",\"train\":{\"beta1\":0.8},"
               "\"parameters\":{\"width\":{\"value\":9},\"model.depth\":{\"min\":1,\"max\":3},"
               "\"optimizer\":{\"values\":[\"sgd\",\"adam\"]}},\"epochs\":5}",
               &s);
    char *text = canonical(&s);
    assert_string_equal(
        text,
        "{\"name\":\"sweep\",\"method\":\"coarse_to_fine\","
        "\"metric\":{\"name\":\"val_acc\",\"goal\":\"maximize\"},"
        "\"data\":{\"name\":\"fashion-mnist\",\"limit\":0,\"validation\":10,\"on_nan\":\"hold\","
        "\"scale\":\"none\",\"stratify\":true},"
        "\"model\":{\"type\":\"mlp\",\"width\":9,\"activation\":\"relu\",\"init\":\"auto\","
        "\"normalization\":\"none\",\"residual\":false,\"dense_before\":1,\"dense_after\":1,"
        "\"bidirectional\":false,\"channels\":16,\"kernel\":3,\"stride\":1,\"padding\":0,"
        "\"pool_size\":2},"
        "\"train\":{\"dropout\":0,\"loss\":\"auto\",\"huber_delta\":1,\"probability_clip\":0,"
        "\"loss_reduction\":\"mean\",\"class_weights\":\"none\",\"learning_rate\":0.001,"
        "\"batch_size\":32,\"momentum\":0.9,\"beta1\":0.8,\"beta2\":0.999,\"alpha\":0.99,"
        "\"rho\":0.95,\"epsilon\":1e-08,\"weight_decay\":0.01,\"l2\":0,\"l2_gradient\":true,"
        "\"clip\":\"none\",\"clip_min\":-1,\"clip_max\":1,\"clip_norm\":1,\"preset\":\"none\","
        "\"schedule\":\"constant\",\"warmup_epochs\":0,\"schedule_epochs\":10,"
        "\"schedule_factor\":0.5,\"schedule_floor\":0,\"patience\":0,\"min_delta\":0,"
        "\"freeze\":0,\"shuffle\":true,\"points_per_epoch\":1,\"train_loss_eval\":false},"
        "\"parameters\":{\"model.depth\":{\"min\":1,\"max\":3,\"distribution\":\"int_uniform\"},"
        "\"optimizer\":{\"values\":[\"sgd\",\"adam\"]}},"
        "\"epochs\":5,\"run_cap\":12,\"seed\":0,\"priority\":0,\"treat\":true,\"treat_share\":0."
        "2,\"repeat_share\":0.15}");
    free(text);
    spec_finish(&s);
}

/* --- round trip of random specs ----------------------------------------------------------- */

static double random_value(struct rng *r, enum setting_id id)
{
    const struct setting *t = setting_get(id);

    if (t->type == SETTING_REAL)
        return t->min + (0.001 + 0.998 * rng_uniform(r)) * (t->max - t->min);
    return t->min + (double)rng_below(r, (uint64_t)(t->max - t->min) + 1);
}

static void random_list(struct rng *r, struct dimension *d)
{
    size_t want = 1 + rng_below(r, 6);

    d->distribution = DISTRIBUTION_CATEGORICAL;
    d->values = xcalloc(want, sizeof(*d->values));
    for (size_t i = 0; i < want; i++) {
        double x = random_value(r, dimension_setting(d));
        bool listed = false;
        for (size_t k = 0; k < d->value_count; k++)
            listed |= d->values[k] == x;
        if (!listed)
            d->values[d->value_count++] = x;
    }
}

static void random_range(struct rng *r, struct dimension *d)
{
    bool integer = d->type == VALUE_INTEGER;

    d->distribution = DISTRIBUTION_INT_UNIFORM + rng_below(r, 5);
    if (d->distribution == (integer ? DISTRIBUTION_UNIFORM : DISTRIBUTION_INT_UNIFORM))
        d->distribution = DISTRIBUTION_LOG_UNIFORM_VALUES;
    do {
        d->min = random_value(r, dimension_setting(d));
        d->max = random_value(r, dimension_setting(d));
    } while (d->min <= 0 || d->min >= d->max);
    if (d->distribution == DISTRIBUTION_Q_UNIFORM ||
        d->distribution == DISTRIBUTION_Q_LOG_UNIFORM_VALUES)
        d->q = integer ? 1 : (d->max - d->min) / (double)(1 + rng_below(r, 50));
}

/* Settings that must agree with each other, and so keep what random_spec gives them. */
static bool is_pinned(int id)
{
    static const enum setting_id pinned[] = {SETTING_LIMIT, SETTING_VALIDATION, SETTING_MODEL_TYPE,
                                             SETTING_PRESET, SETTING_CLIP_MIN, SETTING_CLIP_MAX,
                                             /* of layer lists, which a random_spec has none of */
                                             SETTING_CHANNELS, SETTING_KERNEL, SETTING_STRIDE,
                                             SETTING_PADDING, SETTING_POOL_SIZE};

    for (size_t i = 0; i < ARRAY_LEN(pinned); i++)
        if ((int)pinned[i] == id)
            return true;
    return false;
}

static void take_setting(enum setting_id id, struct dimension *d)
{
    static const enum value_type types[] = {[SETTING_REAL] = VALUE_REAL,
                                            [SETTING_INTEGER] = VALUE_INTEGER,
                                            [SETTING_SWITCH] = VALUE_SWITCH,
                                            [SETTING_CHOICE] = VALUE_CHOICE};
    const struct setting *t = setting_get(id);
    char text[32];

    d->key = (int)id;
    d->type = types[t->type];
    d->choice_count = t->type == SETTING_CHOICE ? (size_t)t->max + 1 : 0;
    d->choices = d->choice_count ? xcalloc(d->choice_count, sizeof(*d->choices)) : NULL;
    for (size_t i = 0; i < d->choice_count; i++)
        d->choices[i] = xstrdup(setting_choice_name(id, (int)i, text));
}

/* The one that its name has, or another that no other parameter has or may come to have. */
static enum role random_role(struct rng *r, const struct spec *s, const char *name)
{
    enum role own = role_of_name(name);

    if (own != ROLE_NONE)
        return rng_below(r, 2) ? own : ROLE_NONE;
    if (rng_below(r, 2) && space_find_role(&s->space, ROLE_OPTIMIZER) < 0 &&
        spec_dimension(s, SETTING_OPTIMIZER))
        return ROLE_OPTIMIZER;
    return ROLE_NONE;
}

static void random_dimensions(struct rng *r, struct spec *s)
{
    for (int i = 0; i < SETTING_COUNT; i++) {
        const struct setting *t = setting_get((enum setting_id)i);
        bool numeric = t->type == SETTING_REAL || t->type == SETTING_INTEGER;

        if (is_pinned(i))
            continue;
        s->trainer.fixed.v[i] = t->fallback;
        if (rng_below(r, 3) && (s->space.count || i + 1 < SETTING_COUNT)) {
            s->trainer.fixed.v[i] = random_value(r, (enum setting_id)i);
            continue;
        }
        struct dimension *d = &s->space.dimensions[s->space.count++];
        take_setting((enum setting_id)i, d);
        str_copy(d->name, sizeof(d->name), t->name && rng_below(r, 2) ? t->name : t->path);
        d->role = random_role(r, s, d->name);
        if (numeric && rng_below(r, 2) && s->method != METHOD_GRID)
            random_range(r, d);
        else
            random_list(r, d);
    }
}

static void random_words(struct rng *r, struct data_words *w)
{
    w->count = (uint32_t)rng_below(r, 4);
    for (uint32_t i = 0; i < w->count; i++)
        w->bytes += (uint32_t)snprintf(w->text + w->bytes, 20, "w%u", (unsigned)i) + 1;
}

static void random_table(struct rng *r, struct spec_data *d)
{
    static const char marks[] = {0, ',', '.'};
    d->header_line = d->header == HEADER_YES ? (int64_t)rng_below(r, 3) : 0;
    d->skip_told = rng_below(r, 2);
    d->skip_rows = d->skip_told ? (int64_t)rng_below(r, 9) : 0;
    str_copy(d->encoding, sizeof(d->encoding), rng_below(r, 2) ? "SHIFT_JIS" : "");
    d->delimiter = ",;\t| "[rng_below(r, 5)];
    d->decimal = marks[rng_below(r, 3)];
    d->thousands = d->decimal ? " '-"[rng_below(r, 3)] : marks[rng_below(r, 3)];
    d->drop_without_target = rng_below(r, 2);
    d->missing_told = rng_below(r, 2);
    d->missing_usual = d->missing_told && rng_below(r, 2);
    if (d->missing_told)
        random_words(r, &d->missing);
    random_words(r, &d->ignore);
    d->max_categories = rng_below(r, 2) ? 2 + (int64_t)rng_below(r, 100) : 0;
}

static void random_data(struct rng *r, struct spec *s)
{
    struct spec_data *d = &s->trainer.data;

    s->trainer.fixed.v[SETTING_VALIDATION] = 1 + (double)rng_below(r, 1u << 20);
    if (rng_below(r, 2))
        s->trainer.fixed.v[SETTING_LIMIT] =
            s->trainer.fixed.v[SETTING_VALIDATION] + 1 + (double)rng_below(r, 99);
    d->task = rng_below(r, 3);
    if (rng_below(r, 2)) {
        str_copy(d->name, sizeof(d->name), "fashion-mnist");
        return;
    }
    str_copy(d->path, sizeof(d->path), "/data/ä b");
    d->format = rng_below(r, FORMAT_COUNT);
    bool npy = d->format == FORMAT_NPY, table = d->format == FORMAT_CSV || d->format == FORMAT_TSV;
    if (npy)
        str_copy(d->target_path, sizeof(d->target_path), "/data/y.npy");
    if (rng_below(r, 2)) {
        str_copy(d->validation_path, sizeof(d->validation_path), "/data/v");
        str_copy(d->validation_target_path, sizeof(d->validation_target_path), npy ? "/vy" : "");
        s->trainer.fixed.v[SETTING_VALIDATION] = 0;
    }
    if (rng_below(r, 2)) {
        str_copy(d->test_path, sizeof(d->test_path), "/data/t");
        str_copy(d->test_target_path, sizeof(d->test_target_path), npy ? "/ty" : "");
    }
    if (table || d->format == FORMAT_NPZ)
        str_copy(d->target, sizeof(d->target), rng_below(r, 2) ? "ü 3" : "");
    if (d->format == FORMAT_NPZ)
        str_copy(d->features, sizeof(d->features), rng_below(r, 2) ? "X" : "");
    d->header = table ? rng_below(r, 3) : HEADER_AUTO;
    if (table)
        random_table(r, d);
}

static void random_limits(struct rng *r, struct spec_limits *l)
{
    l->run.memory_mib = rng_below(r, 2) ? 1 + (int64_t)rng_below(r, 1 << 20) : 0;
    l->run.seconds = rng_below(r, 2) ? 0.5 + (double)rng_below(r, 1000) : 0;
    l->run.idle_seconds = rng_below(r, 2) ? 0.25 + (double)rng_below(r, 1000) : 0;
    l->has_failures = rng_below(r, 2);
    l->failures = l->has_failures ? (int64_t)rng_below(r, 3) : 0;
}

static void random_spec(struct rng *r, struct spec *s)
{
    memset(s, 0, sizeof(*s));
    settings_init(&s->trainer.fixed);
    snprintf(s->name, sizeof(s->name), "sweep \"%u\" é\\", (unsigned)rng_below(r, 1000));
    do /* a population refuses most of what follows */
        s->method = rng_below(r, METHOD_COUNT);
    while (method_traits(s->method) & METHOD_INHERITS);
    s->metric = rng_below(r, METRIC_COUNT);
    s->maximize = rng_below(r, 2);
    random_data(r, s);
    s->trainer.start_from = rng_below(r, 2) ? (int64_t)(rng_next(r) >> 12) : 0;
    s->epochs = 1 + (int64_t)rng_below(r, SPEC_MAX_EPOCHS);
    s->run_cap = 1 + (int64_t)rng_below(r, SPEC_MAX_RUNS);
    s->seed = rng_next(r) >> rng_below(r, 64);
    s->priority = (int64_t)rng_below(r, 2000001) - 1000000;
    if (method_traits(s->method) & METHOD_LEARNS)
        s->lag = 1 + (int64_t)rng_below(r, SPEC_LAG_MAX);
    s->treat = rng_below(r, 2);
    s->treat_share = 0.8 * rng_uniform(r);
    s->repeat_share = 0.1 * rng_uniform(r);
    s->repeat_along = rng_below(r, 2);
    s->rounds = s->method == METHOD_COARSE_TO_FINE && rng_below(r, 2);
    s->without = rng_below(r, 2) ? rng_next(r) & (((remedy_bits)1 << REMEDY_COUNT) - 1) : 0;
    if (method_traits(s->method) & METHOD_MAY_END && rng_below(r, 2))
        s->least_gain = rng_uniform(r);
    s->max_hours = rng_below(r, 2) ? 100 * rng_uniform(r) : 0;
    s->has_until = rng_below(r, 2);
    s->until = s->has_until ? (int)rng_below(r, 1440) : 0;
    s->after = rng_below(r, 2) ? (int64_t)(rng_next(r) >> 12) : 0;
    random_limits(r, &s->limits);
    random_dimensions(r, s);
}

static void assert_same_dimension(const struct dimension *a, const struct dimension *b)
{
    assert_string_equal(a->name, b->name);
    assert_true(a->role == b->role && a->type == b->type && a->key == b->key);
    assert_int_equal(a->choice_count, b->choice_count);
    for (size_t i = 0; i < a->choice_count; i++)
        assert_string_equal(a->choices[i], b->choices[i]);
    assert_int_equal(a->distribution, b->distribution);
    assert_true(a->min == b->min && a->max == b->max && a->q == b->q);
    assert_int_equal(a->value_count, b->value_count);
    if (a->value_count)
        assert_memory_equal(a->values, b->values, a->value_count * sizeof(double));
}

static void assert_same_data(const struct spec_data *a, const struct spec_data *b)
{
    assert_string_equal(a->name, b->name);
    assert_string_equal(a->path, b->path);
#define X(member, key, doc) assert_string_equal(a->member, b->member);
    DATA_FILE_MAP(X)
#undef X
    assert_string_equal(a->target, b->target);
    assert_string_equal(a->features, b->features);
    assert_string_equal(a->encoding, b->encoding);
    assert_true(a->format == b->format && a->header == b->header && a->task == b->task);
    assert_true(a->header_line == b->header_line && a->skip_told == b->skip_told &&
                a->skip_rows == b->skip_rows && a->delimiter == b->delimiter &&
                a->decimal == b->decimal && a->thousands == b->thousands &&
                a->missing_told == b->missing_told && a->missing_usual == b->missing_usual &&
                a->max_categories == b->max_categories &&
                a->drop_without_target == b->drop_without_target);
    assert_memory_equal(&a->missing, &b->missing, sizeof(a->missing));
    assert_memory_equal(&a->ignore, &b->ignore, sizeof(a->ignore));
}

static void assert_same_spec(const struct spec *a, const struct spec *b)
{
    assert_string_equal(a->name, b->name);
    assert_true(a->method == b->method && a->metric == b->metric && a->maximize == b->maximize);
    assert_same_data(&a->trainer.data, &b->trainer.data);
    assert_true(a->trainer.start_from == b->trainer.start_from);
    assert_memory_equal(&a->trainer.fixed, &b->trainer.fixed, sizeof(a->trainer.fixed));
    assert_true(a->epochs == b->epochs && a->run_cap == b->run_cap && a->seed == b->seed);
    assert_int_equal(a->lag, b->lag);
    assert_true(a->priority == b->priority && a->after == b->after);
    assert_true(a->limits.run.memory_mib == b->limits.run.memory_mib &&
                a->limits.run.seconds == b->limits.run.seconds &&
                a->limits.run.idle_seconds == b->limits.run.idle_seconds);
    assert_true(a->limits.has_failures == b->limits.has_failures &&
                a->limits.failures == b->limits.failures);
    assert_true(a->treat == b->treat && a->treat_share == b->treat_share);
    assert_true(a->without == b->without && a->least_gain == b->least_gain);
    assert_true(a->repeat_share == b->repeat_share && a->max_hours == b->max_hours);
    assert_true(a->repeat_along == b->repeat_along && a->rounds == b->rounds);
    assert_true(a->has_until == b->has_until && a->until == b->until);
    assert_true(a->task == b->task && a->own == NULL && b->own == NULL);
    assert_string_equal(a->metric_name, b->metric_name);
    assert_int_equal(a->space.count, b->space.count);
    for (size_t i = 0; i < a->space.count; i++)
        assert_same_dimension(&a->space.dimensions[i], &b->space.dimensions[i]);
}

static void random_specs_survive_a_round_trip(void **state)
{
    struct rng r;

    for (uint64_t i = 0; i < 3000; i++) {
        struct spec s, back;

        rng_init(&r, 7, RNG_TEST, i);
        random_spec(&r, &s);
        if (s.method == METHOD_GRID && s.space.count > 7)
            s.method = METHOD_RANDOM; /* else the grid may be too large */
        char *text = canonical(&s);
        must_parse(text, &back);
        assert_same_spec(&s, &back);
        char *again = canonical(&back);
        assert_string_equal(text, again);
        free(again);
        free(text);
        spec_finish(&back);
        spec_finish(&s);
    }
}

/* --- the task ----------------------------------------------------------------------------- */

/* To name the trainer is to say nothing: the same canonical form, byte for byte. */
static void trainer_may_be_named(void **state)
{
    struct spec plain, named;

    must_parse("{" DATA "," DEPTH "," CAP "}", &plain);
    must_parse(WITH("\"task\":{\"trainer\":{}}"), &named);
    assert_int_equal(named.task, TASK_TRAINER);
    assert_string_equal(task_of(&named)->name, "trainer");
    char *a = canonical(&plain), *b = canonical(&named);
    assert_string_equal(a, b);
    assert_null(strstr(b, "\"task\""));
    free(a);
    free(b);
    spec_finish(&plain);
    spec_finish(&named);
}

/* What the daemon stores of sweeps that it makes itself is read again, without parameters. */
/* Blocks as W&B's pages have them, and others: their canonical form, which reads back to itself. */
static void early_termination_is_written_out(void **state)
{
    static const struct {
        const char *block, *canonical;
    } cases[] = {
        {"{\"type\":\"hyperband\",\"min_iter\":3}",
         "{\"type\":\"hyperband\",\"min_iter\":3,\"eta\":3,\"startup\":2,\"lag\":8}"},
        {"{\"type\":\"hyperband\",\"s\":2,\"eta\":3,\"max_iter\":27,\"strict\":true}",
         "{\"type\":\"hyperband\",\"eta\":3,\"max_iter\":27,\"s\":2,\"startup\":2,\"lag\":8}"},
        {"{\"type\":\"successive_halving\",\"every\":2,\"eta\":2}",
         "{\"type\":\"successive_halving\",\"min_iter\":1,\"every\":2,\"eta\":2,\"startup\":1,"
         "\"lag\":8}"},
        {"{\"type\":\"median\"}",
         "{\"type\":\"median\",\"min_iter\":1,\"every\":1,\"startup\":5,\"lag\":8}"},
        {"{\"type\":\"median\",\"eta\":2}",
         "{\"type\":\"median\",\"min_iter\":1,\"eta\":2,\"startup\":5,\"lag\":8}"},
        {"{\"type\":\"percentile\",\"percentile\":12.5}",
         "{\"type\":\"percentile\",\"min_iter\":1,\"every\":1,\"startup\":5,\"lag\":8,"
         "\"percentile\":12.5}"},
    };
    for (size_t i = 0; i < 2 * ARRAY_LEN(cases); i++) {
        const char *block = i % 2 ? cases[i / 2].canonical : cases[i / 2].block;
        struct spec s;
        char *text = xasprintf("{" DATA "," DEPTH "," CAP ",\"early_terminate\":%s}", block);
        must_parse(text, &s);
        char *got = canonical(&s);
        if (!strstr(got, cases[i / 2].canonical))
            fail_msg("%s gave %s", block, got);
        free(got);
        free(text);
        spec_finish(&s);
    }
}

static void inner_method_is_read(void **state)
{
    struct spec s, back;

    must_parse("{" DATA "," CAP ",\"method\":\"by_hand\",\"parameters\":{}}", &s);
    assert_int_equal(s.method, METHOD_BY_HAND);
    assert_true(s.space.count == 0 && !s.treat);
    char *text = canonical(&s);
    must_parse(text, &back);
    assert_int_equal(back.method, METHOD_BY_HAND);
    free(text);
    spec_finish(&s);
    spec_finish(&back);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(least_spec_gets_the_defaults),
        cmocka_unit_test(lag_is_of_methods_that_learn),
        cmocka_unit_test(of_very_many_runs_few_repeat_the_best),
        cmocka_unit_test(a_deadline_says_how_many_runs),
        cmocka_unit_test(every_key_is_read),
        cmocka_unit_test(nothing_but_data_is_a_sweep),
        cmocka_unit_test(real_ends_make_a_real_range),
        cmocka_unit_test(columns_of_a_table_are_scaled_by_default),
        cmocka_unit_test(dimensions_are_read),
        cmocka_unit_test(grid_without_cap_is_its_size),
        cmocka_unit_test(seeds_are_written_canonically),
        cmocka_unit_test(canonical_form_is_this),
        cmocka_unit_test(random_specs_survive_a_round_trip),
        cmocka_unit_test(trainer_may_be_named),
        cmocka_unit_test(early_termination_is_written_out),
        cmocka_unit_test(inner_method_is_read),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
