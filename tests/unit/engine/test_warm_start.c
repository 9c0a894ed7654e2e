/* A search that begins with what earlier sweeps came to: what is taken of them, that it helps, and
 * that it stays what it was at submit. */
#include <inttypes.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "daemon/engine/warm.h"
#include "sweep/buf.h"
#include "sweep/require.h"
#include "tests/unit/engine/replayed.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

static const struct record_prepared prepared = {
    .hash = "abc", .samples = 100, .features = 4, .classes = 2};

static const char *const methods[] = {"tpe", "gp", "cmaes", "bohb", "coarse_to_fine"};

/* --- a sweep that knows others --------------------------------------------------------------- */

struct asked {
    const char *method, *parameters, *more, *hash;
    int64_t run_cap, epochs; /* epochs 0: as the others */
    uint64_t seed;
    bool accuracy;
};

static void make_spec(const struct asked *a, struct spec *s)
{
    spec_make_with(s, a->method, a->parameters, a->run_cap, a->seed, a->more);
    s->epochs = a->epochs > 0 ? a->epochs : s->epochs;
    s->metric = a->accuracy ? METRIC_VAL_ACC : s->metric;
    s->maximize = a->accuracy;
}

/* What is frozen for it, of the sweeps that the store has by now. Owned. */
static char *frozen(const struct world *w, const struct asked *a, const int64_t *ids, size_t count)
{
    struct spec s;
    struct errbuf err;
    make_spec(a, &s);
    struct warm *warm = warm_create(&s, a->hash != NULL ? a->hash : "abc");
    for (size_t i = 0; i < count; i++) {
        struct store_restored rows;
        fake_store_ended(&w->store, ids[i], &rows);
        assert_int_equal(warm_add(warm, ids[i], &rows, &err), 0);
        fake_restored_finish(&rows);
    }
    char *text = warm_text(warm);
    warm_destroy(warm);
    spec_finish(&s);
    return text;
}

static void submit_with(struct world *w, const struct asked *a, const char *text)
{
    struct spec s;
    struct record_prepared p = prepared;
    str_copy(p.hash, sizeof(p.hash), a->hash != NULL ? a->hash : "abc");
    make_spec(a, &s);
    engine_submit(w->engine,
                  &(struct submission){.spec = &s, .prepared = &p, .warm = text,
                                       .known = &(struct remedy_prior){0}},
                  NULL, w->now, &w->fx);
}

static void submit(struct world *w, const struct asked *a, int64_t id)
{
    char *text = frozen(w, a, &id, 1);
    submit_with(w, a, text);
    free(text);
}

/* The world's first sweep: forty runs of the guide's example. */
static void begin_with(struct world *w, const char *method, size_t workers, uint64_t seed)
{
    world_init(w, workers, seed);
    world_submit(w, method, PARAMETERS_FULL, 40, 1, ",\"repeat_share\":0,\"treat\":false");
    world_run(w);
    assert_int_equal(world_sweep(w, 1)->status, SWEEP_COMPLETED);
}

static void begin(struct world *w, size_t workers, uint64_t seed)
{
    begin_with(w, "random", workers, seed);
}

static struct asked again(const char *method)
{
    return (struct asked){.method = method, .parameters = PARAMETERS_FULL, .run_cap = 16,
                          .seed = 5, .more = ",\"repeat_share\":0,\"treat\":false"};
}

/* --- what is taken --------------------------------------------------------------------------- */

static struct earlier *read_frozen(const struct world *w, const struct asked *a)
{
    struct spec s;
    int64_t id = 1;
    char *text = frozen(w, a, &id, 1);
    make_spec(a, &s);
    struct earlier *e = earlier_read(text, &s.space, s.epochs, s.objectives.count);
    free(text);
    spec_finish(&s);
    assert_non_null(e);
    assert_int_equal(e->said_count, 1);
    print_message("# %s\n", e->said[0]);
    return e;
}

static void says(const struct earlier *e, const char *words)
{
    if (strstr(e->said[0], words) == NULL)
        fail_msg("%s: not in %s", words, e->said[0]);
}

static void knows_runs_that_were_trained_alike(void **state)
{
    struct world w;
    begin(&w, 3, 1);
    struct asked a = again("tpe");
    struct earlier *e = read_frozen(&w, &a);
    assert_int_equal(e->count, 40);
    assert_int_equal(e->start_count, 0);
    says(e, "40 of 40 runs are known from the start, the best of them run ");
    for (size_t i = 0; i < e->count; i++) {
        const struct run_row *row = world_run_row(&w, 1, (int64_t)i);
        assert_int_equal(e->run_ids[i], row->id);
        assert_int_equal(e->trials[i]->status, row->status);
        if (row->has_metric && isfinite(row->metric_value))
            assert_true(e->trials[i]->metric_value == row->metric_value);
        assert_true(e->trials[i]->at.v[0] ==
                    row->config->settings.v[setting_find("learning_rate")]);
    }
    earlier_destroy(e);
    world_finish(&w);
}

