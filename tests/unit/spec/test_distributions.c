/* Distributions in the forms of W&B's sweep configuration: what each is read as, what it draws
 * (numbers by SciPy 1.15), and what is refused. */
#include "expect.h"

#include <math.h>

#include "spec_text.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "sweep/spec.h"

#define NEAR(a, b, slack) (fabs((a) - (b)) <= (slack) * fmax(1e-300, fabs(b)))

static char *spec_with(const char *parameters, const char *more)
{
    return xasprintf("{" DATA "," CAP ",\"method\":\"random\",\"parameters\":{%s}%s}", parameters,
                     more);
}

static void must_parse(const char *parameters, struct spec *s)
{
    char *text = spec_with(parameters, "");
    struct errbuf err = {0};

    if (spec_parse_text(text, strlen(text), s, &err))
        fail_msg("%s: %s", err.message, text);
    free(text);
}

/* The canonical form of the first parameter is parsed to the same again. */
static char *canonical(const struct spec *s)
{
    struct buf out = {0};
    struct json_writer w;

    jw_init(&w, &out);
    spec_write(s, &w);
    return buf_take(&out);
}

static void must_be_fixed_point(const struct spec *s)
{
    struct spec again;
    char *text = canonical(s);
    assert_int_equal(spec_parse_text(text, strlen(text), &again, NULL), 0);
    char *same = canonical(&again);
    assert_string_equal(text, same);
    free(same);
    free(text);
    spec_finish(&again);
}

/* --- what is read ---------------------------------------------------------------------------- */

static void forms_are_read(void **state)
{
    static const struct {
        const char *parameter;
        enum distribution distribution;
        double min, max, q, first, second; /* mu and sigma, a and b */
    } cases[] = {
        {"\"lr\":{\"distribution\":\"log_uniform\",\"min\":-9.0,\"max\":-2}",
         DISTRIBUTION_LOG_UNIFORM_VALUES, 1.2340980408667956e-4, 0.1353352832366127, 0, 0, 0},
        {"\"lr\":{\"distribution\":\"inv_log_uniform\",\"min\":2,\"max\":9}",
         DISTRIBUTION_LOG_UNIFORM_VALUES, 1.2340980408667956e-4, 0.1353352832366127, 0, 0, 0},
        {"\"lr\":{\"distribution\":\"inv_log_uniform_values\",\"min\":0.01,\"max\":1}",
         DISTRIBUTION_LOG_UNIFORM_VALUES, 0.01, 1, 0, 0, 0},
        {"\"batch_size\":{\"distribution\":\"q_log_uniform\",\"min\":2,\"max\":6,\"q\":8}",
         DISTRIBUTION_Q_LOG_UNIFORM_VALUES, 8, 403, 8, 0, 0},
        {"\"dropout\":{\"distribution\":\"normal\",\"mu\":0.3,\"sigma\":0.05}",
         DISTRIBUTION_NORMAL, 0, 0.6, 0, 0.3, 0.05},
        {"\"dropout\":{\"distribution\":\"normal\",\"mu\":0.3,\"sigma\":0.1,\"min\":0.1,"
         "\"max\":0.5}",
         DISTRIBUTION_NORMAL, 0.1, 0.5, 0, 0.3, 0.1},
        {"\"train.clip_max\":{\"distribution\":\"normal\"}", DISTRIBUTION_NORMAL, -6, 6, 0, 0, 1},
        {"\"dropout\":{\"distribution\":\"q_normal\",\"mu\":0.3,\"sigma\":0.1,\"q\":0.05}",
         DISTRIBUTION_Q_NORMAL, 0, 0.9, 0.05, 0.3, 0.1},
        {"\"lr\":{\"distribution\":\"log_normal\",\"mu\":-3,\"sigma\":0.5}",
         DISTRIBUTION_LOG_NORMAL, 0.0024787521766663585, 1, 0, -3, 0.5},
        {"\"batch_size\":{\"distribution\":\"q_log_normal\",\"mu\":4,\"sigma\":0.5,\"q\":16}",
         DISTRIBUTION_Q_LOG_NORMAL, 3, 1096, 16, 4, 0.5},
        {"\"batch_size\":{\"distribution\":\"log_normal\",\"mu\":4,\"sigma\":0.5}",
         DISTRIBUTION_LOG_NORMAL, 3, 1096, 0, 4, 0.5},
        {"\"train.momentum\":{\"distribution\":\"beta\",\"a\":2,\"b\":5}", DISTRIBUTION_BETA, 0, 1,
         0, 2, 5},
        {"\"train.momentum\":{\"distribution\":\"q_beta\",\"q\":0.1}", DISTRIBUTION_Q_BETA, 0, 1,
         0.1, 1, 1},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spec s;
        must_parse(cases[i].parameter, &s);
        const struct dimension *d = &s.space.dimensions[0];
        bool beta = distribution_shape(d->distribution) == SHAPE_BETA;
        if (d->distribution != cases[i].distribution || fabs(d->min - cases[i].min) > 1e-12 ||
            !NEAR(d->max, cases[i].max, 1e-12) || d->q != cases[i].q ||
            (beta ? d->a : d->mu) != cases[i].first ||
            (beta ? d->b : d->sigma) != cases[i].second)
            fail_msg("%s: %s from %.17g to %.17g", cases[i].parameter,
                     distribution_name(d->distribution), d->min, d->max);
        must_be_fixed_point(&s);
        spec_finish(&s);
    }
}

