/* Why each run is there: one decision with it, in the batch that brings it. That a decision comes
 * behind its run and in the same batch, world.c says of each. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

static const struct fake_decision *decision_of(const struct world *w, int64_t run_id)
{
    for (size_t i = 0; i < w->store.decision_count; i++)
        if (w->store.decisions[i].run_id == run_id)
            return &w->store.decisions[i];
    return NULL;
}

static void each_run_has_one(void **state)
{
    for (uint64_t seed = 0; seed < 8; seed++) {
        struct world w;
        world_init(&w, 1 + seed, seed);
        w.overfit = true;
        world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, 20, 5, "");
        world_submit(&w, "grid", SIX_DEPTHS, 10, 1, "");
        world_run(&w);
        size_t treated = 0;
        for (size_t i = 0; i < w.store.run_count; i++) {
            const struct run_row *r = w.store.runs[i];
            bool treats = r->kind == RUN_KIND_TREATMENT;
            treated += treats;
            assert_int_equal(world_decisions(&w, r->sweep_id, r->id, DECISION_PROPOSED), !treats);
            assert_int_equal(world_decisions(&w, r->sweep_id, r->id, DECISION_TREATED), treats);
            assert_string_equal(decision_of(&w, r->id)->reason, r->reason); /* the first of it */
        }
        assert_true(treated > 0);
        assert_int_equal(w.store.run_count, 26);
        assert_int_equal(world_decisions(&w, 2, 0, DECISION_ENDED), 1); /* 6 of 10 */
        assert_int_equal(w.store.decision_count,
                         27 + world_decisions(&w, 1, 0, DECISION_CARRIED));
        world_finish(&w);
    }
}

/* Which method auto picked, and why, before any run. */
static void of_a_method_that_was_picked(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_submit(&w, "auto", PARAMETERS_FULL, 10, 1, "");
    world_run(&w);
    assert_int_equal(w.store.decisions[0].kind, DECISION_PICKED);
    assert_int_equal(w.store.decisions[0].run_id, 0);
    assert_non_null(strstr(w.store.decisions[0].reason, "method gp: "));
    assert_int_equal(world_decisions(&w, 1, 0, DECISION_PICKED), 1);
    world_submit(&w, "gp", PARAMETERS_FULL, 10, 1, "");
    assert_int_equal(world_decisions(&w, 2, 0, DECISION_PICKED), 0);
    world_finish(&w);
}

/* A treatment by hand is the one run of a sweep that searches nothing. */
static void of_a_treatment_by_hand(void **state)
{
    struct world w;
    struct spec s;
    struct record_prepared p = {.hash = "abc", .samples = 100, .features = 4, .classes = 2};
    world_init(&w, 1, 1);
    world_grid(&w, ONE_RUN, "");
    world_run(&w);
    const struct run_row *parent = world_run_row(&w, 1, 0);
    struct treatment t = {.settings = parent->config->settings, .epochs = 6};
    t.settings.v[SETTING_L2] = 0.01;
    struct enqueued first = {.kind = RUN_KIND_TREATMENT,
                             .parent_id = parent->id,
                             .parent_settings = parent->config->settings,
                             .has_parent_metric = true,
                             .parent_metric = parent->metric_value * 2,
                             .remedy = REMEDY_L2,
                             .pattern = PATTERN_OVERFITTING,
                             .cause = CAUSE_UNKNOWN,
                             .treatment = &t};
    spec_make(&s, "random", ONE_RUN, 1, 1);
    s.method = METHOD_BY_HAND;
    space_finish(&s.space);
    s.trainer.fixed = t.settings;
    world_submit_spec(&w, &s, &p, &first);
    world_settle(&w);
    assert_string_equal(w.last_reply + strlen(w.last_reply) - 1, "}");
    assert_int_equal(strncmp(w.last_reply, "{\"sweep\":2,", 11), 0);
    assert_non_null(strstr(w.last_reply, "\"run\":2,\"parent\":1,\"remedy\":\"l2\""));
    const struct run_row *r = world_run_row(&w, 2, 0);
    assert_int_equal(r->kind, RUN_KIND_TREATMENT);
    assert_int_equal(r->parent_id, 1);
    assert_true(r->config->settings.v[SETTING_L2] == 0.01);
    assert_string_equal(r->params_json, "{\"train.l2\":0.01}");
    assert_true(w.workers[0].config.settings.v[SETTING_L2] == 0.01);
    assert_int_equal(world_decisions(&w, 2, 2, DECISION_ENQUEUED), 1);
    assert_string_equal(decision_of(&w, 2)->reason, r->reason);
    world_enqueue(&w, 2, "{}");
    world_settle(&w);
    assert_int_equal(w.last_error.code, ERR_STATE); /* it has had its one run */
    world_crash(&w, 1, 256); /* what the parent came to is in the row */
    world_run(&w);
    r = world_run_row(&w, 2, 0);
    assert_int_equal(r->status, RUN_COMPLETED);
    assert_true(r->has_outcome && fabs(r->change + 0.5) < 1e-9);
    assert_int_equal(world_sweep(&w, 2)->status, SWEEP_COMPLETED);
    assert_int_equal(world_decisions(&w, 2, 0, DECISION_ENQUEUED), 1);
    world_finish(&w);
}

