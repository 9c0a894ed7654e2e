#include "sweep/diagnosis.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sweep/buf.h"
#include "sweep/json.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define SEEDS 40
#define LONGEST 100000

/* A heap block of exactly the promised size, so that a sanitizer sees every step beyond it. */
static void label(const struct point *p, size_t count, double dropout, struct diagnosis *d)
{
    void *workspace = malloc(diagnosis_workspace_bytes(count));
    diagnose(&(struct diagnosis_input){.points = p, .count = count, .dropout = dropout},
             workspace, d);
    free(workspace);
}

static struct point at(size_t i, double train, double val)
{
    struct point p = {.point = (int64_t)i + 1, .epoch = (double)i + 1};
    point_set(&p, CURVE_TRAIN_LOSS, train);
    point_set(&p, CURVE_VAL_LOSS, val);
    return p;
}

/* --- one constructed curve for each label -------------------------------------------------- */

/* Loss at x in [0,1] of the run, before noise. */
typedef double shape(double x);

static double decay(double x)      { return 0.4 + 1.9 * exp(-2 * x); }
static double to_zero(double x)    { return 0.02 + 2.2 * exp(-4 * x); }
static double settles(double x)    { return 0.5 + 1.8 * exp(-14 * x); }
static double settles_low(double x){ return 0.05 + 1.8 * exp(-16 * x); }
static double settles_high(double x){ return 1.1 + 0.9 * exp(-16 * x); }
static double stuck(double x)      { return 2.303; }
static double barely(double x)     { return 2.303 - 0.02 * x; }
static double falls_alone(double x){ return 2.303 - 0.9 * x; }
static double turns_up(double x)   { return 0.5 + 1.8 * exp(-14 * x) + 0.9 * fmax(0, x - 0.3); }
static double climbs(double x)     { return 0.5 + 3 * x; }
static double climbs_late(double x){ return 0.6 + 1.5 * exp(-14 * x) + 1.2 * fmax(0, x - 0.4); }
static double creeps(double x)     { return 0.5 + 1.8 * exp(-14 * x) + 0.12 * fmax(0, x - 0.3); }
static double level(double x)      { return 1.0; }

static const struct example {
    enum pattern pattern;
    shape *train, *val;
    double noise; /* share of the loss */
    double dropout;
} EXAMPLES[] = {
    {PATTERN_LEARNING, decay, decay, 0.01, 0},
    {PATTERN_OVERFITTING, to_zero, settles, 0.01, 0},
    {PATTERN_OVERFITTING_RISING, to_zero, turns_up, 0.02, 0},
    {PATTERN_DATASET_PROBLEM, barely, falls_alone, 0.001, 0},
    {PATTERN_BOTTLENECK, stuck, stuck, 0.005, 0},
    {PATTERN_CONVERGED, settles_low, settles, 0.01, 0},
    {PATTERN_TRAIN_ABOVE_VAL, settles_high, settles, 0.01, 0},
    {PATTERN_DROPOUT_TOO_STRONG, settles_high, settles_low, 0.01, 0.8},
    {PATTERN_TRAIN_RISING, climbs_late, settles, 0.01, 0},
    {PATTERN_DIVERGING, climbs, climbs, 0.02, 0},
    {PATTERN_SLOW_RISE, creeps, creeps, 0.003, 0},
    {PATTERN_OSCILLATING, level, level, 0.4, 0},
};

static size_t build(const struct example *e, size_t n, uint64_t seed, struct point *out)
{
    struct rng r;

    rng_init(&r, seed, RNG_TEST, (uint64_t)e->pattern);
    for (size_t i = 0; i < n; i++) {
        double x = (double)i / (double)(n - 1);
        double train = e->train(x) * (1 + e->noise * rng_normal(&r));
        out[i] = at(i, train, e->val(x) * (1 + e->noise * rng_normal(&r)));
    }
    return n;
}

static void test_every_shape_gets_its_label(void **state)
{
    static const size_t COUNTS[] = {25, 60, 200};
    struct point p[200];
    struct diagnosis d;

    for (size_t i = 0; i < ARRAY_LEN(EXAMPLES); i++) {
        for (size_t k = 0; k < ARRAY_LEN(COUNTS); k++) {
            int hits = 0, firm = 0;
            for (uint64_t seed = 0; seed < SEEDS; seed++) {
                label(p, build(&EXAMPLES[i], COUNTS[k], seed, p), EXAMPLES[i].dropout, &d);
                hits += d.pattern == EXAMPLES[i].pattern;
                firm += d.pattern == EXAMPLES[i].pattern && d.confidence > 0.6;
            }
            print_message("# %-20s n=%3zu: %d of %d, %d of them firm\n",
                          pattern_name(EXAMPLES[i].pattern), COUNTS[k], hits, SEEDS, firm);
            assert_true(hits >= (COUNTS[k] < 50 ? SEEDS * 8 / 10 : SEEDS * 9 / 10));
        }
    }
}

