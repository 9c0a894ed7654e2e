/* Learning-rate schedules against rates that torch.optim.lr_scheduler gives. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "sweep/require.h"
#include "worker/optim/schedule.h"

#define LIST_MAX 20

static struct settings settings_of(enum schedule_kind kind)
{
    struct settings s;
    settings_init(&s);
    s.v[SETTING_SCHEDULE] = kind;
    s.v[SETTING_LEARNING_RATE] = 0.1;
    return s;
}

static void check_rate(const struct schedule *s, uint64_t step, double want)
{
    double got = schedule_rate(s, step);
    if (!(fabs(got - want) <= 1e-14))
        fail_msg("schedule %d: step %d has rate %.17g, not %.17g", (int)s->kind, (int)step, got,
                 want);
}

static void check_rates(const struct schedule *s, const double *want, size_t count)
{
    for (size_t i = 0; i < count; i++)
        check_rate(s, i, want[i]);
}

static void test_constant(void **state)
{
    struct settings settings = settings_of(SCHEDULE_CONSTANT);
    struct schedule s;
    schedule_init(&s, &settings, 5, 4);
    for (uint64_t i = 0; i < 25; i++)
        assert_true(schedule_rate(&s, i) == 0.1);
}

/* StepLR(3, 0.5) and ExponentialLR(0.9), once an epoch of 4 steps. */
static void test_by_epoch(void **state)
{
    static const double cuts[] = {0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025, 0.025, 0.0125};
    static const double powers[] = {0.1, 0.09, 0.081, 0.0729, 0.06561, 0.059049};
    struct settings settings = settings_of(SCHEDULE_STEP);
    settings.v[SETTING_SCHEDULE_EPOCHS] = 3;
    settings.v[SETTING_SCHEDULE_FACTOR] = 0.5;
    struct schedule s;
    schedule_init(&s, &settings, 10, 4);
    for (uint64_t i = 0; i < 40; i++)
        check_rate(&s, i, cuts[i / 4]);
    settings = settings_of(SCHEDULE_EXPONENTIAL);
    settings.v[SETTING_SCHEDULE_FACTOR] = 0.9;
    schedule_init(&s, &settings, 6, 4);
    for (uint64_t i = 0; i < 24; i++)
        check_rate(&s, i, powers[i / 4]);
}

/* CosineAnnealingLR(12, eta_min=0.01); behind its end it stays at the floor. */
static void test_cosine(void **state)
{
    static const double want[] = {0.1,
                                  0.098466662183008077,
                                  0.093971143170299753,
                                  0.086819805153394644,
                                  0.0775,
                                  0.066646857029613454,
                                  0.055,
                                  0.043353142970386581,
                                  0.0325,
                                  0.023180194846605367,
                                  0.016028856829700261,
                                  0.011533337816991932,
                                  0.01,
                                  0.01};
    struct settings settings = settings_of(SCHEDULE_COSINE);
    settings.v[SETTING_SCHEDULE_FLOOR] = 0.1;
    struct schedule s;
    schedule_init(&s, &settings, 3, 4);
    check_rates(&s, want, ARRAY_LEN(want));
}

/* OneCycleLR(max_lr=0.1, total_steps, cycle_momentum=False), also of so few steps that it never
 * rises. */
static void test_one_cycle(void **state)
{
    static const double least = 3.9999999999999998e-07;
    static const struct {
        int64_t steps;
        double rate[LIST_MAX];
    } rows[] = {
        {1, {least}},
        {2, {0.081174565394976306, least}},
        {3, {0.099441543545091188, 0.046263710266697504, least}},
        {4, {0.004, 0.081174565394976306, 0.028306099820869922, least}},
        {10,
         {0.004, 0.052, 0.1, 0.095048463201347383, 0.081174565394976306, 0.06112620219362893,
          0.038874197806371073, 0.018825834605023701, 0.0049519367986526289, least}},
        {20,
         {0.004,
          0.013167184270002533,
          0.037167184270002526,
          0.066832815729997469,
          0.090832815729997476,
          0.1,
          0.098746400623508743,
          0.095048463201347383,
          0.089091617757105002,
          0.081174565394976306,
          0.071694300179130088,
          0.06112620219362893,
          0.050000200000000002,
          0.038874197806371073,
          0.028306099820869922,
          0.018825834605023701,
          0.010908782242895003,
          0.0049519367986526289,
          0.0012539993764912555,
          least}},
    };
    struct settings settings = settings_of(SCHEDULE_ONE_CYCLE);
    for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
        struct schedule s;
        schedule_init(&s, &settings, rows[i].steps, 1);
        check_rates(&s, rows[i].rate, (size_t)rows[i].steps);
        check_rate(&s, (uint64_t)rows[i].steps + 5, least);
    }
}

/* The rate of each of count epochs, whose metrics come at their ends. */
static void check_plateau(const struct settings *settings, bool maximize, size_t count,
                          const double *metric, const double *want)
{
    struct schedule s;
    schedule_init(&s, settings, (int64_t)count, 2);
    for (size_t i = 0; i < count; i++) {
        check_rate(&s, 2 * i, want[i]);
        check_rate(&s, 2 * i + 1, want[i]);
        schedule_end_epoch(&s, metric[i], maximize);
    }
}

