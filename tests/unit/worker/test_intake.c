/* What programs write to SWEEPD_METRICS_FD: lines, epochs, and the columns that series feed. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/json.h"
#include "sweep/require.h"
#include "worker/command/intake.h"

#define KEPT_MAX 8

/* What was given: "1@1 loss=0.5 acc=nan; …" and, of the columns, "[train_loss=0.5]". */
struct taken {
    struct buf points, columns;
    int64_t fail_at; /* point whose giving fails; 0: none */
    size_t kept_count;
    struct point_metrics *kept[KEPT_MAX]; /* the first of them */
};

static int take(void *context, struct point_metrics *m)
{
    struct taken *t = context;
    char number[32];

    if (m->at.point == t->fail_at)
        return -1;
    if (t->kept_count < KEPT_MAX) {
        struct point_metrics *copy = metrics_create(&m->at, m->count);
        memcpy(copy->values, m->values, m->count * sizeof(m->values[0]));
        t->kept[t->kept_count++] = copy;
    }
    json_format_real(m->at.epoch, number);
    buf_printf(&t->points, "%s%d@%s", t->points.len ? "; " : "", (int)m->at.point, number);
    for (size_t i = 0; i < m->count; i++) {
        json_format_real(m->values[i].value, number);
        buf_printf(&t->points, " %s=%s", m->values[i].name, number);
    }
    buf_clear(&t->columns);
    for (int c = 0; c < CURVE_COLUMN_COUNT; c++) {
        if (!point_has(&m->at, (enum curve_column)c) || c == CURVE_SECONDS)
            continue;
        json_format_real(m->at.v[c], number);
        buf_printf(&t->columns, "%s%s=%s", t->columns.len ? " " : "",
                   curve_column_name((enum curve_column)c), number);
    }
    return 0;
}

struct test {
    struct command_config config;
    struct intake *intake;
    struct taken taken;
};

static void begin(struct test *t, const char *metric)
{
    memset(t, 0, sizeof(*t));
    str_copy(t->config.metric, sizeof(t->config.metric), metric);
    t->intake = xcalloc(1, sizeof(*t->intake));
    buf_puts(&t->taken.points, "");
    buf_puts(&t->taken.columns, "");
    intake_init(t->intake, &t->config, take, &t->taken);
}

static void finish(struct test *t)
{
    intake_finish(t->intake);
    free(t->intake);
    for (size_t i = 0; i < t->taken.kept_count; i++)
        free(t->taken.kept[i]);
    buf_finish(&t->taken.points);
    buf_finish(&t->taken.columns);
}

/* All of it in pieces of so many bytes. */
static void feed(struct test *t, const char *text, size_t piece)
{
    size_t len = strlen(text);

    for (size_t i = 0; i < len; i += piece)
        assert_int_equal(intake_bytes(t->intake, text + i, len - i < piece ? len - i : piece, 1),
                         0);
    assert_int_equal(intake_end(t->intake, 1), 0);
}

static const struct {
    const char *text, *points;
    unsigned bad, late;
} cases[] = {
    /* counted */
    {"{\"loss\":2}\n{\"loss\":1}\n", "1@1 loss=2; 2@2 loss=1", 0, 0},
    {"{\"loss\":2}\n{\"loss\":1,\"epoch\":7}", "1@1 loss=2; 2@2 loss=1 epoch=7", 0, 0},
    {"\r\n\n{\"loss\":2}\r\n", "1@1 loss=2", 0, 0},
    /* by number */
    {"{\"epoch\":3,\"loss\":2}\n{\"loss\":1,\"epoch\":4.5}\n", "1@3 loss=2; 2@4.5 loss=1", 0, 0},
    {"{\"epoch\":0,\"a\":1}\n{\"epoch\":1,\"a\":2}\n", "1@1 a=1; 2@2 a=2", 0, 0},
    {"{\"step\":10,\"a\":1}\n{\"epoch\":1,\"b\":2}\n{\"step\":20,\"a\":3}\n",
     "1@10 a=1 epoch=1 b=2; 2@20 a=3", 0, 0},
    {"{\"epoch\":1,\"step\":9,\"a\":1}\n", "1@1 step=9 a=1", 0, 0},
    {"{\"epoch\":1,\"a\":1}\n{\"epoch\":1,\"a\":2,\"b\":3}\n", "1@1 a=2 b=3", 0, 0},
    {"{\"epoch\":2,\"a\":1}\n{\"epoch\":1,\"a\":2}\n{\"epoch\":3,\"a\":3}\n", "1@2 a=1; 2@3 a=3", 0,
     1},
    {"{\"epoch\":1,\"a\":1}\n{\"epoch\":NaN,\"a\":2}\n{\"final\":4}", "1@1 a=1 final=4", 0, 1},
    {"{\"epoch\":-1,\"a\":1}\n{\"epoch\":1,\"a\":2}\n", "1@1 a=2", 0, 1},
    {"{\"epoch\":1}\n{\"epoch\":2,\"a\":2}\n", "1@2 a=2", 0, 0},
    /* numbers */
    {"{\"a\":NaN,\"b\":Infinity,\"c\":-Infinity}\n", "1@1 a=nan b=+inf c=-inf", 0, 0},
    {"{\"a\":\"nan\",\"b\":\"Inf\",\"c\":\"-INFINITY\",\"d\":\"x\",\"e\":true,\"f\":[1],\"g\":"
     "null}",
     "1@1 a=nan b=+inf c=-inf", 0, 0},
    {"{\"NaN \\\" Infinity\":NaN}\n", "1@1 NaN \" Infinity=nan", 0, 0},
    /* what is no line of metrics */
    {"loss 1\n[1]\n7\n{\"a\":1,}\n{\"a\":1}{\"a\":2}\n{\"a\":1e999}\n{\"a\":1,\"a\":2}\n", "", 7,
     0},
    {"{\"a\xff\":1}\n{\"a\":1}\n", "1@1 a=1", 1, 0},
    {"{\"note\":\"hello\"}\n{}\n{\"a\":1}\n", "1@1 a=1", 0, 0},
    {"", "", 0, 0},
};

