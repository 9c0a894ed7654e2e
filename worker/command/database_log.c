#include "worker/command/database_log.h"

#include <fcntl.h>
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/json.h"
#include "sweep/require.h"

#define ROWS_MAX 4000000       /* metrics; a log takes a million rows of some columns */
#define VALUE_BYTES (16 << 20) /* of one text or blob */
#define KEYS_BYTES (256 << 10) /* of one line: each is looked for in it */
#define BUSY_MS 5000
#define STEPS_A_CALL 100000    /* of SQLite's machine, between two looks at … */
#define CALLS_MAX 100000       /* … how many there were: minutes */
#define VERSIONS_AT 18         /* in a database's header: 2 2 where it has a write-ahead log */

struct database {
    sqlite3 *db;
    const char *path;
    FILE *out;
    long calls;
    struct buf line;
    struct errbuf *err;
};

/* --- open ----------------------------------------------------------------------------------- */

static int refuse(struct database *d, const char *doing)
{
    int code = sqlite3_errcode(d->db);
    return err_set(d->err, code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? ERR_DATA : ERR_IO,
                   "%s: %s: %s", d->path, doing, sqlite3_errmsg(d->db));
}

static int too_long(void *context)
{
    struct database *d = context;
    return ++d->calls > CALLS_MAX;
}

/* A write-ahead log without its files beside it needs none made: nobody writes. */
static bool is_at_rest(const char *path)
{
    unsigned char versions[2] = {0};
    struct stat wal;
    char *name = xasprintf("%s-wal", path);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    bool read = fd >= 0 && pread(fd, versions, 2, VERSIONS_AT) == 2;
    bool beside = stat(name, &wal) == 0 && wal.st_size > 0;
    if (fd >= 0)
        close(fd);
    free(name);
    return read && versions[0] == 2 && versions[1] == 2 && !beside;
}

static char *uri_of(const char *path)
{
    struct buf uri = {0};
    buf_puts(&uri, "file:");
    if (path[0] == '/')
        buf_puts(&uri, "//");
    for (const char *p = path; *p; p++)
        if (strchr("%?# ", *p))
            buf_printf(&uri, "%%%02X", (unsigned char)*p);
        else
            buf_putc(&uri, *p);
    buf_puts(&uri, is_at_rest(path) ? "?mode=ro&immutable=1" : "?mode=ro");
    return buf_take(&uri);
}

