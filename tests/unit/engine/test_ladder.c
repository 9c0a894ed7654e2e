/* Promotion: who goes on, whoever comes first; flushes; and through the engine. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "daemon/engine/private.h"
#include "daemon/plan/stop/ladder.h"
#include "sweep/require.h"
#include "tests/unit/engine/support.h"
#include "tests/unit/engine/world.h"

/* --- a study that somebody trains ------------------------------------------------------------- */

#define MANY 6000
#define EPOCHS 27

struct field {
    struct stop_settings stop;
    size_t count, begun;
    struct trial trials[MANY];
    struct rung rungs[MANY][3];
    const struct trial *pointers[MANY];
    double quality[MANY];
    struct objectives objectives; /* none, or two */
    double further[MANY];         /* the second, at every rung */
    int64_t budget[MANY]; /* how far each may go; 0: nowhere yet */
    char log[MANY][64];   /* what was decided of it */
    struct ladder *ladder;
    struct rng rng;
};

static struct field *field_create(size_t count, int64_t lag, uint64_t seed)
{
    struct field *f = xcalloc(1, sizeof(*f));
    f->stop = (struct stop_settings){.rule = STOP_SUCCESSIVE_HALVING, .eta = 3, .min_iter = 1,
                                     .promote = true, .lag = lag};
    f->count = count;
    rng_init(&f->rng, 7, RNG_TEST, 1);
    for (size_t i = 0; i < count; i++) {
        f->quality[i] = rng_below(&f->rng, 20) ? rng_uniform(&f->rng) : NAN;
        f->trials[i] = (struct trial){.number = i, .status = RUN_QUEUED, .epochs = EPOCHS,
                                      .rungs = f->rungs[i]};
        f->pointers[i] = &f->trials[i];
    }
    for (size_t i = 0; i < count; i++)
        f->further[i] = rng_below(&f->rng, 20) ? floor(20 * rng_uniform(&f->rng)) : NAN;
    rng_init(&f->rng, seed, RNG_TEST, 2);
    f->ladder = ladder_create();
    return f;
}

static struct study study_of(const struct field *f)
{
    return (struct study){.stop = &f->stop, .count = f->begun, .trials = f->pointers,
                          .objectives = f->objectives.count > 0 ? &f->objectives : NULL};
}

static struct field *field_of_two(size_t count, int64_t lag, uint64_t seed)
{
    struct field *f = field_create(count, lag, seed);
    f->objectives = (struct objectives){2, {{.name = "loss"}, {.name = "time"}}};
    return f;
}

static void field_destroy(struct field *f)
{
    ladder_destroy(f->ladder);
    free(f);
}

/* Trains run i to its budget. */
static void train(struct field *f, size_t i)
{
    struct trial *t = &f->trials[i];
    int64_t to = f->budget[i];
    f->budget[i] = 0;
    if (to == EPOCHS) {
        t->status = RUN_COMPLETED;
        return;
    }
    t->status = RUN_PAUSED;
    t->rungs[t->rung_count++] =
        (struct rung){to, f->quality[i] + 0.3 / (double)to, &f->further[i]};
}

static void apply(struct field *f, size_t i, const struct rung_verdict *v)
{
    struct trial *t = &f->trials[i];
    size_t len = strlen(f->log[i]);
    snprintf(f->log[i] + len, sizeof(f->log[i]) - len, " %d:%zu/%zu@%d", v->verdict, v->rank,
             v->of, (int)v->flush);
    if (v->verdict == VERDICT_STOP) {
        t->status = RUN_STOPPED;
        return;
    }
    int64_t next = stop_next_rung(&f->stop, i, t->rungs[t->rung_count - 1].epoch, EPOCHS);
    t->status = RUN_QUEUED;
    f->budget[i] = next > 0 ? next : EPOCHS;
}

static void decide_all(struct field *f)
{
    struct study st = study_of(f);
    struct rung_verdict v;
    ladder_advance(f->ladder, &st);
    for (size_t i = 0; i < f->begun; i++) {
        if (f->trials[i].status != RUN_PAUSED)
            continue;
        ladder_decide(f->ladder, &st, &f->trials[i], &v);
        if (v.verdict != VERDICT_WAIT)
            apply(f, i, &v);
    }
}