/* As a database of version 6 has it: a grid of one combination, whose run is the treatment. It is
 * carried to its end, and nothing is searched beside it. */
static void of_an_older_treatment(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    world_submit(&w, "grid", ONE_RUN, 1, 1, "");
    world_settle(&w);
    struct run_row *r = w.store.runs[0];
    r->kind = RUN_KIND_TREATMENT;
    r->parent_id = 77;
    r->remedy = REMEDY_L2;
    r->treats_pattern = PATTERN_OVERFITTING;
    r->has_parent_metric = true;
    r->parent_metric = 1000;
    world_crash(&w, 1, 256);
    world_run(&w);
    const struct run_row *done = world_run_row(&w, 1, 0);
    assert_int_equal(w.store.run_count, 1);
    assert_int_equal(done->status, RUN_COMPLETED);
    assert_true(done->has_outcome && done->cured && done->change < -0.99);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    world_finish(&w);
}

/* Those of a sweep go with it. */
static void go_with_their_sweep(void **state)
{
    struct world w;
    world_init(&w, 1, 1);
    world_grid(&w, SIX_DEPTHS, "");
    world_grid(&w, ONE_RUN, "");
    world_run(&w);
    assert_int_equal(w.store.decision_count, 9); /* 7 runs, and two ends before run_cap */
    engine_command(w.engine, COMMAND_DELETE, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(w.store.decision_count, 2);
    world_finish(&w);
}

/* A sweep that was held between two stages goes on where it stood. */
static void resumes_at_a_barrier(void **state)
{
    struct world w;
    world_init(&w, 3, 1);
    world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, 12, 1, ",\"treat\":false");
    world_settle(&w);
    assert_int_equal(w.store.run_count, 3);
    while (w.worker_count > 0)
        world_work(&w, 0);
    struct sweep *s = w.engine->sweeps[0];
    for (size_t i = 0; i < 3; i++) { /* all say that the data is at fault */
        s->trials[i]->facts->pattern = PATTERN_DATASET_PROBLEM;
        s->trials[i]->facts->confidence = 0.95;
    }
    world_settle(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_HELD);
    assert_int_equal(w.store.run_count, 3);
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_settle(&w);
    assert_int_equal(w.refusals, 0);
    assert_int_equal(world_sweep(&w, 1)->data_accepted, 1);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(w.store.run_count, 12);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_run_has_one),
        cmocka_unit_test(of_a_method_that_was_picked),
        cmocka_unit_test(of_a_treatment_by_hand),
        cmocka_unit_test(of_an_older_treatment),
        cmocka_unit_test(go_with_their_sweep),
        cmocka_unit_test(resumes_at_a_barrier),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
