/* The last share of run_cap goes to other seeds of the best few, and the winner is the best mean of
 * those that have two or more. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "daemon/plan/configurations.h"
#include "daemon/plan/plan.h"
#include "sweep/buf.h"
#include "sweep/require.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define SHARE ",\"treat\":false,\"repeat_share\":0.15"
#define FOUR "\"optimizer\":{\"values\":[\"adam\",\"sgd\"]},\"batch_size\":{\"values\":[32,64]}"
#define RUNS_MAX 128

static size_t all_runs(const struct world *w, const struct run_row *rows[RUNS_MAX])
{
    size_t n = 0;
    while (n < RUNS_MAX && (rows[n] = world_run_row(w, 1, (int64_t)n)) != NULL)
        n++;
    return n;
}

static size_t count_stage(const struct world *w, const char *stage)
{
    const struct run_row *rows[RUNS_MAX];
    size_t n = 0, count = all_runs(w, rows);
    for (size_t i = 0; i < count; i++)
        n += strcmp(rows[i]->stage, stage) == 0;
    return n;
}

/* They are the last runs of all. */
static void assert_last(const struct world *w, size_t count, size_t finalists)
{
    const struct run_row *rows[RUNS_MAX];
    assert_int_equal(all_runs(w, rows), count);
    assert_int_equal(count_stage(w, STAGE_FINALISTS), finalists);
    for (size_t i = count - finalists; i < count; i++)
        assert_string_equal(rows[i]->stage, STAGE_FINALISTS);
}

static void run_sweep(struct world *w, size_t workers, const char *method, int64_t run_cap,
                      const char *more)
{
    world_init(w, workers, 1);
    world_submit(w, method, PARAMETERS_FULL, run_cap, 7, more);
    world_run(w);
    assert_int_equal(world_sweep(w, 1)->status, SWEEP_COMPLETED);
}

/* --- the rounds ------------------------------------------------------------------------------- */

static void rounds_are_halved(void **state)
{
    static const struct {
        size_t runs, sizes[12];
    } cases[] = {{2, {2}},          {3, {2, 2}},       {4, {3, 2}},
                 {7, {4, 2, 2}},    {15, {8, 4, 2, 2}}, {30, {12, 6, 3, 2, 2, 2, 2, 2}},
                 {1000, {12, 6, 3, 2, 2}}};
    for (size_t k = 0; k < ARRAY_LEN(cases); k++) {
        size_t begun = 0, of_round;
        for (size_t i = 0; i < 12 && cases[k].sizes[i] != 0 && begun < cases[k].runs; i++) {
            assert_int_equal(finalists_round(cases[k].runs, begun, &of_round), cases[k].sizes[i]);
            assert_int_equal(of_round, 0);
            assert_int_equal(finalists_round(cases[k].runs, begun + 1, &of_round),
                             cases[k].sizes[i]);
            assert_int_equal(of_round, 1);
            begun += cases[k].sizes[i];
        }
    }
}

static bool is_parent(const struct run_row *const *rows, size_t from, size_t to, int64_t id)
{
    for (size_t i = from; i < to; i++)
        if (rows[i]->parent_id == id)
            return true;
    return false;
}

static void share_goes_to_the_best(void **state)
{
    struct world w;
    const struct run_row *rows[RUNS_MAX];
    run_sweep(&w, 3, "random", 40, SHARE);
    assert_last(&w, 40, 6); /* 4 and 2 */
    all_runs(&w, rows);
    for (size_t i = 0; i < 34; i++) {
        size_t better = 0;
        for (size_t k = 0; k < 34; k++)
            better += rows[k]->metric_value < rows[i]->metric_value;
        assert_int_equal(is_parent(rows, 34, 38, rows[i]->id), better < 4);
        assert_int_equal(is_parent(rows, 38, 40, rows[i]->id), better < 2);
    }
    for (size_t i = 34; i < 40; i++) {
        const struct run_row *root = rows[rows[i]->parent_id - rows[0]->id];
        assert_int_equal(rows[i]->kind, RUN_KIND_REPEAT);
        assert_string_equal(rows[i]->params_json, root->params_json);
        assert_true(rows[i]->seed == rng_run_seed(7, i < 38 ? 1 : 2));
    }
    assert_int_equal(world_decisions(&w, 1, 0, DECISION_REPEATED), 6);
    assert_non_null(strstr(rows[34]->reason, "place 1 of 34 by the mean"));
    assert_non_null(strstr(rows[38]->reason, "over 2 seeds"));
    world_finish(&w);
}