/* Fewer parameters: those of before must have had the value that is fixed now; a narrower range:
 * those that lie in it. */
static void leaves_out_what_is_not_searched(void **state)
{
    struct world w;
    begin(&w, 3, 1);
    size_t with = 0, within = 0;
    for (int64_t n = 0; n < 40; n++) {
        const double *v = world_run_row(&w, 1, n)->config->settings.v;
        with += v[setting_find("depth")] == 2;
        within += v[setting_find("depth")] <= 2;
    }
    struct asked a = again("gp");
    a.parameters = "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":"
                   "\"log_uniform_values\"},\"batch_size\":{\"values\":[32,128,512]},"
                   "\"optimizer\":{\"values\":[\"adam\",\"rmsprop\",\"momentum\",\"adadelta\","
                   "\"sgd\"]}";
    a.more = ",\"model\":{\"depth\":2}";
    struct earlier *e = read_frozen(&w, &a);
    assert_int_equal(e->count, with);
    says(e, "trained with other settings");
    earlier_destroy(e);
    a = again("gp");
    a.parameters = "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":"
                   "\"log_uniform_values\"},\"batch_size\":{\"values\":[32,128,512]},"
                   "\"optimizer\":{\"values\":[\"adam\",\"rmsprop\",\"momentum\",\"adadelta\","
                   "\"sgd\"]},\"depth\":{\"min\":1,\"max\":2}";
    e = read_frozen(&w, &a);
    assert_int_equal(e->count, within);
    says(e, "outside of what is searched here (depth ");
    earlier_destroy(e);
    world_finish(&w);
}

/* What was fixed may be searched: its value is known all the same. */
static void knows_what_was_fixed(void **state)
{
    struct world w;
    begin(&w, 3, 1);
    struct asked a = again("tpe");
    a.parameters = PARAMETERS_FULL ",\"dropout\":{\"min\":0,\"max\":0.5,\"distribution\":"
                   "\"uniform\"}";
    struct earlier *e = read_frozen(&w, &a);
    assert_int_equal(e->count, 40);
    assert_true(e->trials[7]->at.v[4] == 0);
    earlier_destroy(e);
    world_finish(&w);
}

static void tries_others_first(void **state)
{
    struct world w;
    static const char *const why[] = {"data", "epochs"};
    begin(&w, 3, 1);
    for (size_t k = 0; k < 2; k++) {
        struct asked a = again("tpe");
        if (k == 0)
            a.hash = "def";
        else
            a.epochs = 7;
        struct earlier *e = read_frozen(&w, &a);
        assert_int_equal(e->count, 0);
        assert_int_equal(e->start_count, EARLIER_STARTS_EACH);
        char words[64];
        snprintf(words, sizeof(words), "trained with other %s", why[k]);
        says(e, words);
        says(e, "of the best 5 are tried first");
        const struct run_row *best = fake_run(&w.store, e->starts[0].run_id);
        for (int64_t n = 0; n < 40; n++) {
            const struct run_row *row = world_run_row(&w, 1, n);
            assert_false(row->status == RUN_COMPLETED && row->has_metric &&
                         row->metric_value < best->metric_value);
        }
        earlier_destroy(e);
    }
    world_finish(&w);
}

/* Another metric, and a sweep that is not there. */
static void says_what_is_of_no_use(void **state)
{
    struct world w;
    struct errbuf err;
    begin(&w, 3, 1);
    struct asked a = again("tpe");
    a.accuracy = true;
    struct earlier *e = read_frozen(&w, &a);
    assert_int_equal(e->count + e->start_count, 0);
    says(e, "sweep 1: nothing of it can be used: its metric is val_loss, which is to be small");
    earlier_destroy(e);
    struct spec s;
    struct store_restored none = {0};
    spec_make(&s, "tpe", PARAMETERS_FULL, 10, 1);
    struct warm *warm = warm_create(&s, "abc");
    assert_int_equal(warm_add(warm, 9, &none, &err), ERR_VALUE);
    assert_string_equal(err.value, "9");
    warm_destroy(warm);
    spec_finish(&s);
    world_finish(&w);
}

