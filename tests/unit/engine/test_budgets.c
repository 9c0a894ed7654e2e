/* Methods that learn from runs of different length: what they see of each rung, what they refuse,
 * that they are the same however they are asked, and better than chance for the same epochs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/plan/search/budgets.h"
#include "sweep/buf.h"
#include "tests/unit/engine/rung_table.h"
#include "tests/unit/engine/shuffled.h"
#include "tests/unit/engine/world.h"

static const char *const methods[] = {"bohb", "dehb"};
#define METHODS (sizeof(methods) / sizeof(*methods))

/* --- what is seen ---------------------------------------------------------------------------- */

static void add(struct history *h, const struct spec *s, double depth, struct trial ended)
{
    struct proposal p = {.at = {{depth}}};
    struct trial *t = history_add(h, s, &p);
    t->status = ended.status;
    t->error = ended.error;
    t->has_metric = true;
    t->metric_value = ended.metric_value;
    t->rungs = ended.rungs;
    t->rung_count = ended.rung_count;
}

static void expect_ranking(const struct past *p, size_t count, const double *depths)
{
    assert_int_equal(past_count(p), count);
    for (size_t i = 0; i < count; i++)
        assert_float_equal(past_places(p, p->ranking[i])[0], depths[i] - 1, 1e-9);
}

/* Rungs 1 and 3, the end at 6: at each, those that were there, by what they had come to. */
static void each_rung_by_itself(void **state)
{
    struct rung a[] = {{1, 0.5}, {3, 0.4}}, b[] = {{1, 0.3}}, c[] = {{1, NAN}}, d[] = {{3, 0.2}};
    struct spec s;
    struct history h = {0};
    struct budgets own;
    spec_make(&s, "bohb", "\"depth\":{\"min\":1,\"max\":8}", 20, 1);
    s.lag = 1;
    add(&h, &s, 1, (struct trial){.status = RUN_COMPLETED, .metric_value = 0.1, .rungs = a,
                                  .rung_count = 2});
    add(&h, &s, 2, (struct trial){.status = RUN_STOPPED, .metric_value = 0.3, .rungs = b,
                                  .rung_count = 1});
    add(&h, &s, 3, (struct trial){.status = RUN_FAILED, .error = RUN_ERROR_NOT_A_NUMBER,
                                  .metric_value = NAN, .rungs = c, .rung_count = 1});
    add(&h, &s, 4, (struct trial){.status = RUN_COMPLETED, .metric_value = 0.6, .rungs = d,
                                  .rung_count = 1}); /* of a bracket without the first rung */
    add(&h, &s, 5, (struct trial){.status = RUN_CANCELLED});
    add(&h, &s, 6, (struct trial){.status = RUN_QUEUED});
    struct study st;
    study_init(&st, &s);
    st.count = st.all_count = h.count;
    st.all = st.trials = (const struct trial *const *)h.trials;
    struct budgets *seen = budgets_open(&st, 6, &own);
    assert_int_equal(seen->count, 3);
    assert_int_equal(seen->pasts[1].epoch, 3);
    expect_ranking(&seen->pasts[0], 3, (double[]){2, 1, 3});
    expect_ranking(&seen->pasts[1], 3, (double[]){4, 1, 3});
    expect_ranking(&seen->pasts[2], 3, (double[]){1, 4, 3});
    budgets_close(seen, &own);
    history_finish(&h);
    spec_finish(&s);
}

/* --- what is refused ------------------------------------------------------------------------- */

static void expect_refused(const char *method, const char *more, const char *key)
{
    struct spec s;
    struct errbuf err = {0};
    spec_make_with(&s, method, "\"depth\":{\"min\":1,\"max\":8}", 40, 1, more);
    if (method_check(&s, &err) == 0)
        fail_msg("%s%s", method, more);
    assert_string_equal(err.key, key);
    assert_non_null(strstr(err.message, method));
    spec_finish(&s);
}

static void needs_rungs(void **state)
{
    for (size_t i = 0; i < METHODS; i++) {
        struct spec s;
        spec_make(&s, methods[i], "\"depth\":{\"min\":1,\"max\":8}", 40, 1);
        assert_int_equal(s.stop.rule, STOP_HYPERBAND);
        assert_int_equal(stop_next_rung(&s.stop, 0, 0, 6), 1);
        assert_int_equal(stop_next_rung(&s.stop, 0, 1, 6), 3);
        assert_int_equal(method_check(&s, NULL), 0);
        spec_finish(&s);
        expect_refused(methods[i], ",\"early_terminate\":{\"type\":\"none\"}",
                       "$.early_terminate.type");
        expect_refused(methods[i], ",\"early_terminate\":{\"type\":\"median\"}",
                       "$.early_terminate.type");
        expect_refused(methods[i], ",\"early_terminate\":{\"type\":\"hyperband\",\"min_iter\":6}",
                       "$.epochs");
    }
}

