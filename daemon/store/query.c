/* Reading: the named queries and their tables. */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "daemon/store/store.h"
#include "daemon/store/columns.h"
#include "daemon/store/sql.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

/* A reply is paged long before this; it bounds what one query can make the daemon hold. */
#define TABLE_MAX_BYTES (64u << 20)

#define TERMINAL "('completed', 'stopped', 'failed', 'cancelled')"
#define DECISIONS "SELECT d.id, d.run_id, r.number, r.stage, d.kind, d.reason, d.detail AS " \
                  "detail_json, d.seen_event FROM decisions AS d LEFT JOIN runs AS r " \
                  "ON r.id = d.run_id "
#define EVENTS "SELECT id, sweep_id, run_id, kind, detail, created_at FROM events "
/* µs as created_at has them */
/* What a run came to, by name; NULL where its sweep has no several objectives. */
#define OBJECTIVES(run, has) "iif(" has " IS NULL, NULL, (SELECT json_group_object(name, value) " \
                             "FROM run_objectives WHERE run_id = " run ")) AS objectives_json"
#define TIME(us) "strftime('%Y-%m-%d %H:%M:%f', " us " / 1e6, 'unixepoch')"
#define CURVE_NAME(id, column, canonical) ", " #column

static const struct {
    size_t args; /* integers; a text comes behind them */
    const char *sql;
} queries[STORE_QUERY_COUNT] = {
    [STORE_QUERY_SWEEPS] =
        {2, "SELECT * FROM sweep_overview_exact WHERE id > ?1 ORDER BY id LIMIT ?2"},
    [STORE_QUERY_SWEEP] =
        {1, "SELECT o.*, s.spec AS spec_json, "
            "iif(json_valid(s.spec), s.spec ->> '$.picked', NULL) AS picked, s.seed, s.data_hash, "
            "iif(s.data_hash <> '', s.data_samples, NULL) AS data_samples, "
            "iif(s.data_hash <> '', s.data_features, NULL) AS data_features, "
            "iif(s.data_hash <> '', s.data_classes, NULL) AS data_classes, "
            "s.data_task, s.data_target, s.data_notes AS data_notes_json, "
            "s.importances AS importances_json, s.deadline_at, s.fits AS fits_json "
            "FROM sweep_overview_exact AS o JOIN sweeps AS s ON s.id = o.id WHERE o.id = ?1"},
    [STORE_QUERY_SWEEP_STAGES] =
        {1, "SELECT r.stage, count(*) AS runs, "
            "count(*) FILTER (WHERE r.status IN " TERMINAL ") AS done, "
            "(SELECT b.metric_value FROM runs AS b WHERE b.sweep_id = ?1 AND b.stage = r.stage "
            "AND b.rank_key IS NOT NULL ORDER BY b.rank_key, b.number LIMIT 1) AS best "
            "FROM runs AS r WHERE r.sweep_id = ?1 GROUP BY r.stage ORDER BY min(r.number)"},
    [STORE_QUERY_RUNS] =
        {3, "SELECT sweep_id, run_id, number, kind, stage, status, params AS params_json, "
            "metric_value, best_epoch, val_loss, val_acc, epochs_done, epochs, label, confidence, "
            "remedy, reason, stop_reason, error_class, error_text, signal, attempts, parent_id, "
            "handle, learning_rate, batch_size, optimizer, depth, width, activation, seconds, "
            "created_at, started_at, ended_at, test_loss, test_acc, cause, treated_with, "
            "guide_ref, treats_pattern, treats_cause, cured, change, joules, "
            OBJECTIVES("o.run_id", "o.objectives") " FROM run_overview_exact AS o "
            "WHERE sweep_id = ?1 AND number > ?2 ORDER BY number LIMIT ?3"},
    [STORE_QUERY_BEST] =
        {3, "SELECT sweep_id, rank, run_id, val_loss, val_acc, best_epoch, learning_rate, "
            "batch_size, optimizer, depth, label, remedy, epochs, seconds, metric_value, stage, "
            "number, status, test_loss, test_acc, cause, kind, treated_with, parent_id, "
            "params AS params_json, repetitions FROM best_runs_exact "
            "WHERE sweep_id = ?1 AND rank > ?2 "
            "LIMIT ?3"},
    [STORE_QUERY_CONFIGURATIONS] =
        {2, "SELECT sweep_id, rank, run_id, mean, sd, repetitions, failed, runs AS runs_json, "
            "number, kind, stage, learning_rate, batch_size, optimizer, depth, "
            "params AS params_json FROM best_configurations WHERE sweep_id = ?1 "
            "AND repetitions > 1 AND EXISTS (SELECT 1 FROM runs WHERE sweep_id = ?1 "
            "AND kind = 'repeat') ORDER BY rank LIMIT ?2"},
    [STORE_QUERY_FRONT] =
        {2, "SELECT rank, run_id, number, repetitions, failed, objectives AS objectives_json, "
            "kind, stage, params AS params_json FROM pareto_front WHERE sweep_id = ?1 "
            "ORDER BY rank LIMIT ?2"},
    /* The best of the runs that are no worse in any objective, and better in one. */
    [STORE_QUERY_BETTERED] =
        {1, "SELECT r.objectives IS NOT NULL AS judged, (SELECT q.id FROM runs AS q "
            "WHERE r.objectives IS NOT NULL AND q.sweep_id = r.sweep_id "
            "AND q.objectives IS NOT NULL AND q.status = 'completed' "
            "AND q.rank_key <= r.rank_key AND (SELECT max(b.cost > a.cost) = 0 "
            "AND max(b.cost < a.cost) FROM run_objectives AS a JOIN run_objectives AS b "
            "ON b.objective = a.objective WHERE a.run_id = r.id AND b.run_id = q.id) "
            "ORDER BY q.rank_key, q.number LIMIT 1) AS bettered_by FROM runs AS r "
            "WHERE r.id = ?1"},
    [STORE_QUERY_LABEL_COUNTS] = {1, "SELECT * FROM label_counts WHERE sweep_id = ?1"},
    [STORE_QUERY_CAUSE_COUNTS] =
        {1, "SELECT l.cause, l.causes ->> '$[0].guide_ref' AS guide_ref, count(*) AS runs, "
            "min(r.id) AS run_id FROM runs AS r JOIN labels AS l ON l.run_id = r.id "
            "WHERE r.sweep_id = ?1 AND l.cause IS NOT NULL AND l.cause <> 'unknown' "
            "GROUP BY l.cause ORDER BY runs DESC, l.cause"},
    [STORE_QUERY_RUN] =
        {1, "SELECT r.id, r.sweep_id, s.name AS sweep_name, s.metric, s.goal, r.number, "
            "r.kind, r.stage, r.reason, r.status, r.stop_reason, r.parent_id, r.params AS "
            "params_json, r.learning_rate, r.batch_size, r.optimizer, r.depth, r.width, "
            "r.activation, r.settings AS settings_json, r.seed, r.epochs, r.attempts, r.handle, "
            "r.metric_value, " OBJECTIVES("r.id", "r.objectives") ", r.best_epoch, r.val_loss, "
            "r.val_acc, r.test_loss, r.test_acc, "
            "r.rank_key, o.epochs_done, o.label, o.cause, o.confidence, o.remedy, "
            "r.remedy AS treated_with, r.guide_ref, r.treats_pattern, r.treats_cause, r.cured, "
            "r.change, r.error_class, "
            "r.error_text, r.signal, r.stderr_tail, r.core_type, r.blas_version, "
            "r.created_at, r.started_at, r.ended_at, r.seconds, r.joules "
            "FROM runs AS r JOIN sweeps AS s ON s.id = r.sweep_id "
            "JOIN run_overview_exact AS o ON o.run_id = r.id WHERE r.id = ?1"},
    [STORE_QUERY_LABEL] =
        {1, "SELECT l.run_id, l.pattern, p.guide_ref, l.runner_up, l.confidence, l.tags, p.look, "
            "p.says, l.remedy, l.remedies AS remedies_json, p.guide_remedies, p.our_remedies, "
            "nullif(l.cause, 'unknown') AS cause, "
            "coalesce(l.causes, '[]') AS causes_json, l.evidence AS evidence_json, "
            "l.classifier_version, l.created_at FROM labels AS l "
            "JOIN patterns AS p ON p.name = l.pattern WHERE l.run_id = ?1"},
    [STORE_QUERY_CURVE] =
        {3, "SELECT point, epoch" CURVE_COLUMN_MAP(CURVE_NAME) " FROM curves "
            "WHERE run_id = ?1 AND point > ?2 ORDER BY point LIMIT ?3"},
    /* Points are numbered without a gap, and the key of metrics has the name first: of each name
     * the piece of the page is found by itself. */
    [STORE_QUERY_METRICS] =
        {3, "WITH RECURSIVE names(name) AS (SELECT min(name) FROM metrics WHERE run_id = ?1 "
            "UNION ALL SELECT (SELECT min(m.name) FROM metrics AS m WHERE m.run_id = ?1 "
            "AND m.name > n.name) FROM names AS n WHERE n.name IS NOT NULL) "
            "SELECT m.point, m.name, m.value FROM names AS n CROSS JOIN metrics AS m "
            "ON m.run_id = ?1 AND m.name = n.name AND m.point > ?2 AND m.point <= ?2 + ?3 "
            "ORDER BY m.point, m.name"},
    [STORE_QUERY_FINDINGS] =
        {1, "SELECT kind, \"row\", \"column\", count, text FROM findings WHERE id IN "
            "(SELECT min(id) FROM findings WHERE sweep_id = ?1 GROUP BY kind) ORDER BY id"},
    [STORE_QUERY_EVENTS] =
        {4, EVENTS "WHERE sweep_id = ?1 AND id > ?2 AND created_at >= " TIME("?4")
            " ORDER BY id LIMIT ?3"},
    [STORE_QUERY_RUN_EVENTS] =
        {4, EVENTS "WHERE sweep_id = (SELECT sweep_id FROM runs WHERE id = ?1) AND run_id = ?1 "
            "AND id > ?2 AND created_at >= " TIME("?4") " ORDER BY id LIMIT ?3"},
    [STORE_QUERY_ALL_EVENTS] =
        {3, EVENTS "WHERE id > ?1 AND created_at >= " TIME("?3") " ORDER BY id LIMIT ?2"},
    [STORE_QUERY_LAST_SWEEP] = {0, "SELECT max(id) AS id FROM sweeps"},
    [STORE_QUERY_RUN_RATES] =
        {0, "SELECT r.seconds, r.epochs, min(s.data_samples, coalesce(nullif(r.settings ->> "
            "'$.data.limit', 0), s.data_samples)) - coalesce(r.settings ->> '$.data.validation', "
            "0) AS samples, r.flop FROM runs AS r JOIN sweeps AS s ON s.id = r.sweep_id "
            "WHERE r.status = 'completed' AND r.flop IS NOT NULL ORDER BY r.id DESC LIMIT 200"},
    [STORE_QUERY_DECISIONS] =
        {3, DECISIONS "WHERE d.sweep_id = ?1 AND d.id > ?2 ORDER BY d.id LIMIT ?3"},
    [STORE_QUERY_RUN_DECISIONS] =
        {3, DECISIONS "WHERE d.sweep_id = (SELECT sweep_id FROM runs WHERE id = ?1) "
            "AND d.run_id = ?1 AND d.id > ?2 ORDER BY d.id LIMIT ?3"},
    [STORE_QUERY_EDITS] =
        {1, "SELECT kind, setting, from_value AS from_json, to_value AS to_json, runs AS "
            "runs_json, guide_ref, sentence FROM range_edits WHERE sweep_id = ?1 "
            "ORDER BY position"},
    [STORE_QUERY_SWEEP_TREATMENTS] =
        {1, "SELECT * FROM treatments_exact WHERE sweep_id = ?1 ORDER BY number LIMIT 1000"},
    [STORE_QUERY_STOPPING] =
        {1, "SELECT rule, stopped, audited, audited_ended, wrong, best, epochs_saved, "
            "seconds_saved, audit_epochs FROM stopping_audit WHERE sweep_id = ?1 ORDER BY rule"},
    [STORE_QUERY_TREATED] =
        {1, "SELECT r.status, r.epochs, r.settings, r.metric_value, r.remedy, r.treats_cause, "
            "r.change, s.spec, s.data_hash, "
            "s.data_facts, l.pattern, l.cause, b.id AS best_run, b.settings AS best_settings "
            "FROM runs AS r JOIN sweeps AS s ON s.id = r.sweep_id "
            "LEFT JOIN labels AS l ON l.run_id = r.id "
            "LEFT JOIN runs AS b ON b.id = (SELECT id FROM runs WHERE sweep_id = r.sweep_id "
            "AND rank_key IS NOT NULL ORDER BY rank_key, number LIMIT 1) WHERE r.id = ?1"},
    [STORE_QUERY_TREATMENTS] =
        {1, "SELECT * FROM treatments_exact WHERE parent_id = ?1 ORDER BY run_id"},
    [STORE_QUERY_REMEDY_EFFECTS] = {0, "SELECT * FROM remedy_effects"},
    [STORE_QUERY_OPEN_LABELS] =
        {1, "SELECT count(*) AS runs FROM sweeps AS s JOIN runs AS r ON r.sweep_id = s.id "
            "JOIN labels AS l ON l.run_id = r.id WHERE (?1 = 0 OR s.id = ?1) "
            "AND s.status NOT IN ('completed', 'cancelled') AND r.status IN " TERMINAL},
    [STORE_QUERY_UNENDED] =
        {0, "SELECT id AS run_id, handle FROM runs WHERE status = 'cancelled' "
            "AND handle IS NOT NULL"},
    [STORE_QUERY_SUBMITTED] = {0, "SELECT id, spec FROM sweeps WHERE submit_id = ?1"},
};

