#include "daemon/store/migrate.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libgen.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <sqlite3.h>
#include <uv.h>

#include "daemon/store/views.h"
#include "schema/schema.h"
#include "sweep/buf.h"
#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/paths.h"
#include "sweep/pattern.h"
#include "sweep/process.h"
#include "sweep/require.h"

#define LOG_MODULE "store"
#define LOCK_WAIT_NS (5 * UINT64_C(1000000000))
#define LOCK_POLL_MS 5
/* While opening, somebody's sqlite3 may be recovering the WAL of a daemon that was killed. */
#define OPEN_BUSY_TIMEOUT_MS 10000

/* --- the place ----------------------------------------------------------------------------- */

/* File systems where locks or the WAL's shared memory do not work between machines: statfs(2). */
static const struct {
    unsigned long magic;
    const char *name;
} network_magics[] = {
    {0x6969, "NFS"},           {0x517b, "SMB"},          {0xff534d42, "CIFS"},
    {0xfe534d42, "SMB2"},      {0x5346414f, "AFS"},      {0x73757245, "Coda"},
    {0x00c36400, "Ceph"},      {0x0bd00bd0, "Lustre"},
};

/* All FUSE file systems share one magic, local ones too: these types are the remote ones. */
static const char *const network_fuse_types[] = {
    "fuse.sshfs", "fuse.s3fs", "fuse.rclone", "fuse.glusterfs", "fuse.ceph-fuse", "fuse.davfs",
    "fuse.gcsfuse", "fuse.curlftpfs",
};

/* The type that /proc/self/mountinfo gives for the device, e.g. "fuse.sshfs"; "" if none. */
static void mount_type(dev_t device, char *out, size_t size)
{
    char line[4096], wanted[32];
    FILE *f = fopen("/proc/self/mountinfo", "re");

    out[0] = '\0';
    if (!f)
        return;
    snprintf(wanted, sizeof(wanted), "%u:%u", major(device), minor(device));
    while (fgets(line, sizeof(line), f)) {
        char numbers[32], type[64];
        const char *dash = strstr(line, " - ");
        if (dash && sscanf(line, "%*s %*s %31s", numbers) == 1 &&
            sscanf(dash + 3, "%63s", type) == 1 && strcmp(numbers, wanted) == 0)
            str_copy(out, size, type);
    }
    fclose(f);
}

static int check_file_system(const char *folder, struct errbuf *err)
{
    struct statfs fs;
    struct stat st;
    char type[64];
    const char *found = NULL;

    if (statfs(folder, &fs) < 0 || stat(folder, &st) < 0)
        return err_set(err, ERR_IO, "%s: %s", folder, strerror(errno));
    for (size_t i = 0; i < ARRAY_LEN(network_magics); i++) {
        if (((unsigned long)fs.f_type & 0xffffffffUL) == network_magics[i].magic)
            found = network_magics[i].name;
    }
    mount_type(st.st_dev, type, sizeof(type));
    for (size_t i = 0; i < ARRAY_LEN(network_fuse_types); i++) {
        if (strcmp(type, network_fuse_types[i]) == 0)
            found = network_fuse_types[i];
    }
    if (!found)
        return 0;
    return err_set(err, ERR_VALUE,
                   "%s lies on a network file system (%s), where the database's locks do not hold; "
                   "choose a local folder with --db or SWEEPD_DB",
                   folder, found);
}

/* The one name of the file, whatever symbolic links lead to it: two names, one lock. */
static int real_path(const char *path, char *out, struct errbuf *err)
{
    char copy[PATHS_MAX], folder[PATH_MAX];
    int written;

    if (realpath(path, folder)) {
        written = snprintf(out, PATHS_MAX, "%s", folder);
    } else if (errno == ENOENT) {
        str_copy(copy, sizeof(copy), path);
        if (!realpath(dirname(copy), folder))
            return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
        str_copy(copy, sizeof(copy), path);
        written = snprintf(out, PATHS_MAX, "%s/%s", folder, basename(copy));
    } else {
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    }
    if (written >= PATHS_MAX)
        return err_set(err, ERR_VALUE, "the path of the database is too long");
    return 0;
}

/* Of hard links each has a lock and a write-ahead log of its own: two daemons would not see each
 * other, and SQLite would lose what the other one wrote. */