static void lines_become_points(void **state)
{
    static const size_t pieces[] = {1, 7, 4096};

    for (size_t i = 0; i < ARRAY_LEN(cases) * ARRAY_LEN(pieces); i++) {
        const size_t k = i / ARRAY_LEN(pieces);
        struct test t;
        begin(&t, "a");
        feed(&t, cases[k].text, pieces[i % ARRAY_LEN(pieces)]);
        assert_string_equal(t.taken.points.data, cases[k].points);
        assert_int_equal(t.intake->bad_lines, cases[k].bad);
        assert_int_equal(t.intake->late_lines, cases[k].late);
        finish(&t);
    }
}

static void a_point_by_number_waits_for_the_next(void **state)
{
    static const char line[] = "{\"step\":1,\"a\":1}\n", next[] = "{\"step\":2,\"a\":1}\n";
    struct test t;

    begin(&t, "a");
    assert_int_equal(intake_bytes(t.intake, line, strlen(line), 1), 0);
    assert_int_equal(t.intake->points, 0);
    assert_false(t.intake->metric_seen);
    assert_int_equal(intake_bytes(t.intake, next, strlen(next), 1), 0);
    assert_int_equal(t.intake->points, 1);
    assert_true(t.intake->metric_seen);
    finish(&t);
}

static void a_key_of_ones_own_counts_epochs(void **state)
{
    struct test t;

    begin(&t, "a");
    str_copy(t.config.manner.curves.epoch, METRIC_NAME_MAX, "k/epoch");
    intake_init(t.intake, &t.config, take, &t.taken); /* nothing was read yet */
    feed(&t, "{\"size\":5}\n{\"k/epoch\":2,\"epoch\":9}\n", 100);
    assert_string_equal(t.taken.points.data, "1@2 size=5 epoch=9");
    finish(&t);
    /* A key that never comes: nothing is made up. */
    begin(&t, "a");
    str_copy(t.config.manner.curves.epoch, METRIC_NAME_MAX, "k/epoch");
    intake_init(t.intake, &t.config, take, &t.taken);
    feed(&t, "{\"a\":5}\n{\"a\":2}\n", 100);
    assert_string_equal(t.taken.points.data, "");
    assert_int_equal(t.intake->held_count, 1);
    finish(&t);
}

/* 64 KiB are read, one more is not; nor 10 MB, of which little is kept. */
static void long_lines_are_left_out(void **state)
{
    struct test t;
    struct buf line = {0};

    begin(&t, "a");
    buf_puts(&line, "{\"a\":1,\"b\":\"");
    while (line.len < METRICS_LINE_MAX - 2)
        buf_putc(&line, 'x');
    buf_puts(&line, "\"}\n");
    assert_int_equal(line.len, METRICS_LINE_MAX + 1);
    assert_int_equal(intake_bytes(t.intake, line.data, line.len, 1), 0);
    assert_int_equal(t.intake->points, 1);
    buf_puts(&line, "x");
    line.data[line.len - 2] = 'x';
    for (int i = 0; i < 160; i++) {
        assert_int_equal(intake_bytes(t.intake, line.data, line.len, 1), 0);
        assert_true(t.intake->line.len <= METRICS_LINE_MAX);
    }
    feed(&t, "\n{\"a\":2}\n", 100);
    assert_string_equal(t.taken.points.data, "1@1 a=1; 2@2 a=2");
    assert_int_equal(t.intake->bad_lines, 1);
    buf_finish(&line);
    finish(&t);
}

