/* No configuration is trained twice for nothing: each once, whoever asked for it, and then again
 * with seeds of their own, or the sweep ends and says why. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "daemon/plan/search/space.h"
#include "sweep/buf.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define FOUR "\"optimizer\":{\"values\":[\"adam\",\"sgd\"]},\"batch_size\":{\"values\":[32,64]}"
#define RUNS_MAX 64

/* All runs of the sweep by number. */
static size_t all_runs(const struct world *w, const struct run_row *rows[RUNS_MAX])
{
    size_t n = 0;
    for (; n < RUNS_MAX; n++) {
        rows[n] = world_run_row(w, 1, (int64_t)n);
        if (rows[n] == NULL)
            break;
    }
    return n;
}

static size_t count_kind(const struct world *w, enum run_kind kind)
{
    const struct run_row *rows[RUNS_MAX];
    size_t n = 0, count = all_runs(w, rows);
    for (size_t i = 0; i < count; i++)
        n += rows[i]->kind == kind;
    return n;
}

/* No two runs have the same values and the same seed. */
static void assert_all_differ(const struct world *w)
{
    const struct run_row *rows[RUNS_MAX];
    size_t count = all_runs(w, rows);
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < i; k++)
            if (strcmp(rows[i]->params_json, rows[k]->params_json) == 0 &&
                rows[i]->seed == rows[k]->seed)
                fail_msg("runs %zu and %zu are the same: %s", k, i, rows[i]->params_json);
}

static void run_sweep(struct world *w, const char *method, int64_t run_cap, const char *more)
{
    world_init(w, 2, 1);
    world_submit(w, method, FOUR, run_cap, 7, more);
    world_run(w);
    assert_int_equal(world_sweep(w, 1)->status, SWEEP_COMPLETED);
}

/* --- the rest of run_cap --------------------------------------------------------------------- */

static void the_rest_is_repeats(void **state)
{
    static const char *const methods[] = {"random", "sobol"};
    for (size_t m = 0; m < 2; m++) {
        struct world w;
        const struct run_row *rows[RUNS_MAX];
        run_sweep(&w, methods[m], 40, "");
        assert_int_equal(all_runs(&w, rows), 40);
        assert_int_equal(count_kind(&w, RUN_KIND_SEARCH), 4);
        assert_int_equal(count_kind(&w, RUN_KIND_REPEAT), 36);
        assert_int_equal(world_decisions(&w, 1, 0, DECISION_PROPOSED), 4);
        assert_int_equal(world_decisions(&w, 1, 0, DECISION_REPEATED), 36);
        assert_int_equal(world_decisions(&w, 1, 0, DECISION_ENDED), 0);
        assert_null(world_sweep(&w, 1)->reason);
        assert_all_differ(&w);
        for (size_t i = 4; i < 40; i++) { /* in rounds, by the number of the first */
            const struct run_row *root = rows[i % 4];
            assert_int_equal(rows[i]->parent_id, root->id);
            assert_string_equal(rows[i]->params_json, root->params_json);
            assert_true(rows[i]->seed == rng_run_seed(7, i / 4));
            assert_string_equal(rows[i]->stage, STAGE_REPEAT);
        }
        assert_string_equal(rows[5]->reason, "repeat 1 of #1, with a seed of its own: all 4 "
                                             "configurations were tried");
        world_finish(&w);
    }
}

/* Of a round that run_cap does not allow whole: the best, and so not before all have ended. */
static void a_last_part_goes_to_the_best(void **state)
{
    struct world w;
    const struct run_row *rows[RUNS_MAX];
    run_sweep(&w, "random", 10, "");
    assert_int_equal(all_runs(&w, rows), 10);
    size_t better = 0;
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(rows[4 + i]->parent_id, rows[i]->id);
        better += rows[i]->metric_value < rows[rows[8]->parent_id - rows[0]->id]->metric_value;
    }
    assert_int_equal(better, 0); /* than the root of the first of the last part */
    assert_int_not_equal(rows[9]->parent_id, rows[8]->parent_id);
    world_finish(&w);
}

static void repeat_false_ends_and_says_why(void **state)
{
    static const char *const methods[] = {"random", "sobol", "grid", "coarse_to_fine"};
    for (size_t m = 0; m < 4; m++) {
        struct world w;
        const struct run_row *rows[RUNS_MAX];
        run_sweep(&w, methods[m], 40, m < 2 ? ",\"repeat\":false" : ",\"treat\":false");
        assert_int_equal(all_runs(&w, rows), 4);
        assert_all_differ(&w);
        const char *reason = world_sweep(&w, 1)->reason;
        assert_non_null(strstr(reason, "every configuration was tried, after 4 of 40 runs"));
        assert_non_null(strstr(reason, "\"repeat\": true"));
        assert_int_equal(world_decisions(&w, 1, 0, DECISION_ENDED), 1);
        world_finish(&w);
    }
}

