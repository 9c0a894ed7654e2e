/* The parts of the label beside single trends: noise around a fall-then-rise, thresholds by name,
 * agreement of the ensemble, the timeline, and the label of a run that is still going. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/label/ensemble.h"
#include "common/label/unimodal.h"
#include "sweep/buf.h"
#include "sweep/diagnosis.h"
#include "sweep/require.h"
#include "sweep/rng.h"

#define POINTS 200

static double sigma_of(const double *y, size_t n)
{
    double *scratch = xmalloc(unimodal_scratch(n) * sizeof(double));
    double sigma = unimodal_sigma(y, n, scratch);
    free(scratch);
    return sigma;
}

/* --- unimodal_sigma ------------------------------------------------------------------------ */

static void test_falling_then_rising_has_no_noise(void **state)
{
    double y[40];

    for (size_t turn = 0; turn <= 40; turn += 5) {
        for (size_t i = 0; i < 40; i++)
            y[i] = i < turn ? 100 - (double)i : (double)i;
        assert_true(sigma_of(y, 40) < 1e-12);
    }
    for (size_t i = 0; i < 40; i++)
        y[i] = 3;
    assert_true(sigma_of(y, 40) == 0);
    assert_true(sigma_of(y, 1) == 0);
}

/* Squared error of the best nonincreasing fit to y[0..n): by the minimax formula of isotonic
 * regression (Robertson et al. 1988), fit_i = min over j <= i of max over k >= i of mean(j..k). */