/* --- tables -------------------------------------------------------------------------------- */

/* A table while it grows: texts are offsets until all is there. */
struct table_builder {
    size_t columns, rows;
    struct buf names; /* offsets into text, size_t each */
    struct buf cells;
    struct buf text;
};

static size_t builder_text(struct table_builder *b, const char *s, size_t len)
{
    size_t at = b->text.len;
    buf_append(&b->text, s, len);
    buf_putc(&b->text, '\0');
    return at;
}

static void builder_names(struct table_builder *b, sqlite3_stmt *st)
{
    b->columns = (size_t)sqlite3_column_count(st);
    for (size_t c = 0; c < b->columns; c++) {
        const char *name = sqlite3_column_name(st, (int)c);
        size_t at = builder_text(b, name, strlen(name));
        buf_append(&b->names, &at, sizeof(at));
    }
}

/* Columns of type ANY hold numbers, and the text 'nan' for one that is none (001_initial.sql). */
static bool is_nan_text(sqlite3_stmt *st, int c)
{
    const char *type = sqlite3_column_decltype(st, c);
    return type && strcmp(type, "ANY") == 0;
}

static void builder_cell(struct table_builder *b, sqlite3_stmt *st, int c)
{
    struct cell cell = {.type = CELL_NULL};

    switch (sqlite3_column_type(st, c)) {
    case SQLITE_INTEGER:
        cell.type = CELL_INTEGER;
        cell.integer = sqlite3_column_int64(st, c);
        cell.real = (double)cell.integer;
        break;
    case SQLITE_FLOAT:
        cell.type = CELL_REAL;
        cell.real = sqlite3_column_double(st, c);
        break;
    case SQLITE_TEXT:
        if (is_nan_text(st, c)) {
            cell.type = CELL_REAL;
            cell.real = NAN;
            break;
        }
        cell.type = CELL_TEXT;
        cell.integer = (int64_t)builder_text(b, (const char *)sqlite3_column_text(st, c),
                                             (size_t)sqlite3_column_bytes(st, c));
        break;
    }
    buf_append(&b->cells, &cell, sizeof(cell));
}

