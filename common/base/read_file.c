#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "sweep/buf.h"
#include "sweep/err.h"

/* Most files are small: room for a long one would be mapped, and unmapped again. */
#define FIRST_BYTES 4096
#define READ_BYTES 65536

/* Reads fd to its end behind the bytes of b: 0, ERR_LIMIT, or ERR_IO with errno. */
static int read_all(struct buf *b, int fd, size_t max)
{
    size_t before = b->len, room = FIRST_BYTES;

    for (;;) {
        ssize_t n;

        buf_reserve(b, room);
        n = read(fd, b->data + b->len, room);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0) {
            b->data[b->len] = '\0';
            return n == 0 ? 0 : ERR_IO;
        }
        b->len += (size_t)n;
        if (b->len - before > max)
            return ERR_LIMIT;
        if ((size_t)n == room)
            room = READ_BYTES;
    }
}

int buf_read_file(struct buf *b, const char *path, size_t max, struct errbuf *err)
{
    size_t before = b->len;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    int rc, reason;

    if (fd < 0)
        return err_set(err, ERR_IO, "%s: %s", path, strerror(errno));
    rc = read_all(b, fd, max);
    reason = errno;
    close(fd);
    if (rc == 0)
        return 0;
    b->len = before;
    b->data[before] = '\0';
    if (rc == ERR_LIMIT)
        return err_set(err, rc, "%s: longer than %zu bytes", path, max);
    return err_set(err, rc, "%s: %s", path, strerror(reason));
}