/* ReduceLROnPlateau(factor=0.3, patience=2, min_lr=0.005); an improvement below 1e-4 is none, nor
 * is NaN. */
static void test_plateau(void **state)
{
    static const double metric[] = {1,  0.9, 0.9, 0.89995, 0.8999, 0.9, NAN, 0.5, 0.5, 0.6,
                                    .5, 0.5, 0.7, 0.7,     0.7,    0.7, 0.7, 0.7, 0.7, 0.7};
    static const double want[] = {0.1, 0.1,  0.1,  0.1,  0.1,  0.1,   0.1,   0.1,   0.1,  0.1,
                                  0.1, 0.03, 0.03, 0.03, .009, 0.009, 0.009, 0.005, .005, 0.005};
    struct settings settings = settings_of(SCHEDULE_PLATEAU);
    settings.v[SETTING_SCHEDULE_FACTOR] = 0.3;
    settings.v[SETTING_SCHEDULE_EPOCHS] = 2;
    settings.v[SETTING_SCHEDULE_FLOOR] = 0.05;
    check_plateau(&settings, false, ARRAY_LEN(metric), metric, want);
    settings.v[SETTING_LEARNING_RATE] = 1e-8; /* PyTorch makes no cuts below 1e-8 */
    static const double tiny[] = {1e-8, 1e-8, 1e-8, 1e-8, 1e-8, 1e-8};
    static const double flat[] = {1, 1, 1, 1, 1, 1};
    check_plateau(&settings, false, ARRAY_LEN(flat), flat, tiny);
}

static void test_plateau_of_maximum(void **state)
{
    static const double metric[] = {.1, .5, .50004, .5001, .4, .4, .4, .4,
                                    .4, .4, .9,     .9,    .9, .9, .9};
    static const double want[] = {.1,  .1,  .1,   .1,   .1,   .1,   .1,   .05,
                                  .05, .05, .025, .025, .025, .025, .0125};
    struct settings settings = settings_of(SCHEDULE_PLATEAU);
    settings.v[SETTING_SCHEDULE_EPOCHS] = 2;
    check_plateau(&settings, true, ARRAY_LEN(metric), metric, want);
    /* A negative R² that stays where it is has not improved. */
    static const double negative[] = {-2, -2, -2, -2, -1, -1, -1, -1};
    static const double cut[] = {.1, .1, .1, .1, .05, .05, .05, .05};
    check_plateau(&settings, true, ARRAY_LEN(negative), negative, cut);
}

/* SequentialLR(LinearLR(1/4 … 1), then CosineAnnealingLR(8) or StepLR(2, 0.5)). */
static void test_warmup(void **state)
{
    static const double cosine[] = {0.025,
                                    0.05,
                                    0.075,
                                    0.1,
                                    0.1,
                                    0.096193976625564337,
                                    0.085355339059327379,
                                    0.069134171618254497,
                                    0.05,
                                    0.030865828381745515,
                                    0.014644660940672627,
                                    0.0038060233744356634};
    static const double cuts[] = {.025, .05, .075, .1, .1, .1, .05, .05, .025, .025, .0125, .0125};
    struct settings settings = settings_of(SCHEDULE_COSINE);
    settings.v[SETTING_WARMUP_EPOCHS] = 1;
    struct schedule s;
    schedule_init(&s, &settings, 3, 4);
    check_rates(&s, cosine, ARRAY_LEN(cosine));
    settings = settings_of(SCHEDULE_STEP);
    settings.v[SETTING_WARMUP_EPOCHS] = 4;
    settings.v[SETTING_SCHEDULE_EPOCHS] = 2;
    settings.v[SETTING_SCHEDULE_FACTOR] = 0.5;
    schedule_init(&s, &settings, 12, 1);
    check_rates(&s, cuts, ARRAY_LEN(cuts));
}

/* Part of an epoch: the cuts still come where epochs begin. A warm-up as long as the training
 * reaches the rate at its end. */
static void test_broken_warmup(void **state)
{
    struct settings settings = settings_of(SCHEDULE_EXPONENTIAL);
    settings.v[SETTING_WARMUP_EPOCHS] = 1.25;
    struct schedule s;
    schedule_init(&s, &settings, 4, 8);
    for (uint64_t i = 0; i < 10; i++)
        check_rate(&s, i, 0.1 * (double)(i + 1) / 10);
    for (uint64_t i = 10; i < 32; i++)
        check_rate(&s, i, i < 24 ? 0.1 : 0.05);
    settings.v[SETTING_WARMUP_EPOCHS] = 4;
    schedule_init(&s, &settings, 4, 8);
    check_rate(&s, 0, 0.1 / 32);
    check_rate(&s, 31, 0.1);
    settings.v[SETTING_WARMUP_EPOCHS] = 0.01; /* less than a step */
    schedule_init(&s, &settings, 4, 8);
    check_rate(&s, 0, 0.1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_constant), cmocka_unit_test(test_by_epoch),
        cmocka_unit_test(test_cosine),   cmocka_unit_test(test_one_cycle),
        cmocka_unit_test(test_plateau),  cmocka_unit_test(test_plateau_of_maximum),
        cmocka_unit_test(test_warmup),   cmocka_unit_test(test_broken_warmup),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
