/* Stages with rungs of their own: where they are the default, which runs are held against which,
 * and that the same runs go on at any number of workers and through crashes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/stop/by_stage.h"
#include "daemon/plan/stop/ladder.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

/* --- the specification ----------------------------------------------------------------------- */

#define COMMAND "\"run_cap\":40,\"task\":{\"command\":[\"x\"],\"can_resume\":true},\"metric\":" \
                "{\"name\":\"loss\",\"goal\":\"minimize\"},"
#define SWEPT "\"parameters\":{\"learning_rate\":{\"min\":0.001,\"max\":0.1}}"

static int parse(const char *members, struct spec *s, struct errbuf *err)
{
    char *text = xasprintf("{%s," SWEPT "}", members);
    int rc = spec_parse_text(text, strlen(text), s, err);
    free(text);
    return rc;
}

static void must_parse(const char *members, struct spec *s)
{
    struct errbuf err = {0};
    if (parse(members, s, &err) != 0)
        fail_msg("%s: %s", members, err.message);
}

/* As it is read, and as it is read again from its canonical form. */
static void expect_default(const char *members, bool by_stage, enum stop_rule_id rule)
{
    for (int again = 0; again < 2; again++) {
        struct spec s, t;
        struct errbuf err = {0};
        must_parse(members, &s);
        struct buf b = {0};
        struct json_writer w;
        jw_init(&w, &b);
        spec_write(&s, &w);
        char *canonical = buf_take(&b);
        assert_int_equal(spec_parse_text(canonical, strlen(canonical), &t, &err), 0);
        const struct spec *own = again ? &t : &s;
        assert_int_equal(own->stop.by_stage, by_stage);
        assert_int_equal(own->stop.promote, by_stage);
        assert_int_equal(own->stop.rule, rule);
        free(canonical);
        spec_finish(&s);
        spec_finish(&t);
    }
}

static void where_it_is_the_default(void **state)
{
    expect_default(COMMAND "\"epochs\":18", true, STOP_SUCCESSIVE_HALVING);
    expect_default(COMMAND "\"epochs\":9", true, STOP_SUCCESSIVE_HALVING);
    expect_default(COMMAND "\"epochs\":8", false, STOP_NONE);
    expect_default(COMMAND "\"epochs\":18,\"method\":\"random\"", false, STOP_NONE);
    expect_default(COMMAND "\"epochs\":18,\"early_terminate\":{\"type\":\"none\"}", false,
                   STOP_NONE);
    expect_default(COMMAND "\"epochs\":18,\"early_terminate\":{\"type\":\"median\"}", false,
                   STOP_MEDIAN);
    expect_default("\"run_cap\":40,\"task\":{\"command\":[\"x\"]},\"metric\":"
                   "{\"name\":\"loss\",\"goal\":\"minimize\"},\"epochs\":18",
                   false, STOP_NONE); /* begins anew */
    expect_default(COMMAND "\"epochs\":18,\"method\":\"coarse_to_fine\",\"objectives\":["
                   "{\"name\":\"loss\",\"goal\":\"minimize\"},\"seconds\"]", false, STOP_NONE);
}

static void rungs_of_stages(void **state)
{
    struct spec s;
    must_parse(COMMAND "\"epochs\":27", &s);
    assert_int_equal(stop_first_rung(&s.stop, "coarse", 4, 27), 3);
    assert_int_equal(stop_first_rung(&s.stop, "sgd", 4, 27), 3);
    assert_int_equal(stop_first_rung(&s.stop, "fine", 4, 27), 9);
    assert_int_equal(stop_next_rung(&s.stop, 4, 3, 27), 9);
    assert_int_equal(stop_next_rung(&s.stop, 4, 9, 27), 0);
    struct trial t = {.status = RUN_STOPPED, .rung_count = 1};
    assert_true(stop_cut_short(&s.stop, &t));
    t.rung_count = 0; /* by its own patience */
    assert_false(stop_cut_short(&s.stop, &t));
    t = (struct trial){.status = RUN_COMPLETED, .rung_count = 2};
    assert_false(stop_cut_short(&s.stop, &t));
    t = (struct trial){.status = RUN_STOPPED, .rung_count = 1};
    s.stop.by_stage = false;
    assert_false(stop_cut_short(&s.stop, &t));
    assert_int_equal(stop_first_rung(&s.stop, "fine", 4, 27), 3);
    spec_finish(&s);
}

