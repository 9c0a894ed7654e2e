/* What the store does when somebody else holds, damages or replaces its database; and copies of
 * it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "daemon/store/holder.h"
#include "schema/schema.h"
#include "sweep/buf.h"
#include "sweep/require.h"
#include "tests/unit/store/fixture.h"

#define PAGE_BYTES 4096
#define POINTS 200

static void set_flag(void *arg)
{
    *(bool *)arg = true;
}

static void add_points(struct store_batch *b, int64_t run_id)
{
    struct point points[POINTS];
    for (int i = 0; i < POINTS; i++)
        points[i] = new_point(i + 1, i, i);
    store_batch_add_points(b, run_id, points, POINTS);
}

/* Sweep 1 with runs 1 to count, each with its points. */
static void fill(struct fixture *f, int64_t count)
{
    struct store_batch b = {0};
    store_batch_put_sweep(&b, new_sweep(1, false));
    for (int64_t id = 1; id <= count; id++) {
        store_batch_put_run(&b, new_run(id, 1, id - 1));
        add_points(&b, id);
    }
    store_batch_add_event(&b, 1, 0, "filled", 1, "it");
    fixture_commit(f, &b);
}

static void open_filled(struct fixture *f, int64_t count)
{
    assert_int_equal(fixture_open(f), 0);
    fill(f, count);
}

struct answer {
    bool done;
    size_t rows;
    struct errbuf err;
};

static void take_answer(void *arg, const struct table *t, const struct errbuf *err)
{
    struct answer *a = arg;
    a->done = true;
    a->rows = t ? t->rows : 0;
    if (err)
        a->err = *err;
}

static struct answer ask(struct fixture *f, enum store_query_id id, const int64_t *args,
                         size_t count)
{
    struct answer a = {0};
    store_query(f->store, &(struct store_named_query){.id = id, .args = args, .count = count},
                take_answer, &a);
    assert_true(fixture_wait(f, &a.done, PATIENCE_SECONDS));
    return a;
}

static struct answer ask_curve(struct fixture *f, int64_t run_id)
{
    return ask(f, STORE_QUERY_CURVE, (int64_t[]){run_id, 0, 1000}, 3);
}

static void beside(const struct fixture *f, const char *suffix, char *out, size_t size)
{
    snprintf(out, size, "%s%s", f->path, suffix);
}

/* --- reads while nothing can be written ------------------------------------------------------- */

