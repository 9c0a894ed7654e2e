#include "client/live.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "sweep/json.h"
#include "sweep/require.h"

#define WIDE 200

static bool note(struct live *l, const char *method, const char *params)
{
    struct json *v = json_parse(params, strlen(params), NULL);
    assert_non_null(v);
    bool known = live_apply(l, method, v);
    json_destroy(v);
    return known;
}

static void show(struct live *l, const char *sweep)
{
    struct json *v = json_parse(sweep, strlen(sweep), NULL);
    assert_non_null(v);
    live_apply_sweep(l, v);
    json_destroy(v);
}

static void row(struct live *l, const char *text)
{
    struct json *v = json_parse(text, strlen(text), NULL);
    assert_non_null(v);
    live_apply_run(l, v);
    json_destroy(v);
}

static void begin(struct live *l)
{
    live_init(l, 3);
    show(l, "{\"id\":3,\"name\":\"fashion\",\"status\":\"running\",\"goal\":\"minimize\","
            "\"run_cap\":40,\"epochs\":10,\"spec\":{\"model\":{\"depth\":2},"
            "\"train\":{\"optimizer\":\"adam\",\"batch_size\":64}}}");
}

static void expect_lines(struct live *l, size_t count, const char *holds)
{
    struct buf out = {0};
    size_t lines = 0;
    live_take_ended(l, WIDE, false, &out);
    for (size_t i = 0; i < out.len; i++)
        lines += out.data[i] == '\n';
    assert_int_equal(lines, count);
    if (holds != NULL)
        assert_non_null(strstr(out.data, holds));
    buf_finish(&out);
}

static void test_a_run_from_start_to_end(void **state)
{
    struct live l;
    struct buf out = {0};
    begin(&l);
    assert_true(note(&l, "run_started", "{\"sweep\":3,\"run\":17,\"number\":4,\"stage\":\"coarse\","
                                        "\"params\":{\"learning_rate\":0.01,\"batch_size\":32}}"));
    assert_true(note(&l, "point", "{\"sweep\":3,\"run\":17,\"point\":3,\"epoch\":3,"
                                  "\"train_loss\":0.5,\"val_loss\":\"nan\",\"val_acc\":null}"));
    expect_lines(&l, 0, NULL);
    note(&l, "label", "{\"sweep\":3,\"run\":17,\"pattern\":\"learning\",\"confidence\":0.9}");
    note(&l, "run_ended", "{\"sweep\":3,\"run\":17,\"status\":\"completed\",\"metric_value\":0.4}");
    assert_int_equal(l.done, 1);
    assert_true(l.has_best);
    live_take_ended(&l, WIDE, false, &out);
    static const char *const holds[] = {"17", "coarse", "0.01", " 32", "adam", "3/10", "0.5000",
                                        "nan", "learning", "completed"};
    for (size_t i = 0; i < ARRAY_LEN(holds); i++)
        assert_non_null(strstr(out.data, holds[i]));
    expect_lines(&l, 0, NULL); /* written once */
    buf_finish(&out);
    live_finish(&l);
}

/* Seen from its start, or paused when the watching begins. */
static void test_a_run_is_stopped_where_it_waits(void **state)
{
    for (int seen = 0; seen < 2; seen++) {
        struct live l;
        begin(&l);
        if (seen) {
            note(&l, "run_started", "{\"sweep\":3,\"run\":9,\"stage\":\"coarse\"}");
            note(&l, "point", "{\"sweep\":3,\"run\":9,\"point\":3,\"epoch\":3}");
            note(&l, "run_paused", "{\"sweep\":3,\"run\":9,\"number\":8}");
        } else {
            row(&l, "{\"run_id\":9,\"status\":\"paused\",\"epochs_done\":3,\"stage\":\"coarse\"}");
        }
        expect_lines(&l, 0, NULL);
        note(&l, "run_ended", "{\"sweep\":3,\"run\":9,\"status\":\"stopped\"}");
        struct buf out = {0};
        live_take_ended(&l, WIDE, false, &out);
        static const char *const holds[] = {"coarse", "adam", "3/10", "stopped"};
        for (size_t i = 0; i < ARRAY_LEN(holds); i++)
            assert_non_null(strstr(out.data, holds[i]));
        buf_finish(&out);
        live_finish(&l);
    }
}

static void test_a_failed_run_says_why(void **state)
{
    struct live l;
    begin(&l);
    note(&l, "run_ended", "{\"sweep\":3,\"run\":5,\"status\":\"failed\",\"error\":\"crashed\","
                          "\"text\":\"signal 11\\u001b[2J\",\"metric_value\":0.001}");
    expect_lines(&l, 2, "signal 11?[2J");
    assert_false(l.has_best);
    live_finish(&l);
}

static void test_snapshot_and_notifications_agree(void **state)
{
    struct live l;
    begin(&l);
    /* Both tell of runs 1 and 2, in either order: nothing is counted twice. */
    note(&l, "run_started", "{\"sweep\":3,\"run\":1}");
    note(&l, "run_ended", "{\"sweep\":3,\"run\":1,\"status\":\"completed\",\"metric_value\":0.5}");
    note(&l, "run_started", "{\"sweep\":3,\"run\":2}");
    row(&l, "{\"run_id\":1,\"status\":\"completed\",\"metric_value\":0.5}");
    row(&l, "{\"run_id\":2,\"status\":\"running\",\"epochs_done\":2,\"stage\":\"fine\"}");
    row(&l, "{\"run_id\":3,\"status\":\"failed\",\"metric_value\":null}");
    row(&l, "{\"run_id\":4,\"status\":\"queued\"}");
    assert_int_equal(l.done, 2);
    assert_string_equal(l.stage, "fine");
    expect_lines(&l, 1, "completed");
    assert_int_equal(l.count, 1);
    live_finish(&l);
}

