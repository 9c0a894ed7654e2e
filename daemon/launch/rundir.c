#include "daemon/launch/rundir.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "daemon/launch/rundir_part.h"
#include "sweep/err.h"
#include "sweep/paths.h"

static int fail_at(struct errbuf *err, int64_t run_id, const char *what)
{
    return err_set(err, ERR_IO, "folder of run %" PRId64 ": %s: %s", run_id, what,
                   strerror(errno));
}

void rundir_init(struct rundir *r)
{
    memset(r, 0, sizeof(*r));
    r->fd = r->out = r->err = -1;
}

static int open_reader(struct rundir *r, int folder)
{
    r->fd = rundir_file(folder, RUN_FILE_LINES, O_RDONLY);
    return r->fd < 0 ? -1 : 0;
}

/* --- the folder ------------------------------------------------------------------------------ */

/* What an earlier attempt has left. */
static const char *clear_folder(const struct rundir *r, int folder)
{
    if (r->kept < 0 || ftruncate(r->out, r->kept) != 0)
        return run_file_name(RUN_FILE_LINES);
    rundir_remove_unfinished(folder);
    if (unlinkat(folder, run_file_name(RUN_FILE_WEIGHTS), 0) != 0 && errno != ENOENT)
        return run_file_name(RUN_FILE_WEIGHTS);
    return NULL;
}

/* Everything of an earlier attempt goes, but what a resumed worker appends to; and only once the
 * lock says that no worker lives. */
static const char *fill_folder(struct rundir *r, int folder, const char *config, bool fresh)
{
    bool resumes =
        !fresh && faccessat(folder, run_file_name(RUN_FILE_CHECKPOINT), F_OK, 0) == 0;
    r->out = rundir_file(folder, RUN_FILE_LINES, O_WRONLY | O_CREAT | O_APPEND);
    if (r->out < 0)
        return run_file_name(RUN_FILE_LINES);
    if (flock(r->out, LOCK_EX | LOCK_NB) != 0)
        return "lock";
    r->kept = resumes ? rundir_kept_bytes(folder) : 0;
    const char *what = fresh ? NULL : clear_folder(r, folder);
    if (what)
        return what;
    if (rundir_put(folder, RUN_FILE_CONFIG, config) != 0)
        return run_file_name(RUN_FILE_CONFIG);
    r->err = resumes ? rundir_file(folder, RUN_FILE_STDERR, O_WRONLY | O_CREAT | O_APPEND)
                     : rundir_new_file(folder, RUN_FILE_STDERR);
    if (r->err < 0)
        return run_file_name(RUN_FILE_STDERR);
    return open_reader(r, folder) == 0 ? NULL : run_file_name(RUN_FILE_LINES);
}

int rundir_create(struct rundir *r, const struct rundir_place *at, const char *config,
                  struct errbuf *err)
{
    int code = 0;
    rundir_init(r);
    bool fresh;
    int folder = rundir_claim_new(at, r->note, &fresh);
    if (folder < 0)
        return fail_at(err, at->run_id, "folder");
    const char *what = fill_folder(r, folder, config, fresh);
    if (what && errno == EWOULDBLOCK && strcmp(what, "lock") == 0)
        code = err_set(err, ERR_BUSY, "run %" PRId64 " still has a worker", at->run_id);
    else if (what)
        code = fail_at(err, at->run_id, what);
    close(folder);
    if (code != 0)
        rundir_close(r);
    return code;
}

int rundir_open(struct rundir *r, const struct rundir_place *at, struct errbuf *err)
{
    rundir_init(r);
    int folder = rundir_claim(at, CLAIM_OPEN, r->note);
    int rc = folder < 0 ? -1 : open_reader(r, folder);
    if (rc != 0 && errno == ENOENT)
        rc = err_set(err, ERR_NOT_FOUND, "run %" PRId64 " has no folder", at->run_id);
    else if (rc != 0)
        rc = fail_at(err, at->run_id, run_file_name(RUN_FILE_LINES));
    if (folder >= 0)
        close(folder);
    return rc;
}

