/* daemon/store, on a database in a folder of its own. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>
#include <sqlite3.h>

#include "tests/unit/store/contract.h"
#include "tests/unit/store/fixture.h"

static void *real_open(void)
{
    void *state;
    fixture_setup(&state);
    assert_int_equal(fixture_open(state), 0);
    return state;
}

static void real_close(void *store)
{
    fixture_teardown(&store);
}

static void real_submit(void *store, struct store_batch *b, void (*cb)(void *arg), void *arg)
{
    struct fixture *f = store;
    store_submit(f->store, b, cb, arg);
}

static const struct store_restored *real_restore(void *store)
{
    struct fixture *f = store;
    fixture_close(f);
    assert_int_equal(fixture_open(f), 0);
    return &f->restored;
}

#define LAYER_NAME(member, doc) ", " #member

static const char *const queries[CONTRACT_TABLE_COUNT] = {
    [CONTRACT_SWEEPS] = "SELECT id, status FROM sweeps",
    [CONTRACT_RUNS] =
        "SELECT id, sweep_id, number, status, parent_id, cured, test_loss, test_acc FROM runs",
    [CONTRACT_CURVES] = "SELECT run_id, point, epoch, train_loss, val_loss FROM curves",
    [CONTRACT_LABELS] = "SELECT run_id, pattern, runner_up, confidence, tags, evidence, facts, "
                        "cause, causes, created_at FROM labels",
    [CONTRACT_EVENTS] = "SELECT id, sweep_id, run_id, kind, "
                        "substr(detail, 1, instr(detail || ':', ':') - 1) FROM events",
    [CONTRACT_FINDINGS] =
        "SELECT id, sweep_id, kind, \"row\", \"column\", count, text FROM findings",
    [CONTRACT_LAYERS] =
        "SELECT run_id, point, layer, name" LAYER_STAT_MAP(LAYER_NAME) " FROM layer_stats",
    [CONTRACT_METRICS] = "SELECT run_id, point, name, value FROM metrics",
    [CONTRACT_EDITS] = "SELECT sweep_id, position, kind, setting, from_value, to_value, runs, "
                       "guide_ref, sentence FROM range_edits",
    [CONTRACT_DECISIONS] =
        "SELECT id, sweep_id, run_id, kind, reason, detail, seen_event FROM decisions",
};

static void print_cell(sqlite3_stmt *st, int c, struct buf *out)
{
    if (sqlite3_column_type(st, c) == SQLITE_FLOAT)
        row_real(out, true, sqlite3_column_double(st, c));
    else
        row_text(out, (const char *)sqlite3_column_text(st, c));
}

static void real_rows(void *store, enum contract_table t, struct buf *out)
{
    struct fixture *f = store;
    struct store_batch none = {0};
    sqlite3 *db = NULL;
    sqlite3_stmt *st = NULL;

    fixture_commit(f, &none); /* behind all that is queued */
    assert_int_equal(sqlite3_open(f->path, &db), SQLITE_OK);
    if (sqlite3_prepare_v2(db, queries[t], -1, &st, NULL) != SQLITE_OK)
        fail_msg("%s: %s", queries[t], sqlite3_errmsg(db));
    while (sqlite3_step(st) == SQLITE_ROW) {
        for (int c = 0; c < sqlite3_column_count(st); c++)
            print_cell(st, c, out);
        row_end(out);
    }
    sqlite3_finalize(st);
    sqlite3_close(db);
}

const struct contract_store contract_real = {
    "the database", real_open, real_close, real_submit, real_restore, real_rows};
