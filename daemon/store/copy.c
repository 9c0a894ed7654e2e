#include "daemon/store/copy.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/paths.h"

#define STEP_PAGES 256          /* 1 MiB */
#define STOP_INSTRUCTIONS 10000 /* of SQLite's machine, between two questions */

static int stopped(struct errbuf *err)
{
    return err_set(err, ERR_SHUTDOWN, "the copy was not finished: the daemon is ending");
}

static bool should_stop(const struct store_copy *c)
{
    return c->stop && c->stop(c->arg);
}

/* The read transaction holds the snapshot: without it every commit would begin the copy anew. */
static int copy_pages(const struct store_copy *c, sqlite3 *to, struct errbuf *err)
{
    static const char begin[] = "BEGIN; SELECT count(*) FROM sqlite_schema";
    int rc = sqlite3_exec(c->from, begin, NULL, NULL, NULL), code = 0;

    if (rc != SQLITE_OK)
        return err_set(err, ERR_IO, "the database cannot be read: %s", sqlite3_errmsg(c->from));
    sqlite3_backup *b = sqlite3_backup_init(to, "main", c->from, "main");
    while (b && (rc = sqlite3_backup_step(b, STEP_PAGES)) == SQLITE_OK && !should_stop(c))
        ;
    if (sqlite3_backup_finish(b) != SQLITE_OK || !b)
        code = err_set(err, ERR_IO, "%s: %s", c->file, sqlite3_errmsg(to));
    else if (rc != SQLITE_DONE)
        code = stopped(err);
    sqlite3_exec(c->from, "ROLLBACK", NULL, NULL, NULL);
    return code;
}

/* One file, without a log beside it; and every page of it makes sense. */
static int check_copy(const struct store_copy *c, sqlite3 *to, struct errbuf *err)
{
    sqlite3_stmt *st = NULL;
    const char *found = NULL;
    int code = 0;

    sqlite3_progress_handler(to, STOP_INSTRUCTIONS, c->stop, c->arg);
    if (sqlite3_exec(to, "PRAGMA journal_mode=DELETE", NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(to, "PRAGMA quick_check(1)", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        found = (const char *)sqlite3_column_text(st, 0);
    if (!found || strcmp(found, "ok") != 0)
        code = should_stop(c) ? stopped(err)
                              : err_set(err, ERR_DATA, "the database is damaged: %s",
                                        found ? found : sqlite3_errmsg(to));
    sqlite3_finalize(st);
    return code;
}

static int fill(const struct store_copy *c, const char *part, struct errbuf *err)
{
    sqlite3 *to = NULL;
    int code;

    if (sqlite3_open_v2(part, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK)
        code = err_set(err, ERR_IO, "%s: %s", part, sqlite3_errmsg(to));
    else if ((code = copy_pages(c, to, err)) == 0)
        code = check_copy(c, to, err);
    sqlite3_close(to);
    return code;
}

static int exists(const char *file, struct errbuf *err)
{
    return err_bad(err, ERR_VALUE, "$.file", file,
                   "a name that no file has yet: nothing is overwritten");
}

/* Under its name, and durable there. */
static int publish(const struct store_copy *c, const char *part, int fd, struct errbuf *err)
{
    if (fsync(fd) < 0)
        return err_set(err, ERR_IO, "%s: %s", c->file, strerror(errno));
    unsigned flags = c->replace ? 0 : RENAME_NOREPLACE;
    int rc = renameat2(AT_FDCWD, part, AT_FDCWD, c->file, flags);
    if (rc < 0 && errno == EINVAL && access(c->file, F_OK) < 0) /* not known to that file system */
        rc = rename(part, c->file);
    if (rc < 0 && (errno == EEXIST || access(c->file, F_OK) == 0))
        return exists(c->file, err);
    if (rc < 0)
        return err_set(err, ERR_IO, "%s: %s", c->file, strerror(errno));
    return paths_sync_parent(c->file, err);
}

int store_copy(const struct store_copy *c, struct errbuf *err)
{
    struct stat st;
    int code, fd;

    if (!c->replace && lstat(c->file, &st) == 0)
        return exists(c->file, err);
    char *part = xasprintf("%s.part-%d", c->file, (int)getpid());
    if ((fd = open(part, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0) {
        code = err_set(err, ERR_IO, "%s: %s", part, strerror(errno));
    } else {
        code = fill(c, part, err);
        if (code == 0)
            code = publish(c, part, fd, err);
        close(fd);
        if (code < 0)
            unlink(part);
    }
    free(part);
    return code;
}