/* Two at least: by one nothing could be chosen. */
static void small_sweeps_have_none(void **state)
{
    static const struct {
        int64_t cap;
        size_t finalists;
    } cases[] = {{1, 0}, {5, 0}, {13, 0}, {14, 2}, {20, 3}, {27, 4}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        run_sweep(&w, 2, "sobol", cases[i].cap, SHARE);
        assert_last(&w, (size_t)cases[i].cap, cases[i].finalists);
        world_finish(&w);
    }
}

static void every_search_has_them(void **state)
{
    static const char *const methods[] = {"random", "sobol", "coarse_to_fine"};
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        struct world w;
        run_sweep(&w, 2, methods[m], 40, SHARE);
        assert_last(&w, 40, 6);
        world_finish(&w);
    }
}

/* --- beside what else takes runs -------------------------------------------------------------- */

static void treatments_come_before(void **state)
{
    struct world w;
    const struct run_row *rows[RUNS_MAX];
    size_t treated = 0;
    world_init(&w, 3, 1);
    w.overfit = true;
    world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, 60, 7, ",\"repeat_share\":0.2");
    world_run(&w);
    assert_last(&w, 60, 12);
    all_runs(&w, rows);
    for (size_t i = 0; i < 48; i++)
        treated += rows[i]->kind == RUN_KIND_TREATMENT;
    assert_in_range(treated, 1, 12); /* treat_share of run_cap */
    for (size_t i = 48; i < 60; i++) { /* also of a treatment: with all that it changed */
        const struct run_row *root = rows[rows[i]->parent_id - rows[0]->id];
        assert_int_equal(rows[i]->epochs, root->epochs);
        assert_memory_equal(&rows[i]->config->settings, &root->config->settings,
                            sizeof(struct settings));
    }
    world_finish(&w);
}

static void a_space_that_is_tried(void **state)
{
    static const struct {
        const char *more;
        size_t repeats, count;
    } cases[] = {{SHARE, 30, 40}, {SHARE ",\"repeat\":false", 0, 10}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        world_init(&w, 2, 1);
        world_submit(&w, "random", FOUR, 40, 7, cases[i].more);
        world_run(&w);
        assert_last(&w, cases[i].count, 6);
        assert_int_equal(count_stage(&w, STAGE_REPEAT), cases[i].repeats);
        const char *reason = world_sweep(&w, 1)->reason;
        assert_true((reason != NULL) == (cases[i].count < 40));
        world_finish(&w);
    }
}

static void a_grid_when_asked(void **state)
{
    struct world w;
    run_sweep(&w, 2, "coarse_to_fine", 20, ",\"treat\":false");
    assert_last(&w, 20, 0);
    world_finish(&w);
    world_init(&w, 2, 1);
    world_submit(&w, "grid", SIX_DEPTHS, 8, 7, ",\"repeat_share\":0.25");
    world_run(&w);
    assert_last(&w, 8, 2);
    world_finish(&w);
}

/* They take what is left, and never more. */
static void a_persons_runs_count(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_submit(&w, "random", PARAMETERS_FULL, 40, 7, SHARE);
    world_settle(&w);
    for (int i = 0; i < 3; i++)
        world_enqueue(&w, 1, "{\"learning_rate\":0.01,\"batch_size\":32,\"optimizer\":\"adam\","
                             "\"depth\":2}");
    world_run(&w);
    assert_last(&w, 40, 3);
    world_finish(&w);
}

static enum run_error all_fail(const struct run_config *c, int64_t attempt, int64_t *after)
{
    *after = 1;
    return RUN_ERROR_CRASHED;
}

/* Nothing is worth another seed: the search has the runs. */
static void none_completed_gives_them_back(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    w.fate = all_fail;
    world_submit(&w, "random", PARAMETERS_FULL, 40, 7, SHARE ",\"limits\":{\"failures\":0}");
    world_run(&w);
    assert_last(&w, 40, 0);
    world_finish(&w);
}

/* --- failures, cancels, pauses ---------------------------------------------------------------- */

static enum run_error other_seeds_fail(const struct run_config *c, int64_t attempt, int64_t *after)
{
    if (c->seed == rng_run_seed(7, 0) || c->settings.v[SETTING_DEPTH] != 3)
        return RUN_ERROR_NONE;
    *after = 1;
    return RUN_ERROR_CRASHED;
}

