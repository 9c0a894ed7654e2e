/* Which files the store opens, and which it leaves alone. */
#include "tests/unit/store/fixture.h"

#include <setjmp.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "schema/schema.h"
#include "sweep/buf.h"

static void make_folder(struct fixture *f)
{
    char folder[80];
    snprintf(folder, sizeof(folder), "%s/state", f->folder);
    assert_int_equal(mkdir(folder, 0700), 0);
}

static void read_all(const char *path, struct buf *out)
{
    struct errbuf err;
    buf_clear(out);
    assert_int_equal(buf_read_file(out, path, 1 << 24, &err), 0);
}

/* Refused with that code and words, and not a byte of it has changed. */
static void assert_refused(struct fixture *f, int code, const char *words)
{
    struct buf before = {0}, after = {0};

    read_all(f->path, &before);
    assert_int_equal(fixture_open(f), code);
    assert_null(f->store);
    if (!strstr(f->err.message, words) || !strstr(f->err.message, f->path))
        fail_msg("\"%s\" not in \"%s\"", words, f->err.message);
    read_all(f->path, &after);
    assert_int_equal(before.len, after.len);
    assert_memory_equal(before.data, after.data, before.len);
    buf_finish(&before);
    buf_finish(&after);
}

static void test_version_and_application(void **state)
{
    struct fixture *f = *state;
    char expected[32];

    assert_int_equal(fixture_open(f), 0);
    snprintf(expected, sizeof(expected), "%zu", schema_migration_count);
    assert_string_equal(sql(f, "PRAGMA user_version"), expected);
    snprintf(expected, sizeof(expected), "%d", SCHEMA_APPLICATION_ID);
    assert_string_equal(sql(f, "PRAGMA application_id"), expected);
    for (size_t i = 0; i < schema_migration_count; i++)
        assert_int_equal(schema_migrations[i].version, i + 1);
}

/* A database of every past version is brought up to date, rows and all. */
static void test_migrates_from_version_one(void **state)
{
    struct fixture *f = *state;
    struct buf script = {0};

    make_folder(f);
    buf_puts(&script, schema_migrations[0].sql);
    buf_printf(&script, "PRAGMA user_version=1; PRAGMA application_id=%d;", SCHEMA_APPLICATION_ID);
    buf_puts(&script,
             "INSERT INTO sweeps(id, name, status, method, metric, goal, spec, seed, run_cap,"
             " epochs, priority, created_at) VALUES(3, 'old', 'held', 'grid', 'val_acc',"
             " 'maximize', '{}', '5', 1, 1, 0, '2026-01-01 00:00:00.000');");
    sql_execute(f->path, script.data);
    buf_finish(&script);
    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.sweep_count, 1);
    assert_string_equal(f->restored.sweeps[0].name, "old");
    assert_string_equal(sql(f, "SELECT count(*) FROM best_runs"), "0");
}

/* Runs that were planned before data had settings keep the validation part they began with. */
static void test_migrates_from_version_two(void **state)
{
    struct fixture *f = *state;
    struct buf script = {0};

    make_folder(f);
    buf_puts(&script, schema_migrations[0].sql);
    buf_puts(&script, schema_migrations[1].sql);
    buf_printf(&script, "PRAGMA user_version=2; PRAGMA application_id=%d;", SCHEMA_APPLICATION_ID);
    buf_puts(&script,
             "INSERT INTO sweeps(id, name, status, method, metric, goal, spec, seed, run_cap,"
             " epochs, priority, created_at) VALUES(3, 'old', 'running', 'grid', 'val_acc',"
             " 'maximize', '{\"data\":{\"name\":\"m\",\"limit\":90,\"validation\":17,"
             "\"on_nan\":\"drop\"}}', '5', 1, 1, 0, '2026-01-01 00:00:00.000');"
             "INSERT INTO runs(id, sweep_id, number, kind, stage, status, params, settings, seed,"
             " epochs, attempts, created_at) VALUES(8, 3, 0, 'search', 'grid', 'queued', '{}',"
             " '{\"model\":{\"type\":\"mlp\",\"depth\":7},\"train\":{\"loss\":\"mse\"}}', '5', 1,"
             " 0, '2026-01-01 00:00:00.000');"
             "INSERT INTO curves(run_id, point, epoch, val_loss) VALUES(8, 1, 1, 'nan');");
    sql_execute(f->path, script.data);
    buf_finish(&script);
    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.run_count, 1);
    const struct run_row *r = &f->restored.runs[0];
    const double *v = r->config->settings.v;
    assert_true(v[SETTING_DEPTH] == 7 && v[SETTING_LOSS] == LOSS_MSE);
    assert_true(v[SETTING_LIMIT] == 90 && v[SETTING_VALIDATION] == 17);
    assert_true(v[SETTING_ON_NAN] == ON_NAN_DROP);
    assert_true(v[SETTING_STRATIFY] == 0);
    assert_false(r->has_test_loss);
    assert_string_equal(sql(f, "SELECT spec -> '$.data.stratify' FROM sweeps"), "false");
    assert_string_equal(sql(f, "SELECT val_loss || coalesce(val_f1, '-') FROM curves"), "nan-");
    assert_string_equal(sql(f, "SELECT count(*) FROM canonical_content"), "1");
}