static void test_dropout_is_blamed_only_where_there_is_some(void **state)
{
    const struct example *e = NULL;
    struct point p[60];
    struct diagnosis d;

    for (size_t i = 0; i < ARRAY_LEN(EXAMPLES); i++)
        if (EXAMPLES[i].pattern == PATTERN_DROPOUT_TOO_STRONG)
            e = &EXAMPLES[i];
    build(e, 60, 1, p);
    label(p, 60, 0.5, &d);
    assert_int_equal(d.pattern, PATTERN_DROPOUT_TOO_STRONG);
    assert_int_equal(d.runner_up, PATTERN_TRAIN_ABOVE_VAL);
    label(p, 60, 0, &d);
    assert_int_equal(d.pattern, PATTERN_TRAIN_ABOVE_VAL);
}

static void test_bad_values_that_stay_are_not_a_number(void **state)
{
    static const double BAD[] = {NAN, INFINITY, -INFINITY};
    struct point p[20];
    struct diagnosis d;

    for (size_t k = 0; k < ARRAY_LEN(BAD); k++) {
        for (size_t i = 0; i < 20; i++)
            p[i] = at(i, i < 15 ? 2 - 0.05 * (double)i : BAD[k], 1);
        label(p, 20, 0, &d);
        assert_int_equal(d.pattern, PATTERN_NOT_A_NUMBER);
        assert_string_equal(d.test, "not_a_number");
        label(p, 16, 0, &d); /* the first of them, at the very end */
        assert_int_equal(d.pattern, PATTERN_NOT_A_NUMBER);
        label(p + 15, 1, 0, &d); /* also where it is all there is */
        assert_int_equal(d.pattern, PATTERN_NOT_A_NUMBER);
    }
}

static void test_one_bad_value_is_passed_over(void **state)
{
    struct point p[30];
    struct diagnosis d;

    for (size_t i = 0; i < 30; i++)
        p[i] = at(i, decay((double)i / 29), i == 12 ? NAN : decay((double)i / 29));
    label(p, 30, 0, &d);
    assert_int_equal(d.pattern, PATTERN_LEARNING);
    assert_true(d.tags >> DIAGNOSIS_TAG_RECOVERED & 1u);
    assert_int_equal(d.val.count, 29);
}

static void test_few_points_give_no_verdict(void **state)
{
    struct point p[8];
    struct diagnosis d;

    for (size_t n = 0; n < 5; n++) {
        for (size_t i = 0; i < n; i++)
            p[i] = at(i, 2 - 0.1 * (double)i, 2 - 0.1 * (double)i);
        label(p, n, 0, &d);
        assert_int_equal(d.pattern, PATTERN_TOO_SHORT);
        assert_int_equal(d.runner_up, PATTERN_NONE);
        assert_true(d.confidence == 0);
    }
}

/* "fewer than 5 points and nothing else certain": an explosion is. */
static void test_an_explosion_needs_no_five_points(void **state)
{
    struct point p[3] = {at(0, 2.3, 2.3), at(1, 50, 40), at(2, 9e9, 1e9)};
    struct diagnosis d;

    label(p, 3, 0, &d);
    assert_int_equal(d.pattern, PATTERN_DIVERGING);
    assert_string_equal(d.test, "exploded");
}

/* G1: the mean is quiet, the batches of each epoch swing. */
static void test_swings_within_points(void **state)
{
    struct point p[30];
    struct diagnosis d;

    for (size_t i = 0; i < 30; i++) {
        p[i] = at(i, 30 + 0.1 * (double)(i % 2), 30);
        point_set(&p[i], CURVE_TRAIN_LOSS_MIN, 1);
        point_set(&p[i], CURVE_TRAIN_LOSS_MAX, 192);
        point_set(&p[i], CURVE_TRAIN_LOSS_SD, 40);
    }
    label(p, 30, 0, &d);
    assert_int_equal(d.pattern, PATTERN_OSCILLATING);
    assert_string_equal(d.test, "oscillating_within_points");
    for (size_t i = 0; i < 30; i++)
        point_set(&p[i], CURVE_TRAIN_LOSS_SD, 1);
    label(p, 30, 0, &d);
    assert_int_equal(d.pattern, PATTERN_BOTTLENECK);
}