static void of_few_epochs_there_is_one(void **state)
{
    struct spec s;
    must_parse(COMMAND "\"epochs\":17", &s);
    assert_int_equal(stop_first_rung(&s.stop, "coarse", 4, 17), 5);
    assert_int_equal(stop_first_rung(&s.stop, "sgd", 4, 17), 5);
    assert_int_equal(stop_next_rung(&s.stop, 4, 5, 17), 0);
    assert_int_equal(stop_first_rung(&s.stop, "fine", 4, 17), 0);
    spec_finish(&s);
}

static void refused(void **state)
{
    static const char *const bad[] = {
        "\"epochs\":18,\"method\":\"random\",\"early_terminate\":"
        "{\"type\":\"successive_halving\",\"promote\":true,\"by_stage\":true}",
        "\"epochs\":18,\"early_terminate\":{\"type\":\"successive_halving\",\"by_stage\":true}",
        "\"epochs\":18,\"early_terminate\":{\"type\":\"median\",\"by_stage\":true}",
        "\"epochs\":18,\"early_terminate\":"
        "{\"type\":\"successive_halving\",\"promote\":true,\"by_stage\":1}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct spec s;
        struct errbuf err = {0};
        char *members = xasprintf(COMMAND "%s", bad[i]);
        if (parse(members, &s, &err) == 0)
            fail_msg("%s", bad[i]);
        assert_string_equal(err.key, "$.early_terminate.by_stage");
        free(members);
    }
}

/* --- through the engine ---------------------------------------------------------------------- */

#define RUNS 60
/* Of six epochs: rungs 1 and 3. */
#define BY_STAGE \
    ",\"repeat_share\":0,\"early_terminate\":{\"type\":\"successive_halving\",\"eta\":2," \
    "\"max_iter\":6,\"s\":2,\"promote\":true,\"by_stage\":true}"

/* Of the other optimizers one run each has gone on to its end at least, and all runs of the first
 * two stages are held against each other. */
static void check_tries(const struct world *w)
{
    size_t whole[OPTIMIZER_COUNT] = {0}, begun[OPTIMIZER_COUNT] = {0};
    for (int64_t i = 0; i < RUNS; i++) {
        const struct run_row *r = world_run_row(w, 1, i);
        size_t optimizer = (size_t)r->config->settings.v[SETTING_OPTIMIZER];
        begun[optimizer]++;
        whole[optimizer] += r->status == RUN_COMPLETED;
        if (strcmp(r->stage, "fine") == 0 && r->kind == RUN_KIND_SEARCH)
            assert_true(r->until_epoch == 0 || r->until_epoch == 3);
        if (r->kind == RUN_KIND_TREATMENT) /* of no short curve */
            assert_int_not_equal(world_run_row(w, 1, r->parent_id - 1)->status, RUN_STOPPED);
    }
    for (size_t i = 0; i < OPTIMIZER_COUNT; i++)
        assert_true(begun[i] == 0 || whole[i] > 0);
}

static char *swept(size_t workers, uint64_t seed, bool crashes, const char *more)
{
    struct world w;
    char *all = xasprintf(BY_STAGE "%s", more);
    world_init(&w, workers, seed);
    w.checkpoint_every = 1;
    world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, RUNS, 1, all);
    free(all);
    world_flush(&w);
    world_commit(&w);
    world_stumble(&w, crashes ? 4 : 0, 60, (unsigned)(seed % 3 * 100));
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_true(world_count(&w, 1, RUN_STOPPED) > RUNS / 4);
    assert_int_equal(world_count(&w, 1, RUN_STOPPED) + world_count(&w, 1, RUN_COMPLETED), RUNS);
    check_tries(&w);
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void same_at_any_number_of_workers(void **state)
{
    static const char *const more[] = {",\"treat\":false", ",\"treat\":true"};
    for (size_t m = 0; m < 2; m++) {
        char *expected = swept(1, 3, false, more[m]);
        for (size_t k = 0; k < 6; k++) {
            char *got = swept(k % 2 ? 2 : 7, 40 + k, k >= 2, more[m]);
            assert_string_equal(got, expected);
            free(got);
        }
        free(expected);
    }
}

