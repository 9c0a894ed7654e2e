#include "worker/link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
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

/* identity.json, in the folder of the lines. At worst the run is begun anew after a power cut. */
static void sync_identity(int lines)
{
    char link[32], path[PATHS_MAX];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", lines);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    char *slash = n > 0 ? memrchr(path, '/', (size_t)n) : NULL;
    if (!slash)
        return;
    str_copy(slash + 1, sizeof(path) - (size_t)(slash + 1 - path),
             run_file_name(RUN_FILE_IDENTITY));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    fsync(fd);
    close(fd);
}

int link_sync(struct link *l)
{
    if (!l->identity_synced)
        sync_identity(l->fd);
    l->identity_synced = true;
    /* EINVAL, EROFS: a pipe or a terminal, which keep nothing */
    if (fdatasync(l->fd) == 0 || errno == EINVAL || errno == EROFS)
        return 0;
    log_error("cannot sync the lines: %s", strerror(errno));
    l->broken = true;
    return ERR_IO;
}