/* One block: the table, its cells, its names, its text. Offsets become pointers. */
static struct table *builder_pack(const struct table_builder *b)
{
    size_t cells_bytes = b->columns * b->rows * sizeof(struct cell);
    size_t names_bytes = b->columns * sizeof(char *);
    struct table *t = xmalloc(sizeof(*t) + cells_bytes + names_bytes + b->text.len);
    char *text = (char *)(t + 1) + cells_bytes + names_bytes;

    t->columns = b->columns;
    t->rows = b->rows;
    t->cells = (struct cell *)(t + 1);
    t->names = (const char **)(void *)((char *)(t + 1) + cells_bytes);
    if (cells_bytes > 0)
        memcpy(t->cells, b->cells.data, cells_bytes);
    if (b->text.len > 0)
        memcpy(text, b->text.data, b->text.len);
    for (size_t c = 0; c < t->columns; c++) {
        size_t at;
        memcpy(&at, b->names.data + c * sizeof(at), sizeof(at));
        t->names[c] = text + at;
    }
    for (size_t i = 0; i < t->columns * t->rows; i++) {
        if (t->cells[i].type == CELL_TEXT) {
            t->cells[i].text = text + t->cells[i].integer;
            t->cells[i].integer = 0;
        }
    }
    return t;
}