/* A run that was paused before there were rungs waits for its sweep, and has no budget. */
static void test_migrates_paused_runs(void **state)
{
    struct fixture *f = *state;
    struct buf script = {0};

    make_folder(f);
    for (size_t i = 0; i < 6; i++)
        buf_puts(&script, schema_migrations[i].sql);
    buf_printf(&script, "PRAGMA user_version=6; PRAGMA application_id=%d;", SCHEMA_APPLICATION_ID);
    buf_puts(&script,
             "INSERT INTO sweeps(id, name, status, method, metric, goal, spec, seed, run_cap,"
             " epochs, priority, created_at) VALUES(3, 'old', 'paused', 'grid', 'val_acc',"
             " 'maximize', '{}', '5', 1, 1, 0, '2026-01-01 00:00:00.000');"
             "INSERT INTO runs(id, sweep_id, number, kind, stage, status, params, settings, seed,"
             " epochs, attempts, created_at) VALUES(8, 3, 0, 'search', 'grid', 'paused', '{}',"
             " '{}', '5', 1, 0, '2026-01-01 00:00:00.000');");
    sql_execute(f->path, script.data);
    buf_finish(&script);
    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.run_count, 1);
    assert_int_equal(f->restored.runs[0].status, RUN_PAUSED);
    assert_int_equal(f->restored.runs[0].paused_by, RUN_PAUSER_NONE);
    assert_int_equal(f->restored.runs[0].until_epoch, 0);
}

/* As the first `count` migrations left it, with those rows. */
static void old_database(struct fixture *f, size_t count, const char *rows)
{
    struct buf script = {0};
    make_folder(f);
    for (size_t i = 0; i < count; i++)
        buf_puts(&script, schema_migrations[i].sql);
    buf_printf(&script, "PRAGMA user_version=%zu; PRAGMA application_id=%d;", count,
               SCHEMA_APPLICATION_ID);
    buf_puts(&script, rows);
    sql_execute(f->path, script.data);
    buf_finish(&script);
}

#define OLD_SWEEP(id, status, spec)                                                                \
    "INSERT INTO sweeps(id, name, status, method, metric, goal, spec, seed, run_cap, epochs,"      \
    " priority, created_at) VALUES(" #id ", 'old', '" status "', 'grid', 'val_loss',"              \
    " 'minimize', '" spec "', '5', 1, 1, 0, '2026-01-01 00:00:00.000');"
#define OLD_RUN(id, sweep, kind)                                                                   \
    "INSERT INTO runs(id, sweep_id, number, kind, stage, status, params, settings, seed,"          \
    " epochs, attempts, created_at, parent_id, remedy, treats_pattern, treats_cause) VALUES(" #id  \
    ", " #sweep ", 0, '" kind "', 'treatment', 'queued', '{}', '{}', '5', 1, 0,"                   \
    " '2026-01-01 00:00:00.000', 1, 'l2', 'overfitting', 'unknown');"
