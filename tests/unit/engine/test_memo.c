/* What methods keep between asks changes nothing but the time: with it and without, in whatever
 * portions and by however many workers, in every kind of space, whatever becomes of the runs. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/require.h"
#include "tests/unit/engine/shuffled.h"

#define RATE "\"learning_rate\":{\"min\":0.001,\"max\":0.1,\"distribution\":\"log_uniform_values\"}"
#define OPTIMIZERS "\"optimizer\":{\"values\":[\"adam\",\"momentum\",\"sgd\"]}"
/* An absent parameter said before the one it rests on; of listed, integer and even values. */
#define CONDITIONS                                                                                \
    "\"train.momentum\":{\"values\":[0.5,0.9],\"condition\":{\"optimizer\":[\"momentum\","         \
    "\"sgd\"]}}," OPTIMIZERS ",\"depth\":{\"min\":1,\"max\":4},\"width\":{\"values\":[64,128,"     \
    "256]},\"train.dropout\":{\"min\":0.1,\"max\":0.5,\"condition\":{\"depth\":{\"min\":3}}}"

#define WHOLE ",\"treat\":false" /* of the budget is the search's */

static const struct {
    const char *parameters, *more;
} spaces[] = {
    {PARAMETERS_FULL, WHOLE},
    /* children and ends of the range come twice, though it has no end */
    {RATE "," OPTIMIZERS, WHOLE},
    {OPTIMIZERS ",\"depth\":{\"min\":1,\"max\":40},\"train.l2\":{\"mu\":0.01,\"sigma\":0.01,"
                "\"min\":0,\"max\":0.1,\"distribution\":\"normal\"},\"model.residual\":{\"values\":"
                "[true,false],\"probabilities\":[0.9,0.1]}", WHOLE},
    {RATE "," CONDITIONS,
     WHOLE ",\"constraints\":[\"depth * width <= 512\",\"optimizer != 'sgd' or depth < 4\"]"},
    {OPTIMIZERS ",\"depth\":{\"min\":1,\"max\":8},\"batch_size\":{\"values\":[16,64,256]}", WHOLE},
};

/* --- what becomes of a run ------------------------------------------------------------------- */

#define RUNS 72
static struct rung rungs_of[RUNS][2];

/* By its configuration and number: to the end, from one of two rungs on not, or with a failure; no
 * number here and there, of its own accord or not. */
static void answer_anything(struct trial *t, size_t number, void *arg)
{
    answer_landscape(t, number, arg);
    double value = number % 13 == 6 ? NAN : t->metric_value;
    rungs_of[number][0] = (struct rung){1, number % 17 == 4 ? NAN : value * 2};
    rungs_of[number][1] = (struct rung){3, value * 1.5};
    t->metric_value = value;
    t->rungs = rungs_of[number];
    t->rung_count = 2;
    if (number % 11 == 5) {
        t->status = RUN_FAILED;
        t->error = number % 2 ? RUN_ERROR_OUT_OF_MEMORY : RUN_ERROR_SPAWN;
        t->rung_count = 0;
    } else if (number % 19 == 7) {
        t->status = RUN_CANCELLED;
    } else if (number % 3 != 0) {
        t->status = RUN_STOPPED;
        t->rung_count = 1 + number % 2;
        t->metric_value = t->rungs[t->rung_count - 1].value;
    }
}

/* --- with and without ------------------------------------------------------------------------ */

static void must_be_same(const struct history *a, const struct history *b, const char *what)
{
    if (a->count != b->count)
        fail_msg("%s: %zu runs, and %zu", what, a->count, b->count);
    for (size_t i = 0; i < a->count; i++)
        if (memcmp(&a->trials[i]->at, &b->trials[i]->at, sizeof(struct assignment)) != 0 ||
            strcmp(a->reasons[i], b->reasons[i]) != 0)
            fail_msg("%s: run %zu: %s; and %s", what, i, a->reasons[i], b->reasons[i]);
}

static void check_space(const char *method, size_t space, uint64_t seed, size_t lag)
{
    const struct shuffled ways[] = {
        {.workers = 1, .want = 1000, .answer = answer_anything},
        {.workers = lag + 1, .want = 1000, .order = 1, .forgets = true, .answer = answer_anything},
        {.workers = lag + 1, .want = 2, .order = 2, .answer = answer_anything},
        {.workers = 2, .want = 1, .order = 3, .forgets = true, .answer = answer_anything},
    };
    struct spec s;
    struct history first, other;
    char *what = xasprintf("%s, space %zu, seed %d, lag %zu", method, space, (int)seed, lag);
    spec_make_with(&s, method, spaces[space].parameters, RUNS, seed, spaces[space].more);
    s.lag = s.lag > 0 ? (int64_t)lag : 0;
    shuffled_run(&first, &s, &ways[0]);
    assert_int_equal(history_duplicates(&first, &s), 0);
    for (size_t i = 1; i < ARRAY_LEN(ways); i++) {
        shuffled_run(&other, &s, &ways[i]);
        must_be_same(&first, &other, what);
        history_finish(&other);
    }
    history_finish(&first);
    spec_finish(&s);
    free(what);
}

static void check_all(const char *method, uint64_t seeds)
{
    static const size_t lags[] = {1, 4, 9};
    for (size_t space = 0; space < ARRAY_LEN(spaces); space++)
        for (uint64_t seed = 1; seed <= seeds; seed++)
            check_space(method, space, seed, lags[(space + seed) % ARRAY_LEN(lags)]);
}

static void random_and_sobol(void **state)
{
    check_all("random", 2);
    check_all("sobol", 2);
}

static void tpe(void **state)
{
    check_all("tpe", 2);
}

static void gp(void **state)
{
    check_all("gp", 1);
}

static void cmaes(void **state)
{
    check_all("cmaes", 3);
}

static void bohb(void **state)
{
    check_all("bohb", 4);
}

static void dehb(void **state)
{
    check_all("dehb", 12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_and_sobol),
        cmocka_unit_test(tpe),
        cmocka_unit_test(gp),
        cmocka_unit_test(cmaes),
        cmocka_unit_test(bohb),
        cmocka_unit_test(dehb),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
