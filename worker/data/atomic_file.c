#include "worker/data/atomic_file.h"

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"

static int give_up(struct atomic_file *f, const char *what, struct errbuf *err)
{
    int saved = errno;
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    unlink(f->temporary);
    return err_set(err, ERR_IO, "cannot %s %s: %s", what, f->path, strerror(saved));
}

/* Process and time make the name: two processes may write the same file at once. */
int atomic_file_open(struct atomic_file *f, const char *path, struct errbuf *err)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    str_copy(f->path, sizeof f->path, path);
    int len = snprintf(f->temporary, sizeof f->temporary, "%s.%ld.%lld%09ld.tmp", path,
                       (long)getpid(), (long long)now.tv_sec, now.tv_nsec);
    if (len < 0 || (size_t)len >= sizeof f->temporary)
        return err_set(err, ERR_IO, "path too long: %s", path);
    f->fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    return f->fd >= 0 ? 0 : err_set(err, ERR_IO, "cannot create %s: %s", path, strerror(errno));
}

int atomic_file_write(struct atomic_file *f, const void *data, size_t len, struct errbuf *err)
{
    const char *p = data;
    while (len > 0) {
        ssize_t done = write(f->fd, p, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return give_up(f, "write", err);
        p += done;
        len -= (size_t)done;
    }
    return 0;
}

int atomic_file_commit(struct atomic_file *f, bool durable, struct errbuf *err)
{
    if (durable && fdatasync(f->fd) != 0)
        return give_up(f, "sync", err);
    int fd = f->fd;
    f->fd = -1;
    if (close(fd) != 0)
        return give_up(f, "close", err);
    if (rename(f->temporary, f->path) != 0)
        return give_up(f, "rename to", err);
    return 0;
}

/* EINVAL, EROFS: a file system whose folders need none. */
static int sync_folder(const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd >= 0 && (fsync(fd) == 0 || errno == EINVAL || errno == EROFS) ? 0 : -1;
    int saved = errno;
    if (fd >= 0)
        close(fd);
    errno = saved;
    return rc;
}

/* The name in its folder, and the folder's own in the one above: it may be as new. */
static int sync_names(const char *path)
{
    char copy[PATHS_MAX];
    str_copy(copy, sizeof copy, path);
    char *folder = dirname(copy), *above = xasprintf("%s/..", folder);
    int rc = sync_folder(folder);
    if (rc == 0)
        rc = sync_folder(above);
    free(above);
    return rc;
}

int atomic_file_publish(struct atomic_file *f, struct errbuf *err)
{
    if (rename(f->temporary, f->path) != 0)
        return give_up(f, "rename to", err);
    str_copy(f->temporary, sizeof f->temporary, f->path); /* what a failure removes */
    if (fdatasync(f->fd) != 0 || sync_names(f->path) != 0)
        return give_up(f, "sync", err);
    int fd = f->fd;
    f->fd = -1;
    return close(fd) == 0 ? 0 : give_up(f, "close", err);
}