#define TREATS(metric)                                                                             \
    "\"treats\":{\"run\":1,\"remedy\":\"l2\",\"pattern\":\"overfitting\","                         \
    "\"cause\":\"unknown\",\"metric_value\":" metric "}"

/* A treatment by hand was a sweep whose spec named its parent; now its run does. */
static void test_migrates_treatments_by_hand(void **state)
{
    struct fixture *f = *state;
    old_database(
        f, 6,
        OLD_SWEEP(1, "completed", "{\"seed\":\"7\",\"x\":[1.50,{}]}") OLD_SWEEP(
            2, "queued",
            "{\"method\":\"grid\"," TREATS(
                "0.375") ",\"treat\":false}") OLD_SWEEP(3, "held", "{" TREATS("2") "}")
            OLD_SWEEP(4, "paused", "{" TREATS("null") "}") OLD_SWEEP(
                5, "paused",
                "{" TREATS(
                    "\"nan\"") "}") "INSERT INTO runs(id, sweep_id, number, kind, stage, status, "
                                    "params, settings,"
                                    " seed, epochs, attempts, created_at) VALUES(1, 1, 0, "
                                    "'search', 'grid', 'completed',"
                                    " '{}', '{}', '5', 1, 0, '2026-01-01 00:00:00.000');" OLD_RUN(
                                        2, 2, "treatment") OLD_RUN(3, 3, "treatment")
                                        OLD_RUN(4, 4, "treatment") OLD_RUN(5, 5, "treatment"));
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(sql(f, "SELECT spec FROM sweeps WHERE id = 2"),
                        "{\"method\":\"grid\",\"treat\":false}");
    assert_string_equal(sql(f, "SELECT group_concat(spec) FROM sweeps WHERE id > 2"), "{},{},{}");
    assert_string_equal(sql(f, "SELECT spec FROM sweeps WHERE id = 1"), /* byte for byte */
                        "{\"seed\":\"7\",\"x\":[1.50,{}]}");
    assert_string_equal(sql(f, "SELECT group_concat(coalesce(parent_metric, '-'), ' ') FROM "
                               "(SELECT * FROM runs ORDER BY id)"),
                        "- 0.375 2.0 - -");
    assert_int_equal(f->restored.run_count, 4);
    const struct run_row *r = f->restored.runs;
    assert_true(r[0].has_parent_metric && r[0].parent_metric == 0.375);
    assert_true(r[1].has_parent_metric && r[1].parent_metric == 2);
    assert_false(r[2].has_parent_metric || r[3].has_parent_metric);
    assert_true(r[0].kind == RUN_KIND_TREATMENT && r[0].parent_id == 1 && r[0].remedy == REMEDY_L2);
    assert_string_equal(sql(f, "SELECT count(*) FROM decisions"), "0");
}

#define READ(id, samples, classes, spec)                                                           \
    "INSERT INTO sweeps(id, name, status, method, metric, goal, spec, seed, run_cap, epochs,"      \
    " priority, created_at, data_hash, data_samples, data_features, data_classes) VALUES(" #id     \
    ", 'old', 'held', 'grid', 'val_loss', 'minimize', '" spec "', '5', 1, 1, 0,"                   \
    " '2026-01-01 00:00:00.000', 'ab', " #samples ", 3, " #classes ");"
#define SETTINGS_RUN(id, sweep)                                                                    \
    "INSERT INTO runs(id, sweep_id, number, kind, stage, status, params, settings, seed, epochs,"  \
    " attempts, created_at) VALUES(" #id ", " #sweep ", 0, 'search', 'grid', 'queued', '{}',"      \
    " '{\"train\":{\"loss\":\"mse\"}}', '5', 1, 0, '2026-01-01 00:00:00.000');"

/* What was decided of data and targets before stays: neither the rule for whole numbers nor the
 * scaling of targets reaches a sweep that is there. */