static int check_names(const char *path, struct errbuf *err)
{
    struct stat st;

    if (stat(path, &st) < 0 || !S_ISREG(st.st_mode) || st.st_nlink < 2)
        return 0;
    return err_set(err, ERR_VALUE,
                   "%s has %lu names (hard links), and a database may have one: remove the others",
                   path, (unsigned long)st.st_nlink);
}

/* --- the lock ------------------------------------------------------------------------------ */

/* The lock is of the kind that fork() does not hand on (fcntl(2), F_SETLK), unlike flock's: a
 * child that the holder was starting when it was killed keeps the holder's descriptors until its
 * exec, but does no work on the database. And the kernel itself names the process that holds it. */
static struct flock whole_file(void)
{
    return (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
}

static int refuse_locked(const char *path, int64_t pid, struct errbuf *err)
{
    char name[64];

    if (pid <= 0) /* of another namespace */
        return err_set(err, ERR_BUSY, "%s is held by another process", path);
    process_name(pid, name, sizeof(name));
    return err_set(err, ERR_BUSY, "%s is held by process %" PRId64 " (%s)", path, pid, name);
}

/* A holder that was killed has the lock until the last of its threads is gone, which may wait for
 * the disk: that is waited for, and nothing else. 0, ERR_BUSY, ERR_IO. */
static int take_lock(const char *path, int fd, struct errbuf *err)
{
    uint64_t deadline = uv_hrtime() + LOCK_WAIT_NS;
    struct flock ours = whole_file();
    bool said = false;

    while (fcntl(fd, F_SETLK, &ours) < 0) {
        struct flock held = whole_file();
        if ((errno != EAGAIN && errno != EACCES) || fcntl(fd, F_GETLK, &held) < 0)
            return err_set(err, ERR_IO, "%s.lock: %s", path, strerror(errno));
        if (held.l_type == F_UNLCK) /* let go since */
            continue;
        if (!process_is_ending(held.l_pid) || uv_hrtime() > deadline)
            return refuse_locked(path, held.l_pid, err);
        if (!said)
            log_warn("%s is still held by process %ld, which was killed: waiting for its end",
                     path, (long)held.l_pid);
        said = true;
        uv_sleep(LOCK_POLL_MS);
    }
    return 0;
}

static int lock_file(const char *path, int *lock_fd, struct errbuf *err)
{
    char name[PATHS_MAX + 8];
    int code;

    snprintf(name, sizeof(name), "%s.lock", path);
    int fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", name, strerror(errno));
    if ((code = take_lock(path, fd, err)) < 0)
        goto fail;
    if (ftruncate(fd, 0) < 0 || dprintf(fd, "%ld\n", (long)getpid()) < 0) {
        code = err_set(err, ERR_IO, "%s: %s", name, strerror(errno));
        goto fail;
    }
    *lock_fd = fd;
    return 0;
fail:
    close(fd);
    return code;
}

int store_lock(const char *path, int *lock_fd, struct errbuf *err)
{
    char folder[PATHS_MAX], real[PATHS_MAX];
    int code;

    if (path[0] != '/' || strlen(path) >= PATHS_MAX)
        return err_bad(err, ERR_VALUE, "--db", path, "an absolute path of at most %d bytes",
                       PATHS_MAX - 1);
    if ((code = paths_make_parent(path, 0700, err)) < 0 || (code = real_path(path, real, err)) < 0)
        return code;
    if ((code = check_names(real, err)) < 0)
        return code;
    str_copy(folder, sizeof(folder), real);
    if ((code = check_file_system(dirname(folder), err)) < 0)
        return code;
    return lock_file(real, lock_fd, err);
}

/* --- the database -------------------------------------------------------------------------- */

static int sql_error(const char *path, sqlite3 *db, struct errbuf *err)
{
    int rc = sqlite3_errcode(db) & 0xff;
    if (rc == SQLITE_NOTADB)
        return err_set(err, ERR_DATA, "%s is not a database", path);
    if (rc == SQLITE_CORRUPT)
        return err_set(err, ERR_DATA, "%s is damaged: %s; nothing was changed", path,
                       sqlite3_errmsg(db));
    return err_set(err, ERR_IO, "%s: %s", path, sqlite3_errmsg(db));
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
    int64_t application, objects, newest = (int64_t)schema_migration_count;
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

static int migrate(const char *path, sqlite3 *db, int64_t version, struct errbuf *err)
{
    int code = 0;

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
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    close(fd);
    return 0;
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