static void test_queries_are_answered_while_somebody_writes(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    bool committed = false;
    sqlite3 *other = NULL;

    open_filled(f, 1);
    assert_int_equal(sqlite3_open(f->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    store_batch_put_run(&b, new_run(2, 1, 1));
    store_submit(f->store, &b, set_flag, &committed);
    while (!*store_trouble(f->store)) {
        assert_int_equal(ask_curve(f, 1).rows, POINTS);
        assert_false(committed);
    }
    assert_non_null(strstr(store_trouble(f->store), "locked"));
    assert_int_equal(ask(f, STORE_QUERY_RUN, (int64_t[]){2}, 1).rows, 0);
    sqlite3_exec(other, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(other);
    assert_true(fixture_wait(f, &committed, PATIENCE_SECONDS));
    assert_int_equal(ask(f, STORE_QUERY_RUN, (int64_t[]){2}, 1).rows, 1);
    assert_string_equal(store_trouble(f->store), "");
}

/* --- damage ----------------------------------------------------------------------------------- */

static void overwrite_root(struct fixture *f, const char *table)
{
    char rubbish[PAGE_BYTES];
    long root =
        strtol(sql(f, "SELECT rootpage FROM sqlite_schema WHERE name = '%s'", table), NULL, 10);
    FILE *file = fopen(f->path, "r+");

    assert_true(root > 1 && file);
    memset(rubbish, 0xa5, sizeof(rubbish));
    assert_int_equal(fseek(file, (root - 1) * PAGE_BYTES, SEEK_SET), 0);
    assert_int_equal(fwrite(rubbish, sizeof(rubbish), 1, file), 1);
    assert_int_equal(fclose(file), 0);
}

/* That damage is told once; what is whole is still read; and the end is not waited for. */
static void test_a_damaged_page_is_no_reason_to_try_again(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    bool committed = false, never = false;

    open_filled(f, 3);
    fixture_close(f);
    overwrite_root(f, "curves");
    assert_int_equal(fixture_open(f), 0);
    add_points(&b, 1);
    store_submit(f->store, &b, set_flag, &committed);
    while (!*store_trouble(f->store))
        fixture_wait(f, &never, 0);
    assert_non_null(strstr(store_trouble(f->store), "is damaged"));
    assert_non_null(strstr(store_trouble(f->store), ".recover"));
    assert_int_equal(ask(f, STORE_QUERY_LAST_SWEEP, NULL, 0).rows, 1);
    struct answer a = ask_curve(f, 1);
    assert_int_equal(a.err.code, ERR_DATA);
    assert_non_null(strstr(store_damage(f->store), "is damaged"));
    assert_false(committed);
    fixture_close(f);
    assert_false(committed);
}

struct heard {
    bool any;
    char kind[32], text[640];
};

static void hear(void *arg, const char *kind, const char *text)
{
    struct heard *h = arg;
    h->any = true;
    str_copy(h->kind, sizeof(h->kind), kind);
    str_copy(h->text, sizeof(h->text), text);
}

/* The damaged page is not in the log, which would heal it. */
static void damage_and_die(struct fixture *f)
{
    struct store_batch b = {0};
    if (fixture_open(f) != 0)
        _exit(1);
    store_batch_add_event(&b, 1, 0, "more", 1, "it");
    fixture_commit(f, &b);
    overwrite_root(f, "curves");
    _exit(0);
}

static void test_an_unclean_end_is_followed_by_a_check(void **state)
{
    struct fixture *f = *state;
    struct heard h = {0};
    int status;

    open_filled(f, 3);
    fixture_close(f);
    pid_t child = fork();
    if (child == 0)
        damage_and_die(f);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_int_equal(fixture_open(f), 0);
    store_on_notice(f->store, hear, &h);
    assert_true(fixture_wait(f, &h.any, PATIENCE_SECONDS));
    assert_string_equal(h.kind, STORE_NOTICE_DAMAGED);
    assert_non_null(strstr(h.text, ".recover"));
    assert_string_equal(store_damage(f->store), h.text);
    assert_string_equal(store_trouble(f->store), "");
}

/* --- what is gone ----------------------------------------------------------------------------- */

static void fill_more_and_die(struct fixture *f)
{
    struct store_batch b = {0};
    if (fixture_open(f) != 0)
        _exit(1);
    store_batch_put_sweep(&b, new_sweep(2, false));
    for (int64_t id = 6; id <= 9; id++)
        store_batch_put_run(&b, new_run(id, 2, id - 6));
    store_batch_add_event(&b, 2, 0, "submitted", 1, "it");
    fixture_commit(f, &b);
    _exit(0);
}

static void test_a_deleted_log_is_noticed(void **state)
{
    struct fixture *f = *state;
    char wal[128];
    int status;

    open_filled(f, 5);
    fixture_close(f);
    pid_t child = fork();
    if (child == 0)
        fill_more_and_die(f);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    beside(f, "-wal", wal, sizeof(wal));
    assert_int_equal(unlink(wal), 0);
    beside(f, "-shm", wal, sizeof(wal));
    assert_int_equal(unlink(wal), 0);

    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.last_sweep_id, 2);
    assert_int_equal(f->restored.last_run_id, 9);
    assert_string_equal(sql(f, "SELECT count(*) FROM runs"), "5");
    assert_non_null(strstr(sql(f, "SELECT detail FROM events WHERE kind = 'database_lost'"),
                           "Of runs 6 to 9 the folders alone are left"));
    fixture_close(f);
    assert_int_equal(fixture_open(f), 0); /* said once */
    assert_string_equal(sql(f, "SELECT count(*) FROM events WHERE kind = 'database_lost'"), "1");
    assert_int_equal(f->restored.last_run_id, 9);
}

/* A database that is made anew beside the folders of an earlier one gives no run their ids. */
static void test_ids_of_run_folders_are_not_used_again(void **state)
{
    struct fixture *f = *state;
    char path[128];

    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    const char *suffixes[] = {"", "-wal", "-shm", ".mark"};
    for (size_t i = 0; i < ARRAY_LEN(suffixes); i++) {
        beside(f, suffixes[i], path, sizeof(path));
        unlink(path);
    }
    const char *folders[] = {".runs", ".runs/7", ".runs/41", ".runs/x99", ".runs/50.old"};
    for (size_t i = 0; i < ARRAY_LEN(folders); i++) {
        beside(f, folders[i], path, sizeof(path));
        assert_int_equal(mkdir(path, 0700), 0);
    }
    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.last_run_id, 41);
    assert_string_equal(sql(f, "SELECT count(*) FROM events WHERE kind = 'database_lost'"), "1");
}

static void test_nothing_is_missed_where_nothing_is_missing(void **state)
{
    struct fixture *f = *state;
    for (int i = 0; i < 3; i++) {
        assert_int_equal(fixture_open(f), 0);
        fill(f, 2 + i);
        fixture_close(f);
    }
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(sql(f, "SELECT count(*) FROM events WHERE kind <> 'filled'"), "0");
}

/* --- copies ----------------------------------------------------------------------------------- */

struct copied {
    bool done;
    int64_t bytes;
    struct errbuf err;
};

static void take_copy(void *arg, int64_t bytes, const struct errbuf *err)
{
    struct copied *c = arg;
    c->done = true;
    c->bytes = bytes;
    if (err)
        c->err = *err;
}

/* Of one moment, though commits go on; whole, alone, the owner's; and nothing is overwritten. */
static void test_a_backup_while_others_write(void **state)
{
    struct fixture *f = *state;
    struct copied c = {0}, again = {0};
    char copy[128];
    struct stat st;
    int64_t run = 20;

    open_filled(f, 20);
    beside(f, ".copy", copy, sizeof(copy));
    store_backup(f->store, copy, take_copy, &c);
    while (!c.done) { /* each commit: a run and its points, or neither */
        struct store_batch b = {0};
        run++;
        store_batch_put_run(&b, new_run(run, 1, run - 1));
        add_points(&b, run);
        fixture_commit(f, &b);
    }
    assert_string_equal(c.err.message, "");
    assert_int_equal(stat(copy, &st), 0);
    assert_true(st.st_size == c.bytes && (st.st_mode & 0777) == 0600);
    char *rows =
        sql_all(copy, "SELECT count(*) % 200, count(*) / 200 = (SELECT count(*) FROM runs),"
                      " (SELECT count(*) >= 20 FROM runs) FROM curves");
    assert_string_equal(rows, "0|1|1\n");
    free(rows);
    rows = sql_all(copy, "PRAGMA integrity_check");
    assert_string_equal(rows, "ok\n");
    free(rows);
    store_backup(f->store, copy, take_copy, &again);
    assert_true(fixture_wait(f, &again.done, PATIENCE_SECONDS));
    assert_int_equal(again.err.code, ERR_VALUE);
    assert_non_null(strstr(again.err.message, "nothing is overwritten"));
}

static void test_a_backup_of_a_damaged_database_fails(void **state)
{
    struct fixture *f = *state;
    struct copied c = {0};
    char copy[128];

    open_filled(f, 3);
    fixture_close(f);
    overwrite_root(f, "curves");
    assert_int_equal(fixture_open(f), 0);
    beside(f, ".copy", copy, sizeof(copy));
    store_backup(f->store, copy, take_copy, &c);
    assert_true(fixture_wait(f, &c.done, PATIENCE_SECONDS));
    assert_int_equal(c.err.code, ERR_DATA);
    assert_true(access(copy, F_OK) < 0);
}

static void test_a_migration_keeps_what_was(void **state)
{
    struct fixture *f = *state;
    struct buf script = {0};
    char path[128];

    snprintf(path, sizeof(path), "%s/state", f->folder);
    assert_int_equal(mkdir(path, 0700), 0);
    buf_printf(&script, "%s%s PRAGMA user_version=2; PRAGMA application_id=%d;",
               schema_migrations[0].sql, schema_migrations[1].sql, SCHEMA_APPLICATION_ID);
    sql_execute(f->path, script.data);
    buf_finish(&script);
    assert_int_equal(fixture_open(f), 0);
    beside(f, ".schema-2", path, sizeof(path));
    char *rows = sql_all(path, "PRAGMA user_version");
    assert_string_equal(rows, "2\n");
    free(rows);
    fixture_close(f);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(fixture_open(f), 0); /* nothing to migrate, nothing to keep */
    assert_true(access(path, F_OK) < 0);
}

/* --- the log's reader ---------------------------------------------------------------------------
 */

static void read_until_closed(const char *path, int told, int pipe_end)
{
    sqlite3 *db = NULL;
    char byte = 1;
    if (sqlite3_open(path, &db) != SQLITE_OK ||
        sqlite3_exec(db, "BEGIN; SELECT count(*) FROM runs", NULL, NULL, NULL) != SQLITE_OK ||
        write(told, &byte, 1) != 1)
        _exit(1);
    _exit(read(pipe_end, &byte, 1) == 0 ? 0 : 1);
}

static void test_who_holds_the_log_is_named(void **state)
{
    struct fixture *f = *state;
    struct store_batch b = {0};
    int ready[2], ends[2], status;
    char holder[128], expected[64], byte;

    open_filled(f, 1);
    wal_holder(f->path, holder, sizeof(holder));
    assert_string_equal(holder, "a reader that cannot be named");
    assert_true(pipe(ready) == 0 && pipe(ends) == 0);
    pid_t reader = fork();
    if (reader == 0) {
        close(ends[1]);
        read_until_closed(f->path, ready[1], ends[0]);
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    store_batch_put_run(&b, new_run(2, 1, 1));
    fixture_commit(f, &b);
    wal_holder(f->path, holder, sizeof(holder));
    snprintf(expected, sizeof(expected), "process %d (test_recovery)", (int)reader);
    close(ends[1]);
    assert_int_equal(waitpid(reader, &status, 0), reader);
    assert_int_equal(status, 0);
    assert_string_equal(holder, expected);
    close(ends[0]);
    close(ready[0]);
    close(ready[1]);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_queries_are_answered_while_somebody_writes),
        TEST(test_a_damaged_page_is_no_reason_to_try_again),
        TEST(test_an_unclean_end_is_followed_by_a_check),
        TEST(test_a_deleted_log_is_noticed),
        TEST(test_ids_of_run_folders_are_not_used_again),
        TEST(test_nothing_is_missed_where_nothing_is_missing),
        TEST(test_a_backup_while_others_write),
        TEST(test_a_backup_of_a_damaged_database_fails),
        TEST(test_a_migration_keeps_what_was),
        TEST(test_who_holds_the_log_is_named),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