static int prepare(struct store_sql *q, enum store_query_id id, sqlite3_stmt **out,
                   struct errbuf *err)
{
    if (!q->queries[id] && sqlite3_prepare_v3(q->db, queries[id].sql, -1,
                                              SQLITE_PREPARE_PERSISTENT, &q->queries[id], NULL))
        return err_set(err, ERR_INTERNAL, "query %d: %s", (int)id, sqlite3_errmsg(q->db));
    *out = q->queries[id];
    return 0;
}

int store_sql_query(struct store_sql *q, const struct store_named_query *named, struct table **out,
                    struct errbuf *err)
{
    struct table_builder b = {0};
    sqlite3_stmt *st = NULL;
    int rc, code;

    REQUIRE(named->id < STORE_QUERY_COUNT && named->count == queries[named->id].args);
    if ((code = prepare(q, named->id, &st, err)) < 0)
        return code;
    for (size_t i = 0; i < named->count; i++)
        sqlite3_bind_int64(st, (int)i + 1, named->args[i]);
    if (named->text)
        sqlite3_bind_text(st, (int)named->count + 1, named->text, -1, SQLITE_STATIC);
    builder_names(&b, st);
    while ((rc = sqlite3_step(st)) == SQLITE_ROW &&
           b.text.len + b.cells.len <= TABLE_MAX_BYTES) {
        for (size_t c = 0; c < b.columns; c++)
            builder_cell(&b, st, (int)c);
        b.rows++;
    }
    if (rc == SQLITE_DONE)
        *out = builder_pack(&b);
    else if (rc == SQLITE_ROW)
        code = err_set(err, ERR_LIMIT, "the answer is larger than %u bytes", TABLE_MAX_BYTES);
    else
        code = err_set(err, ERR_IO, "the database cannot be read: %s", sqlite3_errmsg(q->db));
    sqlite3_reset(st); /* ends the read transaction: a checkpoint may pass */
    if (named->text)
        sqlite3_bind_null(st, (int)named->count + 1); /* the text is the caller's */
    buf_finish(&b.names);
    buf_finish(&b.cells);
    buf_finish(&b.text);
    return code;
}

