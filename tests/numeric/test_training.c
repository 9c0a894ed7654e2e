/* Whole trainings on small made data: learning, determinism to the bit, points within an epoch,
 * the best weights, and a loss that is no number. */
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sweep/err.h"
#include "sweep/rng.h"
#include "worker/interrupt.h"
#include "worker/train.h"

#define COUNT 230
#define FEATURES 12
#define CLASSES 3
#define POINTS_MAX 200

struct run {
    size_t count;
    struct point points[POINTS_MAX];
    bool stopped;
    char reason[160];
    float best[4096];
    bool have_best, interrupted;
    int64_t resumed_point;
    struct train *train;
    size_t interrupt_after; /* points; 0: never */
};

static uint8_t values[COUNT * FEATURES];
static uint16_t labels[COUNT];
static const struct samples samples = {.type = SAMPLES_U8,
                                       .count = COUNT,
                                       .parts = {COUNT},
                                       .shape = {1, {FEATURES}},
                                       .features = FEATURES,
                                       .classes = CLASSES,
                                       .outputs = 1,
                                       .values = values,
                                       .labels = labels};

/* Each class is bright in another third of the features. */
static int make_data(void **state)
{
    struct rng r;
    rng_init(&r, 3, RNG_TEST, 0);
    for (size_t i = 0; i < COUNT; i++) {
        labels[i] = (uint16_t)rng_below(&r, CLASSES);
        for (size_t j = 0; j < FEATURES; j++)
            values[i * FEATURES + j] =
                (uint8_t)(rng_below(&r, 150) + (j / 4 == labels[i] ? 90 : 0));
    }
    return 0;
}

static struct run_config config_of(void)
{
    struct run_config c = {.epochs = 5, .seed = 110, .split_seed = 110, .metric = METRIC_VAL_LOSS};
    settings_init(&c.settings);
    c.settings.v[SETTING_WIDTH] = 16;
    c.settings.v[SETTING_LEARNING_RATE] = 0.01;
    c.settings.v[SETTING_VALIDATION] = 30;
    return c;
}

static int record_point(void *context, const struct point *p)
{
    struct run *r = context;
    assert_true(r->count < POINTS_MAX);
    r->points[r->count++] = *p;
    if (r->count == r->interrupt_after)
        raise(SIGTERM);
    return 0;
}

static struct run *train_until(const struct run_config *c, size_t interrupt_after)
{
    struct run *r = calloc(1, sizeof *r);
    struct split split;
    r->interrupt_after = interrupt_after;
    assert_int_equal(split_init(&split, &samples, &c->settings, c->split_seed, NULL), 0);
    struct train t = {.config = c,
                      .samples = &samples,
                      .split = &split,
                      .report = record_point,
                      .context = r};
    assert_int_equal(train_open(&t, NULL), 0);
    assert_int_equal(train_run(&t, NULL), 0);
    r->stopped = t.stopped;
    memcpy(r->reason, t.reason, sizeof r->reason);
    r->interrupted = t.interrupted;
    r->resumed_point = t.resumed_point;
    const real *best = train_best(&t);
    r->have_best = best != NULL;
    if (best)
        memcpy(r->best, best, t.setup.step.net.value_count * sizeof *best);
    train_close(&t);
    split_finish(&split);
    return r;
}

static struct run *train(const struct run_config *c)
{
    return train_until(c, 0);
}

static void test_every_optimizer_learns(void **state)
{
    static const double rates[OPTIMIZER_COUNT] = {
        [OPTIMIZER_SGD] = 0.3,       [OPTIMIZER_MOMENTUM] = 0.05, [OPTIMIZER_NESTEROV] = 0.05,
        [OPTIMIZER_RMSPROP] = 0.005, [OPTIMIZER_ADAM] = 0.005,    [OPTIMIZER_ADAMW] = 0.005,
        [OPTIMIZER_ADAGRAD] = 0.05,  [OPTIMIZER_ADADELTA] = 1.0,
    };
    struct run_config c = config_of();
    c.epochs = 20;
    c.settings.v[SETTING_EPSILON] = 1e-5; /* Adadelta starts slowly with less */
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++) {
        for (int loss = LOSS_CROSS_ENTROPY; loss <= LOSS_HUBER; loss++) {
            c.settings.v[SETTING_OPTIMIZER] = kind;
            c.settings.v[SETTING_LOSS] = loss;
            c.settings.v[SETTING_LEARNING_RATE] = rates[kind];
            struct run *r = train(&c);
            assert_int_equal(r->count, 20);
            const struct point *last = &r->points[19];
            assert_true(last->v[CURVE_TRAIN_LOSS] < 0.7 * r->points[0].v[CURVE_TRAIN_LOSS]);
            assert_true(last->v[CURVE_VAL_ACC] > 0.8);
            free(r);
        }
    }
}

