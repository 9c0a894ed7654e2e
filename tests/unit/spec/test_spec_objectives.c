/* "objectives": what it means, what is said of it, how it is written, and what is refused. */
#include "expect.h"

#include <stdio.h>
#include <stdlib.h>

#include "spec_text.h"
#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/spec.h"

#define OWN(members) "{" DATA "," DEPTH "," CAP "," members "}"
#define PROGRAM(members)                                                                           \
    "{\"task\":{\"command\":[\"./a\"]},\"parameters\":{\"x\":{\"min\":0.5,\"max\":2.5}}," CAP ","   \
    members "}"

static void must_parse(const char *text, struct spec *s)
{
    struct errbuf err = {0};

    if (spec_parse_text(text, strlen(text), s, &err) != 0)
        fail_msg("%s: %s", text, err.message);
}

static char *canonical(const struct spec *s)
{
    struct buf b = {0};
    struct json_writer w;

    jw_init(&w, &b);
    spec_write(s, &w);
    return buf_take(&b);
}

/* "val_loss- seconds-": by name and goal. */
static void meant(const struct spec *s, char *out, size_t size)
{
    size_t n = 0;

    out[0] = '\0';
    for (size_t i = 0; i < s->objectives.count; i++)
        n += (size_t)snprintf(out + n, size - n, "%s%s%s", i ? " " : "",
                              s->objectives.items[i].name,
                              s->objectives.items[i].maximize ? "+" : "-");
}

static void means_what_it_says(void **state)
{
    static const struct {
        const char *text, *meant, *metric;
        enum method method;
    } cases[] = {
        {OWN("\"objectives\":[\"val_loss\",\"seconds\"],\"method\":\"tpe\""), "val_loss- seconds-",
         "val_loss", METHOD_TPE},
        {OWN("\"objectives\":[\"Val-Acc\",{\"metric\":\"parameters\"},{\"name\":\"epochs\","
             "\"goal\":\"maximize\"}],\"method\":\"random\""),
         "val_acc+ parameters- epochs+", "val_acc", METHOD_RANDOM},
        {OWN("\"objectives\":[{\"name\":\"val_loss\",\"goal\":\"minimize\"},\"val_r2\"],"
             "\"metric\":{\"name\":\"val_loss\"},\"method\":\"grid\""),
         "val_loss- val_r2+", "val_loss", METHOD_GRID},
        /* one alone is the metric */
        {OWN("\"objectives\":[\"val_acc\"],\"method\":\"random\""), "", "val_acc", METHOD_RANDOM},
        {PROGRAM("\"objectives\":[\"valid/loss\",\"latency_ms\",\"test_auc\",{\"name\":\"odd\","
                 "\"goal\":\"maximize\"}],\"method\":\"tpe\""),
         "valid/loss- latency_ms- test_auc+ odd+", "valid/loss", METHOD_TPE},
        {PROGRAM("\"objectives\":[{\"name\":\"score\",\"goal\":\"maximize\"},\"seconds\"],"
                 "\"method\":\"tpe\""),
         "score+ seconds-", "score", METHOD_TPE},
    };
    char got[256];

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct spec s, again;
        must_parse(cases[i].text, &s);
        meant(&s, got, sizeof(got));
        assert_string_equal(got, cases[i].meant);
        assert_string_equal(spec_metric_name(&s), cases[i].metric);
        assert_int_equal(s.method, cases[i].method);
        char *text = canonical(&s), *twice;
        assert_true((strstr(text, "\"objectives\"") != NULL) == (cases[i].meant[0] != '\0'));
        must_parse(text, &again);
        assert_string_equal(twice = canonical(&again), text);
        free(text);
        free(twice);
        spec_finish(&s);
        spec_finish(&again);
    }
}

/* The usual method goes by one metric: another is picked, and that is said. */
static void picks_a_method(void **state)
{
    struct spec s;
    must_parse("{" DATA ",\"parameters\":{\"train.momentum\":{\"min\":0.0,\"max\":0.9}},"
               "\"run_cap\":40,\"objectives\":[\"val_loss\",\"seconds\"]}", &s);
    assert_int_equal(s.method, METHOD_GP);
    assert_non_null(strstr(s.picked, "2 objectives, 1 parameter, "));
    assert_non_null(strstr(s.picked, "; weighs them anew for each run"));
    spec_finish(&s);
    must_parse("{" DATA ",\"parameters\":{\"train.momentum\":{\"min\":0.0,\"max\":0.9}},"
               "\"method\":\"auto\",\"run_cap\":400,"
               "\"objectives\":[\"val_loss\",\"val_acc\",\"flop\"]}", &s);
    assert_int_equal(s.method, METHOD_TPE);
    assert_non_null(strstr(s.picked, "3 objectives, "));
    assert_non_null(strstr(s.picked, "; by fronts"));
    spec_finish(&s);
}

/* What knew one metric alone before. */
static void goes_with_promotion_and_earlier_sweeps(void **state)
{
    struct spec s;
    must_parse("{" DATA ",\"parameters\":{\"train.momentum\":{\"min\":0.0,\"max\":0.9}},"
               "\"run_cap\":40,\"objectives\":[\"val_loss\",\"flop\"],\"warm_start\":[3],"
               "\"early_terminate\":{\"type\":\"hyperband\",\"promote\":true}}", &s);
    assert_int_equal(s.method, METHOD_TPE);
    assert_true(s.stop.promote);
    assert_int_equal(s.warm_count, 1);
    spec_finish(&s);
}

