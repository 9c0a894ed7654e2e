#include "daemon/store/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "daemon/store/copy.h"
#include "daemon/store/private.h"
#include "daemon/store/views.h"
#include "schema/schema.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#define LOG_MODULE "store"
#include "sweep/log.h"
#include "sweep/paths.h"
#include "sweep/pattern.h"
#include "sweep/require.h"

/* While opening, somebody's sqlite3 may be recovering the WAL of a daemon that was killed. */
#define OPEN_BUSY_TIMEOUT_MS 10000

/* --- the database -------------------------------------------------------------------------- */

static int sql_error(const char *path, sqlite3 *db, struct errbuf *err)
{
    int rc = sqlite3_errcode(db) & 0xff;
    if (!sql_is_damage(rc))
        return err_set(err, ERR_IO, "%s: %s", path, sqlite3_errmsg(db));
    char *why = xasprintf("%s (nothing was changed)",
                          rc == SQLITE_NOTADB ? "it is not a database" : sqlite3_errmsg(db));
    char *text = damage_text(path, why);
    int code = err_set(err, ERR_DATA, "%s", text);
    free(text);
    free(why);
    return code;
}

/* First column of the first row of a query, as a number. */
static int query_number(const char *path, sqlite3 *db, const char *sql, int64_t *out,
                        struct errbuf *err)
{
    sqlite3_stmt *st = NULL;
    int code = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) != SQLITE_OK || sqlite3_step(st) != SQLITE_ROW)
        code = sql_error(path, db, err);
    else
        *out = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return code;
}

/* Is it ours, or empty? Reads only. *version: its user_version. */
static int check_identity(const char *path, sqlite3 *db, int64_t *version, struct errbuf *err)
{
    int64_t application = 0, objects = 0, newest = (int64_t)schema_migration_count;
    int code;

    if ((code = query_number(path, db, "PRAGMA application_id", &application, err)) < 0 ||
        (code = query_number(path, db, "PRAGMA user_version", version, err)) < 0 ||
        (code = query_number(path, db, "SELECT count(*) FROM sqlite_schema", &objects, err)) < 0)
        return code;
    bool empty = application == 0 && objects == 0 && *version == 0;
    if (application != SCHEMA_APPLICATION_ID && !empty)
        return err_set(err, ERR_DATA,
                       "%s is the database of another program (application_id 0x%08llx); "
                       "choose another file with --db or SWEEPD_DB",
                       path, (unsigned long long)application & 0xffffffffULL);
    if (*version > newest)
        return err_set(err, ERR_DATA,
                       "%s was written by a newer sweepd (schema %lld, this one knows up to %lld)",
                       path, (long long)*version, (long long)newest);
    return 0;
}

static int execute(const char *path, sqlite3 *db, const char *sql, struct errbuf *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : sql_error(path, db, err);
}

/* The statements of a migration. Those that know nothing of views find none in their way. */
static int apply(const char *path, sqlite3 *db, const struct schema_migration *m,
                 struct errbuf *err)
{
    bool aside = m->version > SCHEMA_LAST_WITH_VIEWS;
    int code;

    if (aside && views_set_aside(db) != SQLITE_OK)
        return sql_error(path, db, err);
    if ((code = execute(path, db, m->sql, err)) < 0)
        return code;
    if (aside && views_put_back(db) != SQLITE_OK)
        return sql_error(path, db, err);
    return 0;
}

/* One migration, wholly or not at all. */
static int migrate_step(const char *path, sqlite3 *db, const struct schema_migration *m,
                        struct errbuf *err)
{
    char mark[96];
    int code;

    snprintf(mark, sizeof(mark), "PRAGMA application_id=%d; PRAGMA user_version=%d",
             SCHEMA_APPLICATION_ID, m->version);
    if ((code = execute(path, db, "BEGIN IMMEDIATE", err)) < 0)
        return code;
    if ((code = apply(path, db, m, err)) < 0 || (code = execute(path, db, mark, err)) < 0 ||
        (code = execute(path, db, "COMMIT", err)) < 0) {
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
        return code;
    }
    return 0;
}

/* Text or NULL where there is none. */
static void bind_or_null(sqlite3_stmt *st, int index, const char *text)
{
    sqlite3_bind_text(st, index, text && text[0] ? text : NULL, -1, SQLITE_STATIC);
}

/* Each column of `patterns` and its text in struct pattern_info. */
#define PATTERN_COLUMNS(X)                                                                        \
    X(guide_ref) X(look) X(says) X(guide_remedies) X(our_remedies) X(look_zh) X(says_zh)          \
    X(guide_remedies_zh) X(our_remedies_zh)