static void forms_are_refused(void **state)
{
    static const struct refusal cases[] = {
        {"\"depth\":{\"values\":[1,2],\"probabilities\":[1]}", ERR_TYPE,
         "$.parameters.depth.probabilities", "as many numbers"},
        {"\"depth\":{\"values\":[1,2],\"probabilities\":[0.5,0.6]}", ERR_VALUE,
         "$.parameters.depth.probabilities", "sum is 1"},
        {"\"depth\":{\"values\":[1,2],\"probabilities\":[1,0]}", ERR_VALUE,
         "$.parameters.depth.probabilities[1]", "above 0"},
        {"\"depth\":{\"values\":[1,2],\"probabilities\":[0.5,\"x\"]}", ERR_TYPE,
         "$.parameters.depth.probabilities[1]", "a number"},
        {"\"depth\":{\"values\":[1,2],\"distribution\":\"categorical_w_probabilities\"}",
         ERR_MISSING, "$.parameters.depth.probabilities", "each of"},
        {"\"depth\":{\"min\":1,\"max\":2,\"probabilities\":[1]}", ERR_KEY,
         "$.parameters.depth.probabilities", "only with \"values\""},
        {"\"dropout\":{\"min\":0,\"max\":0.5,\"mu\":1}", ERR_KEY, "$.parameters.dropout.mu",
         "only with distribution normal"},
        {"\"dropout\":{\"sigma\":1}", ERR_KEY, "$.parameters.dropout.sigma",
         "only with distribution normal"},
        {"\"dropout\":{\"distribution\":\"normal\",\"a\":1}", ERR_KEY, "$.parameters.dropout.a",
         "only with distribution beta"},
        {"\"dropout\":{\"distribution\":\"beta\",\"sigma\":1}", ERR_KEY,
         "$.parameters.dropout.sigma", "only with distribution normal"},
        {"\"dropout\":{\"distribution\":\"normal\",\"sigma\":0}", ERR_VALUE,
         "$.parameters.dropout.sigma", "above 0"},
        {"\"dropout\":{\"distribution\":\"normal\",\"mu\":\"0\"}", ERR_TYPE,
         "$.parameters.dropout.mu", "a number"},
        {"\"dropout\":{\"distribution\":\"normal\",\"q\":1}", ERR_KEY, "$.parameters.dropout.q",
         "begins with q_"},
        {"\"dropout\":{\"distribution\":\"normal\",\"mu\":9,\"sigma\":0.1}", ERR_VALUE,
         "$.parameters.dropout", "some of which"},
        {"\"dropout\":{\"distribution\":\"normal\",\"min\":0.1,\"max\":1.5}", ERR_VALUE,
         "$.parameters.dropout.max", ""},
        {"\"dropout\":{\"distribution\":\"beta\",\"a\":0}", ERR_VALUE, "$.parameters.dropout.a",
         "above 0"},
        {"\"lr\":{\"distribution\":\"log_normal\",\"mu\":1000}", ERR_VALUE, "$.parameters.lr",
         "some of which"},
        {"\"lr\":{\"distribution\":\"log_uniform\",\"min\":-2,\"max\":-9}", ERR_VALUE,
         "$.parameters.lr", "empty"},
        {"\"lr\":{\"distribution\":\"log_uniform\",\"min\":1,\"max\":100}", ERR_VALUE,
         "$.parameters.lr.max", ""},
        {"\"lr\":{\"distribution\":\"log_uniform\",\"min\":1,\"max\":10000}", ERR_VALUE,
         "$.parameters.lr.max", ""},
        {"\"lr\":{\"distribution\":\"log_uniform\",\"min\":\"a\",\"max\":1}", ERR_TYPE,
         "$.parameters.lr.min", "exponent"},
        {"\"optimizer\":{\"distribution\":\"normal\"}", ERR_VALUE,
         "$.parameters.optimizer.distribution", "no numeric range"},
        {"\"lr\":{\"min\":-1,\"max\":1,\"distribution\":\"log_uniform_values\"}", ERR_VALUE,
         "$.parameters.lr.min", ""},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = spec_with(cases[i].text, "");
        struct errbuf err = {0};
        struct spec s;
        expect_refusal(&cases[i], spec_parse_text(text, strlen(text), &s, &err), &err);
        free(text);
    }
}

