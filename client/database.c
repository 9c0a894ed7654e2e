#include "client/database.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sweep/err.h"
#include "sweep/paths.h"
#include "sweep/require.h"

#define READ_BYTES (64 * 1024)

bool database_is(const char *bytes, size_t len)
{
    static const char magic[16] = "SQLite format 3"; /* with its NUL */
    return len >= sizeof(magic) && memcmp(bytes, magic, sizeof(magic)) == 0;
}

/* SWEEPD_WORKER as for the daemon; else beside sweepctl, in the build tree, or where it is
 * installed. */
static int find_worker(char out[PATHS_MAX], struct errbuf *err)
{
    static const char *const below[] = {"", "/../worker", "/" SWEEPD_LIBEXECDIR_FROM_BIN};
    char dir[PATHS_MAX];
    const char *said = getenv("SWEEPD_WORKER");
    if (said && *said) {
        str_copy(out, PATHS_MAX, said);
        return 0;
    }
    int rc = paths_program_dir(dir, err);
    for (size_t i = 0; i < ARRAY_LEN(below) && rc == 0; i++) {
        int n = snprintf(out, PATHS_MAX, "%s%s/sweep-worker", dir, below[i]);
        if (n > 0 && n < PATHS_MAX && access(out, X_OK) == 0)
            return 0;
    }
    return rc != 0 ? rc
                   : err_set(err, ERR_NOT_FOUND, "a database is read by sweep-worker, which is not "
                             "beside sweepctl (%s): SWEEPD_WORKER names it", dir);
}

static int fail(struct errbuf *err, const char *what)
{
    return err_set(err, ERR_IO, "%s: %s", what, strerror(errno));
}

static int start(const char *program, const char *path, const int descriptors[2], pid_t *pid,
                 struct errbuf *err)
{
    char *argv[] = {(char *)(uintptr_t)program, (char[]){"--log"}, (char *)(uintptr_t)path, NULL};
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    for (int i = 0; i < 2; i++)
        posix_spawn_file_actions_adddup2(&actions, descriptors[i], i + 1);
    errno = posix_spawn(pid, program, &actions, NULL, argv, environ);
    int rc = errno == 0 ? 0 : fail(err, program);
    posix_spawn_file_actions_destroy(&actions);
    return rc;
}

static int read_all(int fd, size_t max, struct buf *out, struct errbuf *err)
{
    for (;;) {
        buf_reserve(out, READ_BYTES);
        ssize_t n = read(fd, out->data + out->len, READ_BYTES);
        if (n == 0)
            return 0;
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return fail(err, "sweep-worker's lines");
        out->len += (size_t)n;
        if (out->len > max)
            return err_set(err, ERR_LIMIT, "the database's log has more than %zu bytes", max);
    }
}

/* What it said on stderr, which names the file. */
static int explain(int log, int status, const char *path, struct errbuf *err)
{
    char said[sizeof(err->message)];
    ssize_t n = pread(log, said, sizeof(said) - 1, 0);
    said[n > 0 ? n : 0] = '\0';
    said[strcspn(said, "\n")] = '\0';
    if (said[0])
        return err_set(err, ERR_DATA, "%s", said);
    return err_set(err, ERR_DATA, "%s: sweep-worker could not read it (%s %d)", path,
                   WIFSIGNALED(status) ? "signal" : "exit status",
                   WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
}

/* Reads what the worker writes, and waits for its end. */
static int finish(pid_t pid, int out_fd, int log, const char *path, size_t max, struct buf *out,
                  struct errbuf *err)
{
    int status = 0, rc = read_all(out_fd, max, out, err);
    close(out_fd); /* one that still writes ends by it */
    while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
        continue;
    return rc != 0 || status == 0 ? rc : explain(log, status, path, err);
}

int database_lines(const char *path, size_t max, struct buf *out, struct errbuf *err)
{
    char program[PATHS_MAX];
    int ends[2] = {-1, -1}, log = -1;
    pid_t pid = -1;
    int rc = find_worker(program, err);
    if (rc == 0 && (log = memfd_create("stderr", MFD_CLOEXEC)) < 0)
        rc = fail(err, "stderr");
    if (rc == 0 && pipe2(ends, O_CLOEXEC) != 0)
        rc = fail(err, "pipe");
    if (rc == 0) {
        rc = start(program, path, (const int[]){ends[1], log}, &pid, err);
        close(ends[1]);
        if (rc == 0)
            rc = finish(pid, ends[0], log, path, max, out, err);
        else
            close(ends[0]);
    }
    if (log >= 0)
        close(log);
    return rc;
}