static void bounded_rungs(void **state)
{
    for (size_t i = 0; i < METHODS; i++) {
        struct spec s;
        struct errbuf err = {0};
        spec_make_with(&s, methods[i], "\"depth\":{\"min\":1,\"max\":8}", 40, 1,
                       ",\"early_terminate\":{\"type\":\"successive_halving\",\"every\":2}");
        s.epochs = 64; /* 1, 3, … 63 and the end */
        assert_int_not_equal(method_check(&s, &err), 0);
        assert_string_equal(err.key, "$.early_terminate.every");
        s.epochs = 62;
        assert_int_equal(method_check(&s, &err), 0);
        spec_finish(&s);
    }
}

/* --- the same however it is asked ------------------------------------------------------------ */

static struct rung rungs_of[200][2];

static void answer_rungs(struct trial *t, size_t number, void *arg)
{
    answer_landscape(t, number, arg);
    t->rungs = rungs_of[number];
    rungs_of[number][0] = (struct rung){1, t->metric_value * 2};
    rungs_of[number][1] = (struct rung){3, t->metric_value * 1.5};
    t->rung_count = 2;
    if (number % 11 == 5) {
        t->status = RUN_FAILED;
        t->rung_count = 0;
    } else if (number % 3 != 0) {
        t->status = RUN_STOPPED;
        t->rung_count = 1 + number % 2;
        t->metric_value = t->rungs[t->rung_count - 1].value;
    }
}

static void same_however_it_is_asked(void **state)
{
    static const struct shuffled ways[] = {
        {.workers = 1, .want = 1000, .answer = answer_rungs},
        {.workers = 7, .want = 1000, .order = 2, .answer = answer_rungs},
        {.workers = 7, .want = 3, .order = 3, .answer = answer_rungs},
        {.workers = 9, .want = 1000, .order = 4, .forgets = true, .answer = answer_rungs},
    };
    for (size_t m = 0; m < METHODS; m++) {
        struct spec s;
        struct history first, other;
        spec_make(&s, methods[m], PARAMETERS_FULL, 120, 4);
        shuffled_run(&first, &s, &ways[0]);
        assert_int_equal(first.count, 120);
        assert_true(history_in_range(&first, &s));
        for (size_t i = 1; i < sizeof(ways) / sizeof(*ways); i++) {
            shuffled_run(&other, &s, &ways[i]);
            for (size_t k = 0; k < first.count; k++)
                assert_string_equal(first.reasons[k], other.reasons[k]);
            assert_true(history_same(&first, &other, first.count));
            history_finish(&other);
        }
        history_finish(&first);
        spec_finish(&s);
    }
}

/* The whole engine, crashed now and then. Its canonical content; the caller's to free. */
static char *swept(const char *method, size_t workers, uint64_t seed, bool crashes)
{
    struct world w;
    world_init(&w, workers, seed);
    w.checkpoint_every = 1;
    world_submit(&w, method, PARAMETERS_FULL, 40, 1, ",\"treat\":false,\"repeat_share\":0");
    world_flush(&w);
    world_commit(&w);
    world_stumble(&w, crashes ? 4 : 0, 60, (unsigned)(seed % 3 * 100));
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_true(world_count(&w, 1, RUN_STOPPED) > 5);
    assert_int_equal(world_count(&w, 1, RUN_STOPPED) + world_count(&w, 1, RUN_COMPLETED), 40);
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void same_at_any_number_of_workers(void **state)
{
    for (size_t m = 0; m < METHODS; m++) {
        char *expected = swept(methods[m], 1, 3, false);
        for (size_t k = 0; k < 6; k++) {
            char *got = swept(methods[m], k % 2 ? 2 : 7, 40 + k, k >= 2);
            assert_string_equal(got, expected);
            free(got);
        }
        free(expected);
    }
}

/* --- on recorded curves ---------------------------------------------------------------------- */

#define HYPERBAND ",\"early_terminate\":{\"type\":\"hyperband\"}"

/* For as many epochs: than draws of chance that train to their end, and than hyperband, whose
 * configurations are draws of chance. */
static void better_than_chance(void **state)
{
    for (size_t i = 0; i < METHODS; i++) {
        rung_table_must_win(&(struct rung_table_match){methods[i], "", "random", "", 30 * 27});
        rung_table_must_win(&(struct rung_table_match){methods[i], "", "random", HYPERBAND, 30 * 27});
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_rung_by_itself),
        cmocka_unit_test(needs_rungs),
        cmocka_unit_test(bounded_rungs),
        cmocka_unit_test(same_however_it_is_asked),
        cmocka_unit_test(same_at_any_number_of_workers),
        cmocka_unit_test(better_than_chance),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
