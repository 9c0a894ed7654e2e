#include "daemon/store/views.h"

#include <stdbool.h>

#include <sqlite3.h>

#include "schema/schema.h"

/* Runs the one statement that text holds. */
static int run_statement(sqlite3 *db, const char *text)
{
    sqlite3_stmt *st = NULL;
    int rc = text ? sqlite3_prepare_v2(db, text, -1, &st, NULL) : SQLITE_NOMEM;

    if (rc == SQLITE_OK) {
        sqlite3_step(st);
        rc = sqlite3_finalize(st);
    }
    return rc;
}

/* Runs each statement that the query's rows hold in their first column. */
static int run_rows(sqlite3 *db, const char *query)
{
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, query, -1, &st, NULL), step = SQLITE_DONE;

    while (rc == SQLITE_OK && (step = sqlite3_step(st)) == SQLITE_ROW)
        rc = run_statement(db, (const char *)sqlite3_column_text(st, 0));
    int end = sqlite3_finalize(st);
    return rc == SQLITE_OK ? end : rc;
}

int views_set_aside(sqlite3 *db)
{
    int rc = sqlite3_exec(db,
                          "CREATE TEMP TABLE set_aside AS "
                          "SELECT name, sql FROM main.sqlite_schema WHERE type = 'view'",
                          NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = run_rows(db, "SELECT printf('DROP VIEW main.\"%w\"', name) FROM temp.set_aside");
    return rc;
}

int views_put_back(sqlite3 *db)
{
    int rc = run_rows(db, "SELECT sql FROM temp.set_aside");
    if (rc == SQLITE_OK)
        rc = sqlite3_exec(db, "DROP TABLE temp.set_aside", NULL, NULL, NULL);
    return rc;
}

/* Whether the database has that view, to the byte. */
static int find_view(sqlite3 *db, const char *name, const char *text, bool *found)
{
    static const char sql[] = "SELECT 1 FROM main.sqlite_schema "
                              "WHERE type = 'view' AND name = ?1 AND sql = ?2";
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL);

    if (rc != SQLITE_OK)
        return rc;
    sqlite3_bind_text(st, 1, name, -1, SQLITE_STATIC);
    sqlite3_bind_text(st, 2, text, -1, SQLITE_STATIC);
    *found = sqlite3_step(st) == SQLITE_ROW;
    return sqlite3_finalize(st);
}

static int renew_view(sqlite3 *db, const char *name, const char *text)
{
    bool found = false;
    int rc = find_view(db, name, text, &found);

    if (rc != SQLITE_OK || found)
        return rc;
    char *drop = sqlite3_mprintf("DROP VIEW IF EXISTS main.\"%w\"", name);
    rc = run_statement(db, drop);
    sqlite3_free(drop);
    return rc == SQLITE_OK ? run_statement(db, text) : rc;
}

/* The texts come out of a database in memory, in SQLite's own form of them: a view may be made
 * before the tables that it reads. */
int views_renew(sqlite3 *db)
{
    static const char every[] = "SELECT name, sql FROM sqlite_schema ORDER BY rowid";
    sqlite3 *ours = NULL;
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_open(":memory:", &ours);

    if (rc == SQLITE_OK)
        rc = sqlite3_exec(ours, schema_views, NULL, NULL, NULL);
    if (rc == SQLITE_OK)
        rc = sqlite3_prepare_v2(ours, every, -1, &st, NULL);
    while (rc == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        rc = renew_view(db, (const char *)sqlite3_column_text(st, 0),
                        (const char *)sqlite3_column_text(st, 1));
    sqlite3_finalize(st);
    sqlite3_close(ours);
    return rc;
}
