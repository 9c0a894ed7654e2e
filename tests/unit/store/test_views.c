/* The views for people, and that the schema follows the tables of the headers. */
#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "daemon/store/columns.h"
#include "daemon/store/views.h"
#include "schema/schema.h"
#include "sweep/buf.h"

static void commit_ranked(struct fixture *f, bool maximize, const double *metrics, int count)
{
    struct store_batch b = {0};
    assert_int_equal(fixture_open(f), 0);
    store_batch_put_sweep(&b, new_sweep(1, maximize));
    store_batch_put_sweep(&b, new_sweep(2, maximize));
    for (int i = 0; i < count; i++)
        store_batch_put_run(&b, new_ranked_run(10 + i, 1, i, metrics[i]));
    store_batch_put_run(&b, new_run(10 + count, 1, count)); /* without a metric: no rank */
    store_batch_put_run(&b, new_ranked_run(11 + count, 2, 0, 0));
    fixture_commit(f, &b);
}

static void assert_rows(struct fixture *f, const char *query, const char *expected)
{
    char *rows = sql_all(f->path, query);
    assert_string_equal(rows, expected);
    free(rows);
}

/* Ties by number; what is not finite last. */
static void test_best_runs_minimize(void **state)
{
    const double metrics[] = {0.5, NAN, 0.25, INFINITY, -INFINITY, 0.5, -1};
    struct fixture *f = *state;
    commit_ranked(f, false, metrics, 7);
    assert_rows(f, "SELECT rank, run_id, number FROM best_runs WHERE sweep_id = 1",
                "1|16|6\n2|12|2\n3|10|0\n4|15|5\n5|11|1\n6|13|3\n7|14|4\n");
    assert_rows(f, "SELECT rank, number FROM best_runs WHERE sweep_id = 1 LIMIT 2", "1|6\n2|2\n");
    assert_rows(f, "SELECT rank, run_id FROM best_runs WHERE sweep_id = 2", "1|18\n");
}

/* However good they looked: they have no rank. */
static void test_failed_and_cancelled_have_no_rank(void **state)
{
    const double metrics[] = {0.5, 0.25};
    const enum run_status statuses[] = {RUN_FAILED, RUN_CANCELLED};
    struct fixture *f = *state;
    struct store_batch b = {0};
    commit_ranked(f, false, metrics, 2);
    for (int i = 0; i < 2; i++) {
        struct run_row *r = new_ranked_run(20 + i, 1, 5 + i, -1);
        r->status = statuses[i];
        store_batch_put_run(&b, r);
    }
    struct run_row *ends = new_ranked_run(11, 1, 1, 0.25); /* one that had a rank */
    ends->status = RUN_FAILED;
    store_batch_put_run(&b, ends);
    fixture_commit(f, &b);
    assert_rows(f, "SELECT run_id FROM best_runs WHERE sweep_id = 1", "10\n");
    assert_rows(f, "SELECT best_run, best, failed FROM sweep_overview WHERE id = 1",
                "10|0.5|2\n");
    assert_rows(f, "SELECT count(*) FROM runs WHERE metric_value = -1", "2\n");
}

/* Twenty runs, the smaller the number the better: 4 and 12 … 15 stopped, 1, 8 and 9 audited, of
 * which 9 goes on yet. */
static void test_stopping_audit(void **state)
{
    double metrics[20];
    struct fixture *f = *state;
    for (int i = 0; i < 20; i++)
        metrics[i] = i;
    commit_ranked(f, false, metrics, 20);
    sql_execute(f->path, "UPDATE runs SET epochs = 10, seconds = 4, status = 'completed'");
    sql_execute(f->path, "UPDATE runs SET status = 'stopped' WHERE number IN (4, 12, 13, 14, 15)");
    sql_execute(f->path, "UPDATE runs SET status = 'running' WHERE number = 9");
    sql_execute(f->path,
            "INSERT INTO decisions (sweep_id, run_id, kind, reason, detail) "
            "SELECT 1, id, iif(status = 'stopped', 'stopped', 'audited'), 'why', "
            "'{\"epoch\":2,\"rule\":\"curve\"}' FROM runs "
            "WHERE sweep_id = 1 AND number IN (1, 4, 8, 9, 12, 13, 14, 15)");
    sql_execute(f->path, "INSERT INTO decisions (sweep_id, run_id, kind, reason) VALUES "
                     "(1, 10, 'stopped', 'a sweep by a person'), (1, NULL, 'ended', 'all')");
    assert_rows(f, "SELECT * FROM stopping_audit", "1|curve|5|3|2|1|0|40|80.0|24\n");
}