/* A repeat that fails counts, and its configuration is out. */
static void a_failed_repeat_is_out(void **state)
{
    struct world w;
    const struct run_row *rows[RUNS_MAX];
    world_init(&w, 2, 1);
    w.fate = other_seeds_fail;
    world_submit(&w, "random", PARAMETERS_FULL, 60, 7, SHARE ",\"limits\":{\"failures\":0}");
    world_run(&w);
    size_t n = all_runs(&w, rows), failed = 0;
    assert_int_equal(n, 60);
    for (size_t i = 0; i < n; i++) {
        failed += rows[i]->status == RUN_FAILED;
        for (size_t k = 0; k < i; k++) /* never again */
            assert_false(rows[k]->status == RUN_FAILED && i > 56 &&
                         rows[k]->parent_id == rows[i]->parent_id);
    }
    assert_true(failed > 0);
    world_finish(&w);
}

static void through_pauses_and_cancels(void **state)
{
    struct world w;
    const struct run_row *rows[RUNS_MAX];
    world_init(&w, 2, 1);
    world_submit(&w, "random", PARAMETERS_FULL, 40, 7, SHARE);
    while (count_stage(&w, STAGE_FINALISTS) == 0) {
        world_settle(&w);
        world_work(&w, 0);
    }
    world_settle(&w);
    all_runs(&w, rows);
    engine_cancel_run(w.engine, rows[35]->id, NULL, w.now, &w.fx);
    engine_command(w.engine, COMMAND_PAUSE, 1, NULL, w.now, &w.fx);
    world_run(&w);
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_last(&w, 40, 6);
    all_runs(&w, rows);
    assert_int_equal(rows[35]->status, RUN_CANCELLED);
    assert_false(is_parent(rows, 38, 40, rows[35]->parent_id)); /* still has one seed alone */
    world_finish(&w);
}

static void they_go_to_their_end(void **state)
{
    struct world w;
    const struct run_row *rows[RUNS_MAX];
    world_init(&w, 2, 1);
    world_submit(&w, "random", PARAMETERS_FULL, 40, 7,
                 SHARE ",\"early_terminate\":{\"type\":\"median\"}");
    world_run(&w);
    assert_last(&w, 40, 6);
    all_runs(&w, rows);
    for (size_t i = 34; i < 40; i++)
        assert_int_equal(rows[i]->status, RUN_COMPLETED);
    world_finish(&w);
}

/* --- weights ---------------------------------------------------------------------------------- */

/* At the end the weights of three runs are there, of three configurations. */
static void three_keep_their_weights(void **state)
{
    struct world w;
    const struct run_row *rows[RUNS_MAX];
    run_sweep(&w, 2, "random", 40, SHARE);
    size_t n = all_runs(&w, rows), kept = 0;
    for (size_t i = 0; i < n; i++) {
        if (w.dropped[rows[i]->id] > 0)
            continue;
        kept++;
        size_t better = 0;
        for (size_t k = 0; k < 34; k++)
            better += rows[k]->metric_value < rows[i]->metric_value;
        assert_in_range(better, 0, 2);
    }
    assert_int_equal(kept, 3);
    world_finish(&w);
}

/* --- the same at any number of workers and through any kill ----------------------------------- */

static char *canonical_of(size_t workers, uint64_t seed, unsigned crashes)
{
    struct world w;
    world_init(&w, workers, seed);
    w.overfit = true;
    world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, 40, 5, ",\"repeat_share\":0.2");
    world_settle(&w);
    for (unsigned i = 0; i < crashes; i++) {
        world_wander(&w, 120);
        world_crash(&w, workers, 64);
    }
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_last(&w, 40, 8);
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void same_through_workers_and_kills(void **state)
{
    char *one = canonical_of(1, 1, 0);
    for (uint64_t seed = 0; seed < 9; seed++) {
        static const size_t workers[] = {1, 2, 7};
        char *other = canonical_of(workers[seed % 3], 10 + seed, (unsigned)(seed / 3) * 4);
        assert_string_equal(one, other);
        free(other);
    }
    free(one);
}

/* --- configurations --------------------------------------------------------------------------- */

struct table {
    struct trial runs[256];
    const struct trial *all[256];
    struct study study;
};

static struct trial *table_add(struct table *t, enum run_kind kind, size_t parent, double value)
{
    size_t n = t->study.all_count++;
    t->runs[n] = (struct trial){.number = n, .kind = kind, .parent = parent, .has_metric = true,
                                .status = RUN_COMPLETED, .metric_value = value};
    t->runs[n].at.v[0] = kind == RUN_KIND_REPEAT ? t->runs[parent].at.v[0] : (double)n;
    t->all[n] = &t->runs[n];
    t->study.all = t->all;
    if (kind == RUN_KIND_SEARCH)
        t->study.count = t->study.all_count;
    return &t->runs[n];
}

