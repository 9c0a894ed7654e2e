#include "daemon/store/sql.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/store/bind.h"
#include "daemon/store/columns.h"
#include "daemon/store/metrics.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#define LOG_MODULE "store"
#include "sweep/log.h"
#include "sweep/require.h"

/* --- statements ------------------------------------------------------------------------------ */

#define PARAMETER(column, kind, value) ", :" #column
#define OVERWRITE(column, kind, value) ", " #column " = excluded." #column
#define CURVE_NAME(id, column, canonical) ", " #column
#define CURVE_PARAMETER(id, column, canonical) ", ?"
#define LAYER_NAME(member, doc) ", " #member
#define LAYER_PARAMETER(member, doc) ", ?"

static const char *const statement_sql[STATEMENT_COUNT] = {
    [STATEMENT_BEGIN] = "BEGIN IMMEDIATE",
    [STATEMENT_COMMIT] = "COMMIT",
    [STATEMENT_ROLLBACK] = "ROLLBACK",
    [STATEMENT_PUT_SWEEP] =
        "INSERT INTO sweeps(id" SWEEP_COLUMNS(COLUMN_NAME) ") "
        "VALUES(:id" SWEEP_COLUMNS(PARAMETER) ") "
        "ON CONFLICT(id) DO UPDATE SET id = excluded.id" SWEEP_COLUMNS(OVERWRITE),
    /* rank_key: small is good; what is not finite comes last. No rank without a metric, nor of
     * a run that failed or was cancelled: what it showed is no result. */
    [STATEMENT_PUT_RUN] =
        "INSERT INTO runs(id" RUN_COLUMNS(COLUMN_NAME) ", rank_key) "
        "VALUES(:id" RUN_COLUMNS(PARAMETER) ", CASE WHEN :metric_value IS NULL "
        "OR :status IN ('failed', 'cancelled') THEN NULL "
        "WHEN typeof(:metric_value) <> 'real' OR abs(:metric_value) = 9e999 THEN 9e999 "
        "WHEN (SELECT goal FROM sweeps WHERE id = :sweep_id) = 'maximize' THEN -:metric_value "
        "ELSE :metric_value END) "
        "ON CONFLICT(id) DO UPDATE SET rank_key = excluded.rank_key" RUN_COLUMNS(OVERWRITE),
    [STATEMENT_FIND_RUN] = "SELECT id FROM runs WHERE id = ?",
    [STATEMENT_ADD_POINT] =
        "INSERT INTO curves(run_id, point, epoch" CURVE_COLUMN_MAP(CURVE_NAME) ") "
        "VALUES(?, ?, ?" CURVE_COLUMN_MAP(CURVE_PARAMETER) ") "
        "ON CONFLICT(run_id, point) DO NOTHING",
    [STATEMENT_GET_POINT] =
        "SELECT epoch" CURVE_COLUMN_MAP(CURVE_NAME) " FROM curves WHERE run_id = ? AND point = ?",
    [STATEMENT_PUT_LABEL] =
        "INSERT INTO labels(run_id, pattern, runner_up, confidence, tags, evidence, "
        "classifier_version, created_at, cause, causes, facts, remedy, remedies) "
        "VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) "
        "ON CONFLICT(run_id) DO UPDATE SET pattern = excluded.pattern, "
        "runner_up = excluded.runner_up, confidence = excluded.confidence, tags = excluded.tags, "
        "evidence = excluded.evidence, classifier_version = excluded.classifier_version, "
        "created_at = excluded.created_at, cause = excluded.cause, causes = excluded.causes, "
        "facts = coalesce(excluded.facts, facts), remedy = excluded.remedy, "
        "remedies = excluded.remedies",
    [STATEMENT_ADD_EVENT] =
        "INSERT INTO events(sweep_id, run_id, kind, detail, created_at) "
        "VALUES(COALESCE(?1, (SELECT sweep_id FROM runs WHERE id = ?2)), ?2, ?3, ?4, ?5)",
    [STATEMENT_ADD_FINDING] =
        "INSERT INTO findings(sweep_id, kind, \"row\", \"column\", count, text) "
        "VALUES(?, ?, ?, ?, ?, ?)",
    [STATEMENT_CLEAR_TEST] = "UPDATE runs SET test_loss = NULL, test_acc = NULL WHERE id = ?",
    [STATEMENT_DELETE_SWEEP] = "DELETE FROM sweeps WHERE id = ?",
    [STATEMENT_DELETE_EVENTS] = "DELETE FROM events WHERE sweep_id = ?",
    [STATEMENT_PUT_LAYER] =
        "INSERT OR REPLACE INTO layer_stats(run_id, point, layer, name" LAYER_STAT_MAP(LAYER_NAME)
        ") VALUES(?, ?, ?, ?" LAYER_STAT_MAP(LAYER_PARAMETER) ")",
    [STATEMENT_PUT_CAUSES] =
        "UPDATE labels SET cause = ?2, causes = ?3, remedy = ?4, remedies = ?5 WHERE run_id = ?1",
    [STATEMENT_CLEAR_EDITS] = "DELETE FROM range_edits WHERE sweep_id = ?",
    [STATEMENT_PUT_EDIT] =
        "INSERT INTO range_edits(sweep_id, position, kind, setting, from_value, to_value, runs, "
        "guide_ref, sentence) VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [STATEMENT_ADD_DECISION] =
        "INSERT INTO decisions(sweep_id, run_id, kind, reason, detail, seen_event) "
        "VALUES(?, ?, ?, ?, ?, (SELECT max(id) FROM events))",
    [STATEMENT_RELABEL] =
        "UPDATE labels SET pattern = ?2, runner_up = ?3, confidence = ?4, tags = ?5, "
        "evidence = ?6, classifier_version = ?7, created_at = coalesce(?8, created_at), "
        "cause = ?9, causes = ?10, facts = coalesce(?11, facts), remedy = ?12, remedies = ?13 "
        "WHERE run_id = ?1 AND classifier_version = ?14 AND created_at = ?15",
    [STATEMENT_PUT_OUTCOME] = "UPDATE runs SET cured = ?2 WHERE id = ?1 AND cured IS NOT NULL",
    [STATEMENT_ADD_METRIC] =
        "INSERT INTO metrics(run_id, point, name, value) VALUES(?, ?, ?, ?) "
        "ON CONFLICT(run_id, name, point) DO NOTHING",
    [STATEMENT_GET_METRIC] =
        "SELECT value FROM metrics WHERE run_id = ? AND point = ? AND name = ?",
    [STATEMENT_CLEAR_CURVE] = "DELETE FROM curves WHERE run_id = ?",
    [STATEMENT_CLEAR_METRICS] = "DELETE FROM metrics WHERE run_id = ?",
    [STATEMENT_CLEAR_LAYERS] = "DELETE FROM layer_stats WHERE run_id = ?",
};

