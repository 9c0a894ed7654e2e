#include "sweep/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/err.h"
#include "sweep/require.h"

/* Formats into out[PATHS_MAX], untouched when it would not fit. */
static int put(char *out, struct errbuf *err, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));

static int put(char *out, struct errbuf *err, const char *fmt, ...)
{
    char path[PATHS_MAX];
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(path, sizeof(path), fmt, ap);
    va_end(ap);
    if (len < 0 || (size_t)len >= sizeof(path))
        return err_bad(err, ERR_VALUE, "path", path, "at most %d bytes", PATHS_MAX - 1);
    memcpy(out, path, (size_t)len + 1);
    return 0;
}

/* The value of an environment variable that is set and not empty, else NULL. */
static const char *env(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

/* As env(); a relative path counts as unset (XDG Base Directory Specification 0.8). */
static const char *env_absolute(const char *name)
{
    const char *value = env(name);

    return value && value[0] == '/' ? value : NULL;
}

/* $VARIABLE/tail or $HOME/fallback/tail */
static int put_xdg(char *out, const char *variable, const char *fallback, const char *tail,
                   struct errbuf *err)
{
    const char *base = env_absolute(variable), *home = env_absolute("HOME");

    if (base)
        return put(out, err, "%s/%s", base, tail);
    if (!home)
        return err_set(err, ERR_VALUE, "neither %s nor HOME is set to an absolute path", variable);
    return put(out, err, "%s/%s/%s", home, fallback, tail);
}

static int put_state(char *out, const char *tail, struct errbuf *err)
{
    return put_xdg(out, "XDG_STATE_HOME", ".local/state", tail, err);
}

int paths_database(char *out, struct errbuf *err)
{
    const char *given = env("SWEEPD_DB");

    return given ? put(out, err, "%s", given) : put_state(out, "sweepd/sweeps.db", err);
}

/* Where pam_systemd(8) puts it. */
static bool own_runtime(char out[32])
{
    struct stat st;

    snprintf(out, 32, "/run/user/%u", (unsigned)geteuid());
    return stat(out, &st) == 0 && S_ISDIR(st.st_mode) && st.st_uid == geteuid();
}

int paths_socket(char *out, struct errbuf *err)
{
    const char *given = env("SWEEPD_SOCKET"), *runtime = env_absolute("XDG_RUNTIME_DIR");
    char own[32];

    if (given)
        return put(out, err, "%s", given);
    if (runtime)
        return put(out, err, "%s/sweepd/sock", runtime);
    if (own_runtime(own))
        return put(out, err, "%s/sweepd/sock", own);
    /* A folder of its own: the socket's is 0700, the database's need not be. */
    return put_state(out, "sweepd/run/sock", err);
}

int paths_cache(char *out, struct errbuf *err)
{
    return put_xdg(out, "XDG_CACHE_HOME", ".cache", "sweepd", err);
}

int paths_daemon_log(char *out, struct errbuf *err)
{
    return put_state(out, "sweepd/sweepd.log", err);
}

int paths_socket_note(char *out, const char *database, struct errbuf *err)
{
    return put(out, err, "%s.socket", database);
}

int paths_runs(char *out, const char *database, struct errbuf *err)
{
    return put(out, err, "%s.runs", database);
}

const char *run_file_name(enum run_file f)
{
    static const char *const names[] = {
#define X(id, name) [RUN_FILE_##id] = name,
        RUN_FILE_MAP(X)
#undef X
    };
    REQUIRE((unsigned)f < RUN_FILE_COUNT);
    return names[f];
}

/* Whether the snprintf that returned n into out[size] wrote the whole. */
static bool fits(char *out, size_t size, int n)
{
    bool whole = n >= 0 && (size_t)n < size;
    if (!whole)
        out[0] = '\0';
    return whole;
}

bool paths_run(char *out, size_t size, const char *runs_dir, int64_t run_id)
{
    return fits(out, size, snprintf(out, size, "%s/%" PRId64, runs_dir, run_id));
}

bool paths_run_file(char *out, size_t size, const char *runs_dir, int64_t run_id, enum run_file f)
{
    int n = snprintf(out, size, "%s/%" PRId64 "/%s", runs_dir, run_id, run_file_name(f));
    return fits(out, size, n);
}

int paths_sync_parent(const char *path, struct errbuf *err)
{
    char parent[PATHS_MAX];
    int rc = put(parent, err, "%s", path);
    char *slash = rc == 0 ? strrchr(parent, '/') : NULL;

    if (!slash)
        return rc;
    slash[slash == parent ? 1 : 0] = '\0';
    int fd = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0) /* one may make folders where one may not look */
        return 0;
    if (fsync(fd) < 0 && errno != EINVAL)
        rc = err_set(err, ERR_IO, "%s: cannot be made durable: %s", parent, strerror(errno));
    close(fd);
    return rc;
}

/* One folder, which may be there already. */
static int make_dir(const char *path, unsigned mode, struct errbuf *err)
{
    struct stat st;
    int reason;

    if (mkdir(path, mode) == 0)
        return paths_sync_parent(path, err);
    reason = errno;
    if (stat(path, &st) == 0) {
        if (S_ISDIR(st.st_mode))
            return 0;
        reason = ENOTDIR;
    }
    return err_set(err, ERR_IO, "%s: cannot make this folder: %s", path, strerror(reason));
}

int paths_make_dirs(const char *path, unsigned mode, struct errbuf *err)
{
    char part[PATHS_MAX];
    struct stat st;
    int rc = put(part, err, "%s", path);

    if (rc == 0 && stat(path, &st) == 0 && S_ISDIR(st.st_mode))
        return 0; /* as for nearly every run */
    for (char *slash = part; rc == 0 && *slash; slash++) {
        if (slash == part || *slash != '/')
            continue;
        *slash = '\0';
        rc = make_dir(part, mode, err);
        *slash = '/';
    }
    return rc == 0 ? make_dir(part, mode, err) : rc;
}

int paths_make_parent(const char *path, unsigned mode, struct errbuf *err)
{
    char parent[PATHS_MAX];
    char *slash;
    int rc = put(parent, err, "%s", path);

    if (rc != 0)
        return rc;
    slash = strrchr(parent, '/');
    if (!slash || slash == parent)
        return 0;
    *slash = '\0';
    return paths_make_dirs(parent, mode, err);
}

int paths_program_dir(char *out, struct errbuf *err)
{
    char path[PATHS_MAX];
    ssize_t len = readlink("/proc/self/exe", path, sizeof(path) - 1);
    char *slash;

    if (len < 0)
        return err_set(err, ERR_IO, "/proc/self/exe: %s", strerror(errno));
    path[len] = '\0';
    slash = strrchr(path, '/');
    if (!slash)
        return err_set(err, ERR_IO, "/proc/self/exe: not an absolute path: %s", path);
    slash[slash == path ? 1 : 0] = '\0';
    return put(out, err, "%s", path);
}
