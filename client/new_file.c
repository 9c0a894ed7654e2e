#include "client/new_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"

#define FILE_MODE 0666 /* what the umask leaves of it */

static int taken(const struct new_file *f, struct errbuf *err)
{
    return err_set(err, ERR_STATE, "%s exists; --force overwrites it", f->path);
}

static int fail(struct new_file *f, int reason, const char *what, struct errbuf *err)
{
    new_file_abandon(f);
    return err_set(err, ERR_IO, "cannot %s %s: %s", what, f->path, strerror(reason));
}

/* A name that may be written to: nothing is there, or a file that may be replaced. */
static int check_place(const struct new_file *f, struct errbuf *err)
{
    struct stat there;
    if (lstat(f->path, &there) != 0)
        return 0;
    if (stat(f->path, &there) == 0 && S_ISDIR(there.st_mode))
        return err_set(err, ERR_STATE, "%s is a folder; name a file in it", f->path);
    return f->force ? 0 : taken(f, err);
}

void new_file_init(struct new_file *f, const char *path, bool force)
{
    *f = (struct new_file){.force = force, .fd = -1};
    str_copy(f->path, sizeof f->path, path);
}

int new_file_begin(struct new_file *f, struct errbuf *err)
{
    int rc = check_place(f, err);
    if (rc != 0)
        return rc;
    int length =
        snprintf(f->temporary, sizeof f->temporary, "%s.%ld.tmp", f->path, (long)getpid());
    if (length < 0 || (size_t)length >= sizeof f->temporary) {
        f->temporary[0] = '\0';
        return err_set(err, ERR_IO, "path too long: %s", f->path);
    }
    int fd = open(f->temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, FILE_MODE);
    if (fd < 0) {
        int reason = errno;
        f->temporary[0] = '\0'; /* whoever made it keeps it */
        return fail(f, reason, "create", err);
    }
    f->fd = fd;
    return 0;
}

int new_file_append(struct new_file *f, const void *bytes, size_t len, struct errbuf *err)
{
    for (const char *p = bytes; len > 0;) {
        ssize_t done = write(f->fd, p, len);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0)
            return fail(f, errno, "write", err);
        p += done;
        len -= (size_t)done;
    }
    return 0;
}

int new_file_end(struct new_file *f, struct errbuf *err)
{
    int reason = fdatasync(f->fd) != 0 ? errno : 0;
    if (close(f->fd) != 0 && reason == 0)
        reason = errno;
    f->fd = -1;
    return reason == 0 ? 0 : fail(f, reason, "write", err);
}

int new_file_write(struct new_file *f, const void *bytes, size_t len, struct errbuf *err)
{
    int rc = new_file_begin(f, err);
    if (rc == 0)
        rc = new_file_append(f, bytes, len, err);
    return rc == 0 ? new_file_end(f, err) : rc;
}

/* Not every file system can rename without replacing; there the check before has to do. */
int new_file_commit(struct new_file *f, struct errbuf *err)
{
    int rc = f->force ? -1 : renameat2(AT_FDCWD, f->temporary, AT_FDCWD, f->path, RENAME_NOREPLACE);
    if (rc != 0 && !f->force && errno == EEXIST) {
        new_file_abandon(f);
        return taken(f, err);
    }
    if (rc != 0 && (f->force || errno == EINVAL || errno == ENOSYS))
        rc = rename(f->temporary, f->path);
    if (rc != 0)
        return fail(f, errno, "write", err);
    f->temporary[0] = '\0';
    return 0;
}

void new_file_abandon(struct new_file *f)
{
    if (f->temporary[0] != '\0' && f->fd >= 0)
        close(f->fd);
    f->fd = -1;
    if (f->temporary[0] != '\0')
        unlink(f->temporary);
    f->temporary[0] = '\0';
}