/* Near the bottom small batches spread widely around a small mean: no oscillation. */
static void test_batch_noise_at_the_bottom_is_no_oscillation(void **state)
{
    struct point p[40];
    struct diagnosis d;

    for (size_t i = 0; i < 40; i++) {
        double y = settles_low((double)i / 39);
        p[i] = at(i, y, y);
        point_set(&p[i], CURVE_TRAIN_LOSS_MIN, 0.001 * y);
        point_set(&p[i], CURVE_TRAIN_LOSS_MAX, 6 * y);
        point_set(&p[i], CURVE_TRAIN_LOSS_SD, 0.9 * y);
    }
    label(p, 40, 0, &d);
    assert_int_equal(d.pattern, PATTERN_CONVERGED);
}

static void test_one_curve_alone_is_said_to_be_one(void **state)
{
    struct point p[30];
    struct diagnosis d;

    for (size_t i = 0; i < 30; i++) {
        p[i] = at(i, decay((double)i / 29), 0);
        p[i].measured &= ~(1u << CURVE_VAL_LOSS);
    }
    label(p, 30, 0, &d);
    assert_int_equal(d.pattern, PATTERN_LEARNING);
    assert_true(d.tags >> DIAGNOSIS_TAG_ONE_SIDED & 1u);
    assert_true(d.confidence <= 0.5);
    assert_true(isnan(d.gap) && isnan(d.val.best) && d.val.count == 0);
    for (size_t i = 0; i < 30; i++) {
        p[i].measured = 0;
        point_set(&p[i], CURVE_VAL_LOSS, decay((double)i / 29));
    }
    label(p, 30, 0, &d);
    assert_int_equal(d.pattern, PATTERN_LEARNING);
    assert_true(d.tags >> DIAGNOSIS_TAG_ONE_SIDED & 1u);
}

/* --- tags ---------------------------------------------------------------------------------- */

static uint32_t tags_after(void (*change)(struct point *p, size_t i))
{
    struct point p[40];
    struct diagnosis d;

    for (size_t i = 0; i < 40; i++) {
        double x = (double)i / 39, wiggle = 0.002 * (double)(i * 7 % 5);
        p[i] = at(i, settles(x) + wiggle, settles(x) + wiggle);
        point_set(&p[i], CURVE_LEARNING_RATE, 0.1);
        change(&p[i], i);
    }
    label(p, 40, 0, &d);
    return d.tags;
}

static void nothing(struct point *p, size_t i) {}
static void val_up(struct point *p, size_t i) { p->v[CURVE_VAL_LOSS] += i > 30 ? 0.1 : 0; }
static void fast(struct point *p, size_t i) { p->v[CURVE_VAL_LOSS] = pow(0.8, (double)i); }
static void one_peak(struct point *p, size_t i) { p->v[CURVE_VAL_LOSS] += i == 33 ? 0.8 : 0; }
static void hill(struct point *p, size_t i) { p->v[CURVE_TRAIN_LOSS] += i > 14 && i < 20 ? 3 : 0; }
static void frozen(struct point *p, size_t i) { p->v[CURVE_TRAIN_LOSS] = i > 20 ? 0.5 : 1; }
static void slower(struct point *p, size_t i) { p->v[CURVE_LEARNING_RATE] /= i > 20 ? 10 : 1; }
static void above(struct point *p, size_t i) { p->v[CURVE_TRAIN_LOSS] += 0.3; }

static void test_tags(void **state)
{
    static const struct {
        void (*change)(struct point *p, size_t i);
        enum diagnosis_tag tag;
    } CASES[] = {
        {val_up, DIAGNOSIS_TAG_PAST_BEST},       {one_peak, DIAGNOSIS_TAG_SPIKE},
        {hill, DIAGNOSIS_TAG_RECOVERED},         {frozen, DIAGNOSIS_TAG_CONSTANT_TAIL},
        {slower, DIAGNOSIS_TAG_LR_STEP},         {above, DIAGNOSIS_TAG_TRAIN_GT_VAL},
    };

    assert_int_equal(tags_after(nothing), 0);
    assert_false(tags_after(fast) >> DIAGNOSIS_TAG_PAST_BEST & 1u); /* it still falls */
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++)
        assert_true(tags_after(CASES[i].change) >> CASES[i].tag & 1u);
    assert_string_equal(diagnosis_tag_name(DIAGNOSIS_TAG_LR_STEP), "lr_step");
    assert_string_equal(diagnosis_tag_name(DIAGNOSIS_TAG_COUNT), "");
}

