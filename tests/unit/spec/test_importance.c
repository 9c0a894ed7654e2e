/* PED-ANOVA against Optuna 5.0's numbers for the same runs; fANOVA against shares of variance that
 * are known. */
#include "expect.h"

#include <math.h>

#include "sweep/importance.h"
#include "sweep/require.h"

enum { LR, DEPTH, OPT, MOMENTUM, DIMENSIONS };

static double three[] = {0, 1, 2};
static char *names[] = {"sgd", "adam", "rmsprop"};

static void space_of_four(struct space *s)
{
    *s = (struct space){.count = DIMENSIONS};
    s->dimensions[LR] = (struct dimension){.name = "lr",
                                           .type = VALUE_REAL,
                                           .distribution = DISTRIBUTION_LOG_UNIFORM_VALUES,
                                           .min = 1e-4,
                                           .max = 1};
    s->dimensions[DEPTH] = (struct dimension){.name = "depth",
                                              .type = VALUE_INTEGER,
                                              .distribution = DISTRIBUTION_INT_UNIFORM,
                                              .min = 1,
                                              .max = 6};
    s->dimensions[OPT] = (struct dimension){.name = "opt",
                                            .type = VALUE_CHOICE,
                                            .distribution = DISTRIBUTION_CATEGORICAL,
                                            .value_count = 3,
                                            .values = three,
                                            .choice_count = 3,
                                            .choices = names};
    s->dimensions[MOMENTUM] = (struct dimension){.name = "momentum",
                                                 .type = VALUE_REAL,
                                                 .distribution = DISTRIBUTION_UNIFORM,
                                                 .min = 0,
                                                 .max = 1};
}

static double part(size_t i, double step)
{
    return fmod((double)(i + 1) * step, 1);
}

static void add(struct importance_runs *r, const struct assignment *at, double metric)
{
    importance_take(r, &(struct importance_given){.status = RUN_COMPLETED,
                                                  .has_metric = true,
                                                  .metric = metric,
                                                  .at = at});
}

/* A valley along the learning rate, and less of everything else; momentum is SGD's alone where the
 * space is conditional. */
static void add_runs(struct importance_runs *r, bool conditional, double sign)
{
    for (size_t i = 0; i < 60; i++) {
        double lr = exp(log(1e-4) + part(i, 0.6180339887498949) * -log(1e-4));
        double depth = 1 + floor(part(i, 0.4142135623730951) * 6);
        double opt = floor(part(i, 0.7320508075688772) * 3);
        double momentum = part(i, 0.23606797749978969);
        bool has = opt == 0 || !conditional;
        double valley = log10(lr) + 2;
        double cost = valley * valley + 0.1 * depth + 0.5 * opt + (has ? 0.3 * momentum : 0);
        struct assignment at = {{lr, depth, opt, has ? momentum : NAN}};
        add(r, &at, sign * cost);
    }
}

static void expect_pedanova(bool conditional, bool maximize, const double *expected)
{
    struct space s;
    struct importance_runs r;
    struct errbuf err;
    double out[SPACE_MAX_DIMENSIONS];
    space_of_four(&s);
    importance_init(&r, &s, maximize);
    add_runs(&r, conditional, maximize ? -1 : 1);
    assert_int_equal(importance_compute(&r, IMPORTANCE_PEDANOVA, 0, out, &err), 0);
    for (size_t i = 0; i < DIMENSIONS; i++)
        assert_float_equal(out[i], expected[i], 1e-12);
    importance_finish(&r);
}

/* Written by Optuna 5.0: get_param_importances(…, normalize=False). */
static void pedanova_is_optunas(void **state)
{
    static const double plain[] = {0.0175301362619, 0.00196597893012, 0.00139144276422,
                                   0.000136457503189};
    static const double conditional[] = {0.0175301362619, 0.00196597893012, 0.00139144276422,
                                         0.00104596353309};
    (void)state;
    expect_pedanova(false, false, plain);
    expect_pedanova(false, true, plain);
    expect_pedanova(true, false, conditional);
}

/* Where the large learning rates diverge, that they do is what matters most. */
static void failures_and_stopped_runs_rank_last(void **state)
{
    struct space s;
    struct importance_runs r;
    struct errbuf err;
    double out[SPACE_MAX_DIMENSIONS];
    (void)state;
    space_of_four(&s);
    importance_init(&r, &s, false);
    for (size_t i = 0; i < 40; i++) {
        struct assignment at = {{part(i, 0.618), 1 + floor(part(i, 0.414) * 6), 0, part(i, 0.236)}};
        bool diverges = at.v[LR] > 0.1;
        importance_take(&r, &(struct importance_given){
                                .status = diverges ? RUN_FAILED : RUN_COMPLETED,
                                .error = diverges ? RUN_ERROR_NOT_A_NUMBER : RUN_ERROR_NONE,
                                .has_metric = true,
                                .metric = diverges ? 0 : 1 + at.v[MOMENTUM],
                                .at = &at});
    }
    assert_int_equal(r.count, 40);
    assert_int_equal(importance_compute(&r, IMPORTANCE_PEDANOVA, 0, out, &err), 0);
    assert_true(out[LR] > out[MOMENTUM] && out[MOMENTUM] > out[OPT]);
    assert_true(importance_used(&r, IMPORTANCE_FANOVA) < 40);
    importance_finish(&r);
}

