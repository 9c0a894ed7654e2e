/* Stored runs judged again: chunk by chunk, with what depends on their labels. */
#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "sweep/diagnosis.h"

#define POINTS 20

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

struct walk {
    struct fixture *f;
    struct relabel relabel;
    struct errbuf err;
    int chunks;
    bool between, ended; /* between: a batch was committed after the first chunk, before the second */
};

static void on_between(void *arg)
{
    struct walk *w = arg;
    w->between = w->chunks == 1;
}

static void on_chunk(void *arg, const struct errbuf *err)
{
    struct walk *w = arg;
    w->chunks++;
    if (err)
        w->err = *err;
    w->ended = err || w->relabel.done;
    if (w->chunks == 1 && !w->ended) {
        struct store_batch b = {0};
        store_batch_add_event(&b, 0, 0, "between", 1, "x");
        store_submit(w->f->store, &b, on_between, w);
    }
    if (!w->ended)
        store_relabel(w->f->store, &w->relabel, on_chunk, w);
}

static struct walk relabel(struct fixture *f, int64_t only)
{
    struct walk w = {.f = f, .relabel = {.only = only}};
    store_relabel(f->store, &w.relabel, on_chunk, &w);
    assert_true(fixture_wait(f, &w.ended, 120));
    return w;
}

static void make_older(struct fixture *f)
{
    sql_execute(f->path, "UPDATE labels SET classifier_version = 1");
}

static void test_chunks(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    int64_t runs = RELABEL_CHUNK + 5;
    char want[32];

    assert_int_equal(fixture_open(f), 0);
    put_sweep(&b, 1, SWEEP_COMPLETED);
    for (int64_t i = 1; i <= runs; i++)
        put_labelled(&b, new_run(i, 1, i - 1), PATTERN_TOO_SHORT);
    fixture_commit(f, &b);
    make_older(f);
    struct walk w = relabel(f, 0);
    assert_string_equal(w.err.message, "");
    assert_int_equal(w.chunks, 3); /* the last one finds nothing */
    assert_true(w.between);
    assert_int_equal(w.relabel.looked, runs);
    assert_int_equal(w.relabel.changed, runs);
    snprintf(want, sizeof(want), "%d", (int)runs);
    assert_string_equal(sql(f, "SELECT count(*) FROM labels WHERE classifier_version = %d "
                               "AND pattern <> 'too_short' AND json_valid(evidence) "
                               "AND json_valid(facts) AND created_at > '2026-11-24 00:50:59'",
                            DIAGNOSIS_VERSION), want);
    assert_string_equal(sql(f, "SELECT count(DISTINCT pattern) FROM labels WHERE run_id %% 2 = 1"),
                        "1");
    w = relabel(f, 0);
    assert_int_equal(w.relabel.changed, 0);
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
    struct walk w = relabel(f, 1);
    assert_int_equal(w.relabel.looked, 1);
    assert_int_equal(w.relabel.changed, 0);
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
    assert_int_equal(relabel(f, 0).relabel.looked, 0);
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
    struct walk w = relabel(f, 0);
    assert_non_null(strstr(w.err.message, "the database cannot be read"));
    assert_int_equal(w.relabel.looked, 0);
    assert_string_equal(sql(f, "SELECT group_concat(pattern) FROM labels"), "too_short,too_short");
}

/* What would be lost with the daemon is not said to be done. */
static void test_moved(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    char aside[128];

    assert_int_equal(fixture_open(f), 0);
    put_sweep(&b, 1, SWEEP_COMPLETED);
    put_labelled(&b, new_run(1, 1, 0), PATTERN_TOO_SHORT);
    fixture_commit(f, &b);
    snprintf(aside, sizeof(aside), "%s.aside", f->path);
    assert_int_equal(rename(f->path, aside), 0);
    struct walk w = relabel(f, 0);
    assert_non_null(strstr(w.err.message, "was moved"));
    assert_int_equal(rename(aside, f->path), 0);
    assert_int_equal(relabel(f, 0).relabel.changed, 1);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_chunks),
        TEST(test_what_is_the_same_keeps_its_time),
        TEST(test_open_sweeps_and_runs_without_label_are_left),
        TEST(test_outcomes_follow_the_parent),
        TEST(test_unreadable),
        TEST(test_moved),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