bool rundir_is_written_by(const struct rundir_place *at, int64_t pid)
{
    struct rundir r;
    rundir_init(&r);
    int folder = rundir_claim(at, CLAIM_LOOK, r.note);
    if (folder < 0)
        return false;
    bool writes = open_reader(&r, folder) == 0 && rundir_written_by(&r, pid);
    close(folder);
    rundir_close(&r);
    return writes;
}

int rundir_cut(const struct rundir_place *at, int64_t bytes)
{
    char note[RUNDIR_NOTE_MAX];
    int folder = rundir_claim(at, CLAIM_LOOK, note);
    int fd = folder < 0 ? -1 : rundir_file(folder, RUN_FILE_LINES, O_WRONLY);
    int rc = fd < 0 || ftruncate(fd, bytes) != 0 ? ERR_IO : 0;
    if (fd >= 0)
        close(fd);
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
    char block[RUNDIR_READ_BYTES]; /* of hundreds of slots each keeps but the part of a line */
    buf_consume(&r->bytes, r->taken);
    if (r->bytes.len == 0)
        buf_finish(&r->bytes);
    r->taken = 0;
    ssize_t n;
    do {
        n = pread(r->fd, block, sizeof(block), r->offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0)
        return err_set(err, ERR_IO, "run.jsonl: %s", strerror(errno));
    if (n > 0)
        buf_append(&r->bytes, block, (size_t)n);
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

int64_t rundir_at(const struct rundir *r)
{
    return r->offset - (int64_t)rundir_rest(r);
}

/* Continuation bytes of UTF-8 are 10xxxxxx: one at the beginning belongs to a character that was
 * cut. */
static void drop_cut_character(struct buf *out, size_t start)
{
    size_t skip = 0;
    while (skip < 3 && start + skip < out->len &&
           ((unsigned char)out->data[start + skip] & 0xc0) == 0x80)
        skip++;
    memmove(out->data + start, out->data + start + skip, out->len - start - skip + 1);
    out->len -= skip;
}

/* The last character of a piece may go on in the next one: then it is left to that. */
static void leave_cut_character(struct buf *out, size_t start, int64_t *next)
{
    size_t back = 0;
    while (back < 3 && out->len - back > start + 1 &&
           ((unsigned char)out->data[out->len - 1 - back] & 0xc0) == 0x80)
        back++;
    unsigned char first = (unsigned char)out->data[out->len - 1 - back];
    size_t wanted = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
    if (wanted <= back || out->len - back - 1 <= start)
        return;
    out->len -= back + 1;
    out->data[out->len] = '\0';
    *next -= (int64_t)back + 1;
}

static void read_part(int fd, struct rundir_reading *r, struct buf *out)
{
    size_t start = out->len;
    bool tail = r->from < 0;
    if (tail || r->from > r->size)
        r->from = r->size > (int64_t)r->max ? r->size - (int64_t)r->max : 0;
    buf_reserve(out, r->max);
    ssize_t n = pread(fd, out->data + start, r->max, (off_t)r->from);
    out->len += n > 0 ? (size_t)n : 0;
    out->data[out->len] = '\0';
    r->next = r->from + (n > 0 ? n : 0);
    if (r->from > 0 && tail)
        drop_cut_character(out, start);
    if (n == (ssize_t)r->max && n > 4)
        leave_cut_character(out, start, &r->next);
}

void rundir_stderr_read(const char *runs_dir, int64_t run_id, struct rundir_reading *r,
                        struct buf *out)
{
    struct stat st;
    int folder = rundir_folder(runs_dir, run_id, false);
    int fd = folder < 0 ? -1 : rundir_file(folder, RUN_FILE_STDERR, O_RDONLY);
    bool there = fd >= 0 && fstat(fd, &st) == 0;
    r->size = there ? st.st_size : 0;
    r->next = 0;
    if (there)
        read_part(fd, r, out);
    else
        r->from = 0;
    if (fd >= 0)
        close(fd);
    if (folder >= 0)
        close(folder);
}

void rundir_stderr_tail(const char *runs_dir, int64_t run_id, size_t max, struct buf *out,
                        bool *cut)
{
    struct rundir_reading r = {.from = -1, .max = max};
    rundir_stderr_read(runs_dir, run_id, &r, out);
    if (cut)
        *cut = r.from > 0;
}