static void exponents_that_look_like_values_are_questioned(void **state)
{
    static const struct {
        const char *parameter;
        bool asked;
    } cases[] = {
        {"\"lr\":{\"distribution\":\"log_uniform\",\"min\":0.0001,\"max\":0.1}", true},
        {"\"o\":{\"parameters\":{\"lr\":{\"distribution\":\"log_uniform\",\"min\":0.0001,"
         "\"max\":0.1}}}",
         true},
        {"\"batch_size\":{\"distribution\":\"q_log_uniform\",\"min\":1,\"max\":12}", true},
        {"\"batch_size\":{\"distribution\":\"q_log_uniform\",\"min\":2,\"max\":6}", false},
        {"\"lr\":{\"distribution\":\"log_uniform\",\"min\":-9,\"max\":-1}", false},
        {"\"lr\":{\"distribution\":\"log_uniform_values\",\"min\":0.0001,\"max\":0.1}", false},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = spec_with(cases[i].parameter, "");
        struct json *root = parse_json(text);
        struct errbuf err = {0};
        struct spec s;
        assert_int_equal(spec_parse(root, &s, &err), 0);
        assert_int_equal(spec_question(root, &s, &err), cases[i].asked ? ERR_VALUE : 0);
        if (cases[i].asked)
            assert_non_null(strstr(err.allowed, "log_uniform_values"));
        spec_finish(&s);
        json_destroy(root);
        free(text);
    }
}

struct said {
    const char *part;
    size_t count;
};

static void note(void *arg, const char *sentence)
{
    struct said *s = arg;
    s->count += strstr(sentence, s->part) != NULL;
}

static void ends_that_were_worked_out_are_said(void **state)
{
    static const struct {
        const char *parameter, *part;
        size_t count;
    } cases[] = {
        {"\"lr\":{\"distribution\":\"log_uniform\",\"min\":-9,\"max\":-2}", "exponents of e", 1},
        {"\"lr\":{\"distribution\":\"inv_log_uniform\",\"min\":2,\"max\":9}", "of 1/e", 1},
        {"\"dropout\":{\"distribution\":\"normal\",\"mu\":0.3,\"sigma\":0.1}", "from 0 to 0.9", 1},
        {"\"dropout\":{\"distribution\":\"normal\",\"mu\":0.3,\"sigma\":0.1,\"min\":0,\"max\":0.5}",
         "from", 0},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        char *text = spec_with(cases[i].parameter, "");
        struct json *root = parse_json(text);
        struct said said = {cases[i].part, 0};
        struct spec s;
        assert_int_equal(spec_parse(root, &s, NULL), 0);
        spec_notes(root, &s, note, &said);
        assert_int_equal(said.count, cases[i].count);
        spec_finish(&s);
        json_destroy(root);
        free(text);
    }
}

/* --- what is drawn --------------------------------------------------------------------------- */

