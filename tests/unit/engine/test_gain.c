/* A search ends early when what is left of it cannot pay: at the same run at any number of workers
 * and through any kill, with a row that says why, and not at all where the key is not there. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "daemon/plan/gain.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"
#include "tests/unit/engine/replayed.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

/* --- the rule -------------------------------------------------------------------------------- */

static void what_stands_still_gains_nothing(void **state)
{
    double costs[64];
    for (size_t i = 0; i < 64; i++)
        costs[i] = 0.25;
    assert_true(gain_expected(costs, 64, 1000) == 0);
    assert_true(gain_expected(costs, 3, 1000) == INFINITY); /* too few say nothing */
    for (size_t i = 0; i < 64; i++)
        costs[i] = i < 16 ? 0.5 : 0.25;
    double once = gain_expected(costs, 64, 64), more = gain_expected(costs, 64, 960);
    assert_true(once >= 0 && more >= once);
}

/* Halved with each doubling, as it came. */
static void a_trend_is_carried_on(void **state)
{
    double costs[64];
    for (size_t i = 0; i < 64; i++)
        costs[i] = 1 + 1 / (double)(i + 1);
    double gain = gain_expected(costs, 64, 64), truth = 1 / 64.0 - 1 / 128.0;
    assert_true(gain > 0.9 * truth && gain < 3 * truth);
}

/* Of independent draws: as much as the same number again gains in the mean. */
static void draws_gain_what_they_gain(void **state)
{
    enum { RUNS = 128, TIMES = 400 };
    double expected = 0, gained = 0;
    for (uint64_t k = 0; k < TIMES; k++) {
        struct rng r;
        double costs[2 * RUNS], first = INFINITY, all = INFINITY;
        rng_init(&r, k, RNG_SEARCH, 0);
        for (size_t i = 0; i < 2 * RUNS; i++) {
            costs[i] = sqrt(rng_uniform(&r));
            first = i < RUNS ? fmin(first, costs[i]) : first;
            all = fmin(all, costs[i]);
        }
        expected += gain_expected(costs, RUNS, RUNS) / TIMES;
        gained += (first - all) / TIMES;
    }
    print_message("# expected %.4f, gained %.4f\n", expected, gained);
    assert_true(expected > 0.5 * gained && expected < 3 * gained);
}

/* --- a sweep --------------------------------------------------------------------------------- */

static const char *const methods[] = {"random", "sobol", "tpe", "gp", "cmaes", "bohb"};

static void submit(struct world *w, const char *method, double least)
{
    char more[96];
    snprintf(more, sizeof(more), ",\"repeat_share\":0.15,\"least_gain\":%.12g", least);
    world_submit(w, method, PARAMETERS_FULL, 100, 7, more);
}

static const struct fake_decision *end_of(const struct world *w)
{
    for (size_t i = 0; i < w->store.decision_count; i++)
        if (w->store.decisions[i].kind == DECISION_ENDED)
            return &w->store.decisions[i];
    return NULL;
}

static size_t runs_of(const struct world *w, bool finalists)
{
    size_t n = 0;
    for (size_t i = 0; i < w->store.run_count; i++)
        n += (strcmp(w->store.runs[i]->stage, STAGE_FINALISTS) == 0) == finalists;
    return n;
}

static void it_ends_and_says_why(void **state)
{
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        struct world w;
        world_init(&w, 3, 1);
        w.checkpoint_every = 1;
        submit(&w, methods[m], 0.2);
        world_run(&w);
        const struct sweep_row *s = world_sweep(&w, 1);
        const struct fake_decision *d = end_of(&w);
        assert_int_equal(s->status, SWEEP_COMPLETED);
        assert_non_null(d);
        print_message("# %s: %s\n", methods[m], d->reason);
        assert_string_equal(d->reason, s->reason);
        assert_non_null(strstr(d->reason, "less than least_gain, 20 %"));
        assert_in_range(runs_of(&w, false), 20, 84);
        assert_int_equal(runs_of(&w, true), 15); /* the best are repeated all the same */
        struct errbuf err;
        int64_t begun = 0, rest = 0;
        struct json *detail = json_parse(d->detail_json, strlen(d->detail_json), &err);
        assert_int_equal(json_get_int64(detail, "begun", &begun, &err), 0);
        assert_int_equal(json_get_int64(detail, "rest", &rest, &err), 0);
        assert_int_equal((size_t)begun, runs_of(&w, false));
        assert_int_equal(begun + rest, 85);
        json_destroy(detail);
        assert_replays(&w, 1);
        world_finish(&w);
    }
}

static char *content(size_t m, double least, size_t workers, uint64_t seed, bool kills)
{
    struct world w;
    world_init(&w, workers, seed);
    w.checkpoint_every = 1;
    submit(&w, methods[m], least);
    for (int step = 0; step < 400 && kills; step++) {
        uint64_t dice = rng_below(&w.rng, 64);
        if (dice == 0)
            world_crash(&w, 1 + rng_below(&w.rng, 7), (unsigned)(seed % 3 * 100));
        else if (dice < 24)
            world_flush(&w);
        else if (dice < 42)
            (void)world_commit(&w);
        else if (w.worker_count > 0)
            world_work(&w, rng_below(&w.rng, w.worker_count));
    }
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    char *text = world_canonical(&w, 1);
    world_finish(&w);
    return text;
}

static void at_the_same_run(void **state)
{
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        char *expected = content(m, 0.2, 1, 1, false);
        for (uint64_t k = 0; k < 4; k++) {
            char *got = content(m, 0.2, k % 2 ? 7 : 2, 10 + k, k > 1);
            assert_string_equal(got, expected);
            free(got);
        }
        free(expected);
    }
}

/* Where the rest is always worth it, the same runs are made as without the key. */
static void what_pays_is_as_without(void **state)
{
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        char *with = content(m, 1e-12, 3, 1, false), *without = content(m, 0, 3, 1, false);
        assert_string_equal(with, without);
        free(with);
        free(without);
    }
}

/* A person who wants more gets more, as far as that is worth it. */
static void it_is_asked_again_when_extended(void **state)
{
    struct world w;
    struct store_restored ended = {0};
    world_init(&w, 2, 1);
    submit(&w, "random", 0.2);
    world_run(&w);
    size_t before = w.store.run_count;
    fake_store_ended(&w.store, 1, &ended);
    struct extension x = {.sweep_id = 1, .what = {.runs = 100000}, .ended = &ended};
    engine_extend(w.engine, &x, NULL, w.now, &w.fx);
    fake_restored_finish(&ended);
    world_settle(&w);
    assert_int_equal(w.refusals, 0);
    for (size_t i = 0; i < 200 && w.worker_count > 0; i++) {
        world_work(&w, 0);
        world_settle(&w);
    }
    assert_true(w.store.run_count > before);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stands_still_gains_nothing),
        cmocka_unit_test(a_trend_is_carried_on),
        cmocka_unit_test(draws_gain_what_they_gain),
        cmocka_unit_test(it_ends_and_says_why),
        cmocka_unit_test(at_the_same_run),
        cmocka_unit_test(what_pays_is_as_without),
        cmocka_unit_test(it_is_asked_again_when_extended),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