/* --- invariances --------------------------------------------------------------------------- */

static void scale_points(const struct point *from, size_t n, double c, struct point *to)
{
    for (size_t i = 0; i < n; i++) {
        to[i] = from[i];
        to[i].v[CURVE_TRAIN_LOSS] *= c;
        to[i].v[CURVE_VAL_LOSS] *= c;
    }
}

static void test_the_unit_of_the_loss_does_not_matter(void **state)
{
    static const double FACTORS[] = {0x1p-900, 1e-12, 0.37, 3, 1e12, 0x1p1000};
    struct point p[60], q[60];
    struct diagnosis plain, scaled;

    for (size_t i = 0; i < ARRAY_LEN(EXAMPLES); i++) {
        for (uint64_t seed = 0; seed < 10; seed++) {
            build(&EXAMPLES[i], 60, seed, p);
            label(p, 60, EXAMPLES[i].dropout, &plain);
            for (size_t k = 0; k < ARRAY_LEN(FACTORS); k++) {
                scale_points(p, 60, FACTORS[k], q);
                label(q, 60, EXAMPLES[i].dropout, &scaled);
                assert_int_equal(scaled.pattern, plain.pattern);
                assert_int_equal(scaled.runner_up, plain.runner_up);
                assert_int_equal(scaled.tags, plain.tags);
                assert_true(scaled.confidence == plain.confidence);
                assert_true(fabs(scaled.val.change / FACTORS[k] - plain.val.change) <=
                            1e-9 * fabs(plain.val.change));
            }
        }
    }
}

static void test_the_same_curve_gives_the_same_bits(void **state)
{
    struct point p[200];
    struct diagnosis a, b;

    for (size_t i = 0; i < ARRAY_LEN(EXAMPLES); i++) {
        build(&EXAMPLES[i], 200, 7, p);
        memset(&a, 0, sizeof(a));
        memset(&b, 0xff, sizeof(b));
        label(p, 200, 0, &a);
        label(p, 200, 0, &b);
        assert_string_equal(a.sentence, b.sentence);
        assert_memory_equal(&a.train, &b.train, sizeof(a.train));
        assert_memory_equal(&a.val, &b.val, sizeof(a.val));
    }
}

/* --- anything goes in ---------------------------------------------------------------------- */

static void check_defined(const struct diagnosis *d)
{
    const double reals[] = {d->train.change, d->train.noise, d->train.range, d->train.level,
                            d->train.z,      d->val.change,  d->val.noise,   d->val.range,
                            d->val.level,    d->val.z,       d->train.slope, d->val.slope};

    assert_true((int)d->pattern >= 0 && d->pattern < PATTERN_COUNT);
    assert_true((int)d->runner_up >= -1 && (int)d->runner_up < PATTERN_COUNT);
    assert_true(d->runner_up != d->pattern);
    assert_true(d->confidence >= 0 && d->confidence <= 1);
    assert_non_null(d->test);
    assert_true(strlen(d->sentence) > 0 && strlen(d->sentence) + 1 < sizeof(d->sentence));
    for (size_t i = 0; i < ARRAY_LEN(reals); i++)
        assert_true(isfinite(reals[i]));
    assert_false(isinf(d->gap));
}

static void check_evidence(const struct diagnosis *d)
{
    struct buf text = {0};
    struct json_writer w;
    struct errbuf *none = NULL;

    jw_init(&w, &text);
    diagnosis_evidence_write(d, &w);
    struct json *v = json_parse(text.data, text.len, none);
    assert_non_null(v);
    assert_string_equal(json_string(json_get(v, "sentence")), d->sentence);
    assert_string_equal(json_string(json_get(v, "test")), d->test);
    assert_int_equal(json_type(json_get(v, "tags")), JSON_ARRAY);
    assert_int_equal(json_type(json_get(json_get(v, "train"), "noise")), JSON_NUMBER);
    json_destroy(v);
    buf_finish(&text);
}

/* Draws from what makes arithmetic fail. */
static double nasty(struct rng *r, uint64_t kind)
{
    static const double VALUES[] = {0, -0.0, 1, -1, DBL_MAX, -DBL_MAX, DBL_MIN, 5e-324, -5e-324,
                                    1e308, -1e308, 1e-308, 1e154, NAN, INFINITY, -INFINITY};
    switch (kind) {
    case 0: return VALUES[rng_below(r, ARRAY_LEN(VALUES))];
    case 1: return VALUES[rng_below(r, 13)]; /* finite */
    case 2: return rng_normal(r) * 1e308;
    case 3: return rng_uniform(r) * 1e-310;
    case 4: return -5 + rng_normal(r);
    default: return VALUES[kind % 13]; /* constant */
    }
}

