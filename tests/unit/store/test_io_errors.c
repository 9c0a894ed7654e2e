/* The n-th open, read, write, sync … of the store fails, for every n that a commit, an opening or a
 * closing makes: what was acknowledged is there afterwards, and what was not comes when the errors
 * stop. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "sweep/buf.h"
#include "tests/unit/store/failing_vfs.h"
#include "tests/unit/store/fixture.h"

#define N_MAX 60   /* more calls than any of them makes */
#define TIMES 2    /* one failure is over with the first retry */
#define POINTS 300 /* a few pages */

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static void open_with_run(struct fixture *f)
{
    struct store_batch b = {0};
    assert_int_equal(fixture_open(f), 0);
    store_batch_put_sweep(&b, new_sweep(1, false));
    store_batch_put_run(&b, new_run(1, 1, 0));
    fixture_commit(f, &b);
}

/* An event and points behind those that are there; true when they are durable. */
static bool commit(struct fixture *f, int *committed)
{
    struct store_batch b = {0};
    struct point points[POINTS];
    bool done = false;

    for (int i = 0; i < POINTS; i++)
        points[i] = new_point((int64_t)*committed * POINTS + i + 1, i, i);
    store_batch_add_points(&b, 1, points, POINTS);
    store_batch_add_event(&b, 1, 1, "commit", 1, "%d", *committed);
    store_submit(f->store, &b, set_flag, &done);
    bool durable = fixture_wait(f, &done, PATIENCE_SECONDS);
    *committed += durable;
    return durable;
}

static void assert_all_there(struct fixture *f, int committed)
{
    char expected[64];
    snprintf(expected, sizeof(expected), "%d", committed);
    assert_string_equal(sql(f, "SELECT count(*) FROM events WHERE kind = 'commit'"), expected);
    snprintf(expected, sizeof(expected), "%d", committed * POINTS);
    assert_string_equal(sql(f, "SELECT count(*) FROM curves"), expected);
    assert_string_equal(sql(f, "PRAGMA integrity_check"), "ok");
}

static void test_commits_outlive_every_failure(void **state)
{
    struct fixture *f = *state;
    int committed = 0, struck = 0;

    open_with_run(f);
    for (int call = 0; call < FAILING_CALL_COUNT; call++) {
        bool hit = true;
        for (int n = 1; hit && n < N_MAX; n++) {
            failing_vfs_arm((enum failing_call)call, n, TIMES);
            assert_true(commit(f, &committed));
            hit = failing_vfs_disarm();
            struck += hit;
        }
        assert_string_equal(store_trouble(f->store), "");
    }
    assert_true(struck > 10);
    assert_all_there(f, committed);
    fixture_close(f);
    assert_int_equal(fixture_open(f), 0);
    assert_all_there(f, committed);
}

/* Refused, or open and whole; and as it was at the next try. */
static void test_an_opening_that_fails_harms_nothing(void **state)
{
    struct fixture *f = *state;
    int committed = 0;

    open_with_run(f);
    assert_true(commit(f, &committed));
    fixture_close(f);
    for (int call = 0; call < FAILING_CALL_COUNT; call++) {
        bool hit = true;
        for (int n = 1; hit && n < N_MAX; n++) {
            failing_vfs_arm((enum failing_call)call, n, TIMES);
            int rc = fixture_open(f);
            hit = failing_vfs_disarm();
            if (rc < 0) {
                if (!strstr(f->err.message, f->path))
                    fail_msg("which database? %s", f->err.message);
                assert_int_equal(fixture_open(f), 0);
            }
            assert_true(commit(f, &committed));
            assert_int_equal(f->restored.run_count, 1);
            fixture_close(f);
        }
    }
    assert_int_equal(fixture_open(f), 0);
    assert_all_there(f, committed);
}

/* The last checkpoint is not what makes it durable. */
static void test_a_closing_that_fails_loses_nothing(void **state)
{
    struct fixture *f = *state;
    int committed = 0;

    open_with_run(f);
    for (int call = FAIL_READ; call < FAILING_CALL_COUNT; call++) {
        bool hit = true;
        for (int n = 1; hit && n < N_MAX; n += 3) {
            assert_true(commit(f, &committed));
            failing_vfs_arm((enum failing_call)call, n, 1000);
            fixture_close(f);
            hit = failing_vfs_disarm();
            assert_int_equal(fixture_open(f), 0);
        }
    }
    assert_all_there(f, committed);
}

struct answer {
    bool done, failed;
    size_t rows;
};

static void take_answer(void *arg, const struct table *t, const struct errbuf *err)
{
    struct answer *a = arg;
    a->done = true;
    a->failed = t == NULL;
    a->rows = t ? t->rows : 0;
    assert_true(t || err->message[0]);
}

static struct answer ask(struct fixture *f)
{
    static const int64_t args[] = {1, 0, N_MAX * POINTS};
    struct answer a = {0};
    store_query(f->store,
                &(struct store_named_query){.id = STORE_QUERY_CURVE, .args = args, .count = 3},
                take_answer, &a);
    assert_true(fixture_wait(f, &a.done, PATIENCE_SECONDS));
    return a;
}

/* A read that fails is an error of that answer, and of no other. */
static void test_reads_recover(void **state)
{
    struct fixture *f = *state;
    int committed = 0, failed = 0;

    open_with_run(f);
    assert_true(commit(f, &committed));
    bool hit = true;
    for (int n = 1; hit && n < 12; n++) {
        failing_vfs_arm(FAIL_READ, n, 1);
        struct answer a = ask(f);
        hit = failing_vfs_disarm();
        failed += a.failed;
        assert_true(a.failed || (int)a.rows == committed * POINTS);
        assert_int_equal(ask(f).rows, committed * POINTS);
        assert_true(commit(f, &committed)); /* so that pages have to be read again */
    }
    assert_true(failed > 0);
}

static int install(void **state)
{
    failing_vfs_install();
    return 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_commits_outlive_every_failure),
        TEST(test_an_opening_that_fails_harms_nothing),
        TEST(test_a_closing_that_fails_loses_nothing),
        TEST(test_reads_recover),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, install, NULL);
}