/* Starts runs, at most so many beside each other, and lets one of those come to its rung. */
static bool work(struct field *f, size_t workers)
{
    size_t running[64], n = 0;
    for (size_t i = 0; i < f->begun && n < workers; i++)
        if (f->budget[i] > 0)
            running[n++] = i;
    while (n < workers && f->begun < f->count) {
        f->budget[f->begun] = 1;
        running[n++] = f->begun++;
    }
    if (n == 0)
        return false;
    train(f, running[rng_below(&f->rng, n)]);
    return true;
}

static void run_all(struct field *f, size_t workers)
{
    do {
        while (work(f, workers))
            decide_all(f);
        if (!ladder_flush(f->ladder))
            break;
        decide_all(f);
    } while (true);
}

static size_t completed(const struct field *f)
{
    size_t n = 0;
    for (size_t i = 0; i < f->count; i++)
        n += f->trials[i].status == RUN_COMPLETED;
    return n;
}

/* --- tests ------------------------------------------------------------------------------------ */

/* 27 → 9 → 3 → 1, and the best is among them. */
static void test_the_best_thirds_go_on(void **state)
{
    struct field *f = field_create(27, 1, 1);
    size_t at[4] = {0}, best = 0;
    run_all(f, 1);
    for (size_t i = 0; i < f->count; i++) {
        at[f->trials[i].rung_count]++;
        if (!(f->quality[i] >= f->quality[best]))
            best = i;
        assert_true(f->trials[i].status == RUN_STOPPED || f->trials[i].status == RUN_COMPLETED);
    }
    /* those promoted before better ones came are more than a third */
    assert_true(at[1] + at[2] + at[3] == 27 && at[2] + at[3] >= 9 && at[2] + at[3] <= 14);
    assert_true(at[3] >= 3 && completed(f) >= 1);
    assert_int_equal(f->trials[best].status, RUN_COMPLETED);
    field_destroy(f);
}

/* Fewer than eta: the best of them is trained to its end all the same. */
static void test_one_always_ends(void **state)
{
    for (size_t count = 1; count < 12; count++) {
        struct field *f = field_create(count, 8, count);
        run_all(f, 2);
        assert_in_range(completed(f), 1, count);
        field_destroy(f);
    }
}

static void expect_whoever_comes_first(struct field *create(size_t, int64_t, uint64_t))
{
    for (int64_t lag = 1; lag <= 9; lag += 4) {
        struct field *expected = create(150, lag, 1);
        run_all(expected, 1);
        for (uint64_t seed = 2; seed < 20; seed++) {
            struct field *f = create(150, lag, seed);
            run_all(f, 1 + seed % 9);
            for (size_t i = 0; i < f->count; i++)
                assert_string_equal(f->log[i], expected->log[i]);
            field_destroy(f);
        }
        field_destroy(expected);
    }
}

static void test_whoever_comes_first(void **state)
{
    expect_whoever_comes_first(field_create);
    expect_whoever_comes_first(field_of_two);
}

/* Several objectives: the best by each of them alone is trained to its end, and nobody who has no
 * number of the first is promoted. */
static void test_the_ends_of_the_front_go_on(void **state)
{
    struct field *f = field_of_two(81, 2, 3);
    size_t first = 0, second = 0;
    run_all(f, 3);
    for (size_t i = 0; i < f->count; i++) {
        if (isnan(f->quality[i])) {
            assert_int_equal(f->trials[i].status, RUN_STOPPED);
            assert_int_equal(f->trials[i].rung_count, 1);
            continue;
        }
        first = !(f->quality[i] >= f->quality[first]) ? i : first;
        bool less = f->further[i] < f->further[second] ||
                    (f->further[i] == f->further[second] && f->quality[i] < f->quality[second]);
        second = isnan(f->further[second]) || isnan(f->quality[second]) || less ? i : second;
    }
    assert_int_equal(f->trials[first].status, RUN_COMPLETED);
    assert_int_equal(f->trials[second].status, RUN_COMPLETED);
    assert_in_range(completed(f), 2, 27);
    field_destroy(f);
}

