/* Files of the spool: on a network file system, and perhaps not well. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/err.h"
#include "sweep/paths.h"
#include "sweep/spool.h"

#define READ_BYTES 65536

int spool_open_plain(const char *path, int flags)
{
    struct stat st;
    int fd = open(path, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
        return fd;
    close(fd);
    errno = ENOTSUP;
    return -1;
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

static int fail_at(struct errbuf *err, const char *path)
{
    int code = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;
    return err_set(err, code, "%s: %s", path, strerror(errno));
}

/* A line whose writer was killed, or had no room, has no end: it gets one, and is no line then. */
static bool ends_torn(int fd)
{
    char last;
    off_t size = lseek(fd, 0, SEEK_END);
    return size > 0 && (pread(fd, &last, 1, size - 1) != 1 || last != '\n');
}

int spool_append(struct spool_writer *w, const char *lines, size_t len, struct errbuf *err)
{
    int fd = spool_open_plain(w->path, O_RDWR | O_APPEND);
    if (fd < 0)
        return fail_at(err, w->path);
    int rc = (w->torn || ends_torn(fd)) ? write_all(fd, "\n", 1) : 0;
    if (rc == 0)
        rc = write_all(fd, lines, len);
    if (rc == 0)
        rc = fsync(fd);
    w->torn = rc != 0;
    rc = rc != 0 ? fail_at(err, w->path) : 0;
    if (close(fd) != 0 && rc == 0)
        rc = fail_at(err, w->path);
    return rc;
}

int spool_read(struct spool_reader *r, struct errbuf *err)
{
    char block[READ_BYTES]; /* of thousands of readers each keeps but the part of a line */
    int fd = spool_open_plain(r->path, O_RDONLY);
    if (fd < 0)
        return fail_at(err, r->path);
    buf_consume(&r->bytes, r->taken);
    if (r->bytes.len == 0)
        buf_finish(&r->bytes);
    r->taken = 0;
    ssize_t n;
    do {
        n = pread(fd, block, sizeof(block), r->offset);
    } while (n < 0 && errno == EINTR);
    if (n < 0) {
        int rc = fail_at(err, r->path);
        close(fd);
        return rc;
    }
    close(fd);
    if (n > 0)
        buf_append(&r->bytes, block, (size_t)n);
    r->offset += n;
    return (int)n;
}

bool spool_line(struct spool_reader *r, const char **line, size_t *len)
{
    for (;;) {
        char *from = r->bytes.len > r->taken ? r->bytes.data + r->taken : NULL;
        size_t rest = r->bytes.len - r->taken;
        char *end = from ? memchr(from, '\n', rest) : NULL;
        if (!end) {
            /* What is longer than a line may be is none; its end is not waited for. */
            if (rest > SPOOL_LINE_MAX)
                r->taken = r->bytes.len;
            return false;
        }
        *line = from;
        *len = (size_t)(end - from);
        r->taken += *len + 1;
        if (*len > 0 && *len <= SPOOL_LINE_MAX)
            return true;
    }
}

void spool_reader_finish(struct spool_reader *r)
{
    buf_finish(&r->bytes);
}

int spool_publish(const char *path, const char *text, unsigned mode, struct errbuf *err)
{
    char *unfinished = xasprintf("%s.tmp", path);
    int rc = 0;
    (void)unlink(unfinished);
    int fd = open(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, mode);
    if (fd < 0 || write_all(fd, text, strlen(text)) != 0 || fsync(fd) != 0)
        rc = fail_at(err, unfinished);
    if (fd >= 0 && close(fd) != 0 && rc == 0)
        rc = fail_at(err, unfinished);
    if (rc == 0 && rename(unfinished, path) != 0)
        rc = fail_at(err, path);
    free(unfinished);
    return rc == 0 ? paths_sync_parent(path, err) : rc;
}

/* Over a network the answer to the call that did it may be lost, and the second is told that the
 * name is taken: by whom is asked of the file. */
static bool is_same_file(const char *a, const char *b)
{
    struct stat x, y;
    return lstat(a, &x) == 0 && lstat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

int spool_claim(const char *card, const char *claim, struct errbuf *err)
{
    if (link(card, claim) == 0)
        return 1;
    if (errno == EEXIST)
        return is_same_file(card, claim);
    return fail_at(err, claim);
}