static void a_point_has_at_most_64_values(void **state)
{
    struct test t;
    struct buf line = {0}, said = {0};

    begin(&t, "m69");
    buf_puts(&line, "{\"epoch\":1");
    for (int i = 0; i < 70; i++)
        buf_printf(&line, ",\"m%d\":%d", i, i);
    buf_puts(&line, ",\"\":1,\"a\\nb\":1}\n");
    feed(&t, line.data, line.len);
    assert_int_equal(t.intake->values, 6 + 2);
    assert_false(t.intake->metric_seen);
    assert_non_null(strstr(t.taken.points.data, " m63=63"));
    assert_null(strstr(t.taken.points.data, " m64"));
    intake_left_out(t.intake, &said);
    assert_string_equal(said.data, "8 values: too many in one point, or without a proper name");
    buf_finish(&said);
    buf_finish(&line);
    finish(&t);
}

static const struct {
    const char *line, *columns;
} feeds[] = {
    {"{\"loss\":1,\"val/loss\":2,\"lr\":3}", "train_loss=1 val_loss=2 learning_rate=3"},
    {"{\"batch/loss_step\":9,\"train_loss_epoch\":1,\"Accuracy\":2}", "train_loss=1 train_acc=2"},
    {"{\"loss\":1,\"train_loss\":2}", "train_loss=2"},
    {"{\"test_loss\":1,\"val_loss\":2}", "val_loss=2"},
    {"{\"test_loss\":1}", "val_loss=1"},
    {"{\"seconds\":1,\"perplexity\":2}", ""},
    {"{\"val_loss\":NaN}", "val_loss=nan"},
};

static void series_feed_columns(void **state)
{
    struct test t;

    for (size_t i = 0; i < ARRAY_LEN(feeds); i++) {
        begin(&t, "x");
        feed(&t, feeds[i].line, 1000);
        assert_string_equal(t.taken.columns.data, feeds[i].columns);
        finish(&t);
    }
    /* A series that is named feeds that column alone, and nothing else feeds it. */
    begin(&t, "val_loss");
    str_copy(t.config.manner.curves.column[CURVE_VAL_LOSS], METRIC_NAME_MAX, "loss");
    feed(&t, "{\"loss\":1,\"val_loss\":2}", 1000);
    assert_string_equal(t.taken.columns.data, "val_loss=1");
    assert_true(t.intake->metric_seen);
    finish(&t);
}

static void a_reader_that_fails_stops_it(void **state)
{
    static const char lines[] = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n";
    struct test t;

    begin(&t, "a");
    t.taken.fail_at = 2;
    assert_int_equal(intake_bytes(t.intake, lines, strlen(lines), 1), -1);
    assert_string_equal(t.taken.points.data, "1@1 a=1");
    finish(&t);
}

/* Of what is over the most points the best and the last are kept, at the end. */
static void the_best_and_the_last_of_what_is_over(void **state)
{
    static const struct {
        const char *text, *points;
        unsigned over;
    } over_cases[] = {
        {"{\"loss\":9}\n{\"loss\":8}\n{\"loss\":7}\n", "1@1 loss=9; 2@2 loss=8; 3@3 loss=7", 0},
        {"{\"loss\":9}\n{\"loss\":8}\n{\"loss\":3}\n{\"loss\":7}\n{\"loss\":6}\n",
         "1@1 loss=9; 2@2 loss=8; 3@3 loss=3; 4@5 loss=6", 1},
        {"{\"loss\":9}\n{\"loss\":1}\n{\"loss\":3}\n{\"loss\":7}\n{\"loss\":6}\n",
         "1@1 loss=9; 2@2 loss=1; 3@5 loss=6", 2},
        {"{\"epoch\":3,\"loss\":9}\n{\"epoch\":5,\"loss\":8}\n{\"epoch\":6,\"loss\":7}\n"
         "{\"epoch\":9,\"loss\":\"nan\"}\n",
         "1@3 loss=9; 2@5 loss=8; 3@6 loss=7; 4@9 loss=nan", 0},
    };
    for (size_t i = 0; i < ARRAY_LEN(over_cases); i++) {
        struct test t;
        begin(&t, "loss");
        t.intake->points_max = 2 + RUN_POINTS_AT_END;
        feed(&t, over_cases[i].text, 7);
        assert_string_equal(t.taken.points.data, over_cases[i].points);
        assert_int_equal(t.intake->points_over, over_cases[i].over);
        finish(&t);
    }
}