static void test_old_data_is_read_as_before(void **state)
{
    struct fixture *f = *state;
    old_database(f, 6,
                 READ(1, 9, 0, "{\"data\":{\"format\":\"csv\"},\"train\":{}}")
                 READ(2, 9, 7, "{\"data\":{\"format\":\"csv\"},\"train\":{}}")
                 READ(3, 9, 7, "{\"data\":{\"format\":\"idx\"},\"train\":{}}")
                 READ(4, 9, 0, "{\"data\":{\"format\":\"npz\",\"task\":\"regression\"},\"train\":{}}")
                 OLD_SWEEP(5, "queued", "{\"task\":{}}")
                 SETTINGS_RUN(1, 1) SETTINGS_RUN(2, 2));
    assert_int_equal(fixture_open(f), 0);
    static const char *const specs[] = {
        "{\"data\":{\"format\":\"csv\",\"task\":\"regression\"},"
        "\"train\":{\"target_scale\":\"none\"}}",
        "{\"data\":{\"format\":\"csv\",\"task\":\"classification\"},\"train\":{}}",
        "{\"data\":{\"format\":\"idx\"},\"train\":{}}",
        "{\"data\":{\"format\":\"npz\",\"task\":\"regression\"},"
        "\"train\":{\"target_scale\":\"none\"}}",
        "{\"task\":{}}",
    };
    for (size_t i = 0; i < sizeof specs / sizeof *specs; i++) {
        char query[64];
        snprintf(query, sizeof query, "SELECT spec FROM sweeps WHERE id = %zu", i + 1);
        assert_string_equal(sql(f, "%s", query), specs[i]);
    }
    assert_string_equal(sql(f, "SELECT settings FROM runs WHERE id = 1"),
                        "{\"train\":{\"loss\":\"mse\",\"target_scale\":\"none\"}}");
    assert_string_equal(sql(f, "SELECT settings FROM runs WHERE id = 2"),
                        "{\"train\":{\"loss\":\"mse\"}}");
    assert_string_equal(sql(f, "SELECT group_concat(coalesce(data_task, '-'), ' ') FROM "
                               "(SELECT * FROM sweeps ORDER BY id)"),
                        "regression classification classification regression -");
}

/* Workers that an earlier version has started are known by their process id. */
static void test_a_pid_becomes_a_handle(void **state)
{
    struct fixture *f = *state;
    old_database(
        f, 6,
        "INSERT INTO sweeps(id, name, status, method, metric, goal, spec, seed, run_cap,"
        " epochs, priority, created_at) VALUES(3, 'old', 'running', 'grid', 'val_acc',"
        " 'maximize', '{}', '5', 1, 1, 0, '2026-01-01 00:00:00.000');"
        "INSERT INTO runs(id, sweep_id, number, kind, stage, status, params, settings, seed,"
        " epochs, attempts, created_at, pid) VALUES"
        "(8, 3, 0, 'search', 'grid', 'running', '{}', '{\"model\":{\"type\":\"mlp\"}}', '5',"
        " 1, 1, '2026-01-01 00:00:00.000', 4711),"
        "(9, 3, 1, 'search', 'grid', 'queued', '{}', '{\"model\":{\"type\":\"mlp\"}}', '5',"
        " 1, 0, '2026-01-01 00:00:00.000', NULL);");
    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.run_count, 2);
    assert_string_equal(f->restored.runs[0].handle, "4711");
    assert_null(f->restored.runs[1].handle);
    assert_string_equal(sql(f, "SELECT group_concat(coalesce(handle, '-')) FROM run_overview"),
                        "4711,-");
}

/* A database is told from every other; runs that were under way have folders that say nothing. */
static void test_an_identity_comes(void **state)
{
    struct fixture *f = *state;
    old_database(
        f, 6,
        "INSERT INTO sweeps(id, name, status, method, metric, goal, spec, seed, run_cap,"
        " epochs, priority, created_at) VALUES(3, 'old', 'running', 'grid', 'val_acc',"
        " 'maximize', '{}', '5', 1, 1, 0, '2026-01-01 00:00:00.000');"
        "INSERT INTO runs(id, sweep_id, number, kind, stage, status, params, settings, seed,"
        " epochs, attempts, created_at, started_at) VALUES"
        "(7, 3, 0, 'search', 'grid', 'completed', '{}', '{\"model\":{\"type\":\"mlp\"}}',"
        " '5', 1, 1, '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000'),"
        "(8, 3, 1, 'search', 'grid', 'running', '{}', '{\"model\":{\"type\":\"mlp\"}}', '5',"
        " 1, 1, '2026-01-01 00:00:00.000', '2026-01-01 00:00:00.000'),"
        "(9, 3, 2, 'search', 'grid', 'queued', '{}', '{\"model\":{\"type\":\"mlp\"}}', '5',"
        " 1, 0, '2026-01-01 00:00:00.000', NULL);");
    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.unmarked_count, 1);
    assert_int_equal(f->restored.unmarked[0], 8);
    char *first = xstrdup(f->restored.database);
    assert_int_equal(strlen(first), 36);
    fixture_close(f);
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(f->restored.database, first);
    fixture_close(f);
    assert_int_equal(unlink(f->path), 0);
    assert_int_equal(fixture_open(f), 0);
    assert_string_not_equal(f->restored.database, first);
    assert_int_equal(f->restored.unmarked_count, 0);
    free(first);
}