/* Bytes from the database are not trusted. */
static void what_is_frozen_is_read_with_care(void **state)
{
    struct spec s;
    spec_make(&s, "tpe", PARAMETERS_FULL, 10, 1);
    assert_null(earlier_read(NULL, &s.space, 1, 0));
    assert_null(earlier_read("[", &s.space, 1, 0));
    assert_null(earlier_read("[]", &s.space, 1, 0));
    struct earlier *e = earlier_read(
        "{\"runs\":[1,{\"run\":1},{\"run\":2,\"status\":\"completed\",\"value\":0.5,\"params\":"
        "{\"learning_rate\":5,\"batch_size\":32,\"optimizer\":\"adam\",\"depth\":1}},"
        "{\"run\":3,\"status\":\"running\",\"params\":{\"learning_rate\":0.01,\"batch_size\":32,"
        "\"optimizer\":\"adam\",\"depth\":1}},{\"run\":4,\"status\":\"failed\",\"params\":"
        "{\"learning_rate\":0.01,\"batch_size\":32,\"optimizer\":\"adam\",\"depth\":1}}],"
        "\"starts\":7,\"said\":[1,\"a\"]}", &s.space, 1, 0);
    assert_int_equal(e->count, 1);
    assert_int_equal(e->run_ids[0], 4);
    assert_int_equal(e->trials[0]->error, RUN_ERROR_CRASHED);
    assert_int_equal(e->said_count, 1);
    earlier_destroy(e);
    spec_finish(&s);
}

/* --- that it helps --------------------------------------------------------------------------- */

#define WORST 1.0 /* of the landscape, about: what failed counts so */

/* What the first runs came to, in the mean. */
static double mean_of(const struct world *w, int64_t sweep, int64_t runs)
{
    double sum = 0;
    for (int64_t n = 0; n < runs; n++) {
        const struct run_row *row = world_run_row(w, sweep, n);
        sum += row->has_metric && row->metric_value < WORST ? row->metric_value : WORST;
    }
    return sum / (double)runs;
}

/* The same over seeds. */
static double found(const char *method, int64_t runs, bool warm)
{
    double sum = 0;
    for (uint64_t seed = 1; seed <= 6; seed++) {
        struct world w;
        bool stages = strcmp(method, "coarse_to_fine") == 0;
        begin_with(&w, stages ? method : "random", 1, seed);
        struct asked a = again(method);
        a.seed = seed;
        if (warm)
            submit(&w, &a, 1);
        else
            submit_with(&w, &a, NULL);
        world_run(&w);
        sum += mean_of(&w, 2, runs);
        world_finish(&w);
    }
    return sum / 6;
}

static void finds_sooner(void **state)
{
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        bool stages = strcmp(methods[m], "coarse_to_fine") == 0; /* the first stays as it is */
        int64_t runs = stages ? 16 : 8;
        double cold = found(methods[m], runs, false), warm = found(methods[m], runs, true);
        print_message("# %s: mean of the first %d: %.4f without, %.4f with\n", methods[m],
                      (int)runs, cold, warm);
        assert_true(warm < cold - (stages ? 0 : 0.05));
    }
}

/* --- that it stays --------------------------------------------------------------------------- */

static char *undisturbed(const struct asked *a)
{
    struct world w;
    begin(&w, 1, 3);
    submit(&w, a, 1);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 2)->status, SWEEP_COMPLETED);
    char *text = world_canonical(&w, 2);
    world_finish(&w);
    return text;
}

static void same_at_any_number_of_workers(void **state)
{
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        struct asked a = again(methods[m]);
        char *expected = undisturbed(&a);
        for (size_t workers = 2; workers <= 7; workers += 5) {
            struct world w;
            begin(&w, workers, 30 + workers);
            submit(&w, &a, 1);
            world_run(&w);
            char *got = world_canonical(&w, 2);
            assert_string_equal(got, expected);
            free(got);
            world_finish(&w);
        }
        free(expected);
    }
}

/* Killed anywhere; what it knows is in its row, and the other sweep is gone. */
static void same_through_kills_and_without_the_other(void **state)
{
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        struct asked a = again(methods[m]);
        char *expected = undisturbed(&a);
        for (uint64_t seed = 0; seed < 4; seed++) {
            struct world w;
            begin(&w, 1 + seed % 3, 3);
            submit(&w, &a, 1);
            world_settle(&w);
            for (int step = 0; step < 200; step++) {
                uint64_t dice = rng_below(&w.rng, 40);
                if (dice == 0)
                    world_crash(&w, 1 + rng_below(&w.rng, 4), (unsigned)(seed % 3 * 100));
                else if (dice < 20 && w.worker_count > 0)
                    world_work(&w, rng_below(&w.rng, w.worker_count));
                else if (dice < 30)
                    world_flush(&w);
                else
                    (void)world_commit(&w);
            }
            world_run(&w);
            char *got = world_canonical(&w, 2);
            assert_string_equal(got, expected);
            free(got);
            world_finish(&w);
        }
        free(expected);
    }
}

