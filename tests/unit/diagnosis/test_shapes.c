/* Curves of known courses (grokking, double descent, restarts, …), and accuracies that never move
 * under losses that look like a finished run. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>
#include <math.h>
#include <string.h>

#include "sweep/diagnosis.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define POINTS 100

/* What a loss, or an accuracy, is at epoch e of POINTS. NULL: not measured. */
typedef double course(double e);

struct shape {
    const char *name;
    course *train, *val, *train_acc, *val_acc;
    double noise; /* of the losses, share of them */
    enum pattern patterns[2]; /* any of them is right */
    bool constant_accuracy;
};

static double floor_soon(double e)     { return 0.02 + 2 * exp(-e / 4); }
static double falls_steadily(double e) { return 2.7 * exp(-e / 60); }
static double groks_late(double e)     { return e < 60 ? 3 + 1.5 * (1 - exp(-e / 10)) : 4.5 - 0.055 * (e - 60); }
static double grokked(double e)        { return e < 30 ? 3 + 1.5 * e / 30 : 0.02 + 4.5 * exp(-(e - 30) / 4); }
static double descends_twice(double e) { return e < 20 ? 2.3 - 0.06 * e : e < 45 ? 1.1 + 0.03 * (e - 20) : 0.3 + 1.55 * exp(-(e - 45) / 30); }
static double restarts(double e)       { return 0.2 + 1.8 * exp(-e / 35) * (1 + 0.25 * (1 - fmod(e, 25) / 25)); }
static double warms_up(double e)       { return e < 8 ? 2.3 + 0.1 * e : 0.25 + 2.85 * exp(-(e - 8) / 30); }
static double rate_falls(double e)     { return e < 50 ? 0.6 + 1.7 * exp(-e / 6) : 0.25 + 0.35 * exp(-(e - 50) / 3); }
static double from_five(double e)      { return 0.6590 + 4.3 * exp(-e / 3); }
static double to_ln_3(double e)        { return log(3) + 4 * exp(-e / 3); }
static double learns(double e)         { return 0.3 + 0.8 * exp(-e / 4); }
static double learns_well(double e)    { return 0.02 + 0.6 * exp(-e / 4); }
static double majority(double e)       { return 0.63; }
static double majority_rare(double e)  { return 0.984; }
static double to_rare(double e)        { return 0.0815 + 0.6 * exp(-e / 3); }
static double perfect(double e)        { return 1; }
static double mostly_right(double e)   { return 0.98; }
static double about_a_third(double e)  { return 1 / 3.0 + 0.015 * sin(9 * e); }
static double rises(double e)          { return 0.9 - 0.5 * exp(-e / 4); }
static double rises_a_little(double e) { return 0.99 - 0.06 * exp(-e / 8); }

static const struct shape SHAPES[] = {
    {"training at its floor, validation falls", floor_soon, falls_steadily, NULL, NULL, 0.02, {PATTERN_LEARNING, PATTERN_LEARNING}, false},
    {"grokking midway", floor_soon, groks_late, NULL, NULL, 0.01, {PATTERN_LEARNING, PATTERN_LEARNING}, false},
    {"grokking done", floor_soon, grokked, NULL, NULL, 0.01, {PATTERN_CONVERGED, PATTERN_CONVERGED}, false},
    {"double descent", descends_twice, descends_twice, NULL, NULL, 0.01, {PATTERN_LEARNING, PATTERN_LEARNING}, false},
    {"cosine restarts", restarts, restarts, NULL, NULL, 0.01, {PATTERN_LEARNING, PATTERN_LEARNING}, false},
    {"a bump of warm-up", warms_up, warms_up, NULL, NULL, 0.01, {PATTERN_LEARNING, PATTERN_LEARNING}, false},
    {"a step of the rate", rate_falls, rate_falls, NULL, NULL, 0.01, {PATTERN_CONVERGED, PATTERN_CONVERGED}, false},
    {"one class always", from_five, from_five, majority, majority, 0.001, {PATTERN_BOTTLENECK, PATTERN_BOTTLENECK}, true},
    {"one class always, only validated", from_five, from_five, NULL, majority, 0.001, {PATTERN_BOTTLENECK, PATTERN_BOTTLENECK}, true},
    {"one class always, only trained", from_five, from_five, majority, NULL, 0.001, {PATTERN_BOTTLENECK, PATTERN_BOTTLENECK}, true},
    {"one class of rare others", to_rare, to_rare, majority_rare, majority_rare, 0.001, {PATTERN_BOTTLENECK, PATTERN_BOTTLENECK}, true},
    {"a third right of three", to_ln_3, to_ln_3, about_a_third, about_a_third, 0.001, {PATTERN_BOTTLENECK, PATTERN_BOTTLENECK}, true},
    {"the same with one loss", to_ln_3, NULL, about_a_third, NULL, 0.001, {PATTERN_BOTTLENECK, PATTERN_BOTTLENECK}, true},
    {"it learned", learns, learns, rises, rises, 0.005, {PATTERN_CONVERGED, PATTERN_CONVERGED}, false},
    {"all right from the first", learns_well, learns_well, perfect, perfect, 0.005, {PATTERN_CONVERGED, PATTERN_CONVERGED}, false},
    {"few samples, nearly all right", learns_well, learns_well, rises_a_little, mostly_right, 0.005, {PATTERN_CONVERGED, PATTERN_CONVERGED}, false},
    {"the same without training accuracy", learns_well, learns_well, NULL, mostly_right, 0.005, {PATTERN_CONVERGED, PATTERN_CONVERGED}, false},
};