static void test_same_seed_same_bits(void **state)
{
    struct run_config c = config_of();
    c.settings.v[SETTING_POINTS_PER_EPOCH] = 3;
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++) {
        c.settings.v[SETTING_OPTIMIZER] = kind;
        c.seed = 110;
        struct run *a = train(&c), *b = train(&c);
        c.seed = 111;
        struct run *other = train(&c);
        assert_int_equal(a->count, 15);
        assert_int_equal(b->count, 15);
        for (size_t i = 0; i < 15; i++)
            assert_true(point_same(&a->points[i], &b->points[i]));
        assert_false(point_same(&a->points[0], &other->points[0]));
        free(a);
        free(b);
        free(other);
    }
}

/* The order of the samples must matter, and be that of the file when shuffling is off. */
static void test_shuffle(void **state)
{
    struct run_config c = config_of();
    struct run *on = train(&c);
    c.settings.v[SETTING_SHUFFLE] = 0;
    struct run *off = train(&c);
    assert_false(point_same(&on->points[0], &off->points[0]));
    free(on);
    free(off);
}

static void test_columns(void **state)
{
    struct run_config c = config_of();
    struct run *r = train(&c);
    const uint32_t absent = 1u << CURVE_PENALTY | 1u << CURVE_TRAIN_LOSS_EVAL | 1u << CURVE_VAL_R2;
    for (size_t i = 0; i < r->count; i++) {
        const struct point *p = &r->points[i];
        assert_int_equal(p->measured, ((1u << CURVE_COLUMN_COUNT) - 1) & ~absent);
        assert_int_equal(p->point, i + 1);
        assert_true(p->epoch == (double)(i + 1));
        assert_true(p->v[CURVE_TRAIN_LOSS_MIN] <= p->v[CURVE_TRAIN_LOSS]);
        assert_true(p->v[CURVE_TRAIN_LOSS_MAX] >= p->v[CURVE_TRAIN_LOSS]);
        assert_true(p->v[CURVE_TRAIN_LOSS_SD] > 0 && p->v[CURVE_GRAD_NORM] > 0);
        assert_true(p->v[CURVE_LEARNING_RATE] == 0.01);
    }
    free(r);
}

/* 200 samples in batches of 32: 7 batches, the last of 8. Points end an epoch exactly. */
static void test_points_within_an_epoch(void **state)
{
    struct run_config c = config_of();
    c.epochs = 2;
    c.settings.v[SETTING_POINTS_PER_EPOCH] = 2;
    struct run *r = train(&c);
    assert_int_equal(r->count, 4);
    assert_true(r->points[0].epoch == 4 * 32 / 200.0);
    assert_true(r->points[1].epoch == 1 && r->points[3].epoch == 2);
    free(r);
    c.settings.v[SETTING_POINTS_PER_EPOCH] = 1000; /* more than batches: one each */
    r = train(&c);
    assert_int_equal(r->count, 14);
    assert_true(r->points[6].epoch == 1 && r->points[13].epoch == 2);
    assert_true(r->points[0].v[CURVE_TRAIN_LOSS_SD] == 0);
    free(r);
    /* Points do not touch the training. */
    c.settings.v[SETTING_POINTS_PER_EPOCH] = 1;
    r = train(&c);
    c.settings.v[SETTING_POINTS_PER_EPOCH] = 7;
    struct run *fine = train(&c);
    assert_true(r->points[1].v[CURVE_VAL_LOSS] == fine->points[13].v[CURVE_VAL_LOSS]);
    free(r);
    free(fine);
}

