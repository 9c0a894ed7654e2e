/* Of the runs that repeat the best few some come along the way, in instalments, so that the best
 * mean of two seeds or more is known long before the end. */
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
#include "tests/unit/engine/replayed.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

#define CAP 200
#define LAST 60  /* of them */
#define ALONG 22 /* of those: three quarters of 30, rounded down */
#define SHARE ",\"treat\":false,\"repeat_share\":0.3"

/* --- a sweep's runs -------------------------------------------------------------------------- */

static size_t all_runs(const struct world *w, const struct run_row *rows[CAP + 1])
{
    size_t n = 0;
    while (n <= CAP && (rows[n] = world_run_row(w, 1, (int64_t)n)) != NULL)
        n++;
    return n;
}

static size_t count_stage(const struct world *w, const char *stage)
{
    size_t n = 0;
    for (size_t i = 0; i < w->store.run_count; i++)
        n += strcmp(w->store.runs[i]->stage, stage) == 0;
    return n;
}

/* All of run_cap, and all that repeat. */
static void assert_whole(const struct world *w, size_t along)
{
    const struct run_row *rows[CAP + 1];
    assert_int_equal(world_sweep(w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(all_runs(w, rows), CAP);
    assert_int_equal(count_stage(w, STAGE_CONTENDERS), along);
    assert_int_equal(count_stage(w, STAGE_FINALISTS), LAST - along);
    for (size_t i = CAP - (LAST - along); i < CAP; i++)
        assert_string_equal(rows[i]->stage, STAGE_FINALISTS);
}

static void run_sweep(struct world *w, size_t workers, const char *method, const char *more)
{
    world_init(w, workers, 1);
    world_submit(w, method, PARAMETERS_FULL, CAP, 7, more);
    world_run(w);
}

/* --- when ------------------------------------------------------------------------------------- */

static void what_is_spent_before_the_end(void **state)
{
    static const size_t cases[][2] = {{0, 0},    {15, 0},    {30, 0},   {36, 6},
                                      {60, 30},  {90, 60},   {91, 60},  {150, 100},
                                      {300, 200}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++)
        assert_int_equal(contenders_share(cases[i][0]), cases[i][1]);
}

/* Configurations whose mean by then is better. */
static size_t place_of(const struct run_row *const *rows, size_t until, const struct run_row *root)
{
    size_t better = 0;
    for (size_t i = 0; i < until; i++)
        better += rows[i]->kind == RUN_KIND_SEARCH && rows[i]->metric_value < root->metric_value;
    return better;
}

/* At a quarter, a half and three quarters of 140 runs: by an eighth no six are due. The world's
 * losses are the same from any seed, so that the best by the mean are the best by a run. */
static void they_come_in_instalments(void **state)
{
    static const size_t sizes[] = {7, 8, 7}, search[] = {35, 70, 105};
    struct world w;
    const struct run_row *rows[CAP + 1];
    run_sweep(&w, 3, "random", SHARE);
    assert_whole(&w, ALONG);
    all_runs(&w, rows);
    size_t at = 0;
    for (size_t k = 0; k < ARRAY_LEN(sizes); k++) {
        while (strcmp(rows[at]->stage, STAGE_CONTENDERS) != 0)
            at++;
        size_t before = at;
        for (size_t i = 0; i < at; i++)
            before -= rows[i]->kind == RUN_KIND_REPEAT;
        assert_int_equal(before, search[k]);
        for (size_t i = at; i < at + sizes[k]; i++) {
            const struct run_row *root = rows[rows[i]->parent_id - rows[0]->id];
            assert_int_equal(rows[i]->kind, RUN_KIND_REPEAT);
            assert_string_equal(rows[i]->stage, STAGE_CONTENDERS);
            assert_string_equal(rows[i]->params_json, root->params_json);
            assert_true(rows[i]->seed != root->seed);
            assert_in_range(place_of(rows, at, root), 0, 4);
        }
        at += sizes[k];
        assert_string_not_equal(rows[at]->stage, STAGE_CONTENDERS);
    }
    assert_int_equal(world_decisions(&w, 1, 0, DECISION_REPEATED), LAST);
    assert_non_null(strstr(rows[35]->reason, "place 1 of 35 by the mean"));
    assert_replays(&w, 1);
    world_finish(&w);
}

static void every_search_has_them(void **state)
{
    static const struct {
        const char *method, *more;
        size_t along;
    } cases[] = {{"sobol", "", ALONG}, {"tpe", "", ALONG}, {"gp", "", ALONG},
                 {"cmaes", "", ALONG}, {"bohb", "", ALONG}, {"dehb", "", ALONG},
                 {"random", ",\"early_terminate\":{\"type\":\"median\"}", ALONG},
                 {"coarse_to_fine", ",\"early_terminate\":{\"type\":\"none\"}", ALONG}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct world w;
        char more[160];
        snprintf(more, sizeof(more), SHARE "%s", cases[i].more);
        run_sweep(&w, 2, cases[i].method, more);
        print_message("# %s\n", cases[i].method);
        assert_whole(&w, cases[i].along);
        for (size_t k = 0; k < w.store.run_count; k++)
            if (w.store.runs[k]->kind == RUN_KIND_REPEAT)
                assert_int_equal(w.store.runs[k]->status, RUN_COMPLETED);
        assert_replays(&w, 1);
        world_finish(&w);
    }
}

/* Asked for, in a small sweep, and where runs wait at rungs until others come. */
static void some_searches_have_none(void **state)
{
    static const char *const more[] = {
        SHARE ",\"repeat_along\":false",
        SHARE ",\"early_terminate\":{\"type\":\"successive_halving\",\"promote\":true}"};
    for (size_t i = 0; i < ARRAY_LEN(more); i++) {
        struct world w;
        run_sweep(&w, 2, "random", more[i]);
        assert_whole(&w, 0);
        world_finish(&w);
    }
    struct world w;
    run_sweep(&w, 2, "random", ",\"repeat_share\":0.15");
    assert_int_equal(count_stage(&w, STAGE_CONTENDERS), 0);
    assert_int_equal(count_stage(&w, STAGE_FINALISTS), 30);
    world_finish(&w);
}

static void of_several_objectives_the_front(void **state)
{
    struct world w;
    run_sweep(&w, 2, "tpe", SHARE ",\"objectives\":[\"val_loss\",\"seconds\"]");
    assert_whole(&w, ALONG);
    assert_replays(&w, 1);
    world_finish(&w);
}

/* --- beside what else takes runs -------------------------------------------------------------- */

static void treatments_have_their_share(void **state)
{
    struct world w;
    const struct run_row *rows[CAP + 1];
    size_t treated = 0;
    world_init(&w, 3, 1);
    w.overfit = true;
    world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, CAP, 7,
                 ",\"repeat_share\":0.3,\"early_terminate\":{\"type\":\"none\"}");
    world_run(&w);
    assert_whole(&w, ALONG);
    all_runs(&w, rows);
    for (size_t i = 0; i < CAP; i++) {
        treated += rows[i]->kind == RUN_KIND_TREATMENT;
        if (rows[i]->kind == RUN_KIND_TREATMENT) /* its parent has the seed that it has */
            assert_int_equal(rows[rows[i]->parent_id - rows[0]->id]->seed, rows[i]->seed);
    }
    assert_in_range(treated, 1, CAP / 5);
    assert_replays(&w, 1);
    world_finish(&w);
}

static enum run_error all_fail(const struct run_config *c, int64_t attempt, int64_t *after)
{
    *after = 1;
    return RUN_ERROR_CRASHED;
}

static void none_completed_has_none(void **state)
{
    struct world w;
    const struct run_row *rows[CAP + 1];
    world_init(&w, 2, 1);
    w.fate = all_fail;
    world_submit(&w, "random", PARAMETERS_FULL, CAP, 7, SHARE ",\"limits\":{\"failures\":0}");
    world_run(&w);
    assert_int_equal(all_runs(&w, rows), CAP);
    assert_int_equal(count_stage(&w, "random"), CAP);
    world_finish(&w);
}

static void a_persons_runs_count(void **state)
{
    struct world w;
    const struct run_row *rows[CAP + 1];
    world_init(&w, 2, 1);
    world_submit(&w, "random", PARAMETERS_FULL, CAP, 7, SHARE);
    while (count_stage(&w, STAGE_CONTENDERS) == 0) {
        world_settle(&w);
        world_work(&w, 0);
    }
    for (int i = 0; i < 5; i++)
        world_enqueue(&w, 1, "{\"learning_rate\":0.01,\"batch_size\":32,\"optimizer\":\"adam\","
                             "\"depth\":2}");
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(all_runs(&w, rows), CAP);
    assert_int_equal(count_stage(&w, STAGE_CONTENDERS), ALONG);
    assert_in_range(count_stage(&w, STAGE_FINALISTS), LAST - ALONG - 5, LAST - ALONG);
    world_finish(&w);
}

/* --- the same at any number of workers and through any kill ----------------------------------- */

static char *canonical_of(const char *method, size_t workers, uint64_t seed, unsigned crashes)
{
    struct world w;
    world_init(&w, workers, seed);
    world_submit(&w, method, PARAMETERS_FULL, CAP, 5, SHARE);
    world_settle(&w);
    for (unsigned i = 0; i < crashes; i++) {
        world_wander(&w, 400);
        world_crash(&w, workers, 64);
    }
    world_run(&w);
    assert_whole(&w, ALONG);
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void same_through_workers_and_kills(void **state)
{
    char *one = canonical_of("tpe", 1, 1, 0);
    for (uint64_t seed = 0; seed < 9; seed++) {
        static const size_t workers[] = {1, 2, 7};
        char *other = canonical_of("tpe", workers[seed % 3], 10 + seed, (unsigned)(seed / 3) * 4);
        assert_string_equal(one, other);
        free(other);
    }
    free(one);
}

/* --- what it is worth ------------------------------------------------------------------------- */

struct table {
    struct trial runs[512];
    const struct trial *all[512], *searched[512];
    double truth[512];
    struct study study;
    struct rng rng;
};

static double normal(struct rng *r)
{
    double u = 1 - rng_uniform(r), v = rng_uniform(r);
    return sqrt(-2 * log(u)) * cos(2 * M_PI * v);
}

static void add(struct table *t, const char *stage, size_t parent)
{
    struct study *st = &t->study;
    size_t n = st->all_count++;
    bool searched = parent == TRIAL_NONE;
    t->truth[n] = searched ? normal(&t->rng) : t->truth[parent];
    t->runs[n] = (struct trial){.number = n, .parent = parent, .has_metric = true,
                                .kind = searched ? RUN_KIND_SEARCH : RUN_KIND_REPEAT,
                                .status = RUN_COMPLETED,
                                .metric_value = t->truth[n] + normal(&t->rng)};
    t->runs[n].at.v[0] = searched ? (double)n : t->runs[parent].at.v[0];
    str_copy(t->runs[n].stage, sizeof(t->runs[n].stage), stage);
    t->all[n] = &t->runs[n];
    if (searched)
        t->searched[st->count++] = &t->runs[n];
    st->all = t->all;
    st->trials = t->searched;
}

/* True value of the best by now. */
static double best(const struct table *t)
{
    struct configurations c;
    configurations_init(&c, &t->study);
    double value = t->truth[c.items[0].root];
    configurations_finish(&c);
    return value;
}

static void add_repeats(struct table *t, const struct repeats *r, const char *stage)
{
    for (size_t i = 0; i < r->count; i++)
        add(t, stage, r->items[i].of);
}

/* 400 runs on configurations whose values differ as much as seeds do: of the best after 250 and at
 * the end. */
static void search(struct table *t, const struct spec *s, uint64_t seed, double out[2])
{
    *t = (struct table){.study = {.spec = s, .space = &s->space, .run_cap = 340, .last = 60}};
    rng_init(&t->rng, seed, RNG_SEARCH, 0);
    while (t->study.count < 340) {
        struct repeats r = {0};
        if (contenders_next(&t->study, 100, &r) == ANSWER_RUNS)
            add_repeats(t, &r, STAGE_CONTENDERS);
        else
            add(t, "random", TRIAL_NONE);
        t->study.along += r.count;
        if (t->study.count == 230)
            out[0] = best(t);
        repeats_finish(&r);
    }
    size_t left = 60 - t->study.along;
    struct study end = t->study;
    end.run_cap = end.all_count;
    end.last = left;
    for (size_t begun = 0; begun < left;) {
        struct repeats r = {0};
        end.all_count = t->study.all_count;
        assert_int_equal(finalists_next(&end, begun, 100, &r), ANSWER_RUNS);
        add_repeats(t, &r, STAGE_FINALISTS);
        begun += r.count;
        repeats_finish(&r);
    }
    out[1] = best(t);
}

static void it_pays(void **state)
{
    enum { SEEDS = 300 };
    struct table *t = xcalloc(1, sizeof(*t));
    struct spec s;
    double late[2] = {0}, along[2] = {0};
    spec_make(&s, "random", PARAMETERS_FULL, 400, 1);
    for (uint64_t seed = 0; seed < SEEDS; seed++) {
        for (int k = 0; k < 2; k++) {
            double out[2] = {NAN, NAN};
            s.repeat_along = k == 1;
            search(t, &s, seed, out);
            for (int i = 0; i < 2; i++)
                (k == 1 ? along : late)[i] += out[i] / SEEDS;
        }
    }
    print_message("# mean true value of the best: %.3f on the way and %.3f at the end where all "
                  "repeats come late, %.3f and %.3f with contenders\n",
                  late[0], late[1], along[0], along[1]);
    assert_true(along[0] < late[0] - 0.2);
    assert_true(along[1] < late[1] + 0.05);
    spec_finish(&s);
    free(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_spent_before_the_end),
        cmocka_unit_test(they_come_in_instalments),
        cmocka_unit_test(every_search_has_them),
        cmocka_unit_test(some_searches_have_none),
        cmocka_unit_test(of_several_objectives_the_front),
        cmocka_unit_test(treatments_have_their_share),
        cmocka_unit_test(none_completed_has_none),
        cmocka_unit_test(a_persons_runs_count),
        cmocka_unit_test(same_through_workers_and_kills),
        cmocka_unit_test(it_pays),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("contenders", tests, NULL, NULL);
}