/* Table `patterns` follows pattern.h; rows that are right already are not written again. */
static int fill_patterns(const char *path, sqlite3 *db, struct errbuf *err)
{
#define NAME(column) ", " #column
#define PARAMETER(column) ", :" #column
#define SET(column) ", " #column " = excluded." #column
#define DIFFERS(column) " OR " #column " IS NOT excluded." #column
    static const char sql[] =
        "INSERT INTO patterns(name, position" PATTERN_COLUMNS(NAME) ") "
        "VALUES(:name, :position" PATTERN_COLUMNS(PARAMETER) ") "
        "ON CONFLICT(name) DO UPDATE SET position = excluded.position" PATTERN_COLUMNS(SET)
        " WHERE position <> excluded.position" PATTERN_COLUMNS(DIFFERS);
    sqlite3_stmt *st = NULL;
    int rc = sqlite3_prepare_v2(db, sql, -1, &st, NULL), code = 0;

    for (int p = 0; p < PATTERN_COUNT && rc == SQLITE_OK; p++) {
        const struct pattern_info *info = pattern_info((enum pattern)p);
        int at = 3;
        bind_or_null(st, 1, info->name);
        sqlite3_bind_int(st, 2, p + 1);
#define X(column) bind_or_null(st, at++, info->column);
        PATTERN_COLUMNS(X)
#undef X
        sqlite3_step(st);
        rc = sqlite3_reset(st);
    }
    if (rc != SQLITE_OK)
        code = sql_error(path, db, err);
    sqlite3_finalize(st);
    return code;
}

/* What a defect of a migration would ruin. A new database has nothing to lose. */
static int keep_copy(const char *path, sqlite3 *db, int64_t version, struct errbuf *err)
{
    struct errbuf why;
    char *file = xasprintf("%s.schema-%lld", path, (long long)version);
    int code = store_copy(&(struct store_copy){.from = db, .file = file, .replace = true}, &why);

    if (code == 0)
        log_info("schema %lld becomes %zu; the database as it was: %s", (long long)version,
                 schema_migration_count, file);
    else
        err_set(err, code, "no copy could be made before the migration, so nothing was changed: %s",
                why.message);
    free(file);
    return code;
}

static int migrate(const char *path, sqlite3 *db, int64_t version, struct errbuf *err)
{
    int code = 0;

    if (version > 0 && version < (int64_t)schema_migration_count)
        code = keep_copy(path, db, version, err);

    for (size_t i = (size_t)version; i < schema_migration_count && code == 0; i++)
        code = migrate_step(path, db, &schema_migrations[i], err);
    /* Also where nothing is new: the write transaction takes the WAL's recovery upon us, before
     * anybody else reads. */
    if (code == 0)
        code = execute(path, db, "BEGIN IMMEDIATE", err);
    if (code == 0 && views_renew(db) != SQLITE_OK)
        code = sql_error(path, db, err);
    if (code == 0)
        code = fill_patterns(path, db, err);
    if (code == 0)
        code = execute(path, db, "COMMIT", err);
    if (code < 0)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

/* SQLite gives the WAL the mode of the database file, so that one comes first. The descriptor is
 * closed before SQLite opens the file: a later close would drop SQLite's locks. */
static int make_file(const char *path, struct errbuf *err)
{
    bool is_new = access(path, F_OK) < 0;
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    close(fd);
    return is_new ? paths_sync_parent(path, err) : 0;
}

static int configure(const char *path, sqlite3 *db, struct errbuf *err)
{
    /* journal_mode: the WAL file is cut back to 64 MiB whenever it starts anew. cache_size: KiB;
     * the daemon idles in 15 MiB. */
    int code = execute(path, db,
                       "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                       "PRAGMA journal_size_limit=67108864; PRAGMA cache_size=-2048;"
                       "PRAGMA temp_store=MEMORY",
                       err);
    if (code < 0)
        return code;
    /* Closing must not checkpoint and delete the WAL: it would lock readers out for a moment. */
    sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (chmod(path, 0600) < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    return 0;
}

int store_database_open(const char *path, struct sqlite3 **out, struct errbuf *err)
{
    sqlite3 *db = NULL;
    int64_t version = 0;
    int code;

    if ((code = make_file(path, err)) < 0)
        return code;
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        code = sql_error(path, db, err);
        goto fail;
    }
    sqlite3_busy_timeout(db, OPEN_BUSY_TIMEOUT_MS);
    if ((code = check_identity(path, db, &version, err)) < 0 ||
        (code = configure(path, db, err)) < 0 || (code = migrate(path, db, version, err)) < 0 ||
        (code = execute(path, db, "PRAGMA foreign_keys=ON", err)) < 0)
        goto fail;
    *out = db;
    return 0;
fail:
    sqlite3_close(db);
    return code;
}
