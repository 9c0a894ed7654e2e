/* Statements of the store: rows in and out of SQLite. The writer's and the reader's, each with a
 * connection of its own; store_sql_restore runs on the loop before they exist. Functions that
 * return an SQLite result code say so; no other file needs one. */
#ifndef SWEEPD_STORE_SQL_H
#define SWEEPD_STORE_SQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "daemon/engine/rows.h"
#include "daemon/store/store.h"
#include "daemon/store/time.h"

struct sqlite3;
struct sqlite3_stmt;

enum store_statement {
    STATEMENT_BEGIN,
    STATEMENT_COMMIT,
    STATEMENT_ROLLBACK,
    STATEMENT_PUT_SWEEP,
    STATEMENT_PUT_RUN,
    STATEMENT_FIND_RUN,
    STATEMENT_ADD_POINT,
    STATEMENT_GET_POINT,
    STATEMENT_PUT_LABEL,
    STATEMENT_ADD_EVENT,
    STATEMENT_ADD_FINDING,
    STATEMENT_CLEAR_TEST,
    STATEMENT_DELETE_SWEEP,
    STATEMENT_DELETE_EVENTS,
    STATEMENT_PUT_LAYER,
    STATEMENT_PUT_CAUSES,
    STATEMENT_CLEAR_EDITS,
    STATEMENT_PUT_EDIT,
    STATEMENT_ADD_DECISION,
    STATEMENT_RELABEL,
    STATEMENT_PUT_OUTCOME,
    STATEMENT_ADD_METRIC,
    STATEMENT_GET_METRIC,
    STATEMENT_CLEAR_CURVE,
    STATEMENT_CLEAR_METRICS,
    STATEMENT_CLEAR_LAYERS,
    STATEMENT_COUNT
};

struct store_sql {
    struct sqlite3 *db;                                /* borrowed */
    struct sqlite3_stmt *statements[STATEMENT_COUNT];
    struct sqlite3_stmt *queries[STORE_QUERY_COUNT];   /* prepared at first use */
};

/* 0 or ERR_INTERNAL. */
int store_sql_init(struct store_sql *q, struct sqlite3 *db, struct errbuf *err);
void store_sql_finish(struct store_sql *q);

/* SQLite result codes. rollback is harmless where SQLite has rolled back already. */
int store_sql_begin(struct store_sql *q);
int store_sql_commit(struct store_sql *q);
void store_sql_rollback(struct store_sql *q);
/* Executes one op; SQLite result code. An op that the schema will never accept (a point of a run
 * that was deleted) is logged, becomes an event "refused" and counts as done: to try it again
 * for ever would stop everything behind it. */
int store_sql_apply(struct store_sql *q, const struct store_op *op);

/* What is written to a file without its name is lost with the daemon: that is not durable. */
#define STORE_MOVED "was moved, deleted or replaced (put it back)"
bool store_sql_has_moved(struct sqlite3 *db);

/* For files that hold an op of their own; SQLite result codes. A statement to its end, and ready
 * for the next time; a row of events; a REAL column, where text is 'nan'. */
int store_sql_run(struct sqlite3_stmt *st);
int store_sql_event(struct store_sql *q, const struct event_row *e);
double store_sql_real(struct sqlite3_stmt *st, int column);

/* Fills all of *out, or nothing: ERR_IO, ERR_DATA (a row that makes no sense). */
int store_sql_restore(struct sqlite3 *db, struct store_restored *out, struct errbuf *err);
/* Of one sweep, whatever its state, in a transaction of its own; no rows where there is none. */
int store_sql_restore_ended(struct sqlite3 *db, int64_t sweep_id, struct store_restored *out,
                            struct errbuf *err);

/* The same in the transaction that is under way. */
int store_sql_restore_sweep(struct sqlite3 *db, int64_t sweep_id, struct store_restored *out,
                            struct errbuf *err);

/* Runs a named query. The table is one allocation: free(). 0, ERR_INTERNAL, ERR_LIMIT. */
int store_sql_query(struct store_sql *q, const struct store_named_query *named, struct table **out,
                    struct errbuf *err);

/* ERR_IO with SQLite's message. */
int store_sql_fail(struct store_sql *q, struct errbuf *err);
int store_sql_prepare(struct store_sql *q, const char *sql, struct sqlite3_stmt **out,
                   struct errbuf *err);

#endif