/* --- what the files of ops share ------------------------------------------------------------- */

int store_sql_run(sqlite3_stmt *st)
{
    sqlite3_step(st);
    return sqlite3_reset(st);
}

int store_sql_event(struct store_sql *q, const struct event_row *e)
{
    sqlite3_stmt *st = q->statements[STATEMENT_ADD_EVENT];
    bind_count(st, 1, e->sweep_id);
    bind_count(st, 2, e->run_id);
    bind_text(st, 3, e->kind);
    bind_word(st, 4, e->detail);
    bind_time(st, 5, e->created);
    return store_sql_run(st);
}

double store_sql_real(sqlite3_stmt *st, int i)
{
    return sqlite3_column_type(st, i) == SQLITE_TEXT ? NAN : sqlite3_column_double(st, i);
}

int store_sql_begin(struct store_sql *q)
{
    return store_sql_run(q->statements[STATEMENT_BEGIN]);
}

int store_sql_commit(struct store_sql *q)
{
    return store_sql_run(q->statements[STATEMENT_COMMIT]);
}

void store_sql_rollback(struct store_sql *q)
{
    if (!sqlite3_get_autocommit(q->db))
        store_sql_run(q->statements[STATEMENT_ROLLBACK]);
}

bool store_sql_has_moved(sqlite3 *db)
{
    int moved = 0;
    return sqlite3_file_control(db, NULL, SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK && moved;
}

int store_sql_init(struct store_sql *q, struct sqlite3 *db, struct errbuf *err)
{
    *q = (struct store_sql){.db = db};
    for (int i = 0; i < STATEMENT_COUNT; i++) {
        if (sqlite3_prepare_v3(db, statement_sql[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &q->statements[i], NULL) != SQLITE_OK) {
            store_sql_finish(q);
            return err_set(err, ERR_INTERNAL, "statement %d: %s", i, sqlite3_errmsg(db));
        }
    }
    return 0;
}

void store_sql_finish(struct store_sql *q)
{
    for (int i = 0; i < STATEMENT_COUNT; i++)
        sqlite3_finalize(q->statements[i]);
    for (int i = 0; i < STORE_QUERY_COUNT; i++)
        sqlite3_finalize(q->queries[i]);
    *q = (struct store_sql){0};
}

int store_sql_fail(struct store_sql *q, struct errbuf *err)
{
    return err_set(err, ERR_IO, "the database cannot be read: %s", sqlite3_errmsg(q->db));
}

int store_sql_prepare(struct store_sql *q, const char *sql, sqlite3_stmt **out, struct errbuf *err)
{
    return sqlite3_prepare_v2(q->db, sql, -1, out, NULL) == SQLITE_OK ? 0 : store_sql_fail(q, err);
}