/* The schema is a stranger's: no functions of its views and triggers run, nothing is written. */
static int open_database(struct database *d)
{
    char *uri = uri_of(d->path);
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(uri, &d->db, flags, NULL);
    free(uri);
    if (rc != SQLITE_OK)
        return refuse(d, "cannot be opened");
    sqlite3_busy_timeout(d->db, BUSY_MS);
    sqlite3_limit(d->db, SQLITE_LIMIT_LENGTH, VALUE_BYTES);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    sqlite3_db_config(d->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
    sqlite3_progress_handler(d->db, STEPS_A_CALL, too_long, d);
    if (sqlite3_exec(d->db, "PRAGMA cell_size_check = ON", NULL, NULL, NULL) != SQLITE_OK)
        return refuse(d, "cannot be read");
    return 0;
}

static int prepare(struct database *d, const char *sql, sqlite3_stmt **out)
{
    return sqlite3_prepare_v2(d->db, sql, -1, out, NULL) == SQLITE_OK ? 0
                                                                      : refuse(d, "cannot be read");
}

/* Does the real table have all these columns ("a b c")? -1: an error. */
static int has_columns(struct database *d, const char *table, const char *columns)
{
    sqlite3_stmt *stmt = NULL;
    size_t found = 0, wanted = 1;
    for (const char *p = columns; *p; p++)
        wanted += *p == ' ';
    int rc = prepare(d, "SELECT count(*) FROM sqlite_schema AS s, pragma_table_info(s.name) AS c "
                        "WHERE s.type = 'table' AND s.name = ?1 AND "
                        "' ' || ?2 || ' ' LIKE '% ' || c.name || ' %'", &stmt);
    if (rc == 0) {
        sqlite3_bind_text(stmt, 1, table, -1, SQLITE_STATIC);
        sqlite3_bind_text(stmt, 2, columns, -1, SQLITE_STATIC);
        if (sqlite3_step(stmt) == SQLITE_ROW)
            found = (size_t)sqlite3_column_int64(stmt, 0);
        else
            rc = refuse(d, "cannot be read");
    }
    sqlite3_finalize(stmt);
    return rc != 0 ? -1 : found == wanted;
}

/* --- lines ---------------------------------------------------------------------------------- */

static const char *text_at(sqlite3_stmt *stmt, int column)
{
    const unsigned char *text = sqlite3_column_text(stmt, column);
    return text ? (const char *)text : "";
}

static int write_line(struct database *d)
{
    buf_putc(&d->line, '\n');
    bool whole = fwrite(d->line.data, 1, d->line.len, d->out) == d->line.len;
    buf_clear(&d->line);
    return whole ? 0 : err_set(d->err, ERR_IO, "stdout: cannot be written");
}

static int rows_ended(struct database *d, int step, size_t rows)
{
    if (step == SQLITE_INTERRUPT)
        return err_set(d->err, ERR_LIMIT, "%s: reading it takes too long", d->path);
    if (step != SQLITE_DONE && step != SQLITE_ROW)
        return refuse(d, "cannot be read");
    if (rows > ROWS_MAX)
        return err_set(d->err, ERR_LIMIT, "%s: more than %d measurements", d->path, ROWS_MAX);
    return 0;
}

/* --- MLflow --------------------------------------------------------------------------------- */

/* The names of runs need not differ; deleted ones are no longer its user's. A run's lines come
 * together, in order of steps. */
static const char mlflow_sql[] =
    "SELECT CASE WHEN r.name IS NULL OR r.name = '' THEN m.run_uuid "
    "  WHEN (SELECT count(*) FROM runs AS o WHERE o.name = r.name AND "
    "        coalesce(o.lifecycle_stage, '') <> 'deleted') > 1 "
    "  THEN r.name || ' ' || substr(m.run_uuid, 1, 8) ELSE r.name END, "
    " m.step, m.key, CASE WHEN m.is_nan THEN NULL ELSE m.value END, m.run_uuid "
    "FROM metrics AS m LEFT JOIN runs AS r ON r.run_uuid = m.run_uuid "
    "WHERE coalesce(r.lifecycle_stage, '') <> 'deleted' "
    "ORDER BY r.start_time, m.run_uuid, m.step, m.timestamp, m.key";

struct mlflow_row {
    struct json_writer w;
    char run[64];   /* its id */
    int64_t step;
    struct buf keys; /* of the line so far, each with a NUL behind it */
    bool begun;
};

static bool has_key(const struct buf *keys, const char *key)
{
    for (size_t at = 0; at < keys->len; at += strlen(keys->data + at) + 1)
        if (strcmp(keys->data + at, key) == 0)
            return true;
    return false;
}

static int end_row(struct database *d, struct mlflow_row *row)
{
    if (!row->begun)
        return 0;
    row->begun = false;
    buf_clear(&row->keys);
    jw_end_object(&row->w);
    return write_line(d);
}

static void begin_row(struct database *d, struct mlflow_row *row, sqlite3_stmt *stmt)
{
    str_copy(row->run, sizeof(row->run), text_at(stmt, 4));
    row->step = sqlite3_column_int64(stmt, 1);
    row->begun = true;
    jw_init(&row->w, &d->line);
    jw_begin_object(&row->w);
    jw_kv_string(&row->w, "run", text_at(stmt, 0));
    jw_kv_int(&row->w, "step", row->step);
}

/* MLflow stores infinity as the largest number there is. */
static double mlflow_value(sqlite3_stmt *stmt)
{
    if (sqlite3_column_type(stmt, 3) == SQLITE_NULL)
        return NAN;
    double value = sqlite3_column_double(stmt, 3);
    return fabs(value) >= DBL_MAX ? copysign(INFINITY, value) : value;
}

static int read_mlflow(struct database *d)
{
    struct mlflow_row row = {0};
    sqlite3_stmt *stmt = NULL;
    size_t rows = 0;
    int step = SQLITE_DONE, rc = prepare(d, mlflow_sql, &stmt);
    while (rc == 0 && rows <= ROWS_MAX && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        const char *key = text_at(stmt, 2);
        char run[sizeof(row.run)];
        str_copy(run, sizeof(run), text_at(stmt, 4));
        if (row.begun && (strcmp(run, row.run) != 0 ||
                          row.step != sqlite3_column_int64(stmt, 1) ||
                          row.keys.len > KEYS_BYTES || has_key(&row.keys, key)))
            rc = end_row(d, &row);
        if (!row.begun)
            begin_row(d, &row, stmt);
        buf_append(&row.keys, key, strlen(key) + 1);
        jw_kv_real(&row.w, key, mlflow_value(stmt));
        rows++;
    }
    rc = rc == 0 ? rows_ended(d, step, rows) : rc;
    rc = rc == 0 ? end_row(d, &row) : rc;
    sqlite3_finalize(stmt);
    buf_finish(&row.keys);
    return rc;
}

/* --- Trackio -------------------------------------------------------------------------------- */

/* An object of its own per step; it is JSON as Python writes it, and so read by who reads this. */
static int read_trackio(struct database *d)
{
    struct json_writer w;
    sqlite3_stmt *stmt = NULL;
    size_t rows = 0;
    int step = SQLITE_DONE;
    int rc = prepare(d, "SELECT run_name, step, metrics FROM metrics ORDER BY id", &stmt);
    while (rc == 0 && rows <= ROWS_MAX && (step = sqlite3_step(stmt)) == SQLITE_ROW) {
        struct buf metrics = {0};
        buf_puts(&metrics, text_at(stmt, 2));
        for (size_t i = 0; i < metrics.len; i++)
            if ((unsigned char)metrics.data[i] < ' ')
                metrics.data[i] = ' ';
        jw_init(&w, &d->line);
        jw_begin_object(&w);
        jw_kv_string(&w, "run", text_at(stmt, 0));
        jw_kv_int(&w, "step", sqlite3_column_int64(stmt, 1));
        jw_kv_raw(&w, "metrics", metrics.len ? metrics.data : "{}");
        jw_end_object(&w);
        buf_finish(&metrics);
        rc = write_line(d);
        rows++;
    }
    rc = rc == 0 ? rows_ended(d, step, rows) : rc;
    sqlite3_finalize(stmt);
    return rc;
}

/* --- which ---------------------------------------------------------------------------------- */

static const struct {
    const char *columns; /* of the table "metrics" */
    int (*read)(struct database *d);
} readers[] = {
    {"run_uuid key value step timestamp is_nan", read_mlflow},
    {"id run_name step metrics", read_trackio},
};

static int read_database(struct database *d)
{
    for (size_t i = 0; i < ARRAY_LEN(readers); i++) {
        int has = has_columns(d, "metrics", readers[i].columns);
        if (has < 0)
            return d->err->code;
        if (has)
            return readers[i].read(d);
    }
    if (has_columns(d, "sweeps", "id") == 1 && has_columns(d, "runs", "id") == 1)
        return err_set(d->err, ERR_DATA, "%s: this is sweepd's own database; its runs are shown by "
                       "sweepctl curve RUN", d->path);
    return err_set(d->err, ERR_DATA, "%s: an SQLite database, but not MLflow's or Trackio's: it "
                   "has no table \"metrics\" as they write it", d->path);
}

int database_log(const char *path, FILE *out, struct errbuf *err)
{
    struct errbuf local;
    struct database d = {.path = path, .out = out, .err = err ? err : &local};
    int rc = open_database(&d);
    if (rc == 0)
        rc = read_database(&d);
    if (rc == 0 && fflush(out) != 0)
        rc = err_set(d.err, ERR_IO, "stdout: cannot be written");
    sqlite3_close(d.db);
    buf_finish(&d.line);
    return rc;
}