static void gather(void *arg, const char *sentence)
{
    buf_printf(arg, "%s\n", sentence);
}

static void says_what_was_read(void **state)
{
    static const char text[] =
        PROGRAM("\"objectives\":[{\"name\":\"loss\",\"goal\":\"minimize\"},\"latency\",\"seconds\"],"
                "\"method\":\"coarse_to_fine\"");
    struct buf said = {0};
    struct spec s;
    struct json *root = parse_json(text);
    must_parse(text, &s);
    spec_notes(root, &s, gather, &said);
    assert_non_null(strstr(said.data, "$.objectives[1]: a smaller latency is better"));
    assert_null(strstr(said.data, "$.objectives[0]"));
    assert_non_null(strstr(said.data, "coarse_to_fine goes by loss alone"));
    assert_non_null(strstr(said.data, "seconds and joules are measured"));
    buf_finish(&said);
    json_destroy(root);
    spec_finish(&s);
}

static void refused(void **state)
{
    static const struct refusal cases[] = {
        {OWN("\"objectives\":\"val_loss\""), ERR_TYPE, "$.objectives", "a list"},
        {OWN("\"objectives\":[]"), ERR_LIMIT, "$.objectives", "1 to 8"},
        {OWN("\"objectives\":[1]"), ERR_TYPE, "$.objectives[0]", "a name, or an object"},
        {OWN("\"objectives\":[\"val_lost\",\"seconds\"]"), ERR_VALUE, "$.objectives[0]",
         "val_loss"},
        {OWN("\"objectives\":[\"val_loss\",\"second\"]"), ERR_VALUE, "$.objectives[1]", "seconds"},
        {OWN("\"objectives\":[\"seconds\",\"val_loss\"]"), ERR_VALUE, "$.objectives[0]",
         "val_loss"},
        {OWN("\"objectives\":[\"val_loss\",\"seconds\",\"val_loss\"]"), ERR_VALUE,
         "$.objectives[2]", "objectives[0] is val_loss already"},
        {OWN("\"objectives\":[\"val_loss\",{\"name\":\"seconds\",\"goal\":\"minimise\"}]"),
         ERR_VALUE, "$.objectives[1].goal", "minimize"},
        {OWN("\"objectives\":[\"val_loss\",{\"name\":\"seconds\",\"gaol\":\"minimize\"}]"), ERR_KEY,
         "$.objectives[1].gaol", "goal"},
        {OWN("\"objectives\":[{\"goal\":\"minimize\"}]"), ERR_MISSING, "$.objectives[0].name",
         "judged by"},
        {OWN("\"objectives\":[{\"name\":\"val_loss\",\"metric\":\"val_loss\"}]"), ERR_KEY,
         "$.objectives[0].metric", "beside name"},
        {OWN("\"objectives\":[\"val_loss\",\"seconds\"],\"metric\":{\"name\":\"val_acc\"}"),
         ERR_VALUE, "$.metric.name", "the first objective is the sweep's metric"},
        {OWN("\"objectives\":[\"val_loss\",\"seconds\"],\"metric\":{\"name\":\"val_loss\","
             "\"goal\":\"maximize\"}"),
         ERR_VALUE, "$.metric.goal", "minimize"},
        {PROGRAM("\"objectives\":[\"odd\"]"), ERR_MISSING, "$.objectives[0].goal",
         "minimize or maximize"},
        {PROGRAM("\"objectives\":[\"a_loss\",\"b_loss\",\"c_loss\",\"d_loss\",\"e_loss\",\"f_loss\","
                 "\"g_loss\",\"h_loss\",\"i_loss\"]"),
         ERR_LIMIT, "$.objectives", "1 to 8"},
        {OWN("\"objectives\":[\"val_loss\",\"seconds\"],\"method\":\"pbt\""), ERR_VALUE, "$.method",
         "one metric"},
        {OWN("\"objectives\":[\"val_loss\",\"seconds\"],\"method\":\"cmaes\""), ERR_VALUE,
         "$.method", "one metric"},
        {OWN("\"objectives\":[\"val_loss\",\"seconds\"],\"method\":\"bohb\",\"epochs\":9"),
         ERR_VALUE, "$.method", "one metric"},
        {OWN("\"objectives\":[\"val_loss\",\"seconds\"],\"method\":\"random\","
             "\"early_terminate\":{\"type\":\"curve\"}"),
         ERR_VALUE, "$.early_terminate.type", "one metric"},
    };

    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct errbuf err = {0};
        struct spec s;
        int code = spec_parse_text(cases[i].text, strlen(cases[i].text), &s, &err);
        expect_refusal(&cases[i], code, &err);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(means_what_it_says),
        cmocka_unit_test(goes_with_promotion_and_earlier_sweeps),
        cmocka_unit_test(picks_a_method),
        cmocka_unit_test(says_what_was_read),
        cmocka_unit_test(refused),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