/* Failures have other names since then; none is lost. */
static void test_failures_have_their_present_names(void **state)
{
    struct fixture *f = *state;
    old_database(
        f, 6,
        "INSERT INTO sweeps(id, name, status, method, metric, goal, spec, seed, run_cap,"
        " epochs, priority, created_at) VALUES(3, 'old', 'running', 'grid', 'val_acc',"
        " 'maximize', '{}', '5', 1, 1, 0, '2026-01-01 00:00:00.000');"
        "INSERT INTO runs(id, sweep_id, number, kind, stage, status, params, settings, seed,"
        " epochs, attempts, created_at, error_class) VALUES"
        "(8, 3, 0, 'search', 'grid', 'failed', '{}', '{\"model\":{\"type\":\"mlp\"}}', '5',"
        " 1, 1, '2026-01-01 00:00:00.000', 'crashed'),"
        "(9, 3, 1, 'search', 'grid', 'failed', '{}', '{\"model\":{\"type\":\"mlp\"}}', '5',"
        " 1, 0, '2026-01-01 00:00:00.000', 'io_error'),"
        "(10, 3, 2, 'search', 'grid', 'failed', '{}', '{\"model\":{\"type\":\"mlp\"}}', '5',"
        " 1, 0, '2026-01-01 00:00:00.000', 'data_error'),"
        "(11, 3, 3, 'search', 'grid', 'queued', '{}', '{\"model\":{\"type\":\"mlp\"}}', '5',"
        " 1, 0, '2026-01-01 00:00:00.000', NULL);");
    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.runs[0].error, RUN_ERROR_CRASHED);
    assert_string_equal(sql(f, "SELECT group_concat(coalesce(error_class, '-')) FROM run_overview"),
                        "worker_crash,disk_full,data_error,-");
}

/* Sweeps of before have no last share for repeats. */
static void test_migrates_without_finalists(void **state)
{
    struct fixture *f = *state;
    old_database(f, 6,
                 OLD_SWEEP(1, "completed", "{}") OLD_SWEEP(2, "held", "{\"a\":[1.50]}")
                 "UPDATE sweeps SET method = 'random' WHERE id = 2;");
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(sql(f, "SELECT group_concat(spec, ' ') FROM sweeps"),
                        "{} {\"a\":[1.50],\"repeat_share\":0}");
}

/* Those of before come at the end of their sweep alone. */
static void test_migrates_without_contenders(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    sql_execute(f->path, "PRAGMA user_version=24;"
                OLD_SWEEP(1, "held", "{\"repeat_share\":0.15}")
                OLD_SWEEP(2, "held", "{\"repeat_share\":0}") OLD_SWEEP(3, "held", "{}"));
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(sql(f, "SELECT group_concat(spec, ' ') FROM sweeps"),
                        "{\"repeat_share\":0.15,\"repeat_along\":false} {\"repeat_share\":0} {}");
}