/* --- one honest try --------------------------------------------------------------------------- */

#define GROUP 9 /* runs of each of two optimizers, at rung 3 of 27 epochs */

/* Whether run i went on from rung 3. */
static void climb(const struct spec *s, const double *values, bool went_on[2 * GROUP])
{
    struct trial trials[2 * GROUP] = {0};
    const struct trial *pointers[2 * GROUP];
    struct rung rungs[2 * GROUP];
    struct study st;
    struct ladder *l = ladder_create();
    study_init(&st, s);
    for (size_t i = 0; i < 2 * GROUP; i++) {
        rungs[i] = (struct rung){.epoch = 3, .value = values[i]};
        trials[i] = (struct trial){.number = i, .epochs = 27, .status = RUN_PAUSED,
                                   .rungs = &rungs[i], .rung_count = 1};
        trials[i].at.v[1] = i < GROUP ? 0 : 1; /* adam, sgd */
        str_copy(trials[i].stage, sizeof(trials[i].stage), i < GROUP ? "coarse" : "sgd");
        pointers[i] = &trials[i];
    }
    st.trials = st.all = pointers;
    st.count = st.all_count = 2 * GROUP;
    for (bool more = true; more;) { /* who goes on ends at once; a flush when all the others wait */
        more = false;
        ladder_advance(l, &st);
        for (size_t i = 0; i < 2 * GROUP; i++) {
            struct rung_verdict v;
            ladder_decide(l, &st, &trials[i], &v);
            went_on[i] = v.verdict == VERDICT_GO_ON;
            more |= went_on[i] && trials[i].status == RUN_PAUSED;
            trials[i].status = went_on[i] ? RUN_COMPLETED : RUN_PAUSED;
        }
        more = more || ladder_flush(l);
    }
    ladder_destroy(l);
}

static size_t count_on(const bool *went_on)
{
    size_t n = 0;
    for (size_t i = 0; i < GROUP; i++)
        n += went_on[i];
    return n;
}

static void one_honest_try(void **state)
{
    struct spec s;
    struct errbuf err = {0};
    static const char text[] =
        "{" COMMAND "\"epochs\":27,\"parameters\":{\"learning_rate\":{\"min\":0.001,\"max\":0.1},"
        "\"optimizer\":{\"values\":[\"adam\",\"sgd\"]}}}";
    assert_int_equal(spec_parse_text(text, sizeof(text) - 1, &s, &err), 0);
    double values[2 * GROUP];
    bool went_on[2 * GROUP];
    for (size_t i = 0; i < GROUP; i++) { /* large rates first: each better than the one before */
        values[i] = 2 - 0.1 * (double)i;
        values[GROUP + i] = 9 - 0.1 * (double)i; /* far behind */
    }
    climb(&s, values, went_on);
    assert_true(count_on(went_on) >= 3);
    assert_int_equal(count_on(went_on + GROUP), 1);
    assert_true(went_on[2 * GROUP - 1]); /* its best */
    for (size_t i = 0; i < GROUP; i++) /* as good as the first optimizer's best: as many go on */
        values[GROUP + i] = 1 - 0.01 * (double)i;
    climb(&s, values, went_on);
    assert_true(count_on(went_on + GROUP) >= 3);
    spec_finish(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_it_is_the_default),
        cmocka_unit_test(rungs_of_stages),
        cmocka_unit_test(of_few_epochs_there_is_one),
        cmocka_unit_test(refused),
        cmocka_unit_test(same_at_any_number_of_workers),
        cmocka_unit_test(one_honest_try),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