static void any_method_repeats_when_asked(void **state)
{
    static const char *const methods[] = {"grid", "coarse_to_fine"};
    for (size_t m = 0; m < 2; m++) {
        struct world w;
        run_sweep(&w, methods[m], 13, ",\"repeat\":true");
        assert_int_equal(count_kind(&w, RUN_KIND_SEARCH), 4);
        assert_int_equal(w.store.run_count, 13);
        assert_all_differ(&w);
        world_finish(&w);
    }
}

/* --- beside other runs ------------------------------------------------------------------------ */

/* What a person asked for counts as tried, and is repeated like any other. */
static void enqueued_counts_as_tried(void **state)
{
    static const char *const methods[] = {"random", "sobol", "grid"};
    for (size_t m = 0; m < 3; m++) {
        struct world w;
        struct spec s;
        struct enqueued first = {.kind = RUN_KIND_SEARCH};
        const struct record_prepared prepared = {.samples = 100};
        const struct run_row *rows[RUNS_MAX];
        world_init(&w, 2, 1);
        spec_make(&s, methods[m], FOUR, 12, 7);
        s.repeat = true;
        space_nth(&s.space, 0, 2, &first.at);
        world_submit_spec(&w, &s, &prepared, &first);
        world_run(&w);
        assert_int_equal(all_runs(&w, rows), 12);
        assert_int_equal(count_kind(&w, RUN_KIND_SEARCH), 4);
        assert_string_equal(rows[0]->stage, STAGE_ENQUEUED);
        assert_all_differ(&w);
        world_finish(&w);
    }
}

/* Without repeats of what a person has cancelled. */
static void cancelled_is_not_repeated(void **state)
{
    struct world w;
    const struct run_row *rows[RUNS_MAX];
    world_init(&w, 1, 1);
    world_submit(&w, "random", FOUR, 10, 7, "");
    engine_cancel_run(w.engine, 3, NULL, w.now, &w.fx);
    world_run(&w);
    assert_int_equal(all_runs(&w, rows), 10);
    for (size_t i = 4; i < 10; i++)
        assert_true(rows[i]->kind == RUN_KIND_REPEAT && rows[i]->parent_id != 3);
    world_finish(&w);
}

/* Nothing that is known is forgotten where the space has no end. */
static void continuous_spaces_are_as_they_were(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_submit(&w, "random", PARAMETERS_FULL, 20, 7, "");
    world_run(&w);
    assert_int_equal(count_kind(&w, RUN_KIND_SEARCH), 20);
    assert_null(world_sweep(&w, 1)->reason);
    world_finish(&w);
}

/* Treatments first, then what is left. */
static void treatments_come_before_repeats(void **state)
{
    struct world w;
    const struct run_row *rows[RUNS_MAX];
    bool repeated = false;
    world_init(&w, 3, 1);
    w.overfit = true;
    world_submit(&w, "random", FOUR, 20, 7, ",\"treat\":true,\"treat_share\":0.4");
    world_run(&w);
    size_t count = all_runs(&w, rows);
    assert_int_equal(count, 20);
    assert_true(count_kind(&w, RUN_KIND_TREATMENT) > 0);
    for (size_t i = 0; i < count; i++) {
        repeated |= rows[i]->kind == RUN_KIND_REPEAT;
        assert_true(repeated || rows[i]->kind != RUN_KIND_REPEAT);
        assert_true(i >= 4 || rows[i]->kind == RUN_KIND_SEARCH);
    }
    assert_true(repeated);
    assert_all_differ(&w);
    world_finish(&w);
}

/* --- the same at any number of workers and through any kill ---------------------------------- */

static char *canonical_of(size_t workers, uint64_t seed, unsigned crashes)
{
    struct world w;
    world_init(&w, workers, seed);
    world_submit(&w, "random", FOUR, 18, 5, "");
    world_settle(&w);
    for (unsigned i = 0; i < crashes; i++) {
        world_wander(&w, 60);
        world_crash(&w, workers, 64);
    }
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_all_differ(&w);
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void same_through_workers_and_kills(void **state)
{
    char *one = canonical_of(1, 1, 0);
    for (uint64_t seed = 0; seed < 12; seed++) {
        char *other = canonical_of(1 + seed % 5, 10 + seed, (unsigned)(seed % 4) * 3);
        assert_string_equal(one, other);
        free(other);
    }
    free(one);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_rest_is_repeats),
        cmocka_unit_test(a_last_part_goes_to_the_best),
        cmocka_unit_test(repeat_false_ends_and_says_why),
        cmocka_unit_test(any_method_repeats_when_asked),
        cmocka_unit_test(enqueued_counts_as_tried),
        cmocka_unit_test(cancelled_is_not_repeated),
        cmocka_unit_test(continuous_spaces_are_as_they_were),
        cmocka_unit_test(treatments_come_before_repeats),
        cmocka_unit_test(same_through_workers_and_kills),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