static void test_best_runs_maximize(void **state)
{
    const double metrics[] = {0.5, NAN, 0.75, 0.5, 0};
    struct fixture *f = *state;
    commit_ranked(f, true, metrics, 5);
    assert_rows(f, "SELECT rank, number, metric_value FROM best_runs WHERE sweep_id = 1",
                "1|2|0.75\n2|0|0.5\n3|3|0.5\n4|4|0.0\n5|1|\n");
    assert_rows(f, "SELECT rank, metric_value FROM best_runs_exact WHERE sweep_id = 1 LIMIT 2, 3",
                "3|0.5\n4|0.0\n5|nan\n");
}

static void test_best_runs_columns(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f), 0);
    assert_rows(f, "SELECT group_concat(name, ' ') FROM pragma_table_info('best_runs')",
                "sweep_id rank run_id val_loss val_acc best_epoch learning_rate batch_size "
                "optimizer depth label remedy epochs seconds metric_value stage number status "
                "test_loss test_acc cause kind treated_with parent_id params repetitions metric_value_state "
                "val_loss_state val_acc_state test_loss_state test_acc_state\n");
}

/* One type a column: what is no number is NULL, and says why beside it. */
static void test_numbers_for_people(void **state)
{
    const double metrics[] = {0.5, NAN, INFINITY, -INFINITY, 1.7976931348623157e308, -5e-324};
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct point p[3] = {new_point(1, NAN, 0.25), new_point(2, -INFINITY, NAN),
                         new_point(3, 0.125, INFINITY)};
    commit_ranked(f, false, metrics, 6);
    p[2].measured &= ~(1u << CURVE_VAL_LOSS);
    store_batch_add_points(&b, 10, p, 3);
    fixture_commit(f, &b);
    assert_rows(f,
                "SELECT metric_value_state, typeof(metric_value), metric_value IS "
                "(SELECT r.metric_value FROM runs AS r WHERE r.id = run_id) FROM run_overview "
                "WHERE sweep_id = 1 ORDER BY number LIMIT 6",
                "ok|real|1\nnan|null|0\n+inf|null|0\n-inf|null|0\nok|real|1\nok|real|1\n");
    assert_rows(f, "SELECT max(metric_value), min(metric_value) < 0 FROM best_runs",
                "1.79769313486232e+308|1\n");
    assert_rows(f,
                "SELECT train_loss_state, train_loss, val_loss_state, val_loss, grad_norm_state "
                "FROM curve_points WHERE run_id = 10",
                "nan||ok|0.25|missing\n-inf||nan||missing\nok|0.125|missing||missing\n");
    assert_rows(f,
                "SELECT DISTINCT typeof(train_loss), typeof(val_loss) FROM curve_points "
                "WHERE run_id = 10 ORDER BY 1, 2",
                "null|null\nnull|real\nreal|null\n");
    assert_rows(f, "SELECT best, best_state FROM sweep_overview WHERE id = 1", "-4.94065645841247e-324|ok\n");
}

/* LIMIT must not sort, nor read every run: nothing is materialized, the index gives the order. */
static void test_best_runs_plan(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f), 0);
    char *plan = sql_all(f->path, "EXPLAIN QUERY PLAN SELECT * FROM best_runs "
                                  "WHERE sweep_id = 1 LIMIT 10");
    assert_non_null(strstr(plan, "CO-ROUTINE"));
    assert_non_null(strstr(plan, "COVERING INDEX runs_rank (sweep_id=?"));
    assert_null(strstr(plan, "TEMP B-TREE"));
    assert_null(strstr(plan, "MATERIALIZE"));
    free(plan);
}