static void shapes_are_those_of_a_reference(void **state)
{
    static const double at[] = {0.01, 0.25, 0.5, 0.9, 0.999};
    static const struct {
        struct dimension d;
        double values[ARRAY_LEN(at)];
    } cases[] = {
        {{.distribution = DISTRIBUTION_NORMAL, .mu = 0.3, .sigma = 0.1, .min = -0.3, .max = 0.9},
         {0.0673652162236012, 0.232551025135625, 0.3, 0.428155156104729, 0.609023201374497}},
        {{.distribution = DISTRIBUTION_NORMAL, .mu = 0.3, .sigma = 0.1, .min = 0, .max = 0.9},
         {0.0721096428608093, 0.232869279637761, 0.300169184585758, 0.428232111989102,
          0.609063317103968}},
        {{.distribution = DISTRIBUTION_NORMAL, .mu = 0, .sigma = 1, .min = 3, .max = 9},
         {3.00305990942119, 3.08656348283518, 3.20515492059893, 3.64252227583162,
          4.69242948373011}},
        {{.distribution = DISTRIBUTION_LOG_NORMAL, .mu = -3, .sigma = 0.5,
          .min = 0.0024787521766663585, .max = 1},
         {0.0155580993274986, 0.0355347256133425, 0.0497870683678639, 0.0944935009865625,
          0.233427441517969}},
        {{.distribution = DISTRIBUTION_BETA, .a = 2, .b = 5, .min = 0, .max = 1},
         {0.0267631911427551, 0.161162916790327, 0.26444998329566, 0.510316306551492,
          0.818613866919134}},
        {{.distribution = DISTRIBUTION_BETA, .a = 0.5, .b = 0.5, .min = 0, .max = 1},
         {0.000246719817134221, 0.146446609406726, 0.5, 0.975528258147577, 0.999997532600929}},
        {{.distribution = DISTRIBUTION_BETA, .a = 50, .b = 3, .min = 0.9, .max = 1},
         {0.902287430251001, 0.933819934518688, 0.952480092631401, 0.979558104833869,
          0.996400441333575}},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        const struct dimension *d = &cases[i].d;
        for (size_t k = 0; k < ARRAY_LEN(at); k++) {
            double x = dimension_value(d, at[k]);
            if (!NEAR(x, cases[i].values[k], 1e-9) || !NEAR(dimension_position(d, x), at[k], 1e-9))
                fail_msg("case %zu at %g: %.15g, position %.15g", i, at[k], x,
                         dimension_position(d, x));
        }
        assert_true(dimension_value(d, 0) == d->min && dimension_value(d, 1) == d->max);
    }
}

/* Counted in cells, what even draws come to is what the distribution says. */
static void quantised_shapes_are_drawn_as_they_are(void **state)
{
    struct spec s;
    struct rng r;
    size_t seen[21] = {0};

    must_parse("\"dropout\":{\"distribution\":\"q_normal\",\"mu\":0.5,\"sigma\":0.1,\"q\":0.05}",
               &s);
    const struct dimension *d = &s.space.dimensions[0];
    rng_init(&r, 3, RNG_TEST, 0);
    for (int i = 0; i < 200000; i++) {
        double x = dimension_value(d, rng_uniform(&r));
        assert_true(dimension_takes(d, x));
        assert_true(dimension_value(d, dimension_position(d, x)) == x);
        seen[(size_t)round(x / 0.05)]++;
    }
    /* the shares of N(0.5, 0.1) within 0.025 of 0.5, 0.6 and 0.3 */
    assert_true(NEAR((double)seen[10] / 200000, 0.19741, 0.03));
    assert_true(NEAR((double)seen[12] / 200000, 0.12098, 0.03));
    assert_true(NEAR((double)seen[6] / 200000, 0.02783, 0.06));
    spec_finish(&s);
}

static void probabilities_are_drawn(void **state)
{
    struct spec s;
    struct rng r;
    size_t seen[4] = {0};

    must_parse("\"depth\":{\"values\":[3,1,2],\"probabilities\":[0.5,0.125,0.375]}", &s);
    const struct dimension *d = &s.space.dimensions[0];
    rng_init(&r, 3, RNG_TEST, 1);
    for (int i = 0; i < 100000; i++)
        seen[(size_t)dimension_value(d, rng_uniform(&r))]++;
    assert_true(NEAR((double)seen[3] / 1e5, 0.5, 0.02));
    assert_true(NEAR((double)seen[1] / 1e5, 0.125, 0.04));
    for (size_t i = 0; i < 3; i++)
        assert_true(dimension_value(d, dimension_position(d, d->values[i])) == d->values[i]);
    assert_true(dimension_value(d, 0) == 3 && dimension_value(d, 1) == 2);
    assert_int_equal(dimension_cardinality(d), 3); /* a grid has each of them */
    must_be_fixed_point(&s);
    spec_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms_are_read),
        cmocka_unit_test(forms_are_refused),
        cmocka_unit_test(exponents_that_look_like_values_are_questioned),
        cmocka_unit_test(ends_that_were_worked_out_are_said),
        cmocka_unit_test(shapes_are_those_of_a_reference),
        cmocka_unit_test(quantised_shapes_are_drawn_as_they_are),
        cmocka_unit_test(probabilities_are_drawn),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
