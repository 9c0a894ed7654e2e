#include "daemon/store/mark.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sqlite3.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#define LOG_MODULE "store"
#include "sweep/log.h"
#include "sweep/paths.h"

#define MARK_FORMAT "sweeps %020" PRId64 " runs %020" PRId64 " events %020" PRId64 "\n"
#define MARK_SCAN "sweeps %" SCNd64 " runs %" SCNd64 " events %" SCNd64
#define MARK_BYTES 128

/* --- the three places ------------------------------------------------------------------------ */

static bool read_file(int fd, struct mark_ids *out)
{
    char text[MARK_BYTES] = "";
    struct mark_ids ids;
    ssize_t n = pread(fd, text, sizeof(text) - 1, 0);

    if (n <= 0 || sscanf(text, MARK_SCAN, &ids.sweeps, &ids.runs, &ids.events) != 3)
        return false;
    *out = ids;
    return true;
}

static void write_file(struct mark *m)
{
    char text[MARK_BYTES];
    int len = snprintf(text, sizeof(text), MARK_FORMAT, m->ids.sweeps, m->ids.runs, m->ids.events);
    ssize_t n = m->fd >= 0 ? pwrite(m->fd, text, (size_t)len, 0) : len;

    if (n != len)
        log_debug("the mark beside the database: %s", strerror(errno));
}

static bool read_database(struct mark *m, struct mark_ids *out)
{
    bool ok = sqlite3_step(m->read) == SQLITE_ROW;

    if (ok)
        *out = (struct mark_ids){.sweeps = sqlite3_column_int64(m->read, 0),
                                 .runs = sqlite3_column_int64(m->read, 1),
                                 .events = sqlite3_column_int64(m->read, 2)};
    sqlite3_reset(m->read);
    return ok;
}

/* The highest id of a run that has a folder; 0: none. */
static int64_t read_folders(const char *path)
{
    char runs[PATHS_MAX];
    struct errbuf why;
    int64_t highest = 0;
    DIR *d = paths_runs(runs, path, &why) == 0 ? opendir(runs) : NULL;

    for (struct dirent *entry; d && (entry = readdir(d));) {
        char *end;
        long long id = strtoll(entry->d_name, &end, 10);
        if (*end == '\0' && end != entry->d_name && id > highest)
            highest = id;
    }
    if (d)
        closedir(d);
    return highest;
}

/* --- what is missing ------------------------------------------------------------------------- */

static int64_t larger(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

static void describe(const struct mark_ids *known, const struct mark_ids *used, struct buf *out)
{
    buf_printf(out,
               "sweeps up to %" PRId64 ", runs up to %" PRId64 " and events up to %" PRId64
               " were stored; the database knows %" PRId64 ", %" PRId64 " and %" PRId64 ".",
               used->sweeps, used->runs, used->events, known->sweeps, known->runs, known->events);
    if (used->runs > known->runs)
        buf_printf(out, " Of runs %" PRId64 " to %" PRId64 " the folders alone are left.",
                   known->runs + 1, used->runs);
    buf_puts(out, " Its -wal was deleted, or an older or new database was put in its place. Their "
                  "ids are not used again");
}

/* AUTOINCREMENT and the engine go on behind these. */
static int raise_ids(sqlite3 *db, const struct mark_ids *used, const char *told)
{
    static const char sql[] =
        "BEGIN IMMEDIATE; DELETE FROM sqlite_sequence WHERE name IN ('sweeps', 'runs');"
        "INSERT INTO sqlite_sequence(name, seq) VALUES('sweeps', %lld), ('runs', %lld);"
        "INSERT INTO events(kind, detail, created_at) VALUES('database_lost', %Q, "
        "strftime('%%Y-%%m-%%d %%H:%%M:%%f', 'now')); COMMIT";
    char *text = sqlite3_mprintf(sql, (long long)used->sweeps, (long long)used->runs, told);
    int rc = sqlite3_exec(db, text, NULL, NULL, NULL);

    if (rc != SQLITE_OK)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_free(text);
    return rc;
}

static int tell_lost(sqlite3 *db, const struct mark_ids *known, const struct mark_ids *used,
                     struct errbuf *err)
{
    struct buf told = {0};
    int code = 0;

    describe(known, used, &told);
    log_error("the database has lost what it had: %s", told.data);
    if (raise_ids(db, used, told.data) != SQLITE_OK)
        code =
            err_set(err, ERR_IO, "the ids that were used cannot be kept: %s", sqlite3_errmsg(db));
    buf_finish(&told);
    return code;
}

/* A readable mark that the database has reached says all; else the folders are asked too. */
static int compare(struct mark *m, const char *path, sqlite3 *db, struct errbuf *err)
{
    struct mark_ids known, used = {0};
    bool has_mark = read_file(m->fd, &used);

    if (!read_database(m, &known))
        return err_set(err, ERR_IO, "the database cannot be read: %s", sqlite3_errmsg(db));
    bool behind =
        used.sweeps > known.sweeps || used.runs > known.runs || used.events > known.events;
    if (has_mark && !behind)
        return 0;
    used.runs = larger(larger(used.runs, known.runs), read_folders(path));
    used.sweeps = larger(used.sweeps, known.sweeps);
    used.events = larger(used.events, known.events);
    return behind || used.runs > known.runs ? tell_lost(db, &known, &used, err) : 0;
}

int mark_open(struct mark *m, const char *path, sqlite3 *db, struct errbuf *err)
{
    static const char sql[] = "SELECT (SELECT seq FROM sqlite_sequence WHERE name = 'sweeps'), "
                              "(SELECT seq FROM sqlite_sequence WHERE name = 'runs'), "
                              "(SELECT seq FROM sqlite_sequence WHERE name = 'events')";
    char *name = xasprintf("%s.mark", path);
    int code = 0;

    m->fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (m->fd < 0)
        log_warn("%s: %s: commits that are lost will not be noticed", name, strerror(errno));
    free(name);
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, &m->read, NULL) != SQLITE_OK)
        code = err_set(err, ERR_IO, "the database cannot be read: %s", sqlite3_errmsg(db));
    else
        code = compare(m, path, db, err);
    if (code == 0)
        mark_follow(m);
    return code;
}

void mark_follow(struct mark *m)
{
    struct mark_ids now;

    if (!read_database(m, &now) || memcmp(&now, &m->ids, sizeof(now)) == 0)
        return;
    m->ids = now;
    write_file(m);
}

void mark_close(struct mark *m)
{
    sqlite3_finalize(m->read);
    m->read = NULL;
    if (m->fd >= 0)
        close(m->fd);
    m->fd = -1;
}