const struct cell *table_cell(const struct table *t, size_t row, const char *column)
{
    REQUIRE(row < t->rows);
    for (size_t c = 0; c < t->columns; c++) {
        if (strcmp(t->names[c], column) == 0)
            return &t->cells[row * t->columns + c];
    }
    REQUIRE(!"a column of that name");
    return NULL;
}

double table_number(const struct table *t, size_t row, const char *column)
{
    const struct cell *c = table_cell(t, row, column);
    return c->type == CELL_INTEGER || c->type == CELL_REAL ? c->real : 0;
}

const char *table_text(const struct table *t, size_t row, const char *column, const char *without)
{
    const struct cell *c = table_cell(t, row, column);
    return c->type == CELL_TEXT ? c->text : without;
}

static void cell_write(const struct cell *cell, bool is_json, struct json_writer *w)
{
    switch (cell->type) {
    case CELL_NULL:
        jw_null(w);
        break;
    case CELL_INTEGER:
        jw_int(w, cell->integer);
        break;
    case CELL_REAL:
        jw_real(w, cell->real);
        break;
    case CELL_TEXT:
        if (is_json)
            jw_raw(w, cell->text);
        else
            jw_string(w, cell->text);
        break;
    }
}

void table_row_write(const struct table *t, size_t row, struct json_writer *w)
{
    static const char suffix[] = "_json";

    REQUIRE(row < t->rows);
    jw_begin_object(w);
    for (size_t c = 0; c < t->columns; c++) {
        char key[64];
        str_copy(key, sizeof(key), t->names[c]);
        size_t len = strlen(key), cut = sizeof(suffix) - 1;
        bool is_json = len > cut && strcmp(key + len - cut, suffix) == 0;
        if (is_json)
            key[len - cut] = '\0';
        jw_key(w, key);
        cell_write(&t->cells[row * t->columns + c], is_json, w);
    }
    jw_end_object(w);
}