static void put(struct point *p, enum curve_column column, course *f, double e, double factor)
{
    if (f != NULL)
        point_set(p, column, f(e) * factor);
}

static void draw(const struct shape *s, uint64_t seed, struct point p[POINTS])
{
    struct rng rng;

    rng_init(&rng, seed, RNG_TEST, 0);
    for (int i = 0; i < POINTS; i++) {
        p[i] = (struct point){.point = i + 1, .epoch = i + 1};
        put(&p[i], CURVE_TRAIN_LOSS, s->train, i, 1 + s->noise * rng_normal(&rng));
        put(&p[i], CURVE_VAL_LOSS, s->val, i, 1 + s->noise * rng_normal(&rng));
        put(&p[i], CURVE_TRAIN_ACC, s->train_acc, i, 1);
        put(&p[i], CURVE_VAL_ACC, s->val_acc, i, 1);
    }
}

static void label(const struct point *p, size_t count, struct diagnosis *d)
{
    void *workspace = malloc(diagnosis_workspace_bytes(count));
    diagnose(&(struct diagnosis_input){.points = p, .count = count, .dropout = NAN}, workspace, d);
    free(workspace);
}

static void test_shapes(void **state)
{
    struct point p[POINTS];
    struct diagnosis d;

    for (size_t i = 0; i < ARRAY_LEN(SHAPES); i++) {
        const struct shape *s = &SHAPES[i];
        for (uint64_t seed = 1; seed <= 10; seed++) {
            draw(s, seed, p);
            label(p, POINTS, &d);
            bool said = d.tags >> DIAGNOSIS_TAG_CONSTANT_ACCURACY & 1u;
            if ((d.pattern != s->patterns[0] && d.pattern != s->patterns[1]) ||
                said != s->constant_accuracy)
                fail_msg("%s: %s, %s", s->name, pattern_name(d.pattern), d.sentence);
            assert_true(said == (strstr(d.sentence, "never moved") != NULL));
            assert_true(said == !isnan(d.accuracy));
        }
    }
}

/* What the label says, the sentence says: nothing falls in a run that is said to be flat. */
static void test_converged_never_falls(void **state)
{
    struct point p[POINTS];
    struct diagnosis d;

    for (size_t i = 0; i < ARRAY_LEN(SHAPES); i++) {
        draw(&SHAPES[i], 3, p);
        for (size_t count = 5; count <= POINTS; count++) {
            label(p, count, &d);
            if (d.pattern == PATTERN_CONVERGED && strstr(d.sentence, "loss falls") != NULL)
                assert_non_null(strstr(d.sentence, "ever slower"));
        }
    }
}

/* One number for the best loss, wherever it stands: the lowest of the table. */
static void test_best_is_the_lowest_value(void **state)
{
    struct point p[POINTS];
    struct diagnosis d;
    double lowest = INFINITY, epoch = 0;

    draw(&SHAPES[0], 1, p);
    for (size_t i = 0; i < POINTS; i++) {
        if (p[i].v[CURVE_VAL_LOSS] < lowest) {
            lowest = p[i].v[CURVE_VAL_LOSS];
            epoch = p[i].epoch;
        }
    }
    label(p, POINTS, &d);
    assert_true(d.val.best == lowest && d.val.best_epoch == epoch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),
        cmocka_unit_test(test_converged_never_falls),
        cmocka_unit_test(test_best_is_the_lowest_value),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("shapes", tests, NULL, NULL);
}