static void test_a_run_may_go_back_to_the_queue(void **state)
{
    struct live l;
    begin(&l);
    note(&l, "run_started", "{\"sweep\":3,\"run\":8}");
    note(&l, "run_ended", "{\"sweep\":3,\"run\":8,\"status\":\"queued\"}");
    assert_int_equal(l.count, 0);
    assert_int_equal(l.done, 0);
    note(&l, "run_started", "{\"sweep\":3,\"run\":8}");
    assert_int_equal(l.count, 1);
    live_finish(&l);
}

static void test_the_end(void **state)
{
    static const struct {
        const char *status;
        bool ended;
    } cases[] = {{"running", false}, {"paused", false}, {"held", true}, {"completed", true},
                 {"cancelled", true}, {"of the future", false}};
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct live l;
        char *params = xasprintf("{\"sweep\":3,\"status\":\"%s\",\"reason\":null}",
                                 cases[i].status);
        begin(&l);
        note(&l, "sweep_changed", params);
        assert_int_equal(l.ended, cases[i].ended);
        free(params);
        live_finish(&l);
    }
}

static void test_the_end_may_overtake_the_snapshot(void **state)
{
    struct live l;
    live_init(&l, 3);
    note(&l, "sweep_changed", "{\"sweep\":3,\"status\":\"held\",\"reason\":\"NaN\"}");
    show(&l, "{\"id\":3,\"name\":\"fashion\",\"status\":\"running\",\"run_cap\":40}");
    assert_true(l.ended);
    assert_string_equal(l.status, "held");
    assert_string_equal(l.reason, "NaN");
    assert_int_equal(l.run_cap, 40);
    live_finish(&l);
}

static void test_other_sweeps_and_unknown_words_are_ignored(void **state)
{
    struct live l;
    begin(&l);
    assert_false(note(&l, "run_started", "{\"sweep\":4,\"run\":1}"));
    assert_false(note(&l, "of_the_future", "{\"sweep\":3,\"run\":1}"));
    note(&l, "run_started", "{\"sweep\":3}");
    note(&l, "run_started", "{\"sweep\":3,\"run\":-1}");
    note(&l, "point", "{\"sweep\":3,\"run\":\"x\",\"epoch\":[]}");
    note(&l, "run_ended", "{}");
    note(&l, "sweep_changed", "{\"status\":7}");
    assert_false(live_apply(&l, "run_started", NULL));
    assert_int_equal(l.count, 0);
    assert_false(l.ended);
    live_finish(&l);
}

/* Columns of the longest line. */
static size_t widest(const char *text)
{
    size_t widest_line = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, "\n");
        char *line = xasprintf("%.*s", (int)len, text);
        size_t w = render_width(line);
        widest_line = w > widest_line ? w : widest_line;
        free(line);
        text += len + (text[len] == '\n');
    }
    return widest_line;
}

static void test_no_line_is_wider_than_asked(void **state)
{
    for (size_t width = 1; width < 160; width++) {
        struct live l;
        struct buf out = {0};
        begin(&l);
        note(&l, "run_started", "{\"sweep\":3,\"run\":123456789,\"stage\":\"\xe6\xb7\xb1\xe5\xba\xa6 "
                                "and more and more\",\"params\":{\"learning_rate\":1.2345e-300}}");
        note(&l, "run_ended", "{\"sweep\":3,\"run\":123456789,\"status\":\"completed\"}");
        live_header(&l, 0, width, false, &out);
        live_titles(width, false, &out);
        live_take_ended(&l, width, false, &out);
        assert_true(widest(out.data) <= width);
        buf_finish(&out);
        live_finish(&l);
    }
}

static void test_best_follows_the_goal(void **state)
{
    struct live l;
    live_init(&l, 3);
    show(&l, "{\"id\":3,\"goal\":\"maximize\",\"status\":\"running\"}");
    note(&l, "run_ended", "{\"run\":1,\"status\":\"completed\",\"metric_value\":0.8}");
    note(&l, "run_ended", "{\"run\":2,\"status\":\"completed\",\"metric_value\":0.9}");
    note(&l, "run_ended", "{\"run\":3,\"status\":\"completed\",\"metric_value\":\"nan\"}");
    assert_true(l.best == 0.9);
    live_finish(&l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_a_run_from_start_to_end),
        cmocka_unit_test(test_a_run_is_stopped_where_it_waits),
        cmocka_unit_test(test_a_failed_run_says_why),
        cmocka_unit_test(test_snapshot_and_notifications_agree),
        cmocka_unit_test(test_a_run_may_go_back_to_the_queue),
        cmocka_unit_test(test_the_end),
        cmocka_unit_test(test_the_end_may_overtake_the_snapshot),
        cmocka_unit_test(test_other_sweeps_and_unknown_words_are_ignored),
        cmocka_unit_test(test_no_line_is_wider_than_asked),
        cmocka_unit_test(test_best_follows_the_goal),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