/* The winner is the best mean of those with two seeds or more. */
static void test_best_configurations(void **state)
{
    const double metrics[] = {0.1, 0.2, 0.3, 0.4, 0.05, NAN};
    struct fixture *f = *state;
    commit_ranked(f, false, metrics, 6);
    sql_execute(f->path,
                "CREATE TEMP TABLE seen AS SELECT * FROM runs WHERE sweep_id = 1 AND number = 0;"
                "CREATE TEMP TABLE new(n, parent, value, status);"
                "INSERT INTO new VALUES(50, 1, 0.4, 'completed'), (51, 2, 0.25, 'completed'),"
                " (52, 2, 0.9, 'cancelled'), (53, 4, NULL, 'failed'), (54, 2, 0.2, 'completed');"
                "INSERT INTO runs(id, sweep_id, number, kind, stage, status, params, settings, seed,"
                " epochs, attempts, created_at, metric_value, rank_key, parent_id)"
                " SELECT 900 + n, 1, n, 'repeat', 'finalists', new.status, params, settings, seed,"
                " epochs, attempts, created_at, value, value,"
                " (SELECT id FROM runs WHERE sweep_id = 1 AND number = parent) FROM new, seen;");
    assert_rows(f, "SELECT rank, number, printf('%.4f', mean), printf('%.6f', sd), repetitions,"
                   " failed, run_id > 900 FROM best_configurations WHERE sweep_id = 1 LIMIT 5",
                "1|2|0.2500|0.050000|3|0|1\n2|1|0.3000|0.141421|2|0|0\n"
                "3|0|0.1000|0.000000|1|0|0\n4|3|0.4000|0.000000|1|0|0\n"
                "5|4|0.0500|0.000000|1|1|0\n");
    assert_rows(f, "SELECT number, repetitions FROM best_runs WHERE sweep_id = 1 LIMIT 4",
                "4|1\n0|1\n1|2\n54|3\n");
}

static void test_remedies(void **state)
{
    const double metrics[] = {1, 2, 3};
    struct fixture *f = *state;
    struct store_batch b = {0};
    commit_ranked(f, false, metrics, 3);
    struct label_row *own = new_label(10, PATTERN_OSCILLATING);
    own->advice = (struct advice){true, 2, {REMEDY_LEARNING_RATE_DOWN, REMEDY_CLIP_BY_NORM}};
    store_batch_put_label(&b, own); /* the run's own, whatever is usual for its pattern */
    own = new_label(11, PATTERN_OVERFITTING);
    own->advice = (struct advice){.known = true};
    store_batch_put_label(&b, own);
    fixture_commit(f, &b);
    assert_rows(f, "SELECT label, remedy FROM best_runs WHERE sweep_id = 1",
                "oscillating|learning rate / 10 (G4.4)\noverfitting|\n|\n");
    assert_rows(f, "SELECT remedies FROM labels ORDER BY run_id",
                "[\"learning_rate_down\",\"clip_by_norm\"]\n[]\n");
}

static void test_patterns_follow_the_header(void **state)
{
    struct fixture *f = *state;
    struct buf expected = {0};

    for (int p = 0; p < PATTERN_COUNT; p++) {
        const struct pattern_info *i = pattern_info((enum pattern)p);
        buf_printf(&expected, "%s|%s|%s|%s|%s|%s|%s|%s|%s|%s\n", i->name,
                   i->guide_ref ? i->guide_ref : "", i->look, i->says, i->guide_remedies,
                   i->our_remedies, i->look_zh, i->says_zh, i->guide_remedies_zh,
                   i->our_remedies_zh);
    }
    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    sql_execute(f->path, "UPDATE patterns SET says = 'nonsense' WHERE name = 'learning'");
    assert_int_equal(fixture_open(f), 0); /* every start puts them right */
    assert_rows(
        f,
        "SELECT name, guide_ref, look, says, guide_remedies, our_remedies, "
        "look_zh, says_zh, guide_remedies_zh, our_remedies_zh FROM patterns ORDER BY position",
        expected.data);
    buf_finish(&expected);
}

static void test_label_counts(void **state)
{
    const double metrics[] = {1, 2, 3};
    struct fixture *f = *state;
    struct store_batch b = {0};
    commit_ranked(f, false, metrics, 3);
    store_batch_put_label(&b, new_label(10, PATTERN_CONVERGED));
    store_batch_put_label(&b, new_label(11, PATTERN_LEARNING));
    store_batch_put_label(&b, new_label(12, PATTERN_LEARNING));
    fixture_commit(f, &b);
    assert_rows(f, "SELECT pattern, guide_ref, runs FROM label_counts WHERE sweep_id = 1",
                "learning|G4.1|2\nconverged||1\n");
}

static void test_overviews(void **state)
{
    const double metrics[] = {1, NAN};
    struct fixture *f = *state;
    struct store_batch b = {0};
    struct point p[2] = {new_point(1, 1, 1), new_point(2, 1, 1)};
    commit_ranked(f, false, metrics, 2);
    store_batch_add_points(&b, 10, p, 2);
    fixture_commit(f, &b);
    assert_rows(f,
                "SELECT number, status, epochs_done, epochs FROM run_overview "
                "WHERE sweep_id = 1 ORDER BY number",
                "0|completed|2.0|3\n1|completed||3\n2|queued||3\n");
    assert_rows(f, "SELECT id, runs, done, running, failed, best, best_run FROM sweep_overview",
                "1|3|2|0|0|1.0|10\n2|1|1|0|0|0.0|13\n");
}