static int forget(void *context)
{
    struct taken *t = context;

    buf_puts(&t->points, "; anew");
    return 0;
}

static void say(struct test *t, const char *line)
{
    assert_int_equal(intake_bytes(t->intake, line, strlen(line), 1), 0);
}

/* Another way to report begins after two epochs. */
static void what_tells_again_takes_the_place(void **state)
{
    static const struct {
        const char *lines, *points;
        bool may;
    } switches[] = {
        {"{\"epoch\":1,\"loss\":3}\n{\"epoch\":2,\"loss\":2}\n", "; anew; 1@1 loss=3; 2@2 loss=2",
         true},
        {"{\"step\":0,\"loss\":3}\n", "; anew; 1@1 loss=3", true},
        {"{\"epoch\":2,\"loss\":3}\n", "; anew; 1@2 loss=3", true},
        {"{\"epoch\":3,\"loss\":3}\n", "; 3@3 loss=3", true},
        {"{\"loss\":3}\n", "; 3@3 loss=3", true},
        {"{\"epoch\":NaN,\"loss\":3}\n", "", true},
        {"{\"epoch\":1,\"loss\":3}\n", "; 3@3 loss=3", false}, /* nobody can take points back */
    };
    for (size_t i = 0; i < ARRAY_LEN(switches); i++) {
        struct test t;
        struct buf wanted = {0};
        begin(&t, "loss");
        t.intake->anew = switches[i].may ? forget : NULL;
        say(&t, "{\"epoch\":1,\"loss\":0.5}\n{\"epoch\":2,\"loss\":0.25}\n");
        assert_int_equal(intake_switch(t.intake), 0);
        feed(&t, switches[i].lines, 1000);
        buf_printf(&wanted, "1@1 loss=0.5; 2@2 loss=0.25%s", switches[i].points);
        assert_string_equal(t.taken.points.data, wanted.data);
        buf_finish(&wanted);
        finish(&t);
    }
}

/* An earlier attempt was killed when it had said so much and its reader had taken so much of that;
 * the next one says the rest. */
static void interrupted(const char *text, size_t said, size_t taken, struct test *out)
{
    struct test first;

    begin(&first, "a");
    assert_int_equal(intake_bytes(first.intake, text, taken, 1), 0);
    begin(out, "a");
    buf_append(&out->taken.points, first.taken.points.data, first.taken.points.len);
    for (size_t i = 0; i < first.taken.kept_count; i++)
        intake_resume(out->intake, first.taken.kept[i], first.intake->shift > 0);
    finish(&first);
    intake_replay(out->intake, true, false);
    assert_int_equal(intake_bytes(out->intake, text, said, 1), 0);
    intake_replay(out->intake, false, false);
    assert_int_equal(intake_bytes(out->intake, text + said, strlen(text) - said, 1), 0);
    assert_int_equal(intake_end(out->intake, 1), 0);
}

static void nothing_said_is_lost_by_a_kill(void **state)
{
    static const char *const texts[] = {
        "{\"a\":3}\n{\"a\":2,\"b\":1}\n{\"note\":1,\"x\":\"y\"}\n{\"a\":1}\n{\"a\":7}\n",
        "{\"epoch\":0,\"a\":3}\n{\"b\":4}\n{\"epoch\":1,\"a\":2}\n{\"epoch\":1,\"b\":5}\n"
        "{\"epoch\":2,\"a\":1}\n{\"b\":6}\n",
        "{\"step\":10,\"a\":3}\nno line\n{\"step\":20,\"a\":2}\n{\"step\":30,\"a\":1}\n",
    };

    for (size_t k = 0; k < ARRAY_LEN(texts); k++) {
        struct test whole, cut;
        begin(&whole, "a");
        feed(&whole, texts[k], 4096);
        for (const char *end = texts[k]; (end = strchr(end, '\n')) != NULL;) {
            size_t said = (size_t)(++end - texts[k]);
            for (size_t taken = 0; taken <= said; taken++) {
                interrupted(texts[k], said, taken, &cut);
                assert_string_equal(cut.taken.points.data, whole.taken.points.data);
                finish(&cut);
            }
        }
        finish(&whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_best_and_the_last_of_what_is_over),
        cmocka_unit_test(lines_become_points),
        cmocka_unit_test(a_point_by_number_waits_for_the_next),
        cmocka_unit_test(a_key_of_ones_own_counts_epochs),
        cmocka_unit_test(long_lines_are_left_out),
        cmocka_unit_test(a_point_has_at_most_64_values),
        cmocka_unit_test(series_feed_columns),
        cmocka_unit_test(a_reader_that_fails_stops_it),
        cmocka_unit_test(what_tells_again_takes_the_place),
        cmocka_unit_test(nothing_said_is_lost_by_a_kill),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