static void plain_fit(const double *y, size_t n, double *fit)
{
    for (size_t i = 0; i < n; i++) {
        fit[i] = INFINITY;
        for (size_t j = 0; j <= i; j++) {
            double highest = -INFINITY, sum = 0;
            for (size_t k = j; k < n; k++) {
                sum += y[k];
                if (k >= i)
                    highest = fmax(highest, sum / (double)(k - j + 1));
            }
            fit[i] = fmin(fit[i], highest);
        }
    }
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double plain_sigma(const double *y, size_t n)
{
    double turned[16], left[16], right[16], best[16] = {0}, least = INFINITY;

    for (size_t split = 0; split <= n; split++) {
        double error = 0;
        for (size_t i = split; i < n; i++)
            turned[n - 1 - i] = y[i];
        plain_fit(y, split, left);
        plain_fit(turned, n - split, right);
        for (size_t i = 0; i < n; i++) {
            double r = y[i] - (i < split ? left[i] : right[n - 1 - i]);
            error += r * r;
        }
        if (error >= least - 1e-12)
            continue;
        least = error;
        for (size_t i = 0; i < n; i++)
            best[i] = fabs(y[i] - (i < split ? left[i] : right[n - 1 - i]));
    }
    qsort(best, n, sizeof(*best), compare);
    return 1.4826 * (n % 2 ? best[n / 2] : 0.5 * (best[n / 2 - 1] + best[n / 2]));
}

static void test_the_fast_fit_is_the_plain_one(void **state)
{
    double y[16];
    struct rng r;
    int same = 0;

    rng_init(&r, 3, RNG_TEST, 0);
    for (int round = 0; round < 500; round++) {
        size_t n = 1 + (size_t)rng_below(&r, 16);
        for (size_t i = 0; i < n; i++)
            y[i] = rng_normal(&r);
        same += fabs(sigma_of(y, n) - plain_sigma(y, n)) < 1e-9;
    }
    assert_true(same >= 495); /* two splits may fit equally well, with other residuals */
}

static void test_white_noise_and_wandering_are_noise(void **state)
{
    double white[POINTS], wander[POINTS], x = 0, whites = 0, wanders = 0;
    struct rng r;

    rng_init(&r, 4, RNG_TEST, 0);
    for (int round = 0; round < 50; round++) {
        for (size_t i = 0; i < POINTS; i++) {
            double fall = 3 * exp(-(double)i / 20);
            white[i] = fall + rng_normal(&r);
            x = 0.8 * x + 0.6 * rng_normal(&r);
            wander[i] = fall + x;
        }
        whites += sigma_of(white, POINTS) / 50;
        wanders += sigma_of(wander, POINTS) / 50;
    }
    print_message("# sigma of white noise %.3f, of AR(0.8) %.3f\n", whites, wanders);
    assert_true(whites > 0.85 && whites < 1.05);
    assert_true(wanders > 0.6 && wanders < 1.1); /* differences alone would say 0.45 */
}

/* --- thresholds ---------------------------------------------------------------------------- */

static void test_thresholds_have_names(void **state)
{
    struct rules r = RULES_DEFAULT;

    *rules_find(&r, "wander") = 7;
    assert_true(r.wander == 7 && RULES_DEFAULT.wander == 5);
    assert_ptr_equal(rules_find(&r, "slow_full"), &r.slow_full);
    assert_null(rules_find(&r, "Wander"));
    assert_null(rules_find(&r, ""));
}

/* --- curves -------------------------------------------------------------------------------- */

struct curves {
    struct point at[POINTS];
};

static void put(struct curves *c, size_t i, double train, double val)
{
    c->at[i] = (struct point){.point = (int64_t)i + 1, .epoch = (double)i + 1};
    point_set(&c->at[i], CURVE_TRAIN_LOSS, train);
    point_set(&c->at[i], CURVE_VAL_LOSS, val);
}

static void label_running(const struct curves *c, size_t n, bool running, struct diagnosis *d)
{
    struct diagnosis_input in = {.points = c->at, .count = n, .running = running};
    void *workspace = malloc(diagnosis_workspace_bytes(n));
    diagnose(&in, workspace, d);
    free(workspace);
}

static void label(const struct curves *c, size_t n, struct diagnosis *d)
{
    label_running(c, n, false, d);
}

/* --- the ensemble -------------------------------------------------------------------------- */

/* Validation rises by a share of its minimum; noise of 1 %. */
static void rising(struct curves *c, double share)
{
    for (size_t i = 0; i < 60; i++) {
        double x = (double)i / 59, wiggle = 0.01 * ((double)(i * 7 % 5) - 2) / 2;
        double up = 0.5 * (1 + share * fmax(0, x - 0.3) / 0.7);
        put(c, i, 0.05 + 2 * exp(-5 * x), 1.5 * exp(-20 * x) + up + 0.5 * wiggle);
    }
}

static void test_confidence_follows_the_margin(void **state)
{
    struct curves c;
    struct diagnosis clear, near;

    rising(&c, 0.5);
    label(&c, 60, &clear);
    assert_int_equal(clear.pattern, PATTERN_OVERFITTING_RISING);
    assert_true(clear.agreement == 1 && clear.confidence > 0.9);
    for (double share = 0.2; share > 0; share -= 0.002) { /* down to where members differ */
        rising(&c, share);
        label(&c, 60, &near);
        if (near.agreement < 0.8)
            break;
    }
    assert_true(near.agreement < 0.8 && near.confidence < clear.confidence);
    assert_true(near.pattern == PATTERN_OVERFITTING_RISING
                    ? near.runner_up == PATTERN_OVERFITTING
                    : near.runner_up == PATTERN_OVERFITTING_RISING);
}

/* A loss that keeps halving counts as falling, also where the plot is flat to the eye. */
static void test_a_loss_that_halves_still_falls(void **state)
{
    struct curves c;
    struct diagnosis d;

    for (size_t i = 0; i < 30; i++)
        put(&c, i, 8 * pow(0.8, (double)i), 9 * pow(0.8, (double)i));
    label(&c, 30, &d);
    assert_int_equal(d.pattern, PATTERN_LEARNING);
}

/* The two losses measure one process: noise in one of them does not hide what both do. */
static void test_a_firm_fall_helps_the_other_loss(void **state)
{
    struct curves c;
    struct diagnosis both, alone;

    for (size_t i = 0; i < 40; i++) {
        double wiggle = 0.12 * sin(2.4 * (double)i), fall = 2 - 0.03 * (double)i;
        put(&c, i, fall, fall + wiggle);
    }
    label(&c, 40, &both);
    for (size_t i = 0; i < 40; i++)
        put(&c, i, 0.5, c.at[i].v[CURVE_VAL_LOSS]);
    label(&c, 40, &alone);
    assert_int_equal(both.pattern, PATTERN_LEARNING);
    assert_int_equal(both.val.sign, -1);
    assert_true(alone.val.sign <= 0);
}

static void test_training_that_rises_alone_must_be_clear(void **state)
{
    struct curves c;
    struct diagnosis d;

    for (size_t i = 0; i < 40; i++) {
        double settled = 0.5 + 2 * exp(-(double)i / 3);
        put(&c, i, settled + 0.02 * fmax(0, (double)i - 15), settled);
    }
    label(&c, 40, &d);
    assert_int_equal(d.pattern, PATTERN_TRAIN_RISING);
    for (size_t i = 0; i < 40; i++)
        put(&c, i, c.at[i].v[CURVE_VAL_LOSS] + 0.002 * fmax(0, (double)i - 15),
            c.at[i].v[CURVE_VAL_LOSS]);
    label(&c, 40, &d);
    assert_int_not_equal(d.pattern, PATTERN_TRAIN_RISING);
}

/* Dropout is named only where there is some; of a file, which does not say, the general case is. */
static void test_dropout_not_known(void **state)
{
    static const struct {
        double dropout;
        enum pattern pattern;
    } CASES[] = {{NAN, PATTERN_TRAIN_ABOVE_VAL},
                 {0.5, PATTERN_DROPOUT_TOO_STRONG},
                 {0, PATTERN_TRAIN_ABOVE_VAL}};
    struct curves c;
    struct diagnosis d;

    for (size_t i = 0; i < 40; i++)
        put(&c, i, 1 + exp(-(double)i / 2), 0.05 + 2 * exp(-(double)i / 2));
    for (size_t i = 0; i < ARRAY_LEN(CASES); i++) {
        struct diagnosis_input in = {.points = c.at, .count = 40, .dropout = CASES[i].dropout};
        void *workspace = malloc(diagnosis_workspace_bytes(40));
        diagnose(&in, workspace, &d);
        free(workspace);
        assert_int_equal(d.pattern, CASES[i].pattern);
        assert_true(CASES[i].dropout > 0 || d.runner_up != PATTERN_DROPOUT_TOO_STRONG);
    }
}

/* Losses may be negative or zero: a firm fall stays one wherever the zero lies. */
static void test_a_shifted_loss_keeps_its_direction(void **state)
{
    static const double SHIFTS[] = {-100, -2.3, -1, 0, 10};
    struct curves c;
    struct diagnosis d;

    for (size_t k = 0; k < ARRAY_LEN(SHIFTS); k++) {
        for (size_t i = 0; i < 50; i++)
            put(&c, i, SHIFTS[k] + 30 - 0.5 * (double)i, SHIFTS[k] + 31 - 0.5 * (double)i);
        label(&c, 50, &d);
        assert_int_equal(d.pattern, PATTERN_LEARNING);
    }
}

/* Only the order of the points counts: epochs may repeat or go back. */
static void test_epochs_do_not_decide(void **state)
{
    struct curves c;
    struct diagnosis plain, odd;

    rising(&c, 0.3);
    label(&c, 60, &plain);
    for (size_t i = 0; i < 60; i++)
        c.at[i].epoch = i % 2 ? 3 : 60 - (double)i;
    label(&c, 60, &odd);
    assert_int_equal(odd.pattern, plain.pattern);
    assert_true(odd.confidence == plain.confidence && odd.val.slope == plain.val.slope);
}

/* --- timeline ------------------------------------------------------------------------------ */

static void test_regimes_are_separated(void **state)
{
    static const enum pattern WANTED[] = {PATTERN_LEARNING, PATTERN_CONVERGED, PATTERN_DIVERGING};
    struct curves c;
    struct diagnosis d;

    for (size_t i = 0; i < 90; i++) {
        double wiggle = 0.005 * (double)(i * 7 % 5);
        double y = i < 30 ? 3 - 0.09 * (double)i : i < 60 ? 0.3 : 0.3 + 0.1 * (double)(i - 59);
        put(&c, i, y + wiggle, y + 0.1 + wiggle);
    }
    label(&c, 90, &d);
    assert_int_equal(d.regime_count, ARRAY_LEN(WANTED));
    for (size_t i = 0; i < ARRAY_LEN(WANTED); i++) {
        assert_int_equal(d.regimes[i].pattern, WANTED[i]);
        assert_true(fabs(d.regimes[i].to - 30 * ((double)i + 1)) <= 5);
    }
}

static void check_timeline(const struct diagnosis *d, size_t n)
{
    assert_true(d->regime_count >= 1 && d->regime_count <= DIAGNOSIS_REGIMES_MAX);
    assert_true(d->regimes[0].from == 1 && d->regimes[d->regime_count - 1].to == (double)n);
    assert_int_equal(d->regimes[d->regime_count - 1].pattern, d->pattern);
    for (size_t i = 1; i < d->regime_count; i++) {
        assert_true(d->regimes[i].from == d->regimes[i - 1].to + 1);
        assert_int_not_equal(d->regimes[i].pattern, d->regimes[i - 1].pattern);
    }
}

static void test_the_timeline_covers_the_run(void **state)
{
    struct curves c;
    struct diagnosis d;
    struct rng r;

    rng_init(&r, 5, RNG_TEST, 0);
    for (int round = 0; round < 400; round++) {
        size_t n = 1 + (size_t)rng_below(&r, POINTS);
        double kind = (double)(round % 4), x = 0;
        for (size_t i = 0; i < n; i++) {
            x += rng_normal(&r);
            bool lost = kind == 3 && i > n / 2;
            put(&c, i, lost ? NAN : 5 + kind * x, kind == 2 ? 1 : 6 + x);
        }
        label(&c, n, &d);
        check_timeline(&d, n);
    }
}

static void test_nan_begins_a_regime(void **state)
{
    struct curves c;
    struct diagnosis d;

    for (size_t i = 0; i < 40; i++)
        put(&c, i, i < 25 ? 2 - 0.05 * (double)i : NAN, i < 26 ? 2 - 0.05 * (double)i : NAN);
    label(&c, 40, &d);
    assert_int_equal(d.regime_count, 2);
    assert_int_equal(d.regimes[0].pattern, PATTERN_LEARNING);
    assert_int_equal(d.regimes[1].pattern, PATTERN_NOT_A_NUMBER);
    assert_true(d.regimes[0].to == 25 && d.regimes[1].from == 26);
}

/* --- a running run ------------------------------------------------------------------------- */

static size_t changes(const struct curves *c, size_t n, bool running)
{
    struct diagnosis before = {0}, now;
    size_t count = 0;

    for (size_t i = 6; i <= n; i++, before = now) {
        label_running(c, i, running, &now);
        count += i > 6 && now.pattern != before.pattern;
    }
    return count;
}

static void test_a_running_label_flickers_less(void **state)
{
    struct curves c;
    struct rng r;
    size_t held = 0, free_running = 0;

    for (uint64_t seed = 0; seed < 20; seed++) {
        rng_init(&r, seed, RNG_TEST, 6);
        for (size_t i = 0; i < 60; i++) {
            double fall = exp(-(double)i / 12);
            put(&c, i, 0.3 + fall + 0.03 * rng_normal(&r), 0.5 + fall + 0.05 * rng_normal(&r));
        }
        held += changes(&c, 60, true);
        free_running += changes(&c, 60, false);
    }
    print_message("# label changes of 20 runs: %zu held, %zu not\n", held, free_running);
    assert_true(4 * held <= 3 * free_running);
}

/* No memory: the label of a prefix depends on nothing but the prefix. */
static void test_a_held_label_is_a_function_of_the_points(void **state)
{
    struct curves c;
    struct diagnosis first, again;

    rising(&c, 0.06);
    for (size_t n = 1; n <= 60; n++) {
        label_running(&c, n, true, &first);
        label_running(&c, 60 - n, true, &again);
        label_running(&c, n, true, &again);
        assert_int_equal(first.pattern, again.pattern);
        assert_true(first.confidence == again.confidence);
        assert_string_equal(first.sentence, again.sentence);
        check_timeline(&first, n);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_falling_then_rising_has_no_noise),
        cmocka_unit_test(test_the_fast_fit_is_the_plain_one),
        cmocka_unit_test(test_white_noise_and_wandering_are_noise),
        cmocka_unit_test(test_thresholds_have_names),
        cmocka_unit_test(test_confidence_follows_the_margin),
        cmocka_unit_test(test_a_loss_that_halves_still_falls),
        cmocka_unit_test(test_a_firm_fall_helps_the_other_loss),
        cmocka_unit_test(test_training_that_rises_alone_must_be_clear),
        cmocka_unit_test(test_dropout_not_known),
        cmocka_unit_test(test_a_shifted_loss_keeps_its_direction),
        cmocka_unit_test(test_epochs_do_not_decide),
        cmocka_unit_test(test_regimes_are_separated),
        cmocka_unit_test(test_the_timeline_covers_the_run),
        cmocka_unit_test(test_nan_begins_a_regime),
        cmocka_unit_test(test_a_running_label_flickers_less),
        cmocka_unit_test(test_a_held_label_is_a_function_of_the_points),
    };

    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests_name("ensemble", tests, NULL, NULL);
}
