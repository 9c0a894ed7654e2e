#include "worker/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "sweep/err.h"
#include "sweep/paths.h"
#define LOG_MODULE "link"
#include "sweep/log.h"

void link_init(struct link *l, int fd)
{
    memset(l, 0, sizeof *l);
    l->fd = fd;
}

void link_finish(struct link *l)
{
    buf_finish(&l->line);
}

int link_send(struct link *l, const struct record *r)
{
    buf_clear(&l->line);
    record_write(r, &l->line);
    const char *p = l->line.data;
    size_t left = l->line.len;
    /* A pipe or a full disk may take a part: the rest follows, or the run has no reader. */
    while (left > 0) {
        ssize_t done = write(l->fd, p, left);
        if (done < 0 && errno == EINTR)
            continue;
        if (done < 0) {
            log_error("cannot write a line: %s", strerror(errno));
            l->broken = true;
            return ERR_IO;
        }
        p += done;
        left -= (size_t)done;
    }
    return 0;
}

static void sync_and_close(int fd)
{
    if (fd < 0)
        return;
    fsync(fd); /* at worst the run is begun anew after a power failure */
    close(fd);
}

/* identity.json, and the names of the files, in the folder of the lines. */
static void sync_place(int fd)
{
    char link[32], path[PATHS_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
    if (!slash)
        return;
    *slash = '\0';
    int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    sync_and_close(openat(folder, run_file_name(RUN_FILE_IDENTITY), O_RDONLY | O_CLOEXEC));
    sync_and_close(folder);
}

int link_sync(struct link *l)
{
    if (!l->place_synced)
        sync_place(l->fd);
    l->place_synced = true;
    /* EINVAL, EROFS: a pipe or a terminal, which keep nothing */
    if (fdatasync(l->fd) == 0 || errno == EINVAL || errno == EROFS)
        return 0;
    log_error("cannot sync the lines: %s", strerror(errno));
    l->broken = true;
    return ERR_IO;
}
