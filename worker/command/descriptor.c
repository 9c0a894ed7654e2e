#include "worker/command/descriptor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/command.h"
#include "sweep/err.h"
#include "worker/command/leftovers.h"

void descriptor_init(struct descriptor *d)
{
    *d = (struct descriptor){.theirs = -1, .ours = -1, .wake = -1};
}

int descriptor_open_pipe(struct descriptor *d, struct errbuf *err)
{
    int ends[2];

    descriptor_init(d);
    if (pipe2(ends, O_CLOEXEC) != 0)
        return err_set(err, ERR_IO, "no pipe: %s", strerror(errno));
    fcntl(ends[0], F_SETFL, O_NONBLOCK);
    d->theirs = ends[1];
    d->ours = d->wake = ends[0];
    return 0;
}

/* --- a file ---------------------------------------------------------------------------------- */

/* A program that was killed may have left a piece of a line. */
static bool end_line(const struct descriptor *d)
{
    struct stat st;
    char last = '\n';

    if (fstat(d->ours, &st) != 0 || !S_ISREG(st.st_mode))
        return false;
    if (st.st_size > 0 && pread(d->ours, &last, 1, st.st_size - 1) != 1)
        return false;
    return last == '\n' || write(d->theirs, "\n", 1) == 1;
}

/* What was given back to the disk reads as zeros. */
static void skip_forgotten(struct descriptor *d)
{
    off_t first = lseek(d->ours, 0, SEEK_DATA);
    char bytes[4096];
    ssize_t n;

    if (first < 0) /* there is nothing but what was given back, or nothing at all */
        first = errno == ENXIO ? lseek(d->ours, 0, SEEK_END) : 0;
    d->at = first;
    while ((n = pread(d->ours, bytes, sizeof(bytes), d->at)) > 0) {
        ssize_t zeros = 0;
        while (zeros < n && bytes[zeros] == '\0')
            zeros++;
        d->at += zeros;
        if (zeros < n)
            break;
    }
    d->forgotten = d->at;
    lseek(d->ours, d->at, SEEK_SET);
}

int descriptor_open_file(struct descriptor *d, const char *run_dir, bool keeps, struct errbuf *err)
{
    char *path = xasprintf("%s/" COMMAND_METRICS_FILE, run_dir);
    int anew = keeps ? 0 : O_TRUNC, rc = 0;

    descriptor_init(d);
    d->is_file = true;
    leftovers_end(path);
    d->theirs = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOFOLLOW | anew, 0600);
    d->ours = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (d->theirs < 0 || d->ours < 0 || !end_line(d))
        rc = err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    if (rc == 0)
        d->wake = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (d->wake >= 0 && inotify_add_watch(d->wake, path, IN_MODIFY) < 0) {
        close(d->wake);
        d->wake = -1; /* a person may have so many, and no more */
    }
    free(path);
    if (rc == 0)
        skip_forgotten(d);
    else
        descriptor_close(d);
    return rc;
}

void descriptor_forget(struct descriptor *d, int64_t at)
{
    if (!d->is_file || at - d->forgotten < DESCRIPTOR_FORGET_BYTES)
        return;
    /* Where the file system cannot do it the file only stays as long as it is. */
    (void)fallocate(d->ours, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, 0, at);
    d->forgotten = at;
}

/* --- either ---------------------------------------------------------------------------------- */

void descriptor_hand_over(struct descriptor *d)
{
    if (d->theirs >= 0)
        close(d->theirs);
    d->theirs = -1;
}

void descriptor_close(struct descriptor *d)
{
    descriptor_hand_over(d);
    if (d->wake >= 0 && d->wake != d->ours)
        close(d->wake);
    if (d->ours >= 0)
        close(d->ours);
    descriptor_init(d);
}

void descriptor_remove(const struct descriptor *d, const char *run_dir)
{
    char *path = xasprintf("%s/" COMMAND_METRICS_FILE, run_dir);

    if (d->is_file)
        (void)unlink(path);
    free(path);
}

/* It is known from now on; what is written after this wakes us again. */
static void forget_wake(const struct descriptor *d)
{
    char events[4096];

    while (d->wake >= 0 && read(d->wake, events, sizeof(events)) > 0)
        continue;
}

/* A program that opens the file itself, anew, begins it again. */
static bool was_cut(struct descriptor *d)
{
    struct stat st;

    if (fstat(d->ours, &st) != 0 || st.st_size >= d->at)
        return false;
    d->at = d->forgotten = 0;
    return lseek(d->ours, 0, SEEK_SET) == 0;
}

static ssize_t read_file(struct descriptor *d, char *bytes, size_t size)
{
    forget_wake(d);
    ssize_t n = read(d->ours, bytes, size);
    if (n == 0 && was_cut(d))
        n = read(d->ours, bytes, size);
    d->more = n == (ssize_t)size;
    if (n <= 0)
        return 0;
    d->at += n;
    return n;
}

ssize_t descriptor_read(struct descriptor *d, char *bytes, size_t size)
{
    if (d->is_file)
        return read_file(d, bytes, size);
    ssize_t n = read(d->ours, bytes, size);
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return 0;
    return n > 0 ? n : -1;
}

int64_t descriptor_left(const struct descriptor *d)
{
    struct stat st;

    if (d->ours < 0)
        return 0;
    if (!d->is_file)
        return fcntl(d->ours, F_GETPIPE_SZ);
    return fstat(d->ours, &st) == 0 ? st.st_size - d->at : 0;
}

int descriptor_due_ms(const struct descriptor *d)
{
    if (!d->is_file)
        return -1;
    return d->more ? 0 : d->wake < 0 ? DESCRIPTOR_LOOK_MS : -1;
}
