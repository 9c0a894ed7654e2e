#include "daemon/launch/rundir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "sweep/err.h"
#include "sweep/log.h"
#include "sweep/paths.h"
#include "sweep/record.h"

#define LOG_MODULE "rundir"
#define READ_BYTES (256 * 1024)

static int fail_at(struct errbuf *err, int64_t run_id, const char *what)
{
    return err_set(err, ERR_IO, "folder of run %" PRId64 ": %s: %s", run_id, what,
                   strerror(errno));
}

/* The folder itself as a descriptor, made if make is set; -1 and errno. */
static int open_folder(const char *runs_dir, int64_t run_id, bool make)
{
    char path[PATHS_MAX];
    if (!paths_run(path, sizeof(path), runs_dir, run_id)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (make && mkdir(path, 0700) != 0 && errno != EEXIST)
        return -1;
    return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int write_all(int fd, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -1;
        data += n;
        len -= (size_t)n;
    }
    return 0;
}

static int open_file(int folder, enum run_file f, int flags)
{
    return openat(folder, run_file_name(f), flags | O_CLOEXEC, 0600);
}

static int write_config(int folder, const char *config)
{
    int fd = open_file(folder, RUN_FILE_CONFIG, O_WRONLY | O_CREAT | O_TRUNC);
    if (fd < 0)
        return -1;
    int rc = write_all(fd, config, strlen(config));
    if (rc == 0)
        rc = write_all(fd, "\n", 1);
    int saved = errno;
    if (close(fd) != 0)
        return -1;
    errno = saved;
    return rc;
}

void rundir_init(struct rundir *r)
{
    memset(r, 0, sizeof(*r));
    r->fd = r->out = r->err = -1;
}

static int open_reader(struct rundir *r, int folder)
{
    int fd = open_file(folder, RUN_FILE_LINES, O_RDONLY);
    if (fd < 0)
        return -1;
    rundir_init(r);
    r->fd = fd;
    return 0;
}

/* --- what an earlier attempt has left ------------------------------------------------------- */

enum kept_line { LINE_KEPT, LINE_OF_RUNG, LINE_LAST };

static enum kept_line judge_line(const char *line, size_t len)
{
    struct record record;
    struct errbuf err;
    if (len > RECORD_LINE_MAX || record_parse(line, len, &record, &err) < 0)
        return LINE_LAST;
    bool kept = record.type == RECORD_START || record.type == RECORD_POINT ||
                record.type == RECORD_LAYERS;
    bool rung = record.type == RECORD_RESULT && record.u.result.status == RUN_PAUSED;
    record_finish(&record);
    return kept ? LINE_KEPT : rung ? LINE_OF_RUNG : LINE_LAST;
}

/* Bytes of the whole start and point lines that run.jsonl begins with, or -1. The result of the
 * last rung goes: a worker that dies before its start line has none of its own. */
static int64_t kept_bytes(int folder)
{
    struct rundir r;
    struct errbuf err;
    const char *line;
    size_t len;
    int64_t kept = 0, read = 0;
    bool good = true;
    int n = 1;
    if (open_reader(&r, folder) != 0)
        return -1;
    while (good && n > 0 && rundir_rest(&r) <= RECORD_LINE_MAX) {
        n = rundir_read(&r, &err);
        while (good && rundir_line(&r, &line, &len)) {
            enum kept_line l = judge_line(line, len);
            good = l != LINE_LAST;
            read += (int64_t)len + 1;
            kept = l == LINE_KEPT ? read : kept;
        }
    }
    int saved = errno;
    rundir_close(&r);
    errno = saved;
    return n < 0 ? -1 : kept;
}

/* Files of the folder whose names end in ".tmp": their writer was killed. */
static void remove_unfinished(int folder)
{
    static const char suffix[] = ".tmp";
    int fd = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);
    if (!dir) {
        if (fd >= 0)
            close(fd);
        return;
    }
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        size_t len = strlen(e->d_name), cut = sizeof(suffix) - 1;
        if (len > cut && strcmp(e->d_name + len - cut, suffix) == 0)
            unlinkat(folder, e->d_name, 0);
    }
    closedir(dir);
}

/* Everything of an earlier attempt goes, but what a resumed worker appends to; and only once the
 * lock says that no worker lives. */
