/* Stored runs judged again: window by window, with what depends on their labels. */
#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "daemon/causes/relabelling.h"
#include "sweep/buf.h"
#include "sweep/diagnosis.h"

#define POINTS 20
#define NOW 1795500000000000 /* later than the labels of fixture.c */

static const char spec[] =
    "{\"name\":\"night\",\"method\":\"random\",\"data\":{\"path\":\"/d\",\"format\":\"csv\","
    "\"validation\":20},\"parameters\":{\"learning_rate\":{\"min\":0.01,\"max\":0.5}},"
    "\"epochs\":20,\"run_cap\":9,\"seed\":1}";

static void put_sweep(struct store_batch *b, int64_t id, enum sweep_status status)
{
    struct sweep_row *s = new_sweep(id, false);
    free(s->spec_json);
    s->spec_json = xstrdup(spec);
    s->status = status;
    store_batch_put_sweep(b, s);
}

static void put_curve(struct store_batch *b, int64_t run_id, bool learns)
{
    struct point p[POINTS];
    for (int i = 0; i < POINTS; i++) {
        double loss = learns ? 2.0 - 0.08 * i : 0.5 + 0.1 * i;
        p[i] = new_point(i + 1, loss, loss + 0.01);
    }
    store_batch_add_points(b, run_id, p, POINTS);
}

static void put_labelled(struct store_batch *b, struct run_row *run, enum pattern was)
{
    int64_t id = run->id;
    run->status = RUN_COMPLETED;
    store_batch_put_run(b, run);
    put_curve(b, id, id % 2 == 1);
    store_batch_put_label(b, new_label(id, was));
}

struct pass {
    struct fixture *f;
    struct relabelling done;
    struct store_batch batch;
    struct errbuf err;
    int windows;
    bool between, ended; /* between: of another's batch, submitted between two windows */
    void (*meanwhile)(struct pass *p); /* the first window is judged, and its batch not submitted */
};

static void on_between(void *arg)
{
    struct pass *p = arg;
    p->between = true;
}

static void ask(struct pass *p);

static void on_written(void *arg)
{
    struct pass *p = arg;
    struct store_batch b = {0};
    if (p->windows == 1) {
        store_batch_add_event(&b, 0, 0, "between", 1, "x");
        store_submit(p->f->store, &b, on_between, p);
    }
    ask(p);
}

static void on_window(void *arg, struct relabel_window *w, const struct errbuf *err)
{
    struct pass *p = arg;
    if (err)
        p->err = *err;
    p->ended = w == NULL;
    if (!w)
        return;
    p->windows++;
    relabelling_step(&p->done, w, NOW, &p->batch);
    relabel_window_destroy(w);
    if (p->meanwhile && p->windows == 1)
        p->meanwhile(p);
    store_submit(p->f->store, &p->batch, on_written, p);
}

static void ask(struct pass *p)
{
    const struct store_window_query from = {p->done.only, p->done.sweep_id, p->done.number,
                                            RELABELLING_NEIGHBOURS};
    store_window(p->f->store, &from, on_window, p);
}

/* Nothing of it is under way any more. */
static void end_of(struct pass *p)
{
    assert_true(fixture_wait(p->f, &p->ended, PATIENCE_SECONDS));
    if (p->windows > 0)
        assert_true(fixture_wait(p->f, &p->between, PATIENCE_SECONDS));
}

static struct pass relabel_while(struct fixture *f, int64_t only, void (*meanwhile)(struct pass *p))
{
    struct pass p = {.f = f, .done = {.only = only}, .meanwhile = meanwhile};
    ask(&p);
    end_of(&p);
    return p;
}

static struct pass relabel(struct fixture *f, int64_t only)
{
    return relabel_while(f, only, NULL);
}

static void make_older(struct fixture *f)
{
    sql_execute(f->path, "UPDATE labels SET classifier_version = 1");
}

static void test_windows(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    int64_t runs = STORE_WINDOW_RUNS + 5;
    char want[32];

    assert_int_equal(fixture_open(f), 0);
    put_sweep(&b, 1, SWEEP_COMPLETED);
    for (int64_t i = 1; i <= runs; i++)
        put_labelled(&b, new_run(i, 1, i - 1), PATTERN_TOO_SHORT);
    fixture_commit(f, &b);
    make_older(f);
    struct pass p = relabel(f, 0);
    assert_string_equal(p.err.message, "");
    assert_int_equal(p.windows, 2);
    assert_int_equal(p.done.looked, runs);
    assert_int_equal(p.done.changed, runs);
    snprintf(want, sizeof(want), "%d", (int)runs);
    assert_string_equal(sql(f, "SELECT count(*) FROM labels WHERE classifier_version = %d "
                               "AND pattern <> 'too_short' AND json_valid(evidence) "
                               "AND json_valid(facts) AND created_at > '2026-11-24 00:50:59'",
                            DIAGNOSIS_VERSION), want);
    assert_string_equal(sql(f, "SELECT count(DISTINCT pattern) FROM labels WHERE run_id %% 2 = 1"),
                        "1");
    p = relabel(f, 0);
    assert_int_equal(p.done.changed, 0);
}