/* --- several objectives ---------------------------------------------------------------------- */

#define SEVERAL(names) ",\"repeat_share\":0,\"treat\":false,\"objectives\":[\"val_loss\"" names "]"

/* Each of them by name, or what every run is known to have come to; without one of them there is
 * no place among the fronts, so the best are tried first. */
static void of_several_objectives_all_must_be_known(void **state)
{
    static const char *const before[] = {"", SEVERAL(",\"seconds\",\"val_acc\"")};
    for (size_t k = 0; k < ARRAY_LEN(before); k++) {
        struct world w;
        world_init(&w, 3, 1);
        world_submit(&w, "random", PARAMETERS_FULL, 40, 1,
                     k == 0 ? ",\"repeat_share\":0,\"treat\":false" : before[k]);
        world_run(&w);
        struct asked a = again("tpe");
        a.more = SEVERAL(",\"val_acc\",\"seconds\"");
        struct earlier *e = read_frozen(&w, &a);
        assert_int_equal(e->count, 40);
        for (size_t i = 0; i < e->count; i++) {
            const struct run_row *row = world_run_row(&w, 1, (int64_t)i);
            if (row->status != RUN_COMPLETED || !isfinite(row->metric_value))
                continue;
            assert_true(e->trials[i]->further[0] == row->val_acc);
            assert_true(e->trials[i]->further[1] == row->seconds);
        }
        earlier_destroy(e);
        a.more = SEVERAL(",\"parameters\"");
        e = read_frozen(&w, &a);
        assert_int_equal(e->start_count, 5);
        says(e, "of its runs no parameters is known");
        earlier_destroy(e);
        world_finish(&w);
    }
}

static void several_are_the_same_at_any_number_of_workers(void **state)
{
    for (size_t k = 0; k < 2; k++) {
        char *expected = NULL;
        for (size_t workers = 1; workers <= 7; workers += 3) {
            struct world w;
            world_init(&w, workers, workers);
            world_submit(&w, "random", PARAMETERS_FULL, 40, 1, SEVERAL(",\"val_acc\""));
            world_run(&w);
            struct asked a = again(k == 0 ? "tpe" : "gp");
            a.more = SEVERAL(",\"val_acc\"");
            submit(&w, &a, 1);
            world_run(&w);
            assert_int_equal(world_sweep(&w, 2)->status, SWEEP_COMPLETED);
            assert_null(strstr(world_run_row(&w, 2, 0)->reason, "Sobol"));
            char *got = world_canonical(&w, 2);
            if (expected != NULL)
                assert_string_equal(got, expected);
            free(expected);
            expected = got;
            world_finish(&w);
        }
        free(expected);
    }
}

static void is_replayed(void **state)
{
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        struct world w;
        begin(&w, 2, 3);
        struct asked a = again(methods[m]);
        submit(&w, &a, 1);
        world_run(&w);
        assert_replays(&w, 2);
        assert_int_equal(world_decisions(&w, 2, 0, DECISION_WARMED), 1);
        world_finish(&w);
    }
}

/* The configurations that are tried first are the first runs. */
static void others_are_the_first_runs(void **state)
{
    for (size_t m = 0; m < ARRAY_LEN(methods); m++) {
        struct world w;
        begin(&w, 2, 3);
        struct asked a = again(methods[m]);
        a.hash = "def";
        a.run_cap = 30;
        submit(&w, &a, 1);
        world_run(&w);
        size_t first = 0;
        for (int64_t n = 0; n < EARLIER_STARTS_EACH; n++)
            first += strstr(world_run_row(&w, 2, n)->reason, "of sweep 1 (run ") != NULL;
        assert_int_equal(first, strcmp(methods[m], "cmaes") == 0 ? 0 : EARLIER_STARTS_EACH);
        assert_int_equal(world_sweep(&w, 2)->status, SWEEP_COMPLETED);
        world_finish(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(knows_runs_that_were_trained_alike),
        cmocka_unit_test(leaves_out_what_is_not_searched),
        cmocka_unit_test(knows_what_was_fixed),
        cmocka_unit_test(tries_others_first),
        cmocka_unit_test(says_what_is_of_no_use),
        cmocka_unit_test(what_is_frozen_is_read_with_care),
        cmocka_unit_test(finds_sooner),
        cmocka_unit_test(same_at_any_number_of_workers),
        cmocka_unit_test(same_through_kills_and_without_the_other),
        cmocka_unit_test(of_several_objectives_all_must_be_known),
        cmocka_unit_test(several_are_the_same_at_any_number_of_workers),
        cmocka_unit_test(is_replayed),
        cmocka_unit_test(others_are_the_first_runs),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