static void test_any_input_gives_a_defined_label(void **state)
{
    static struct point p[2500];
    struct diagnosis d;
    struct rng r;

    rng_init(&r, 5, RNG_TEST, 0);
    for (int round = 0; round < 3000; round++) {
        size_t n = (size_t)rng_below(&r, round % 100 == 0 ? 2500 : 40);
        uint64_t train = rng_below(&r, 18), val = rng_below(&r, 18);
        for (size_t i = 0; i < n; i++) {
            p[i] = at(rng_below(&r, 3) ? i : 0, nasty(&r, train), nasty(&r, val));
            for (int c = CURVE_TRAIN_ACC; c < CURVE_COLUMN_COUNT; c++)
                if (round % 3 == 0)
                    point_set(&p[i], c, nasty(&r, 0));
            if (round % 4 == 1)
                p[i].measured &= (uint32_t)rng_next(&r);
        }
        label(p, n, nasty(&r, 0), &d);
        check_defined(&d);
        check_evidence(&d);
    }
}

static void test_every_length_works(void **state)
{
    static struct point p[LONGEST];
    static const size_t LONG[] = {999, 1000, 1001, 1002, 1999, 2001, 9999, 33333, LONGEST};
    struct diagnosis d;

    for (size_t i = 0; i < LONGEST; i++)
        p[i] = at(i, 2 + 0.01 * (double)(i * 7919 % 13), 2);
    for (size_t n = 0; n <= 130; n++) {
        label(p, n, 0, &d);
        check_defined(&d);
    }
    for (size_t i = 0; i < ARRAY_LEN(LONG); i++) {
        label(p, LONG[i], 0, &d);
        check_defined(&d);
        assert_int_equal(d.train.count, LONG[i]);
        assert_int_equal(d.pattern, PATTERN_BOTTLENECK);
    }
}

/* Condensing must not change what is seen. */
static void test_long_curves_get_the_label_of_short_ones(void **state)
{
    struct point *p = xmalloc(20000 * sizeof(*p));
    struct diagnosis d;

    for (size_t i = 0; i < ARRAY_LEN(EXAMPLES); i++) {
        build(&EXAMPLES[i], 20000, 11, p);
        label(p, 20000, EXAMPLES[i].dropout, &d);
        assert_string_equal(pattern_name(d.pattern), pattern_name(EXAMPLES[i].pattern));
        assert_int_equal(d.train.window, 8000);
    }
    free(p);
}

static void test_the_sentence_can_be_checked(void **state)
{
    struct point p[20];
    struct diagnosis d;

    for (size_t i = 0; i < 20; i++)
        p[i] = at(i, 2 - 0.0625 * (double)i, 3 - 0.125 * (double)i);
    label(p, 20, 0, &d);
    assert_string_equal(d.sentence,
                        "Training loss falls (-0.44 over the last 8 points, noise 0); validation "
                        "loss falls (-0.88 over the last 8 points, noise 0); best 0.625 at epoch "
                        "20, now about 0.75.");
    assert_true(d.train.slope == -0.0625 && d.val.slope == -0.125);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_shape_gets_its_label),
        cmocka_unit_test(test_dropout_is_blamed_only_where_there_is_some),
        cmocka_unit_test(test_bad_values_that_stay_are_not_a_number),
        cmocka_unit_test(test_one_bad_value_is_passed_over),
        cmocka_unit_test(test_few_points_give_no_verdict),
        cmocka_unit_test(test_an_explosion_needs_no_five_points),
        cmocka_unit_test(test_swings_within_points),
        cmocka_unit_test(test_batch_noise_at_the_bottom_is_no_oscillation),
        cmocka_unit_test(test_one_curve_alone_is_said_to_be_one),
        cmocka_unit_test(test_tags),
        cmocka_unit_test(test_the_unit_of_the_loss_does_not_matter),
        cmocka_unit_test(test_the_same_curve_gives_the_same_bits),
        cmocka_unit_test(test_any_input_gives_a_defined_label),
        cmocka_unit_test(test_every_length_works),
        cmocka_unit_test(test_long_curves_get_the_label_of_short_ones),
        cmocka_unit_test(test_the_sentence_can_be_checked),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("diagnosis", tests, NULL, NULL);
}