/* Only the version moves on: the time at which it was said stays. */
static void test_what_is_the_same_keeps_its_time(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};

    assert_int_equal(fixture_open(f), 0);
    put_sweep(&b, 1, SWEEP_CANCELLED);
    put_labelled(&b, new_run(1, 1, 0), PATTERN_TOO_SHORT);
    fixture_commit(f, &b);
    relabel(f, 1);
    sql_execute(f->path, "UPDATE labels SET created_at = '2001-01-01 00:00:00.000'");
    make_older(f);
    struct pass p = relabel(f, 1);
    assert_int_equal(p.done.looked, 1);
    assert_int_equal(p.done.changed, 0);
    assert_string_equal(sql(f, "SELECT created_at FROM labels"), "2001-01-01 00:00:00.000");
    assert_int_equal(atoi(sql(f, "SELECT classifier_version FROM labels")), DIAGNOSIS_VERSION);
}

static void test_open_sweeps_and_runs_without_label_are_left(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};

    assert_int_equal(fixture_open(f), 0);
    put_sweep(&b, 1, SWEEP_HELD);
    put_labelled(&b, new_run(1, 1, 0), PATTERN_TOO_SHORT);
    put_sweep(&b, 2, SWEEP_COMPLETED);
    store_batch_put_run(&b, new_run(2, 2, 0));
    fixture_commit(f, &b);
    assert_int_equal(relabel(f, 0).done.looked, 0);
    assert_string_equal(sql(f, "SELECT group_concat(run_id || pattern) FROM labels"), "1too_short");
}

/* A treatment that a person had done is in a sweep of its own: its outcome hangs on the parent's
 * label, wherever that is. */
static void test_outcomes_follow_the_parent(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct run_row *child = new_ranked_run(3, 2, 0, 0.5);

    assert_int_equal(fixture_open(f), 0);
    put_sweep(&b, 1, SWEEP_COMPLETED);
    put_labelled(&b, new_ranked_run(1, 1, 0, 0.5), PATTERN_TOO_SHORT);
    put_sweep(&b, 2, SWEEP_COMPLETED);
    child->kind = RUN_KIND_TREATMENT;
    child->remedy = REMEDY_L2;
    child->parent_id = 1;
    child->has_outcome = child->cured = true;
    put_labelled(&b, child, PATTERN_LEARNING); /* another than the parent's, so far */
    fixture_commit(f, &b);
    relabel(f, 2);
    assert_string_equal(sql(f, "SELECT cured FROM runs WHERE id = 3"), "1");
    relabel(f, 1); /* the same curve, so the same label */
    assert_string_equal(sql(f, "SELECT count(DISTINCT pattern) FROM labels"), "1");
    assert_string_equal(sql(f, "SELECT cured FROM runs WHERE id = 3"), "0");
    sql_execute(f->path, "UPDATE labels SET pattern = 'diverging' WHERE run_id = 3; "
                         "UPDATE runs SET change = 0.5 WHERE id = 3");
    relabel(f, 1); /* another label, but a worse metric */
    assert_string_equal(sql(f, "SELECT cured FROM runs WHERE id = 3"), "0");
}

/* A chunk that cannot be read is not written, and says why. */
static void test_unreadable(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};

    assert_int_equal(fixture_open(f), 0);
    put_sweep(&b, 1, SWEEP_COMPLETED);
    put_labelled(&b, new_run(1, 1, 0), PATTERN_TOO_SHORT);
    put_labelled(&b, new_run(2, 1, 1), PATTERN_TOO_SHORT);
    fixture_commit(f, &b);
    /* curves becomes a view that fails at the second run: as a damaged page would */
    sql_execute(f->path, "ALTER TABLE curves RENAME TO kept; CREATE VIEW curves AS SELECT *, "
                         "CASE run_id WHEN 2 THEN abs(-9223372036854775807 - 1) END AS bad FROM kept "
                         "WHERE bad IS NULL");
    struct pass p = relabel(f, 0);
    assert_non_null(strstr(p.err.message, "the database cannot be read"));
    assert_int_equal(p.done.looked, 0);
    assert_string_equal(sql(f, "SELECT group_concat(pattern) FROM labels"), "too_short,too_short");
}