static void what_says_nothing_is_left_out(void **state)
{
    struct space s;
    struct importance_runs r;
    struct errbuf err;
    double out[SPACE_MAX_DIMENSIONS];
    struct assignment at = {{0.1, 1, 0, 0.5}};
    struct importance_given run = {.status = RUN_CANCELLED, .at = &at};
    (void)state;
    space_of_four(&s);
    importance_init(&r, &s, false);
    importance_take(&r, &run);
    run.status = RUN_RUNNING;
    importance_take(&r, &run);
    run.status = RUN_FAILED;
    run.error = RUN_ERROR_SPAWN;
    importance_take(&r, &run);
    run = (struct importance_given){.kind = RUN_KIND_TREATMENT, .status = RUN_COMPLETED,
                                    .has_metric = true, .at = &at};
    importance_take(&r, &run);
    assert_int_equal(r.count, 0);
    assert_int_equal(importance_compute(&r, IMPORTANCE_PEDANOVA, 0, out, &err), ERR_STATE);
    add(&r, &at, 1);
    assert_int_equal(importance_compute(&r, IMPORTANCE_FANOVA, 0, out, &err), ERR_STATE);
    assert_non_null(strstr(err.message, "needs 2"));
    add(&r, &at, 1); /* equal: nothing depends on anything */
    assert_int_equal(importance_compute(&r, IMPORTANCE_FANOVA, 0, out, &err), 0);
    for (size_t i = 0; i < DIMENSIONS; i++)
        assert_true(out[i] == 0);
    importance_finish(&r);
}

/* cost = 4 x + 2 [opt = adam] + momentum where there is one: variances along each of 16/12,
 * 4 · 2/9 and 1/12, of which only the last depends on what is there. */
static void add_sums(struct importance_runs *r, size_t count, bool conditional)
{
    for (size_t i = 0; i < count; i++) {
        double u = part(i, 0.6180339887498949), opt = floor(part(i, 0.7320508075688772) * 3);
        double momentum = part(i, 0.31662479035539985);
        bool has = opt == 0 || !conditional;
        struct assignment at = {{exp(log(1e-4) * (1 - u)), 1 + floor(part(i, 0.414) * 6), opt,
                                 has ? momentum : NAN}};
        add(r, &at, 4 * u + 2 * (opt == 1) + (has ? momentum : 0));
    }
}

static void fanova_finds_the_shares(void **state)
{
    struct space s;
    struct importance_runs r;
    struct errbuf err;
    double out[SPACE_MAX_DIMENSIONS], again[SPACE_MAX_DIMENSIONS];
    double all = 16 / 12.0 + 8 / 9.0 + 1 / 12.0;
    (void)state;
    space_of_four(&s);
    importance_init(&r, &s, false);
    add_sums(&r, 400, false);
    assert_int_equal(importance_compute(&r, IMPORTANCE_FANOVA, 7, out, &err), 0);
    assert_float_equal(out[LR], 16 / 12.0 / all, 0.05);
    assert_float_equal(out[OPT], 8 / 9.0 / all, 0.05);
    assert_float_equal(out[MOMENTUM], 1 / 12.0 / all, 0.03);
    assert_true(out[DEPTH] < 0.01);
    assert_int_equal(importance_compute(&r, IMPORTANCE_FANOVA, 7, again, &err), 0);
    for (size_t i = 0; i < DIMENSIONS; i++)
        assert_true(out[i] == again[i]);
    importance_finish(&r);
}

/* A third of the runs have a momentum: that is all that its variance counts for. */
static void an_absent_value_is_no_influence(void **state)
{
    struct space s;
    struct importance_runs r;
    struct errbuf err;
    double out[SPACE_MAX_DIMENSIONS];
    (void)state;
    space_of_four(&s);
    importance_init(&r, &s, false);
    add_sums(&r, 400, true);
    assert_int_equal(importance_compute(&r, IMPORTANCE_FANOVA, 7, out, &err), 0);
    assert_true(out[LR] > out[OPT] && out[OPT] > out[MOMENTUM]);
    assert_true(out[MOMENTUM] < 0.04);
    importance_finish(&r);
}

/* 6,000 runs: a sample of 5,000 is fitted. */
static void fanova_of_many_runs(void **state)
{
    struct space s;
    struct importance_runs r;
    struct errbuf err;
    double out[SPACE_MAX_DIMENSIONS];
    (void)state;
    space_of_four(&s);
    importance_init(&r, &s, false);
    add_sums(&r, 6000, false);
    assert_int_equal(importance_compute(&r, IMPORTANCE_FANOVA, 1, out, &err), 0);
    assert_float_equal(out[LR], 16 / 12.0 / (16 / 12.0 + 8 / 9.0 + 1 / 12.0), 0.02);
    importance_finish(&r);
}

static void shares_and_order(void **state)
{
    const double raw[] = {0.1, 0, 0.3, 0.1};
    const double none[] = {0, 0};
    double shares[4];
    size_t order[4];
    (void)state;
    importance_shares(raw, 4, shares);
    assert_float_equal(shares[2], 0.6, 1e-15);
    importance_order(raw, 4, order);
    assert_int_equal(order[0], 2);
    assert_int_equal(order[1], 0);
    assert_int_equal(order[2], 3);
    assert_int_equal(order[3], 1);
    importance_shares(none, 2, shares);
    assert_true(shares[0] == 0);
    assert_int_equal(importance_find("fanova"), IMPORTANCE_FANOVA);
    assert_int_equal(importance_find("shap"), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pedanova_is_optunas),
        cmocka_unit_test(failures_and_stopped_runs_rank_last),
        cmocka_unit_test(what_says_nothing_is_left_out),
        cmocka_unit_test(fanova_finds_the_shares),
        cmocka_unit_test(an_absent_value_is_no_influence),
        cmocka_unit_test(fanova_of_many_runs),
        cmocka_unit_test(shares_and_order),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