/* The same sweep with other ids, times, pids and attempts. */
static void commit_content(struct fixture *f, int64_t sweep_id, int64_t first_run, int64_t other)
{
    struct store_batch b = {0};
    struct point p[2] = {new_point(1, 0.5, NAN), new_point(2, 0.25, 0.125)};
    struct run_row *run = new_ranked_run(first_run, sweep_id, 0, 0.125);

    point_set(&p[0], CURVE_SECONDS, (double)other);
    run->attempts = other;
    run->started = run->created + other * 1000000;
    run->seconds = (double)other;
    store_batch_put_sweep(&b, new_sweep(sweep_id, false));
    store_batch_put_run(&b, new_run(first_run + other, sweep_id, 1));
    store_batch_put_run(&b, run);
    store_batch_add_points(&b, first_run, p, 2);
    store_batch_put_label(&b, new_label(first_run, PATTERN_TOO_SHORT));
    fixture_commit(f, &b);
}

static void test_canonical_content(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f), 0);
    commit_content(f, 1, 1, 1);
    char *first = sql_all(f->path, "SELECT * FROM canonical_content");
    struct store_batch b = {0};
    store_batch_delete_sweep(&b, 1);
    fixture_commit(f, &b);
    commit_content(f, 7, 50, 9);
    char *second = sql_all(f->path, "SELECT * FROM canonical_content");
    assert_string_equal(first, second);
    assert_rows(f,
                "SELECT number, status, label, point, train_loss, val_loss "
                "FROM canonical_content",
                "0|completed|too_short|1|0.5|nan\n0|completed|too_short|2|0.25|0.125\n"
                "1|queued||||\n");
    free(first);
    free(second);
}

/* --- views follow their file ---------------------------------------------------------------- */

#define VIEW_TEXTS "SELECT name, sql FROM sqlite_schema WHERE type = 'view' ORDER BY name"

/* Edited, missing, in another case or made by an old version: after an open all are right, and a
 * view that is none of ours is as it was. */
static void test_wrong_views_are_made_anew(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    char *right = sql_all(f->path, VIEW_TEXTS);
    sql_execute(f->path, "DROP VIEW best_runs; DROP VIEW run_overview; DROP VIEW treatments;"
                         "CREATE VIEW best_runs AS SELECT 1 AS rank;"
                         "CREATE VIEW Run_Overview AS SELECT id AS run_id FROM runs;"
                         "CREATE VIEW mine AS SELECT id -- the run\n FROM runs");
    assert_int_equal(fixture_open(f), 0);
    assert_rows(f, "SELECT sql FROM sqlite_schema WHERE name = 'mine'",
                "CREATE VIEW mine AS SELECT id -- the run\n FROM runs\n");
    sql_execute(f->path, "DROP VIEW mine");
    assert_rows(f, VIEW_TEXTS, right);
    free(right);
}

/* An open that finds all as it should be writes nothing to the file. */
static void test_right_views_are_left_alone(void **state)
{
    struct fixture *f = *state;
    struct buf before = {0}, after = {0};
    struct errbuf err;

    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    assert_int_equal(buf_read_file(&before, f->path, 1 << 24, &err), 0);
    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    assert_int_equal(buf_read_file(&after, f->path, 1 << 24, &err), 0);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    buf_finish(&before);
    buf_finish(&after);
}