/* Those of before go through each stage once. */
static void test_migrates_without_rounds(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    sql_execute(f->path, "PRAGMA user_version=25;"
                OLD_SWEEP(1, "held", "{\"method\":\"coarse_to_fine\",\"run_cap\":48}")
                OLD_SWEEP(2, "held", "{\"method\":\"coarse_to_fine\",\"run_cap\":47}")
                OLD_SWEEP(3, "held", "{\"method\":\"tpe\",\"run_cap\":48}"));
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(sql(f, "SELECT group_concat(spec, ' ') FROM sweeps"),
                        "{\"method\":\"coarse_to_fine\",\"run_cap\":48,\"rounds\":false} "
                        "{\"method\":\"coarse_to_fine\",\"run_cap\":47} "
                        "{\"method\":\"tpe\",\"run_cap\":48}");
}

/* Treatments of before try the remedies of before. */
static void test_migrates_without_new_remedies(void **state)
{
    struct fixture *f = *state;
    old_database(f, 6, OLD_SWEEP(1, "held", "{\"treat\":false}"));
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(sql(f, "SELECT spec FROM sweeps"), "{\"treat\":false}");
    fixture_close(f);
    sql_execute(f->path, "PRAGMA user_version=21; UPDATE sweeps SET spec = '{\"treat\":true}'");
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(sql(f, "SELECT spec FROM sweeps"),
                        "{\"treat\":true,\"without_remedies\":[\"label_smoothing\",\"mixup\",\"ema\","
                        "\"swa\",\"gradient_noise\"]}");
}

/* What failed was ranked before. */
static void test_migrates_ranks(void **state)
{
    struct fixture *f = *state;
    old_database(f, 6, OLD_SWEEP(1, "held", "{}") OLD_RUN(1, 1, "search"));
    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    sql_execute(f->path, "PRAGMA user_version=22; "
                         "UPDATE runs SET status = 'failed', metric_value = 0.5, rank_key = 0.5");
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(sql(f, "SELECT count(*) FROM runs WHERE metric_value = 0.5"), "1");
    assert_string_equal(sql(f, "SELECT count(*) FROM runs WHERE rank_key IS NOT NULL"), "0");
}

/* The rule that each sweep's specification names, by id; "-": it says nothing. */
static const char *stopping_rules(struct fixture *f)
{
    return sql(f, "SELECT group_concat(ifnull(spec ->> '$.early_terminate.type', '-'), ' ') "
                  "FROM (SELECT spec FROM sweeps ORDER BY id)");
}

/* Runs of before train to their end, in a search in stages too: first those of 18 epochs or more had
 * rungs of their own, then those of 9 or more. */
static void test_migrates_to_whole_runs(void **state)
{
    struct fixture *f = *state;
    old_database(f, 6, OLD_SWEEP(1, "held", "{}") OLD_SWEEP(2, "held", "{}")
                           OLD_SWEEP(3, "held", "{}") OLD_SWEEP(4, "held", "{}")
                               OLD_SWEEP(5, "held", "{}"));
    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    sql_execute(f->path,
                "PRAGMA user_version=23;"
                "UPDATE sweeps SET spec = json_object('method', iif(id = 2, 'random',"
                " 'coarse_to_fine'), 'epochs', iif(id = 3, 9, iif(id = 5, 8, 18)));"
                "UPDATE sweeps SET spec = json_set(spec, '$.early_terminate',"
                " json('{\"type\":\"median\"}')) WHERE id = 4");
    assert_int_equal(fixture_open(f), 0);
    assert_string_equal(stopping_rules(f), "none - none median -");
    fixture_close(f);
    sql_execute(f->path, "PRAGMA user_version=26;"
                         "UPDATE sweeps SET spec = json_remove(spec, '$.early_terminate')");
    assert_int_equal(fixture_open(f), 0); /* what began later than 024 */
    assert_string_equal(stopping_rules(f), "- - none - -");
}

static void test_newer_schema_is_refused(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    sql_execute(f->path, "PRAGMA user_version=99");
    assert_refused(f, ERR_DATA, "newer sweepd");
}

static void test_foreign_database_is_refused(void **state)
{
    struct fixture *f = *state;
    make_folder(f);
    sql_execute(f->path, "CREATE TABLE bookmarks(id); INSERT INTO bookmarks VALUES(1)");
    assert_refused(f, ERR_DATA, "another program");
    sql_execute(f->path, "PRAGMA application_id=252006");
    assert_refused(f, ERR_DATA, "another program");
}