static const char *fill_folder(int folder, const char *config, int *out, int *err)
{
    bool resumes = faccessat(folder, run_file_name(RUN_FILE_CHECKPOINT), F_OK, 0) == 0;
    *out = open_file(folder, RUN_FILE_LINES, O_WRONLY | O_CREAT | O_APPEND);
    if (*out < 0)
        return run_file_name(RUN_FILE_LINES);
    if (flock(*out, LOCK_EX | LOCK_NB) != 0)
        return "lock";
    int64_t kept = resumes ? kept_bytes(folder) : 0;
    if (kept < 0 || ftruncate(*out, kept) != 0)
        return run_file_name(RUN_FILE_LINES);
    remove_unfinished(folder);
    if (unlinkat(folder, run_file_name(RUN_FILE_WEIGHTS), 0) != 0 && errno != ENOENT)
        return run_file_name(RUN_FILE_WEIGHTS);
    if (write_config(folder, config) != 0)
        return run_file_name(RUN_FILE_CONFIG);
    *err = open_file(folder, RUN_FILE_STDERR,
                     O_WRONLY | O_CREAT | O_APPEND | (resumes ? 0 : O_TRUNC));
    return *err < 0 ? run_file_name(RUN_FILE_STDERR) : NULL;
}

int rundir_create(struct rundir *r, const char *runs_dir, int64_t run_id,
                  const char *config, struct errbuf *err)
{
    int out = -1, worker_err = -1;
    const char *what = "folder";
    bool busy;
    int code, folder = open_folder(runs_dir, run_id, true);
    if (folder < 0)
        goto fail;
    what = fill_folder(folder, config, &out, &worker_err);
    if (what)
        goto fail;
    what = run_file_name(RUN_FILE_LINES);
    if (open_reader(r, folder) != 0)
        goto fail;
    close(folder);
    r->out = out;
    r->err = worker_err;
    return 0;
fail:
    busy = errno == EWOULDBLOCK && strcmp(what, "lock") == 0;
    code = fail_at(err, run_id, what);
    if (busy)
        code = err_set(err, ERR_BUSY, "run %" PRId64 " still has a worker", run_id);
    if (worker_err >= 0)
        close(worker_err);
    if (out >= 0)
        close(out);
    if (folder >= 0)
        close(folder);
    return code;
}

int rundir_open(struct rundir *r, const char *runs_dir, int64_t run_id, struct errbuf *err)
{
    int folder = open_folder(runs_dir, run_id, false);
    int rc = folder < 0 ? -1 : open_reader(r, folder);
    if (rc != 0 && errno == ENOENT)
        rc = err_set(err, ERR_NOT_FOUND, "run %" PRId64 " has no folder", run_id);
    else if (rc != 0)
        rc = fail_at(err, run_id, run_file_name(RUN_FILE_LINES));
    if (folder >= 0)
        close(folder);
    return rc;
}

void rundir_hand_over(struct rundir *r)
{
    if (r->out >= 0)
        close(r->out);
    if (r->err >= 0)
        close(r->err);
    r->out = r->err = -1;
}

void rundir_close(struct rundir *r)
{
    rundir_hand_over(r);
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    buf_finish(&r->bytes);
}

bool rundir_locked(const struct rundir *r)
{
    if (flock(r->fd, LOCK_SH | LOCK_NB) != 0)
        return errno == EWOULDBLOCK;
    flock(r->fd, LOCK_UN);
    return false;
}

bool rundir_written_by(const struct rundir *r, int64_t pid)
{
    char path[48];
    struct stat ours, theirs;
    snprintf(path, sizeof(path), "/proc/%" PRId64 "/fd/1", pid);
    return fstat(r->fd, &ours) == 0 && stat(path, &theirs) == 0 && ours.st_dev == theirs.st_dev &&
           ours.st_ino == theirs.st_ino;
}

