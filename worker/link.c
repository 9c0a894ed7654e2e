#include "worker/link.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sweep/err.h"
#define LOG_MODULE "link"
#include "sweep/log.h"
#include "worker/data/atomic_file.h"

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

int link_sync(struct link *l)
{
    /* EINVAL, EROFS: a pipe or a terminal, which keep nothing */
    if (fdatasync(l->fd) == 0 || errno == EINVAL || errno == EROFS)
        return 0;
    log_error("cannot sync the lines: %s", strerror(errno));
    l->broken = true;
    return ERR_IO;
}

void link_settle(struct link *l, const char *run_dir)
{
    struct stat st;
    struct errbuf err;
    if (l->broken || fstat(l->fd, &st) != 0 || !S_ISREG(st.st_mode) || link_sync(l) != 0)
        return;
    char *above = xasprintf("%s/..", run_dir);
    if (atomic_file_sync_folder(run_dir, &err) != 0 || atomic_file_sync_folder(above, &err) != 0)
        log_warn("%s", err.message);
    free(above);
}