static void open_with_one_run(struct fixture *f)
{
    struct store_batch b = {0};

    assert_int_equal(fixture_open(f), 0);
    put_sweep(&b, 1, SWEEP_COMPLETED);
    put_labelled(&b, new_run(1, 1, 0), PATTERN_TOO_SHORT);
    fixture_commit(f, &b);
}

static void move_file(const struct fixture *f, bool back)
{
    char aside[128];

    snprintf(aside, sizeof(aside), "%s.aside", f->path);
    assert_int_equal(rename(back ? aside : f->path, back ? f->path : aside), 0);
}

/* What would be lost with the daemon is not said to be done. */
static void test_moved(void **state)
{
    struct fixture *f = *state;

    open_with_one_run(f);
    move_file(f, false);
    struct pass p = relabel(f, 0);
    assert_non_null(strstr(p.err.message, "was moved"));
    move_file(f, true);
    assert_int_equal(relabel(f, 0).done.changed, 1);
}

static void move_aside(struct pass *p)
{
    move_file(p->f, false);
}

/* Held back, as any batch, and written when the file is there again. */
static void test_moved_before_the_batch(void **state)
{
    struct fixture *f = *state;

    open_with_one_run(f);
    struct pass p = {.f = f, .meanwhile = move_aside};
    ask(&p);
    for (bool never = false; !*store_trouble(f->store);)
        fixture_wait(f, &never, 0);
    assert_non_null(strstr(store_trouble(f->store), "was moved"));
    assert_false(p.ended);
    assert_int_equal(access(f->path, F_OK), -1);
    move_file(f, true);
    end_of(&p);
    assert_string_equal(sql(f, "SELECT pattern <> 'too_short' FROM labels"), "1");
}

static void put_newer(struct pass *p)
{
    struct store_batch b = {0};
    struct label_row *newer = new_label(2, PATTERN_LEARNING);
    newer->created += 1000;
    store_batch_put_label(&b, newer);
    store_submit(p->f->store, &b, NULL, NULL);
}

static void test_a_newer_label_stays(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};

    assert_int_equal(fixture_open(f), 0);
    put_sweep(&b, 2, SWEEP_COMPLETED);
    put_labelled(&b, new_run(2, 2, 0), PATTERN_TOO_SHORT);
    put_labelled(&b, new_run(3, 2, 1), PATTERN_TOO_SHORT);
    fixture_commit(f, &b);
    assert_int_equal(relabel_while(f, 2, put_newer).done.looked, 2);
    assert_string_equal(sql(f, "SELECT pattern FROM labels WHERE run_id = 2"), "learning");
    assert_string_equal(sql(f, "SELECT pattern <> 'too_short' FROM labels WHERE run_id = 3"), "1");
}

static void delete_sweep(struct pass *p)
{
    struct store_batch b = {0};
    store_batch_delete_sweep(&b, 1);
    store_submit(p->f->store, &b, NULL, NULL);
}

static void test_sweep_deleted_meanwhile(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct run_row *child = new_ranked_run(2, 1, 1, 0.5);

    assert_int_equal(fixture_open(f), 0);
    put_sweep(&b, 1, SWEEP_COMPLETED);
    put_labelled(&b, new_ranked_run(1, 1, 0, 0.5), PATTERN_TOO_SHORT);
    child->kind = RUN_KIND_TREATMENT;
    child->remedy = REMEDY_L2;
    child->parent_id = 1;
    child->has_outcome = true;
    put_labelled(&b, child, PATTERN_TOO_SHORT);
    put_sweep(&b, 2, SWEEP_COMPLETED);
    put_labelled(&b, new_run(3, 2, 0), PATTERN_TOO_SHORT);
    fixture_commit(f, &b);
    struct pass p = relabel_while(f, 0, delete_sweep);
    assert_string_equal(p.err.message, "");
    assert_int_equal(p.done.looked, 3); /* and goes on with the next sweep */
    assert_string_equal(sql(f, "SELECT group_concat(run_id) FROM labels"), "3");
    assert_string_equal(sql(f, "SELECT count(*) FROM events WHERE kind = 'refused'"), "0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_windows),
        TEST(test_what_is_the_same_keeps_its_time),
        TEST(test_open_sweeps_and_runs_without_label_are_left),
        TEST(test_outcomes_follow_the_parent),
        TEST(test_unreadable),
        TEST(test_moved),
        TEST(test_moved_before_the_batch),
        TEST(test_a_newer_label_stays),
        TEST(test_sweep_deleted_meanwhile),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