/* A batch larger than the training set is the whole set. */
static void test_batch_of_everything(void **state)
{
    struct run_config c = config_of();
    c.settings.v[SETTING_BATCH_SIZE] = 1048576;
    struct run *r = train(&c);
    assert_int_equal(r->count, 5);
    assert_true(r->points[4].v[CURVE_TRAIN_LOSS_MIN] == r->points[4].v[CURVE_TRAIN_LOSS_MAX]);
    free(r);
}

static void test_a_loss_that_is_no_number_ends_the_run(void **state)
{
    struct run_config c = config_of();
    c.settings.v[SETTING_OPTIMIZER] = OPTIMIZER_SGD;
    c.settings.v[SETTING_LOSS] = LOSS_MSE;
    c.settings.v[SETTING_LEARNING_RATE] = 1e6;
    memcpy(c.weights, "x", 2);
    struct run *r = train(&c);
    assert_true(r->stopped);
    assert_true(r->count >= 1 && r->count < 5);
    assert_false(isfinite(r->points[r->count - 1].v[CURVE_TRAIN_LOSS]));
    assert_memory_equal(r->reason, "not_a_number: training loss is ", 31);
    free(r);
}

/* The kept weights are those of the best point: a run that ends there has them at its end. */
static void test_best_weights(void **state)
{
    struct run_config c = config_of();
    c.epochs = 7;
    c.settings.v[SETTING_LEARNING_RATE] = 0.2; /* the best point is not the last */
    memcpy(c.weights, "x", 2);
    struct run *full = train(&c);
    size_t best = 0;
    for (size_t i = 1; i < full->count; i++) {
        if (full->points[i].v[CURVE_VAL_LOSS] < full->points[best].v[CURVE_VAL_LOSS])
            best = i;
    }
    assert_true(full->have_best && best + 1 < full->count);
    c.epochs = (int64_t)best + 1;
    struct run *cut = train(&c);
    assert_memory_equal(full->best, cut->best, sizeof full->best);
    free(full);
    free(cut);
}

/* The settings that carry state from step to step: momentum, dropout masks, running means, the
 * best weights, plateau and patience. */
static struct run_config stateful_config(const char *checkpoint)
{
    struct run_config c = config_of();
    c.epochs = 9;
    c.settings.v[SETTING_POINTS_PER_EPOCH] = 3;
    c.settings.v[SETTING_DROPOUT] = 0.2;
    c.settings.v[SETTING_NORMALIZATION] = NORMALIZATION_BATCH;
    c.settings.v[SETTING_SCHEDULE] = SCHEDULE_PLATEAU;
    c.settings.v[SETTING_SCHEDULE_EPOCHS] = 1;
    c.settings.v[SETTING_LEARNING_RATE] = 0.1;
    c.settings.v[SETTING_PATIENCE] = 6;
    memcpy(c.weights, "x", 2);
    c.checkpoint_seconds = 1e9; /* at the interruption only */
    if (checkpoint)
        snprintf(c.checkpoint, sizeof c.checkpoint, "%s", checkpoint);
    return c;
}

/* Interrupted at any point, also within an epoch, and resumed: the same bits. */
static void test_resumed_run_has_the_same_bits(void **state)
{
    char folder[] = "checkpoint-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    interrupt_catch();
    for (int kind = 0; kind < OPTIMIZER_COUNT; kind++) {
        struct run_config c = stateful_config(NULL), with = stateful_config(path);
        c.settings.v[SETTING_OPTIMIZER] = with.settings.v[SETTING_OPTIMIZER] = kind;
        struct run *whole = train(&c);
        assert_false(whole->interrupted);
        for (size_t at = 1; at < whole->count; at += 4) {
            struct run *first = train_until(&with, at);
            assert_true(first->interrupted && first->count == at);
            interrupt_clear();
            struct run *rest = train(&with);
            assert_int_equal(rest->resumed_point, at);
            assert_int_equal(rest->count, whole->count - at);
            for (size_t i = 0; i < rest->count; i++)
                assert_true(point_same(&rest->points[i], &whole->points[at + i]));
            assert_memory_equal(rest->best, whole->best, sizeof whole->best);
            assert_string_equal(rest->reason, whole->reason);
            free(first);
            free(rest);
            assert_int_equal(unlink(path), 0);
        }
        free(whole);
    }
    assert_int_equal(rmdir(folder), 0);
}