int rundir_read(struct rundir *r, struct errbuf *err)
{
    buf_consume(&r->bytes, r->taken);
    r->taken = 0;
    buf_reserve(&r->bytes, READ_BYTES);
    ssize_t n;
    do {
        n = pread(r->fd, r->bytes.data + r->bytes.len, READ_BYTES, r->offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, ERR_IO, "run.jsonl: %s", strerror(errno));
    r->bytes.len += (size_t)n;
    r->bytes.data[r->bytes.len] = '\0';
    r->offset += n;
    return (int)n;
}

bool rundir_line(struct rundir *r, const char **line, size_t *len)
{
    if (r->taken == r->bytes.len)
        return false;
    const char *from = r->bytes.data + r->taken;
    const char *end = memchr(from, '\n', r->bytes.len - r->taken);
    if (!end)
        return false;
    *line = from;
    *len = (size_t)(end - from);
    r->taken += *len + 1;
    return true;
}

size_t rundir_rest(const struct rundir *r)
{
    return r->bytes.len - r->taken;
}

void rundir_stderr_tail(const char *runs_dir, int64_t run_id, size_t max, struct buf *out,
                        bool *cut)
{
    struct stat st;
    int folder = open_folder(runs_dir, run_id, false);
    int fd = folder < 0 ? -1 : open_file(folder, RUN_FILE_STDERR, O_RDONLY);
    if (cut)
        *cut = false;
    if (fd >= 0 && fstat(fd, &st) == 0) {
        off_t from = (size_t)st.st_size > max ? st.st_size - (off_t)max : 0;
        buf_reserve(out, max);
        ssize_t n = pread(fd, out->data + out->len, max, from);
        size_t start = out->len;
        if (n > 0)
            out->len += (size_t)n;
        out->data[out->len] = '\0';
        /* A cut may lie inside a character: its continuation bytes are 10xxxxxx. */
        size_t skip = 0;
        while (from > 0 && skip < 3 && start + skip < out->len &&
               ((unsigned char)out->data[start + skip] & 0xc0) == 0x80)
            skip++;
        memmove(out->data + start, out->data + start + skip, out->len - start - skip + 1);
        out->len -= skip;
        if (cut)
            *cut = from > 0;
    }
    if (fd >= 0)
        close(fd);
    if (folder >= 0)
        close(folder);
}

/* Removes that file, and unfinished ones. */
static void drop_file(const char *runs_dir, int64_t run_id, const char *name)
{
    int folder = open_folder(runs_dir, run_id, false);
    if (folder < 0)
        return;
    if (unlinkat(folder, name, 0) != 0 && errno != ENOENT)
        log_warn("run %" PRId64 ": %s stays: %s", run_id, name, strerror(errno));
    remove_unfinished(folder);
    close(folder);
}

void rundir_drop_weights(const char *runs_dir, int64_t run_id)
{
    drop_file(runs_dir, run_id, run_file_name(RUN_FILE_WEIGHTS));
}

void rundir_drop_checkpoint(const char *runs_dir, int64_t run_id)
{
    drop_file(runs_dir, run_id, run_file_name(RUN_FILE_CHECKPOINT));
}

struct removal {
    uv_work_t work;
    char runs_dir[PATHS_MAX];
    size_t count;
    int64_t run_ids[];
};

/* A run folder is flat; whatever else lies in it stays, and so does the folder. */
static void remove_folder(const char *runs_dir, int64_t run_id)
{
    int folder = open_folder(runs_dir, run_id, false);
    if (folder < 0)
        return;
    DIR *dir = fdopendir(folder);
    if (!dir) {
        close(folder);
        return;
    }
    for (struct dirent *e = readdir(dir); e; e = readdir(dir)) {
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlinkat(dirfd(dir), e->d_name, 0);
    }
    closedir(dir);
    char path[PATHS_MAX];
    (void)paths_run(path, sizeof(path), runs_dir, run_id); /* it was opened by that name */
    if (rmdir(path) != 0)
        log_warn("%s stays: %s", path, strerror(errno));
}

/* On a thread of libuv's pool; touches nothing but files that no run uses any more. */
static void removal_work(uv_work_t *work)
{
    struct removal *r = work->data;
    for (size_t i = 0; i < r->count; i++)
        remove_folder(r->runs_dir, r->run_ids[i]);
}

static void removal_done(uv_work_t *work, int status)
{
    free(work->data);
}

void rundir_remove(struct uv_loop_s *loop, const char *runs_dir, const int64_t *run_ids,
                   size_t count)
{
    if (count == 0)
        return;
    struct removal *r = xcalloc(1, sizeof(*r) + count * sizeof(r->run_ids[0]));
    str_copy(r->runs_dir, sizeof(r->runs_dir), runs_dir);
    r->count = count;
    memcpy(r->run_ids, run_ids, count * sizeof(r->run_ids[0]));
    r->work.data = r;
    if (uv_queue_work(loop, &r->work, removal_work, removal_done) != 0)
        free(r);
}