/* A new ladder over what is known says the same of those who wait. */
static void expect_the_same_anew(struct field *create(size_t, int64_t, uint64_t))
{
    struct field *expected = create(150, 4, 1);
    run_all(expected, 1);
    struct field *f = create(150, 4, 5);
    for (size_t k = 0; k < 3000; k++) {
        int64_t flushes[8];
        if (!work(f, 5) && !ladder_flush(f->ladder))
            break;
        decide_all(f);
        if (k % 7 != 0)
            continue;
        size_t n = 0;
        for (size_t i = 0; i < f->begun && n < ARRAY_LEN(flushes); i++) {
            const char *at = strrchr(f->log[i], '@');
            if (at != NULL && atoi(at + 1) >= 0)
                flushes[n++] = atoi(at + 1);
        }
        ladder_destroy(f->ladder);
        f->ladder = ladder_create();
        for (size_t i = 0; i < n; i++)
            ladder_flushed_at(f->ladder, flushes[i]);
        decide_all(f);
    }
    for (size_t i = 0; i < f->count; i++)
        assert_string_equal(f->log[i], expected->log[i]);
    field_destroy(f);
    field_destroy(expected);
}

static void test_begun_anew(void **state)
{
    expect_the_same_anew(field_create);
    expect_the_same_anew(field_of_two);
}

/* A long search: what waits has a bound. */
static void test_nobody_waits_for_ever(void **state)
{
    struct field *f = field_create(MANY, 8, 3);
    size_t most = 0;
    while (work(f, 4)) {
        decide_all(f);
        size_t waiting = 0;
        for (size_t i = 0; i < f->begun; i++)
            waiting += f->trials[i].status == RUN_PAUSED;
        most = waiting > most ? waiting : most;
    }
    assert_in_range(most, LADDER_PATIENCE / 2, 2 * LADDER_PATIENCE);
    field_destroy(f);
}

/* --- through the engine ----------------------------------------------------------------------- */

/* A method with stages waits for those at rungs; they are looked at when nothing else is left. */
static void test_stages(void **state)
{
    char *expected = NULL;
    for (size_t workers = 1; workers <= 7; workers += 3) {
        struct world w;
        world_init(&w, workers, workers);
        world_submit(&w, "coarse_to_fine", PARAMETERS_FULL, 40, 1,
                     ",\"treat\":false,\"early_terminate\":{\"type\":\"successive_halving\","
                     "\"eta\":2,\"lag\":7,\"promote\":true}");
        world_run(&w);
        assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
        assert_int_equal(world_count(&w, 1, RUN_STOPPED) + world_count(&w, 1, RUN_COMPLETED), 40);
        assert_true(world_count(&w, 1, RUN_STOPPED) > 5);
        char *got = world_canonical(&w, 1);
        if (expected != NULL)
            assert_string_equal(got, expected);
        free(expected);
        expected = got;
        world_finish(&w);
    }
    free(expected);
}

static void test_pause_cancel_resume(void **state)
{
    struct world w;
    world_init(&w, 2, 1);
    world_submit(&w, "random", PARAMETERS_FULL, 20, 1,
                 ",\"early_terminate\":{\"type\":\"successive_halving\",\"promote\":true}");
    world_settle(&w);
    for (int i = 0; i < 12 && w.worker_count > 0; i++)
        world_work(&w, 0), world_settle(&w);
    engine_command(w.engine, COMMAND_PAUSE, 1, NULL, w.now, &w.fx);
    world_run(&w);
    size_t waiting = world_count(&w, 1, RUN_PAUSED);
    assert_true(waiting > 1); /* not looked at while a person has paused it */
    int64_t id = 0;
    for (int64_t n = 0; n < 20 && id == 0; n++)
        if (world_run_row(&w, 1, n)->paused_by == RUN_PAUSER_RUNG)
            id = world_run_row(&w, 1, n)->id;
    engine_cancel_run(w.engine, id, NULL, w.now, &w.fx);
    engine_command(w.engine, COMMAND_RESUME, 1, NULL, w.now, &w.fx);
    world_run(&w);
    assert_int_equal(world_sweep(&w, 1)->status, SWEEP_COMPLETED);
    assert_int_equal(world_count(&w, 1, RUN_CANCELLED), 1);
    assert_int_equal(world_count(&w, 1, RUN_STOPPED) + world_count(&w, 1, RUN_COMPLETED), 19);
    world_finish(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_best_thirds_go_on),
        cmocka_unit_test(test_one_always_ends),
        cmocka_unit_test(test_whoever_comes_first),
        cmocka_unit_test(test_the_ends_of_the_front_go_on),
        cmocka_unit_test(test_begun_anew),
        cmocka_unit_test(test_nobody_waits_for_ever),
        cmocka_unit_test(test_stages),
        cmocka_unit_test(test_pause_cancel_resume),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