/* A checkpoint that is torn, damaged or of another run is as good as none. */
static void test_damaged_checkpoint_is_ignored(void **state)
{
    char folder[] = "checkpoint-XXXXXX", path[64];
    assert_non_null(mkdtemp(folder));
    snprintf(path, sizeof path, "%s/checkpoint", folder);
    interrupt_catch();
    struct run_config c = stateful_config(path);
    free(train_until(&c, 4));
    interrupt_clear();
    int fd = open(path, O_RDWR);
    off_t size = lseek(fd, 0, SEEK_END);
    for (off_t at = 0; at < size; at += size / 40 + 1) {
        char byte, other;
        assert_int_equal(pread(fd, &byte, 1, at), 1);
        other = (char)(byte ^ 4);
        assert_int_equal(pwrite(fd, &other, 1, at), 1);
        struct run *r = train_until(&c, 1);
        interrupt_clear();
        assert_int_equal(r->resumed_point, 0);
        free(r);
        /* That run wrote a checkpoint of its own. */
        close(fd);
        fd = open(path, O_RDWR);
    }
    assert_int_equal(ftruncate(fd, size - 1), 0);
    close(fd);
    struct run *torn = train(&c);
    assert_int_equal(torn->resumed_point, 0);
    free(torn);
    free(train_until(&c, 4));
    interrupt_clear();
    c.settings.v[SETTING_MOMENTUM] = 0.5; /* another run's */
    struct run *other = train(&c);
    assert_int_equal(other->resumed_point, 0);
    free(other);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(rmdir(folder), 0);
}

/* G4.8: ends after so many epochs without a better metric, and says so. */
static void test_patience(void **state)
{
    struct run_config c = config_of();
    c.epochs = 40;
    c.settings.v[SETTING_LEARNING_RATE] = 0.2;
    struct run *whole = train(&c);
    c.settings.v[SETTING_PATIENCE] = 3;
    struct run *r = train(&c);
    size_t best = 0, last = 0;
    for (last = 0; last < whole->count && last < best + 4; last++) {
        if (whole->points[last].v[CURVE_VAL_LOSS] < whole->points[best].v[CURVE_VAL_LOSS])
            best = last;
    }
    assert_true(r->stopped && r->count < whole->count);
    assert_int_equal(r->count, last);
    assert_memory_equal(r->reason, "early_stopping: ", 16);
    free(whole);
    free(r);
}

/* The preset trains with the guide's numbers whatever else is set. Its loss rises after a while
 * (G3.3): every gradient is at least 0.1, so every weight falls until nothing depends on the
 * input, and the loss is that of guessing, ln 3. */
static void test_guide_preset(void **state)
{
    struct run_config c = config_of();
    c.epochs = POINTS_MAX;
    c.settings.v[SETTING_PRESET] = PRESET_GUIDE_G3_2;
    struct run *r = train(&c);
    assert_true(r->points[0].v[CURVE_LEARNING_RATE] == 0.001);
    assert_true(point_has(&r->points[0], CURVE_PENALTY) && r->points[0].v[CURVE_PENALTY] > 0);
    double last = r->points[r->count - 1].v[CURVE_TRAIN_LOSS], least = last;
    for (size_t i = 0; i < r->count; i++)
        least = fmin(least, r->points[i].v[CURVE_TRAIN_LOSS]);
    assert_true(least < 1 && fabs(last - log(3)) < 0.01);
    free(r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_optimizer_learns),
        cmocka_unit_test(test_same_seed_same_bits),
        cmocka_unit_test(test_shuffle),
        cmocka_unit_test(test_columns),
        cmocka_unit_test(test_points_within_an_epoch),
        cmocka_unit_test(test_batch_of_everything),
        cmocka_unit_test(test_a_loss_that_is_no_number_ends_the_run),
        cmocka_unit_test(test_best_weights),
        cmocka_unit_test(test_resumed_run_has_the_same_bits),
        cmocka_unit_test(test_damaged_checkpoint_is_ignored),
        cmocka_unit_test(test_patience),
        cmocka_unit_test(test_guide_preset),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, make_data, NULL);
}