/* What a migration may do between the two calls, and could not with the views in place. */
static void test_views_set_aside(void **state)
{
    static const char change[] = "ALTER TABLE curves DROP COLUMN val_r2;"
                                 "ALTER TABLE labels RENAME TO verdicts;";
    struct fixture *f = *state;
    sqlite3 *db;

    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    sql_execute(f->path, "CREATE VIEW mine AS SELECT val_r2 FROM curves");
    char *texts = sql_all(f->path, VIEW_TEXTS);
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    assert_int_not_equal(sqlite3_exec(db, change, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(views_set_aside(db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, change, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(views_put_back(db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "COMMIT", NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    assert_rows(f, VIEW_TEXTS, texts);
    free(texts);
}

/* What stands in no view's way must not speak of one. */
static void test_later_migrations_know_no_views(void **state)
{
    for (size_t i = 0; i < schema_migration_count; i++) {
        bool speaks = strstr(schema_migrations[i].sql, " VIEW ") != NULL;
        assert_false(speaks && schema_migrations[i].version > SCHEMA_LAST_WITH_VIEWS);
    }
}

/* --- the schema and the headers ------------------------------------------------------------- */

static void test_curve_columns(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f), 0);
    /* Every column of the header and no other; their order is that of the migrations. */
#define X(id, column, canonical) +1
    char *count = xasprintf("%d\n", 3 CURVE_COLUMN_MAP(X));
#undef X
    assert_rows(f, "SELECT count(*) FROM pragma_table_info('curves')", count);
    free(count);
#define X(id, column, canonical)                                                                   \
    assert_rows(f, "SELECT count(*) FROM pragma_table_info('curves') WHERE name = '" #column "'",  \
                "1\n");
    CURVE_COLUMN_MAP(X)
#undef X
#define X(id, column, canonical)                                                                   \
    assert_rows(                                                                                   \
        f,                                                                                         \
        "SELECT count(*) FROM pragma_table_info('canonical_content') WHERE name = '" #column "'",  \
        canonical ? "1\n" : "0\n");
    CURVE_COLUMN_MAP(X)
#undef X
}

static void test_store_columns(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f), 0);
    assert_rows(f,
                "SELECT ', ' || group_concat(name, ', ') FROM pragma_table_info('sweeps') "
                "WHERE name <> 'id'",
                SWEEP_COLUMNS(COLUMN_NAME) "\n");
    assert_rows(f,
                "SELECT ', ' || group_concat(name, ', ') FROM pragma_table_info('runs') "
                "WHERE name NOT IN ('id', 'rank_key')",
                RUN_COLUMNS(COLUMN_NAME) "\n");
}

/* Every run of blanks and newlines as one blank. */
static void squeeze(const char *text, struct buf *out)
{
    for (; *text; text++) {
        if (!strchr(" \n", *text))
            buf_putc(out, *text);
        else if (!strchr(" \n", text[1]))
            buf_putc(out, ' ');
    }
}

static void assert_check(struct fixture *f, const char *table, const char *column,
                         const char *const *names, size_t count)
{
    struct buf check = {0}, schema = {0};

    buf_printf(&check, "CHECK (%s IN (", column);
    for (size_t i = 0; i < count; i++)
        buf_printf(&check, "%s'%s'", i ? ", " : "", names[i]);
    buf_puts(&check, "))");
    squeeze(sql(f, "SELECT sql FROM sqlite_schema WHERE name = '%s'", table), &schema);
    if (!strstr(schema.data, check.data))
        fail_msg("%s: no %s", table, check.data);
    buf_finish(&schema);
    buf_finish(&check);
}

#define NAME2(id, name) name,
#define NAME3(id, name, terminal) name,
#define NAME6(id, name, attempts, wait, alike, meaning) name,

static void test_checks_follow_the_tables(void **state)
{
    static const char *const sweep_names[] = {SWEEP_STATUS_MAP(NAME3)};
    static const char *const run_names[] = {RUN_STATUS_MAP(NAME3)};
    static const char *const kinds[] = {RUN_KIND_MAP(NAME2)};
    static const char *const errors[] = {RUN_ERROR_MAP(NAME6)};
    struct fixture *f = *state;

    assert_int_equal(fixture_open(f), 0);
    assert_check(f, "sweeps", "status", sweep_names, SWEEP_STATUS_COUNT);
    assert_check(f, "runs", "status", run_names, RUN_STATUS_COUNT);
    assert_check(f, "runs", "kind", kinds, RUN_KIND_COUNT);
    assert_check(f, "runs", "error_class", errors + 1, RUN_ERROR_COUNT - 1); /* "" is NULL */
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_best_runs_minimize),
        TEST(test_failed_and_cancelled_have_no_rank),
        TEST(test_stopping_audit),
        TEST(test_best_runs_maximize),
        TEST(test_best_runs_columns),
        TEST(test_numbers_for_people),
        TEST(test_best_runs_plan),
        TEST(test_best_configurations),
        TEST(test_remedies),
        TEST(test_patterns_follow_the_header),
        TEST(test_label_counts),
        TEST(test_overviews),
        TEST(test_canonical_content),
        TEST(test_wrong_views_are_made_anew),
        TEST(test_right_views_are_left_alone),
        TEST(test_views_set_aside),
        TEST(test_later_migrations_know_no_views),
        TEST(test_curve_columns),
        TEST(test_store_columns),
        TEST(test_checks_follow_the_tables),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