static void test_no_database_is_refused(void **state)
{
    struct fixture *f = *state;
    make_folder(f);
    FILE *file = fopen(f->path, "w");
    for (int i = 0; i < 1000; i++)
        fputs("dear diary\n", file);
    fclose(file);
    assert_refused(f, ERR_DATA, "not a database");
}

static void test_truncated_database_is_refused(void **state)
{
    struct fixture *f = *state;
    struct stat st;

    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    assert_int_equal(stat(f->path, &st), 0);
    assert_int_equal(truncate(f->path, st.st_size / 8192 * 4096), 0);
    assert_refused(f, ERR_DATA, "damaged");
    assert_int_equal(truncate(f->path, 50), 0);
    assert_refused(f, ERR_DATA, "damaged");
}

static void test_folder_and_relative_path_are_refused(void **state)
{
    struct fixture *f = *state;
    make_folder(f);
    assert_int_equal(mkdir(f->path, 0700), 0);
    assert_int_equal(fixture_open(f), ERR_IO);
    str_copy(f->path, sizeof(f->path), "sweeps.db");
    assert_int_equal(fixture_open(f), ERR_VALUE);
}

/* Each of two hard links would have a lock and a write-ahead log of its own. */
static void test_a_second_name_is_refused(void **state)
{
    struct fixture *f = *state, other = {.loop = f->loop};

    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    snprintf(other.path, sizeof(other.path), "%s/link.db", f->folder);
    assert_int_equal(link(f->path, other.path), 0);
    assert_int_equal(fixture_open(&other), ERR_VALUE);
    assert_non_null(strstr(other.err.message, "2 names"));
    assert_int_equal(unlink(other.path), 0);
    assert_int_equal(fixture_open(f), 0);
}

static void write_and_die(struct fixture *f)
{
    struct store_batch b = {0};
    if (fixture_open(f) != 0)
        _exit(1);
    store_batch_put_sweep(&b, new_sweep(1, false));
    for (int64_t i = 0; i < 500; i++)
        store_batch_put_run(&b, new_run(i + 1, 1, i));
    fixture_commit(f, &b);
    raise(SIGKILL);
}

/* What was acknowledged is there after a kill, out of the WAL. */
static void test_kill_loses_nothing(void **state)
{
    struct fixture *f = *state;
    int status;
    pid_t child = fork();

    if (child == 0)
        write_and_die(f);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_int_equal(fixture_open(f), 0);
    assert_int_equal(f->restored.run_count, 500);
    assert_int_equal(f->restored.runs[499].number, 499);
}

/* Closing leaves a small WAL and no lock that anybody would notice. */
static void test_close_truncates_the_wal(void **state)
{
    struct fixture *f = *state;
    char wal[112];
    struct stat st;

    assert_int_equal(fixture_open(f), 0);
    fixture_close(f);
    snprintf(wal, sizeof(wal), "%s-wal", f->path);
    assert_true(stat(wal, &st) < 0 || st.st_size == 0);
    assert_string_equal(sql(f, "SELECT count(*) FROM sweeps"), "0");
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_version_and_application),
        TEST(test_migrates_from_version_one),
        TEST(test_migrates_from_version_two),
        TEST(test_migrates_paused_runs),
        TEST(test_migrates_treatments_by_hand),
        TEST(test_old_data_is_read_as_before),
        TEST(test_a_pid_becomes_a_handle),
        TEST(test_an_identity_comes),
        TEST(test_failures_have_their_present_names),
        TEST(test_migrates_without_finalists),
        TEST(test_migrates_without_contenders),
        TEST(test_migrates_without_rounds),
        TEST(test_migrates_without_new_remedies),
        TEST(test_migrates_ranks),
        TEST(test_migrates_to_whole_runs),
        TEST(test_newer_schema_is_refused),
        TEST(test_foreign_database_is_refused),
        TEST(test_no_database_is_refused),
        TEST(test_truncated_database_is_refused),
        TEST(test_folder_and_relative_path_are_refused),
        TEST(test_a_second_name_is_refused),
        TEST(test_kill_loses_nothing),
        TEST(test_close_truncates_the_wal),
    };
    cmocka_set_message_output(CM_OUTPUT_TAP);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