static void order_of_configurations(void **state)
{
    struct table *t = xcalloc(1, sizeof(*t));
    struct configurations c;
    static const double values[] = {0.1, 0.2, 0.3, 0.4, 0.05, NAN, 0.6};
    for (size_t i = 0; i < ARRAY_LEN(values); i++)
        table_add(t, RUN_KIND_SEARCH, TRIAL_NONE, values[i]);
    table_add(t, RUN_KIND_REPEAT, 1, 0.4);
    table_add(t, RUN_KIND_REPEAT, 2, 0.25);
    table_add(t, RUN_KIND_REPEAT, 2, 0.26)->status = RUN_CANCELLED;
    table_add(t, RUN_KIND_REPEAT, 4, 0.01)->status = RUN_FAILED;
    table_add(t, RUN_KIND_SEARCH, TRIAL_NONE, 0)->status = RUN_STOPPED;
    configurations_init(&c, &t->study);
    static const size_t order[] = {2, 1, 0, 3, 6, 4};
    assert_int_equal(c.count, ARRAY_LEN(order));
    for (size_t i = 0; i < c.count; i++)
        assert_int_equal(c.items[i].root, order[i]);
    assert_true(fabs(c.items[0].mean - 0.275) < 1e-12);
    assert_true(fabs(c.items[0].sd - 0.05 / sqrt(2)) < 1e-12);
    assert_int_equal(c.items[0].best, 8);
    assert_int_equal(c.items[0].repeats, 2);
    assert_int_equal(c.items[0].seeds, 2);
    assert_true(isnan(c.items[2].sd));
    assert_int_equal(c.items[5].failed, 1);
    configurations_finish(&c);
    free(t);
}

/* --- what it is worth ------------------------------------------------------------------------- */

static double normal(struct rng *r)
{
    double u = 1 - rng_uniform(r), v = rng_uniform(r);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

/* True value of the winner of 100 runs on configurations whose values differ as much as seeds do,
 * the last of them by finalists_next. */
static double winner(struct table *t, const struct space *space, uint64_t seed, size_t last)
{
    struct rng r;
    double truth[256];
    *t = (struct table){.study = {.space = space, .run_cap = 100 - last, .last = last}};
    rng_init(&r, seed, RNG_SEARCH, 0);
    for (size_t i = 0; i < 100 - last; i++) {
        truth[i] = normal(&r);
        table_add(t, RUN_KIND_SEARCH, TRIAL_NONE, truth[i] + normal(&r));
    }
    for (size_t begun = 0; begun < last;) {
        struct repeats p = {0};
        assert_int_equal(finalists_next(&t->study, begun, 100, &p), ANSWER_RUNS);
        for (size_t i = 0; i < p.count; i++)
            table_add(t, RUN_KIND_REPEAT, p.items[i].of, truth[p.items[i].of] + normal(&r));
        begun += p.count;
        repeats_finish(&p);
    }
    struct configurations c;
    configurations_init(&c, &t->study);
    double value = truth[c.items[0].root];
    configurations_finish(&c);
    return value;
}

static void it_pays(void **state)
{
    struct table *t = xcalloc(1, sizeof(*t));
    struct spec s;
    double without = 0, with = 0;
    spec_make(&s, "random", PARAMETERS_FULL, 100, 1);
    for (uint64_t seed = 0; seed < 400; seed++) {
        without += winner(t, &s.space, seed, 0) / 400;
        with += winner(t, &s.space, seed, 15) / 400;
    }
    printf("# mean true value of the winner: %.3f without, %.3f with\n", without, with);
    assert_true(with < without - 0.1);
    spec_finish(&s);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rounds_are_halved),
        cmocka_unit_test(share_goes_to_the_best),
        cmocka_unit_test(small_sweeps_have_none),
        cmocka_unit_test(every_search_has_them),
        cmocka_unit_test(treatments_come_before),
        cmocka_unit_test(a_space_that_is_tried),
        cmocka_unit_test(a_grid_when_asked),
        cmocka_unit_test(a_persons_runs_count),
        cmocka_unit_test(none_completed_gives_them_back),
        cmocka_unit_test(a_failed_repeat_is_out),
        cmocka_unit_test(through_pauses_and_cancels),
        cmocka_unit_test(they_go_to_their_end),
        cmocka_unit_test(three_keep_their_weights),
        cmocka_unit_test(same_through_workers_and_kills),
        cmocka_unit_test(order_of_configurations),
        cmocka_unit_test(it_pays),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("finalists", tests, NULL, NULL);
}
