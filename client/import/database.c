#include "client/import/database.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "sweep/buf.h"
#include "sweep/err.h"

#define VALUE_BYTES (16 << 20)
#define COLUMNS_MAX 16
#define ROWS_MAX 20000000
#define BUSY_MS 5000
#define STEPS_A_CALL 100000 /* of SQLite's machine, between two looks at … */
#define CALLS_MAX 200000    /* … how many there were: minutes */
#define VERSIONS_AT 18      /* in a database's header: 2 2 where it has a write-ahead log */

struct foreign_database {
    sqlite3 *db;
    char *path;
    long calls;
};

static int refuse(struct foreign_database *d, struct errbuf *err)
{
    int code = sqlite3_errcode(d->db);
    if (code == SQLITE_INTERRUPT)
        return err_set(err, ERR_LIMIT, "%s: reading it takes too long", d->path);
    bool busy = code == SQLITE_BUSY || code == SQLITE_CANTOPEN;
    return err_set(err, busy ? ERR_IO : ERR_DATA, "%s: %s", d->path, sqlite3_errmsg(d->db));
}

static int too_long(void *context)
{
    struct foreign_database *d = context;
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
    buf_puts(&uri, path[0] == '/' ? "file://" : "file:");
    for (const char *p = path; *p != '\0'; p++) {
        if (strchr("%?# ", *p) != NULL)
            buf_printf(&uri, "%%%02X", (unsigned)(unsigned char)*p);
        else
            buf_putc(&uri, *p);
    }
    buf_puts(&uri, is_at_rest(path) ? "?mode=ro&immutable=1" : "?mode=ro");
    return buf_take(&uri);
}

struct foreign_database *foreign_database_open(const char *path, struct errbuf *err)
{
    struct foreign_database *d = xcalloc(1, sizeof *d);
    char *uri = uri_of(path);
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX;
    d->path = xstrdup(path);
    int rc = sqlite3_open_v2(uri, &d->db, flags, NULL);
    free(uri);
    if (rc == SQLITE_OK) {
        sqlite3_busy_timeout(d->db, BUSY_MS);
        sqlite3_limit(d->db, SQLITE_LIMIT_LENGTH, VALUE_BYTES);
        sqlite3_db_config(d->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
        sqlite3_db_config(d->db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, NULL);
        sqlite3_progress_handler(d->db, STEPS_A_CALL, too_long, d);
        rc = sqlite3_exec(d->db, "PRAGMA cell_size_check = ON; PRAGMA query_only = ON", NULL, NULL,
                          NULL);
    }
    if (rc == SQLITE_OK)
        return d;
    refuse(d, err);
    foreign_database_close(d);
    return NULL;
}

void foreign_database_close(struct foreign_database *d)
{
    if (d == NULL)
        return;
    sqlite3_close(d->db);
    free(d->path);
    free(d);
}

static int found(void *arg, const struct foreign_cell *cells, struct errbuf *err)
{
    (void)cells, (void)err;
    *(bool *)arg = true;
    return 0;
}

bool foreign_database_has(struct foreign_database *d, const char *table)
{
    const struct foreign_query q = {
        "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", 0, table};
    struct errbuf why;
    bool has = false;
    return foreign_database_each(d, &q, found, &has, &why) == 0 && has;
}

/* Text with a NUL within ends there. */
static void read_cell(sqlite3_stmt *s, int column, struct foreign_cell *out)
{
    *out = (struct foreign_cell){.text = ""};
    switch (sqlite3_column_type(s, column)) {
    case SQLITE_INTEGER:
        out->type = FOREIGN_INTEGER;
        out->integer = sqlite3_column_int64(s, column);
        out->number = (double)out->integer;
        break;
    case SQLITE_FLOAT:
        out->type = FOREIGN_REAL;
        out->number = sqlite3_column_double(s, column);
        break;
    case SQLITE_TEXT:
        out->type = FOREIGN_TEXT;
        out->text = (const char *)sqlite3_column_text(s, column);
        break;
    }
    if (out->text == NULL)
        out->text = "";
}

int foreign_database_each(struct foreign_database *d, const struct foreign_query *q,
                          foreign_each *each, void *arg, struct errbuf *err)
{
    struct foreign_cell cells[COLUMNS_MAX];
    sqlite3_stmt *s = NULL;
    size_t rows = 0;
    int step, rc = 0;
    if (sqlite3_prepare_v2(d->db, q->sql, -1, &s, NULL) != SQLITE_OK)
        return refuse(d, err);
    if (sqlite3_bind_parameter_count(s) > 0) {
        if (q->text != NULL)
            sqlite3_bind_text(s, 1, q->text, -1, SQLITE_STATIC);
        else
            sqlite3_bind_int64(s, 1, q->id);
    }
    while (rc == 0 && (step = sqlite3_step(s)) != SQLITE_DONE) {
        if (step != SQLITE_ROW) {
            rc = refuse(d, err);
            break;
        }
        if (++rows > ROWS_MAX) {
            rc = err_set(err, ERR_LIMIT, "%s: more than %d rows", d->path, ROWS_MAX);
            break;
        }
        for (int i = 0; i < sqlite3_column_count(s) && i < COLUMNS_MAX; i++)
            read_cell(s, i, &cells[i]);
        rc = each(arg, cells, err);
    }
    sqlite3_finalize(s);
    return rc;
}

int foreign_database_steps(struct foreign_database *d, const struct foreign_step *steps,
                           size_t count, int64_t id, void *arg, struct errbuf *err)
{
    int rc = 0;
    for (size_t i = 0; i < count && rc == 0; i++)
        rc = foreign_database_each(d, &(struct foreign_query){steps[i].sql, id, NULL},
                                   steps[i].take, arg, err);
    return rc;
}
